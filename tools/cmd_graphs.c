/*
 * cmd_graphs.c - `vprof graphs`: what the graphs of a program consist of, and how often they were launched.
 */
#include <inttypes.h>
#include "tools/cli.h"
#include "tools/graph_report.h"
#include "tools/trace_command.h"
#include "tools/verbs.h"

struct options {
	struct graph_style style;
	struct trace_filter filter;
};

#define FIELD(name) offsetof(struct options, name)

static const struct cli_option table[] = {
	{ "json", 'j', CLI_FLAG, FIELD(style.json), NULL, "as one JSON object, times in ns" },
	{ "graph", 'g', CLI_COUNT, FIELD(style.number), "N", "only graph N of each process, with its nodes" },
	{ "nodes", 0, CLI_FLAG, FIELD(style.nodes), NULL, "the nodes of every graph" },
	{ "full", 'f', CLI_FLAG, FIELD(style.full), NULL, "whole names, however long" },
	{ "raw-names", 0, CLI_FLAG, FIELD(style.raw), NULL, "kernel names as the driver has them, not demangled" },
	TRACE_FILTER_OPTIONS(FIELD(filter)),
	{ 0 },
};

static const struct cli_command command = {
	"vprof graphs", "RING...",
	"Prints the executable graphs: what they consist of, where they come from, how often they were launched.",
	"Times are those of the launch calls on the host; launches are those still in the ring. Graph 7.2 is\n"
	"graph 7 after an update that changed its nodes. RING is a ring, a folder of rings or a pattern.", table,
};

static uint32_t count_shown(const struct graph_report *report, const struct graph_style *style)
{
	uint32_t shown = 0;

	for (uint32_t i = 0; i < report->graphs.count; i++)
		shown += graph_shown(style, &report->graphs.list[i]);
	return shown;
}

/* Adds to *shown how many graphs of it are asked for. */
static int report_process(struct trace *trace, struct trace_process *process,
			  const struct graph_style *style, int first, uint32_t *shown)
{
	struct graph_report report;
	int error = graph_report_make(&report, trace, process);

	if (error)
		return error;
	*shown += count_shown(&report, style);
	if (style->json) {
		printf(first ? "\n" : ",\n");
		graph_report_json(&report, stdout, style);
	} else {
		printf(first ? "" : "\n");
		error = graph_report_text(&report, stdout, style);
	}
	graph_report_free(&report);
	return error;
}

/* ---- the verb ---- */

static int report_all(struct trace *trace, const void *values)
{
	const struct graph_style *style = &((const struct options *)values)->style;
	int error = 0, first = 1;
	uint32_t shown = 0;

	if (style->json)
		printf("{\"processes\": [");
	for (size_t i = 0; !error && i < trace->count; i++) {
		if (!trace->processes[i].chosen)
			continue;
		error = report_process(trace, &trace->processes[i], style, first, &shown);
		first = 0;
	}
	if (style->json)
		printf("]}\n");
	error = trace_command_end(&command, trace, error, style->json);
	if (!error && style->number && !shown) {
		fprintf(stderr, "%s: no process here has a graph %" PRIu64 "\n", command.name, style->number);
		error = CLI_FAILED;
	}
	return error;
}

/* One graph is shown with its nodes. */
static int graph_chosen(void *values)
{
	struct options *options = values;

	options->style.nodes |= options->style.number != 0;
	return CLI_OK;
}

int cmd_graphs(int argc, char **argv)
{
	struct options options = { 0 };
	const struct trace_command run = { &command, &options, &options.filter, graph_chosen, report_all };

	return trace_command_run(&run, argc, argv);
}
