/*
 * conformance.h - inside the conformance test: the driver functions it uses,
 * by their types, and its way to check a result.
 *
 * D(name, base, version, parameter types): the exported symbol, and what
 * cuGetProcAddress calls it. Found by cuGetProcAddress, or linked.
 */
#ifndef FAKECUDA_CONFORMANCE_H
#define FAKECUDA_CONFORMANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/cuda_abi.h"

typedef unsigned int U;
typedef void *P;
#define DRIVER_API \
	D(cuInit, cuInit, 2000, U) \
	D(cuDriverGetVersion, cuDriverGetVersion, 2020, int *) \
	D(cuGetErrorName, cuGetErrorName, 6000, CUresult, const char **) \
	D(cuDeviceGet, cuDeviceGet, 2000, CUdevice *, int) \
	D(cuDeviceGetCount, cuDeviceGetCount, 2000, int *) \
	D(cuDeviceGetAttribute, cuDeviceGetAttribute, 2000, int *, int, CUdevice) \
	D(cuDeviceGetName, cuDeviceGetName, 2000, char *, int, CUdevice) \
	D(cuDeviceGetUuid_v2, cuDeviceGetUuid, 11040, CUuuid *, CUdevice) \
	D(cuDeviceTotalMem_v2, cuDeviceTotalMem, 3020, size_t *, CUdevice) \
	D(cuDevicePrimaryCtxRetain, cuDevicePrimaryCtxRetain, 7000, CUcontext *, CUdevice) \
	D(cuDevicePrimaryCtxRelease_v2, cuDevicePrimaryCtxRelease, 11000, CUdevice) \
	D(cuCtxCreate_v2, cuCtxCreate, 3020, CUcontext *, U, CUdevice) \
	D(cuCtxDestroy_v2, cuCtxDestroy, 4000, CUcontext) \
	D(cuCtxSetCurrent, cuCtxSetCurrent, 4000, CUcontext) \
	D(cuCtxGetCurrent, cuCtxGetCurrent, 4000, CUcontext *) \
	D(cuCtxGetDevice, cuCtxGetDevice, 2000, CUdevice *) \
	D(cuCtxPushCurrent_v2, cuCtxPushCurrent, 4000, CUcontext) \
	D(cuCtxPopCurrent_v2, cuCtxPopCurrent, 4000, CUcontext *) \
	D(cuCtxSynchronize, cuCtxSynchronize, 2000, void) \
	D(cuModuleLoadData, cuModuleLoadData, 2000, CUmodule *, const void *) \
	D(cuModuleUnload, cuModuleUnload, 2000, CUmodule) \
	D(cuModuleGetFunction, cuModuleGetFunction, 2000, CUfunction *, CUmodule, const char *) \
	D(cuFuncGetAttribute, cuFuncGetAttribute, 2020, int *, int, CUfunction) \
	D(cuFuncGetParamInfo, cuFuncGetParamInfo, 12040, CUfunction, size_t, size_t *, size_t *) \
	D(cuKernelGetAttribute, cuKernelGetAttribute, 12000, int *, int, CUkernel, CUdevice) \
	D(cuKernelGetParamInfo, cuKernelGetParamInfo, 12040, CUkernel, size_t, size_t *, size_t *) \
	D(cuFuncGetName, cuFuncGetName, 12030, const char **, CUfunction) \
	D(cuFuncGetModule, cuFuncGetModule, 11000, CUmodule *, CUfunction) \
	D(cuLibraryLoadData, cuLibraryLoadData, 12000, CUlibrary *, const void *, P, P, U, P, P, U) \
	D(cuLibraryUnload, cuLibraryUnload, 12000, CUlibrary) \
	D(cuLibraryGetKernel, cuLibraryGetKernel, 12000, CUkernel *, CUlibrary, const char *) \
	D(cuKernelGetFunction, cuKernelGetFunction, 12000, CUfunction *, CUkernel) \
	D(cuKernelGetName, cuKernelGetName, 12030, const char **, CUkernel) \
	D(cuLaunchKernel, cuLaunchKernel, 4000, CUfunction, U, U, U, U, U, U, U, CUstream, P *, P *) \
	D(cuLaunchKernelEx, cuLaunchKernelEx, 11060, const CUlaunchConfig *, CUfunction, P *, P *) \
	D(cuLaunchHostFunc, cuLaunchHostFunc, 10000, CUstream, CUhostFn, P) \
	D(cuStreamCreate, cuStreamCreate, 2000, CUstream *, U) \
	D(cuStreamCreateWithPriority, cuStreamCreateWithPriority, 5050, CUstream *, U, int) \
	D(cuStreamDestroy_v2, cuStreamDestroy, 4000, CUstream) \
	D(cuStreamQuery, cuStreamQuery, 2000, CUstream) \
	D(cuStreamSynchronize, cuStreamSynchronize, 2000, CUstream) \
	D(cuStreamWaitEvent, cuStreamWaitEvent, 3020, CUstream, CUevent, U) \
	D(cuStreamGetCtx, cuStreamGetCtx, 9020, CUstream, CUcontext *) \
	D(cuStreamGetPriority, cuStreamGetPriority, 5050, CUstream, int *) \
	D(cuStreamBeginCapture_v2, cuStreamBeginCapture, 10010, CUstream, CUstreamCaptureMode) \
	D(cuStreamEndCapture, cuStreamEndCapture, 10000, CUstream, CUgraph *) \
	D(cuStreamIsCapturing, cuStreamIsCapturing, 10000, CUstream, CUstreamCaptureStatus *) \
	D(cuThreadExchangeStreamCaptureMode, cuThreadExchangeStreamCaptureMode, 10010, \
		CUstreamCaptureMode *) \
	D(cuEventCreate, cuEventCreate, 2000, CUevent *, U) \
	D(cuEventDestroy_v2, cuEventDestroy, 4000, CUevent) \
	D(cuEventRecord, cuEventRecord, 2000, CUevent, CUstream) \
	D(cuEventQuery, cuEventQuery, 2000, CUevent) \
	D(cuEventSynchronize, cuEventSynchronize, 2000, CUevent) \
	D(cuEventElapsedTime, cuEventElapsedTime, 2000, float *, CUevent, CUevent) \
	D(cuMemAlloc_v2, cuMemAlloc, 3020, CUdeviceptr *, size_t) \
	D(cuMemFree_v2, cuMemFree, 3020, CUdeviceptr) \
	D(cuMemAllocHost_v2, cuMemAllocHost, 3020, P *, size_t) \
	D(cuMemFreeHost, cuMemFreeHost, 2000, P) \
	D(cuMemAllocAsync, cuMemAllocAsync, 11020, CUdeviceptr *, size_t, CUstream) \
	D(cuMemFreeAsync, cuMemFreeAsync, 11020, CUdeviceptr, CUstream) \
	D(cuMemAllocManaged, cuMemAllocManaged, 6000, CUdeviceptr *, size_t, U) \
	D(cuMemHostAlloc, cuMemHostAlloc, 2020, P *, size_t, U) \
	D(cuMemHostGetDevicePointer_v2, cuMemHostGetDevicePointer, 3020, CUdeviceptr *, P, U) \
	D(cuMemHostRegister_v2, cuMemHostRegister, 6050, P, size_t, U) \
	D(cuMemHostUnregister, cuMemHostUnregister, 4000, P) \
	D(cuMemGetInfo_v2, cuMemGetInfo, 3020, size_t *, size_t *) \
	D(cuMemGetAddressRange_v2, cuMemGetAddressRange, 3020, CUdeviceptr *, size_t *, CUdeviceptr) \
	D(cuMemAddressReserve, cuMemAddressReserve, 10020, CUdeviceptr *, size_t, size_t, CUdeviceptr, \
		unsigned long long) \
	D(cuMemAddressFree, cuMemAddressFree, 10020, CUdeviceptr, size_t) \
	D(cuMemCreate, cuMemCreate, 10020, CUmemGenericAllocationHandle *, size_t, \
		const CUmemAllocationProp *, unsigned long long) \
	D(cuMemRelease, cuMemRelease, 10020, CUmemGenericAllocationHandle) \
	D(cuMemMap, cuMemMap, 10020, CUdeviceptr, size_t, size_t, CUmemGenericAllocationHandle, \
		unsigned long long) \
	D(cuMemUnmap, cuMemUnmap, 10020, CUdeviceptr, size_t) \
	D(cuMemSetAccess, cuMemSetAccess, 10020, CUdeviceptr, size_t, const CUmemAccessDesc *, size_t) \
	D(cuMemcpy, cuMemcpy, 4000, CUdeviceptr, CUdeviceptr, size_t) \
	D(cuMemcpyHtoD_v2, cuMemcpyHtoD, 3020, CUdeviceptr, const void *, size_t) \
	D(cuMemcpyDtoH_v2, cuMemcpyDtoH, 3020, P, CUdeviceptr, size_t) \
	D(cuMemcpyDtoD_v2, cuMemcpyDtoD, 3020, CUdeviceptr, CUdeviceptr, size_t) \
	D(cuMemcpyHtoDAsync_v2, cuMemcpyHtoDAsync, 3020, CUdeviceptr, const void *, size_t, CUstream) \
	D(cuMemcpyDtoHAsync_v2, cuMemcpyDtoHAsync, 3020, P, CUdeviceptr, size_t, CUstream) \
	D(cuMemcpyDtoDAsync_v2, cuMemcpyDtoDAsync, 3020, CUdeviceptr, CUdeviceptr, size_t, CUstream) \
	D(cuMemcpyAsync, cuMemcpyAsync, 4000, CUdeviceptr, CUdeviceptr, size_t, CUstream) \
	D(cuMemcpy2D_v2, cuMemcpy2D, 3020, const CUDA_MEMCPY2D_v2 *) \
	D(cuMemcpy3DAsync_v2, cuMemcpy3DAsync, 3020, const CUDA_MEMCPY3D_v2 *, CUstream) \
	D(cuMemsetD8_v2, cuMemsetD8, 3020, CUdeviceptr, unsigned char, size_t) \
	D(cuMemsetD16_v2, cuMemsetD16, 3020, CUdeviceptr, unsigned short, size_t) \
	D(cuMemsetD32Async, cuMemsetD32Async, 3020, CUdeviceptr, U, size_t, CUstream) \
	D(cuMemsetD2D8_v2, cuMemsetD2D8, 3020, CUdeviceptr, size_t, unsigned char, size_t, size_t) \
	D(cuGraphCreate, cuGraphCreate, 10000, CUgraph *, U) \
	D(cuGraphDestroy, cuGraphDestroy, 10000, CUgraph) \
	D(cuGraphClone, cuGraphClone, 10000, CUgraph *, CUgraph) \
	D(cuGraphNodeFindInClone, cuGraphNodeFindInClone, 10000, CUgraphNode *, CUgraphNode, CUgraph) \
	D(cuGraphGetNodes, cuGraphGetNodes, 10000, CUgraph, CUgraphNode *, size_t *) \
	D(cuGraphGetEdges, cuGraphGetEdges, 10000, CUgraph, CUgraphNode *, CUgraphNode *, size_t *) \
	D(cuGraphGetEdges_v2, cuGraphGetEdges, 12030, CUgraph, CUgraphNode *, CUgraphNode *, \
		CUgraphEdgeData *, size_t *) \
	D(cuGraphNodeGetType, cuGraphNodeGetType, 10000, CUgraphNode, CUgraphNodeType *) \
	D(cuGraphAddKernelNode_v2, cuGraphAddKernelNode, 12000, CUgraphNode *, CUgraph, \
		const CUgraphNode *, size_t, const CUDA_KERNEL_NODE_PARAMS_v2 *) \
	D(cuGraphAddMemsetNode, cuGraphAddMemsetNode, 10000, CUgraphNode *, CUgraph, \
		const CUgraphNode *, size_t, const CUDA_MEMSET_NODE_PARAMS *, CUcontext) \
	D(cuGraphAddMemcpyNode, cuGraphAddMemcpyNode, 10000, CUgraphNode *, CUgraph, \
		const CUgraphNode *, size_t, const CUDA_MEMCPY3D_v2 *, CUcontext) \
	D(cuGraphAddHostNode, cuGraphAddHostNode, 10000, CUgraphNode *, CUgraph, const CUgraphNode *, \
		size_t, const CUDA_HOST_NODE_PARAMS *) \
	D(cuGraphAddEmptyNode, cuGraphAddEmptyNode, 10000, CUgraphNode *, CUgraph, \
		const CUgraphNode *, size_t) \
	D(cuGraphAddChildGraphNode, cuGraphAddChildGraphNode, 10000, CUgraphNode *, CUgraph, \
		const CUgraphNode *, size_t, CUgraph) \
	D(cuGraphAddDependencies_v2, cuGraphAddDependencies, 12030, CUgraph, const CUgraphNode *, \
		const CUgraphNode *, const CUgraphEdgeData *, size_t) \
	D(cuGraphRemoveDependencies_v2, cuGraphRemoveDependencies, 12030, CUgraph, const CUgraphNode *, \
		const CUgraphNode *, const CUgraphEdgeData *, size_t) \
	D(cuGraphKernelNodeSetParams_v2, cuGraphKernelNodeSetParams, 12000, CUgraphNode, \
		const CUDA_KERNEL_NODE_PARAMS_v2 *) \
	D(cuGraphKernelNodeGetAttribute, cuGraphKernelNodeGetAttribute, 11000, CUgraphNode, \
		CUlaunchAttributeID, CUlaunchAttributeValue *) \
	D(cuGraphKernelNodeSetAttribute, cuGraphKernelNodeSetAttribute, 11000, CUgraphNode, \
		CUlaunchAttributeID, const CUlaunchAttributeValue *) \
	D(cuGraphKernelNodeCopyAttributes, cuGraphKernelNodeCopyAttributes, 11000, CUgraphNode, CUgraphNode) \
	D(cuGraphNodeSetEnabled, cuGraphNodeSetEnabled, 11060, CUgraphExec, CUgraphNode, U) \
	D(cuGraphNodeGetEnabled, cuGraphNodeGetEnabled, 11060, CUgraphExec, CUgraphNode, U *) \
	D(cuGraphExecHostNodeSetParams, cuGraphExecHostNodeSetParams, 10020, CUgraphExec, CUgraphNode, \
		const CUDA_HOST_NODE_PARAMS *) \
	D(cuGraphExecChildGraphNodeSetParams, cuGraphExecChildGraphNodeSetParams, 11010, CUgraphExec, \
		CUgraphNode, CUgraph) \
	D(cuGraphKernelNodeGetParams, cuGraphKernelNodeGetParams, 10000, CUgraphNode, \
		CUDA_KERNEL_NODE_PARAMS_v1 *) \
	D(cuGraphMemcpyNodeGetParams, cuGraphMemcpyNodeGetParams, 10000, CUgraphNode, CUDA_MEMCPY3D_v2 *) \
	D(cuGraphMemsetNodeGetParams, cuGraphMemsetNodeGetParams, 10000, CUgraphNode, \
		CUDA_MEMSET_NODE_PARAMS *) \
	D(cuGraphChildGraphNodeGetGraph, cuGraphChildGraphNodeGetGraph, 10000, CUgraphNode, CUgraph *) \
	D(cuGraphKernelNodeGetParams_v2, cuGraphKernelNodeGetParams, 12000, CUgraphNode, \
		CUDA_KERNEL_NODE_PARAMS_v2 *) \
	D(cuGraphInstantiate_v2, cuGraphInstantiate, 11000, CUgraphExec *, CUgraph, CUgraphNode *, \
		char *, size_t) \
	D(cuGraphInstantiateWithFlags, cuGraphInstantiateWithFlags, 11040, CUgraphExec *, CUgraph, \
		unsigned long long) \
	D(cuGraphInstantiateWithParams, cuGraphInstantiateWithParams, 12000, CUgraphExec *, CUgraph, \
		CUDA_GRAPH_INSTANTIATE_PARAMS *) \
	D(cuGraphUpload, cuGraphUpload, 11010, CUgraphExec, CUstream) \
	D(cuGraphLaunch, cuGraphLaunch, 10000, CUgraphExec, CUstream) \
	D(cuGraphExecDestroy, cuGraphExecDestroy, 10000, CUgraphExec) \
	D(cuGraphExecUpdate_v2, cuGraphExecUpdate, 12000, CUgraphExec, CUgraph, \
		CUgraphExecUpdateResultInfo *) \
	D(cuGraphExecKernelNodeSetParams_v2, cuGraphExecKernelNodeSetParams, 12000, CUgraphExec, \
		CUgraphNode, const CUDA_KERNEL_NODE_PARAMS_v2 *)

struct driver {
#define D(name, base, version, ...) CUresult (*name)(__VA_ARGS__);
	DRIVER_API
#undef D
	void *(*symbol)(const char *name); /* an exported symbol */
	CUresult (*gpa1)(const char *, void **, int, uint64_t);
	CUresult (*gpa2)(const char *, void **, int, uint64_t, int *);
};
extern struct driver cu;

/* The test's own GPU objects, made in turn by the parts below. */
struct conformance {
	CUcontext ctx;
	CUmodule module;
	CUfunction add_one, double_it, set_all, spin;
	CUstream stream;
	CUdeviceptr data;
};
extern struct conformance t;
enum { CONF_INTS = 1024 };
extern const char conformance_ptx[], conformance_stamps[];

bool conf_ok(bool pass, const char *name, ...) __attribute__((format(printf, 2, 3)));
bool check_result(const char *name, CUresult got, CUresult want);
/* check(want, call): a test named after the call and what it should return. */
#define check(want, call) check_result(#call, cu.call, want)
/* Likewise of a call whose results are used in what follows: that is left out when it fails. */
#define need(call) do { if (!check(CUDA_SUCCESS, call)) return; } while (0)
void check_data(const char *name, int want); /* every int of t.data */
CUresult conf_launch(CUfunction f, CUstream stream, int value);
/*
 * What is put onto that stream from now on waits until it is let go, and for no time: what is asked meanwhile has one
 * answer, however late a busy machine comes to the question. One stream at a time.
 */
void conf_hold(CUstream stream);
void conf_let_go(void);

void conf_lookup(void);
void conf_before_init(void);
void conf_context(void);
void conf_module(void);
void conf_facts(void);
void conf_stamp(void);
void conf_twin(void);
void conf_memory(void);
void conf_copy(void);
void conf_stream(void);
void conf_capture(void);
void conf_ask(void);
void conf_graph(void);
void conf_end(void);

#endif
