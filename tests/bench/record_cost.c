/*
 * record_cost.c - what a recorded launch and a disabled hook add to a call.
 *
 * Runs under the preload with the fake driver's empty launch. In one process,
 * block by block in turn:
 *   anchor    two reads of the tick counter and one 64-byte store, walking a buffer as
 *             large as the ring
 *   direct    the driver's own cuLaunchKernel
 *   recorded  the wrapper, control word on
 *   disabled  the wrapper, control word off
 * A figure is the median over rounds of (block - direct of the same round). Time is
 * the thread's CPU time: on fewer cores than threads, wall time would count waiting.
 */
#include <pthread.h>
#include <string.h>
#include "tests/bench/launch.h"
#include "tests/bench/row.h"

enum { BLOCK = 200000, ROUNDS = 60, WARM = 3, ANCHOR_BYTES = 64 << 20, THREADS = 8 };
enum arm { ANCHOR, DIRECT, RECORDED, DISABLED, ARMS };

static uint64_t *anchor_buffer;

static void run_anchor(uint64_t *buffer, size_t from)
{
	for (size_t i = from; i < from + BLOCK; i++)
		bench_anchor(buffer, ANCHOR_BYTES / 64, i);
}

static void run_launches(launch_fn launch)
{
	void *stream = NULL, *params[1] = { NULL };

	for (int i = 0; i < BLOCK; i++)
		launch(function, 1, 2, 3, 4, 5, 6, 0, stream, params, NULL);
}

static double block_ns(enum arm arm, size_t round)
{
	double start;

	if (arm == RECORDED || arm == DISABLED)
		set_control(arm == RECORDED);
	start = bench_clock(CLOCK_THREAD_CPUTIME_ID);
	if (arm == ANCHOR)
		run_anchor(anchor_buffer, round * BLOCK);
	else
		run_launches(arm == DIRECT ? direct : wrapped);
	return (bench_clock(CLOCK_THREAD_CPUTIME_ID) - start) / BLOCK;
}

/* ---- one thread ---- */

static double samples[ARMS][ROUNDS];

static double single(double *disabled, double *anchor)
{
	for (int i = 0; i < ROUNDS + WARM; i++)
		for (int arm = 0; arm < ARMS; arm++)
			samples[arm][i < WARM ? 0 : i - WARM] = block_ns((enum arm)arm, (size_t)i);
	for (int i = 0; i < ROUNDS; i++) {
		samples[RECORDED][i] -= samples[DIRECT][i];
		samples[DISABLED][i] -= samples[DIRECT][i];
	}
	*disabled = bench_median(samples[DISABLED], ROUNDS);
	*anchor = bench_median(samples[ANCHOR], ROUNDS);
	return bench_median(samples[RECORDED], ROUNDS);
}

/* ---- many threads, all in the same arm at the same time ---- */

static pthread_barrier_t barrier;
static double many_samples[THREADS][ARMS][ROUNDS];

static void *many_thread(void *index)
{
	double(*mine)[ROUNDS] = many_samples[(intptr_t)index];
	uint64_t *buffer = aligned_alloc(64, ANCHOR_BYTES / THREADS);

	memset(buffer, 1, ANCHOR_BYTES / THREADS);
	for (int i = 0; i < ROUNDS; i++)
		for (int arm = 0; arm <= RECORDED; arm++) {
			double start;

			pthread_barrier_wait(&barrier);
			start = bench_clock(CLOCK_THREAD_CPUTIME_ID);
			if (arm == ANCHOR)
				for (size_t k = 0; k < BLOCK; k++)
					bench_anchor(buffer, ANCHOR_BYTES / THREADS / 64, k);
			else
				run_launches(arm == DIRECT ? direct : wrapped);
			mine[arm][i] = (bench_clock(CLOCK_THREAD_CPUTIME_ID) - start) / BLOCK;
		}
	free(buffer);
	return NULL;
}

static double many(double *anchor)
{
	static double added[THREADS * ROUNDS], anchors[THREADS * ROUNDS];
	pthread_t threads[THREADS];
	size_t n = 0;

	set_control(1);
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (intptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, many_thread, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int t = 0; t < THREADS; t++)
		for (int i = 0; i < ROUNDS; i++) {
			anchors[n] = many_samples[t][ANCHOR][i];
			added[n++] = many_samples[t][RECORDED][i] - many_samples[t][DIRECT][i];
		}
	*anchor = bench_median(anchors, n);
	return bench_median(added, n);
}

int main(void)
{
	double disabled, anchor, added;

	launch_setup();
	anchor_buffer = aligned_alloc(64, ANCHOR_BYTES);
	memset(anchor_buffer, 1, ANCHOR_BYTES);

	added = single(&disabled, &anchor);
	bench_ratio("recorded launch, 1 thread", added, "ns", anchor, 1.5);
	bench_limit("disabled hook", disabled, "ns", 3);
	added = many(&anchor);
	bench_ratio("recorded launch, 8 threads", added, "ns", anchor, 1.5);
	return 0;
}
