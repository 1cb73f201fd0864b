/*
 * cold_cost.c - what a launch costs in a program that does much else between two of them.
 *
 * record_cost.c calls in a loop, where all of ours is in the nearest cache. Here so many bytes are
 * read before each call, and the call alone is timed, one of each arm in turn:
 *   nothing   what timing itself takes
 *   anchor    two reads of the tick counter and one 64-byte store to the next line of a large buffer
 *   direct    the driver's own cuLaunchKernel
 *   recorded  the wrapper, control word on
 *   disabled  the wrapper, control word off
 * Figures are differences of medians: anchor - nothing, recorded - direct, disabled - direct.
 */
#include <string.h>
#include "tests/bench/launch.h"
#include "tests/bench/row.h"

enum { CALLS = 3000, ANCHOR_BYTES = 64 << 20 };
enum arm { NOTHING, ANCHOR, DIRECT, RECORDED, DISABLED, ARMS };

static double samples[ARMS][CALLS];
static uint64_t *anchor_buffer;
static char *walked;

static uint64_t one(enum arm arm, size_t i, size_t bytes)
{
	void *params[1] = { NULL };
	launch_fn launch = arm == DIRECT ? direct : wrapped;
	volatile char sum = 0;
	uint64_t start;

	set_control(arm == RECORDED);
	for (size_t k = 0; k < bytes; k += 64)
		sum += walked[k];
	(void)sum;
	start = bench_ticks_fenced();
	if (arm == ANCHOR)
		bench_anchor(anchor_buffer, ANCHOR_BYTES / 64, i);
	else if (arm != NOTHING)
		launch(function, 1, 2, 3, 4, 5, 6, 0, NULL, params, NULL);
	return bench_ticks_fenced() - start;
}

static void measure(size_t bytes, const char *name, double scale)
{
	char text[80];
	double median[ARMS];

	for (size_t i = 0; i < CALLS; i++)
		for (int arm = 0; arm < ARMS; arm++)
			samples[arm][i] = (double)one((enum arm)arm, i, bytes) * scale;
	for (int arm = 0; arm < ARMS; arm++)
		median[arm] = bench_median(samples[arm], CALLS);
	snprintf(text, sizeof(text), "recorded launch, %s read in between", name);
	bench_info(text, median[RECORDED] - median[DIRECT], "ns", median[ANCHOR] - median[NOTHING]);
	snprintf(text, sizeof(text), "disabled hook, %s read in between", name);
	bench_info(text, median[DISABLED] - median[DIRECT], "ns", median[ANCHOR] - median[NOTHING]);
}

int main(void)
{
	launch_setup();
	anchor_buffer = aligned_alloc(64, ANCHOR_BYTES);
	memset(anchor_buffer, 1, ANCHOR_BYTES);
	walked = aligned_alloc(64, 4 << 20);
	memset(walked, 1, 4 << 20);
	measure(1 << 20, "1 MiB", bench_ns_per_tick());
	measure(3 << 20, "3 MiB", bench_ns_per_tick());
	return 0;
}
