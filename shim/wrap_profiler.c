/*
 * wrap_profiler.c - cuProfilerStart and cuProfilerStop, which VPROF_CAPTURE=profiler goes by.
 */
#include "shim/wrap.h"

#define FILL fill_head(r.slot, VPROF_KIND_PROFILER, call, object); fill_words(r.slot, 0, 0, 0, 0)

WRAP_KEEP(EXPORT, cuProfilerStart, (void), (), , FILL, vprof_capture_profiler(1), );
WRAP_KEEP(EXPORT, cuProfilerStop, (void), (), , FILL, vprof_capture_profiler(0), );
