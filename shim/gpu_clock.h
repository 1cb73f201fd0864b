/*
 * gpu_clock.h - what stamps cost on a GPU, and its clock.
 */
#ifndef VPROF_SHIM_GPU_CLOCK_H
#define VPROF_SHIM_GPU_CLOCK_H

#include "preload/compiler.h"
#include "shim/gpu.h"

/*
 * ns that a kernel takes beside the time from its first instruction to its last, as CUPTI has it on an
 * H200. Of other GPUs it is not known; it is a part of each kernel's time, not of what stamps cost.
 */
enum { VPROF_OWN_NS = 690 };

/* Measures what they cost, or why there are none, and defines it. Our thread, once for a state. */
void vprof_gpu_measure(struct vprof_gpu *gpu) HIDDEN COLD;

/* The median of so many, at least one, without VPROF_OWN_NS, and half the spread of their middle half. Sorts them. */
void vprof_gpu_cost(int64_t *costs, uint32_t count, uint32_t *ns, uint32_t *error_ns) HIDDEN COLD;

/* Reads its clock and ours. Our thread. */
void vprof_gpu_tie(struct vprof_gpu *gpu) HIDDEN COLD;

/* Writes into the ring what has been read. Housekeeping. */
void vprof_gpu_ties_tell(void) HIDDEN;

/* A new ring. */
void vprof_gpu_ties_forget(void) HIDDEN;

#endif
