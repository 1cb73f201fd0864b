/*
 * graph.c - graphs: nodes, edges, copies.
 *
 * A clone remembers for each node the node it was copied from, one step back.
 * An exec holds such a clone, so what is done to a graph after it was
 * instantiated does not reach the exec.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fakecuda/graph.h"

CUgraph fk_graph_new(void)
{
	static unsigned long long last; /* peer: threads that make graphs at once */
	CUgraph graph = fk_new(FK_GRAPH, sizeof(struct CUgraph_st));

	if (graph)
		graph->id = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
	return graph;
}

void fk_graph_free_locked(CUgraph graph)
{
	for (size_t i = 0; i < graph->node_count; i++) {
		fk_work_drop_locked(&graph->nodes[i]->work);
		fk_delete(graph->nodes[i]);
	}
	free(graph->nodes);
	free(graph->edges);
	fk_delete(graph);
}

/* Room for one more; NULL: no memory, and the array is as it was. */
static void *grow(void *array, size_t count, size_t *room, size_t size)
{
	size_t want = *room ? *room * 2 : 8;
	void *more;

	if (count < *room)
		return array;
	more = realloc(array, want * size);
	if (more)
		*room = want;
	return more;
}

CUresult fk_graph_join_locked(CUgraph graph, CUgraphNode from, CUgraphNode to, const CUgraphEdgeData *data)
{
	struct fk_edge *edges;

	if (!fk_is(from, FK_NODE) || !fk_is(to, FK_NODE) || from->graph != graph || to->graph != graph ||
	    from == to)
		return CUDA_ERROR_INVALID_VALUE;
	for (size_t i = 0; i < graph->edge_count; i++)
		if (graph->edges[i].from == from && graph->edges[i].to == to)
			return CUDA_ERROR_INVALID_VALUE;
	if (data && data->type == CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC &&
	    (from->work.type != CU_GRAPH_NODE_TYPE_KERNEL || to->work.type != CU_GRAPH_NODE_TYPE_KERNEL))
		return CUDA_ERROR_INVALID_VALUE;
	edges = grow(graph->edges, graph->edge_count, &graph->edge_room, sizeof(*edges));
	if (!edges)
		return CUDA_ERROR_OUT_OF_MEMORY;
	graph->edges = edges;
	graph->edges[graph->edge_count++] = (struct fk_edge){
		from, to, data ? *data : (CUgraphEdgeData){ 0 },
	};
	return CUDA_SUCCESS;
}

static void node_remove(CUgraphNode node)
{
	CUgraph graph = node->graph;
	size_t kept = 0;

	for (size_t i = 0; i < graph->edge_count; i++)
		if (graph->edges[i].from != node && graph->edges[i].to != node)
			graph->edges[kept++] = graph->edges[i];
	graph->edge_count = kept;
	kept = 0;
	for (size_t i = 0; i < graph->node_count; i++)
		if (graph->nodes[i] != node)
			graph->nodes[kept++] = graph->nodes[i];
	graph->node_count = kept;
	fk_work_drop_locked(&node->work);
	fk_delete(node);
}

CUresult fk_graph_add_locked(CUgraph graph, const struct fk_work *work, const CUgraphNode *deps,
	const CUgraphEdgeData *data, size_t count, CUgraphNode *out)
{
	CUgraphNode node, *nodes;
	CUresult result;

	if (!fk_is(graph, FK_GRAPH) || !out || (count && !deps))
		return CUDA_ERROR_INVALID_VALUE;
	nodes = grow(graph->nodes, graph->node_count, &graph->node_room, sizeof(*nodes));
	if (!nodes)
		return CUDA_ERROR_OUT_OF_MEMORY;
	graph->nodes = nodes;
	node = fk_new(FK_NODE, sizeof(*node));
	if (!node)
		return CUDA_ERROR_OUT_OF_MEMORY;
	result = fk_work_copy_locked(&node->work, work);
	if (result) {
		fk_delete(node);
		return result;
	}
	node->graph = graph;
	graph->nodes[graph->node_count++] = node;
	for (size_t i = 0; i < count && !result; i++)
		result = fk_graph_join_locked(graph, deps[i], node, data ? &data[i] : NULL);
	if (result)
		node_remove(node);
	else
		*out = node;
	return result;
}

static CUgraphNode clone_of(CUgraph clone, CUgraphNode original)
{
	for (size_t i = 0; i < clone->node_count; i++)
		if (clone->nodes[i]->original == original)
			return clone->nodes[i];
	return NULL;
}

CUgraphNode fk_graph_find_deep(CUgraph clone, CUgraphNode original)
{
	CUgraphNode found = clone_of(clone, original);

	for (size_t i = 0; i < clone->node_count && !found; i++)
		if (fk_work_contains(&clone->nodes[i]->work))
			found = fk_graph_find_deep(clone->nodes[i]->work.child, original);
	return found;
}

bool fk_graph_has(CUgraph graph, bool (*is)(const struct fk_work *work))
{
	for (size_t i = 0; i < graph->node_count; i++) {
		const struct fk_work *work = &graph->nodes[i]->work;

		if (is(work) || (fk_work_contains(work) && fk_graph_has(work->child, is)))
			return true;
	}
	return false;
}

bool fk_work_allocates(const struct fk_work *work)
{
	return work->type == CU_GRAPH_NODE_TYPE_MEM_ALLOC || work->type == CU_GRAPH_NODE_TYPE_MEM_FREE;
}

bool fk_work_is_fixed(const struct fk_work *work)
{
	return fk_work_allocates(work) || work->type == CU_GRAPH_NODE_TYPE_CONDITIONAL;
}

CUresult fk_graph_copy_locked(CUgraph *out, CUgraph from)
{
	CUgraph to = fk_graph_new();
	CUresult result = to ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
	CUgraphNode node;

	for (size_t i = 0; i < from->node_count && !result; i++) {
		result = fk_graph_add_locked(to, &from->nodes[i]->work, NULL, NULL, 0, &node);
		if (!result)
			node->original = from->nodes[i];
	}
	for (size_t i = 0; i < from->edge_count && !result; i++) {
		const struct fk_edge *e = &from->edges[i];

		result = fk_graph_join_locked(to, clone_of(to, e->from), clone_of(to, e->to), &e->data);
	}
	if (result && to)
		fk_graph_free_locked(to);
	if (!result) {
		to->origin = from;
		*out = to;
	}
	return result;
}

uint64_t fk_graph_ns(CUgraph graph)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < graph->node_count; i++)
		ns += fk_work_ns(&graph->nodes[i]->work);
	return ns;
}

static void stand_for_the_same(CUgraph to, CUgraph from)
{
	for (size_t i = 0; i < from->node_count; i++) {
		to->nodes[i]->original = from->nodes[i]->original;
		to->nodes[i]->disabled = from->nodes[i]->disabled;
		if (fk_work_contains(&from->nodes[i]->work))
			stand_for_the_same(to->nodes[i]->work.child, from->nodes[i]->work.child);
	}
}

CUresult fk_graph_copy_equal_locked(CUgraph *out, CUgraph from)
{
	CUresult result = fk_graph_copy_locked(out, from);

	if (!result)
		stand_for_the_same(*out, from);
	return result;
}

/* ---- API: whole graphs and edges ------------------------------------------------ */

static CUresult graph_create(CUgraph *out, unsigned int flags)
{
	if (!out || flags)
		return CUDA_ERROR_INVALID_VALUE;
	*out = fk_graph_new();
	return *out ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

static CUresult graph_destroy(CUgraph graph)
{
	if (!fk_is(graph, FK_GRAPH))
		return CUDA_ERROR_INVALID_VALUE;
	pthread_mutex_lock(&fk_lock);
	fk_graph_free_locked(graph);
	pthread_mutex_unlock(&fk_lock);
	return CUDA_SUCCESS;
}

static CUresult graph_clone(CUgraph *out, CUgraph from)
{
	CUresult result;

	if (!out || !fk_is(from, FK_GRAPH))
		return CUDA_ERROR_INVALID_VALUE;
	pthread_mutex_lock(&fk_lock);
	result = fk_graph_has(from, fk_work_is_fixed) ? CUDA_ERROR_NOT_SUPPORTED : fk_graph_copy_locked(out, from);
	pthread_mutex_unlock(&fk_lock);
	return result;
}

static CUresult find_in_clone(CUgraphNode *out, CUgraphNode original, CUgraph clone)
{
	if (!out || !fk_is(original, FK_NODE) || !fk_is(clone, FK_GRAPH) || !clone->origin)
		return CUDA_ERROR_INVALID_VALUE;
	pthread_mutex_lock(&fk_lock);
	*out = clone_of(clone, original);
	pthread_mutex_unlock(&fk_lock);
	return *out ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

static CUresult node_destroy(CUgraphNode node)
{
	if (!fk_is(node, FK_NODE) || fk_work_updatable(&node->work))
		return CUDA_ERROR_INVALID_VALUE;
	pthread_mutex_lock(&fk_lock);
	node_remove(node);
	pthread_mutex_unlock(&fk_lock);
	return CUDA_SUCCESS;
}

static bool is_root(CUgraph graph, CUgraphNode node)
{
	for (size_t i = 0; i < graph->edge_count; i++)
		if (graph->edges[i].to == node)
			return false;
	return true;
}

/* The count alone when out is NULL; else up to *count, and NULL in what is left. */
static CUresult list_nodes(CUgraph graph, CUgraphNode *out, size_t *count, bool roots)
{
	size_t n = 0, room;

	if (!fk_is(graph, FK_GRAPH) || !count)
		return CUDA_ERROR_INVALID_VALUE;
	pthread_mutex_lock(&fk_lock);
	room = out ? *count : 0;
	for (size_t i = 0; i < graph->node_count; i++) {
		if (roots && !is_root(graph, graph->nodes[i]))
			continue;
		if (n < room)
			out[n] = graph->nodes[i];
		n++;
	}
	for (size_t i = n; i < room; i++)
		out[i] = NULL;
	*count = out && n > room ? room : n;
	pthread_mutex_unlock(&fk_lock);
	return CUDA_SUCCESS;
}

FK_API(FK_INIT, cuGraphCreate, (CUgraph *out, unsigned int flags), graph_create(out, flags))
FK_API(FK_INIT, cuGraphDestroy, (CUgraph graph), graph_destroy(graph))
FK_API(FK_INIT, cuGraphClone, (CUgraph *out, CUgraph from), graph_clone(out, from))
FK_API(FK_INIT, cuGraphNodeFindInClone, (CUgraphNode *out, CUgraphNode original, CUgraph clone),
	find_in_clone(out, original, clone))
FK_API(FK_INIT, cuGraphDestroyNode, (CUgraphNode node), node_destroy(node))
FK_API(FK_INIT, cuGraphGetNodes, (CUgraph graph, CUgraphNode *out, size_t *count),
	list_nodes(graph, out, count, false))
FK_API(FK_INIT, cuGraphGetRootNodes, (CUgraph graph, CUgraphNode *out, size_t *count),
	list_nodes(graph, out, count, true))
