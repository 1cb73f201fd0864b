/*
 * world.c - a preload that makes the time of day jump to and fro by hours (WORLD=clock), or has no
 * room for another thread (WORLD=threads).
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *now)
{
	static int turn;
	const char *world = getenv("WORLD");
	long rc = syscall(SYS_clock_gettime, id, now);

	if (!rc && id == CLOCK_REALTIME && world && !strcmp(world, "clock"))
		now->tv_sec += (__atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED) & 1) ? 7200 : -7200;
	return (int)rc;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *argument)
{
	int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
		(int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlsym(RTLD_NEXT, "pthread_create");
	const char *world = getenv("WORLD");

	return next && (!world || strcmp(world, "threads")) ? next(thread, attr, run, argument) : EAGAIN;
}
