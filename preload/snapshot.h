/*
 * snapshot.h - a copy of our own ring as it is at one moment, in a file beside it.
 *
 * Private to preload/, housekeeping only. See vprof/cut.h for what the copy shows.
 */
#ifndef VPROF_PRELOAD_SNAPSHOT_H
#define VPROF_PRELOAD_SNAPSHOT_H

#include "preload/compiler.h"

/*
 * Writes HOST.PID.START.snap-N.ring into the output folder, with the first N from `number` on that is free.
 * Returns N, or a negative errno, and then no file is left. Between the pieces it does what
 * housekeeping has to do.
 */
int vprof_snapshot(unsigned number) HIDDEN;

#endif
