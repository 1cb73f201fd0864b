/*
 * control_cost.c - what a launch pays in a thread that VPROF_THREADS leaves out, and under a limit
 * on the number of launches.
 *
 * Run with VPROF_THREADS=chosen, under the preload with the fake driver's empty launch. Block by block
 * in turn, the driver's own function and the wrapper; a figure is the median over rounds of (block -
 * direct of the same round), in CPU time.
 */
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include "tests/bench/launch.h"
#include "tests/bench/row.h"
#include "tests/control/send.h"

enum { BLOCK = 100000, ROUNDS = 60, WARM = 3 };

static double block_ns(launch_fn launch)
{
	double start = bench_clock(CLOCK_THREAD_CPUTIME_ID);
	void *params[1] = { NULL };

	for (int i = 0; i < BLOCK; i++)
		launch(function, 1, 1, 1, 1, 1, 1, 0, NULL, params, NULL);
	return (bench_clock(CLOCK_THREAD_CPUTIME_ID) - start) / BLOCK;
}

static double added_ns(void)
{
	double samples[ROUNDS];

	for (int i = 0; i < ROUNDS + WARM; i++) {
		double plain = block_ns(direct);

		samples[i < WARM ? 0 : i - WARM] = block_ns(wrapped) - plain;
	}
	return bench_median(samples, ROUNDS);
}

static void *left_out(void *added)
{
	prctl(PR_SET_NAME, "other");
	*(double *)added = added_ns();
	return NULL;
}

/* With a limit that is never reached. */
static void limit_launches(void)
{
	struct target target = { .control = (struct vprof_ring_control *)(uintptr_t)control };
	struct vprof_request request = { .verb = VPROF_REQUEST_START, .launches = 1ull << 40 };

	send_request(&target, &request);
	usleep(100000);
}

int main(void)
{
	double recorded, limited, other = 0;
	pthread_t thread;

	prctl(PR_SET_NAME, "chosen");
	launch_setup();
	set_control(1);
	recorded = added_ns();
	if (pthread_create(&thread, NULL, left_out, &other) || pthread_join(thread, NULL))
		die("no thread");
	bench_limit("launch in a thread that is left out", other, "ns", 10);
	limit_launches();
	limited = added_ns();
	bench_info("launch, while launches are limited", limited, "ns", recorded);
	return 0;
}
