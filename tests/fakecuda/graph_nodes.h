/* graph_nodes.h - parameters of nodes as calls have them, for the files that add, read and change nodes. */
#ifndef FAKECUDA_GRAPH_NODES_H
#define FAKECUDA_GRAPH_NODES_H

#include <string.h>

#include "tests/fakecuda/graph.h"

enum { FK_ARGS_ROOM = 4096 }; /* what the real driver takes at most */

struct fk_node_params { /* CUgraphNodeParams */
	CUgraphNodeType type;
	int reserved0[3];
	union {
		long long reserved1[29];
		CUDA_KERNEL_NODE_PARAMS_v2 kernel;
		struct { int flags, reserved; CUcontext ctx; CUDA_MEMCPY3D_v2 params; } copy;
		struct { CUDA_MEMSET_NODE_PARAMS params; CUcontext ctx; } set;
		CUDA_HOST_NODE_PARAMS host;
		CUgraph graph;
		CUevent event;
		struct {
			uint64_t handle;
			int type;
			unsigned int size;
			CUgraph *bodies; /* the driver's array, given to the caller */
			CUcontext ctx;
		} conditional;
	};
	long long reserved2;
};
_Static_assert(sizeof(struct fk_node_params) == 256, "CUgraphNodeParams");

/* The two versions of kernel parameters; v2 only adds fields. */
static inline CUDA_KERNEL_NODE_PARAMS_v2 fk_widen(const CUDA_KERNEL_NODE_PARAMS_v1 *v1)
{
	CUDA_KERNEL_NODE_PARAMS_v2 v2 = { 0 };

	memcpy(&v2, v1, sizeof(*v1));
	return v2;
}

static inline CUDA_KERNEL_NODE_PARAMS_v1 fk_narrow(CUDA_KERNEL_NODE_PARAMS_v2 v2)
{
	CUDA_KERNEL_NODE_PARAMS_v1 v1;

	memcpy(&v1, &v2, sizeof(v1));
	return v1;
}

#define FK_WIDE(p) ((CUDA_KERNEL_NODE_PARAMS_v2[]){ fk_widen(p) })
/* Parameters by pointer may not be NULL. */
#define FK_GIVEN(p, ...) (!(p) ? CUDA_ERROR_INVALID_VALUE : (__VA_ARGS__))

static inline bool fk_is_node(CUgraphNode node, CUgraphNodeType type)
{
	return fk_is(node, FK_NODE) && node->work.type == type;
}

#endif
