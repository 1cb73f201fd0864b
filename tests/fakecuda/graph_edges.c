/*
 * graph_edges.c - what a program asks and changes about the edges of a graph.
 *
 * An edge is known by its two nodes and its data together; who names one without data means any between the two.
 */
#include <string.h>

#include "tests/fakecuda/graph.h"

/* Edges of a graph: all, or those into or out of one node. */
static CUresult list_edges(CUgraph graph, CUgraphNode to, CUgraphNode from, CUgraphNode *out_from,
	CUgraphNode *out_to, CUgraphEdgeData *data, size_t *count)
{
	size_t n = 0, room;
	CUresult result = CUDA_SUCCESS;

	if (!fk_is(graph, FK_GRAPH) || !count)
		return CUDA_ERROR_INVALID_VALUE;
	pthread_mutex_lock(&fk_lock);
	room = out_from || out_to ? *count : 0;
	for (size_t i = 0; i < graph->edge_count; i++) {
		const struct fk_edge *e = &graph->edges[i];

		if ((to && e->to != to) || (from && e->from != from))
			continue;
		if (room && !data && (e->data.type || e->data.from_port || e->data.to_port))
			result = CUDA_ERROR_LOSSY_QUERY;
		if (n < room && out_from)
			out_from[n] = e->from;
		if (n < room && out_to)
			out_to[n] = e->to;
		if (n < room && data)
			data[n] = e->data;
		n++;
	}
	for (size_t i = n; i < room; i++) {
		if (out_from)
			out_from[i] = NULL;
		if (out_to)
			out_to[i] = NULL;
	}
	*count = room && n > room ? room : n;
	pthread_mutex_unlock(&fk_lock);
	return result;
}

static CUgraph graph_of(CUgraphNode node)
{
	return fk_is(node, FK_NODE) ? node->graph : NULL;
}

static CUresult edges_add(CUgraph graph, const CUgraphNode *from, const CUgraphNode *to,
	const CUgraphEdgeData *data, size_t count)
{
	CUresult result = fk_is(graph, FK_GRAPH) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;

	pthread_mutex_lock(&fk_lock);
	for (size_t i = 0; i < count && !result; i++)
		result = fk_graph_join_locked(graph, from[i], to[i], data ? &data[i] : NULL);
	pthread_mutex_unlock(&fk_lock);
	return result;
}

static bool edge_is(const struct fk_edge *edge, CUgraphNode from, CUgraphNode to, const CUgraphEdgeData *data)
{
	return edge->from == from && edge->to == to && (!data || !memcmp(&edge->data, data, sizeof(*data)));
}

/* Those left keep their order. */
static CUresult edge_remove(CUgraph graph, CUgraphNode from, CUgraphNode to, const CUgraphEdgeData *data)
{
	for (size_t e = 0; e < graph->edge_count; e++) {
		if (!edge_is(&graph->edges[e], from, to, data))
			continue;
		graph->edge_count--;
		memmove(&graph->edges[e], &graph->edges[e + 1], (graph->edge_count - e) * sizeof(*graph->edges));
		return CUDA_SUCCESS;
	}
	return CUDA_ERROR_INVALID_VALUE;
}

static CUresult edges_remove(CUgraph graph, const CUgraphNode *from, const CUgraphNode *to,
	const CUgraphEdgeData *data, size_t count)
{
	CUresult result = CUDA_SUCCESS;

	if (!fk_is(graph, FK_GRAPH) || (count && fk_graph_has(graph, fk_work_allocates)))
		return CUDA_ERROR_INVALID_VALUE;
	pthread_mutex_lock(&fk_lock);
	for (size_t i = 0; i < count && !result; i++)
		result = edge_remove(graph, from[i], to[i], data ? &data[i] : NULL);
	pthread_mutex_unlock(&fk_lock);
	return result;
}

FK_API(FK_INIT, cuGraphGetEdges, (CUgraph graph, CUgraphNode *from, CUgraphNode *to, size_t *count),
	list_edges(graph, NULL, NULL, from, to, NULL, count))
FK_API(FK_INIT, cuGraphGetEdges_v2,
	(CUgraph graph, CUgraphNode *from, CUgraphNode *to, CUgraphEdgeData *data, size_t *count),
	list_edges(graph, NULL, NULL, from, to, data, count))
FK_API(FK_INIT, cuGraphNodeGetDependencies, (CUgraphNode node, CUgraphNode *out, size_t *count),
	list_edges(graph_of(node), node, NULL, out, NULL, NULL, count))
FK_API(FK_INIT, cuGraphNodeGetDependencies_v2,
	(CUgraphNode node, CUgraphNode *out, CUgraphEdgeData *data, size_t *count),
	list_edges(graph_of(node), node, NULL, out, NULL, data, count))
FK_API(FK_INIT, cuGraphNodeGetDependentNodes, (CUgraphNode node, CUgraphNode *out, size_t *count),
	list_edges(graph_of(node), NULL, node, NULL, out, NULL, count))
FK_API(FK_INIT, cuGraphNodeGetDependentNodes_v2,
	(CUgraphNode node, CUgraphNode *out, CUgraphEdgeData *data, size_t *count),
	list_edges(graph_of(node), NULL, node, NULL, out, data, count))
FK_API(FK_INIT, cuGraphAddDependencies,
	(CUgraph graph, const CUgraphNode *from, const CUgraphNode *to, size_t count),
	edges_add(graph, from, to, NULL, count))
FK_API(FK_INIT, cuGraphAddDependencies_v2,
	(CUgraph graph, const CUgraphNode *from, const CUgraphNode *to, const CUgraphEdgeData *data,
	 size_t count),
	edges_add(graph, from, to, data, count))
FK_API(FK_INIT, cuGraphRemoveDependencies,
	(CUgraph graph, const CUgraphNode *from, const CUgraphNode *to, size_t count),
	edges_remove(graph, from, to, NULL, count))
FK_API(FK_INIT, cuGraphRemoveDependencies_v2,
	(CUgraph graph, const CUgraphNode *from, const CUgraphNode *to, const CUgraphEdgeData *data,
	 size_t count),
	edges_remove(graph, from, to, data, count))
