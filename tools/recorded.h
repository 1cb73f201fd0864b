/*
 * recorded.h - what the rings of a run hold, in a few numbers.
 */
#ifndef VPROF_TOOLS_RECORDED_H
#define VPROF_TOOLS_RECORDED_H

#include "tools/ring.h"
#include "tools/run_folder.h"

struct recorded {
	uint64_t processes;      /* rings that could be read, */
	uint64_t copies;         /* and copies of them (VPROF_SNAP_ON), which are in no other number */
	uint64_t running;        /* of these, whose process still lives */
	uint64_t unreadable;
	uint64_t records;        /* made in all */
	uint64_t overwritten;    /* of these gone: replaced by later ones */
	uint64_t launches, graph_launches; /* of those that are left */
	uint64_t open;           /* calls that have not returned */
	uint64_t loss[VPROF_LOSS_COUNT];
	uint64_t lost;           /* all of them */
};

/* Reads the run's rings. 0, or a negative errno when the folder cannot be listed. */
int recorded_count(struct recorded *recorded, const struct run_folder *folder);

#endif
