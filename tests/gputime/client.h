/*
 * client.h - what the programs whose work is timed have in common: the driver, kernels that add one, and a thread that
 * captures. How long kernels take their names tell the fake driver.
 */
#ifndef GPUTIME_CLIENT_H
#define GPUTIME_CLIENT_H

#include <dlfcn.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>
#include "shim/cuda_abi.h"

typedef unsigned int U;
#define API \
	A(cuInit, U) \
	A(cuDevicePrimaryCtxRetain, CUcontext *, CUdevice) \
	A(cuCtxCreate_v2, CUcontext *, U, CUdevice) \
	A(cuCtxDestroy_v2, CUcontext) \
	A(cuCtxDetach, CUcontext) \
	A(cuGreenCtxCreate, CUcontext *, void *, CUdevice, U) \
	A(cuGreenCtxDestroy, CUcontext) \
	A(cuCtxFromGreenCtx, CUcontext *, CUcontext) \
	A(cuCtxSetCurrent, CUcontext) \
	A(cuCtxGetCurrent, CUcontext *) \
	A(cuCtxSynchronize, void) \
	A(cuModuleLoadData, CUmodule *, const void *) \
	A(cuModuleUnload, CUmodule) \
	A(cuModuleGetFunction, CUfunction *, CUmodule, const char *) \
	A(cuMemAlloc_v2, CUdeviceptr *, size_t) \
	A(cuMemAllocAsync, CUdeviceptr *, size_t, CUstream) \
	A(cuMemFree_v2, CUdeviceptr) \
	A(cuMemFreeAsync, CUdeviceptr, CUstream) \
	A(cuMemcpyDtoDAsync_v2, CUdeviceptr, CUdeviceptr, size_t, CUstream) \
	A(cuMemcpyDtoH_v2, void *, CUdeviceptr, size_t) \
	A(cuMemcpyHtoD_v2, CUdeviceptr, const void *, size_t) \
	A(cuLaunchKernel, CUfunction, U, U, U, U, U, U, U, CUstream, void **, void **) \
	A(cuLaunchKernelEx, const CUlaunchConfig *, CUfunction, void **, void **) \
	A(cuStreamCreate, CUstream *, U) \
	A(cuStreamSynchronize, CUstream) \
	A(cuStreamBeginCapture_v2, CUstream, CUstreamCaptureMode) \
	A(cuStreamEndCapture, CUstream, CUgraph *) \
	A(cuGraphDestroy, CUgraph) \
	A(cuGraphGetNodes, CUgraph, CUgraphNode *, size_t *) \
	A(cuGraphInstantiateWithFlags, CUgraphExec *, CUgraph, unsigned long long) \
	A(cuGraphLaunch, CUgraphExec, CUstream) \
	A(cuGraphExecDestroy, CUgraphExec) \
	A(cuGraphAddDependencies_v2, CUgraph, const CUgraphNode *, const CUgraphNode *, const CUgraphEdgeData *, size_t) \
	A(cuGraphExecUpdate_v2, CUgraphExec, CUgraph, CUgraphExecUpdateResultInfo *) \
	A(cuGraphKernelNodeGetParams_v2, CUgraphNode, CUDA_KERNEL_NODE_PARAMS_v2 *) \
	A(cuGraphExecKernelNodeSetParams_v2, CUgraphExec, CUgraphNode, const CUDA_KERNEL_NODE_PARAMS_v2 *) \
	A(cuGraphCreate, CUgraph *, U) \
	A(cuGraphAddKernelNode_v2, CUgraphNode *, CUgraph, const CUgraphNode *, size_t, const CUDA_KERNEL_NODE_PARAMS_v2 *) \
	A(cuGraphAddMemcpyNode, CUgraphNode *, CUgraph, const CUgraphNode *, size_t, const CUDA_MEMCPY3D_v2 *, CUcontext) \
	A(cuGraphAddMemsetNode, CUgraphNode *, CUgraph, const CUgraphNode *, size_t, const CUDA_MEMSET_NODE_PARAMS *, CUcontext) \
	A(cuGraphAddHostNode, CUgraphNode *, CUgraph, const CUgraphNode *, size_t, const CUDA_HOST_NODE_PARAMS *) \
	A(cuGraphAddEventRecordNode, CUgraphNode *, CUgraph, const CUgraphNode *, size_t, CUevent) \
	A(cuGraphAddChildGraphNode, CUgraphNode *, CUgraph, const CUgraphNode *, size_t, CUgraph) \
	A(cuGraphExecKernelNodeSetParams, CUgraphExec, CUgraphNode, const CUDA_KERNEL_NODE_PARAMS_v2 *) \
	A(cuGraphExecMemcpyNodeSetParams, CUgraphExec, CUgraphNode, const CUDA_MEMCPY3D_v2 *, CUcontext) \
	A(cuGraphExecMemsetNodeSetParams, CUgraphExec, CUgraphNode, const CUDA_MEMSET_NODE_PARAMS *, CUcontext) \
	A(cuGraphExecHostNodeSetParams, CUgraphExec, CUgraphNode, const CUDA_HOST_NODE_PARAMS *) \
	A(cuGraphExecEventRecordNodeSetEvent, CUgraphExec, CUgraphNode, CUevent) \
	A(cuGraphExecChildGraphNodeSetParams, CUgraphExec, CUgraphNode, CUgraph) \
	A(cuGraphExecNodeSetParams, CUgraphExec, CUgraphNode, const void *) \
	A(cuGraphNodeSetEnabled, CUgraphExec, CUgraphNode, U) \
	A(cuEventCreate, CUevent *, U) \
	A(cuMemAllocHost_v2, void **, size_t) \
	A(cuMemGetInfo_v2, size_t *, size_t *) \
	A(cuMemcpyHtoDAsync_v2, CUdeviceptr, const void *, size_t, CUstream) \
	A(cuMemcpyDtoHAsync_v2, void *, CUdeviceptr, size_t, CUstream) \
	A(cuMemcpyBatchAsync_v2, CUdeviceptr *, CUdeviceptr *, size_t *, size_t, void *, size_t *, size_t, CUstream) \
	A(cuMemsetD32Async, CUdeviceptr, U, size_t, CUstream) \
	A(cuMemsetD32_v2, CUdeviceptr, U, size_t) \
	A(cuStreamDestroy_v2, CUstream) \
	A(cuStreamWaitEvent, CUstream, CUevent, U) \
	A(cuEventRecord, CUevent, CUstream)

#define A(name, ...) CUresult (*name)(__VA_ARGS__);
static struct { API } cu;
#undef A

#define ADD_ONE(name) \
	".visible .entry " name "(.param .u64 p, .param .u32 n)\n" \
	"{ .reg .u64 %a; .reg .u32 %v; ld.param.u64 %a, [p]; ld.u32 %v, [%a]; add.u32 %v, %v, 1; st.u32 [%a], %v; ret; }\n"
static const char client_ptx[] = ".version 7.0\n.target sm_50\n.address_size 64\n"
	ADD_ONE("add_one_spin_20us") ADD_ONE("add_one_spin_10us") ADD_ONE("add_one_spin_1us") ADD_ONE("add_one_spin_100ms")
	ADD_ONE("add_one_first_spin_20us") ADD_ONE("add_one_second_spin_10us") ".visible .entry hang(.param .u64 p)\n{ ret; }\n";

static U one = 1;

static void must(const char *what, CUresult result)
{
	if (result)
		printf("error %d %s\n", result, what);
}
#define CALL(name, ...) must(#name, cu.name(__VA_ARGS__))

/* 0: there is no driver. */
static int client_open(void)
{
	void *driver = dlopen("libcuda.so.1", RTLD_NOW);

	if (!driver)
		return 0;
#define A(name, ...) cu.name = (CUresult (*)(__VA_ARGS__))dlsym(driver, #name);
	API
#undef A
	setvbuf(stdout, NULL, _IOLBF, 0);
	CALL(cuInit, 0);
	return 1;
}

/* Has whoever reads the ring seen there what has to be there by now, and said so by a byte on stdin? Yes where nobody is. */
static inline int told(int patience_ms)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };
	char go;

	if (poll(&in, 1, patience_ms) <= 0)
		return 0;
	if (read(0, &go, 1) < 0)
		perror("stdin");
	return 1;
}

static inline void halt(void)
{
	while (!told(-1))
		;
}

/* So that the GPU of a busy machine is never far behind. */
enum { PACE = 16 };

static inline void kernel(CUfunction function, CUdeviceptr at, CUstream stream)
{
	void *params[] = { &at, &one };

	CALL(cuLaunchKernel, function, 1, 1, 1, 1, 1, 1, 0, stream, params, NULL);
}

/* May begin while the one before it is at work. */
static inline void kernel_early(CUfunction function, CUdeviceptr at, CUstream stream)
{
	CUlaunchAttribute attribute = { .id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION };
	CUlaunchConfig config = {
		.gridDimX = 1, .gridDimY = 1, .gridDimZ = 1, .blockDimX = 1, .blockDimY = 1, .blockDimZ = 1,
		.hStream = stream, .attrs = &attribute, .numAttrs = 1,
	};
	void *params[] = { &at, &one };

	attribute.value.programmaticStreamSerializationAllowed = 1;
	CALL(cuLaunchKernelEx, &config, function, params, NULL);
}

/* A thread that captures, in global mode, from beginning to end: struct capturing. */
struct capturing {
	CUcontext context;
	CUfunction function;
	CUdeviceptr at;
	U flags;               /* of its stream */
	useconds_t pause;      /* between two launches */
	volatile int stop;
};

static inline void *capture_all_along(void *arg)
{
	struct capturing *c = arg;
	CUstream stream;
	CUgraph graph = NULL;

	CALL(cuCtxSetCurrent, c->context);
	CALL(cuStreamCreate, &stream, c->flags);
	while (!c->stop) {
		CALL(cuStreamBeginCapture_v2, stream, CU_STREAM_CAPTURE_MODE_GLOBAL);
		for (int i = 0; i < 50; i++) {
			kernel(c->function, c->at, stream);
			usleep(c->pause);
		}
		CALL(cuStreamEndCapture, stream, &graph);
		if (!graph)
			printf("error capture\n");
		CALL(cuGraphDestroy, graph);
	}
	return NULL;
}

#endif
