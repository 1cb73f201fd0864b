/*
 * spill.h - keeping everything: chunks that threads have left go to files (vprof/spill.h).
 */
#ifndef VPROF_PRELOAD_SPILL_H
#define VPROF_PRELOAD_SPILL_H

#include <stdint.h>
#include "preload/compiler.h"

/*
 * From now on keep everything, or no longer. With signals blocked; starts the thread when it is first
 * wanted. 0 or a negative errno.
 */
int vprof_spill_set(int on) HIDDEN;

/* Is everything kept now? */
int vprof_spill_is_on(void) HIDDEN;

/* A new ring begins, maybe in a forked child, which has no thread of its parent's. */
void vprof_spill_reset(void) HIDDEN;

/* Says on stderr what has gone wrong since; the spill's own thread cannot. From housekeeping. */
void vprof_spill_tell(void) HIDDEN;

/* The process ends: waits for the frame that is being written, but not for long. */
void vprof_spill_close(void) HIDDEN;

#endif
