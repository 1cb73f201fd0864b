/*
 * count_cost.c - what a counted question (VPROF_KIND_QUERIES) adds to a call.
 *
 * Frameworks ask for the current device several hundred times in a step, so this is part of what a
 * step pays. Under the preload with the fake driver, block by block in turn: the driver's own
 * cuCtxGetDevice, the wrapper that counts, the wrapper with recording off. A figure is the median over
 * rounds of (block - direct of the same round), in CPU time.
 */
#include "tests/bench/launch.h"
#include "tests/bench/row.h"

enum { BLOCK = 200000, ROUNDS = 60, WARM = 3 };
enum arm { DIRECT, COUNTED, DISABLED, ARMS };

static double samples[ARMS][ROUNDS];

static double block_ns(ask_fn ask)
{
	double start = bench_clock(CLOCK_THREAD_CPUTIME_ID);
	int device;

	for (int i = 0; i < BLOCK; i++)
		ask(&device);
	return (bench_clock(CLOCK_THREAD_CPUTIME_ID) - start) / BLOCK;
}

int main(void)
{
	ask_fn ask[ARMS];

	launch_setup();
	ask[DIRECT] = ask_find(&ask[COUNTED]);
	ask[DISABLED] = ask[COUNTED];
	for (int i = 0; i < ROUNDS + WARM; i++)
		for (int arm = 0; arm < ARMS; arm++) {
			set_control(arm != DISABLED);
			samples[arm][i < WARM ? 0 : i - WARM] = block_ns(ask[arm]);
		}
	for (int i = 0; i < ROUNDS; i++) {
		samples[COUNTED][i] -= samples[DIRECT][i];
		samples[DISABLED][i] -= samples[DIRECT][i];
	}
	bench_limit("counted question", bench_median(samples[COUNTED], ROUNDS), "ns", 5);
	bench_limit("question, recording off", bench_median(samples[DISABLED], ROUNDS), "ns", 3);
	return 0;
}
