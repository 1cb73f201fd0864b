/*
 * gpu_plan.h - in which order the nodes of a graph can run, for times that follow from its edges.
 *
 * A child graph is two points in time: its nodes wait for the first, what comes after it for the second.
 * A graph whose edges go round in circles has no order; what lies on such a circle is left out.
 */
#ifndef VPROF_TOOLS_GPU_PLAN_H
#define VPROF_TOOLS_GPU_PLAN_H

#include "tools/graphs.h"

#define GPU_PLAN_NEVER UINT32_MAX /* a time that is not known */

enum { GPU_PLAN_NODES = 1 << 16 }; /* a larger graph has no plan */

struct gpu_plan {
	uint32_t nodes;        /* point n < nodes: node n is over; nodes + n: child graph n begins */
	uint32_t *order;       /* points, each after all that it waits for */
	uint32_t count;        /* of them */
	uint32_t *at, *waits;  /* of point p: waits[at[p]] to waits[at[p + 1]] */
	uint8_t *early;        /* as waits: the edge is programmatic */
};

/* 0, -ENOMEM, or -EINVAL: too large, or nodes or edges are missing. */
int gpu_plan_make(struct gpu_plan *plan, const struct graph_list *list);
void gpu_plan_free(struct gpu_plan *plan);

/* When a point can begin, `over` saying when the points before it were over; GPU_PLAN_NEVER: not known. */
static inline uint32_t gpu_plan_begin(const struct gpu_plan *plan, uint32_t point, const uint32_t *over)
{
	uint32_t begin = 0;

	for (uint32_t i = plan->at[point]; i < plan->at[point + 1]; i++)
		if (over[plan->waits[i]] > begin)
			begin = over[plan->waits[i]];
	return begin;
}

#endif
