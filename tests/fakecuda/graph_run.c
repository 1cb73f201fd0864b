/*
 * graph_run.c - how a graph runs: which node when, by the simulation's clock.
 *
 * A plan is a graph with its nodes in an order that its edges allow. A node begins when
 * all its edges let it: a plain one when the node it comes from has ended, a
 * programmatic one when that node's kernel has triggered (a kernel that waits
 * for its upstream begins its work at the end of that all the same). The way
 * over an edge takes FAKECUDA_EDGE_NS or FAKECUDA_PROG_NS.
 *
 * What the nodes do is done in the order of the times at which they end, each
 * when the host's clock has got there. So a kernel that overlaps its upstream does not
 * see what that stores at its end, as on a GPU. A graph in which nothing takes
 * or reads time runs at once, node by node.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fakecuda/graph.h"

/* ---- making a plan ------------------------------------------------------------- */

void fk_plan_free(struct fk_plan *plan)
{
	free(plan->order);
	free(plan->first);
	free(plan->outs);
	free(plan->ins);
	free(plan);
}

static bool plan_alloc(struct fk_plan *plan)
{
	size_t nodes = plan->graph->node_count + 1, edges = plan->graph->edge_count + 1;

	plan->order = malloc(nodes * sizeof(*plan->order));
	plan->first = calloc(nodes + 1, sizeof(*plan->first));
	plan->outs = malloc(edges * sizeof(*plan->outs));
	plan->ins = calloc(nodes, sizeof(*plan->ins));
	return plan->order && plan->first && plan->outs && plan->ins;
}

/* Edges by the node they come from; nodes go by their place in the graph. */
static void plan_edges(struct fk_plan *plan)
{
	CUgraph graph = plan->graph;

	for (size_t i = 0; i < graph->node_count; i++)
		graph->nodes[i]->index = i;
	for (size_t e = 0; e < graph->edge_count; e++) {
		plan->first[graph->edges[e].from->index + 2]++;
		plan->ins[graph->edges[e].to->index]++;
	}
	for (size_t i = 2; i <= graph->node_count; i++)
		plan->first[i] += plan->first[i - 1];
	for (size_t e = 0; e < graph->edge_count; e++) {
		const struct fk_edge *edge = &graph->edges[e];

		plan->outs[plan->first[edge->from->index + 1]++] = (struct fk_out){ edge->to->index, edge->data };
	}
}

/* Takes nodes whose predecessors have all been taken; CUDA_ERROR_INVALID_VALUE: a cycle. */
static CUresult plan_order(struct fk_plan *plan)
{
	size_t count = plan->graph->node_count, taken = 0, known = 0;
	size_t *missing = malloc((count + 1) * sizeof(*missing));

	if (!missing)
		return CUDA_ERROR_OUT_OF_MEMORY;
	memcpy(missing, plan->ins, count * sizeof(*missing));
	for (size_t i = 0; i < count; i++)
		if (!missing[i])
			plan->order[known++] = plan->graph->nodes[i];
	for (; taken < known; taken++) {
		size_t from = plan->order[taken]->index;

		for (size_t o = plan->first[from]; o < plan->first[from + 1]; o++)
			if (!--missing[plan->outs[o].to])
				plan->order[known++] = plan->graph->nodes[plan->outs[o].to];
	}
	free(missing);
	return known == count ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

void fk_plan_unref_locked(struct fk_plan *plan)
{
	if (--plan->refs)
		return;
	fk_graph_free_locked(plan->graph);
	fk_plan_free(plan);
}

/* Whether anything of it takes time or reads it; to be asked again when a node's work has changed. */
void fk_plan_look(struct fk_plan *plan)
{
	plan->timed = plan->events = false;
	for (size_t i = 0; i < plan->graph->node_count; i++) {
		const struct fk_work *work = &plan->graph->nodes[i]->work;

		plan->timed |= fk_work_ns(work) || fk_work_timed(work);
		plan->events |= work->type == CU_GRAPH_NODE_TYPE_EVENT_RECORD || work->type == CU_GRAPH_NODE_TYPE_WAIT_EVENT;
	}
}

CUresult fk_plan_new(struct fk_plan **out, CUgraph graph)
{
	struct fk_plan *plan = calloc(1, sizeof(*plan));
	CUresult result = CUDA_ERROR_OUT_OF_MEMORY;

	if (!plan)
		return result;
	plan->refs = 1;
	plan->graph = graph;
	if (plan_alloc(plan)) {
		plan_edges(plan);
		result = plan_order(plan);
	}
	fk_plan_look(plan);
	if (result)
		fk_plan_free(plan);
	else
		*out = plan;
	return result;
}

/* ---- running it ------------------------------------------------------------------- */

struct node_run {
	struct fk_span span;
	size_t missing; /* edges to it from nodes whose end is not known */
	size_t turn;    /* nodes behind it have a later one */
	uint64_t when;  /* it is to be done */
};

struct run {
	const struct fk_plan *plan;
	struct node_run *nodes; /* by their place in the graph, as all numbers here */
	size_t *ready, readies; /* when they begin is known */
	size_t *heap, heaped;   /* to be done, the soonest on top */
	size_t turns;
};

static bool sooner(const struct run *r, size_t a, size_t b)
{
	const struct node_run *x = &r->nodes[a], *y = &r->nodes[b];

	return x->when != y->when ? x->when < y->when : x->turn < y->turn;
}

static void heap_add(struct run *r, size_t node)
{
	size_t at = r->heaped++;

	for (; at && sooner(r, node, r->heap[(at - 1) / 2]); at = (at - 1) / 2)
		r->heap[at] = r->heap[(at - 1) / 2];
	r->heap[at] = node;
}

static size_t heap_take(struct run *r)
{
	size_t top = r->heap[0], last = r->heap[--r->heaped], at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < r->heaped && sooner(r, r->heap[child + 1], r->heap[child]))
			child++;
		if (child >= r->heaped || !sooner(r, r->heap[child], last))
			break;
		r->heap[at] = r->heap[child];
		at = child;
	}
	r->heap[at] = last;
	return top;
}

/* The work of a disabled node is that of an empty one. */
static const struct fk_work *work_of(const struct run *r, size_t node)
{
	static const struct fk_work empty = { .type = CU_GRAPH_NODE_TYPE_EMPTY };
	CUgraphNode n = r->plan->graph->nodes[node];

	return n->disabled ? &empty : &n->work;
}

/* Its span is known: those of nodes behind it may be now. */
static void pass_on(struct run *r, size_t node)
{
	const struct fk_plan *p = r->plan;

	for (size_t o = p->first[node]; o < p->first[node + 1]; o++) {
		struct node_run *to = &r->nodes[p->outs[o].to];
		uint64_t bound = fk_edge_bound(&r->nodes[node].span, &p->outs[o].data, work_of(r, p->outs[o].to));

		if (to->span.begin < bound)
			to->span.begin = bound;
		if (!--to->missing)
			r->ready[r->readies++] = p->outs[o].to;
	}
}

/*
 * When a node ends is known before it has run, but for one that waits for the
 * host or has a graph of its own: that one is run at its begin, and then what is behind it is known.
 */
static void plan_ahead(struct run *r)
{
	while (r->readies) {
		size_t at = r->ready[--r->readies];
		struct node_run *n = &r->nodes[at];
		const struct fk_work *work = work_of(r, at);

		n->span = fk_span_at(work, n->span.begin);
		n->turn = r->turns++;
		n->when = fk_work_open(work) ? n->span.begin : n->span.end;
		heap_add(r, at);
		if (!fk_work_open(work))
			pass_on(r, at);
	}
}

static uint64_t run_timed(struct run *r, uint64_t begin)
{
	uint64_t end = begin;

	for (size_t i = 0; i < r->plan->graph->node_count; i++) {
		r->nodes[i].span.begin = begin;
		r->nodes[i].missing = r->plan->ins[i];
		if (!r->nodes[i].missing)
			r->ready[r->readies++] = i;
	}
	for (plan_ahead(r); r->heaped; plan_ahead(r)) {
		size_t at = heap_take(r);
		const struct fk_work *work = work_of(r, at);

		fk_work_run(work, &r->nodes[at].span);
		if (end < r->nodes[at].span.end)
			end = r->nodes[at].span.end;
		if (fk_work_open(work))
			pass_on(r, at);
	}
	return end;
}

static uint64_t run_at_once(const struct fk_plan *plan, uint64_t begin)
{
	for (size_t i = 0; i < plan->graph->node_count; i++) {
		struct fk_span span = { .begin = begin, .trigger = begin, .end = begin };

		if (!plan->order[i]->disabled)
			fk_work_run(&plan->order[i]->work, &span);
	}
	return begin;
}

/* Returns when the last of it has ended. */
uint64_t fk_plan_run(const struct fk_plan *plan, uint64_t begin)
{
	size_t count = plan->graph->node_count;
	struct run r = { .plan = plan };

	if (!plan->timed)
		return run_at_once(plan, begin);
	r.nodes = calloc(count, sizeof(*r.nodes));
	r.ready = malloc(count * sizeof(*r.ready));
	r.heap = malloc(count * sizeof(*r.heap));
	if (r.nodes && r.ready && r.heap)
		begin = run_timed(&r, begin);
	else
		fk_sticky_set(CUDA_ERROR_LAUNCH_FAILED);
	free(r.nodes);
	free(r.ready);
	free(r.heap);
	return begin;
}
