/*
 * graph_nodes.c - cuGraphAdd…Node and what reads or changes a node's parameters.
 */
#include <string.h>

#include "tests/fakecuda/fake.h"

static CUresult add(CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, size_t count,
	const CUgraphEdgeData *data, const struct fk_work *work)
{
	CUresult result;

	pthread_mutex_lock(&fk_lock);
	result = fk_graph_add_locked(graph, work, deps, data, count, out);
	pthread_mutex_unlock(&fk_lock);
	return result;
}

enum { ARGS_ROOM = 4096 };

static CUDA_KERNEL_NODE_PARAMS_v2 widen(const CUDA_KERNEL_NODE_PARAMS_v1 *v1)
{
	CUDA_KERNEL_NODE_PARAMS_v2 v2 = { 0 };

	memcpy(&v2, v1, sizeof(*v1));
	return v2;
}

static CUDA_KERNEL_NODE_PARAMS_v1 narrow(CUDA_KERNEL_NODE_PARAMS_v2 v2)
{
	CUDA_KERNEL_NODE_PARAMS_v1 v1;

	memcpy(&v1, &v2, sizeof(v1));
	return v1;
}

static CUresult add_kernel(CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, size_t count,
	const CUgraphEdgeData *data, const CUDA_KERNEL_NODE_PARAMS_v2 *params)
{
	_Alignas(16) char args[ARGS_ROOM];
	struct fk_work work;
	CUresult result = fk_kernel_work(&work, params, args, sizeof(args));

	return result ? result : add(out, graph, deps, count, data, &work);
}

static CUresult add_copy(CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, size_t count,
	const CUgraphEdgeData *data, const CUDA_MEMCPY3D_v2 *copy)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_MEMCPY };
	CUresult result;

	work.copy = *copy;
	result = fk_copy_check(copy);
	return result ? result : add(out, graph, deps, count, data, &work);
}

static CUresult add_set(CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, size_t count,
	const CUgraphEdgeData *data, const CUDA_MEMSET_NODE_PARAMS *set)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_MEMSET, .set = *set };
	CUresult result = fk_set_check(set);

	return result ? result : add(out, graph, deps, count, data, &work);
}

static CUresult add_host(CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, size_t count,
	const CUgraphEdgeData *data, const CUDA_HOST_NODE_PARAMS *host)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_HOST, .host = *host };

	return host->fn ? add(out, graph, deps, count, data, &work) : CUDA_ERROR_INVALID_VALUE;
}

static CUresult add_child(CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, size_t count,
	const CUgraphEdgeData *data, CUgraph child)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_GRAPH, .child = child };

	return fk_is(child, FK_GRAPH) && child != graph ? add(out, graph, deps, count, data, &work) :
		CUDA_ERROR_INVALID_VALUE;
}

static CUresult add_event(CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, size_t count,
	const CUgraphEdgeData *data, CUevent event, CUgraphNodeType type)
{
	struct fk_work work = { .type = type, .external = true, .event = event };

	return fk_is(event, FK_EVENT) ? add(out, graph, deps, count, data, &work) :
		CUDA_ERROR_INVALID_VALUE;
}

static CUresult add_empty(CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, size_t count,
	const CUgraphEdgeData *data)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_EMPTY };

	return add(out, graph, deps, count, data, &work);
}

struct node_params { /* CUgraphNodeParams */
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
	};
	long long reserved2;
};
_Static_assert(sizeof(struct node_params) == 256, "CUgraphNodeParams");

static CUresult add_any(CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, size_t count,
	const CUgraphEdgeData *data, const struct node_params *p)
{
	switch (p ? p->type : -1) {
	case CU_GRAPH_NODE_TYPE_KERNEL:
		return add_kernel(out, graph, deps, count, data, &p->kernel);
	case CU_GRAPH_NODE_TYPE_MEMCPY:
		return add_copy(out, graph, deps, count, data, &p->copy.params);
	case CU_GRAPH_NODE_TYPE_MEMSET:
		return add_set(out, graph, deps, count, data, &p->set.params);
	case CU_GRAPH_NODE_TYPE_HOST:
		return add_host(out, graph, deps, count, data, &p->host);
	case CU_GRAPH_NODE_TYPE_GRAPH:
		return add_child(out, graph, deps, count, data, p->graph);
	case CU_GRAPH_NODE_TYPE_EMPTY:
		return add_empty(out, graph, deps, count, data);
	case CU_GRAPH_NODE_TYPE_WAIT_EVENT:
	case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
		return add_event(out, graph, deps, count, data, p->event, p->type);
	case -1:
		return CUDA_ERROR_INVALID_VALUE;
	default:
		return CUDA_ERROR_NOT_SUPPORTED;
	}
}

/* ---- parameters -------------------------------------------------------------------- */

static bool is_node(CUgraphNode node, CUgraphNodeType type)
{
	return fk_is(node, FK_NODE) && node->work.type == type;
}

static CUDA_KERNEL_NODE_PARAMS_v2 kernel_params(CUgraphNode node)
{
	const struct fk_work *w = &node->work;

	return (CUDA_KERNEL_NODE_PARAMS_v2){
		.func = w->kernel.func,
		.gridDimX = w->kernel.grid[0], .gridDimY = w->kernel.grid[1], .gridDimZ = w->kernel.grid[2],
		.blockDimX = w->kernel.block[0], .blockDimY = w->kernel.block[1],
		.blockDimZ = w->kernel.block[2], .sharedMemBytes = w->kernel.shared,
		.kernelParams = w->kernel.pointers, .kern = w->kernel.kern, .ctx = w->kernel.ctx,
	};
}

/* The new work takes the place of the node's; also for a node of an exec's own copy. */
static CUresult replace(CUgraphNode node, const struct fk_work *work)
{
	struct fk_work copy;
	CUresult result;

	pthread_mutex_lock(&fk_lock);
	result = fk_work_copy_locked(&copy, work);
	if (!result) {
		fk_work_drop_locked(&node->work);
		node->work = copy;
	}
	pthread_mutex_unlock(&fk_lock);
	return result;
}

static CUresult set_kernel(CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v2 *params)
{
	_Alignas(16) char args[ARGS_ROOM];
	struct fk_work work;
	CUresult result;

	if (!is_node(node, CU_GRAPH_NODE_TYPE_KERNEL))
		return CUDA_ERROR_INVALID_VALUE;
	result = fk_kernel_work(&work, params, args, sizeof(args));
	work.kernel.attributes = node->work.kernel.attributes; /* not of these parameters: it keeps them */
	return result ? result : replace(node, &work);
}

static CUresult set_copy(CUgraphNode node, const CUDA_MEMCPY3D_v2 *copy)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_MEMCPY };
	CUresult result = is_node(node, work.type) ? fk_copy_check(copy) : CUDA_ERROR_INVALID_VALUE;

	work.copy = *copy;
	return result ? result : replace(node, &work);
}

static CUresult set_set(CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS *set)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_MEMSET, .set = *set };
	CUresult result = is_node(node, work.type) ? fk_set_check(set) : CUDA_ERROR_INVALID_VALUE;

	return result ? result : replace(node, &work);
}

/* The exec's own node that was made from the given one; NULL: not of this exec. */
static CUgraphNode of_exec(CUgraphExec exec, CUgraphNode node)
{
	return fk_is(exec, FK_EXEC) && node ? fk_graph_find_clone(exec->graph, node) : NULL;
}

static CUresult node_enabled(CUgraphNode node, const unsigned int *set, unsigned int *get)
{
	if (!node || (!set && !get))
		return CUDA_ERROR_INVALID_VALUE;
	if (set)
		node->disabled = !*set;
	else
		*get = !node->disabled;
	return CUDA_SUCCESS;
}

#define NODE_FACT(node, type, out, value) \
	(!(out) || !is_node(node, type) ? CUDA_ERROR_INVALID_VALUE : (*(out) = (value), CUDA_SUCCESS))
/* The two versions of kernel parameters; v2 only adds fields. */
#define WIDE(p) ((CUDA_KERNEL_NODE_PARAMS_v2[]){ widen(p) })
#define ADD_ARGS CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, size_t count
/* Parameters by pointer may not be NULL. */
#define GIVEN(p, ...) (!(p) ? CUDA_ERROR_INVALID_VALUE : (__VA_ARGS__))

FK_API(FK_INIT, cuGraphAddKernelNode, (ADD_ARGS, const CUDA_KERNEL_NODE_PARAMS_v1 *p),
	GIVEN(p, add_kernel(out, graph, deps, count, NULL, WIDE(p))))
FK_API(FK_INIT, cuGraphAddKernelNode_v2, (ADD_ARGS, const CUDA_KERNEL_NODE_PARAMS_v2 *p),
	GIVEN(p, add_kernel(out, graph, deps, count, NULL, p)))
FK_API(FK_INIT, cuGraphAddMemcpyNode, (ADD_ARGS, const CUDA_MEMCPY3D_v2 *p, CUcontext ctx),
	(void)ctx, GIVEN(p, add_copy(out, graph, deps, count, NULL, p)))
FK_API(FK_INIT, cuGraphAddMemsetNode, (ADD_ARGS, const CUDA_MEMSET_NODE_PARAMS *p, CUcontext ctx),
	(void)ctx, GIVEN(p, add_set(out, graph, deps, count, NULL, p)))
FK_API(FK_INIT, cuGraphAddHostNode, (ADD_ARGS, const CUDA_HOST_NODE_PARAMS *p),
	GIVEN(p, add_host(out, graph, deps, count, NULL, p)))
FK_API(FK_INIT, cuGraphAddChildGraphNode, (ADD_ARGS, CUgraph child),
	add_child(out, graph, deps, count, NULL, child))
FK_API(FK_INIT, cuGraphAddEmptyNode, (ADD_ARGS), add_empty(out, graph, deps, count, NULL))
FK_API(FK_INIT, cuGraphAddEventRecordNode, (ADD_ARGS, CUevent event),
	add_event(out, graph, deps, count, NULL, event, CU_GRAPH_NODE_TYPE_EVENT_RECORD))
FK_API(FK_INIT, cuGraphAddEventWaitNode, (ADD_ARGS, CUevent event),
	add_event(out, graph, deps, count, NULL, event, CU_GRAPH_NODE_TYPE_WAIT_EVENT))
FK_API(FK_INIT, cuGraphAddNode, (ADD_ARGS, const struct node_params *p),
	add_any(out, graph, deps, count, NULL, p))
FK_API(FK_INIT, cuGraphAddNode_v2,
	(CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, const CUgraphEdgeData *data,
	 size_t count, const struct node_params *p),
	add_any(out, graph, deps, count, data, p))

FK_API(FK_INIT, cuGraphNodeGetType, (CUgraphNode node, CUgraphNodeType *out),
	!out || !fk_is(node, FK_NODE) ? CUDA_ERROR_INVALID_VALUE :
	(*out = node->work.type, CUDA_SUCCESS))
FK_API(FK_INIT, cuGraphKernelNodeGetParams, (CUgraphNode node, CUDA_KERNEL_NODE_PARAMS_v1 *out),
	NODE_FACT(node, CU_GRAPH_NODE_TYPE_KERNEL, out, narrow(kernel_params(node))))
FK_API(FK_INIT, cuGraphKernelNodeGetParams_v2, (CUgraphNode node, CUDA_KERNEL_NODE_PARAMS_v2 *out),
	NODE_FACT(node, CU_GRAPH_NODE_TYPE_KERNEL, out, kernel_params(node)))
FK_API(FK_INIT, cuGraphMemcpyNodeGetParams, (CUgraphNode node, CUDA_MEMCPY3D_v2 *out),
	NODE_FACT(node, CU_GRAPH_NODE_TYPE_MEMCPY, out, node->work.copy))
FK_API(FK_INIT, cuGraphMemsetNodeGetParams, (CUgraphNode node, CUDA_MEMSET_NODE_PARAMS *out),
	NODE_FACT(node, CU_GRAPH_NODE_TYPE_MEMSET, out, node->work.set))
FK_API(FK_INIT, cuGraphHostNodeGetParams, (CUgraphNode node, CUDA_HOST_NODE_PARAMS *out),
	NODE_FACT(node, CU_GRAPH_NODE_TYPE_HOST, out, node->work.host))
FK_API(FK_INIT, cuGraphChildGraphNodeGetGraph, (CUgraphNode node, CUgraph *out),
	NODE_FACT(node, CU_GRAPH_NODE_TYPE_GRAPH, out, node->work.child))
FK_API(FK_INIT, cuGraphEventRecordNodeGetEvent, (CUgraphNode node, CUevent *out),
	NODE_FACT(node, CU_GRAPH_NODE_TYPE_EVENT_RECORD, out, node->work.event))
FK_API(FK_INIT, cuGraphEventWaitNodeGetEvent, (CUgraphNode node, CUevent *out),
	NODE_FACT(node, CU_GRAPH_NODE_TYPE_WAIT_EVENT, out, node->work.event))

FK_API(FK_INIT, cuGraphKernelNodeSetParams, (CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v1 *p),
	GIVEN(p, set_kernel(node, WIDE(p))))
FK_API(FK_INIT, cuGraphKernelNodeSetParams_v2,
	(CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v2 *p), GIVEN(p, set_kernel(node, p)))
FK_API(FK_INIT, cuGraphMemcpyNodeSetParams, (CUgraphNode node, const CUDA_MEMCPY3D_v2 *p),
	GIVEN(p, set_copy(node, p)))
FK_API(FK_INIT, cuGraphMemsetNodeSetParams, (CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS *p),
	GIVEN(p, set_set(node, p)))
FK_API(FK_INIT, cuGraphExecKernelNodeSetParams,
	(CUgraphExec exec, CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v1 *p),
	GIVEN(p, set_kernel(of_exec(exec, node), WIDE(p))))
FK_API(FK_INIT, cuGraphExecKernelNodeSetParams_v2,
	(CUgraphExec exec, CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v2 *p),
	GIVEN(p, set_kernel(of_exec(exec, node), p)))
FK_API(FK_INIT, cuGraphExecMemcpyNodeSetParams,
	(CUgraphExec exec, CUgraphNode node, const CUDA_MEMCPY3D_v2 *p, CUcontext ctx),
	(void)ctx, GIVEN(p, set_copy(of_exec(exec, node), p)))
FK_API(FK_INIT, cuGraphExecMemsetNodeSetParams,
	(CUgraphExec exec, CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS *p, CUcontext ctx),
	(void)ctx, GIVEN(p, set_set(of_exec(exec, node), p)))
FK_API(FK_INIT, cuGraphNodeSetEnabled, (CUgraphExec exec, CUgraphNode node, unsigned int on),
	node_enabled(of_exec(exec, node), &on, NULL))
FK_API(FK_INIT, cuGraphNodeGetEnabled, (CUgraphExec exec, CUgraphNode node, unsigned int *on),
	node_enabled(of_exec(exec, node), NULL, on))
