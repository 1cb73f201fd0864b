/* stamps.h - the host functions that stand for the profiler's kernels (stamps.c). */
#ifndef FAKECUDA_STAMPS_H
#define FAKECUDA_STAMPS_H

#include "tests/fakecuda/fake.h"

fk_kernel_fn fk_run_stamp, fk_run_timed, fk_run_gate, fk_run_twin_begin, fk_run_twin_stamp, fk_run_twin_end, fk_run_gauge;
fk_kernel_fn fk_run_twin_stamp_started;
uint64_t fk_timed_ns(const void *args); /* how long that kernel takes */

#endif
