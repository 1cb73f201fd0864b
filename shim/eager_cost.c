/*
 * eager_cost.c - what stamps on streams cost, by kernels that know how long they ran. By our thread, on our stream.
 *
 * BUSY. A gate, then kernels with a stamp behind each, all queued while the gate is shut: what an interval
 * between two stamps has more than the kernel in it. IDLE. A gate, a stamp, one kernel and one stamp, again and again.
 * What a kernel costs that a programmatic launch follows, and that launch, is not measured: they are taken for BUSY.
 * What a copy or a set is measured with is what a kernel is; a graph's first kernel comes behind a
 * stamp as any does.
 */
#include "shim/ask.h"
#include "shim/eager.h"
#include "shim/gpu_clock.h"

enum {
	KERNELS = 64,
	FIRST = 4,            /* of these are not counted */
	TIMED_NS = 4000,
	MOST_NS = 5000000,    /* a gate of ours on our own stream holds up nobody */
	WORD = VPROF_TRACKS,  /* the gates' words behind those of tracks */
};
_Static_assert((int)VPROF_TRACKS < (int)VPROF_GATES, "a word is left for this");

/* Of each kernel: the stamp behind its gate, from when to when it ran, when it was over. */
struct measured {
	uint64_t gate, begin, end, stamp;
};

struct bench {
	struct vprof_gpu *gpu;
	struct vprof_area *area;
	struct measured *at;
	uint32_t gates;       /* so far */
};

static CUdeviceptr on_device(const struct bench *b, const uint64_t *place)
{
	return b->area->device + (CUdeviceptr)((const char *)place - (const char *)b->area->host);
}

static CUresult launch(const struct bench *b, CUfunction function, void **params)
{
	return vprof_ask.launch_kernel(function, 1, 1, 1, 1, 1, 1, 0, b->gpu->stream, params, NULL);
}

static CUresult put_gate(struct bench *b, const uint64_t *where)
{
	CUdeviceptr slot = on_device(b, where), go = b->gpu->gates_device + WORD * VPROF_GATE_STRIDE;
	uint32_t want = ++b->gates, most = MOST_NS;

	CUresult result = launch(b, b->gpu->gate, (void *[]){ &go, &want, &slot, &most });

	return result ? result : launch(b, b->gpu->stamp_plain, (void *[]){ &slot });
}

static CUresult put_kernel(const struct bench *b, const struct measured *m)
{
	CUdeviceptr truth = on_device(b, &m->begin);
	uint32_t ns = TIMED_NS;
	CUresult result = launch(b, b->gpu->timed, (void *[]){ &truth, &ns });

	return result ? result : vprof_gpu_stamp_behind(b->gpu, b->gpu->stream, on_device(b, &m->stamp));
}

static CUresult settle(struct bench *b)
{
	/* Pairs with the gate's load. */
	__atomic_store_n(&b->gpu->gates[WORD * VPROF_GATE_STRIDE / sizeof(uint32_t)], b->gates, __ATOMIC_SEQ_CST);
	return vprof_gpu_settle(b->gpu);
}

static CUresult run_busy(struct bench *b)
{
	CUresult result = put_gate(b, &b->at[0].gate), ended;

	for (int i = 0; !result && i < KERNELS; i++)
		result = put_kernel(b, &b->at[i]);
	ended = settle(b);
	return result ? result : ended;
}

static CUresult run_idle(struct bench *b)
{
	CUresult result = CUDA_SUCCESS, ended = CUDA_SUCCESS;

	for (int i = 0; !result && !ended && i < KERNELS; i++) {
		result = put_gate(b, &b->at[i].gate);
		if (!result)
			result = put_kernel(b, &b->at[i]);
		ended = settle(b);
	}
	return result ? result : ended;
}

static void measure(struct vprof_gpu *gpu, struct vprof_def_gpu *def, enum vprof_stamp_class class)
{
	struct bench b = { .gpu = gpu, .area = vprof_gpu_area(gpu, VPROF_AREA_LOG_LEAST) };
	int busy = class == VPROF_STAMP_STREAM;
	int64_t costs[KERNELS];
	uint32_t count = 0;

	if (!b.area)
		return;
	b.at = (struct measured *)(void *)b.area->host;
	b.gates = gpu->gates[WORD * VPROF_GATE_STRIDE / sizeof(uint32_t)];
	if (!(busy ? run_busy(&b) : run_idle(&b)))
		for (int i = FIRST; i < KERNELS; i++) {
			const struct measured *m = &b.at[i];
			uint64_t from = busy ? m[-1].stamp : m->gate;

			if (from && m->begin && m->end > m->begin && m->stamp > from)
				costs[count++] = (int64_t)(m->stamp - from) - (int64_t)(m->end - m->begin);
		}
	if (count > KERNELS / 2)
		vprof_gpu_cost(costs, count, &def->cost[class].ns, &def->cost[class].error_ns);
	vprof_gpu_area_drop(b.area);
}

void vprof_eager_measure(struct vprof_gpu *gpu, struct vprof_def_gpu *def)
{
	measure(gpu, def, VPROF_STAMP_STREAM);
	measure(gpu, def, VPROF_STAMP_GATED);
	def->cost[VPROF_STAMP_STREAM_COPY].ns = def->cost[VPROF_STAMP_GATED].ns;
	def->cost[VPROF_STAMP_LED].ns = def->cost[VPROF_STAMP_FOLLOWING].ns = def->cost[VPROF_STAMP_STREAM].ns;
	def->cost[VPROF_STAMP_SPAN].ns = def->cost[VPROF_STAMP_STREAM].ns + VPROF_OWN_NS;
}
