/*
 * verify_rows.h - inner part of verify.h: from executions to rows, and from each run's rows to those of all.
 */
#ifndef VPROF_TOOLS_VERIFY_ROWS_H
#define VPROF_TOOLS_VERIFY_ROWS_H

#include "tools/verify.h"

#define VERIFY_ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

/* The executions that are there are run number `runs`. 0 or -ENOMEM. */
int verify_rows_add(struct verify *verify, const struct verify_style *style);

#endif
