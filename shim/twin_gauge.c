/*
 * twin_gauge.c - what stamps cost in a twin, measured in each of its replays.
 *
 * How much later than a kernel's end its stamp reads the clock, and how much later than that the next kernel
 * begins, goes by the graph, by what else the process has on the GPU, and by the moment: on an H200 0.15 us
 * more than the driver's own account in one graph and 1.4 us in another, but in one replay of one graph much
 * the same for all its kernels. So behind the nodes of a twin stand gauges: kernels of ours that do nothing and say
 * from when to when they ran, with stamps as the program's kernels have them. They stand at
 * the end since kernels behind a gauge are slower than without it.
 */
#include "shim/ask.h"
#include "shim/twin_plan.h"

enum {
	ALIKE = 2,      /* of the most common kind: the reader takes the quicker one,
	                   since what disturbs one makes it slow */
	PLAIN_LEAST = 2, /* kernels between plain edges, the one behind the begin apart:
	                    fewer are taken for what the others are */
};

static CUresult put(struct vprof_plan *p, CUgraph graph, enum vprof_stamp_class class, CUgraphNode *gauge,
		    CUgraphNode *stamp)
{
	uint32_t begin = p->stamps, behind = begin + 2;
	CUresult result = vprof_plan_kernel(graph, p->gpu->gauge, (void *[]){ &p->cell, &begin }, gauge);

	if (!result)
		result = vprof_plan_kernel(graph, vprof_plan_stamp(p), (void *[]){ &p->cell, &behind }, stamp);
	if (result)
		return result;
	p->gauge_class[p->gauges++] = (uint16_t)class;
	p->node[++p->stamps] = VPROF_STAMP_GAUGE_BEGIN;
	p->node[++p->stamps] = VPROF_STAMP_GAUGE_END;
	p->node[++p->stamps] = VPROF_STAMP_GAUGE;
	vprof_plan_edge(p, *gauge, *stamp, vprof_plan_programmatic(p));
	return CUDA_SUCCESS;
}

/* One behind another; `last` is the last stamp, and becomes its. */
static CUresult put_next(struct vprof_plan *p, CUgraph graph, enum vprof_stamp_class class, CUgraphNode *last)
{
	CUgraphNode gauge, stamp;
	CUresult result = put(p, graph, class, &gauge, &stamp);

	if (result)
		return result;
	vprof_plan_edge(p, *last, gauge, class == VPROF_STAMP_PROGRAMMATIC);
	*last = stamp;
	return CUDA_SUCCESS;
}

/* The first waits for all that nothing else waits for. */
static CUresult put_first(struct vprof_plan *p, CUgraph graph, uint32_t end, CUgraphNode *last)
{
	uint32_t tails = 0;
	CUgraphNode gauge;
	CUresult result;
	int single;

	for (uint32_t i = 0; i < end; i++)
		tails += !p->out[i];
	single = tails == 1 && vprof_plan_programmatic(p);
	result = put(p, graph, single ? VPROF_STAMP_PROGRAMMATIC : VPROF_STAMP_PLAIN, &gauge, last);
	for (uint32_t i = 0; !result && i < end; i++)
		if (!p->out[i])
			vprof_plan_edge(p, p->stamp[i] ? p->stamp[i] : p->s->handles[i], gauge, single && p->stamp[i]);
	return result;
}

/* The classes of what child graphs hold, which are looked at later: from the edges in them. */
static void classify_held(struct vprof_plan *p, uint32_t nodes)
{
	const struct vprof_scratch *s = p->s;

	for (uint32_t i = nodes; i < s->total; i++) {
		p->in[i] = p->out[i] = 0;
		p->class[i] = VPROF_STAMP_PLAIN;
	}
	for (uint32_t i = 0; i < s->edge_count; i++)
		if (s->edges[i].to >= nodes) {
			p->in[s->edges[i].to]++;
			p->out[s->edges[i].from & ~VPROF_EDGE_PROGRAMMATIC]++;
		}
	for (uint32_t i = 0; i < s->edge_count; i++) {
		uint32_t from = s->edges[i].from & ~VPROF_EDGE_PROGRAMMATIC, to = s->edges[i].to;

		if (to >= nodes && vprof_plan_both(p, from, to, (s->edges[i].from & VPROF_EDGE_PROGRAMMATIC) != 0))
			p->class[to] = VPROF_STAMP_PROGRAMMATIC;
	}
}

/* Are there more than a few to be taken off like that? */
static int has_plain(struct vprof_plan *p, uint32_t nodes)
{
	uint32_t count = 0;

	classify_held(p, nodes);
	for (uint32_t i = 0; i < p->s->total; i++)
		count += p->chosen[i] & VPROF_CHOSEN_STAMP && p->class[i] != VPROF_STAMP_PROGRAMMATIC &&
			 p->class[i] != VPROF_STAMP_INHERITED;
	return count > PLAIN_LEAST;
}

CUresult vprof_gauges_add(struct vprof_plan *p, CUgraph graph, uint32_t nodes, CUgraphNode end)
{
	int programmatic = vprof_plan_programmatic(p);
	CUgraphNode last;
	CUresult result;

	p->gauges = 0;
	p->first_gauge = p->stamps + 1;
	result = put_first(p, graph, nodes, &last);
	for (int i = 1; !result && i < ALIKE; i++)
		result = put_next(p, graph, programmatic ? VPROF_STAMP_PROGRAMMATIC : VPROF_STAMP_PLAIN, &last);
	if (!result && programmatic && has_plain(p, nodes))
		result = put_next(p, graph, VPROF_STAMP_PLAIN, &last);
	if (!result)
		vprof_plan_edge(p, last, end, 0);
	return result;
}
