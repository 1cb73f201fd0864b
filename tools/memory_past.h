/*
 * memory_past.h - who held which memory from when to when, as far as a ring still tells.
 *
 * What is held at the end stands in the ring's table, however long ago it was taken. From there
 * the records that are left lead back: a piece that was given back was held before, and one
 * whose record of being taken is there was not held before that. Of a piece whose taking has been
 * overwritten it is not known since when, nor by whom.
 */
#ifndef VPROF_TOOLS_MEMORY_PAST_H
#define VPROF_TOOLS_MEMORY_PAST_H

#include "tools/memory.h"

#define MEMORY_TO_THE_END UINT64_MAX

/* One piece of memory, from when to when it was held. */
struct memory_piece {
	struct vprof_holding held; /* call, thread and range 0 where its taking is not known */
	uint64_t from, to;         /* ticks; from 0: before all that is known */
	int by_context;            /* the end of its context gave it back */
};

/* It was given back and never seen being taken. */
struct memory_stray {
	uint64_t address, ticks, thread;
	uint32_t call, kind;
};

struct memory_past {
	struct memory_piece *pieces;
	size_t count;
	struct memory_stray *strays; /* by time */
	size_t stray_count;
	uint64_t uncertain;    /* pieces that were taken and are gone; when, has been overwritten: left out */
};

/* 0 or a negative errno; to be freed in any case. */
int memory_past_make(struct memory_past *past, const struct ring *ring);
void memory_past_free(struct memory_past *past);

static inline int memory_held_at(const struct memory_piece *piece, uint64_t ticks)
{
	return piece->from <= ticks && ticks < piece->to;
}

#endif
