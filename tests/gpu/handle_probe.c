/*
 * handle_probe.c - which kind of handle the CUDA runtime passes to a launch.
 *
 *	LD_PRELOAD=…/handle_probe.so python3 -c '…'
 *
 * A preload of its own, used instead of vprof: it swaps cuLaunchKernel and
 * cuLaunchKernelEx in the answers of cuGetProcAddress and classifies the handles
 * of the first launches of each: does cuKernelGetFunction accept it (then it is a
 * CUkernel), and what do cuFuncGetName and cuKernelGetName say. One line a handle
 * on stderr. A question may crash; the last line says which.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "shim/cuda_abi.h"

enum { LINES_MAX = 12 };

#ifdef __aarch64__
#define OLDEST_GLIBC "GLIBC_2.17"
#else
#define OLDEST_GLIBC "GLIBC_2.2.5"
#endif

typedef void *dlsym_fn(void *handle, const char *name);
typedef CUresult address_fn(const char *base, void **fn, int version, uint64_t flags,
			    CUdriverProcAddressQueryResult *status);
typedef CUresult launch_fn(CUfunction f, unsigned int gx, unsigned int gy, unsigned int gz, unsigned int bx,
			   unsigned int by, unsigned int bz, unsigned int shared, CUstream stream,
			   void **params, void **extra);
typedef CUresult launch_ex_fn(const void *config, CUfunction f, void **params, void **extra);
typedef CUresult name_fn(const char **name, void *handle);
typedef CUresult other_fn(void **other, void *handle);

void *dlsym(void *handle, const char *name);

static address_fn *real_address;
static launch_fn *real_launch[2]; /* [1]: per-thread default stream */
static launch_ex_fn *real_launch_ex[2];
static atomic_int lines;

static dlsym_fn *find_dlsym(void)
{
	static dlsym_fn *real;

	if (!real)
		real = (dlsym_fn *)dlvsym(RTLD_NEXT, "dlsym", OLDEST_GLIBC);
	return real;
}

static void *ask_driver(const char *name)
{
	return find_dlsym()(dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD), name);
}

static void ask_name(const char *function, void *handle)
{
	name_fn *f = (name_fn *)ask_driver(function);
	const char *name = NULL;
	CUresult result;

	fprintf(stderr, "; %s ", function);
	result = f ? f(&name, handle) : -1;
	fprintf(stderr, "%d %.60s", result, result || !name ? "-" : name);
}

static void classify(const char *call, void *handle)
{
	other_fn *function_of = (other_fn *)ask_driver("cuKernelGetFunction");
	void *function = NULL;
	CUresult result;

	if (atomic_fetch_add(&lines, 1) >= LINES_MAX)
		return;
	fprintf(stderr, "handle\t%s %p; cuKernelGetFunction ", call, handle);
	result = function_of ? function_of(&function, handle) : -1;
	fprintf(stderr, "%d %s", result, result ? "-" : function == handle ? "same" : "other");
	ask_name("cuFuncGetName", handle);
	ask_name("cuKernelGetName", handle);
	fprintf(stderr, "\n");
}

#define LAUNCH(pts) \
static CUresult launch_##pts(CUfunction f, unsigned int gx, unsigned int gy, unsigned int gz, unsigned int bx, \
			     unsigned int by, unsigned int bz, unsigned int shared, CUstream stream, \
			     void **params, void **extra) \
{ \
	classify("cuLaunchKernel", f); \
	return real_launch[pts](f, gx, gy, gz, bx, by, bz, shared, stream, params, extra); \
} \
static CUresult launch_ex_##pts(const void *config, CUfunction f, void **params, void **extra) \
{ \
	classify("cuLaunchKernelEx", f); \
	return real_launch_ex[pts](config, f, params, extra); \
}
LAUNCH(0)
LAUNCH(1)

static CUresult address(const char *base, void **fn, int version, uint64_t flags,
			CUdriverProcAddressQueryResult *status)
{
	CUresult result = real_address(base, fn, version, flags, status);
	int pts = !!(flags & 2);

	if (result || !fn || !*fn)
		return result;
	if (!strcmp(base, "cuLaunchKernel")) {
		real_launch[pts] = (launch_fn *)*fn;
		*fn = pts ? (void *)launch_1 : (void *)launch_0;
	} else if (!strcmp(base, "cuLaunchKernelEx")) {
		real_launch_ex[pts] = (launch_ex_fn *)*fn;
		*fn = pts ? (void *)launch_ex_1 : (void *)launch_ex_0;
	} else if (!strcmp(base, "cuGetProcAddress") && version >= 12000) {
		*fn = (void *)address;
	}
	return result;
}

/* Other names leave by a tail call, so that dlsym(RTLD_NEXT) still sees who asked. */
void *dlsym(void *handle, const char *name)
{
	if (strcmp(name, "cuGetProcAddress_v2"))
		return find_dlsym()(handle, name);
	real_address = (address_fn *)find_dlsym()(handle, name);
	return real_address ? (void *)address : NULL;
}
