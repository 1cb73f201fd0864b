/*
 * tail.c - how long the slowest recorded launches take, and whether any of them waited.
 *
 * Runs under the preload with the fake driver's empty launch. The ring wraps several times, so
 * first touches and reuse are both in it. tail.sh compares places for the ring while
 * another process writes and syncs. Prints, of the calls in which no other program was given the
 * processor, the 99.99th percentile and the maximum in ns; then the calls that waited: those in
 * which the thread gave up the processor of its own accord (a lock, a journal, a page under
 * writeback) or had a page read from storage; then those left out.
 *
 * Each call stands beside an idle stretch about as long; their maximum, the last number, is what
 * interrupts and the hypervisor take on this machine from a program that does nothing.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>
#include "tests/bench/row.h"

/* At a pace, as a program that does other things as well: 0.5 s of a launch each us. An idle stretch is a call long. */
enum { CALLS = 500000, PACE_NS = 1000, IDLE_NS = 80 };

typedef int (*launch_fn)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *,
			 void **, void **);

static double idle(double ns)
{
	double start = bench_clock(CLOCK_MONOTONIC), now;

	while ((now = bench_clock(CLOCK_MONOTONIC)) < start + ns)
		;
	return now - start;
}

int main(void)
{
	static double took[CALLS];
	void *handle = dlopen("libcuda.so.1", RTLD_NOW), *params[1] = { NULL };
	launch_fn launch = handle ? (launch_fn)dlsym(handle, "cuLaunchKernel") : NULL;
	double next, high, empty = 0;
	long waited = 0, preempted = 0;
	int n = 0;

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
		struct rusage before, after;
		double start, ns;

		getrusage(RUSAGE_THREAD, &before);
		while ((start = bench_clock(CLOCK_MONOTONIC)) < next)
			;
		launch((void *)0x1000, 1, 1, 1, 1, 1, 1, 0, NULL, params, NULL);
		ns = bench_clock(CLOCK_MONOTONIC) - start;
		getrusage(RUSAGE_THREAD, &after);
		if (after.ru_nvcsw > before.ru_nvcsw || after.ru_majflt > before.ru_majflt)
			waited++;
		else if (after.ru_nivcsw > before.ru_nivcsw) {
			preempted++;
			continue;
		}
		took[n++] = ns;
		ns = idle(IDLE_NS);
		empty = ns > empty ? ns : empty;
		next += PACE_NS;
		if (next < start)
			next = start;
	}
	high = bench_quantile(took, n, 0.9999); /* sorts */
	printf("%.0f %.0f %ld %ld %.0f\n", high, took[n - 1], waited, preempted, empty);
	return 0;
}
