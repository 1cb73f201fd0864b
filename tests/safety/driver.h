/*
 * driver.h - the few driver functions that the programs of this folder call, and how
 * they come by them.
 *
 * driver_open() goes through dlopen() and dlsym(), as most CUDA programs do; a program
 * linked with -lcuda can fill the struct from the names themselves (DRIVER_LINKED).
 */
#ifndef TESTS_SAFETY_DRIVER_H
#define TESTS_SAFETY_DRIVER_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include "shim/cuda_abi.h"

#define SHAPE_PARAMS unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned

/* X(result, name, parameters) */
#define DRIVER_FUNCTIONS(X)                                             \
	X(cuInit, (unsigned flags))                                     \
	X(cuDeviceGet, (CUdevice *device, int ordinal))                 \
	X(cuCtxCreate_v2, (CUcontext *ctx, unsigned flags, CUdevice device)) \
	X(cuCtxSetCurrent, (CUcontext ctx))                             \
	X(cuCtxSynchronize, (void))                                     \
	X(cuModuleLoadData, (CUmodule *module, const void *image))      \
	X(cuModuleUnload, (CUmodule module))                            \
	X(cuModuleGetFunction, (CUfunction *function, CUmodule module, const char *name)) \
	X(cuLaunchKernel, (CUfunction function, SHAPE_PARAMS, CUstream stream, void **params, void **extra)) \
	X(cuStreamSynchronize, (CUstream stream))                       \
	X(cuMemAlloc_v2, (CUdeviceptr *address, size_t bytes))          \
	X(cuMemFree_v2, (CUdeviceptr address))                          \
	X(cuMemcpyHtoD_v2, (CUdeviceptr to, const void *from, size_t bytes)) \
	X(cuMemcpyDtoH_v2, (void *to, CUdeviceptr from, size_t bytes))  \
	X(cuMemsetD32Async, (CUdeviceptr to, unsigned value, size_t count, CUstream stream)) \
	X(cuEventQuery, (CUevent event))                                \
	X(cuProfilerStart, (void))

#ifdef DRIVER_LINKED
#define DRIVER_DECLARE(name, params) CUresult name params;
DRIVER_FUNCTIONS(DRIVER_DECLARE)
#endif

struct driver {
#define DRIVER_FIELD(name, params) CUresult (*name) params;
	DRIVER_FUNCTIONS(DRIVER_FIELD)
	CUcontext ctx;
	CUmodule module;
};

__attribute__((unused)) static void driver_open(struct driver *d)
{
#ifdef DRIVER_LINKED
#define DRIVER_TAKE(name, params) d->name = name;
	DRIVER_FUNCTIONS(DRIVER_TAKE)
#else
	void *handle = dlopen("libcuda.so.1", RTLD_NOW);

	if (!handle) {
		fprintf(stderr, "%s\n", dlerror());
		exit(99);
	}
#define DRIVER_LOOK(name, params)                                           \
	if (!(d->name = (CUresult(*) params)dlsym(handle, #name))) {        \
		fprintf(stderr, "%s\n", dlerror());                         \
		exit(99);                                                   \
	}
	DRIVER_FUNCTIONS(DRIVER_LOOK)
#endif
}

/* A context, and a module in which any name is a kernel. Returns the first error. */
__attribute__((unused)) static CUresult driver_start(struct driver *d)
{
	CUdevice device = 0;
	CUresult result = d->cuInit(0);

	if (!result)
		result = d->cuDeviceGet(&device, 0);
	if (!result)
		result = d->cuCtxCreate_v2(&d->ctx, 0, device);
	if (!result)
		result = d->cuModuleLoadData(&d->module, "fake");
	return result;
}

__attribute__((unused)) static CUresult driver_launch(const struct driver *d, CUfunction f, unsigned x, unsigned y)
{
	return d->cuLaunchKernel(f, x, y, 1, 1, 1, 1, 0, NULL, NULL, NULL);
}

#endif
