/*
 * memory_print.h - what `vprof memory` shows of one process, and how.
 */
#ifndef VPROF_TOOLS_MEMORY_PRINT_H
#define VPROF_TOOLS_MEMORY_PRINT_H

#include <stdio.h>
#include "tools/events.h"
#include "tools/memory_groups.h"

struct memory_options {
	int json, each, all;
	uint64_t rows;         /* of each table; 0: all */
	struct cli_time at;
	struct trace_filter filter;
};

/* One process at one moment. */
struct memory_view {
	const struct memory_options *options;
	const struct trace *trace;
	const struct trace_process *process;
	uint64_t ticks, ns;    /* the moment; of the end: the last tick of all */
	uint64_t base_ns;      /* from when times are shown: the first record, or the ring's start when there is none */
};

void memory_view_make(struct memory_view *view, const struct trace *trace, const struct trace_process *process,
		      const struct memory_options *options);

/* What is to be shown. */
struct memory_findings {
	struct memory_past past;
	struct memory_groups held;   /* at the moment */
	struct memory_groups ended;  /* given back by the ends of contexts; empty for a moment before the end */
};

/* 0 or -ENOMEM. */
int memory_text(const struct memory_view *view, const struct memory_findings *found, FILE *out);
void memory_json(const struct memory_view *view, const struct memory_findings *found, FILE *out);

#endif
