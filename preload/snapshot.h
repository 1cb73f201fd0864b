/*
 * snapshot.h - a copy of our own ring as it is at one moment, in a file beside it.
 *
 * Private to preload/, housekeeping only. See vprof/cut.h for what the copy shows.
 */
#ifndef VPROF_PRELOAD_SNAPSHOT_H
#define VPROF_PRELOAD_SNAPSHOT_H

#include "preload/compiler.h"

/*
 * Begins to write HOST.PID.START.snap-N.ring into the output folder, with the first N from `number` on that is
 * free, in a thread of its own. 0 or a negative errno.
 */
int vprof_snapshot_start(unsigned number) HIDDEN;

/*
 * 0: it goes on, or there was none; else, once, what became of the last one: N, or a negative errno, and
 * then no file is left.
 */
int vprof_snapshot_result(void) HIDDEN;

/* There is none: a new ring begins, maybe in a forked child, which has no thread of its parent's. */
void vprof_snapshot_reset(void) HIDDEN;

/*
 * The two halves of the work, snapshot_put.c: the moment and the lanes, then all of the copy into a file.
 * 0 or a negative errno.
 */
int vprof_snapshot_take(void) HIDDEN;
int vprof_snapshot_put(int fd) HIDDEN;

#endif
