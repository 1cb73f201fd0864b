/*
 * driver.h - the CUDA driver for the programs of tests/gpu/: no CUDA header, no compiler
 * for the GPU, nothing to link with.
 *
 * The driver is opened with dlopen() and each function fetched with dlsym(), as the
 * runtime and Python do, so under the preload every one of them comes through a door that
 * vprof watches. Kernels are PTX text, which any driver of CUDA 10.0 on compiles.
 *
 * A function that fails ends the program with exit code 2 and its name on stderr;
 * a machine without a driver or a GPU gives exit code 77.
 */
#ifndef TESTS_GPU_DRIVER_H
#define TESTS_GPU_DRIVER_H

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "shim/cuda_abi.h"

/* name, symbol as exported, parameters */
#define DRIVER_FUNCTIONS(X) \
	X(cuInit, cuInit, (unsigned int flags)) \
	X(cuDriverGetVersion, cuDriverGetVersion, (int *version)) \
	X(cuDeviceGetCount, cuDeviceGetCount, (int *count)) \
	X(cuDeviceGetName, cuDeviceGetName, (char *name, int size, CUdevice device)) \
	X(cuDevicePrimaryCtxRetain, cuDevicePrimaryCtxRetain, (CUcontext *ctx, CUdevice device)) \
	X(cuCtxSetCurrent, cuCtxSetCurrent, (CUcontext ctx)) \
	X(cuCtxSynchronize, cuCtxSynchronize, (void)) \
	X(cuModuleLoadData, cuModuleLoadData, (CUmodule *module, const void *image)) \
	X(cuModuleGetFunction, cuModuleGetFunction, (CUfunction *f, CUmodule module, const char *name)) \
	X(cuMemHostAlloc, cuMemHostAlloc, (void **p, size_t bytes, unsigned int flags)) \
	X(cuLaunchKernel, cuLaunchKernel, (CUfunction f, unsigned int gx, unsigned int gy, unsigned int gz, \
		unsigned int bx, unsigned int by, unsigned int bz, unsigned int shared, CUstream stream, \
		void **params, void **extra)) \
	X(cuGetProcAddress, cuGetProcAddress_v2, (const char *base, void **fn, int version, uint64_t flags, \
		CUdriverProcAddressQueryResult *status))

struct driver {
#define X(name, symbol, params) CUresult (*name) params;
	DRIVER_FUNCTIONS(X)
#undef X
	void *opened;
};

#define DRIVER_TRY(call) driver_try((call), #call)

__attribute__((unused)) static void driver_try(CUresult result, const char *what)
{
	if (result == CUDA_SUCCESS)
		return;
	fprintf(stderr, "%s: error %d\n", what, result);
	exit(2);
}

/* Opens the driver; exits with 77 where there is none, or no GPU. */
__attribute__((unused)) static struct driver driver_open(void)
{
	struct driver d = { .opened = dlopen("libcuda.so.1", RTLD_NOW) };
	int count = 0;

	if (!d.opened) {
		fprintf(stderr, "no CUDA driver: %s\n", dlerror());
		exit(77);
	}
#define X(name, symbol, params) \
	d.name = (CUresult (*) params)dlsym(d.opened, #symbol); \
	if (!d.name) { \
		fprintf(stderr, "the driver has no %s\n", #symbol); \
		exit(2); \
	}
	DRIVER_FUNCTIONS(X)
#undef X
	if (d.cuInit(0) || d.cuDeviceGetCount(&count) || !count) {
		fprintf(stderr, "no GPU\n");
		exit(77);
	}
	return d;
}

/* The first GPU's primary context, current in the calling thread. */
__attribute__((unused)) static CUcontext driver_context(const struct driver *d)
{
	CUcontext context;

	DRIVER_TRY(d->cuDevicePrimaryCtxRetain(&context, 0));
	DRIVER_TRY(d->cuCtxSetCurrent(context));
	return context;
}

/*
 * vprof_test_empty     does nothing.
 * vprof_test_waiting   does nothing either: the one that waits behind the next.
 * vprof_test_spin      runs until *flag is not 0 or limit_ns have passed.
 */
__attribute__((unused)) static const char driver_ptx[] =
	".version 6.3\n"
	".target sm_70\n"
	".address_size 64\n"
	".visible .entry vprof_test_empty()\n{\n\tret;\n}\n"
	".visible .entry vprof_test_waiting()\n{\n\tret;\n}\n"
	".visible .entry vprof_test_spin(.param .u64 flag, .param .u64 limit_ns)\n"
	"{\n"
	"\t.reg .pred %p<3>;\n"
	"\t.reg .b32 %r<2>;\n"
	"\t.reg .b64 %rd<6>;\n"
	"\tld.param.u64 %rd1, [flag];\n"
	"\tld.param.u64 %rd2, [limit_ns];\n"
	"\tmov.u64 %rd3, %globaltimer;\n"
	"\tadd.u64 %rd2, %rd2, %rd3;\n"
	"again:\n"
	"\tld.volatile.global.u32 %r1, [%rd1];\n"
	"\tsetp.ne.u32 %p1, %r1, 0;\n"
	"\t@%p1 bra done;\n"
	"\tmov.u64 %rd4, %globaltimer;\n"
	"\tsetp.lt.u64 %p2, %rd4, %rd2;\n"
	"\t@%p2 bra again;\n"
	"done:\n"
	"\tret;\n"
	"}\n";

#endif
