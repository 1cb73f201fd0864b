/*
 * twin_stamps.c - stamps in a clone of a graph. By our thread.
 *
 * One stamp behind each node that takes time, a begin before all, an end behind all. Where a node and what
 * follows it are kernels and nothing else is joined to either, the edges are programmatic on both sides: the stamp
 * is there when its kernel ends, and what follows is there when it has read the clock. It has waited
 * for the end of its kernel by then, so all that the graph orders stays ordered. All other edges are plain.
 * An edge that the program made programmatic leads from the stamp then, programmatic as before: what it leads to is
 * started when the stamp has read the clock, no earlier. Started early, beside the stamp, it would make that
 * a branch of its own, which reads the clock 0.5 to 1 us late: when the kernel ahead ended could not be told. When it
 * could have been started is told by the stamp.
 */
#include <string.h>
#include "shim/ask.h"
#include "shim/twin_plan.h"

static const struct vprof_refusal fine = { VPROF_TWIN_BUILT, CUDA_SUCCESS };

/* ---- nodes ---- */

static int is_kernel(const struct vprof_plan *p, uint32_t node)
{
	return p->s->nodes[node].type == VPROF_NODE_KERNEL;
}

CUresult vprof_plan_kernel(CUgraph graph, CUfunction function, void **params, CUgraphNode *node)
{
	CUDA_KERNEL_NODE_PARAMS_v1 kernel = {
		.func = function,
		.gridDimX = 1, .gridDimY = 1, .gridDimZ = 1,
		.blockDimX = 1, .blockDimY = 1, .blockDimZ = 1,
		.kernelParams = params,
	};

	return vprof_ask.graph_add_kernel(node, graph, NULL, 0, &kernel);
}

/* A stamp of low priority behind a kernel of high priority would be late. */
static void copy_priority(CUgraphNode stamp, CUgraphNode node)
{
	CUlaunchAttributeValue value;

	memset(&value, 0, sizeof(value));
	if (vprof_ask.graph_get_attribute && vprof_ask.graph_set_attribute &&
	    !vprof_ask.graph_get_attribute(node, CU_LAUNCH_ATTRIBUTE_PRIORITY, &value))
		vprof_ask.graph_set_attribute(stamp, CU_LAUNCH_ATTRIBUTE_PRIORITY, &value);
}

/* Behind one that the program's own programmatic edges leave, the stamp tells too when it was started. */
static int tells_start(const struct vprof_plan *p, uint32_t node)
{
	return vprof_plan_programmatic(p) && p->chosen[node] & VPROF_CHOSEN_LEADS;
}

static CUresult add_stamp(struct vprof_plan *p, CUgraph graph, uint32_t node)
{
	CUfunction stamp = tells_start(p, node) ? p->gpu->twin_stamp_started : vprof_plan_stamp(p);
	CUresult result = vprof_plan_kernel(graph, stamp, (void *[]){ &p->cell, &p->stamps }, &p->stamp[node]);

	if (result)
		return result;
	if (is_kernel(p, node) && p->flags & CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY)
		copy_priority(p->stamp[node], p->s->handles[node]);
	p->node[++p->stamps] = node;
	if (tells_start(p, node))
		p->node[++p->stamps] = VPROF_STAMP_STARTED;
	return CUDA_SUCCESS;
}

/* A kernel that is updated from the device may be in one executable graph only; one of another context is not ours. */
static struct vprof_refusal look_at(const struct vprof_plan *p, uint32_t node)
{
	CUgraphNode handle = p->s->handles[node];
	CUDA_KERNEL_NODE_PARAMS_v2 params;
	CUlaunchAttributeValue value;

	if (!is_kernel(p, node))
		return fine;
	memset(&value, 0, sizeof(value));
	if (vprof_ask.graph_get_attribute &&
	    !vprof_ask.graph_get_attribute(handle, CU_LAUNCH_ATTRIBUTE_DEVICE_UPDATABLE_KERNEL_NODE, &value) &&
	    value.deviceUpdatableKernelNode.deviceUpdatable)
		return vprof_refuse(VPROF_TWIN_DEVICE, CUDA_SUCCESS);
	memset(&params, 0, sizeof(params));
	if (vprof_ask.graph_kernel_v2 && !vprof_ask.graph_kernel_v2(handle, &params) && params.ctx &&
	    params.ctx != p->gpu->context)
		return vprof_refuse(VPROF_TWIN_NO_STAMP, CUDA_ERROR_INVALID_CONTEXT);
	return fine;
}

/* ---- edges ---- */

void vprof_plan_edge(struct vprof_plan *p, CUgraphNode from, CUgraphNode to, int is_programmatic)
{
	p->from[p->added] = from;
	p->to[p->added] = to;
	p->data[p->added++] = (CUgraphEdgeData){
		.from_port =
			is_programmatic ? CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC : CU_GRAPH_KERNEL_NODE_PORT_DEFAULT,
		.type = is_programmatic ? CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC : CU_GRAPH_DEPENDENCY_TYPE_DEFAULT,
	};
}

/* Edge `i` of the level's list, from a node to one behind it, goes by the stamp. */
static void edge_divert(struct vprof_plan *p, size_t i, uint32_t from, uint32_t to)
{
	struct vprof_scratch *s = p->s;
	int own = s->data[i].type != CU_GRAPH_DEPENDENCY_TYPE_DEFAULT;
	int both = vprof_plan_both(p, from, to, own);

	if (both)
		p->class[to] = own ? VPROF_STAMP_INHERITED : VPROF_STAMP_PROGRAMMATIC;
	if (!p->stamp[from])
		return;
	s->from[p->cut] = s->from[i];
	s->to[p->cut] = s->to[i];
	s->data[p->cut++] = s->data[i];
	vprof_plan_edge(p, p->stamp[from], s->handles[to], both);
}

static CUresult edges_apply(struct vprof_plan *p, CUgraph graph)
{
	const struct vprof_scratch *s = p->s;
	CUresult result = CUDA_SUCCESS;

	if (!vprof_plan_programmatic(p) && !vprof_ask.graph_add_edges_v2) {
		if (p->cut)
			result = vprof_ask.graph_cut_edges(graph, s->from, s->to, p->cut);
		return result || !p->added ? result : vprof_ask.graph_add_edges(graph, p->from, p->to, p->added);
	}
	if (p->cut)
		result = vprof_ask.graph_cut_edges_v2(graph, s->from, s->to, s->data, p->cut);
	if (!result && p->added)
		result = vprof_ask.graph_add_edges_v2(graph, p->from, p->to, p->data, p->added);
	return result;
}

/* ---- one graph: of the nodes from `first` on those with the same parent ---- */

static uint32_t level_end(const struct vprof_scratch *s, uint32_t first)
{
	uint32_t end = first;

	while (end < s->total && s->nodes[end].parent == s->nodes[first].parent)
		end++;
	return end;
}

static struct vprof_refusal stamps_add(struct vprof_plan *p, CUgraph graph, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++) {
		struct vprof_refusal refusal = look_at(p, i);
		uint32_t type = p->s->nodes[i].type;
		CUresult result;

		if (refusal.why)
			return refusal;
		p->stamp[i] = NULL;
		p->in[i] = p->out[i] = 0;
		p->class[i] = type == VPROF_NODE_KERNEL ? VPROF_STAMP_PLAIN :
			      type == VPROF_NODE_COPY || type == VPROF_NODE_SET ? VPROF_STAMP_COPY : VPROF_STAMP_OTHER;
		if (!(p->chosen[i] & VPROF_CHOSEN_STAMP))
			continue;
		if (p->stamps + 2 >= VPROF_TWIN_STAMPS)
			return vprof_refuse(VPROF_TWIN_LARGE, CUDA_SUCCESS);
		result = add_stamp(p, graph, i);
		if (result)
			return vprof_refuse(VPROF_TWIN_NO_STAMP, result);
		vprof_plan_edge(p, p->s->handles[i], p->stamp[i],
				type == VPROF_NODE_KERNEL && vprof_plan_programmatic(p));
	}
	return fine;
}

/* The driver lists the edges of a graph in the order in which they were taken before. */
static struct vprof_refusal edges_divert(struct vprof_plan *p, CUgraph graph, uint32_t first, uint32_t end,
					 uint32_t edge)
{
	struct vprof_scratch *s = p->s;
	uint32_t stop = edge;
	size_t count, got;

	for (; stop < s->edge_count && s->edges[stop].to >= first && s->edges[stop].to < end; stop++) {
		p->out[s->edges[stop].from & ~VPROF_EDGE_PROGRAMMATIC]++;
		p->in[s->edges[stop].to]++;
	}
	got = count = stop - edge;
	if (count && (vprof_graph_edges(graph, s->from, s->to, s->data, &got) || got != count))
		return vprof_refuse(VPROF_TWIN_NO_CLONE, CUDA_SUCCESS);
	for (size_t i = 0; i < count; i++) {
		uint32_t from = s->edges[edge + i].from & ~VPROF_EDGE_PROGRAMMATIC, to = s->edges[edge + i].to;

		if (s->handles[from] != s->from[i] || s->handles[to] != s->to[i])
			return vprof_refuse(VPROF_TWIN_NO_CLONE, CUDA_SUCCESS);
		/* Each of the two kernels may wait for what the other does: behind a stamp the second one
		   would never begin. */
		if (p->stamp[from] && s->data[i].from_port == CU_GRAPH_KERNEL_NODE_PORT_LAUNCH_ORDER)
			return vprof_refuse(VPROF_TWIN_ORDERED, CUDA_SUCCESS);
		edge_divert(p, i, from, to);
	}
	return fine;
}

/* Before all others, and behind all. */
static CUresult ends_add(struct vprof_plan *p, CUgraph graph, uint32_t end)
{
	void *params[] = { &p->cell };
	CUgraphNode first, last;
	CUresult result = vprof_plan_kernel(graph, p->gpu->twin_begin, params, &first);

	if (!result)
		result = vprof_plan_kernel(graph, p->gpu->twin_end, params, &last);
	for (uint32_t i = 0; !result && i < end; i++) {
		if (!p->in[i])
			vprof_plan_edge(p, first, p->s->handles[i], 0);
	}
	return result ? result : vprof_gauges_add(p, graph, end, last);
}

static struct vprof_refusal level_instrument(struct vprof_plan *p, CUgraph graph, uint32_t first, uint32_t end,
					     uint32_t *edge)
{
	uint32_t stop = *edge;
	struct vprof_refusal refusal;
	CUresult result;

	p->cut = p->added = 0;
	while (stop < p->s->edge_count && p->s->edges[stop].to >= first && p->s->edges[stop].to < end)
		stop++;
	refusal = stamps_add(p, graph, first, end);
	/* The list is asked for before a stamp is joined to anything. */
	if (!refusal.why)
		refusal = edges_divert(p, graph, first, end, *edge);
	if (refusal.why)
		return refusal;
	*edge = stop;
	result = first ? CUDA_SUCCESS : ends_add(p, graph, end);
	if (!result)
		result = edges_apply(p, graph);
	return result ? vprof_refuse(VPROF_TWIN_NO_STAMP, result) : fine;
}

struct vprof_refusal vprof_plan_instrument(struct vprof_plan *p, CUgraph graph)
{
	struct vprof_refusal refusal = fine;
	uint32_t edge = 0, end;

	p->stamps = 0;
	p->node[0] = VPROF_STAMP_FIRST;
	for (uint32_t first = 0; !refusal.why && first < p->s->total; first = end) {
		uint32_t parent = p->s->nodes[first].parent;
		CUgraph level = graph;
		CUresult result = parent ? vprof_ask.graph_child(p->s->handles[parent - 1], &level) : CUDA_SUCCESS;

		end = level_end(p->s, first);
		refusal = result ? vprof_refuse(VPROF_TWIN_NO_CLONE, result) :
			level_instrument(p, level, first, end, &edge);
	}
	return refusal;
}
