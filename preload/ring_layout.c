/*
 * ring_layout.c - how large a ring is, and what lies where in it.
 *
 * The size is the user's, cut to the program's own limits, of which a ring takes its share. All else follows
 * from the size: tables take their shares of it, and chunks have the rest. Readers go by the header (ring.h),
 * and so by none of the shares.
 */
#include <errno.h>
#include <sys/resource.h>
#include "preload/config.h"
#include "preload/inner.h"
#include "preload/process.h"

enum {
	MIB = 1 << 20,
	LARGEST_MB = 65536,
	ADDRESS_SHARE = 16,   /* of an address space that is limited: at most one part in so many */
	DEFS_SHARE = 16,       /* of the file are definitions: one part in so many, */
	DEFS_ENOUGH = 4 << 20, /* in a small file up to so many bytes, */
	DEFS_SHARE_MOST = 4,   /* but never more than one part in so many */
	HOLDINGS_SHARE = 32,  /* of the file: one part in so many, */
	HOLDINGS_MOST = 65536, /* but no more entries than that */
};

int64_t vprof_ring_size(void)
{
	uint64_t mb = vprof_config.ring_mb, size;
	struct rlimit limit;

	if (mb < 1 || mb > LARGEST_MB) {
		vprof_log("VPROF_RING_MB is not between 1 and %d; 64 holds", LARGEST_MB);
		mb = 64;
	}
	size = mb * MIB;
	/* Past this limit the kernel would send SIGXFSZ. */
	if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur < size)
		size = limit.rlim_cur;
	if (size < MIB)
		return -EFBIG;
	/* The program counts on the rest of it. */
	if (!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur / ADDRESS_SHARE < size)
		size = limit.rlim_cur / ADDRESS_SHARE;
	size -= size % VPROF_CHUNK_SIZE;
	return size < MIB ? -ENOMEM : (int64_t)size;
}

/* A power of two, for the table's hash. */
static uint32_t holdings_of(uint64_t size)
{
	uint64_t most = size / HOLDINGS_SHARE / sizeof(struct vprof_holding);
	uint32_t entries = HOLDINGS_MOST;

	while (entries > most)
		entries /= 2;
	return entries;
}

/*
 * What a program is made of does not shrink with the ring: an LLM server has 1 MiB of kernels, graphs
 * and events, and a small ring that spills is still to have the names of all.
 */
static uint64_t defs_of(uint64_t size)
{
	uint64_t share = size / DEFS_SHARE, least = size / DEFS_SHARE_MOST;

	if (least > DEFS_ENOUGH)
		least = DEFS_ENOUGH;
	return share > least ? share : least;
}

void vprof_ring_lay_out(struct vprof_ring_header *h, uint64_t size)
{
	uint64_t chunks, holdings;

	h->file_size = size;
	h->header_size = sizeof(*h);
	h->slot_size = VPROF_SLOT_SIZE;
	h->chunk_size = VPROF_CHUNK_SIZE;
	h->lane_size = sizeof(struct vprof_lane);
	h->lanes_offset = VPROF_LANES_OFFSET;
	h->defs_size = defs_of(size);
	h->holding_size = sizeof(struct vprof_holding);
	h->holding_count = holdings_of(size);
	holdings = (uint64_t)h->holding_count * h->holding_size;
	/* A lane holds a chunk, so there are never more lanes than chunks. */
	chunks = (size - VPROF_LANES_OFFSET - h->defs_size - holdings) / (VPROF_CHUNK_SIZE + sizeof(struct vprof_lane));
	h->lane_count = (uint32_t)chunks;
	h->defs_offset = h->lanes_offset + chunks * sizeof(struct vprof_lane);
	h->holdings_offset = (h->defs_offset + h->defs_size + sizeof(struct vprof_holding) - 1) &
			     ~(sizeof(struct vprof_holding) - 1ull);
	h->chunks_offset = (h->holdings_offset + holdings + VPROF_PAGE_SIZE - 1) & ~(VPROF_PAGE_SIZE - 1ull);
	h->chunk_count = (uint32_t)((size - h->chunks_offset) / VPROF_CHUNK_SIZE);
	h->anchor_count = VPROF_ANCHORS;
}
