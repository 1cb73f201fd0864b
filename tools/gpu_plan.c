/*
 * gpu_plan.c - from the edges of a graph to an order of its nodes.
 */
#include "tools/gpu_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct pair {
	uint32_t from, to;
	int programmatic;
};

struct making {
	const struct graph_list *list;
	uint8_t *holds, *entered, *left; /* by node: holds others; has edges to it; from it */
	struct pair *pairs;
	size_t count;
};

static uint32_t begin_of(const struct making *m, uint32_t node)
{
	return m->holds[node] ? m->list->count + node : node;
}

static void add_pair(struct making *m, uint32_t from, uint32_t to, int programmatic)
{
	m->pairs[m->count++] = (struct pair){ from, to, programmatic };
}

static void find_pairs(struct making *m)
{
	const struct graph_list *list = m->list;

	for (uint32_t i = 0; i < list->count; i++) {
		if (list->nodes[i].parent)
			m->holds[list->nodes[i].parent - 1] = 1;
		m->holds[i] |= list->nodes[i].type == VPROF_NODE_GRAPH;
	}
	for (uint32_t i = 0; i < list->edge_count; i++) {
		const struct graph_edge *edge = &list->edges[i];

		m->left[edge->from] = m->entered[edge->to] = 1;
		add_pair(m, edge->from, begin_of(m, edge->to), edge->programmatic);
	}
	for (uint32_t i = 0; i < list->count; i++) {
		uint32_t parent = list->nodes[i].parent;

		if (m->holds[i])
			add_pair(m, list->count + i, i, 0);
		if (parent && !m->entered[i] && parent - 1 != i)
			add_pair(m, list->count + parent - 1, begin_of(m, i), 0);
		if (parent && !m->left[i] && parent - 1 != i)
			add_pair(m, i, parent - 1, 0);
	}
}

/* waits[] by counting; then each point once all it waits for have had their turn. */
static int order_points(struct gpu_plan *plan, const struct making *m)
{
	uint32_t points = 2 * plan->nodes, done = 0;
	uint32_t *open = calloc(points + 1, sizeof(*open));
	uint32_t *after = calloc(points + 2, sizeof(*after)), *next = malloc((m->count + 1) * sizeof(*next));
	int error = -ENOMEM;

	if (!open || !after || !next)
		goto err;
	for (size_t i = 0; i < m->count; i++) {
		plan->at[m->pairs[i].to + 1]++;
		after[m->pairs[i].from + 2]++;
	}
	for (uint32_t p = 0; p < points; p++) {
		open[p] = plan->at[p + 1];
		plan->at[p + 1] += plan->at[p];
		after[p + 1] += after[p];
	}
	for (size_t i = 0; i < m->count; i++) {
		const struct pair *pair = &m->pairs[i];
		uint32_t at = plan->at[pair->to + 1] - open[pair->to]--;

		next[after[pair->from + 1]++] = pair->to;
		plan->waits[at] = pair->from;
		plan->early[at] = (uint8_t)pair->programmatic;
	}
	for (uint32_t p = 0; p < points; p++) {
		open[p] = plan->at[p + 1] - plan->at[p];
		if (!open[p])
			plan->order[plan->count++] = p;
	}
	for (; done < plan->count; done++)
		for (uint32_t i = after[plan->order[done]]; i < after[plan->order[done] + 1]; i++)
			if (!--open[next[i]])
				plan->order[plan->count++] = next[i];
	error = 0;
err:
	free(open);
	free(after);
	free(next);
	return error;
}

int gpu_plan_make(struct gpu_plan *plan, const struct graph_list *list)
{
	size_t nodes = list->count, pairs = (size_t)list->edge_count + 3 * nodes;
	struct making m = { .list = list };
	int error = -ENOMEM;

	memset(plan, 0, sizeof(*plan));
	if (!nodes || nodes > GPU_PLAN_NODES || list->count < list->total || list->edge_count < list->edge_total)
		return -EINVAL;
	plan->nodes = list->count;
	plan->order = malloc(2 * nodes * sizeof(*plan->order));
	plan->at = calloc(2 * nodes + 1, sizeof(*plan->at));
	plan->waits = malloc(pairs * sizeof(*plan->waits));
	plan->early = malloc(pairs);
	m.holds = calloc(nodes, 3);
	m.pairs = malloc(pairs * sizeof(*m.pairs));
	if (!plan->order || !plan->at || !plan->waits || !plan->early || !m.holds || !m.pairs)
		goto err;
	m.entered = m.holds + nodes;
	m.left = m.entered + nodes;
	find_pairs(&m);
	error = order_points(plan, &m);
err:
	free(m.holds);
	free(m.pairs);
	if (error)
		gpu_plan_free(plan);
	return error;
}

void gpu_plan_free(struct gpu_plan *plan)
{
	free(plan->order);
	free(plan->at);
	free(plan->waits);
	free(plan->early);
	memset(plan, 0, sizeof(*plan));
}
