/*
 * graph_set.c - what changes a node's parameters: in a graph, or in an exec,
 * where the node is named by the one that it was made from.
 *
 * A change of an exec is for launches to come: runs that are under way or
 * wait keep the graph they were launched with, and the exec gets a copy.
 */
#include "tests/fakecuda/graph_nodes.h"

/* A node of a graph; or, when exec is not NULL, the exec's own that stands for it. */
struct target {
	CUgraphExec exec;
	CUgraphNode node;
};
#define NODE(node) ((struct target){ NULL, node })
#define EXEC(exec, node) ((struct target){ exec, node })

static CUgraphNode target_node(struct target t)
{
	if (!t.exec)
		return fk_is(t.node, FK_NODE) ? t.node : NULL;
	if (!fk_is(t.exec, FK_EXEC) || !t.node || fk_exec_own_locked(t.exec))
		return NULL;
	return fk_graph_find_deep(t.exec->plan->graph, t.node);
}

static bool same_shape(CUgraph a, CUgraph b)
{
	if (a->node_count != b->node_count || a->edge_count != b->edge_count)
		return false;
	for (size_t i = 0; i < a->node_count; i++)
		if (a->nodes[i]->work.type != b->nodes[i]->work.type)
			return false;
	return true;
}

/* Attributes are no parameters: a kernel node keeps its own. */
static CUresult node_put(CUgraphNode node, const struct fk_work *work)
{
	struct fk_work put = *work, copy;
	CUresult result;

	if (!node || node->work.type != work->type)
		return CUDA_ERROR_INVALID_VALUE;
	if (work->type == CU_GRAPH_NODE_TYPE_KERNEL)
		put.kernel.attributes = node->work.kernel.attributes;
	if (work->type == CU_GRAPH_NODE_TYPE_GRAPH && !same_shape(node->work.child, work->child))
		return CUDA_ERROR_INVALID_VALUE;
	result = fk_work_copy_locked(&copy, &put);
	if (result)
		return result;
	fk_work_drop_locked(&node->work);
	node->work = copy;
	return CUDA_SUCCESS;
}

static CUresult put(struct target t, const struct fk_work *work)
{
	CUresult result;

	pthread_mutex_lock(&fk_lock);
	result = node_put(target_node(t), work);
	if (!result && t.exec)
		fk_plan_look(t.exec->plan);
	pthread_mutex_unlock(&fk_lock);
	return result;
}

static CUresult set_kernel(struct target t, const CUDA_KERNEL_NODE_PARAMS_v2 *params)
{
	_Alignas(16) char args[FK_ARGS_ROOM];
	struct fk_work work;
	CUresult result = fk_kernel_work(&work, params, args, sizeof(args));

	return result ? result : put(t, &work);
}

static CUresult set_copy(struct target t, const CUDA_MEMCPY3D_v2 *copy)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_MEMCPY };
	CUresult result = fk_copy_check(copy);

	work.copy = *copy;
	return result ? result : put(t, &work);
}

static CUresult set_fill(struct target t, const CUDA_MEMSET_NODE_PARAMS *set)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_MEMSET, .set = *set };
	CUresult result = fk_set_check(set);

	return result ? result : put(t, &work);
}

static CUresult set_host(struct target t, const CUDA_HOST_NODE_PARAMS *host)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_HOST, .host = *host };

	return host->fn ? put(t, &work) : CUDA_ERROR_INVALID_VALUE;
}

static CUresult set_child(struct target t, CUgraph child)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_GRAPH, .child = child };

	return fk_is(child, FK_GRAPH) ? put(t, &work) : CUDA_ERROR_INVALID_VALUE;
}

static CUresult set_event(struct target t, CUevent event, CUgraphNodeType type)
{
	struct fk_work work = { .type = type, .external = true, .event = event };

	return fk_is(event, FK_EVENT) ? put(t, &work) : CUDA_ERROR_INVALID_VALUE;
}

static CUresult set_any(struct target t, const struct fk_node_params *p)
{
	switch (p->type) {
	case CU_GRAPH_NODE_TYPE_KERNEL:
		return set_kernel(t, &p->kernel);
	case CU_GRAPH_NODE_TYPE_MEMCPY:
		return set_copy(t, &p->copy.params);
	case CU_GRAPH_NODE_TYPE_MEMSET:
		return set_fill(t, &p->set.params);
	case CU_GRAPH_NODE_TYPE_HOST:
		return set_host(t, &p->host);
	case CU_GRAPH_NODE_TYPE_GRAPH:
		return set_child(t, p->graph);
	case CU_GRAPH_NODE_TYPE_WAIT_EVENT:
	case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
		return set_event(t, p->event, p->type);
	default:
		return CUDA_ERROR_INVALID_VALUE;
	}
}

/* Kernels, copies and fills may be switched off. */
static CUresult enabled(struct target t, const unsigned int *set, unsigned int *get)
{
	CUgraphNode node;
	CUresult result = CUDA_ERROR_INVALID_VALUE;

	if (!set && !get)
		return result;
	pthread_mutex_lock(&fk_lock);
	node = target_node(t);
	if (node && node->work.type <= CU_GRAPH_NODE_TYPE_MEMSET) {
		if (set)
			node->disabled = !*set;
		else
			*get = !node->disabled;
		result = CUDA_SUCCESS;
	}
	pthread_mutex_unlock(&fk_lock);
	return result;
}

#define EXEC_NODE CUgraphExec exec, CUgraphNode node
FK_API(FK_INIT, cuGraphKernelNodeSetParams, (CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v1 *p),
	FK_GIVEN(p, set_kernel(NODE(node), FK_WIDE(p))))
FK_API(FK_INIT, cuGraphKernelNodeSetParams_v2, (CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v2 *p),
	FK_GIVEN(p, set_kernel(NODE(node), p)))
FK_API(FK_INIT, cuGraphMemcpyNodeSetParams, (CUgraphNode node, const CUDA_MEMCPY3D_v2 *p),
	FK_GIVEN(p, set_copy(NODE(node), p)))
FK_API(FK_INIT, cuGraphMemsetNodeSetParams, (CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS *p),
	FK_GIVEN(p, set_fill(NODE(node), p)))
FK_API(FK_INIT, cuGraphHostNodeSetParams, (CUgraphNode node, const CUDA_HOST_NODE_PARAMS *p),
	FK_GIVEN(p, set_host(NODE(node), p)))
FK_API(FK_INIT, cuGraphEventRecordNodeSetEvent, (CUgraphNode node, CUevent event),
	set_event(NODE(node), event, CU_GRAPH_NODE_TYPE_EVENT_RECORD))
FK_API(FK_INIT, cuGraphEventWaitNodeSetEvent, (CUgraphNode node, CUevent event),
	set_event(NODE(node), event, CU_GRAPH_NODE_TYPE_WAIT_EVENT))
FK_API(FK_INIT, cuGraphNodeSetParams, (CUgraphNode node, const struct fk_node_params *p),
	FK_GIVEN(p, set_any(NODE(node), p)))
FK_API(FK_INIT, cuGraphExecKernelNodeSetParams, (EXEC_NODE, const CUDA_KERNEL_NODE_PARAMS_v1 *p),
	FK_GIVEN(exec && p, set_kernel(EXEC(exec, node), FK_WIDE(p))))
FK_API(FK_INIT, cuGraphExecKernelNodeSetParams_v2, (EXEC_NODE, const CUDA_KERNEL_NODE_PARAMS_v2 *p),
	FK_GIVEN(exec && p, set_kernel(EXEC(exec, node), p)))
FK_API(FK_INIT, cuGraphExecMemcpyNodeSetParams, (EXEC_NODE, const CUDA_MEMCPY3D_v2 *p, CUcontext ctx),
	(void)ctx, FK_GIVEN(exec && p, set_copy(EXEC(exec, node), p)))
FK_API(FK_INIT, cuGraphExecMemsetNodeSetParams, (EXEC_NODE, const CUDA_MEMSET_NODE_PARAMS *p, CUcontext ctx),
	(void)ctx, FK_GIVEN(exec && p, set_fill(EXEC(exec, node), p)))
FK_API(FK_INIT, cuGraphExecHostNodeSetParams, (EXEC_NODE, const CUDA_HOST_NODE_PARAMS *p),
	FK_GIVEN(exec && p, set_host(EXEC(exec, node), p)))
FK_API(FK_INIT, cuGraphExecChildGraphNodeSetParams, (EXEC_NODE, CUgraph child),
	FK_GIVEN(exec, set_child(EXEC(exec, node), child)))
FK_API(FK_INIT, cuGraphExecEventRecordNodeSetEvent, (EXEC_NODE, CUevent event),
	FK_GIVEN(exec, set_event(EXEC(exec, node), event, CU_GRAPH_NODE_TYPE_EVENT_RECORD)))
FK_API(FK_INIT, cuGraphExecEventWaitNodeSetEvent, (EXEC_NODE, CUevent event),
	FK_GIVEN(exec, set_event(EXEC(exec, node), event, CU_GRAPH_NODE_TYPE_WAIT_EVENT)))
FK_API(FK_INIT, cuGraphExecNodeSetParams, (EXEC_NODE, const struct fk_node_params *p),
	FK_GIVEN(exec && p, set_any(EXEC(exec, node), p)))
FK_API(FK_INIT, cuGraphNodeSetEnabled, (EXEC_NODE, unsigned int on),
	FK_GIVEN(exec, enabled(EXEC(exec, node), &on, NULL)))
FK_API(FK_INIT, cuGraphNodeGetEnabled, (EXEC_NODE, unsigned int *on),
	FK_GIVEN(exec, enabled(EXEC(exec, node), NULL, on)))
