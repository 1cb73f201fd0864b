/*
 * libc.h - functions of libc that need care.
 *
 * One build serves glibc 2.28 and later. What moved into libc with a new version
 * (pthread_create in 2.34, …) is bound to its old version, and weakly: on an old libc it
 * lies in libpthread, which we must not need, and which is loaded wherever CUDA is. A
 * function that is not there is NULL, never an unresolved symbol.
 */
#ifndef VPROF_PRELOAD_LIBC_H
#define VPROF_PRELOAD_LIBC_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "preload/compiler.h"

#if defined(__x86_64__)
#define VPROF_GLIBC_OLD "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define VPROF_GLIBC_OLD "GLIBC_2.17"
#endif

#define VPROF_OLD_SYMBOL(name)                                                    \
	extern __typeof__(name) vprof_old_##name __attribute__((weak));           \
	__asm__(".symver vprof_old_" #name "," #name "@" VPROF_GLIBC_OLD)

VPROF_OLD_SYMBOL(pthread_create);
VPROF_OLD_SYMBOL(pthread_attr_setstacksize);
VPROF_OLD_SYMBOL(pthread_key_create);
VPROF_OLD_SYMBOL(pthread_setspecific);
VPROF_OLD_SYMBOL(dlopen);

/* The calling thread's signal mask; sigprocmask would do, but may be interposed. */
static inline void vprof_sigmask(const sigset_t *set, sigset_t *old)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, set, old, 8);
}

/* stat() and lstat() are symbols of glibc 2.33; the system call is older than both. */
static inline int vprof_stat(const char *path, struct stat *st, int flags)
{
	return (int)syscall(SYS_newfstatat, AT_FDCWD, path, st, flags);
}

/* pwrite() of all of it. 0 or a negative errno; -ENOSPC where nothing more is taken. */
static inline int vprof_pwrite(int fd, const void *bytes, uint64_t size, uint64_t offset)
{
	for (uint64_t done = 0; done < size;) {
		ssize_t n = pwrite(fd, (const char *)bytes + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		done += (uint64_t)n;
	}
	return 0;
}

/* A static sentence for an errno; strerror() may allocate and lock. */
const char *vprof_strerror(int error) HIDDEN;

#endif
