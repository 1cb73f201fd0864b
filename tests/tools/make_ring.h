/*
 * make_ring.h - writes whole rings by the contract alone, without the library.
 *
 * The ring is what a process would leave whose lanes all record at the same pace: at
 * position p of lane l stands the call of time start + (p * lanes + l) * step. Every
 * byte follows from the options, so two runs give the same file, and a test can
 * compute what it must read.
 */
#ifndef TESTS_TOOLS_MAKE_RING_H
#define TESTS_TOOLS_MAKE_RING_H

#include <stdint.h>
#include "vprof/ring.h"

struct make_ring {
	uint64_t chunks;        /* room in the file, at least one a lane */
	uint64_t lanes;
	uint64_t records;       /* slots used in each lane; beyond the room the oldest are gone */
	uint64_t kernels;       /* names */
	uint64_t nodes;         /* of the graph, kernels in a row */
	uint64_t in_flight;     /* so many lanes end in a call that has not returned */
	uint64_t held;          /* entries of memory that is held; 0: no table, and records do not say what they took */
	uint64_t ranges;        /* each so many records the next is one of a range, mark or counter; 0: none */
	uint64_t torn;          /* so many lanes end in a reserved slot that is not published */
	uint64_t switch_every;  /* a new thread takes the lane at each such position; 0: never */
	uint64_t loss;          /* each loss counter i holds loss + i; 0: none */
	uint64_t step_ns;       /* between calls of the whole process */
	uint64_t anchors;
	uint64_t hz;
	uint64_t pid;
	uint64_t start_ns;      /* CLOCK_MONOTONIC at start_ticks */
	uint64_t realtime_ns;   /* CLOCK_REALTIME then */
	uint64_t defs_size;     /* 0: what the names need */
	uint64_t clock;         /* enum vprof_clock_kind */
	int closed;             /* ended by exit() */
	const char *boot_id, *host, *command, *link;
};

/* Sensible values: 2 lanes, 600 records each, nothing lost. */
extern const struct make_ring make_ring_default;

enum { MAKE_RING_START_TICKS = 1000000 };

/* Ticks of the call at position `at` of `lane`, and how long it takes. */
uint64_t make_ring_ticks(const struct make_ring *o, uint64_t lane, uint64_t at);
uint64_t make_ring_length(const struct make_ring *o, uint64_t lane, uint64_t at);

/* The whole slot but seq, as it stands there when it is done. */
void make_ring_slot(const struct make_ring *o, uint64_t lane, uint64_t at, struct vprof_slot *slot);

/* Writes the file to `fd` from offset 0. 0 or a negative errno. */
int make_ring_write(const struct make_ring *o, int fd);

#endif
