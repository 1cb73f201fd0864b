/*
 * gpu_estimate.h - what launches of graphs that were not measured are expected to have done.
 *
 * Of the launches of the same graph that were measured each node takes the median of its times and begins when what it
 * waits for is over; where the whole lies in time gpu_queue.h says. None of it was seen: it is drawn when asked for,
 * and marked.
 */
#ifndef VPROF_TOOLS_GPU_ESTIMATE_H
#define VPROF_TOOLS_GPU_ESTIMATE_H

#include "tools/gpu.h"

struct gpu_estimate;

/* `gpu` is to stay. NULL: no memory. */
struct gpu_estimate *gpu_estimate_open(struct gpu *gpu);
void gpu_estimate_close(struct gpu_estimate *estimate);

/* A batch that was measured. 0 or -ENOMEM. */
int gpu_estimate_learn(struct gpu_estimate *estimate, const struct gpu_batch *batch);

/* After all these: the next launch of a graph that was not measured and whose like was. 1, 0 at the end, or a
   negative errno. */
int gpu_estimate_next(struct gpu_estimate *estimate, struct gpu_batch *batch);

#endif
