/*
 * cuda_abi_graph.h - graphs, their nodes and what becomes of them.
 *
 * Part of cuda_abi.h, by its rules, and included by it alone.
 */
#ifndef VPROF_SHIM_CUDA_ABI_GRAPH_H
#define VPROF_SHIM_CUDA_ABI_GRAPH_H

#include "shim/cuda_abi.h"

/* ---- graphs ------------------------------------------------------------- */

typedef int CUgraphNodeType;
enum {
	CU_GRAPH_NODE_TYPE_KERNEL = 0,
	CU_GRAPH_NODE_TYPE_MEMCPY = 1,
	CU_GRAPH_NODE_TYPE_MEMSET = 2,
	CU_GRAPH_NODE_TYPE_HOST = 3,
	CU_GRAPH_NODE_TYPE_GRAPH = 4,
	CU_GRAPH_NODE_TYPE_EMPTY = 5,
	CU_GRAPH_NODE_TYPE_WAIT_EVENT = 6,
	CU_GRAPH_NODE_TYPE_EVENT_RECORD = 7,
	CU_GRAPH_NODE_TYPE_EXT_SEMAS_SIGNAL = 8,
	CU_GRAPH_NODE_TYPE_EXT_SEMAS_WAIT = 9,
	CU_GRAPH_NODE_TYPE_MEM_ALLOC = 10,
	CU_GRAPH_NODE_TYPE_MEM_FREE = 11,
	CU_GRAPH_NODE_TYPE_BATCH_MEM_OP = 12,
	CU_GRAPH_NODE_TYPE_CONDITIONAL = 13,
};

typedef struct CUDA_KERNEL_NODE_PARAMS_st {
	CUfunction func;
	unsigned int gridDimX, gridDimY, gridDimZ;
	unsigned int blockDimX, blockDimY, blockDimZ;
	unsigned int sharedMemBytes;
	void **kernelParams;
	void **extra;
} CUDA_KERNEL_NODE_PARAMS_v1;

/* As v1, then: the kernel when func is NULL, and the context to run it in. */
typedef struct CUDA_KERNEL_NODE_PARAMS_v2_st {
	CUfunction func;
	unsigned int gridDimX, gridDimY, gridDimZ;
	unsigned int blockDimX, blockDimY, blockDimZ;
	unsigned int sharedMemBytes;
	void **kernelParams;
	void **extra;
	CUkernel kern;
	CUcontext ctx;
} CUDA_KERNEL_NODE_PARAMS_v2;

typedef struct CUDA_MEMSET_NODE_PARAMS_st {
	CUdeviceptr dst;
	size_t pitch;
	unsigned int value;
	unsigned int elementSize;
	size_t width, height;
} CUDA_MEMSET_NODE_PARAMS;

typedef struct CUDA_HOST_NODE_PARAMS_st {
	CUhostFn fn;
	void *userData;
} CUDA_HOST_NODE_PARAMS;

typedef struct CUgraphEdgeData_st {
	unsigned char from_port;
	unsigned char to_port;
	unsigned char type;
	unsigned char reserved[5];
} CUgraphEdgeData;
enum {
	CU_GRAPH_DEPENDENCY_TYPE_DEFAULT = 0,
	CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC = 1,
	CU_GRAPH_KERNEL_NODE_PORT_DEFAULT = 0,
	CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC = 1,
	CU_GRAPH_KERNEL_NODE_PORT_LAUNCH_ORDER = 2,
};

enum {
	CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH = 1,
	CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD = 2,
	CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH = 4,
	CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY = 8,
};

enum { /* CUDA_GRAPH_INSTANTIATE_PARAMS.result_out */
	CUDA_GRAPH_INSTANTIATE_SUCCESS = 0,
	CUDA_GRAPH_INSTANTIATE_ERROR = 1,
	CUDA_GRAPH_INSTANTIATE_INVALID_STRUCTURE = 2,
};

typedef struct CUDA_GRAPH_INSTANTIATE_PARAMS_st {
	unsigned long long flags;
	CUstream hUploadStream;
	CUgraphNode hErrNode_out;
	int result_out;
} CUDA_GRAPH_INSTANTIATE_PARAMS;

enum { /* CUgraphExecUpdateResultInfo.result */
	CU_GRAPH_EXEC_UPDATE_SUCCESS = 0,
	CU_GRAPH_EXEC_UPDATE_ERROR = 1,
	CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED = 2,
	CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED = 3,
};

typedef struct CUgraphExecUpdateResultInfo_st {
	int result;
	CUgraphNode errorNode;
	CUgraphNode errorFromNode;
} CUgraphExecUpdateResultInfo;

/* ---- the layouts -------------------------------------------------------- */

CU_ABI_SIZE(CUDA_KERNEL_NODE_PARAMS_v1, 56);
CU_ABI_AT(CUDA_KERNEL_NODE_PARAMS_v1, kernelParams, 40);
CU_ABI_SIZE(CUDA_KERNEL_NODE_PARAMS_v2, 72);
CU_ABI_AT(CUDA_KERNEL_NODE_PARAMS_v2, kern, 56);
CU_ABI_AT(CUDA_KERNEL_NODE_PARAMS_v2, ctx, 64);
CU_ABI_SIZE(CUDA_MEMSET_NODE_PARAMS, 40);
CU_ABI_AT(CUDA_MEMSET_NODE_PARAMS, width, 24);
CU_ABI_SIZE(CUDA_HOST_NODE_PARAMS, 16);
CU_ABI_SIZE(CUgraphEdgeData, 8);
CU_ABI_AT(CUgraphEdgeData, type, 2);
CU_ABI_SIZE(CUDA_GRAPH_INSTANTIATE_PARAMS, 32);
CU_ABI_AT(CUDA_GRAPH_INSTANTIATE_PARAMS, result_out, 24);
CU_ABI_SIZE(CUgraphExecUpdateResultInfo, 24);
CU_ABI_AT(CUgraphExecUpdateResultInfo, errorFromNode, 16);

#endif
