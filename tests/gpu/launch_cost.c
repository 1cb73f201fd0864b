/*
 * launch_cost.c - what recording adds to one cuLaunchKernel of the real driver.
 *
 *	launch_cost toggle PAIRS LAUNCHES   under the preload: recording off and on in turn
 *	launch_cost plain PAIRS LAUNCHES    whatever is loaded: no toggling
 *
 * Blocks of LAUNCHES empty kernels (fewer than the stream's queue holds, or a full
 * queue would be timed) with the GPU idle before each. Order ABBA ABBA …, so that what drifts
 * slowly cancels. Prints a line a block: arm, tab, ns a launch. The statistics are made by
 * overhead.py.
 *
 * The control word is found as an outsider finds it (control_page.h).
 */
#include <string.h>
#include <time.h>
#include "tests/gpu/control_page.h"
#include "tests/gpu/driver.h"

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static double block(const struct driver *d, CUfunction f, int launches)
{
	uint64_t start, end;

	DRIVER_TRY(d->cuCtxSynchronize());
	start = now_ns();
	for (int i = 0; i < launches; i++)
		DRIVER_TRY(d->cuLaunchKernel(f, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL));
	end = now_ns();
	DRIVER_TRY(d->cuCtxSynchronize());
	return (double)(end - start) / launches;
}

int main(int argc, char **argv)
{
	struct driver d;
	CUmodule module;
	CUfunction f;
	volatile struct vprof_ring_control *control = NULL;
	int pairs, launches;

	if (argc != 4 || (strcmp(argv[1], "toggle") && strcmp(argv[1], "plain"))) {
		fprintf(stderr, "usage: launch_cost toggle|plain PAIRS LAUNCHES\n");
		return 2;
	}
	pairs = atoi(argv[2]);
	launches = atoi(argv[3]);
	d = driver_open();
	driver_context(&d);
	DRIVER_TRY(d.cuModuleLoadData(&module, driver_ptx));
	DRIVER_TRY(d.cuModuleGetFunction(&f, module, "vprof_test_empty"));
	block(&d, f, launches);
	if (!strcmp(argv[1], "toggle"))
		control = control_page("launch_cost");
	for (int i = 0; i < 20; i++)
		block(&d, f, launches);
	for (int i = 0; i < 2 * pairs; i++) {
		int on = i % 4 == 1 || i % 4 == 2;

		if (control)
			control->word = on ? control->groups : 0;
		printf("%s\t%.2f\n", control ? (on ? "on" : "off") : "plain", block(&d, f, launches));
	}
	return 0;
}
