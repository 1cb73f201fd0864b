/*
 * housekeeping.c - the thread of ours in a process (a spill has another, spill.c).
 *
 * It takes up requests (control.c), collects the GPU's stamps, adds clock anchors, refreshes the process title and
 * thread names, and faults in the ring's pages so that the recording threads need not: all at once in the beginning,
 * and, where the pages are not tmpfs, again and again ahead of the writers (writeback makes
 * clean pages fault anew). It inherits the starter's blocked signals. A forked child has its own.
 */
#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "preload/control.h"
#include "preload/inner.h"
#include "preload/libc.h"
#include "preload/process.h"
#include "preload/record.h"
#include "preload/spill.h"
#include "preload/thread.h"
#include "preload/trigger.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum {
	STACK_SIZE = 128 << 10,
	POPULATE_STEP = 1 << 20,
	AHEAD_CHUNKS = 64,        /* touched before the writers reach them, on storage */
	AHEAD_MS = 2,
	ROUND_MS = 1000,
};

/* A write fault on each page that changes nothing, safe against the page's writers. */
static void touch(void *start, size_t size)
{
	for (char *p = start, *end = p + size; p < end; p += VPROF_PAGE_SIZE)
		__atomic_fetch_or((uint32_t *)(void *)p, 0, __ATOMIC_RELAXED);
}

static void populate(struct vprof_map *map)
{
	char *start = (char *)map->header, *end = start + map->size;

	for (char *p = start; p < end; p += POPULATE_STEP) {
		size_t size = (size_t)(end - p) < POPULATE_STEP ? (size_t)(end - p) : POPULATE_STEP;

		if (madvise(p, size, MADV_POPULATE_WRITE) && errno == EINVAL)
			touch(p, size);
		vprof_control_round();
		vprof_shim_gpu_round();
	}
}

/* The chunks that come next, and those that are being written. */
static void touch_ahead(struct vprof_map *map)
{
	uint64_t ticket = __atomic_load_n(&map->live->ticket, __ATOMIC_RELAXED);

	for (unsigned i = 0; i < AHEAD_CHUNKS && i < map->chunk_count; i++)
		touch(&map->chunks[(ticket + i) % map->chunk_count], VPROF_CHUNK_SIZE);
	for (uint32_t i = 0; i < map->lane_count; i++) {
		uint32_t state = __atomic_load_n(&map->lanes[i].state, __ATOMIC_RELAXED);
		uint32_t chunk = __atomic_load_n(&map->lanes[i].chunk, __ATOMIC_RELAXED);

		if (state == VPROF_LANE_UNUSED)
			break;
		if (state == VPROF_LANE_LIVE && chunk)
			touch(&map->chunks[chunk - 1], VPROF_CHUNK_SIZE);
	}
}

/* Sleeps until the next round, in small steps where pages have to be kept ready; requests are taken up meanwhile. */
static void wait_round(struct vprof_map *map, unsigned ms)
{
	uint64_t now = vprof_monotonic_ns(), end = now + ms * 1000000ull;

	for (; now < end; now = vprof_monotonic_ns()) {
		uint64_t step = now + AHEAD_MS * 1000000ull, pace = vprof_trigger_pace_ns();
		uint64_t gpu = vprof_shim_gpu_round();

		if (gpu < pace)
			pace = gpu;
		if (!map->on_memory)
			touch_ahead(map);
		else
			step = pace < end - now ? now + pace : end;
		vprof_control_wait(step > end ? end : step);
		vprof_trigger_round();
	}
}

/* The starter's real-time policy is inherited, and is not meant for us: we would run before others. */
static void policy_lower(void)
{
	const struct sched_param param = { 0 };
	int policy = sched_getscheduler(0);

	if (policy == SCHED_FIFO || policy == SCHED_RR)
		sched_setscheduler(0, SCHED_OTHER, &param);
}

static void *housekeeping(void *unused)
{
	/* The first anchors come close together: a process may live for milliseconds. */
	static const unsigned first_ms[] = { 1, 9, 90, 400 };
	struct vprof_map *map = &vprof_map;

	(void)unused;
	prctl(PR_SET_NAME, "vprof");
	policy_lower();
	map->live->housekeeping_tid = (uint32_t)syscall(SYS_gettid);
	populate(map);
	for (unsigned round = 0;; round++) {
		wait_round(map, round < ARRAY_SIZE(first_ms) ? first_ms[round] : ROUND_MS);
		vprof_ring_anchor(map);
		vprof_ring_title(map);
		vprof_lanes_refresh();
		vprof_spill_tell();
		__atomic_store_n(&map->live->beat_ticks, vprof_ticks(), __ATOMIC_RELAXED);
	}
	return NULL;
}

int vprof_housekeeping_start(void)
{
	/* The caller has blocked signals. */
	return vprof_thread_start(housekeeping, STACK_SIZE);
}
