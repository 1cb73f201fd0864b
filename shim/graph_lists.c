/*
 * graph_lists.c - the nodes of a graph into the ring, or "the same as those of that graph".
 *
 * ROOM. Half of the definitions log is kept free of nodes: names of kernels matter more.
 */
#include <string.h>
#include "shim/graph_scratch.h"
#include "shim/graphs.h"

/* Where a graph of this content stands, or can be put: of a few places, the first when none is free. */
static struct seen *seen_place(struct vprof_scratch *s, int *known)
{
	uint32_t generation = __atomic_load_n(&vprof_graphs.generation, __ATOMIC_RELAXED);
	struct seen *first = &s->seen[s->content[1] % SEEN];

	if (s->generation != generation) {
		memset(s->seen, 0, sizeof(s->seen));
		s->generation = generation;
	}
	*known = 0;
	for (struct seen *at = first; at < first + SEEN_PROBES; at++) {
		if (!at->graph)
			return at;
		*known = !memcmp(at->content, s->content, sizeof(s->content));
		if (*known)
			return at;
	}
	return first;
}

static uint32_t define_nodes(struct vprof_scratch *s, uint32_t graph, uint32_t first)
{
	struct vprof_def_nodes *def = &s->piece.nodes;
	uint32_t count = s->total - first < PIECE ? s->total - first : PIECE;
	size_t bytes = count * sizeof(s->nodes[0]);

	*def = (struct vprof_def_nodes){ .head.type = VPROF_DEF_NODES, .graph = graph, .first = first,
					 .count = count, .total = s->claimed };
	memcpy(def->nodes, s->nodes + first, bytes);
	return vprof_define(def, sizeof(*def) + bytes, NULL) ? count : 0;
}

static uint32_t define_edges(struct vprof_scratch *s, uint32_t graph, uint32_t first)
{
	struct vprof_def_edges *def = &s->piece.edges;
	uint32_t count = s->edge_count - first < EDGES_PIECE ? s->edge_count - first : EDGES_PIECE;
	size_t bytes = count * sizeof(s->edges[0]);

	*def = (struct vprof_def_edges){ .head.type = VPROF_DEF_EDGES, .graph = graph, .first = first,
					 .count = count, .total = s->edge_count };
	memcpy(def->edges, s->edges + first, bytes);
	return vprof_define(def, sizeof(*def) + bytes, NULL) ? count : 0;
}

static int define_all(struct vprof_scratch *s, uint32_t graph)
{
	uint32_t done;

	if (!vprof_define_spares(s->total * sizeof(s->nodes[0]) + s->edge_count * sizeof(s->edges[0])))
		return 0;
	for (uint32_t at = 0; at < s->total; at += done)
		if (!(done = define_nodes(s, graph, at)))
			return 0;
	for (uint32_t at = 0; at < s->edge_count; at += done)
		if (!(done = define_edges(s, graph, at)))
			return 0;
	return 1;
}

/* "The same as those of that graph." */
static int define_same(struct vprof_scratch *s, uint32_t graph, uint32_t as)
{
	struct vprof_def_nodes def = { .head.type = VPROF_DEF_NODES, .graph = graph, .first = as, .total = s->claimed };

	return vprof_define_sparing(&def, sizeof(def), NULL) != 0;
}

uint32_t vprof_nodes_seen(const struct vprof_graph_nodes *nodes)
{
	const struct seen *place;
	int known;

	if (!nodes->scratch)
		return 0;
	place = seen_place(nodes->scratch, &known);
	return known ? place->graph : 0;
}

void vprof_nodes_define(const struct vprof_graph_nodes *nodes, uint32_t graph)
{
	struct vprof_scratch *s = nodes->scratch;
	struct seen *place;
	int known, whole;

	if (!s || !graph)
		return;
	place = seen_place(s, &known);
	whole = known ? define_same(s, graph, place->graph) : define_all(s, graph);
	if (whole)
		*place = (struct seen){ { s->content[0], s->content[1] }, graph };
	if (!whole || s->lost)
		vprof_lose(VPROF_LOSS_NODES);
}
