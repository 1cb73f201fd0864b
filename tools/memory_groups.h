/*
 * memory_groups.h - what is held at a moment, by call, thread and range.
 */
#ifndef VPROF_TOOLS_MEMORY_GROUPS_H
#define VPROF_TOOLS_MEMORY_GROUPS_H

#include "tools/memory_past.h"

struct memory_group {
	uint32_t place, kind, call;
	uint64_t thread;           /* serial; 0: not known */
	uint64_t range;            /* definition; 0: none */
	uint64_t count, bytes;
	uint64_t oldest;           /* ticks; 0: before all that is known */
	uint64_t address;          /* of the oldest */
};

struct memory_groups {
	struct memory_group *list; /* most bytes first */
	size_t count;
	struct memory_use use;
};

/* `each`: a group for each piece. `all`: reserved addresses and mappings too. 0 or -ENOMEM. */
int memory_groups_make(struct memory_groups *groups, const struct memory_past *past, uint64_t ticks, int each,
		       int all);
void memory_groups_free(struct memory_groups *groups);

#endif
