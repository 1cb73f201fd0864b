/*
 * gpu_launch.h - the record of a call, by the thread that made it and when.
 *
 * Chunks are indexed by thread and time; a few that were used last stay in memory, so that look-ups
 * near each other in time read each chunk about once.
 *
 * And all launches, copies and sets of a process that a trace shows, with what they are told apart by.
 */
#ifndef VPROF_TOOLS_GPU_LAUNCH_H
#define VPROF_TOOLS_GPU_LAUNCH_H

#include "tools/events.h"
#include "tools/gpu_event.h"

struct gpu_launches;

/* NULL: no memory. */
struct gpu_launches *gpu_launches_open(const struct ring *ring);
void gpu_launches_close(struct gpu_launches *launches);

/* NULL: it is not there any more. Valid until the next call. */
const struct vprof_slot *gpu_launches_find(struct gpu_launches *launches, uint64_t thread, uint64_t t0);

/* Gives `add` each launch, copy and set that succeeded and is shown, in the order of the chunks; `events` has room
   for TRACE_CHUNK_EVENTS. Ends with the first error. */
int gpu_launches_read(struct trace *trace, struct trace_process *process, struct event *events,
		      int (*add)(void *to, const struct event *event), void *to);

/* What launches of a kind are told apart by: kernel or graph, a copy's direction, 0 for sets. */
uint32_t gpu_launch_object(uint16_t kind, uint32_t object);
/* The kind of the launch that a measured piece of work is of, and that object. */
uint16_t gpu_launch_of(const struct gpu_event *event, uint32_t *object);

#endif
