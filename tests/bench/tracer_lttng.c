/*
 * tracer_lttng.c - a launch wrapper like vprof's that records with LTTng-UST.
 */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "tests/bench/tracer_lttng_tp.h"
#include "tests/bench/tracer.h"

__attribute__((noinline)) int tracer_traced(TRACER_LAUNCH_PARAMETERS)
{
	uint32_t grid[3] = { grid_x, grid_y, grid_z }, block[3] = { block_x, block_y, block_z };
	int result;

	lttng_ust_tracepoint(vprof_bench, launch_entry, function, stream, grid, block, shared);
	result = tracer_plain(TRACER_LAUNCH_ARGUMENTS);
	lttng_ust_tracepoint(vprof_bench, launch_exit, result);
	return result;
}
