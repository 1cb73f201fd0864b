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

/* A thread that is not, and how often it may come before its name is looked at again. */
struct vprof_passed {
	uint32_t life;  /* what *vprof_state.alive was then; 0: it has not been looked at */
	uint32_t calls; /* that are left until then */
	uint32_t pause; /* how many they were */
};
extern __thread struct vprof_passed vprof_passed HIDDEN TLS_INITIAL_EXEC;

/* Is it known that the calling thread is none of them? A few instructions. */
static inline int vprof_thread_is_passed(void)
{
	struct vprof_passed *passed = &vprof_passed;

	if (likely(!passed->life) || passed->life != vprof_is_alive() || !passed->calls)
		return 0;
	passed->calls--;
	return 1;
}

#endif
