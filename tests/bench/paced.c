/*
 * paced.c - a program that fills its ring, then launches at a pace, and tells how long its launches take.
 *
 *	paced READY SECONDS
 *
 * Runs under the preload with the fake driver's empty launch. READY is a file that it makes when the ring is full.
 * Ten launches, then a rest of 100 us: some 80,000 launches a second. At the end it prints the median and the
 * 99th percentile of a launch in ns. snap.sh starts some of these.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>
#include "tests/bench/row.h"

enum { FILL = 1100000, BURST = 10, REST_NS = 100000, CALLS_MOST = 1 << 21 };

typedef int (*launch_fn)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *,
			 void **, void **);

static double took[CALLS_MOST];

int main(int argc, char **argv)
{
	const struct timespec rest = { 0, REST_NS };
	void *handle = dlopen("libcuda.so.1", RTLD_NOW), *params[1] = { NULL };
	launch_fn launch = handle ? (launch_fn)dlsym(handle, "cuLaunchKernel") : NULL;
	double end, start;
	int n = 0;

	if (!launch || argc != 3) {
		fprintf(stderr, "usage: paced READY SECONDS (under the preload, with a driver)\n");
		return 1;
	}
	for (int i = 0; i < CALLS_MOST; i++)
		took[i] = 0; /* the array's own page faults are not the ring's */
	for (int i = 0; i < FILL; i++)
		launch((void *)0x1000, 1, 1, 1, 1, 1, 1, 0, NULL, params, NULL);
	close(open(argv[1], O_WRONLY | O_CREAT, 0600));
	end = bench_clock(CLOCK_MONOTONIC) + atof(argv[2]) * 1e9;
	while (bench_clock(CLOCK_MONOTONIC) < end && n + BURST <= CALLS_MOST) {
		for (int i = 0; i < BURST; i++) {
			start = bench_clock(CLOCK_MONOTONIC);
			launch((void *)0x1000, 1, 1, 1, 1, 1, 1, 0, NULL, params, NULL);
			took[n++] = bench_clock(CLOCK_MONOTONIC) - start;
		}
		nanosleep(&rest, NULL);
	}
	if (!n)
		return 0;
	start = bench_quantile(took, (size_t)n, 0.5);
	printf("%.0f %.0f\n", start, bench_quantile(took, (size_t)n, 0.99));
	return 0;
}
