/*
 * tracer_launch.c - the empty launch, in a shared library of its own. Built plain, and
 * once more with -pg, which is how uftrace gets at a function.
 */
#include "tests/bench/tracer.h"

__attribute__((noinline)) int TRACER_LAUNCH(TRACER_LAUNCH_PARAMETERS)
{
	(void)function, (void)grid_x, (void)grid_y, (void)grid_z;
	(void)block_x, (void)block_y, (void)block_z;
	(void)shared, (void)stream, (void)params, (void)extra;
	return 0;
}
