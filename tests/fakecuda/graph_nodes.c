/*
 * graph_nodes.c - cuGraphAdd…Node and what reads a node's parameters.
 */
#include "tests/fakecuda/graph_nodes.h"

static CUresult add(CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, size_t count,
	const CUgraphEdgeData *data, const struct fk_work *work)
{
	CUresult result;

	pthread_mutex_lock(&fk_lock);
	result = fk_graph_add_locked(graph, work, deps, data, count, out);
	pthread_mutex_unlock(&fk_lock);
	return result;
}

static CUresult add_kernel(CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, size_t count,
	const CUgraphEdgeData *data, const CUDA_KERNEL_NODE_PARAMS_v2 *params)
{
	_Alignas(16) char args[FK_ARGS_ROOM];
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

	return fk_is(child, FK_GRAPH) && child != graph && !fk_graph_has(child, fk_work_is_fixed) ? add(out, graph, deps, count, data, &work) :
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

/*
 * What a kernel would set at run time is not simulated: the body runs, once, when the handle's
 * default says so, which is part of the handle.
 */
static CUresult add_conditional(CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, size_t count,
	const CUgraphEdgeData *data, struct fk_node_params *p)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_CONDITIONAL, .taken = (uint32_t)p->conditional.handle };
	CUresult result;

	if (!p->conditional.handle || p->conditional.size != 1)
		return CUDA_ERROR_INVALID_VALUE;
	work.child = fk_graph_new();
	if (!work.child)
		return CUDA_ERROR_OUT_OF_MEMORY;
	result = add(out, graph, deps, count, data, &work);
	if (!result)
		p->conditional.bodies = &(*out)->work.child;
	pthread_mutex_lock(&fk_lock);
	fk_graph_free_locked(work.child);
	pthread_mutex_unlock(&fk_lock);
	return result;
}

static CUresult conditional_handle(uint64_t *out, CUgraph graph, unsigned int otherwise, unsigned int flags)
{
	static uint32_t last; /* peer: threads that make handles at once */
	const unsigned int assign_default = 1;

	if (!out || !fk_is(graph, FK_GRAPH) || flags > assign_default)
		return CUDA_ERROR_INVALID_VALUE;
	*out = (uint64_t)__atomic_add_fetch(&last, 1, __ATOMIC_RELAXED) << 32;
	if (flags & assign_default)
		*out |= otherwise;
	return CUDA_SUCCESS;
}

static CUresult add_any(CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, size_t count,
	const CUgraphEdgeData *data, struct fk_node_params *p)
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
	case CU_GRAPH_NODE_TYPE_CONDITIONAL:
		return add_conditional(out, graph, deps, count, data, p);
	case -1:
		return CUDA_ERROR_INVALID_VALUE;
	default:
		return CUDA_ERROR_NOT_SUPPORTED;
	}
}

/* ---- parameters -------------------------------------------------------------------- */

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

#define NODE_FACT(node, type, out, value) \
	(!(out) || !fk_is_node(node, type) ? CUDA_ERROR_INVALID_VALUE : (*(out) = (value), CUDA_SUCCESS))
#define ADD_ARGS CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, size_t count

FK_API(FK_INIT, cuGraphAddKernelNode, (ADD_ARGS, const CUDA_KERNEL_NODE_PARAMS_v1 *p),
	FK_GIVEN(p, add_kernel(out, graph, deps, count, NULL, FK_WIDE(p))))
FK_API(FK_INIT, cuGraphAddKernelNode_v2, (ADD_ARGS, const CUDA_KERNEL_NODE_PARAMS_v2 *p),
	FK_GIVEN(p, add_kernel(out, graph, deps, count, NULL, p)))
FK_API(FK_INIT, cuGraphAddMemcpyNode, (ADD_ARGS, const CUDA_MEMCPY3D_v2 *p, CUcontext ctx),
	(void)ctx, FK_GIVEN(p, add_copy(out, graph, deps, count, NULL, p)))
FK_API(FK_INIT, cuGraphAddMemsetNode, (ADD_ARGS, const CUDA_MEMSET_NODE_PARAMS *p, CUcontext ctx),
	(void)ctx, FK_GIVEN(p, add_set(out, graph, deps, count, NULL, p)))
FK_API(FK_INIT, cuGraphAddHostNode, (ADD_ARGS, const CUDA_HOST_NODE_PARAMS *p),
	FK_GIVEN(p, add_host(out, graph, deps, count, NULL, p)))
FK_API(FK_INIT, cuGraphAddChildGraphNode, (ADD_ARGS, CUgraph child),
	add_child(out, graph, deps, count, NULL, child))
FK_API(FK_INIT, cuGraphAddEmptyNode, (ADD_ARGS), add_empty(out, graph, deps, count, NULL))
FK_API(FK_INIT, cuGraphAddEventRecordNode, (ADD_ARGS, CUevent event),
	add_event(out, graph, deps, count, NULL, event, CU_GRAPH_NODE_TYPE_EVENT_RECORD))
FK_API(FK_INIT, cuGraphAddEventWaitNode, (ADD_ARGS, CUevent event),
	add_event(out, graph, deps, count, NULL, event, CU_GRAPH_NODE_TYPE_WAIT_EVENT))
FK_API(FK_INIT, cuGraphAddNode, (ADD_ARGS, struct fk_node_params *p),
	add_any(out, graph, deps, count, NULL, p))
FK_API(FK_INIT, cuGraphAddNode_v2,
	(CUgraphNode *out, CUgraph graph, const CUgraphNode *deps, const CUgraphEdgeData *data,
	 size_t count, struct fk_node_params *p),
	add_any(out, graph, deps, count, data, p))

FK_API(FK_INIT, cuGraphConditionalHandleCreate,
	(uint64_t *out, CUgraph graph, CUcontext ctx, unsigned int otherwise, unsigned int flags),
	(void)ctx, conditional_handle(out, graph, otherwise, flags))

FK_API(FK_INIT, cuGraphNodeGetType, (CUgraphNode node, CUgraphNodeType *out),
	!out || !fk_is(node, FK_NODE) ? CUDA_ERROR_INVALID_VALUE :
	(*out = node->work.type, CUDA_SUCCESS))
FK_API(FK_INIT, cuGraphKernelNodeGetParams, (CUgraphNode node, CUDA_KERNEL_NODE_PARAMS_v1 *out),
	NODE_FACT(node, CU_GRAPH_NODE_TYPE_KERNEL, out, fk_narrow(kernel_params(node))))
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
