/*
 * eager_stamps.h - inside eager*.c: what is put around an operation, by the thread that has its track.
 *
 * What makes calls to the driver stands between vprof_ask_begin() and its end.
 */
#ifndef VPROF_SHIM_EAGER_STAMPS_H
#define VPROF_SHIM_EAGER_STAMPS_H

#include "shim/eager.h"

/* Before an operation. */
CUresult vprof_eager_put_stamp(const struct vprof_track *track, const uint64_t *where) HIDDEN COLD;

/* Behind one. */
CUresult vprof_eager_put_behind(const struct vprof_track *track, const uint64_t *where, int early) HIDDEN COLD;

/* Opens when the track's word has come to its number. The stamp behind it is the operation's begin. */
CUresult vprof_eager_put_gate(struct vprof_track *track, const uint64_t *where) HIDDEN COLD;
void vprof_eager_open_gate(const struct vprof_track *track) HIDDEN COLD;

int vprof_eager_is_made(const uint64_t *stamp) HIDDEN COLD;

/* Are so many slots free? */
int vprof_eager_has_room(const struct vprof_track *track, uint32_t count) HIDDEN COLD;
void vprof_eager_clear(const struct vprof_track *track, uint32_t number) HIDDEN COLD;

/* Is what lies between its stamps its time? They have been queued. */
int vprof_eager_holds(struct vprof_track *track, const struct vprof_eager_op *op, uint32_t type) HIDDEN COLD;

/* Behind an operation that has been put and is told, if it is time for one: a gauge. Makes calls, by itself. */
void vprof_eager_gauge(struct vprof_track *track, const struct vprof_eager_op *behind) HIDDEN COLD;

#endif
