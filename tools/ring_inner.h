/*
 * ring_inner.h - what the files that make up the ring reader (ring*.c) share.
 */
#ifndef VPROF_TOOLS_RING_INNER_H
#define VPROF_TOOLS_RING_INNER_H

#include <sys/types.h>
#include "tools/ring.h"

/* Reads until `size` bytes are there or the file ends. Bytes read or a negative errno. */
ssize_t ring_pread(int fd, void *buffer, size_t size, uint64_t offset);

/* Each reads one part of the file into the ring, freeing what was there. 0 or a negative errno. */
int ring_read_defs(struct ring *ring);
int ring_read_index(struct ring *ring);
int ring_read_holdings(struct ring *ring);
int ring_read_spill(struct ring *ring); /* after the index */

/* Could a chunk of this ring have this header? */
int ring_head_sound(const struct ring *ring, const struct vprof_chunk_header *head);

/* Adds a chunk to the index, which ring_index_finish() then puts in order. 0 or -ENOMEM. */
int ring_index_add(struct ring *ring, uint32_t *room, const struct vprof_chunk_header *head, uint32_t index,
		   uint32_t frame, uint32_t place);

/* By lane and position, each chunk once. */
void ring_index_finish(struct ring *ring);

/* Has definition `id` been made, or become READY, since the definitions were read? */
int ring_def_is_newer(const struct ring *ring, uint32_t id);

/* Bytes of the region that lie within the file. */
static inline uint64_t ring_region(const struct ring *ring, uint64_t offset, uint64_t size)
{
	uint64_t room = offset < ring->size ? ring->size - offset : 0;

	return size < room ? size : room;
}

#endif
