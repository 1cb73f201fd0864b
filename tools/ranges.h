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

struct range_list {
	struct range_name **names;
	uint32_t count;
};

/*
 * What a process has named. Those of ranges are learnt as chunks are loaded; the others are there
 * from the start and stay where they are, for they are looked up by whoever writes events meanwhile.
 */
struct range_names {
	struct range_list said, fixed;
	struct idmap by_def, by_hash;  /* definition, text -> index in said */
	struct idmap domains, categories; /* definition, domain << 32 | category -> index in fixed */
	struct idmap threads, streams; /* tid, handle -> index in fixed of the newest label */
};

int range_names_open(struct range_names *names, const struct ring *ring);
void range_names_close(struct range_names *names);

/* The program's own name for a domain, category, thread or stream; NULL: it has none. */
static inline const struct range_name *range_label(const struct range_names *names, const struct idmap *labels,
						   uint64_t key)
{
	uint32_t index = idmap_get(labels, key);

	return index == IDMAP_NONE ? NULL : names->fixed.names[index];
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
