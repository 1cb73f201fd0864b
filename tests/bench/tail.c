/*
 * tail.c - how long the slowest recorded launches take.
 *
 * Runs under the preload with the fake driver's empty launch and prints the 99.99th
 * percentile and the maximum of one call in ns: "p9999 max". The ring wraps several times, so
 * first touches and reuse are both in it. tail.sh compares places for the ring while
 * another process writes and syncs.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <unistd.h>
#include "tests/bench/row.h"

/* At a pace, as a program that does other things as well: 2 s of a launch each us. */
enum { CALLS = 2000000, PACE_NS = 1000 };

typedef int (*launch_fn)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *,
			 void **, void **);

int main(void)
{
	static double took[CALLS];
	void *handle = dlopen("libcuda.so.1", RTLD_NOW), *params[1] = { NULL };
	launch_fn launch = handle ? (launch_fn)dlsym(handle, "cuLaunchKernel") : NULL;
	double next, high;

	if (!launch) {
		fprintf(stderr, "tail: no driver\n");
		return 1;
	}
	for (int i = 0; i < CALLS; i++)
		took[i] = 0; /* the array's own page faults are not the ring's */
	launch((void *)0x1000, 1, 1, 1, 1, 1, 1, 0, NULL, params, NULL);
	usleep(300000); /* the ring's pages are made ready meanwhile, as while a program starts */
	next = bench_clock(CLOCK_MONOTONIC);
	for (int i = 0; i < CALLS; i++) {
		double start;

		while ((start = bench_clock(CLOCK_MONOTONIC)) < next)
			;
		launch((void *)0x1000, 1, 1, 1, 1, 1, 1, 0, NULL, params, NULL);
		took[i] = bench_clock(CLOCK_MONOTONIC) - start;
		next += PACE_NS;
		if (next < start)
			next = start;
	}
	high = bench_quantile(took, CALLS, 0.9999); /* sorts */
	printf("%.0f %.0f\n", high, took[CALLS - 1]);
	return 0;
}
