/*
 * work.c - what a stream does next, or a node of a graph does.
 *
 * The same struct serves both, so that a captured call and a node added by hand
 * are the same thing. A work that waits in a queue or lies in a graph is a deep
 * copy; one on its way there may point at the caller's stack.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fakecuda/graph.h"

static void kernel_drop(struct fk_work *work)
{
	free(work->kernel.args);
	free(work->kernel.pointers);
	free(work->kernel.attributes);
}

static CUresult kernel_copy(struct fk_work *work)
{
	const struct fk_layout *layout = &work->kernel.func->layout;
	const void *args = work->kernel.args;
	int count = layout->count;

	work->kernel.args = NULL;
	work->kernel.pointers = NULL;
	if (fk_attributes_copy(work))
		return CUDA_ERROR_OUT_OF_MEMORY;
	if (!args || !layout->bytes)
		return CUDA_SUCCESS;
	work->kernel.args = malloc(layout->bytes);
	work->kernel.pointers = malloc(((size_t)count + 1) * sizeof(void *));
	if (!work->kernel.args || !work->kernel.pointers) {
		kernel_drop(work);
		return CUDA_ERROR_OUT_OF_MEMORY;
	}
	memcpy(work->kernel.args, args, layout->bytes);
	for (int i = 0; i < count; i++)
		work->kernel.pointers[i] = (char *)work->kernel.args + layout->offset[i];
	return CUDA_SUCCESS;
}

CUresult fk_work_copy_locked(struct fk_work *to, const struct fk_work *from)
{
	*to = *from;
	switch (from->type) {
	case CU_GRAPH_NODE_TYPE_KERNEL:
		return kernel_copy(to);
	case CU_GRAPH_NODE_TYPE_GRAPH:
	case CU_GRAPH_NODE_TYPE_CONDITIONAL:
		return fk_graph_copy_locked(&to->child, from->child);
	case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
	case CU_GRAPH_NODE_TYPE_WAIT_EVENT:
		to->event->refs++;
		return CUDA_SUCCESS;
	default:
		return CUDA_SUCCESS;
	}
}

void fk_work_drop_locked(struct fk_work *work)
{
	switch (work->type) {
	case CU_GRAPH_NODE_TYPE_KERNEL:
		kernel_drop(work);
		break;
	case CU_GRAPH_NODE_TYPE_GRAPH:
	case CU_GRAPH_NODE_TYPE_CONDITIONAL:
		fk_graph_free_locked(work->child);
		break;
	case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
	case CU_GRAPH_NODE_TYPE_WAIT_EVENT:
		fk_event_unref_locked(work->event);
		break;
	default:
		break;
	}
	work->type = CU_GRAPH_NODE_TYPE_EMPTY;
}

static uint64_t kernel_ns(CUfunction function, const void *args)
{
	return function->ns + (function->ns_of ? function->ns_of(args) : 0) + function->waits_for_host;
}

uint64_t fk_work_ns(const struct fk_work *work)
{
	switch (work->type) {
	case CU_GRAPH_NODE_TYPE_KERNEL:
		return kernel_ns(work->kernel.func, work->kernel.args);
	case CU_GRAPH_NODE_TYPE_MEMCPY:
	case CU_GRAPH_NODE_TYPE_MEMSET:
		return fk_config.copy_ns;
	case CU_GRAPH_NODE_TYPE_HOST:
		return 1; /* a host function never runs in the thread that submits it */
	case CU_GRAPH_NODE_TYPE_GRAPH:
	case CU_GRAPH_NODE_TYPE_CONDITIONAL:
		return fk_graph_ns(work->child);
	default:
		return 0;
	}
}

bool fk_work_open(const struct fk_work *work)
{
	return work->type == CU_GRAPH_NODE_TYPE_HOST || fk_work_contains(work) ||
		(work->type == CU_GRAPH_NODE_TYPE_KERNEL && work->kernel.func->waits_for_host);
}

bool fk_work_timed(const struct fk_work *work)
{
	if (work->type == CU_GRAPH_NODE_TYPE_KERNEL)
		return work->kernel.func->timed;
	if (!fk_work_contains(work))
		return work->type == CU_GRAPH_NODE_TYPE_EVENT_RECORD;
	for (size_t i = 0; i < work->child->node_count; i++)
		if (fk_work_timed(&work->child->nodes[i]->work))
			return true;
	return false;
}

/* Up to FAKECUDA_JITTER_NS more, another number each time, but the same ones in each run. */
static uint64_t jitter(void)
{
	static uint64_t last; /* peer: workers of other streams */
	uint64_t x;

	if (!fk_config.jitter_ns)
		return 0;
	x = __atomic_add_fetch(&last, 0x9e3779b97f4a7c15u, __ATOMIC_RELAXED);
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	return (x ^ x >> 27) % (fk_config.jitter_ns + 1);
}

struct fk_span fk_span_at(const struct fk_work *work, uint64_t begin)
{
	uint64_t ns = fk_work_open(work) ? 0 : fk_work_ns(work);
	struct fk_span span;

	if (ns && !fk_work_timed(work))
		ns += jitter();
	span = (struct fk_span){ .begin = begin, .trigger = begin + ns, .end = begin + ns };

	if (work->type == CU_GRAPH_NODE_TYPE_KERNEL && work->kernel.func->trigger_ns < ns)
		span.trigger = begin + work->kernel.func->trigger_ns;
	return span;
}

/* Nothing is on its way to a node that does nothing itself. */
static bool takes_a_way(const struct fk_work *work)
{
	return work->type != CU_GRAPH_NODE_TYPE_EMPTY && work->type != CU_GRAPH_NODE_TYPE_EVENT_RECORD &&
		work->type != CU_GRAPH_NODE_TYPE_WAIT_EVENT;
}

uint64_t fk_edge_bound(const struct fk_span *from, const CUgraphEdgeData *edge, const struct fk_work *to)
{
	if (edge->type != CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC || to->type != CU_GRAPH_NODE_TYPE_KERNEL)
		return from->end + (takes_a_way(to) ? fk_config.edge_ns : 0);
	if (to->kernel.func->waits)
		return from->end + fk_config.prog_ns;
	return fk_config.prog_ns +
		(edge->from_port == CU_GRAPH_KERNEL_NODE_PORT_LAUNCH_ORDER ? from->begin : from->trigger);
}

static void child_run(CUgraph graph, struct fk_span *span)
{
	struct fk_plan *plan = NULL;

	if (fk_plan_new(&plan, graph)) {
		fk_sticky_set(CUDA_ERROR_LAUNCH_FAILED);
		return;
	}
	span->trigger = span->end = fk_plan_run(plan, span->begin);
	fk_plan_free(plan);
}

static void kernel_run(const struct fk_work *work, struct fk_span *span)
{
	CUfunction function = work->kernel.func;
	CUcontext ctx = work->kernel.ctx;
	struct fk_run run = { .at = span->end, .device = ctx ? ctx->device : 0 };

	if (function->ns || function->timed)
		fk_spend_until(run.at);
	if (function->run)
		function->run(&run, work->kernel.args);
	if (run.at != span->end)
		span->trigger = span->end = run.at;
}

void fk_work_run(const struct fk_work *work, struct fk_span *span)
{
	switch (work->type) {
	case CU_GRAPH_NODE_TYPE_KERNEL:
		kernel_run(work, span);
		break;
	case CU_GRAPH_NODE_TYPE_MEMCPY:
		if (fk_config.copy_ns)
			fk_spend_until(span->end);
		fk_copy_run(&work->copy);
		break;
	case CU_GRAPH_NODE_TYPE_MEMSET:
		if (fk_config.copy_ns)
			fk_spend_until(span->end);
		fk_set_run(&work->set);
		break;
	case CU_GRAPH_NODE_TYPE_HOST:
		fk_spend_until(span->begin);
		work->host.fn(work->host.userData);
		span->trigger = span->end = fk_now();
		break;
	case CU_GRAPH_NODE_TYPE_CONDITIONAL:
		if (!work->taken)
			break;
		child_run(work->child, span);
		break;
	case CU_GRAPH_NODE_TYPE_GRAPH:
		child_run(work->child, span);
		break;
	case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
		fk_spend_until(span->end);
		__atomic_store_n(&work->event->time_ns, span->end, __ATOMIC_RELEASE);
		break;
	case CU_GRAPH_NODE_TYPE_MEM_FREE:
		fk_memory_free(work->address, FK_DEVICE_MEMORY);
		break;
	default: /* empty; an event to wait for has been a dependency */
		break;
	}
}
