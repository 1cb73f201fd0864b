/*
 * threads.h - the threads of a trace's processes (inner part of events.h).
 *
 * A thread's name reaches us several times: in the record with which it took
 * over a lane, in each chunk that it took, and in the lane table, where the
 * process kept it fresh. A rank says which is the newest.
 */
#ifndef VPROF_TOOLS_THREADS_H
#define VPROF_TOOLS_THREADS_H

#include "tools/events.h"

#define THREAD_RANK_OWNER 1ull        /* the record of a takeover */
#define THREAD_RANK_CHUNK 2ull        /* + the chunk's base */
#define THREAD_RANK_LANE  UINT64_MAX  /* the lane table */

/* Finds the thread, or adds it, and takes `comm` (up to 16 bytes) for its name if that is newer. NULL: no memory. */
struct trace_thread *process_thread(struct trace *trace, struct trace_process *process,
				    uint64_t serial, uint32_t tid, const char *comm, uint64_t rank);

/* Adds all threads that the lane table and the chunk headers name. */
int process_find_threads(struct trace *trace, struct trace_process *process);

void process_free_threads(struct trace_process *process);

/* A pid or tid beyond those that Linux gives out. */
uint32_t trace_invent_id(struct trace *trace);

#endif
