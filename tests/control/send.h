/*
 * send.h - a controller as vprof/ring_control.h describes one, for tests.
 */
#ifndef TESTS_CONTROL_SEND_H
#define TESTS_CONTROL_SEND_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "vprof/ring.h"

struct target {
	struct vprof_ring_header *header;
	struct vprof_ring_control *control;
	struct vprof_ring_live *live;
};

static inline uint64_t send_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The first pages of a ring, for writing: 0, or -1. */
static inline int send_open(struct target *target, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char *p = fd < 0 ? MAP_FAILED : mmap(NULL, VPROF_LANES_OFFSET, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	if (p == MAP_FAILED)
		return -1;
	target->header = (void *)p;
	target->control = (void *)(p + VPROF_CONTROL_OFFSET);
	target->live = (void *)(p + VPROF_LIVE_OFFSET);
	return __atomic_load_n(&target->header->magic, __ATOMIC_ACQUIRE) == VPROF_RING_MAGIC ? 0 : -1;
}

static inline void send_lock(struct target *target)
{
	uint32_t me = (uint32_t)getpid(), holder = 0;
	uint64_t since = send_now();

	while (!__atomic_compare_exchange_n(&target->control->lock, &holder, me, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		if (holder && ((kill((pid_t)holder, 0) && errno == ESRCH) || send_now() - since > 100000000u))
			continue; /* from that to ours */
		holder = 0;
		usleep(50);
	}
}

/* The request's place, all fields but serial written. */
static inline struct vprof_request *send_write(struct target *target, const struct vprof_request *request)
{
	uint32_t serial = __atomic_load_n(&target->control->doorbell, __ATOMIC_RELAXED) + 1;
	struct vprof_request *to = &target->control->request[serial % VPROF_REQUESTS], whole = *request;

	whole.pid = (uint32_t)getpid();
	whole.check = vprof_request_check(&whole);
	whole.serial = 0;
	__atomic_store_n(&to->serial, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*to = whole;
	return to;
}

static inline void send_ring(struct target *target, uint32_t serial)
{
	__atomic_store_n(&target->control->doorbell, serial, __ATOMIC_RELEASE);
	syscall(SYS_futex, &target->control->doorbell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static inline uint32_t send_request(struct target *target, const struct vprof_request *request)
{
	struct vprof_request *to;
	uint32_t serial;

	send_lock(target);
	to = send_write(target, request);
	serial = __atomic_load_n(&target->control->doorbell, __ATOMIC_RELAXED) + 1;
	__atomic_store_n(&to->serial, serial, __ATOMIC_RELEASE);
	send_ring(target, serial);
	__atomic_store_n(&target->control->lock, 0, __ATOMIC_RELEASE);
	return serial;
}

/* Until it has been taken up, or so many ms: 0, or -1. */
static inline int send_wait(struct target *target, uint32_t serial, unsigned ms)
{
	uint64_t end = send_now() + ms * 1000000ull;

	while ((int32_t)((uint32_t)__atomic_load_n(&target->live->served.serial, __ATOMIC_ACQUIRE) - serial) < 0) {
		if (send_now() > end)
			return -1;
		usleep(20);
	}
	return 0;
}

#endif
