/*
 * state.h - what every call reads before anything else, in one cache line.
 */
#ifndef VPROF_PRELOAD_STATE_H
#define VPROF_PRELOAD_STATE_H

#include <stddef.h>
#include <stdint.h>
#include "preload/compiler.h"

struct vprof_state {
	/*
	 * The control word, a bit for each group: in the ring once there is one, before that a word of our
	 * own with the same bits, so that the first call finds its way to vprof_begin_slow().
	 */
	const uint32_t *control;
	/*
	 * Which ring of this line of processes, from 1 on: another in each that makes its own, and wiped
	 * to 0 in a child of any kind of fork.
	 */
	const uint32_t *alive;
	uint32_t clock; /* enum vprof_clock_kind; set by vprof_clock_init(), constant from then on */
	/* Why calls do not take the quick way, enum vprof_slow_way; 0: they do. Writers: start, housekeeping. */
	uint32_t slow;
};

/* A bit each. */
enum vprof_slow_way {
	VPROF_SLOW_CLOCK = 1, /* the clock is no counter, or not chosen yet */
	VPROF_SLOW_LIMIT = 2, /* launches are limited in number: launches.c */
	VPROF_SLOW_GPU = 4,   /* what is put onto a stream may get stamps: shim/eager.h */
};

extern struct vprof_state vprof_state HIDDEN;

/* The guard of a wrapper is written in assembly. */
_Static_assert(offsetof(struct vprof_state, control) == 0, "the guard loads the first word");

#endif
