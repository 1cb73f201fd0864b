/*
 * memory_track.h - memory in use while a trace goes on, for counters over time.
 *
 * What is held at the end is known, and what each record changed; so the sums at the beginning of
 * the window are those at the end less all changes since. From there the merge counts forward,
 * and gives out an event of kind EVENT_KIND_MEMORY behind each call that changed something:
 *
 *	slot.object: the place    slot.words: bytes of each series, then of all
 *
 * A call counts at its start: in that order the events come.
 */
#ifndef VPROF_TOOLS_MEMORY_TRACK_H
#define VPROF_TOOLS_MEMORY_TRACK_H

#include "tools/events.h"
#include "tools/memory.h"

/* Of one process. */
struct memory_track {
	struct memory_use use;   /* at the beginning of the window; then where the merge is */
	int used;                /* 0: it never held any, or its ring does not say */
};

/* Reads the rings that need it, and sets trace->memory. 0 or a negative errno. */
int memory_tracks_open(struct trace *trace);
void memory_tracks_close(struct trace *trace);

/* Counts an event, and makes the one that says the new sums. 0: it changed nothing. */
int memory_track_step(const struct trace *trace, const struct event *event, struct event *sums);

/* Sums of a place as such an event has them, at the time `ns`. */
void memory_track_sums(const struct memory_track *track, uint32_t place, uint64_t ns, struct event *sums);

#endif
