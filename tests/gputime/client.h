/*
 * client.h - what the programs whose graphs are timed have in common: the driver, and kernels that add one. How
 * long these take their names tell the fake driver.
 */
#ifndef GPUTIME_CLIENT_H
#define GPUTIME_CLIENT_H

#include <dlfcn.h>
#include <stdio.h>
#include "shim/cuda_abi.h"

typedef unsigned int U;
#define API \
	A(cuInit, U) \
	A(cuDevicePrimaryCtxRetain, CUcontext *, CUdevice) \
	A(cuCtxCreate_v2, CUcontext *, U, CUdevice) \
	A(cuCtxDestroy_v2, CUcontext) \
	A(cuCtxSetCurrent, CUcontext) \
	A(cuCtxGetCurrent, CUcontext *) \
	A(cuCtxSynchronize, void) \
	A(cuModuleLoadData, CUmodule *, const void *) \
	A(cuModuleGetFunction, CUfunction *, CUmodule, const char *) \
	A(cuMemAlloc_v2, CUdeviceptr *, size_t) \
	A(cuMemAllocAsync, CUdeviceptr *, size_t, CUstream) \
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
	A(cuMemGetInfo_v2, size_t *, size_t *)

#define A(name, ...) CUresult (*name)(__VA_ARGS__);
static struct { API } cu;
#undef A

static const char client_ptx[] =
	".version 7.0\n.target sm_50\n.address_size 64\n"
	".visible .entry add_one_spin_20us(.param .u64 p, .param .u32 n)\n"
	"{ .reg .u64 %a; .reg .u32 %v; ld.param.u64 %a, [p]; ld.u32 %v, [%a]; add.u32 %v, %v, 1; st.u32 [%a], %v; ret; }\n"
	".visible .entry add_one_spin_1us(.param .u64 p, .param .u32 n)\n"
	"{ .reg .u64 %a; .reg .u32 %v; ld.param.u64 %a, [p]; ld.u32 %v, [%a]; add.u32 %v, %v, 1; st.u32 [%a], %v; ret; }\n"
	".visible .entry add_one_spin_10us(.param .u64 p, .param .u32 n)\n"
	"{ .reg .u64 %a; .reg .u32 %v; ld.param.u64 %a, [p]; ld.u32 %v, [%a]; add.u32 %v, %v, 1; st.u32 [%a], %v; ret; }\n";

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

#endif
