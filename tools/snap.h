/*
 * snap.h - copies of rings as they all are at one moment, while their processes go on.
 *
 * One moment of CLOCK_MONOTONIC holds for all rings, each of which turns it into its own ticks. The
 * copies are rings themselves (vprof/cut.h says what they show) and keep their names. Nothing is asked
 * of the processes, so a dead or a stopped one is copied as any other.
 */
#ifndef VPROF_TOOLS_SNAP_H
#define VPROF_TOOLS_SNAP_H

#include <stddef.h>
#include <stdint.h>
#include "tools/inputs.h"

struct snap_options {
	const char *folder;   /* NULL: snap-YYYYMMDD-HHMMSS[.N] in */
	const char *parent;   /* this folder; NULL: here */
	uint64_t last_ns;     /* only what is younger than that; 0: all */
};

struct snap_result {
	char folder[4096];    /* that was made, or taken; empty: none */
	uint64_t cut_ns;      /* the moment, CLOCK_MONOTONIC, */
	uint64_t cut_realtime_ns;
	uint64_t took_ns;     /* from the moment until the last copy was there */
	uint64_t bytes;       /* written */
	uint64_t records, in_flight;
	uint64_t lost;        /* chunks that were overwritten while they were copied */
	size_t rings;         /* copies */
	size_t skipped;       /* rings of which there was nothing to copy */
	size_t failed;        /* rings that could not be: a message each */
	size_t spilled;       /* of `rings`: those that have files with more beside them, which are not copied */
};

/*
 * Copies the rings that inputs_collect() or targets_collect() found; opens them. What a ring has spilled
 * (vprof/spill.h) is in files already, and not copied. Messages go to stderr as "PROGRAM: PATH: reason". 0 when there
 * is at least one copy, else a negative errno; no folder is left then that was made here.
 */
int snap_take(struct inputs *inputs, const struct snap_options *options, struct snap_result *result);

/* What became of one ring. */
struct snap_copy {
	uint64_t bytes, records, in_flight, lost;
	uint32_t chunks;
};

/*
 * Copies one ring into `folder_fd`/`name`, as it was at `cut_ns`: 0 or a negative errno, and then no
 * file is left. `input` is open, as far as the header; all but the spill is read. -ENODATA: it has nothing of what was
 * asked for, and its process is gone.
 */
int snap_copy_ring(struct input *input, int folder_fd, const char *name, uint64_t cut_ns, uint64_t last_ns,
		   struct snap_copy *copy);

#endif
