/*
 * gpu_gauge.c - what stamps cost in a replay, by the gauges of its twin (ring_gpu.h).
 *
 * The one in the middle of those of a class counts. What a kernel takes that has nothing to do is no cost, but
 * a part of its own time.
 */
#include "tools/gpu.h"

#include <stdlib.h>

/* By what an H200 was seen to do, see inherited_cost() and gpu_cost_now(). */
enum { OWN_START_NS = 320, SET_UP_NS = 96 };

static int is_gauge(const struct gpu_twin *twin, uint32_t i)
{
	return i + 2 < twin->have && twin->stamps[i].node == VPROF_STAMP_GAUGE_BEGIN &&
	       twin->stamps[i + 1].node == VPROF_STAMP_GAUGE_END && twin->stamps[i + 2].node == VPROF_STAMP_GAUGE;
}

uint32_t gpu_last_stamp(const struct gpu *gpu, const struct gpu_twin *twin)
{
	uint32_t stamps = gpu->replay.replay.stamps, last = 0;

	for (uint32_t i = 1; i <= stamps && i < VPROF_TWIN_STAMPS; i++) {
		uint32_t node = twin && i < twin->have ? twin->stamps[i].node : 0;

		if (node < VPROF_STAMP_STARTED && gpu->stamps[i] > last)
			last = gpu->stamps[i];
	}
	return last;
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int64_t gpu_cost_of(const struct vprof_def_gpu *costs, unsigned int class)
{
	return costs && class < VPROF_STAMP_CLASSES ? costs->cost[class].ns : 0;
}

/* The gauges of one class. */
static uint32_t read_class(const struct gpu *gpu, const struct gpu_twin *twin, unsigned int class, uint32_t ahead,
			   int64_t ns[VPROF_TWIN_GAUGES])
{
	uint32_t count = 0;

	for (uint32_t i = 1; i < twin->have; i++) {
		const uint32_t *stamp = gpu->stamps + i;

		if (!is_gauge(twin, i))
			continue;
		if (twin->stamps[i + 2].type == class && count < VPROF_TWIN_GAUGES &&
		    ahead && stamp[0] && stamp[1] >= stamp[0] && stamp[2] >= stamp[1])
			ns[count++] = (int64_t)stamp[2] - ahead - (stamp[1] - stamp[0]);
		ahead = stamp[2];
		i += 2;
	}
	return count;
}

/*
 * What stamps cost more here than when the library tried them out (cold: kernels that are not as small and not the same
 * all the time) is what a kernel takes to get going: without stamps the GPU prepares it while the one ahead is at
 * work. One that the program launches programmatically is not prepared like that, and some of it is its own time
 * then. On an H200 CUPTI gives such kernels 297, 314 and 330 to 410 ns more than they read without that, where
 * stamps cost 556, 1112 and 700 to 750 more than when they were tried out: much the same however much that is, and
 * half of it where it is little. Where stamps were not tried out nothing is known of it.
 */
static int64_t inherited_cost(const struct vprof_def_gpu *costs, int64_t now)
{
	int64_t cold = now - gpu_cost_of(costs, VPROF_STAMP_PROGRAMMATIC), own = cold / 2;

	if (!costs || costs->cost[VPROF_STAMP_PROGRAMMATIC].error_ns == UINT32_MAX || cold <= 0)
		return now;
	return now - (own < OWN_START_NS ? own : OWN_START_NS);
}

/*
 * For as long as a kernel could have begun early it had time for its start, and then for what it does before it waits
 * for the one ahead: behind a stamp both come after that one's end. How long the latter takes nothing says. On an H200
 * it is 242 ns of the second half of flash attention, which can begin 544 ns early, and nothing of a kernel that waits
 * first: what is taken off lies between these, so that neither reads 0.2 us too long or too short.
 */
int64_t gpu_cost_now(const struct gpu_costs_now *now, unsigned int class, uint32_t lead)
{
	int64_t cost = class < VPROF_STAMP_CLASSES ? now->ns[class] : 0;
	int64_t most = now->ns[VPROF_STAMP_PROGRAMMATIC] + SET_UP_NS;

	if (class != VPROF_STAMP_INHERITED || cost >= most)
		return cost;
	return cost + lead < most ? cost + lead : most;
}

void gpu_costs_now(const struct gpu *gpu, const struct gpu_twin *twin, const struct vprof_def_gpu *costs,
		   struct gpu_costs_now *now)
{
	static const uint8_t like[VPROF_STAMP_CLASSES] = {
		[VPROF_STAMP_PLAIN] = VPROF_STAMP_PROGRAMMATIC, [VPROF_STAMP_INHERITED] = VPROF_STAMP_PROGRAMMATIC,
		[VPROF_STAMP_COPY] = VPROF_STAMP_PLAIN, [VPROF_STAMP_OTHER] = VPROF_STAMP_PLAIN,
	};
	uint32_t last = gpu_last_stamp(gpu, twin);
	int64_t ns[VPROF_TWIN_GAUGES], own = gpu_cost_of(costs, VPROF_STAMP_OWN);
	int measured[VPROF_STAMP_CLASSES] = { 0 };

	for (unsigned int class = 0; class < VPROF_STAMP_CLASSES; class++) {
		uint32_t count = twin && twin->stamps ? read_class(gpu, twin, class, last, ns) : 0;

		now->ns[class] = gpu_cost_of(costs, class);
		if (!count)
			continue;
		qsort(ns, count, sizeof(*ns), compare);
		/* Less than nothing is a step of the clock. */
		now->ns[class] = ns[(count - 1) / 2] > own ? ns[(count - 1) / 2] - own : 0;
		measured[class] = 1;
	}
	/* In order of class: PROGRAMMATIC is before those that are like it, PLAIN before those like that. */
	for (unsigned int class = 0; class < VPROF_STAMP_CLASSES; class++)
		if (!measured[class] && like[class] && measured[like[class]]) {
			now->ns[class] = now->ns[like[class]];
			measured[class] = 1;
		}
	if (measured[VPROF_STAMP_PROGRAMMATIC])
		now->ns[VPROF_STAMP_INHERITED] = inherited_cost(costs, now->ns[VPROF_STAMP_PROGRAMMATIC]);
}
