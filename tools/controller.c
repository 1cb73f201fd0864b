/*
 * controller.c - requests, as include/vprof/ring_control.h says.
 */
#include "tools/controller.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "tools/now.h"
#include "tools/refuse.h"

enum {
	MAP_SIZE = VPROF_CLOCK_OFFSET,  /* up to the end of the live page; from 0, as pages may be larger than ours */
	HOLD_MS = 100,                  /* who has the lock for longer has lost it */
	BUSY_MS = 250,                  /* when others keep taking it, we give up */
	PLACE_MS = 20,                  /* for a process to take up what stands in a request's place */
};

static struct controller *open_ones;

/* The page that is gone from under a mapping becomes one of zeros, and the access goes on. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr;

	(void)context;
	for (struct controller *c = open_ones; c; c = c->next) {
		char *start = (char *)c->control - VPROF_CONTROL_OFFSET;

		if (at < (uintptr_t)start || at >= (uintptr_t)start + MAP_SIZE)
			continue;
		c->lost = 1;
		if (mmap(start, MAP_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
		    MAP_FAILED)
			return;
	}
	signal(number, SIG_DFL); /* none of ours: as it would have been */
}

static int refuse_open(int error, const struct ring *ring, char *why, size_t why_size)
{
	struct passwd *owner;
	struct stat st;

	if ((error != EACCES && error != EPERM) || fstat(ring->fd, &st) || st.st_uid == geteuid())
		return refuse(-error, why, why_size, "cannot be opened for writing: %s", strerror(error));
	owner = getpwuid(st.st_uid);
	return refuse(-error, why, why_size, "cannot be opened for writing: it belongs to %s (user %u)",
		      owner ? owner->pw_name : "somebody else", (unsigned int)st.st_uid);
}

/* The file that was read, for writing too. */
static int open_again(const struct ring *ring, char *why, size_t why_size)
{
	struct stat read, written;
	int fd = open(ring->path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), error = errno;

	if (fd < 0)
		return refuse_open(error, ring, why, why_size);
	if (fstat(fd, &written) || fstat(ring->fd, &read) || read.st_ino != written.st_ino ||
	    read.st_dev != written.st_dev) {
		close(fd);
		return refuse(-ESTALE, why, why_size, "has just been replaced by another file");
	}
	if (written.st_size < MAP_SIZE) {
		close(fd);
		return refuse(-EPROTO, why, why_size, "is cut short: its control page or its live page is not there");
	}
	return fd;
}

int controller_open(struct controller *controller, const struct ring *ring, char *why, size_t why_size)
{
	struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };
	int fd, error;
	char *start;

	*controller = (struct controller){ 0 };
	if (ring->header.cut_ticks)
		return refuse(-EINVAL, why, why_size, "is a copy, in which nobody looks for requests");
	fd = open_again(ring, why, why_size);
	if (fd < 0)
		return fd;
	start = mmap(NULL, MAP_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	error = errno;
	close(fd);
	if (start == MAP_FAILED)
		return refuse(-error, why, why_size, "cannot be mapped: %s", strerror(error));
	controller->control = (struct vprof_ring_control *)(void *)(start + VPROF_CONTROL_OFFSET);
	controller->live = (struct vprof_ring_live *)(void *)(start + VPROF_LIVE_OFFSET);
	controller->next = open_ones;
	open_ones = controller;
	sigaction(SIGBUS, &action, NULL);
	return 0;
}

void controller_close(struct controller *controller)
{
	struct controller **at = &open_ones;

	if (!controller->control)
		return;
	while (*at && *at != controller)
		at = &(*at)->next;
	if (*at)
		*at = controller->next;
	munmap((char *)controller->control - VPROF_CONTROL_OFFSET, MAP_SIZE);
	controller->control = NULL;
}

int controller_takes_requests(const struct ring *ring)
{
	return ring->header.minor >= 2;
}

/* ---- the lock ---- */

static int holder_is_gone(uint32_t holder)
{
	return holder > INT_MAX || (kill((pid_t)holder, 0) && errno == ESRCH);
}

/* From `holder`, who may be nobody (0), to us. Pairs with the release in lock_give(). */
static int lock_swap(struct vprof_ring_control *control, uint32_t *holder)
{
	return __atomic_compare_exchange_n(&control->lock, holder, (uint32_t)getpid(), 0, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static int lock_take(struct vprof_ring_control *control)
{
	static const struct timespec little = { 0, 20000 };
	uint64_t begin = now_ns(CLOCK_MONOTONIC), since = begin;
	uint32_t holder = 0, seen = 0, bell = 0;

	while (!lock_swap(control, &holder)) {
		uint64_t now = now_ns(CLOCK_MONOTONIC);
		uint32_t rung = __atomic_load_n(&control->doorbell, __ATOMIC_RELAXED);

		/* It is somebody else's turn, or the same one's again: another 100 ms. */
		if (holder != seen || rung != bell)
			since = now;
		seen = holder;
		bell = rung;
		if (holder && (holder_is_gone(holder) || now - since > HOLD_MS * 1000000ull)) {
			if (lock_swap(control, &holder))
				return 0;
		} else if (now - begin > BUSY_MS * 1000000ull) {
			return -EBUSY;
		} else {
			nanosleep(&little, NULL);
		}
		holder = 0;
	}
	return 0;
}

/* Unless it has been taken from us. Pairs with the acquire in lock_swap(). */
static void lock_give(struct vprof_ring_control *control)
{
	uint32_t us = (uint32_t)getpid();

	__atomic_compare_exchange_n(&control->lock, &us, 0, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

/* ---- requests ---- */

/* With the lock. A process that takes nothing up has its oldest request overwritten. */
static void wait_for_place(const struct controller *controller, uint64_t serial)
{
	static const struct timespec little = { 0, 50000 };
	uint64_t end = now_ns(CLOCK_MONOTONIC) + PLACE_MS * 1000000ull;

	while (serial > VPROF_REQUESTS && !controller_served(controller, serial - VPROF_REQUESTS) &&
	       now_ns(CLOCK_MONOTONIC) < end)
		nanosleep(&little, NULL);
}

int controller_request(struct controller *controller, const struct vprof_request *request, uint64_t *serial)
{
	struct vprof_ring_control *control = controller->control;
	struct vprof_request mine = *request, *place;
	uint64_t next;
	int error = lock_take(control);

	if (error)
		return error;
	next = (uint64_t)__atomic_load_n(&control->doorbell, __ATOMIC_RELAXED) + 1;
	wait_for_place(controller, next);
	place = &control->request[next % VPROF_REQUESTS];
	mine.serial = 0;
	mine.pid = (uint32_t)getpid();
	mine.check = vprof_request_check(&mine);
	/* The process takes a request only when its serial is right before and after it is copied. */
	__atomic_store_n(&place->serial, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy((char *)place + sizeof(place->serial), (char *)&mine + sizeof(mine.serial),
	       sizeof(mine) - sizeof(mine.serial));
	__atomic_store_n(&place->serial, next, __ATOMIC_RELEASE);
	/* Pairs with the acquire load in the process's housekeeping, which then looks for the serial. */
	__atomic_store_n(&control->doorbell, (uint32_t)next, __ATOMIC_RELEASE);
	syscall(SYS_futex, &control->doorbell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	lock_give(control);
	*serial = next;
	return controller->lost ? -EIO : 0;
}

/* Serials are compared by their low 32 bits, in which the doorbell counts. Pairs with housekeeping's release store. */
int controller_served(const struct controller *controller, uint64_t serial)
{
	uint64_t served = __atomic_load_n(&controller->live->served.serial, __ATOMIC_ACQUIRE);

	return (int32_t)((uint32_t)served - (uint32_t)serial) >= 0;
}

uint64_t controller_pending(const struct controller *controller)
{
	return __atomic_load_n(&controller->live->served.pending_ns, __ATOMIC_RELAXED);
}

void controller_set_word(struct controller *controller, uint32_t groups)
{
	/* Every hooked call reads it; nothing else depends on it. */
	__atomic_store_n(&controller->control->word, groups, __ATOMIC_RELAXED);
}

uint32_t controller_gpu(const struct controller *controller, const struct ring *ring)
{
	return ring->header.minor < 3 ? 0 : __atomic_load_n(&controller->control->gpu, __ATOMIC_RELAXED);
}

int controller_set_gpu(struct controller *controller, const struct ring *ring, const struct gpu_words *words)
{
	struct vprof_ring_control *control = controller->control;

	if (ring->header.minor < 3)
		return -ENOTSUP;
	/* Each is looked at by itself, when a launch or a round comes by. */
	if (words->has_gpu)
		__atomic_store_n(&control->gpu, words->gpu, __ATOMIC_RELAXED);
	if (words->has_spans)
		__atomic_store_n(&control->gpu_spans, words->spans, __ATOMIC_RELAXED);
	if (words->has_window) {
		__atomic_store_n(&control->gpu_window_us, words->window_us, __ATOMIC_RELAXED);
		__atomic_store_n(&control->gpu_period_us, words->period_us, __ATOMIC_RELAXED);
	}
	return 0;
}
