/*
 * gpu_event.h - one measured piece of work of a GPU.
 */
#ifndef VPROF_TOOLS_GPU_EVENT_H
#define VPROF_TOOLS_GPU_EVENT_H

#include <stdint.h>

struct gpu_event {
	/* GPU_GRAPH: all of a launch, whose nodes may be there as well. GPU_OTHER: a node that is none of these. */
	enum { GPU_KERNEL, GPU_COPY, GPU_SET, GPU_GRAPH, GPU_OTHER } kind;
	uint64_t begin_ns, end_ns;      /* host time (CLOCK_REALTIME, as the other events), corrected */
	uint32_t raw_ns;                /* as measured, */
	int64_t correction_ns;          /* and what was taken off; below 0: added */
	int device;
	uint64_t context, stream;
	uint32_t stream_number;         /* 0: a default stream */
	uint64_t correlation;           /* of the launch's record, as the host's events have it; 0: not known */
	uint32_t object;                /* definition: kernel, graph */
	unsigned int part, parts;       /* of a whole: its nodes that were timed are part 1, 2, ... of so many;
	                                   0 of 0: all */
	uint32_t graph, node;           /* definition of the executable graph, index of its node; graph 0: none */
	uint32_t grid[3];
	uint16_t block[3];
	uint32_t shared;
	uint64_t bytes;
	int copy_kind;                  /* enum vprof_copy */
	unsigned int estimated;         /* not measured: drawn only when asked for */
	unsigned int class;             /* enum vprof_stamp_class */
	unsigned int unfinished;        /* was at work when the process was last heard of: end_ns is not known */
	unsigned int overlapped;        /* ran beside another node of the same replay */
	uint64_t launch_ns, thread;     /* when the host launched it, and the serial of the thread that did */
};

#endif
