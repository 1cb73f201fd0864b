/*
 * merge.h - all lanes of all rings as one stream of events in order of time.
 *
 * Each lane is read a chunk at a time, and only once the merge has come to the
 * time at which that chunk was opened; a tournament over the lanes picks the
 * next event. So memory goes with the number of lanes that are in use at one
 * moment of the trace, never with the number of events.
 *
 * ORDER. Events of a chunk come ordered, chunks of a lane one after the other.
 * Where a signal handler's record fell on the other side of a chunk's end, the
 * stream can step back by the length of one call.
 */
#ifndef VPROF_TOOLS_MERGE_H
#define VPROF_TOOLS_MERGE_H

#include "tools/events.h"

struct merge_lane;
struct merge_spare;

struct merge {
	struct trace *trace;
	struct merge_lane *lanes;
	uint32_t lane_count;
	uint32_t lane_bits;        /* of a node's word: which lane */
	uint64_t *tree;            /* tree[0]: the winner; the others: losers of each match */
	struct merge_spare *spares;
	struct event sums;         /* to be given out next, when its thread is set (memory_track.h) */
	uint64_t chunks_done, chunks; /* for progress */
};

int merge_open(struct merge *merge, struct trace *trace);
void merge_close(struct merge *merge);

/* Writes up to `max` next events; returns their number, 0 at the end, or -ENOMEM. */
int merge_next(struct merge *merge, struct event *events, int max);

#endif
