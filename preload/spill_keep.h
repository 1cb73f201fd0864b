/*
 * spill_keep.h - the keeper: which chunks of a ring go to the spill's files, and when.
 *
 * Private to the spill's thread, which has one of these.
 */
#ifndef VPROF_PRELOAD_SPILL_KEEP_H
#define VPROF_PRELOAD_SPILL_KEEP_H

#include "preload/process.h"

struct vprof_keeper;

/* In memory of its own; NULL: there is none. */
struct vprof_keeper *vprof_keeper_open(const struct vprof_map *map) HIDDEN;

/*
 * From here on; what is in the ring already is kept too, as far as that goes. `since_start`: of every lane
 * from its first record on, so that what is missing before is counted as lost.
 */
void vprof_keeper_begin(struct vprof_keeper *k, int since_start) HIDDEN;

/* Finds the chunks that were taken since, and those that their threads have left. */
void vprof_keeper_look(struct vprof_keeper *k) HIDDEN;

/*
 * Writes what would fill a frame or is pressed for; all that is ready, when it is `last`. How many chunks,
 * or a negative errno.
 */
int vprof_keeper_write(struct vprof_keeper *k, int last) HIDDEN;

/* Nothing more will be written: counts what was overwritten before that which the ring still holds of each lane. */
void vprof_keeper_end(struct vprof_keeper *k) HIDDEN;

/* How long to rest when there was nothing to write. */
uint64_t vprof_keeper_round_us(const struct vprof_keeper *k) HIDDEN;

#endif
