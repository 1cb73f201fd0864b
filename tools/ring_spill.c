/*
 * ring_spill.c - the chunks that files beside a ring have kept, among its own.
 *
 * The files are looked at after the ring, so that a chunk which is overwritten in between is in one
 * of the two.
 */
#include <errno.h>
#include "tools/ring_inner.h"
#include "tools/spill.h"

struct adding {
	struct ring *ring;
	uint32_t room;
};

static int add_chunk(void *context, const struct vprof_chunk_header *head, uint32_t frame, uint32_t place)
{
	struct adding *adding = context;

	if (!head->base || !ring_head_sound(adding->ring, head)) {
		adding->ring->bad_chunks++;
		return 0;
	}
	return ring_index_add(adding->ring, &adding->room, head, RING_NOWHERE, frame, place);
}

int ring_read_spill(struct ring *ring)
{
	struct adding adding = { .ring = ring, .room = ring->chunk_count };
	int error;

	if (!ring->spill)
		ring->spill = spill_open(&ring->header, ring->path);
	if (!ring->spill)
		return -ENOMEM;
	error = spill_update(ring->spill, add_chunk, &adding);
	ring_index_finish(ring);
	return error;
}
