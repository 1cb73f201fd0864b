/*
 * thread.c - beginning a thread of ours in somebody else's process.
 */
#include <errno.h>
#include <pthread.h>
#include "preload/libc.h"
#include "preload/thread.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1u << 1)
#endif

static int begin(void *(*run)(void *), size_t stack)
{
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (stack)
		vprof_old_pthread_attr_setstacksize(&attr, stack);
	error = vprof_old_pthread_create(&thread, &attr, run, NULL);
	pthread_attr_destroy(&attr);
	return error;
}

int vprof_thread_start(void *(*run)(void *), size_t stack)
{
	int error;

	/* Weak: absent from a process without threads on an old libc. */
	if (!vprof_old_pthread_create || !vprof_old_pthread_attr_setstacksize)
		return -ENOSYS;
	error = begin(run, stack);
	/* A stack holds the thread variables of all objects too, and ours may be too small for them. */
	if (error == EINVAL && stack)
		error = begin(run, 0);
	return -error;
}

void vprof_thread_own_files(void)
{
	syscall(SYS_close_range, 0u, ~0u, CLOSE_RANGE_UNSHARE);
}
