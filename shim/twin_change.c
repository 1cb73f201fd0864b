/*
 * twin_change.c - nodes of executable graphs that the program changes one by one.
 *
 * What the call did to the program's graph is done to the clone, from which a twin may be made again, and to the
 * twin, whose nodes are found by way of the clone's. That takes the graph of which the twin was made: so the
 * first change of a graph costs it its twin, and the next one keeps it. A change that shows in what the
 * ring says of the node (another kernel, another grid, another size) makes another definition and another twin.
 * Another child graph is read node by node into the clone's, and makes another twin as well, for there are
 * stamps in its own. While a node is switched off there is none: its stamp would tell of nothing.
 *
 * A graph that changes in a way that cannot be followed, or while our thread copies its clone, has no twin any more.
 */
#include <string.h>
#include "preload/inner.h"
#include "shim/ask.h"
#include "shim/cuda_api.h"
#include "shim/graph_scratch.h"
#include "shim/graphs.h"
#include "shim/twin.h"

struct setters {
	CUresult (*node)(CUgraphNode, uintptr_t);
	CUresult (*exec)(CUgraphExec, CUgraphNode, uintptr_t, uintptr_t);
};

static struct setters setters_of(unsigned call)
{
	switch (call) {
#define SETTERS(name, what) \
	case CU_ID_cuGraphExec##name: return (struct setters){ vprof_ask.node_##what, vprof_ask.exec_##what };
	SETTERS(KernelNodeSetParams, kernel)
	SETTERS(KernelNodeSetParams_v2, kernel_v2)
	SETTERS(MemcpyNodeSetParams, copy)
	SETTERS(MemsetNodeSetParams, set)
	SETTERS(HostNodeSetParams, host)
	SETTERS(EventRecordNodeSetEvent, record)
	SETTERS(EventWaitNodeSetEvent, wait)
	SETTERS(BatchMemOpNodeSetParams, batch)
	SETTERS(ExternalSemaphoresSignalNodeSetParams, sem_signal)
	SETTERS(ExternalSemaphoresWaitNodeSetParams, sem_wait)
	SETTERS(NodeSetParams, any)
#undef SETTERS
	default:
		return (struct setters){ NULL, NULL };
	}
}

struct change {
	unsigned call;
	CUgraphExec exec;
	CUgraphNode node; /* the clone's, once it is found */
	uintptr_t what, more;
};

enum outcome { FOLLOWED, LOST, SHOWN /* in what the ring says of the node */ };

/* Its twin goes, one that is being made too; there may be another. */
static void unmake(struct vprof_subject *subject)
{
	subject->rebuilds += subject->twin || subject->state == VPROF_SUBJECT_MAKING;
	if (subject->twin)
		vprof_twins_release(subject->twin);
	subject->twin = NULL;
	subject->state = VPROF_SUBJECT_KEPT;
	vprof_subject_renew(subject);
}

/* ---- parameters ---- */

static enum outcome clone_change(const struct setters *set, const struct change *c)
{
	struct vprof_graph_node before = { .type = VPROF_NODE_UNKNOWN }, after = before;

	if (!set->node || vprof_node_tell(c->node, &before) || before.type == VPROF_NODE_GRAPH ||
	    before.type == VPROF_NODE_CONDITIONAL || set->node(c->node, c->what) || vprof_node_tell(c->node, &after))
		return LOST;
	return memcmp(&before, &after, sizeof(before)) ? SHOWN : FOLLOWED;
}

/* One node does what another of its kind does. */
static CUresult node_like(uint32_t type, CUgraphNode node, CUgraphNode other)
{
	union {
		CUDA_KERNEL_NODE_PARAMS_v2 kernel;
		CUDA_MEMCPY3D_v2 copy;
		CUDA_MEMSET_NODE_PARAMS set;
		CUDA_HOST_NODE_PARAMS host;
		CUevent event;
	} is;
	CUresult result = CUDA_ERROR_NOT_FOUND;

#define RETURN_LIKE(ask, part, set, value)                                      \
	if (vprof_ask.ask && vprof_ask.set)                                     \
		result = vprof_ask.ask(other, &is.part);                        \
	return result ? result : vprof_ask.set(node, (uintptr_t)(value))
	memset(&is, 0, sizeof(is));
	switch (type) {
	case VPROF_NODE_KERNEL:
		RETURN_LIKE(graph_kernel_v2, kernel, node_kernel_v2, &is);
	case VPROF_NODE_COPY:
		RETURN_LIKE(graph_copy, copy, node_copy, &is);
	case VPROF_NODE_SET:
		RETURN_LIKE(graph_set, set, node_set, &is);
	case VPROF_NODE_HOST:
		RETURN_LIKE(graph_host, host, node_host, &is);
	case VPROF_NODE_EVENT_RECORD:
		RETURN_LIKE(graph_record, event, node_record, is.event);
	case VPROF_NODE_WAIT_EVENT:
		RETURN_LIKE(graph_wait, event, node_wait, is.event);
	case VPROF_NODE_EMPTY:
	case VPROF_NODE_GRAPH: /* whose nodes follow */
		return CUDA_SUCCESS;
	default:
		return result;
	}
#undef RETURN_LIKE
}

/* The driver has found that one can take the other's place: nodes and edges are of one order. */
static enum outcome child_change(const struct change *c)
{
	struct vprof_graph_nodes from, to = { 0 };
	enum outcome outcome = LOST;
	CUgraph child;

	vprof_nodes_take((CUgraph)c->what, &from);
	if (vprof_ask.graph_child && !vprof_ask.graph_child(c->node, &child))
		vprof_nodes_take(child, &to);
	if (from.scratch && to.scratch && !from.scratch->lost && from.scratch->total == to.scratch->total)
		outcome = SHOWN;
	for (uint32_t i = 0; outcome == SHOWN && i < from.scratch->total; i++)
		if (from.scratch->nodes[i].type != to.scratch->nodes[i].type ||
		    node_like(from.scratch->nodes[i].type, to.scratch->handles[i], from.scratch->handles[i]))
			outcome = LOST;
	vprof_nodes_drop(&from);
	vprof_nodes_drop(&to);
	return outcome;
}

static int twin_change(const struct vprof_twin *twin, const struct setters *set, const struct change *c)
{
	CUgraphNode node;

	return twin->graph && set->exec && vprof_gpu_state_of(twin->gpu) == VPROF_GPU_READY &&
	       !vprof_ask.node_in_clone(&node, c->node, twin->graph) && !set->exec(twin->exec, node, c->what, c->more);
}

static int twins_change(const struct vprof_twin *first, const struct setters *set, const struct change *c)
{
	const struct vprof_twin *twin = first;
	int done;

	do {
		done = twin_change(twin, set, c);
		twin = twin->next;
	} while (done && twin != first);
	return done;
}

static enum outcome set_node(struct vprof_subject *subject, struct vprof_handle *entry, const struct change *c)
{
	struct setters set = setters_of(c->call);
	enum outcome outcome = c->call == CU_ID_cuGraphExecChildGraphNodeSetParams ? child_change(c) :
		clone_change(&set, c);
	uint32_t id;

	if (outcome == SHOWN) {
		unmake(subject);
		id = vprof_graph_node_updated(entry, c->exec, subject->clone, c->call, &subject->content);
		if (!id)
			return LOST;
		subject->told = subject->graph == id ? subject->told : 0;
		subject->graph = id;
		return FOLLOWED;
	}
	if (outcome == FOLLOWED && (subject->state == VPROF_SUBJECT_MAKING ||
				    (subject->twin && !twins_change(subject->twin, &set, c))))
		unmake(subject);
	return outcome;
}

/* ---- switched on and off ---- */

static enum outcome switch_node(struct vprof_subject *subject, const struct change *c)
{
	uint32_t at = 0;

	while (at < subject->off_count && subject->off[at] != c->node)
		at++;
	if ((uint32_t)c->what) {
		if (at < subject->off_count)
			subject->off[at] = subject->off[--subject->off_count];
		return FOLLOWED;
	}
	if (at == VPROF_SUBJECT_OFF)
		return LOST;
	unmake(subject);
	subject->off[at] = c->node;
	subject->off_count += at == subject->off_count;
	subject->why = VPROF_TWIN_CHANGED;
	vprof_subject_tell(subject);
	return FOLLOWED;
}

/* ---- any ---- */

static enum outcome follow(struct vprof_subject *subject, struct vprof_handle *entry, struct change *c)
{
	if (subject->state == VPROF_SUBJECT_CLONING || !vprof_ask.node_in_clone ||
	    vprof_ask.node_in_clone(&c->node, c->node, subject->clone))
		return LOST;
	return c->call == CU_ID_cuGraphNodeSetEnabled ? switch_node(subject, c) : set_node(subject, entry, c);
}

void vprof_twin_node_changed(unsigned call, CUgraphExec exec, CUgraphNode node, uintptr_t what, uintptr_t more)
{
	struct vprof_handle *entry = exec ? vprof_handle_entry(&vprof_graphs, exec) : NULL;
	struct vprof_subject *subject = vprof_subject_of(entry);
	struct change change = { call, exec, node, what, more };
	struct vprof_asking asking;
	enum outcome outcome = LOST;

	if (!vprof_subject_is_known(subject) || !vprof_subject_hold(subject))
		return;
	subject->changes++;
	if (subject->state != VPROF_SUBJECT_NONE && vprof_ask_begin(&asking)) {
		outcome = follow(subject, entry, &change);
		vprof_ask_end(&asking);
	}
	/* Not even an update tells that it is off. */
	if (outcome == LOST && call == CU_ID_cuGraphNodeSetEnabled && !(uint32_t)what)
		subject->off_count = UINT32_MAX;
	if (outcome == LOST && subject->state != VPROF_SUBJECT_NONE) {
		vprof_subject_forget(subject);
		subject->why = VPROF_TWIN_CHANGED;
	}
	vprof_subject_drop(subject);
}
