/*
 * launch.h - a program under the preload that launches the fake driver's empty kernel, and switches
 * its own recording on and off as an outsider does, through the ring's file.
 */
#ifndef TESTS_BENCH_LAUNCH_H
#define TESTS_BENCH_LAUNCH_H

#include <dlfcn.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "preload/elf.h"

typedef int (*launch_fn)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *,
			 void **, void **);

/* The driver's own function, the one that a lookup gives under the preload, and what to launch. */
static launch_fn direct, wrapped;
static void *function;
static volatile struct vprof_ring_control *control;

static void die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

/* A kernel as any program has one: launches of a handle that the driver does not know are dearer. */
static void find_kernel(void *handle)
{
	int (*init)(unsigned) = (int (*)(unsigned))dlsym(handle, "cuInit");
	int (*retain)(void **, int) = (int (*)(void **, int))dlsym(handle, "cuDevicePrimaryCtxRetain");
	int (*current)(void *) = (int (*)(void *))dlsym(handle, "cuCtxSetCurrent");
	int (*load)(void **, const void *) = (int (*)(void **, const void *))dlsym(handle, "cuModuleLoadData");
	int (*get)(void **, void *, const char *) =
		(int (*)(void **, void *, const char *))dlsym(handle, "cuModuleGetFunction");
	void *context, *module;

	if (!init || !retain || !current || !load || !get || init(0) || retain(&context, 0) || current(context) ||
	    load(&module, "fake") || get(&function, module, "noop"))
		die("the driver gives no kernel");
}

static void set_control(int on)
{
	control->word = on ? control->groups : 0;
}

static void find_ring(void)
{
	char pattern[4096];
	glob_t found;
	int fd;

	snprintf(pattern, sizeof(pattern), "%s/*.%d.*.ring", getenv("VPROF_OUT"), getpid());
	if (glob(pattern, 0, NULL, &found) || found.gl_pathc != 1)
		die("no ring of this process in VPROF_OUT");
	fd = open(found.gl_pathv[0], O_RDWR);
	globfree(&found);
	control = fd < 0 ? MAP_FAILED :
			   mmap(NULL, VPROF_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, VPROF_CONTROL_OFFSET);
	if (control == MAP_FAILED)
		die("cannot map the ring's control page");
	close(fd);
}

/* Finds all of the above; the first launch makes the ring. */
static void launch_setup(void)
{
	struct vprof_object driver;
	void *handle = dlopen("libcuda.so.1", RTLD_NOW), *params[1] = { NULL };

	if (!handle || vprof_object_find("libcuda.so", &driver))
		die("no driver");
	direct = (launch_fn)vprof_object_symbol(&driver, "cuLaunchKernel");
	wrapped = (launch_fn)dlsym(handle, "cuLaunchKernel");
	if (!direct || direct == wrapped)
		die("cuLaunchKernel is not hooked: run under LD_PRELOAD=libvprof.so");
	find_kernel(handle);
	wrapped(function, 1, 1, 1, 1, 1, 1, 0, NULL, params, NULL);
	find_ring();
}

typedef int (*ask_fn)(int *);

/* A question: the driver's own cuCtxGetDevice, and into `hooked` the one that a lookup gives. */
static inline ask_fn ask_find(ask_fn *hooked)
{
	struct vprof_object driver;
	ask_fn own;

	if (vprof_object_find("libcuda.so", &driver))
		die("no driver");
	own = (ask_fn)vprof_object_symbol(&driver, "cuCtxGetDevice");
	*hooked = (ask_fn)dlsym(RTLD_DEFAULT, "cuCtxGetDevice");
	if (!own || !*hooked || own == *hooked)
		die("cuCtxGetDevice is not hooked");
	return own;
}

#endif
