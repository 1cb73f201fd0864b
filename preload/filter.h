/*
 * filter.h - VPROF_PROCS and VPROF_THREADS: who is recorded at all.
 */
#ifndef VPROF_PRELOAD_FILTER_H
#define VPROF_PRELOAD_FILTER_H

#include <stdint.h>
#include "preload/compiler.h"
#include "preload/process.h"

/* Is this process one of VPROF_PROCS? Asked when its ring would be made, by the one thread that makes it. */
int vprof_process_is_chosen(void) HIDDEN COLD;

/* Is the calling thread, which has no lane, one of VPROF_THREADS? Keeps errno. */
int vprof_thread_is_chosen(void) HIDDEN COLD;

#endif
