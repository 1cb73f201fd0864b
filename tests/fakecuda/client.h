/*
 * client.h - inside the test client: the driver functions it calls, and how
 * often it has called each.
 *
 * API(name, base, version, parameter types): the exported symbol, and what
 * cuGetProcAddress calls it.
 */
#ifndef FAKECUDA_CLIENT_H
#define FAKECUDA_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "shim/cuda_abi.h"

#define U unsigned int
#define CLIENT_API \
	API(cuInit, cuInit, 2000, U) \
	API(cuDevicePrimaryCtxRetain, cuDevicePrimaryCtxRetain, 7000, CUcontext *, CUdevice) \
	API(cuCtxSetCurrent, cuCtxSetCurrent, 4000, CUcontext) \
	API(cuCtxSynchronize, cuCtxSynchronize, 2000, void) \
	API(cuModuleLoadData, cuModuleLoadData, 2000, CUmodule *, const void *) \
	API(cuModuleUnload, cuModuleUnload, 2000, CUmodule) \
	API(cuModuleGetFunction, cuModuleGetFunction, 2000, CUfunction *, CUmodule, const char *) \
	API(cuLaunchKernel, cuLaunchKernel, 4000, CUfunction, U, U, U, U, U, U, U, CUstream, void **, void **) \
	API(cuLaunchKernelEx, cuLaunchKernelEx, 11060, const CUlaunchConfig *, CUfunction, void **, void **) \
	API(cuStreamCreate, cuStreamCreate, 2000, CUstream *, U) \
	API(cuStreamDestroy_v2, cuStreamDestroy, 4000, CUstream) \
	API(cuStreamSynchronize, cuStreamSynchronize, 2000, CUstream) \
	API(cuStreamBeginCapture_v2, cuStreamBeginCapture, 10010, CUstream, CUstreamCaptureMode) \
	API(cuStreamEndCapture, cuStreamEndCapture, 10000, CUstream, CUgraph *) \
	API(cuGraphInstantiateWithFlags, cuGraphInstantiateWithFlags, 11040, CUgraphExec *, CUgraph, \
		unsigned long long) \
	API(cuGraphLaunch, cuGraphLaunch, 10000, CUgraphExec, CUstream) \
	API(cuGraphExecDestroy, cuGraphExecDestroy, 10000, CUgraphExec) \
	API(cuGraphDestroy, cuGraphDestroy, 10000, CUgraph) \
	API(cuMemAlloc_v2, cuMemAlloc, 3020, CUdeviceptr *, size_t) \
	API(cuMemFree_v2, cuMemFree, 3020, CUdeviceptr) \
	API(cuMemcpyHtoD_v2, cuMemcpyHtoD, 3020, CUdeviceptr, const void *, size_t) \
	API(cuMemcpyDtoHAsync_v2, cuMemcpyDtoHAsync, 3020, void *, CUdeviceptr, size_t, CUstream) \
	API(cuMemsetD8Async, cuMemsetD8Async, 3020, CUdeviceptr, unsigned char, size_t, CUstream) \
	API(cuEventCreate, cuEventCreate, 2000, CUevent *, U) \
	API(cuEventDestroy_v2, cuEventDestroy, 4000, CUevent) \
	API(cuEventRecord, cuEventRecord, 2000, CUevent, CUstream) \
	API(cuEventSynchronize, cuEventSynchronize, 2000, CUevent) \
	API(cuProfilerStart, cuProfilerStart, 4000, void) \
	API(cuProfilerStop, cuProfilerStop, 4000, void)

enum client_call {
#define API(name, base, version, ...) CALL_##name,
	CLIENT_API
#undef API
	CALL_COUNT
};

struct client_api {
#define API(name, base, version, ...) CUresult (*name)(__VA_ARGS__);
	CLIENT_API
#undef API
};
extern struct client_api client_api;

/* Shared with whoever maps --count-file; peers: the counting threads, client_counts_show. */
struct client_counts {
	struct {
		atomic_ulong begun, returned;
	} call[CALL_COUNT];
};
extern struct client_counts *client_counts;

enum client_via { VIA_PLT, VIA_DLSYM, VIA_GPA, VIA_GPA1 };

/* What the command line asked for. */
struct client_options {
	int threads, streams, procs, kernels, short_threads;
	long launches, graphs, per_graph, copies, sleep_ms, pause_us;
	bool hold, forever, unload, keep_errors, ex, programmatic, sync, profiler;
	enum client_via via;
	const char *kernel[16];
};
extern struct client_options client_options;

void client_api_resolve(enum client_via via);
void client_result(const char *name, CUresult result); /* ends the process on an error */
void client_counts_open(const char *path);             /* NULL: private memory */
int client_counts_show(const char *path);
void client_counts_print(void);
void client_work(void); /* everything the options ask of one process */
/* Launches made behind vfork's back: not counted, results ignored. */
void client_raw_launches(long count);

/* Calls, counts, checks. */
#define CALL(name, ...) do { \
	CUresult result_; \
	atomic_fetch_add(&client_counts->call[CALL_##name].begun, 1); \
	result_ = client_api.name(__VA_ARGS__); \
	atomic_fetch_add(&client_counts->call[CALL_##name].returned, 1); \
	client_result(#name, result_); \
} while (0)

#endif
