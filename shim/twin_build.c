/*
 * twin_build.c - a twin: a clone of a graph with stamps in it, made executable. By our thread.
 *
 * One stamp behind each node that takes time, a begin before all, an end behind all. Where a node and what
 * follows it are kernels and nothing else is joined to either, the edges are programmatic on both sides: the stamp
 * is there when its kernel ends, and what follows is there when it has read the clock. It has waited
 * for the end of its kernel by then, so all that the graph orders stays ordered. All other edges are plain.
 * The program's own programmatic edges stay; where the driver will not have a second one beside them,
 * they lead from the stamp.
 *
 * The clone is compared with what the graph consisted of when it was made, so that the
 * numbers of nodes are those of VPROF_DEF_NODES.
 */
#include <string.h>
#include <time.h>
#include "preload/clock.h"
#include "preload/inner.h"
#include "shim/ask.h"
#include "shim/graph_scratch.h"
#include "shim/twin.h"

enum {
	MOST_ADDED = MOST_EDGES + 2 * MOST_NODES + 2 * VPROF_TWIN_STAMPS,
	STAMPS_PIECE = 384,
};

static struct plan {
	struct vprof_scratch *s;
	struct vprof_gpu *gpu;
	CUdeviceptr cell;
	uint64_t flags;
	int keep;                         /* the program's programmatic edges stay as they are */
	uint32_t stamps;                  /* without the first */
	CUgraphNode stamp[MOST_NODES];    /* behind this node; NULL: none */
	uint16_t class[MOST_NODES];       /* of it */
	uint32_t in[MOST_NODES], out[MOST_NODES], stamp_out[MOST_NODES];
	uint32_t node[VPROF_TWIN_STAMPS]; /* of which it is */
	size_t cut, added;                /* edges: cut ones in the scratch's lists */
	CUgraphNode from[MOST_ADDED], to[MOST_ADDED];
	CUgraphEdgeData data[MOST_ADDED];
	union {
		struct vprof_def_twin def;
		uint8_t bytes[sizeof(struct vprof_def_twin) + STAMPS_PIECE * 8];
	} piece;
} *plan; /* made once, and our thread's */

static const struct vprof_refusal fine = { VPROF_TWIN_BUILT, CUDA_SUCCESS };

static struct vprof_refusal refuse(enum vprof_twin_why why, CUresult error)
{
	return (struct vprof_refusal){ why, error };
}

/* ---- nodes ---- */

/* What takes time, or may wait. */
static int has_stamp(uint32_t type)
{
	return type != VPROF_NODE_EMPTY && type != VPROF_NODE_EVENT_RECORD && type != VPROF_NODE_SIGNAL &&
	       type != VPROF_NODE_UNKNOWN;
}

static int is_kernel(const struct plan *p, uint32_t node)
{
	return p->s->nodes[node].type == VPROF_NODE_KERNEL;
}

static int programmatic(const struct plan *p)
{
	return p->gpu->mode == VPROF_STAMPS_PROGRAMMATIC;
}

static CUresult add_kernel(CUgraph graph, CUfunction function, CUdeviceptr *cell, uint32_t *index, CUgraphNode *node)
{
	void *params[] = { cell, index };
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

static CUresult add_stamp(struct plan *p, CUgraph graph, uint32_t node)
{
	CUfunction function = programmatic(p) ? p->gpu->twin_stamp : p->gpu->twin_stamp_plain;
	CUresult result = add_kernel(graph, function, &p->cell, &p->stamps, &p->stamp[node]);

	if (result)
		return result;
	if (is_kernel(p, node) && p->flags & CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY)
		copy_priority(p->stamp[node], p->s->handles[node]);
	p->node[++p->stamps] = node;
	return CUDA_SUCCESS;
}

/* A kernel that is updated from the device may be in one executable graph only; one of another context is not ours. */
static struct vprof_refusal look_at(const struct plan *p, uint32_t node)
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
		return refuse(VPROF_TWIN_DEVICE, CUDA_SUCCESS);
	memset(&params, 0, sizeof(params));
	if (vprof_ask.graph_kernel_v2 && !vprof_ask.graph_kernel_v2(handle, &params) && params.ctx &&
	    params.ctx != p->gpu->context)
		return refuse(VPROF_TWIN_NO_STAMP, CUDA_ERROR_INVALID_CONTEXT);
	return fine;
}

/* ---- edges ---- */

static void edge_add(struct plan *p, CUgraphNode from, CUgraphNode to, int is_programmatic)
{
	p->from[p->added] = from;
	p->to[p->added] = to;
	p->data[p->added++] = (CUgraphEdgeData){
		.from_port = is_programmatic ? CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC : CU_GRAPH_KERNEL_NODE_PORT_DEFAULT,
		.type = is_programmatic ? CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC : CU_GRAPH_DEPENDENCY_TYPE_DEFAULT,
	};
}

/* Edge `i` of the level's list, from a node to one behind it, goes by the stamp. */
static void edge_divert(struct plan *p, size_t i, uint32_t from, uint32_t to)
{
	struct vprof_scratch *s = p->s;
	int own = s->data[i].type != CU_GRAPH_DEPENDENCY_TYPE_DEFAULT;
	int single = p->in[to] == 1 && p->out[from] == 1;
	int both = programmatic(p) && is_kernel(p, to) && (own || single);

	if (is_kernel(p, to) && own)
		p->class[to] = VPROF_STAMP_INHERITED;
	else if (is_kernel(p, to) && both)
		p->class[to] = VPROF_STAMP_PROGRAMMATIC;
	if (!p->stamp[from] || (own && p->keep))
		return;
	s->from[p->cut] = s->from[i];
	s->to[p->cut] = s->to[i];
	s->data[p->cut++] = s->data[i];
	p->stamp_out[from]++;
	edge_add(p, p->stamp[from], s->handles[to], both);
}

static CUresult edges_apply(struct plan *p, CUgraph graph)
{
	const struct vprof_scratch *s = p->s;
	CUresult result = CUDA_SUCCESS;

	if (!programmatic(p) && !vprof_ask.graph_add_edges_v2) {
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

static struct vprof_refusal stamps_add(struct plan *p, CUgraph graph, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++) {
		struct vprof_refusal refusal = look_at(p, i);
		uint32_t type = p->s->nodes[i].type;
		CUresult result;

		if (refusal.why)
			return refusal;
		p->stamp[i] = NULL;
		p->in[i] = p->out[i] = p->stamp_out[i] = 0;
		p->class[i] = type == VPROF_NODE_KERNEL ? VPROF_STAMP_PLAIN :
			      type == VPROF_NODE_COPY || type == VPROF_NODE_SET ? VPROF_STAMP_COPY : VPROF_STAMP_OTHER;
		if (!has_stamp(type))
			continue;
		if (p->stamps + 1 >= VPROF_TWIN_STAMPS)
			return refuse(VPROF_TWIN_LARGE, CUDA_SUCCESS);
		result = add_stamp(p, graph, i);
		if (result)
			return refuse(VPROF_TWIN_NO_STAMP, result);
		edge_add(p, p->s->handles[i], p->stamp[i], type == VPROF_NODE_KERNEL && programmatic(p));
	}
	return fine;
}

/* The driver lists the edges of a graph in the order in which they were taken before. */
static struct vprof_refusal edges_divert(struct plan *p, CUgraph graph, uint32_t first, uint32_t end, uint32_t edge)
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
		return refuse(VPROF_TWIN_NO_CLONE, CUDA_SUCCESS);
	for (size_t i = 0; i < count; i++) {
		uint32_t from = s->edges[edge + i].from & ~VPROF_EDGE_PROGRAMMATIC, to = s->edges[edge + i].to;

		if (s->handles[from] != s->from[i] || s->handles[to] != s->to[i])
			return refuse(VPROF_TWIN_NO_CLONE, CUDA_SUCCESS);
		edge_divert(p, i, from, to);
	}
	return fine;
}

/* Before all others, and behind all. */
static CUresult ends_add(struct plan *p, CUgraph graph, uint32_t end)
{
	CUgraphNode first, last;
	uint32_t unused = 0;
	CUresult result = add_kernel(graph, p->gpu->twin_begin, &p->cell, &unused, &first);

	if (!result)
		result = add_kernel(graph, p->gpu->twin_end, &p->cell, &unused, &last);
	for (uint32_t i = 0; !result && i < end; i++) {
		if (!p->in[i])
			edge_add(p, first, p->s->handles[i], 0);
		if (p->stamp[i] ? !p->stamp_out[i] : !p->out[i])
			edge_add(p, p->stamp[i] ? p->stamp[i] : p->s->handles[i], last, 0);
	}
	return result;
}

static struct vprof_refusal level_instrument(struct plan *p, CUgraph graph, uint32_t first, uint32_t end, uint32_t *edge)
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
	return result ? refuse(VPROF_TWIN_NO_STAMP, result) : fine;
}

static struct vprof_refusal instrument(struct plan *p, CUgraph graph)
{
	struct vprof_refusal refusal = fine;
	uint32_t edge = 0, end;

	p->stamps = 0;
	p->node[0] = UINT32_MAX;
	for (uint32_t first = 0; !refusal.why && first < p->s->total; first = end) {
		uint32_t parent = p->s->nodes[first].parent;
		CUgraph level = graph;
		CUresult result = parent ? vprof_ask.graph_child(p->s->handles[parent - 1], &level) : CUDA_SUCCESS;

		end = level_end(p->s, first);
		refusal = result ? refuse(VPROF_TWIN_NO_CLONE, result) : level_instrument(p, level, first, end, &edge);
	}
	return refusal;
}

/* ---- the whole ---- */

static uint32_t stamps_wanted(const struct vprof_scratch *s)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < s->total; i++)
		count += (uint32_t)has_stamp(s->nodes[i].type);
	return count;
}

static struct vprof_refusal twin_instrument(struct vprof_twin *twin, const struct vprof_subject *as, CUgraph work)
{
	struct vprof_graph_nodes nodes;
	struct vprof_refusal refusal;
	CUresult result;

	vprof_nodes_take(work, &nodes);
	if (!nodes.scratch || nodes.content != as->content) {
		vprof_nodes_drop(&nodes);
		return refuse(VPROF_TWIN_NO_CLONE, CUDA_SUCCESS);
	}
	plan->s = nodes.scratch;
	plan->gpu = twin->gpu;
	plan->flags = as->flags;
	refusal = stamps_wanted(plan->s) >= VPROF_TWIN_STAMPS ? refuse(VPROF_TWIN_LARGE, CUDA_SUCCESS) :
								vprof_twin_room(twin, stamps_wanted(plan->s));
	if (refusal.why)
		goto out;
	plan->cell = twin->cell;
	refusal = instrument(plan, work);
	if (!refusal.why) {
		result = vprof_ask.graph_instantiate(&twin->exec, work,
						     as->flags & CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY);
		refusal = result ? refuse(VPROF_TWIN_NO_EXEC, result) : fine;
	}
	if (refusal.why)
		vprof_gpu_area_drop(twin->area);
out:
	vprof_nodes_drop(&nodes);
	return refusal;
}

static struct vprof_refusal twin_make(struct vprof_twin *twin, const struct vprof_subject *as)
{
	struct vprof_refusal refusal = fine;

	for (plan->keep = 1; plan->keep >= 0; plan->keep--) {
		CUgraph work;
		CUresult result = vprof_ask.graph_clone(&work, as->clone);

		if (result)
			return refuse(VPROF_TWIN_NO_CLONE, result);
		refusal = twin_instrument(twin, as, work);
		vprof_ask.graph_destroy(work);
		if (refusal.why != VPROF_TWIN_NO_STAMP && refusal.why != VPROF_TWIN_NO_EXEC)
			break;
	}
	return refusal;
}

static uint32_t define_piece(const struct vprof_twin *twin, uint32_t graph, uint32_t build_us, uint32_t first,
			     uint32_t *id)
{
	struct vprof_def_twin *def = &plan->piece.def;
	uint32_t count = twin->stamps + 1 - first < STAMPS_PIECE ? twin->stamps + 1 - first : STAMPS_PIECE, made;

	*def = (struct vprof_def_twin){
		.head.type = VPROF_DEF_TWIN, .graph = graph, .device = twin->gpu->device, .build_us = build_us,
		.first = first, .count = count, .total = twin->stamps + 1,
	};
	for (uint32_t i = 0; i < count; i++) {
		uint32_t node = plan->node[first + i];

		def->stamps[i].node = node;
		def->stamps[i].type = node == UINT32_MAX ? VPROF_STAMP_NONE : plan->class[node];
		def->stamps[i].zero = 0;
	}
	made = vprof_define_sparing(def, sizeof(*def) + count * sizeof(def->stamps[0]), NULL);
	if (!first)
		*id = made;
	return made ? count : 0;
}

static int twin_define(struct vprof_twin *twin, uint32_t graph, uint32_t build_us)
{
	uint32_t done;

	if (!vprof_define_spares((twin->stamps + 1) * 8ull + sizeof(struct vprof_def_twin) * 16))
		return 0;
	for (uint32_t first = 0; first <= twin->stamps; first += done)
		if (!(done = define_piece(twin, graph, build_us, first, &twin->id)))
			return 0;
	return 1;
}

static struct vprof_refusal build(const struct vprof_subject *as, struct vprof_twin **out)
{
	struct vprof_twin *twin = vprof_twin_place(as);
	uint64_t start = vprof_clock_ns(CLOCK_MONOTONIC);
	struct vprof_refusal refusal;

	if (!plan)
		plan = vprof_table(sizeof(*plan));
	if (!twin || !plan)
		return refuse(VPROF_TWIN_BUDGET, CUDA_SUCCESS);
	if (vprof_gpu_state_of(as->gpu) != VPROF_GPU_READY)
		return refuse(VPROF_TWIN_NO_STAMP, as->gpu->error);
	twin->use = VPROF_TWIN_MAKING;
	twin->gpu = as->gpu;
	twin->subject = as->self;
	refusal = twin_make(twin, as);
	if (!refusal.why && !twin_define(twin, as->graph, (uint32_t)((vprof_clock_ns(CLOCK_MONOTONIC) - start) / 1000))) {
		vprof_ask.graph_exec_destroy(twin->exec);
		vprof_gpu_area_drop(twin->area);
		refusal = refuse(VPROF_TWIN_BUDGET, CUDA_SUCCESS);
	}
	/* Pairs with the acquires of the harvest. */
	__atomic_store_n(&twin->use, refusal.why ? VPROF_TWIN_FREE : VPROF_TWIN_USED, __ATOMIC_RELEASE);
	*out = refusal.why ? NULL : twin;
	return refusal;
}

/* The graph has changed or gone meanwhile. */
static void undo(struct vprof_twin *twin, CUgraph clone)
{
	vprof_ask.graph_destroy(clone);
	if (!twin)
		return;
	vprof_ask.graph_exec_destroy(twin->exec);
	__atomic_store_n(&twin->use, VPROF_TWIN_DROPPED, __ATOMIC_RELEASE);
}

void vprof_twin_build(struct vprof_subject *subject)
{
	struct vprof_twin *twin = NULL;
	struct vprof_subject as;
	struct vprof_refusal refusal;

	vprof_subject_hold(subject);
	subject->self = subject;
	as = *subject;
	if (as.state == VPROF_SUBJECT_QUEUED) {
		subject->state = VPROF_SUBJECT_MAKING;
		subject->clone = NULL;
	}
	vprof_subject_drop(subject);
	if (as.state != VPROF_SUBJECT_QUEUED)
		return;
	refusal = build(&as, &twin);
	vprof_subject_hold(subject);
	if (subject->version == as.version) {
		subject->why = (uint16_t)refusal.why;
		subject->error = (uint16_t)refusal.error;
		subject->clone = as.clone;
		subject->twin = twin;
		/* One for which there is no room now may have its turn later. */
		subject->state = twin ? VPROF_SUBJECT_BUILT :
				 refusal.why == VPROF_TWIN_BUDGET ? VPROF_SUBJECT_KEPT : VPROF_SUBJECT_NONE;
		if (refusal.why == VPROF_TWIN_BUDGET)
			vprof_subject_tell(subject);
		as.clone = NULL;
	}
	vprof_subject_drop(subject);
	if (as.clone)
		undo(twin, as.clone);
}
