/*
 * twin_plan.h - how a twin is put together, between twin_build.c, which makes it, twin_parts.c, which chooses
 * the nodes, twin_stamps.c, which puts the stamps in, and twin_gauge.c, which adds what tells what they cost.
 */
#ifndef VPROF_SHIM_TWIN_PLAN_H
#define VPROF_SHIM_TWIN_PLAN_H

#include "shim/graph_scratch.h"
#include "shim/twin.h"

enum {
	GAUGES = 3,          /* at most */
	GAUGE_STAMPS = 3,
	MOST_ADDED = MOST_EDGES + 3 * MOST_NODES + 2 * VPROF_TWIN_STAMPS + 4 * GAUGES,
	STAMPS_PIECE = 384,
};

enum vprof_chosen {
	VPROF_CHOSEN_STAMP = 1,           /* has a stamp, */
	VPROF_CHOSEN_TIMED = 2,           /* for its own sake: when it began is known too */
	VPROF_CHOSEN_BEGIN = 4,           /* when it began has to be: what is ahead of it has stamps */
	VPROF_CHOSEN_ENTERED = 8,         /* edges lead to it; */
	VPROF_CHOSEN_LEFT = 16,           /* from it, */
	VPROF_CHOSEN_LEADS = 32,          /* one of which the program made programmatic */
};

struct vprof_plan {
	struct vprof_scratch *s;
	struct vprof_gpu *gpu;
	CUdeviceptr cell;
	uint64_t flags;
	uint32_t stamps;                  /* without the first */
	uint8_t chosen[MOST_NODES];       /* enum vprof_chosen */
	uint32_t depth[MOST_NODES], place[MOST_NODES + 1];
	CUgraphNode stamp[MOST_NODES];    /* behind this node; NULL: none */
	uint16_t class[MOST_NODES];       /* of it */
	uint32_t in[MOST_NODES], out[MOST_NODES];
	uint32_t node[VPROF_TWIN_STAMPS]; /* of which it is */
	uint32_t gauges, first_gauge;     /* the stamps of all of them follow each other, from that one on */
	uint16_t gauge_class[GAUGES];
	size_t cut, added;                /* edges: cut ones in the scratch's lists */
	CUgraphNode from[MOST_ADDED], to[MOST_ADDED];
	CUgraphEdgeData data[MOST_ADDED];
	union {
		struct vprof_def_twin def;
		uint8_t bytes[sizeof(struct vprof_def_twin) + STAMPS_PIECE * 8];
	} piece;
};
extern struct vprof_plan *vprof_plan HIDDEN; /* made once, and our thread's */

static inline struct vprof_refusal vprof_refuse(enum vprof_twin_why why, CUresult error)
{
	return (struct vprof_refusal){ why, error };
}

/* Does it take time, or may it wait? */
static inline int vprof_node_has_stamp(uint32_t type)
{
	return type != VPROF_NODE_EMPTY && type != VPROF_NODE_EVENT_RECORD && type != VPROF_NODE_SIGNAL &&
	       type != VPROF_NODE_UNKNOWN;
}

static inline int vprof_plan_programmatic(const struct vprof_plan *p)
{
	return p->gpu->mode == VPROF_STAMPS_PROGRAMMATIC;
}

/* Is that edge programmatic on both sides of its stamp? `own`: the program made it so. By p->in and p->out. */
static inline int vprof_plan_both(const struct vprof_plan *p, uint32_t from, uint32_t to, int own)
{
	return vprof_plan_programmatic(p) && p->s->nodes[to].type == VPROF_NODE_KERNEL &&
	       (own || (p->in[to] == 1 && p->out[from] == 1));
}

static inline CUfunction vprof_plan_stamp(const struct vprof_plan *p)
{
	return vprof_plan_programmatic(p) ? p->gpu->twin_stamp : p->gpu->twin_stamp_plain;
}

/* How many nodes of a graph have stamps in a twin of all. */
uint32_t vprof_stampable(const struct vprof_scratch *s) HIDDEN COLD;

/* Which nodes have stamps in the twin of that part; how many. The plan has the nodes and edges of the whole graph. */
uint32_t vprof_part_choose(struct vprof_plan *p, uint32_t part, uint32_t parts) HIDDEN COLD;

/* A kernel of one thread. */
CUresult vprof_plan_kernel(CUgraph graph, CUfunction function, void **params, CUgraphNode *node) HIDDEN COLD;

/* An edge that is to be. */
void vprof_plan_edge(struct vprof_plan *p, CUgraphNode from, CUgraphNode to, int is_programmatic) HIDDEN COLD;

/* Puts stamps into a clone of the graph whose nodes the plan has. */
struct vprof_refusal vprof_plan_instrument(struct vprof_plan *p, CUgraph graph) HIDDEN COLD;

/* Between what the first `nodes` nodes of the plan end with, and `end`. */
CUresult vprof_gauges_add(struct vprof_plan *p, CUgraph graph, uint32_t nodes, CUgraphNode end) HIDDEN COLD;

#endif
