/*
 * twin_parts.c - which nodes of a graph have stamps in one of its twins. By our thread.
 *
 * A part is a stretch of the graph, from so many nodes behind its beginning to so many: branches beside each other are
 * in the same part, so that what runs at once is seen at once. Its nodes are timed, from the stamps behind what each
 * waits for to its own. So these have stamps too, without being timed themselves: one ahead of a chain, a few where
 * there are branches. Nodes at which the graph ends always have one, for the whole to have an end.
 */
#include <string.h>
#include "shim/twin_plan.h"

enum {
	PART_LEAST = 16, /* nodes: the gauges, and the stamps ahead, cost each part the same */
	PARTS_OF_MANY = 2,
	MANY = 64,       /* nodes: stamps behind all of them cost a graph of short kernels 13 % of its time */
};

uint32_t vprof_stampable(const struct vprof_scratch *s)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < s->total; i++)
		count += (uint32_t)vprof_node_has_stamp(s->nodes[i].type);
	return count;
}

uint32_t vprof_parts_of(uint32_t timed)
{
	uint32_t most = timed / PART_LEAST, wanted = vprof_gpu_parts();

	/* One launch in many is not made cheap, but whole. */
	if (!wanted)
		wanted = vprof_gpu_now() == VPROF_GPU_ALL && timed >= MANY ? PARTS_OF_MANY : 1;
	return most < 1 ? 1 : most < wanted ? most : wanted;
}

static uint32_t edge_from(const struct edge *edge)
{
	return edge->from & ~VPROF_EDGE_PROGRAMMATIC;
}

/* How many nodes stand ahead of each in a row; what a node holds stands where that does. */
static void find_depths(struct vprof_plan *p)
{
	const struct vprof_scratch *s = p->s;
	int more = 1;

	memset(p->depth, 0, s->total * sizeof(*p->depth));
	while (more) {
		more = 0;
		for (uint32_t i = 0; i < s->edge_count; i++) {
			uint32_t from = edge_from(&s->edges[i]), to = s->edges[i].to;

			if (!s->nodes[to].parent && p->depth[to] <= p->depth[from]) {
				p->depth[to] = p->depth[from] + 1;
				more = 1;
			}
		}
	}
	/* Who holds others comes before them. */
	for (uint32_t i = 0; i < s->total; i++)
		if (s->nodes[i].parent)
			p->depth[i] = p->depth[s->nodes[i].parent - 1];
}

/* p->place[d]: how many of the nodes that may have stamps are less deep than d. */
static void find_places(struct vprof_plan *p)
{
	const struct vprof_scratch *s = p->s;

	memset(p->place, 0, (s->total + 1) * sizeof(*p->place));
	for (uint32_t i = 0; i < s->total; i++)
		p->place[p->depth[i] + 1] += (uint32_t)vprof_node_has_stamp(s->nodes[i].type);
	for (uint32_t d = 0; d < s->total; d++)
		p->place[d + 1] += p->place[d];
}

static void choose_own(struct vprof_plan *p, uint32_t part, uint32_t parts)
{
	const struct vprof_scratch *s = p->s;
	uint64_t count = vprof_stampable(s);

	find_depths(p);
	find_places(p);
	for (uint32_t i = 0; i < s->total; i++) {
		p->chosen[i] = 0;
		if (vprof_node_has_stamp(s->nodes[i].type) && (uint64_t)p->place[p->depth[i]]++ * parts / count == part)
			p->chosen[i] = VPROF_CHOSEN_STAMP | VPROF_CHOSEN_TIMED | VPROF_CHOSEN_BEGIN;
	}
	for (uint32_t i = 0; i < s->edge_count; i++) {
		p->chosen[edge_from(&s->edges[i])] |= VPROF_CHOSEN_LEFT |
			(s->edges[i].from & VPROF_EDGE_PROGRAMMATIC ? VPROF_CHOSEN_LEADS : 0);
		p->chosen[s->edges[i].to] |= VPROF_CHOSEN_ENTERED;
	}
}

/* When it was over has to be known: by a stamp, or by what is ahead of it. */
static int choose_over(struct vprof_plan *p, uint32_t node)
{
	uint8_t as = vprof_node_has_stamp(p->s->nodes[node].type) ? VPROF_CHOSEN_STAMP : VPROF_CHOSEN_BEGIN;
	int is_new = !(p->chosen[node] & as);

	p->chosen[node] |= as;
	return is_new;
}

/* A child graph begins when the node does that holds it. */
static int choose_ahead(struct vprof_plan *p)
{
	const struct vprof_scratch *s = p->s;
	int more = 0;

	for (uint32_t i = s->edge_count; i-- > 0;)
		if (p->chosen[s->edges[i].to] & VPROF_CHOSEN_BEGIN)
			more |= choose_over(p, edge_from(&s->edges[i]));
	for (uint32_t i = s->total; i-- > 0;) {
		uint32_t parent = s->nodes[i].parent;

		if (parent && (p->chosen[i] & (VPROF_CHOSEN_BEGIN | VPROF_CHOSEN_ENTERED)) == VPROF_CHOSEN_BEGIN &&
		    !(p->chosen[parent - 1] & VPROF_CHOSEN_BEGIN)) {
			p->chosen[parent - 1] |= VPROF_CHOSEN_BEGIN;
			more = 1;
		}
	}
	return more;
}

uint32_t vprof_part_choose(struct vprof_plan *p, uint32_t part, uint32_t parts)
{
	uint32_t count = 0;

	choose_own(p, part, parts);
	for (uint32_t i = 0; i < p->s->total; i++)
		if (!p->s->nodes[i].parent && !(p->chosen[i] & VPROF_CHOSEN_LEFT))
			choose_over(p, i);
	while (choose_ahead(p))
		;
	for (uint32_t i = 0; i < p->s->total; i++)
		if (p->chosen[i] & VPROF_CHOSEN_STAMP)
			count += p->chosen[i] & VPROF_CHOSEN_LEADS ? 2 : 1;
	return count;
}
