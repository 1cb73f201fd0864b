/*
 * ranges.h - the program's own ranges: their names, and which of them a record was made in.
 *
 * A range is in a ring once, or several times: it is told again at the beginning of each chunk,
 * and of what the ring still holds the first telling counts. Its end stands in that telling, or,
 * when the range was longer than the ring, in a later one of the same id. So ranges that have no end
 * where they begin are held, in a stack for each thread, until it comes by, and become events
 * then: such an event comes later in the stream than its start.
 *
 * MEMORY. A stack of 64 for each thread with ranges, and each distinct name once.
 */
#ifndef VPROF_TOOLS_RANGES_H
#define VPROF_TOOLS_RANGES_H

#include "tools/idmap.h"
#include "tools/ring.h"

/* A name, and the same as the inside of a JSON string, padded for put_padded(). Stays until trace_close(). */
struct range_name {
	char *text;
	char *json;
	uint32_t json_size;
};

/* What a process has named: names by definition and by text, categories, threads and streams. */
struct range_names {
	struct range_name **list;
	uint32_t count, room;
	struct idmap by_def, by_hash;  /* -> index in list */
	struct idmap categories;       /* domain << 32 | category -> definition */
	struct idmap threads, streams; /* tid, handle -> index in list of the newest label */
};

int range_names_open(struct range_names *names, const struct ring *ring);
void range_names_close(struct range_names *names);

/* The program's own name for a thread or stream; NULL: it has none. */
static inline const struct range_name *range_label(const struct range_names *names, const struct idmap *labels,
						   uint64_t handle)
{
	uint32_t index = idmap_get(labels, handle);

	return index == IDMAP_NONE ? NULL : names->list[index];
}

/* The name of the record slot[i], from its definition or the TEXT records behind it. NULL: no memory. */
const struct range_name *range_name_of(struct range_names *names, const struct ring *ring,
				       const struct vprof_chunk *chunk, uint32_t i);

/* The same as text, cut to `size`: where names are not kept. */
void range_text(const struct ring *ring, const struct vprof_chunk *chunk, uint32_t i, char *text, size_t size);

/* A range of a thread that the reading has come into. */
struct open_range {
	uint64_t id;             /* ticks at which it began */
	uint64_t end;            /* ticks; 0: not known yet */
	uint64_t seen;           /* base of the last chunk that told of it */
	const struct range_name *name;
	struct vprof_slot slot;  /* of the first telling */
};

enum { RANGE_DEPTH = 64 };

struct range_stack {
	uint32_t depth;
	struct open_range open[RANGE_DEPTH];
};

/* Is it a record of what the program said, and not of a call? */
static inline int slot_is_said(const struct vprof_slot *slot)
{
	return slot->kind >= VPROF_KIND_RANGE && slot->kind <= VPROF_KIND_RANGE_END;
}

/* A range that has a thread's stack. */
static inline int slot_is_stacked(const struct vprof_slot *slot)
{
	return slot->kind == VPROF_KIND_RANGE && !(slot->range.flags & VPROF_RANGE_PROCESS);
}

#endif
