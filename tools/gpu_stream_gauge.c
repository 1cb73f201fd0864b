/*
 * gpu_stream_gauge.c - what stamps cost on streams, by the gauges that stand between the operations (ring_gpu.h).
 *
 * Of an operation those count that were measured in the same way on the same GPU next before and next behind: the one
 * in the middle. Where there are none of its class, those of the class most like it, and what the library has found the
 * two to differ by.
 */
#include "tools/gpu.h"

#include <errno.h>
#include <stdlib.h>
#include "tools/list.h"

enum { EACH_SIDE = 8 };

int gpu_is_gauge(const struct vprof_slot *slot)
{
	return slot->kind == VPROF_KIND_TIMED && !slot->timed.of;
}

int gpu_gauge_add(struct gpu *gpu, const struct vprof_slot *slot)
{
	if (list_grow(gpu->gauges, gpu->gauge_count))
		return -ENOMEM;
	gpu->gauges[gpu->gauge_count++] = (struct gpu_stream_gauge){
		.t0 = slot->t0,
		.device = slot->timed.device,
		.class = slot->timed.type,
		.ns = (int64_t)slot->timed.ns - slot->object,
	};
	return 0;
}

/* By device, class, time. */
static int order(const struct gpu_stream_gauge *a, unsigned int device, unsigned int class, uint64_t t0)
{
	if (a->device != device)
		return a->device < device ? -1 : 1;
	if (a->class != class)
		return a->class < class ? -1 : 1;
	return (a->t0 > t0) - (a->t0 < t0);
}

static int compare(const void *a, const void *b)
{
	const struct gpu_stream_gauge *y = b;

	return order(a, y->device, y->class, y->t0);
}

void gpu_gauges_sort(struct gpu *gpu)
{
	if (gpu->gauge_count)
		qsort(gpu->gauges, gpu->gauge_count, sizeof(*gpu->gauges), compare);
}

static int compare_ns(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* 0: there is none of that class. */
static int nearest(struct gpu *gpu, unsigned int device, unsigned int class, uint64_t t0, int64_t *cost)
{
	struct gpu_gauge_memo *memo = &gpu->gauge_memo;
	size_t low = 0, high = gpu->gauge_count, count = 0;
	int64_t ns[2 * EACH_SIDE];

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (order(&gpu->gauges[middle], device, class, t0) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	/* Many operations lie between the same two. */
	if (memo->set && memo->at == high && memo->device == device && memo->class == class) {
		*cost = memo->ns;
		return 1;
	}
	low = low > EACH_SIDE ? low - EACH_SIDE : 0;
	for (size_t i = low; i < high + EACH_SIDE && i < gpu->gauge_count; i++)
		if (gpu->gauges[i].device == device && gpu->gauges[i].class == class)
			ns[count++] = gpu->gauges[i].ns;
	if (!count)
		return 0;
	qsort(ns, count, sizeof(*ns), compare_ns);
	*cost = ns[(count - 1) / 2];
	*memo = (struct gpu_gauge_memo){ .set = 1, .at = high, .device = device, .class = class, .ns = *cost };
	return 1;
}

/* Whose gauges tell what a class costs, the best first. */
enum { WAYS = 3 };
static const uint8_t by[VPROF_STAMP_CLASSES][WAYS] = {
	[VPROF_STAMP_STREAM] = { VPROF_STAMP_STREAM, VPROF_STAMP_GATED },
	[VPROF_STAMP_GATED] = { VPROF_STAMP_GATED, VPROF_STAMP_STREAM },
	[VPROF_STAMP_STREAM_COPY] = { VPROF_STAMP_GATED, VPROF_STAMP_STREAM },
	[VPROF_STAMP_LED] = { VPROF_STAMP_LED, VPROF_STAMP_STREAM, VPROF_STAMP_GATED },
	[VPROF_STAMP_FOLLOWING] = { VPROF_STAMP_FOLLOWING, VPROF_STAMP_STREAM, VPROF_STAMP_GATED },
};

int64_t gpu_stream_cost(struct gpu *gpu, const struct vprof_def_gpu *costs, const struct vprof_slot *slot)
{
	unsigned int class = slot->timed.type;
	int64_t own = gpu_cost_of(costs, VPROF_STAMP_OWN), cost;

	for (int i = 0; class < VPROF_STAMP_CLASSES && i < WAYS && by[class][i]; i++)
		if (nearest(gpu, slot->timed.device, by[class][i], slot->t0, &cost))
			return cost - own + gpu_cost_of(costs, by[class][0]) - gpu_cost_of(costs, by[class][i]);
	return gpu_cost_of(costs, class);
}
