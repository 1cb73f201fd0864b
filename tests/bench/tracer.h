/*
 * tracer.h - the call that every tracer of the comparison is put around: the driver's
 * cuLaunchKernel by its arguments, doing nothing.
 */
#ifndef TESTS_BENCH_TRACER_H
#define TESTS_BENCH_TRACER_H

#define TRACER_LAUNCH_PARAMETERS                                                                            \
	void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,                \
		unsigned block_y, unsigned block_z, unsigned shared, void *stream, void **params, void **extra
#define TRACER_LAUNCH_ARGUMENTS \
	function, grid_x, grid_y, grid_z, block_x, block_y, block_z, shared, stream, params, extra

typedef int (*tracer_launch)(TRACER_LAUNCH_PARAMETERS);

int tracer_plain(TRACER_LAUNCH_PARAMETERS);  /* without a tracer, in a shared library */
int tracer_traced(TRACER_LAUNCH_PARAMETERS); /* the same with one */

#endif
