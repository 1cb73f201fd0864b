/*
 * thread.h - what the threads of ours have in common.
 */
#ifndef VPROF_PRELOAD_THREAD_H
#define VPROF_PRELOAD_THREAD_H

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "preload/compiler.h"

/*
 * Begins a detached thread: 0 or a negative errno. It inherits the caller's blocked signals, so those are
 * to be blocked. `stack`: bytes, 0 for the usual size; the usual one is taken as well where that is too small.
 */
int vprof_thread_start(void *(*run)(void *), size_t stack) HIDDEN;

/*
 * The calling thread has a table of descriptors of its own from here on, an empty one: a program that
 * closes all of its own closes none of ours.
 */
void vprof_thread_own_files(void) HIDDEN;

#define VPROF_FOREVER UINT64_MAX

/* Until the word is not `value`, somebody wakes, or so many microseconds are over. */
static inline void vprof_futex_wait(uint32_t *word, uint32_t value, uint64_t us)
{
	struct timespec time = { (time_t)(us / 1000000), (long)(us % 1000000) * 1000 };

	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, us == VPROF_FOREVER ? NULL : &time, NULL, 0);
}

static inline void vprof_futex_wake(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

#endif
