/*
 * wrap_profiler.c - cuProfilerStart and cuProfilerStop.
 */
#include "shim/wrap.h"

#define FILL fill_head(r.slot, VPROF_KIND_PROFILER, call, object); fill_words(r.slot, 0, 0, 0, 0)

WRAP(cuProfilerStart, (void), (), 0, FILL);
WRAP(cuProfilerStop, (void), (), 0, FILL);
