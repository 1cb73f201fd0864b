/*
 * gpu_launch.h - the record of a call, by the thread that made it and when.
 *
 * Chunks are indexed by thread and time; a few that were used last stay in memory, so that look-ups
 * near each other in time read each chunk about once.
 */
#ifndef VPROF_TOOLS_GPU_LAUNCH_H
#define VPROF_TOOLS_GPU_LAUNCH_H

#include "tools/ring.h"

struct gpu_launches;

/* NULL: no memory. */
struct gpu_launches *gpu_launches_open(const struct ring *ring);
void gpu_launches_close(struct gpu_launches *launches);

/* NULL: it is not there any more. Valid until the next call. */
const struct vprof_slot *gpu_launches_find(struct gpu_launches *launches, uint64_t thread, uint64_t t0);

#endif
