/*
 * clock.h - ticks: the cheapest counter that all processors of the machine share.
 *
 * The choice is made once, before the first record: vprof_clock; the ring's header names it.
 */
#ifndef VPROF_PRELOAD_CLOCK_H
#define VPROF_PRELOAD_CLOCK_H

#include <stdint.h>
#include <time.h>
#include "preload/compiler.h"
#include "vprof/ring.h"

extern uint32_t vprof_clock HIDDEN; /* enum vprof_clock_kind; constant once it is chosen */

/* Chooses the counter. Safe to call more than once. */
void vprof_clock_init(void) HIDDEN;

/* Counts a second, measured over about 50 us and good to about 1e-3. */
uint64_t vprof_clock_hz(void) HIDDEN;

/* Reads all clocks at one moment, the best bracket of a few tries. */
void vprof_clock_anchor(struct vprof_anchor *anchor) HIDDEN;

/* Does vprof_ticks() read a counter, without a call? */
static inline int vprof_clock_is_quick(void)
{
#if defined(__x86_64__)
	return vprof_clock == VPROF_CLOCK_TSC;
#elif defined(__aarch64__)
	return vprof_clock == VPROF_CLOCK_CNTVCT;
#else
	return 0;
#endif
}

/* vprof_ticks() where vprof_clock_is_quick(). */
static inline uint64_t vprof_ticks_quick(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#else
	return 0;
#endif
}

/* What a clock says. */
static inline uint64_t vprof_clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t vprof_ticks(void)
{
	if (likely(vprof_clock_is_quick()))
		return vprof_ticks_quick();
	return vprof_clock_ns(CLOCK_MONOTONIC);
}

#endif
