/*
 * top.h - which kernels were launched how often, and what the launches cost the host.
 *
 * A row is a kernel, by its name over all processes, or a graph of one process; or it is a range of
 * the program's, by its name: the innermost in which the launches were made.
 * Times are those of the launch calls on the host, not of the GPU. Calls that never
 * returned are kept apart.
 */
#ifndef VPROF_TOOLS_TOP_H
#define VPROF_TOOLS_TOP_H

#include "tools/events.h"
#include "tools/idmap.h"

struct top_row {
	char *name;            /* of a kernel: mangled; of a range; "": in no range */
	uint64_t launches;     /* all, those that never returned included */
	uint64_t done, failed; /* returned; returned an error */
	uint64_t total_ns, max_ns; /* of those that returned */
};

struct top_open {
	struct event event;
	char *name;            /* of the kernel or graph; NULL for another call */
};

struct top {
	struct top_row *rows;  /* most launches first, after top_count() */
	size_t row_count;
	struct top_open *open; /* calls in flight or abandoned, oldest first */
	size_t open_count;
	struct idmap by_object; /* process and definition, or name of a range -> row, while counting */
	int by_range, open_only;
};

/* Reads all of `trace`; `by_range`: rows are ranges. 0 or -ENOMEM; to be freed in both cases. */
int top_count(struct top *top, struct trace *trace, int by_range);
/* After another reading of all of it, which has counted: the calls in flight or abandoned only. */
int top_find_open(struct top *top, struct trace *trace);
void top_free(struct top *top);

#endif
