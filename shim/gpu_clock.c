/*
 * gpu_clock.c - what stamps cost on a GPU, and how its clock stands to ours. By our thread.
 *
 * COSTS. A chain of kernels that know how long they ran (vprof_timed), a stamp behind each, once with programmatic
 * edges and once with plain ones. What an interval between two stamps has more than the kernel in it
 * is the cost: the median of all, of the second launch.
 *
 * THE CLOCK. A stamp on our own stream is made between the call that launches it and the moment
 * at which its store is seen; of a few the one for which that took least is told. Housekeeping writes it into
 * the ring, from a queue with one writer and one reader.
 */
#include <string.h>
#include <time.h>
#include "preload/clock.h"
#include "preload/inner.h"
#include "preload/record.h"
#include "shim/ask.h"
#include "shim/eager.h"
#include "shim/gpu.h"
#include "shim/gpu_clock.h"

enum {
	CHAIN = 256,
	TIMED_NS = 4000,
	STEP_NS = 32,          /* of the clock, on what has programmatic launches; elsewhere it is coarser */
	TIES = 8,              /* of which the best is told */
	SLOTS = 256,           /* for their stamps, in turn: one that comes late meets no other */
	SPIN_NS = 200000,      /* what a stamp that does not come is waited for without a pause, */
	LONG_NS = 20000000,    /* and at all */
	QUEUE = 16,
};

static struct tie {
	uint64_t t0, t1, gpu;
	int32_t device;
} queue[QUEUE];
static uint32_t queued, told; /* writers: our thread, housekeeping */

/* ---- costs ---- */

struct chain {
	struct vprof_gpu *gpu;
	struct vprof_area *blocks, *truth;  /* the stamps' block, and from when to when each kernel ran */
	CUdeviceptr cell;
	CUgraph graph;
	CUgraphExec exec;
	int programmatic;
};

static CUresult add(struct chain *c, CUfunction function, void **params, CUgraphNode *before, int programmatic)
{
	CUDA_KERNEL_NODE_PARAMS_v1 kernel = {
		.func = function,
		.gridDimX = 1, .gridDimY = 1, .gridDimZ = 1,
		.blockDimX = 1, .blockDimY = 1, .blockDimZ = 1,
		.kernelParams = params,
	};
	CUgraphEdgeData data = { CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC, 0, CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC,
				 { 0 } };
	CUgraphNode node = NULL;
	CUresult result = vprof_gpu_is_ending() ? CUDA_ERROR_NOT_READY :
			  vprof_ask.graph_add_kernel(&node, c->graph, *before && !programmatic ? before : NULL,
						     *before && !programmatic, &kernel);

	if (!result && *before && programmatic)
		result = vprof_ask.graph_add_edges_v2(c->graph, before, &node, &data, 1);
	*before = node;
	return result;
}

static CUresult chain_fill(struct chain *c)
{
	CUfunction stamp = c->gpu->mode == VPROF_STAMPS_PROGRAMMATIC ? c->gpu->twin_stamp : c->gpu->twin_stamp_plain;
	uint32_t ns = TIMED_NS;
	CUgraphNode last = NULL;
	CUresult result = add(c, c->gpu->twin_begin, (void *[]){ &c->cell }, &last, 0);

	for (uint32_t i = 0; !result && i < CHAIN; i++) {
		CUdeviceptr slot = c->truth->device + i * 16;

		/* The begin lets nothing start early. */
		result = add(c, c->gpu->timed, (void *[]){ &slot, &ns }, &last, c->programmatic && i);
		if (!result)
			result = add(c, stamp, (void *[]){ &c->cell, &i }, &last, c->programmatic);
	}
	return result ? result : add(c, c->gpu->twin_end, (void *[]){ &c->cell }, &last, 0);
}

static CUresult chain_launch(struct chain *c)
{
	CUresult result = CUDA_SUCCESS;

	for (int i = 0; !result && i < 2; i++)
		result = vprof_ask.graph_launch(c->exec, c->gpu->stream);
	return result ? result : vprof_gpu_settle(c->gpu);
}

static CUresult chain_run(struct chain *c)
{
	CUresult result = vprof_gpu_cell(c->gpu, c->blocks, 1, 2 + CHAIN, &c->cell);

	if (!result)
		result = vprof_ask.graph_create(&c->graph, 0);
	if (result)
		return result;
	result = chain_fill(c);
	if (!result)
		result = vprof_ask.graph_instantiate(&c->exec, c->graph, 0);
	if (!result) {
		result = chain_launch(c);
		vprof_ask.graph_exec_destroy(c->exec);
	}
	vprof_ask.graph_destroy(c->graph);
	return result;
}

static void sort(int64_t *list, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++)
		for (uint32_t j = i; j && list[j] < list[j - 1]; j--) {
			int64_t other = list[j];

			list[j] = list[j - 1];
			list[j - 1] = other;
		}
}

void vprof_gpu_cost(int64_t *costs, uint32_t count, uint32_t *ns, uint32_t *error_ns)
{
	sort(costs, count);
	*ns = costs[count / 2] > VPROF_OWN_NS ? (uint32_t)costs[count / 2] - VPROF_OWN_NS : 0;
	*error_ns = (uint32_t)((costs[count - count / 4 - 1] - costs[count / 4] + 1) / 2);
}

/* Of the chain that has run; error_ns stays as it was when the kernels did not say how long they took. */
static void chain_read(const struct chain *c, uint32_t *ns, uint32_t *error_ns)
{
	const uint64_t *stamps = c->blocks->host + 2, *truth = c->truth->host;
	int64_t costs[CHAIN];
	uint32_t count = 0;

	for (uint32_t i = 1; i < CHAIN; i++)
		if (stamps[i - 1] && stamps[i] > stamps[i - 1] && truth[2 * i] && truth[2 * i + 1] >= truth[2 * i])
			costs[count++] =
				(int64_t)(stamps[i] - stamps[i - 1]) - (int64_t)(truth[2 * i + 1] - truth[2 * i]);
	if (count >= CHAIN / 2)
		vprof_gpu_cost(costs, count, ns, error_ns);
}

static void measure(struct vprof_gpu *gpu, struct vprof_def_gpu *def, enum vprof_stamp_class class)
{
	struct chain c = { .gpu = gpu, .programmatic = class == VPROF_STAMP_PROGRAMMATIC };

	c.blocks = vprof_gpu_area(gpu, VPROF_AREA_LOG_LEAST);
	c.truth = vprof_gpu_area(gpu, VPROF_AREA_LOG_LEAST);
	if (c.blocks && c.truth && !chain_run(&c))
		chain_read(&c, &def->cost[class].ns, &def->cost[class].error_ns);
	if (c.blocks)
		vprof_gpu_area_drop(c.blocks);
	if (c.truth)
		vprof_gpu_area_drop(c.truth);
}

/* What is not measured is taken for what is most like it, and said not to be. */
static void guess(struct vprof_def_gpu *def)
{
	static const struct { uint8_t class, as; } like[] = {
		{ VPROF_STAMP_INHERITED, VPROF_STAMP_PROGRAMMATIC },
		{ VPROF_STAMP_COPY, VPROF_STAMP_PLAIN },
		{ VPROF_STAMP_OTHER, VPROF_STAMP_PLAIN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(like); i++)
		def->cost[like[i].class].ns = def->cost[like[i].as].ns;
}

void vprof_gpu_measure(struct vprof_gpu *gpu)
{
	struct vprof_def_gpu def = {
		.head.type = VPROF_DEF_GPU,
		.device = gpu->device,
		.mode = gpu->mode,
		.ticks = vprof_ticks(),
		.step_ns = STEP_NS,
		.error = (uint32_t)gpu->error,
	};

	for (int i = 0; i < VPROF_STAMP_CLASSES; i++)
		def.cost[i].error_ns = UINT32_MAX;
	if (vprof_gpu_state_of(gpu) == VPROF_GPU_READY && vprof_ask.graph_create && vprof_ask.graph_add_kernel &&
	    vprof_ask.graph_instantiate && vprof_ask.graph_launch) {
		measure(gpu, &def, VPROF_STAMP_PLAIN);
		if (gpu->mode == VPROF_STAMPS_PROGRAMMATIC)
			measure(gpu, &def, VPROF_STAMP_PROGRAMMATIC);
		guess(&def);
		vprof_eager_measure(gpu, &def);
		def.cost[VPROF_STAMP_OWN].ns = VPROF_OWN_NS;
	}
	vprof_define_sparing(&def, sizeof(def), NULL);
}

/* ---- the clock ---- */

/* 0: it has not come. */
static uint64_t wait_stamp(const uint64_t *slot)
{
	uint64_t start = vprof_clock_ns(CLOCK_MONOTONIC), passed = 0, stamp;

	while (!(stamp = __atomic_load_n(slot, __ATOMIC_ACQUIRE)) && passed < LONG_NS) {
		passed = vprof_clock_ns(CLOCK_MONOTONIC) - start;
		if (passed > SPIN_NS)
			vprof_gpu_pause(100000);
	}
	return stamp;
}

/* 0: none. */
static int tie_once(struct vprof_gpu *gpu, struct tie *tie)
{
	uint32_t at = gpu->ties_made++ % SLOTS;
	CUdeviceptr slot = gpu->ties_device + at * sizeof(uint64_t);
	void *params[] = { &slot };

	gpu->ties[at] = 0;
	tie->device = gpu->device;
	tie->t0 = vprof_ticks();
	if (vprof_ask.launch_kernel(gpu->stamp_plain, 1, 1, 1, 1, 1, 1, 0, gpu->stream, params, NULL))
		return 0;
	tie->gpu = wait_stamp(&gpu->ties[at]);
	tie->t1 = vprof_ticks();
	return tie->gpu != 0;
}

void vprof_gpu_tie(struct vprof_gpu *gpu)
{
	struct tie best = { 0 }, tie;

	for (int i = 0; i < TIES && !vprof_gpu_is_ending() && tie_once(gpu, &tie); i++)
		if (!best.gpu || tie.t1 - tie.t0 < best.t1 - best.t0)
			best = tie;
	if (!best.gpu || queued - __atomic_load_n(&told, __ATOMIC_ACQUIRE) == QUEUE)
		return;
	queue[queued % QUEUE] = best;
	/* Pairs with the acquire in vprof_gpu_ties_tell(). */
	__atomic_store_n(&queued, queued + 1, __ATOMIC_RELEASE);
}

void vprof_gpu_ties_tell(void)
{
	while (told != __atomic_load_n(&queued, __ATOMIC_ACQUIRE)) {
		const struct tie *tie = &queue[told % QUEUE];
		struct vprof_record r = vprof_begin_own();

		if (r.slot) {
			r.slot->kind = VPROF_KIND_GPU_CLOCK;
			r.slot->call = 0;
			r.slot->object = (uint32_t)tie->device;
			memset(r.slot->words, 0, sizeof(r.slot->words));
			r.slot->gpu_clock.gpu = tie->gpu;
			r.slot->t0 = tie->t0;
			r.slot->done = VPROF_DONE((tie->t1 - tie->t0) | 1, 0);
			/* Pairs with the readers' acquire load of seq. */
			__atomic_store_n(&r.slot->seq, r.seq, __ATOMIC_RELEASE);
		}
		__atomic_store_n(&told, told + 1, __ATOMIC_RELEASE);
	}
}

void vprof_gpu_ties_forget(void)
{
	queued = told = 0;
}
