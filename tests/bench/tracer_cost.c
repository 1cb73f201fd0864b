/*
 * tracer_cost.c - what another tracer adds to an empty launch, measured as
 * record_cost.c measures vprof.
 *
 * tracer_cost NAME. Linked with tracer_plain(), the empty launch, and with
 * tracer_traced(), the same under the tracer. Block by block in turn: the anchor (two
 * reads of the tick counter and one 64-byte store, walking a buffer of a ring's size),
 * the plain call, the traced call. A figure is the median over rounds of (traced -
 * plain of the same round), in the thread's CPU time; first with one thread, then with
 * several in the same arm at the same time. Blocks are shorter than record_cost's
 * because a tracer that keeps everything writes all of it to tmpfs.
 *
 * Ends with a comment row that says how many traced calls were made, for the check
 * that the tracer did record them.
 */
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include "tests/bench/row.h"
#include "tests/bench/tracer.h"

enum { THREADS = 8, BLOCK = 10000, ONE_ROUNDS = 100, MANY_ROUNDS = 25, ROUNDS = ONE_ROUNDS, WARM = 3 };
enum { ANCHOR_SLOTS = (64 << 20) / 64 };
enum arm { ANCHOR, PLAIN, TRACED, ARMS };

struct worker {
	pthread_t thread;
	uint64_t *buffer;   /* this thread's share of the anchor's 64 MiB */
	size_t slots;       /* in units of 64 bytes */
	size_t rounds;
	double ns[ARMS][ROUNDS];
};

static pthread_barrier_t barrier;
static struct worker workers[THREADS];

static void die(const char *what)
{
	fprintf(stderr, "tracer_cost: %s\n", what);
	exit(1);
}

static void run_anchor(const struct worker *w, size_t from)
{
	for (size_t i = from; i < from + BLOCK; i++)
		bench_anchor(w->buffer, w->slots, i);
}

static void run_launches(tracer_launch launch)
{
	void *params[1] = { NULL };

	for (int i = 0; i < BLOCK; i++)
		launch((void *)0x1000, 1, 2, 3, 4, 5, 6, 0, NULL, params, NULL);
}

static double block_ns(const struct worker *w, enum arm arm, size_t round)
{
	/* Through volatile, so that no compiler sees that the call is empty. */
	tracer_launch volatile launch = arm == PLAIN ? tracer_plain : tracer_traced;
	double start;

	pthread_barrier_wait(&barrier);
	start = bench_clock(CLOCK_THREAD_CPUTIME_ID);
	if (arm == ANCHOR)
		run_anchor(w, round * BLOCK);
	else
		run_launches(launch);
	return (bench_clock(CLOCK_THREAD_CPUTIME_ID) - start) / BLOCK;
}

static void *worker_run(void *argument)
{
	struct worker *w = argument;

	for (size_t i = 0; i < w->rounds + WARM; i++)
		for (int arm = 0; arm < ARMS; arm++)
			w->ns[arm][i < WARM ? 0 : i - WARM] = block_ns(w, (enum arm)arm, i);
	return NULL;
}

/* The traced call's added cost; *anchor: what the anchor took beside it. */
static double measure(size_t threads, size_t rounds, double *anchor)
{
	static double added[THREADS * ROUNDS], anchors[THREADS * ROUNDS];
	size_t n = 0;

	if (pthread_barrier_init(&barrier, NULL, (unsigned)threads))
		die("no barrier");
	for (struct worker *w = workers; w < workers + threads; w++) {
		w->rounds = rounds;
		w->slots = ANCHOR_SLOTS / threads;
		w->buffer = aligned_alloc(64, w->slots * 64);
		if (!w->buffer)
			die("no memory");
		memset(w->buffer, 1, w->slots * 64);
		if (pthread_create(&w->thread, NULL, worker_run, w))
			die("no thread");
	}
	for (struct worker *w = workers; w < workers + threads; w++) {
		pthread_join(w->thread, NULL);
		free(w->buffer);
		for (size_t i = 0; i < rounds; i++) {
			anchors[n] = w->ns[ANCHOR][i];
			added[n++] = w->ns[TRACED][i] - w->ns[PLAIN][i];
		}
	}
	pthread_barrier_destroy(&barrier);
	*anchor = bench_median(anchors, n);
	return bench_median(added, n);
}

int main(int argc, char **argv)
{
	char name[128];
	double added, anchor;

	if (argc != 2)
		die("usage: tracer_cost NAME");
	added = measure(1, ONE_ROUNDS, &anchor);
	snprintf(name, sizeof(name), "%s, 1 thread", argv[1]);
	bench_info(name, added, "ns", anchor);
	added = measure(THREADS, MANY_ROUNDS, &anchor);
	snprintf(name, sizeof(name), "%s, %d threads", argv[1], THREADS);
	bench_info(name, added, "ns", anchor);
	printf("# %s calls %d\n", argv[1], BLOCK * (ONE_ROUNDS + WARM + THREADS * (MANY_ROUNDS + WARM)));
	return 0;
}
