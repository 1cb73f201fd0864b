/*
 * make_ring_parts.h - what make_ring.c lays out in the file.
 */
#ifndef TESTS_TOOLS_MAKE_RING_PARTS_H
#define TESTS_TOOLS_MAKE_RING_PARTS_H

#include "tests/tools/make_ring.h"

enum { MAKE_RING_PER_CHUNK = VPROF_CHUNK_SLOTS - 1 };

/* Where memory is taken. */
#define MAKE_RING_MEMORY 0x7f0000000000ull

/* Ids of the first kernel, of its successors (all entries of one size), graph and module. */
struct make_ring_ids {
	uint32_t kernel, kernel_step, graph, module;
};

/* The log of definitions; NULL: only its size, and the ids. Returns the offset behind it. */
uint64_t make_ring_defs(const struct make_ring *o, uint8_t *log, struct make_ring_ids *ids);

/* The thread that has the lane at that position. */
uint64_t make_ring_serial(const struct make_ring *o, uint64_t lane, uint64_t at);
uint32_t make_ring_tid(const struct make_ring *o, uint64_t serial);
void make_ring_comm(char comm[16], uint64_t serial);

/* Chunk number `ticket` of the process, which the lanes take in turn. */
void make_ring_chunk(struct vprof_chunk *chunk, const struct make_ring *o, const struct make_ring_ids *ids,
		     uint64_t ticket);

#endif
