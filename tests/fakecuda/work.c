/*
 * work.c - what a stream does next, or a node of a graph does.
 *
 * The same struct serves both, so that a captured call and a node added by hand
 * are the same thing. A work that waits in a queue or lies in a graph is a deep
 * copy; one on its way there may point at the caller's stack.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fakecuda/fake.h"

static CUresult kernel_copy(struct fk_work *work)
{
	const struct fk_layout *layout = &work->kernel.func->layout;
	const void *args = work->kernel.args;
	int count = layout->count;

	work->kernel.args = NULL;
	work->kernel.pointers = NULL;
	if (!args || !layout->bytes)
		return CUDA_SUCCESS;
	work->kernel.args = malloc(layout->bytes);
	work->kernel.pointers = malloc(((size_t)count + 1) * sizeof(void *));
	if (!work->kernel.args || !work->kernel.pointers) {
		free(work->kernel.args);
		free(work->kernel.pointers);
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
		free(work->kernel.args);
		free(work->kernel.pointers);
		break;
	case CU_GRAPH_NODE_TYPE_GRAPH:
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

uint64_t fk_work_ns(const struct fk_work *work)
{
	switch (work->type) {
	case CU_GRAPH_NODE_TYPE_KERNEL:
		return work->kernel.func->ns + work->kernel.func->waits_for_host;
	case CU_GRAPH_NODE_TYPE_HOST:
		return 1; /* a host function never runs in the thread that submits it */
	case CU_GRAPH_NODE_TYPE_GRAPH:
		return fk_graph_ns(work->child);
	default:
		return 0;
	}
}

static void child_run(CUgraph graph)
{
	CUgraphNode *order = malloc((graph->node_count + 1) * sizeof(*order));

	if (!order || fk_graph_order(graph, order) || fk_graph_run(graph, order))
		fk_sticky_set(CUDA_ERROR_LAUNCH_FAILED);
	free(order);
}

static void kernel_run(const struct fk_work *work)
{
	CUfunction function = work->kernel.func;
	CUcontext ctx = work->kernel.ctx;
	struct fk_run run = { .at = fk_now() + function->ns, .device = ctx ? ctx->device : 0 };

	if (function->ns)
		fk_spend_until(run.at);
	if (function->run)
		function->run(&run, work->kernel.args);
}

void fk_work_run(const struct fk_work *work)
{
	switch (work->type) {
	case CU_GRAPH_NODE_TYPE_KERNEL:
		kernel_run(work);
		break;
	case CU_GRAPH_NODE_TYPE_MEMCPY:
		fk_copy_run(&work->copy);
		break;
	case CU_GRAPH_NODE_TYPE_MEMSET:
		fk_set_run(&work->set);
		break;
	case CU_GRAPH_NODE_TYPE_HOST:
		work->host.fn(work->host.userData);
		break;
	case CU_GRAPH_NODE_TYPE_GRAPH:
		child_run(work->child);
		break;
	case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
		__atomic_store_n(&work->event->time_ns, fk_now(), __ATOMIC_RELEASE);
		break;
	case CU_GRAPH_NODE_TYPE_MEM_FREE:
		fk_memory_free(work->address, FK_DEVICE_MEMORY);
		break;
	default: /* empty; an event to wait for has been a dependency */
		break;
	}
}
