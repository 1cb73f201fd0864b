/*
 * graph_exec.c - executable graphs: the five ways to instantiate, launching,
 * updating.
 */
#include "tests/fakecuda/graph.h"
#include "tests/fakecuda/proc.h"

/* There can be one exec at a time of a graph that owns memory or that the device may update. */
static bool is_alone(CUgraph graph)
{
	return fk_graph_has(graph, fk_work_allocates) || fk_graph_has(graph, fk_work_updatable);
}

static CUresult instantiate_locked(CUgraphExec exec, CUgraph graph)
{
	CUgraph copy = NULL;
	CUresult result;

	if (is_alone(graph) && graph->execs)
		return CUDA_ERROR_NOT_SUPPORTED;
	result = fk_graph_copy_locked(&copy, graph);
	if (result)
		return result;
	result = fk_plan_new(&exec->plan, copy);
	if (result) {
		fk_graph_free_locked(copy);
		return result;
	}
	fk_memory_use((ssize_t)(copy->node_count * fk_config.node_bytes));
	exec->source = graph;
	exec->source_id = graph->id;
	exec->alone = is_alone(graph);
	graph->execs += exec->alone;
	return CUDA_SUCCESS;
}

static CUresult instantiate(CUgraphExec *out, CUgraph graph, unsigned long long flags)
{
	CUgraphExec exec;
	CUresult result;

	if (!out || !fk_is(graph, FK_GRAPH) || flags > 15)
		return CUDA_ERROR_INVALID_VALUE;
	exec = fk_new(FK_EXEC, sizeof(*exec));
	if (!exec)
		return CUDA_ERROR_OUT_OF_MEMORY;
	exec->flags = flags;
	if (fk_config.node_ns)
		fk_spend_until(fk_now() + graph->node_count * fk_config.node_ns);
	pthread_mutex_lock(&fk_lock);
	result = instantiate_locked(exec, graph);
	if (result)
		fk_delete(exec);
	else
		*out = exec;
	pthread_mutex_unlock(&fk_lock);
	return result;
}

/* Runs that have not ended keep the plan they were launched with. */
CUresult fk_exec_own_locked(CUgraphExec exec)
{
	struct fk_plan *plan = NULL;
	CUgraph copy = NULL;
	CUresult result;

	if (exec->plan->refs == 1)
		return CUDA_SUCCESS;
	result = fk_graph_copy_equal_locked(&copy, exec->plan->graph);
	if (result)
		return result;
	result = fk_plan_new(&plan, copy);
	if (result) {
		fk_graph_free_locked(copy);
		return result;
	}
	fk_plan_unref_locked(exec->plan);
	exec->plan = plan;
	return CUDA_SUCCESS;
}

/* The first forms: with a log buffer and the node at fault. */
static CUresult instantiate_log(CUgraphExec *out, CUgraph graph, CUgraphNode *error, char *log,
	size_t size)
{
	if (error)
		*error = NULL;
	if (log && size)
		*log = '\0';
	return instantiate(out, graph, 0);
}

static CUresult upload(CUgraphExec exec, CUstream stream)
{
	return !stream ? CUDA_ERROR_INVALID_HANDLE : fk_is(exec, FK_EXEC) ? CUDA_SUCCESS :
		CUDA_ERROR_INVALID_VALUE;
}

static CUresult instantiate_params(CUgraphExec *out, CUgraph graph,
	CUDA_GRAPH_INSTANTIATE_PARAMS *params, int pts)
{
	CUresult result;

	if (!params)
		return CUDA_ERROR_INVALID_VALUE;
	params->hErrNode_out = NULL;
	result = instantiate(out, graph, params->flags);
	if (!result && (params->flags & CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD))
		result = upload(*out, fk_stream_get(params->hUploadStream, pts));
	params->result_out = result ? CUDA_GRAPH_INSTANTIATE_ERROR : CUDA_GRAPH_INSTANTIATE_SUCCESS;
	return result;
}

/* What cuGetProcAddress gives for "cuGraphInstantiate" of CUDA 12: not an exported symbol. */
CUresult fk_graph_instantiate_12(CUgraphExec *out, CUgraph graph, unsigned long long flags)
{
	CUresult result = fk_gate_enter(FK_INIT | FK_UNSAFE, "cuGraphInstantiateWithFlags");

	return result ? result : instantiate(out, graph, flags);
}

static CUresult launch(CUgraphExec exec, CUstream stream)
{
	CUresult result;

	if (!stream)
		return CUDA_ERROR_INVALID_HANDLE;
	if (!fk_is(exec, FK_EXEC))
		return CUDA_ERROR_INVALID_VALUE;
	result = fk_capture_check(stream);
	return result ? result : fk_submit_exec(stream, exec);
}

static CUresult exec_destroy(CUgraphExec exec)
{
	if (!fk_is(exec, FK_EXEC))
		return CUDA_ERROR_INVALID_VALUE;
	pthread_mutex_lock(&fk_lock);
	if (fk_is(exec->source, FK_GRAPH) && exec->source->id == exec->source_id)
		exec->source->execs -= exec->alone;
	if (exec->last)
		fk_stream_unref_locked(exec->last);
	fk_memory_use(-(ssize_t)(exec->plan->graph->node_count * fk_config.node_bytes));
	fk_plan_unref_locked(exec->plan); /* what was launched still runs */
	fk_delete(exec);
	pthread_mutex_unlock(&fk_lock);
	return CUDA_SUCCESS;
}

static bool same_edges(CUgraph a, CUgraph b)
{
	if (a->edge_count != b->edge_count)
		return false;
	for (size_t i = 0; i < a->node_count; i++)
		a->nodes[i]->index = b->nodes[i]->index = i;
	for (size_t i = 0; i < a->edge_count; i++)
		if (a->edges[i].from->index != b->edges[i].from->index ||
		    a->edges[i].to->index != b->edges[i].to->index)
			return false;
	return true;
}

/* Why the graph cannot take the exec's place; *at: the node at fault. */
static int difference(CUgraph old, CUgraph new, CUgraphNode *at)
{
	*at = NULL;
	if (old->node_count != new->node_count || !same_edges(old, new))
		return CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED;
	for (size_t i = 0; i < new->node_count; i++) {
		*at = new->nodes[i];
		if (old->nodes[i]->work.type != new->nodes[i]->work.type)
			return CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED;
	}
	*at = NULL;
	return CU_GRAPH_EXEC_UPDATE_SUCCESS;
}

enum { UPDATE_PARAMETERS_CHANGED = 5, UPDATE_NOT_SUPPORTED = 6, UPDATE_ATTRIBUTES_CHANGED = 8 };

/* What may not change of a node that stays what it is. */
static int node_difference(const struct CUgraphExec_st *exec, const struct fk_work *old, const struct fk_work *new)
{
	if (fk_work_updatable(old) || fk_work_updatable(new))
		return UPDATE_NOT_SUPPORTED;
	if (fk_work_cooperative(old) != fk_work_cooperative(new))
		return UPDATE_ATTRIBUTES_CHANGED;
	if ((exec->flags & CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY) &&
	    fk_work_priority(old) != fk_work_priority(new))
		return UPDATE_ATTRIBUTES_CHANGED;
	if (old->type == CU_GRAPH_NODE_TYPE_MEMCPY && (old->copy.srcMemoryType != new->copy.srcMemoryType ||
	    old->copy.dstMemoryType != new->copy.dstMemoryType))
		return UPDATE_PARAMETERS_CHANGED;
	return CU_GRAPH_EXEC_UPDATE_SUCCESS;
}

static int nodes_difference(const struct CUgraphExec_st *exec, CUgraph new, CUgraphNode *at)
{
	for (size_t i = 0; i < new->node_count; i++) {
		int why = node_difference(exec, &exec->plan->graph->nodes[i]->work, &new->nodes[i]->work);

		if (!why)
			continue;
		*at = new->nodes[i];
		return why;
	}
	return CU_GRAPH_EXEC_UPDATE_SUCCESS;
}

/* The exec's nodes keep standing for the nodes of the graph it was made from. */
static CUresult update_locked(CUgraphExec exec, CUgraph graph, CUgraphExecUpdateResultInfo *info)
{
	CUresult result = fk_exec_own_locked(exec);

	if (result)
		return result;
	info->result = difference(exec->plan->graph, graph, &info->errorNode);
	if (!info->result)
		info->result = nodes_difference(exec, graph, &info->errorNode);
	if (info->result)
		return CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
	for (size_t i = 0; i < graph->node_count && !result; i++) {
		struct fk_work work;

		result = fk_work_copy_locked(&work, &graph->nodes[i]->work);
		if (result)
			break;
		fk_work_drop_locked(&exec->plan->graph->nodes[i]->work);
		exec->plan->graph->nodes[i]->work = work;
	}
	fk_plan_look(exec->plan);
	return result;
}

static CUresult update(CUgraphExec exec, CUgraph graph, CUgraphExecUpdateResultInfo *info)
{
	CUresult result;

	if (!info || !fk_is(exec, FK_EXEC) || !fk_is(graph, FK_GRAPH))
		return CUDA_ERROR_INVALID_VALUE;
	*info = (CUgraphExecUpdateResultInfo){ 0 };
	pthread_mutex_lock(&fk_lock);
	result = update_locked(exec, graph, info);
	pthread_mutex_unlock(&fk_lock);
	return result;
}

static CUresult update_old(CUgraphExec exec, CUgraph graph, CUgraphNode *node, int *why)
{
	CUgraphExecUpdateResultInfo info = { 0 };
	CUresult result = update(exec, graph, &info);

	if (node)
		*node = info.errorNode;
	if (why)
		*why = info.result;
	return result;
}

FK_API(FK_INIT | FK_UNSAFE, cuGraphInstantiate,
	(CUgraphExec *out, CUgraph graph, CUgraphNode *error, char *log, size_t size),
	instantiate_log(out, graph, error, log, size))
FK_API(FK_INIT | FK_UNSAFE, cuGraphInstantiate_v2,
	(CUgraphExec *out, CUgraph graph, CUgraphNode *error, char *log, size_t size),
	instantiate_log(out, graph, error, log, size))
FK_API(FK_INIT | FK_UNSAFE, cuGraphInstantiateWithFlags,
	(CUgraphExec *out, CUgraph graph, unsigned long long flags), instantiate(out, graph, flags))
FK_API_PT(FK_CTX | FK_UNSAFE, cuGraphInstantiateWithParams, _ptsz,
	(CUgraphExec *out, CUgraph graph, CUDA_GRAPH_INSTANTIATE_PARAMS *params),
	instantiate_params(out, graph, params, pts))
FK_API_PT(FK_CTX | FK_WORK, cuGraphLaunch, _ptsz, (CUgraphExec exec, CUstream stream),
	launch(exec, fk_stream_get(stream, pts)))
FK_API_PT(FK_CTX, cuGraphUpload, _ptsz, (CUgraphExec exec, CUstream stream),
	upload(exec, fk_stream_get(stream, pts)))
FK_API(FK_INIT | FK_UNSAFE, cuGraphExecDestroy, (CUgraphExec exec), exec_destroy(exec))
FK_API(FK_INIT, cuGraphExecUpdate,
	(CUgraphExec exec, CUgraph graph, CUgraphNode *node, int *why),
	update_old(exec, graph, node, why))
FK_API(FK_INIT, cuGraphExecUpdate_v2,
	(CUgraphExec exec, CUgraph graph, CUgraphExecUpdateResultInfo *info), update(exec, graph, info))
FK_API(FK_INIT, cuGraphExecGetFlags, (CUgraphExec exec, unsigned long long *out),
	!out || !fk_is(exec, FK_EXEC) ? CUDA_ERROR_INVALID_VALUE : (*out = exec->flags, CUDA_SUCCESS))
