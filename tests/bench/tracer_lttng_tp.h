/*
 * tracer_lttng_tp.h - what a launch record of a ring says, as an LTTng-UST tracepoint
 * pair: arguments at entry, result at exit, time and thread from the tracer itself.
 *
 * LTTng includes this file several times; an array is one write of its ring buffer, so
 * grid and block are arrays.
 */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER vprof_bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "tests/bench/tracer_lttng_tp.h"

#if !defined(TESTS_BENCH_TRACER_LTTNG_TP_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define TESTS_BENCH_TRACER_LTTNG_TP_H

#include <lttng/tracepoint.h>
#include <stdint.h>

LTTNG_UST_TRACEPOINT_EVENT(vprof_bench, launch_entry,
	LTTNG_UST_TP_ARGS(void *, function, void *, stream, const uint32_t *, grid, const uint32_t *, block,
			  uint32_t, shared),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer_hex(uint64_t, function, (uint64_t)function)
		lttng_ust_field_integer_hex(uint64_t, stream, (uint64_t)stream)
		lttng_ust_field_array(uint32_t, grid, grid, 3)
		lttng_ust_field_array(uint32_t, block, block, 3)
		lttng_ust_field_integer(uint32_t, shared, shared)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(vprof_bench, launch_exit,
	LTTNG_UST_TP_ARGS(int, result),
	LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(int, result, result))
)

#endif

#include <lttng/tracepoint-event.h>
