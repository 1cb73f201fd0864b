/*
 * verify_print.h - what `vprof verify` says of a comparison.
 */
#ifndef VPROF_TOOLS_VERIFY_PRINT_H
#define VPROF_TOOLS_VERIFY_PRINT_H

#include "tools/verify.h"
#include "tools/verify_runs.h"

struct verify_look {
	uint64_t rows;         /* at most; 0: all */
	uint64_t share;        /* wanted, per cent */
	int by_graph, full, raw;
	const double *wall_s;  /* by enum verify_run, 0: not made; NULL: of none */
};

/* On standard output; 0 or -ENOMEM. */
int verify_print_table(const struct verify *verify, const struct verify_look *look);
int verify_print_json(const struct verify *verify, const struct verify_look *look);

/* Is the share that is wanted reached? */
int verify_enough(const struct verify *verify, const struct verify_look *look);

#endif
