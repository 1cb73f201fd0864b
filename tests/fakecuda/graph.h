/*
 * graph.h - the software driver's graphs: nodes and edges, and what is made of them to run.
 *
 * A graph is a list of nodes, each with its work, and a list of edges. An exec has a copy of its own and a plan:
 * an order, and for each node the edges that lead from it. Runs hold the plan, so an exec that is
 * changed meanwhile gets a copy first.
 */
#ifndef FAKECUDA_GRAPH_H
#define FAKECUDA_GRAPH_H

#include "tests/fakecuda/fake.h"

struct fk_edge {
	CUgraphNode from, to;
	CUgraphEdgeData data;
};

struct CUgraphNode_st {
	struct fk_head head;
	CUgraph graph;
	CUgraphNode original; /* in the graph this one was cloned from */
	struct fk_work work;
	size_t index;         /* scratch of fk_graph_order */
	bool disabled;        /* in an exec's copy only */
};

struct CUgraph_st {
	struct fk_head head;
	unsigned long long id;
	CUgraph origin; /* what it is a clone of */
	int execs;      /* of those, made of it, that there can only be one of */
	CUgraphNode owner; /* the node it is the child of */
	CUgraphNode *nodes;
	size_t node_count, node_room;
	struct fk_edge *edges;
	size_t edge_count, edge_room;
};

struct fk_out { /* an edge, at the node it comes from */
	size_t to;
	CUgraphEdgeData data;
};

/* A graph and an order to run it in (graph_run.c). Numbers are nodes' places in the graph. */
struct fk_plan {
	int refs; /* an exec's plan: the exec, and its runs that have not ended */
	CUgraph graph;
	CUgraphNode *order;
	size_t *first; /* the edges out of node i are outs[first[i]] to outs[first[i + 1] - 1] */
	struct fk_out *outs;
	size_t *ins;   /* how many edges lead to node i */
	bool timed;
	bool events; /* records events or waits for some */
};

struct CUgraphExec_st {
	struct fk_head head;
	struct fk_plan *plan; /* of an own copy of the graph; its nodes' `original` are the source's nodes */
	unsigned long long flags;
	bool alone;              /* there can be one of its source at a time */
	CUgraph source;          /* may be gone */
	unsigned long long source_id;
	CUstream last;  /* where it ran last: runs do not overlap */
	uint64_t last_seq;
};

CUgraph fk_graph_new(void);
void fk_graph_free_locked(CUgraph graph);
CUresult fk_graph_copy_locked(CUgraph *out, CUgraph from);
CUresult fk_graph_add_locked(CUgraph graph, const struct fk_work *work, const CUgraphNode *deps,
	const CUgraphEdgeData *data, size_t count, CUgraphNode *out);
CUresult fk_plan_new(struct fk_plan **out, CUgraph graph); /* INVALID_VALUE: a cycle */
void fk_plan_look(struct fk_plan *plan);
void fk_plan_free(struct fk_plan *plan);
uint64_t fk_plan_run(const struct fk_plan *plan, uint64_t begin);
uint64_t fk_graph_ns(CUgraph graph);
void fk_plan_unref_locked(struct fk_plan *plan);
CUresult fk_exec_own_locked(CUgraphExec exec); /* so that its graph can be changed */
CUgraphNode fk_graph_find_deep(CUgraph clone, CUgraphNode original); /* in child graphs too */
CUresult fk_graph_join_locked(CUgraph graph, CUgraphNode from, CUgraphNode to, const CUgraphEdgeData *data);
CUresult fk_graph_copy_equal_locked(CUgraph *out, CUgraph from); /* standing for the same nodes as `from` */
bool fk_graph_has(CUgraph graph, bool (*is)(const struct fk_work *work));
bool fk_work_allocates(const struct fk_work *work);
bool fk_work_is_fixed(const struct fk_work *work); /* it cannot be cloned */

#endif
