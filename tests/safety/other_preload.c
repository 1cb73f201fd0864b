/*
 * other_preload.c - another tool's preload, in front of ours or behind it.
 *
 * Counts what passes through it and writes the counts to descriptor 4 at exit, when that is
 * open. OTHER_EXPORTS: a cuLaunchKernel of its own, which finds the next with RTLD_NEXT or
 * in the driver. OTHER_DLSYM: a dlsym of its own that hands its launch out and passes
 * all else on. OTHER_EARLY: a constructor that looks symbols up, before anyone is ready.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "shim/cuda_abi.h"

typedef CUresult launch_fn(CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
			   CUstream, void **, void **);

static unsigned long launches, lookups;


#if defined(OTHER_EXPORTS) || defined(OTHER_DLSYM)
static launch_fn *next_launch;

launch_fn cuLaunchKernel;
CUresult cuLaunchKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
			unsigned shared, CUstream stream, void **params, void **extra)
{
	__atomic_add_fetch(&launches, 1, __ATOMIC_RELAXED);
	if (!next_launch)
		next_launch = (launch_fn *)dlsym(RTLD_NEXT, "cuLaunchKernel");
	if (!next_launch)
		return CUDA_ERROR_NOT_FOUND;
	return next_launch(f, gx, gy, gz, bx, by, bz, shared, stream, params, extra);
}
#endif

#ifdef OTHER_DLSYM
void *dlsym(void *handle, const char *name)
{
	static void *(*next)(void *, const char *);
	void *found;

	if (!next)
		next = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
	if (!next)
		next = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.17");
	__atomic_add_fetch(&lookups, !strncmp(name, "cu", 2), __ATOMIC_RELAXED);
	found = next(handle, name);
	if (found && handle != RTLD_NEXT && !strcmp(name, "cuLaunchKernel")) {
		next_launch = (launch_fn *)found;
		return (void *)cuLaunchKernel;
	}
	return found;
}
#endif

#ifdef OTHER_EARLY
__attribute__((constructor)) static void early(void)
{
	lookups += !dlsym(RTLD_DEFAULT, "cuNoSuchThing") && dlerror() && dlsym(RTLD_NEXT, "open") && !dlerror();
}
#endif

__attribute__((destructor)) static void report(void)
{
	if (fcntl(4, F_GETFD) >= 0)
		dprintf(4, "launches %lu lookups %lu\n", launches, lookups);
}
