/*
 * captures.h - which capture a graph came from.
 */
#ifndef VPROF_SHIM_CAPTURES_H
#define VPROF_SHIM_CAPTURES_H

#include <stdint.h>
#include "preload/compiler.h"
#include "shim/cuda_abi.h"

struct vprof_capture {
	uint64_t ticks;   /* when it ended */
	uint64_t stream;
	uint32_t tid;     /* thread that ended it; 0: not known */
};

/* Makes the table; called with the other tables of handles. */
void vprof_captures_init(void) HIDDEN;

/*
 * A capture has begun, or is about to end: how many there are is counted, for what may not be asked. A stream that is
 * destroyed while it is captured counts for good.
 */
void vprof_capture_begun(void) HIDDEN COLD;
void vprof_capture_ending(void) HIDDEN COLD;

/* Is any stream of the process being captured? */
int vprof_captures_any(void) HIDDEN;

/* The calling thread has ended a capture that gave this graph. */
void vprof_capture_ended(CUgraph graph, CUstream stream) HIDDEN COLD;

/* A clone comes from the same capture. */
void vprof_capture_cloned(CUgraph clone, CUgraph from) HIDDEN COLD;

/* The graph is about to be destroyed: its handle may become another's. */
void vprof_capture_gone(CUgraph graph) HIDDEN;

struct vprof_capture vprof_capture_of(CUgraph graph) HIDDEN COLD;

/* The calling thread, as the system knows it. */
uint32_t vprof_thread_id(void) HIDDEN;

#endif
