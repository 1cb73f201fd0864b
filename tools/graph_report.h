/*
 * graph_report.h - inside `vprof graphs`: what is known of one process's graphs, and how it is shown.
 */
#ifndef VPROF_TOOLS_GRAPH_REPORT_H
#define VPROF_TOOLS_GRAPH_REPORT_H

#include <stdio.h>
#include "tools/events.h"
#include "tools/graphs.h"

/* Launches of one graph that are in the ring. */
struct graph_use {
	uint64_t launches, done, failed;
	uint64_t total_ns, max_ns; /* of the calls that returned */
	uint64_t changes;          /* of single nodes since it was made, as far as the ring goes back */
};

struct graph_report {
	const struct trace *trace;
	const struct trace_process *process;
	struct graphs graphs;
	struct graph_use *uses;    /* by index of graph; one more for launches of no graph we know */
	struct idmap by_exec;      /* handle to the newest graph that had it */
	struct idmap twins;        /* id of a graph to that of the last VPROF_DEF_TWIN's first piece */
	uint8_t *changing;         /* by call id: does it change a node of the graph it is given? */
};

struct graph_style {
	int json, full, raw, nodes; /* nodes: the lists of nodes too */
	uint64_t number;            /* only this graph; 0: all */
};

/* 0 or -ENOMEM. */
int graph_report_make(struct graph_report *report, struct trace *trace, struct trace_process *process);
void graph_report_free(struct graph_report *report);

int graph_report_text(const struct graph_report *report, FILE *out, const struct graph_style *style);
void graph_report_json(const struct graph_report *report, FILE *out, const struct graph_style *style);

/* What is known of its twin, with which the time of its nodes is measured; NULL: nothing. */
const struct vprof_def_twin *graph_twin(const struct graph_report *report, const struct graph *graph);

/* Is it asked for? */
static inline int graph_shown(const struct graph_style *style, const struct graph *graph)
{
	return !style->number || style->number == graph->def->number;
}

/* "7", or "7.2" after its first update. */
const char *graph_number(char *text, size_t size, const struct graph *graph);

/* Name of a kernel as the style wants it, for free(); NULL without memory. `full`: with types and parameters. */
char *graph_kernel_name(const struct graph_report *report, const struct graph_style *style, uint32_t object, int full);

/* Nanoseconds from the first record of all rings to `ticks`; negative before it. */
int64_t graph_moment(const struct graph_report *report, uint64_t ticks);

/* The newest name known of a thread; "" when none is. */
const char *graph_thread(const struct graph_report *report, uint32_t tid);

#endif
