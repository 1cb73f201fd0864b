/*
 * tell.h - writing a record of what the program said (inner part of the ranges).
 */
#ifndef VPROF_PRELOAD_TELL_H
#define VPROF_PRELOAD_TELL_H

#include "preload/ranges.h"
#include "preload/record.h"

enum {
	VPROF_TEXT_SIZE = sizeof(((struct vprof_slot *)0)->text),
	VPROF_AGAIN_TEXTS = 2, /* TEXT records of a range that is told again: all must fit into a chunk */
};

/* The definition of what is said, 0: it goes with the record. `now`: define it though it is new. */
uint32_t vprof_said_text(const struct vprof_said *said, int now) HIDDEN;

/* Publishes a record; one of a range is open. slot is NULL when there is no room. */
struct vprof_record vprof_tell(enum vprof_kind kind, const struct vprof_said *said, uint32_t text, uint64_t id) HIDDEN;

/* The same for a range between two chunks, where vprof_begin() is busy: in the thread's chunk or not at all. */
struct vprof_record vprof_tell_again(const struct vprof_said *said, uint32_t text, uint64_t id) HIDDEN;

/* A mark of housekeeping's own, whatever is recorded. */
void vprof_tell_mark(const struct vprof_said *said) HIDDEN;

#endif
