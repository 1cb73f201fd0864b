/*
 * graph_scratch.h - the pad on which the nodes of a graph are put together, between graph_nodes.c, which
 * asks for them, and graph_lists.c, which writes them into the ring.
 */
#ifndef VPROF_SHIM_GRAPH_SCRATCH_H
#define VPROF_SHIM_GRAPH_SCRATCH_H

#include "preload/inner.h"
#include "shim/graph_nodes.h"

enum {
	MOST_NODES = 8192,
	MOST_EDGES = 16384,
	INDEX_BITS = 14,     /* at most half full */
	PIECE = 64,          /* nodes in a definition */
	EDGES_PIECE = 384,
	SEEN = 4096,
	SEEN_PROBES = 8,
};
_Static_assert((1 << INDEX_BITS) >= 2 * MOST_NODES, "the index has to stay half empty");

struct edge {
	uint32_t from, to;
};

struct seen {
	uint64_t content[2];
	uint32_t graph;      /* 0: free */
};

struct vprof_scratch {
	uint32_t pad;        /* its index in `pads` */
	uint32_t total, edge_count; /* that are here */
	uint32_t claimed;    /* nodes that there are by the driver's account */
	uint32_t stamp;      /* of the entries of `index` that count */
	uint32_t generation; /* of the ring that `seen` is about */
	int lost;            /* something was left out */
	uint64_t content[2];
	CUgraphNode handles[MOST_NODES];
	struct vprof_graph_node nodes[MOST_NODES];
	CUgraphNode from[MOST_EDGES], to[MOST_EDGES];
	CUgraphEdgeData data[MOST_EDGES];
	struct edge edges[MOST_EDGES];
	struct { CUgraphNode node; uint32_t at, stamp; } index[1 << INDEX_BITS];
	struct seen seen[SEEN + SEEN_PROBES]; /* by content: the newest graph in the ring that has it */
	union {
		struct vprof_def_nodes nodes;
		struct vprof_def_edges edges;
		uint8_t bytes[sizeof(struct vprof_def_nodes) + PIECE * sizeof(struct vprof_graph_node)];
	} piece;
};
_Static_assert(sizeof(struct vprof_def_edges) + EDGES_PIECE * sizeof(struct edge) <=
	       sizeof(((struct vprof_scratch *)0)->piece), "a piece of edges has to fit as well");

/* The edges of a graph, with data or, where the driver has none, zeroes. Between begin and end (ask.h). */
CUresult vprof_graph_edges(CUgraph graph, CUgraphNode *from, CUgraphNode *to, CUgraphEdgeData *data,
			   size_t *count) HIDDEN COLD;

#endif
