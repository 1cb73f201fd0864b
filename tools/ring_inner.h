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

/* Has definition `id` been made, or become READY, since the definitions were read? */
int ring_def_is_newer(const struct ring *ring, uint32_t id);

/* Bytes of the region that lie within the file. */
static inline uint64_t ring_region(const struct ring *ring, uint64_t offset, uint64_t size)
{
	uint64_t room = offset < ring->size ? ring->size - offset : 0;

	return size < room ? size : room;
}

#endif
