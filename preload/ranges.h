/*
 * ranges.h - the program's own ranges, marks and counters: what NVTX and vprof.h come down to.
 *
 * Nothing here makes a ring: a process that never calls the driver has none. Ranges that
 * are open when the ring is made are told in it then, and again at the beginning of each
 * chunk, so that what a flight recorder still holds is never without them.
 */
#ifndef VPROF_PRELOAD_RANGES_H
#define VPROF_PRELOAD_RANGES_H

#include "preload/names.h"

/* What the program says of a range, a mark or a counter. */
struct vprof_said {
	struct vprof_name *domain; /* NULL: the default one */
	struct vprof_name *kept;   /* the name when it is registered, else NULL: */
	const char *text;
	size_t length;
	uint64_t payload;
	uint32_t category, color;
	uint16_t flags;            /* VPROF_RANGE_COLOR, VPROF_RANGE_CUT */
	uint8_t payload_type;
	uint8_t unwanted;          /* by VPROF_NVTX: kept track of, not recorded */
};

/* Ranges of the calling thread, a stack for each domain. They return the level, from 0; < 0: not tracked. */
int vprof_range_push(const struct vprof_said *said) HIDDEN;
int vprof_range_pop(const struct vprof_name *domain) HIDDEN;

/* Ranges that may end on another thread. */
uint64_t vprof_range_start(const struct vprof_said *said) HIDDEN;
void vprof_range_end(uint64_t id) HIDDEN;

/* A VPROF_KIND_MARK or VPROF_KIND_COUNTER. */
void vprof_range_moment(enum vprof_kind kind, const struct vprof_said *said) HIDDEN;

#endif
