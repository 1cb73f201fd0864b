/*
 * memory_groups.h - pieces of memory by call, thread and range.
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

struct memory_choice {
	uint64_t ticks;            /* what is held then, */
	int by_context;            /* or, when set, what the ends of contexts gave back */
	int each;                  /* a group for each piece */
	int all;                   /* reserved addresses and mappings too */
};

/* 0 or -ENOMEM. */
int memory_groups_make(struct memory_groups *groups, const struct memory_past *past,
		       const struct memory_choice *choice);
void memory_groups_free(struct memory_groups *groups);

#endif
