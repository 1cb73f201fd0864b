/*
 * libcuda.c - a driver with nothing behind it, for tests/shim/doors.c.
 *
 * Every function notes its name and its arguments in `seen` and returns `seen.result`.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include "tests/shim/seen.h"

#define API __attribute__((visibility("default")))

API struct seen seen;

static int note(const char *name, int n, const uintptr_t *args)
{
	seen.name = name;
	seen.count++;
	memcpy(seen.args, args, (size_t)n * sizeof(*args));
	if (seen.errno_left)
		errno = seen.errno_left;
	return seen.result;
}

#define NOTE(...) \
	note(__func__, (int)(sizeof((uintptr_t[]){ __VA_ARGS__ }) / sizeof(uintptr_t)), (uintptr_t[]){ __VA_ARGS__ })
#define W(x) ((uintptr_t)(x))

API int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
		       unsigned shared, void *stream, void **params, void **extra)
{
	return NOTE(W(f), gx, gy, gz, bx, by, bz, shared, W(stream), W(params), W(extra));
}

API int cuLaunchKernelEx(const void *config, void *f, void **params, void **extra)
{
	return NOTE(W(config), W(f), W(params), W(extra));
}

API int cuLaunchKernel_ptsz(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
			    unsigned shared, void *stream, void **params, void **extra)
{
	return NOTE(W(f), gx, gy, gz, bx, by, bz, shared, W(stream), W(params), W(extra));
}

/* PLAIN rows: 3, 8 and 9 arguments. */
API int cuLaunchHostFunc(uintptr_t a, uintptr_t b, uintptr_t c)
{
	return NOTE(a, b, c);
}

API int cuMemcpyBatchAsync_v2(uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e, uintptr_t f,
			      uintptr_t g, uintptr_t h)
{
	return NOTE(a, b, c, d, e, f, g, h);
}

API int cuMemcpyBatchAsync(uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e, uintptr_t f, uintptr_t g,
			   uintptr_t h, uintptr_t i)
{
	return NOTE(a, b, c, d, e, f, g, h, i);
}

API int cuMemAlloc_v2(unsigned long long *p, size_t bytes)
{
	if (!seen.result)
		*p = 0xdead000;
	return NOTE(W(p), bytes);
}

API int cuModuleGetFunction(void **f, void *module, const char *name)
{
	if (!seen.result)
		*f = seen.handle;
	return NOTE(W(f), W(module), W(name));
}

API int cuLibraryGetKernel(void **f, void *library, const char *name)
{
	if (!seen.result)
		*f = seen.handle;
	return NOTE(W(f), W(library), W(name));
}

API int cuModuleUnload(void *module)
{
	return NOTE(W(module));
}

API int cuGraphInstantiateWithFlags(void **exec, void *graph, unsigned long long flags)
{
	if (!seen.result)
		*exec = seen.handle;
	return NOTE(W(exec), W(graph), flags);
}

API int cuGraphLaunch(void *exec, void *stream)
{
	return NOTE(W(exec), W(stream));
}

API int cuGraphExecDestroy(void *exec)
{
	return NOTE(W(exec));
}

/* What cuGetProcAddress gives for "cuGraphInstantiate" from 12000 on: exported by no name. */
static int instantiate_unexported(void **exec, void *graph, unsigned long long flags)
{
	if (!seen.result)
		*exec = seen.handle;
	return NOTE(W(exec), W(graph), flags);
}

/* What it gives before: another function, which has no row. */
static int instantiate_older(void **exec, void *graph)
{
	return NOTE(W(exec), W(graph));
}

/* No row: has to be left alone. */
API int cuNotInTheTable(void)
{
	return seen.result;
}

/* ---- names: asking counts, so that the test sees when the driver is asked ---- */

API int cuFuncGetName(const char **name, void *f)
{
	seen.func_names++;
	errno = 99;
	if (f == seen.only_kernel)
		return 400;
	*name = seen.name_of;
	return 0;
}

API int cuKernelGetName(const char **name, void *f)
{
	(void)f;
	seen.kernel_names++;
	*name = seen.name_of;
	return 0;
}

API int cuThreadExchangeStreamCaptureMode(int *mode)
{
	int old = seen.capture_mode;

	seen.capture_mode = *mode;
	*mode = old;
	return 0;
}

/* ---- entry points ---- */

API int cuGetProcAddress_v2(const char *base, void **entry, int version, uint64_t flags, int *status);

API int cuGetProcAddress(const char *base, void **entry, int version, uint64_t flags)
{
	if (!base || !entry)
		return 1;
	*entry = NULL;
	if (!strcmp(base, "cuLaunchKernel"))
		*entry = flags & 2 ? (void *)cuLaunchKernel_ptsz : (void *)cuLaunchKernel;
	else if (!strcmp(base, "cuGraphInstantiate"))
		*entry = version >= 12000 ? (void *)instantiate_unexported : (void *)instantiate_older;
	else if (!strcmp(base, "cuMemcpyBatchAsync"))
		*entry = version >= 13000 ? (void *)cuMemcpyBatchAsync_v2 : (void *)cuMemcpyBatchAsync;
	else if (!strcmp(base, "cuGetProcAddress"))
		*entry = version >= 12000 ? (void *)cuGetProcAddress_v2 : (void *)cuGetProcAddress;
	else if (!strcmp(base, "cuNotInTheTable"))
		*entry = (void *)cuNotInTheTable;
	else if (!strcmp(base, "cuElsewhere"))
		*entry = (void *)strcmp;
	return *entry ? 0 : 500;
}

API int cuGetProcAddress_v2(const char *base, void **entry, int version, uint64_t flags, int *status)
{
	int result = cuGetProcAddress(base, entry, version, flags);

	if (status)
		*status = result == 500;
	return result == 500 ? 0 : result;
}

/* A lookup by the driver itself. */
API void *driver_looks_up(int (*gate)(const char *, void **, int, uint64_t))
{
	void *entry = NULL;
	int result = gate("cuLaunchKernel", &entry, 12000, 0);

	return result ? NULL : entry; /* after the call: not a jump, so that its return address is here */
}
