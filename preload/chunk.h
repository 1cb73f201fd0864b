/*
 * chunk.h - the chunks of a ring, for the lanes (lane.c).
 *
 * Called by a lane's own thread, which is `busy` meanwhile: no handler that comes in between records.
 */
#ifndef VPROF_PRELOAD_CHUNK_H
#define VPROF_PRELOAD_CHUNK_H

#include "preload/record.h"

/* How many records lie in it. */
static inline uint32_t vprof_chunk_filled(const struct vprof_chunk *chunk)
{
	uint32_t used = chunk->head.used;

	return (used < VPROF_CHUNK_SLOTS ? used : VPROF_CHUNK_SLOTS) - 1;
}

/*
 * A thread's name: 16 bytes that its thread copies while housekeeping may replace
 * them; in two atomic halves, so that the worst is a name half old and half new.
 */
static inline void vprof_comm_copy(char *to, const char *from)
{
	for (int i = 0; i < 2; i++) {
		uint64_t half = __atomic_load_n((const uint64_t *)(const void *)from + i, __ATOMIC_RELAXED);

		__atomic_store_n((uint64_t *)(void *)to + i, half, __ATOMIC_RELAXED);
	}
}

/*
 * The thread goes on in `chunk` where that was left. A handler that comes in between finds no chunk,
 * and then that we are busy.
 */
void vprof_cursor_set(struct vprof_chunk *chunk) HIDDEN;

/* The thread leaves its chunk, whose header then says exactly how far it came. */
struct vprof_chunk *vprof_cursor_leave(void) HIDDEN;

/* The lane goes on in a new chunk; without a free one, over its own past. 0 or -1, counted. */
int vprof_chunk_next(struct vprof_lane *lane, struct vprof_chunk *old) HIDDEN;

#endif
