/*
 * gpu_busy_inner.h - what the parts of gpu_busy.h share: pieces of work.
 *
 * They are given in any order. One that goes on where the last one ended, as those of a queue do, becomes a part of it.
 */
#ifndef VPROF_TOOLS_GPU_BUSY_INNER_H
#define VPROF_TOOLS_GPU_BUSY_INNER_H

#include "tools/gpu_busy.h"

struct gpu_busy_piece {
	uint64_t begin, end;
	uint32_t copy, seen;   /* it is a copy or set; it was measured */
	uint32_t off;          /* no work at all: nothing was recorded then */
};

/* What lies before the first bin is left out. 0 or -ENOMEM. */
int gpu_busy_add(const struct gpu_busy_list *busy, struct gpu_busy *device, struct gpu_busy_piece piece);

/* After all of them: the bins' times, and what lies behind the last. */
void gpu_busy_cover(const struct gpu_busy_list *busy, struct gpu_busy *device);

#endif
