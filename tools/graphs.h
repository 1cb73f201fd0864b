/*
 * graphs.h - the executable graphs of one ring, and the nodes that they consist of.
 *
 * Made from the definitions alone. Graphs that are equal share one list of nodes. What
 * a ring says is checked here: indices that a list gives out are within it, and memory is bounded by the
 * size of the definitions, whatever counts they claim.
 *
 * A graph whose nodes are not known has no list; one of which some are known has a list
 * with `total` larger than `count`.
 */
#ifndef VPROF_TOOLS_GRAPHS_H
#define VPROF_TOOLS_GRAPHS_H

#include "tools/idmap.h"
#include "tools/ring.h"

struct graph_edge {
	uint32_t from, to;     /* indices of nodes */
	int programmatic;
};

struct graph_kernel {
	const char *name;      /* as the driver has it; "" when not known */
	uint32_t object;       /* VPROF_DEF_KERNEL; one of several may have the name */
	uint32_t nodes;        /* that run it */
};

struct graph_list {
	struct vprof_graph_node *nodes; /* parent is 0 or at most the node's own index */
	struct graph_edge *edges;       /* sorted by `to`, then by `from` */
	struct graph_kernel *by_name;   /* distinct kernels, most frequent first */
	uint32_t count, edge_count, distinct;
	uint32_t total, edge_total;     /* how many the ring claims there are */
	uint32_t kernels, copies, sets, children, others;
	uint32_t programmatic;          /* edges */
	uint32_t owner;                 /* index of the graph that it was written for */
	uint32_t node_room, edge_room;
};

struct graph {
	uint32_t id;           /* of its definition */
	uint32_t version;      /* 1: as instantiated; 2, 3, … after updates */
	uint32_t list;         /* in graphs.lists; IDMAP_NONE: nodes not known */
	const struct vprof_def_graph *def;
	const struct vprof_def_origin *origin; /* NULL: not known */
};

struct graphs {
	struct graph *list;    /* in order of definition */
	struct graph_list *lists;
	uint32_t count, list_count;
	uint64_t bad;          /* definitions of nodes and edges that contradict others: left out */
	struct idmap by_id;
};

/* 0 or -ENOMEM. The ring has to stay, and must not be refreshed, until graphs_free(). */
int graphs_read(struct graphs *graphs, const struct ring *ring);
void graphs_free(struct graphs *graphs);

static inline uint32_t graphs_index(const struct graphs *graphs, uint32_t id)
{
	return idmap_get(&graphs->by_id, id);
}

/* NULL when the nodes are not known. */
static inline const struct graph_list *graph_nodes(const struct graphs *graphs, const struct graph *graph)
{
	return graph->list == IDMAP_NONE ? NULL : &graphs->lists[graph->list];
}

/* The first of the edges that lead to a node; they end where `to` is another. Index: edge_count when none. */
uint32_t graph_edges_to(const struct graph_list *list, uint32_t node);

/* "kernel", "copy", "set", ... */
const char *graph_node_kind(uint32_t type);

#endif
