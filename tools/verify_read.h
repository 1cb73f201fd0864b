/*
 * verify_read.h - where the two sides of `vprof verify` come from.
 *
 * CUPTI's side is a folder of files PID.tsv, one a process, which the recorder (cupti_times.so) writes.
 * Lines that begin with '#' are remarks: "# dropped N", executions that CUPTI had no room for, and
 * "# error TEXT". Each other line is an execution, with tabs between:
 *
 *	kind    kernel, copy or set
 *	name    of a kernel: mangled; of a copy or set: its bytes
 *	device, stream, correlation
 *	graph   number of the executable graph, 0: in none
 *	node    number of the node, likewise
 *	start, end   ns of CUPTI's clock
 *	grid         of a kernel: in X, Y and Z, three fields; 0 where there is none
 *	block        likewise
 *
 * Files of earlier recorders end with `end`: shapes are not known then.
 */
#ifndef VPROF_TOOLS_VERIFY_READ_H
#define VPROF_TOOLS_VERIFY_READ_H

#include "tools/verify.h"

/* What a side's files say beside executions. */
struct verify_source {
	size_t processes;      /* files or rings */
	uint64_t executions;
	uint64_t bad;          /* lines that say nothing */
	uint64_t launches;     /* vprof: of kernels and graphs, measured or not */
	char error[2048];      /* why there may be nothing, as far as the files say; else "" */
};

/* Reads `folder`. 0, or a negative errno, after a message that begins with `program`. What is no error is said once. */
int verify_read_cupti(struct verify *verify, struct verify_source *source, const char *folder, const char *program);
int verify_read_rings(struct verify *verify, struct verify_source *source, const char *folder, const char *program);

#endif
