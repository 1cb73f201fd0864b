/*
 * occupancy.h - how many blocks of a kernel fit on one multiprocessor at a time.
 *
 * By the rules of NVIDIA's occupancy calculator, for compute capability 5.0 and up: registers are
 * given out to warps in units of 256, each quarter of the multiprocessor from its own quarter of
 * them; shared memory to blocks, in units of 128 or 256 bytes, the driver's share included. It is
 * taken that the multiprocessor has its largest share of shared memory. Clusters are left out.
 */
#ifndef VPROF_TOOLS_OCCUPANCY_H
#define VPROF_TOOLS_OCCUPANCY_H

#include <stdint.h>
#include "vprof/ring.h"

/* What lets no further block in; of several the first. */
enum occupancy_limit {
	OCCUPANCY_THREADS,
	OCCUPANCY_BLOCKS,
	OCCUPANCY_REGISTERS,
	OCCUPANCY_SHARED,
	OCCUPANCY_LIMITS,
};

struct occupancy {
	uint32_t blocks;                   /* on one multiprocessor; 0: the kernel cannot run so */
	uint32_t warps;                    /* of those blocks */
	uint32_t warps_most;               /* that the multiprocessor can hold */
	double percent;                    /* of warps_most */
	uint32_t fit[OCCUPANCY_LIMITS];    /* blocks that each resource alone would let in; UINT32_MAX: any */
	enum occupancy_limit limit;
};

/*
 * Blocks of `threads` with `shared` bytes of dynamic shared memory. 0, or -EINVAL when the
 * definitions do not tell what is needed or there are no threads.
 */
int occupancy_find(struct occupancy *result, const struct vprof_def_device *device,
		   const struct vprof_def_facts *facts, uint64_t threads, uint64_t shared);

/*
 * The occupancy that a grid of so many blocks reaches at most when it has the device alone, in
 * percent: a small grid does not fill it.
 */
double occupancy_of_grid(const struct occupancy *occupancy, const struct vprof_def_device *device,
			 uint64_t blocks, uint64_t threads);

/* "registers", "shared memory", ... */
const char *occupancy_limit_name(enum occupancy_limit limit);

#endif
