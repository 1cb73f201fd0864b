/*
 * state.h - what every call reads before anything else.
 *
 * Programs do much between two calls, and each line and each page that a hook touches has to be
 * fetched anew. So nothing here is behind a pointer: the control word is read in the ring's own page,
 * which is mapped into the library (word.c), and all that a child must not take over from its parent
 * lies in one line of a page that the kernel wipes.
 */
#ifndef VPROF_PRELOAD_STATE_H
#define VPROF_PRELOAD_STATE_H

#include <stddef.h>
#include <stdint.h>
#include "preload/compiler.h"
#include "vprof/ring.h"

/* The largest page that a kernel of this processor has, and which byte of the ring comes first in ours. */
#if defined(__x86_64__)
enum { VPROF_GUARD_SIZE = VPROF_PAGE_SIZE, VPROF_GUARD_AT = VPROF_CONTROL_OFFSET };
#else
enum { VPROF_GUARD_SIZE = 65536, VPROF_GUARD_AT = 0 };
#endif

/*
 * Memory of the library that is the ring's once there is one. Before that, and in a child of fork(), its
 * word has the same bits, so that the first call finds its way to vprof_begin_slow(). Read by hooks only;
 * who switches writes through vprof_map.
 */
struct __attribute__((aligned(VPROF_GUARD_SIZE))) vprof_guard {
	char before[VPROF_CONTROL_OFFSET - VPROF_GUARD_AT];
	struct vprof_ring_control control;
};
extern struct vprof_guard vprof_guard HIDDEN;
_Static_assert(sizeof(struct vprof_guard) == VPROF_GUARD_SIZE, "one page, the largest that there is");

/* The real functions of questions that are asked so often that they are kept here; shim/question.h. */
enum { VPROF_NEAR = 4 };

/* All zeroes without a ring, and in a child of any kind of fork until it has one; but for `near` in one of fork(). */
struct __attribute__((aligned(VPROF_GUARD_SIZE))) vprof_state {
	uint32_t life;  /* which ring of this line of processes, from 1 on: another in each that makes its own */
	/* Why calls do not take the quick way, enum vprof_slow_way; 0: they do. Writers: start, housekeeping. */
	uint32_t slow;
	intptr_t cursor; /* where a thread's vprof_cursor lies, from its thread pointer; never 0 once set */
	void *near[VPROF_NEAR];
};

/* A bit each. */
enum vprof_slow_way {
	VPROF_SLOW_CLOCK = 1, /* the clock is no counter */
	VPROF_SLOW_LIMIT = 2, /* launches are limited in number: launches.c */
	VPROF_SLOW_GPU = 4,   /* what is put onto a stream may get stamps: shim/eager.h */
	VPROF_SLOW_SPANS = 8, /* a graph may; for launches of graphs only */
};

extern struct vprof_state vprof_state HIDDEN;

#endif
