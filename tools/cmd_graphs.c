/*
 * cmd_graphs.c - `vprof graphs`: what the graphs of a program consist of, and how often they were launched.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/cli.h"
#include "tools/demangle.h"
#include "tools/graph_report.h"
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

/* ---- what the printers ask ---- */

const char *graph_number(char *text, size_t size, const struct graph *graph)
{
	if (graph->version == 1)
		snprintf(text, size, "%u", graph->def->number);
	else
		snprintf(text, size, "%u.%u", graph->def->number, graph->version);
	return text;
}

char *graph_kernel_name(const struct graph_report *report, const struct graph_style *style, uint32_t object, int full)
{
	const struct vprof_def_kernel *kernel = ring_def(report->process->ring, object, VPROF_DEF_KERNEL);

	if (!kernel || !kernel->name[0])
		return strdup("kernel ?");
	return style->raw ? strdup(kernel->name) : full ? demangle_full(kernel->name) : demangle_short(kernel->name);
}

int64_t graph_moment(const struct graph_report *report, uint64_t ticks)
{
	uint32_t at = 0;

	return (int64_t)(clock_realtime(report->process->clock, &at, ticks) - report->trace->base_ns);
}

const char *graph_thread(const struct graph_report *report, uint32_t tid)
{
	const struct trace_process *process = report->process;
	uint64_t newest = 0;
	const char *name = "";

	for (uint32_t i = 0; i < process->thread_count; i++)
		if (process->threads[i]->os_tid == tid && process->threads[i]->comm_rank >= newest) {
			newest = process->threads[i]->comm_rank;
			name = process->threads[i]->comm;
		}
	return name;
}

/* ---- counting ---- */

static void count_launch(struct graph_report *report, const struct event *event)
{
	uint32_t index = graphs_index(&report->graphs, event->slot.object);
	struct graph_use *use = &report->uses[index == IDMAP_NONE ? report->graphs.count : index];
	uint64_t ns = event->end_ns - event->start_ns;

	use->launches++;
	if (event_in_flight(event) || event_abandoned(event))
		return;
	use->done++;
	use->failed += VPROF_DONE_RESULT(event->slot.done) != 0;
	use->total_ns += ns;
	use->max_ns = ns > use->max_ns ? ns : use->max_ns;
}

static int count_launches(struct graph_report *report, struct trace *trace, struct trace_process *process)
{
	struct event *events = malloc(VPROF_CHUNK_SLOTS * sizeof(*events));
	int count = events ? 0 : -ENOMEM;
	uint32_t at = 0;

	for (uint32_t c = 0; count >= 0 && c < process->ring->chunk_count; c++) {
		count = trace_load(trace, process, &process->ring->chunks[c], &at, events);
		for (int i = 0; i < count; i++)
			if (events[i].slot.kind == VPROF_KIND_GRAPH_LAUNCH)
				count_launch(report, &events[i]);
	}
	free(events);
	return count < 0 ? count : 0;
}

static int report_process(struct trace *trace, struct trace_process *process, const struct graph_style *style, int first)
{
	struct graph_report report = { .trace = trace, .process = process };
	int error = graphs_read(&report.graphs, process->ring);

	if (error)
		return error;
	report.uses = calloc((size_t)report.graphs.count + 1, sizeof(*report.uses));
	error = report.uses ? count_launches(&report, trace, process) : -ENOMEM;
	if (!error && style->json) {
		printf(first ? "\n" : ",\n");
		graph_report_json(&report, style);
	} else if (!error) {
		printf(first ? "" : "\n");
		error = graph_report_text(&report, style);
	}
	free(report.uses);
	graphs_free(&report.graphs);
	return error;
}

/* ---- the verb ---- */

static int report_all(struct trace *trace, const struct graph_style *style)
{
	int error = 0, first = 1;

	if (style->json)
		printf("{\"processes\": [");
	for (size_t i = 0; !error && i < trace->count; i++) {
		if (!trace->processes[i].chosen)
			continue;
		error = report_process(trace, &trace->processes[i], style, first);
		first = 0;
	}
	if (style->json)
		printf("]}\n");
	if (error) {
		fprintf(stderr, "%s: %s\n", command.name, strerror(-error));
		return CLI_FAILED;
	}
	error = cli_finish(command.name);
	if (!style->json)
		trace_print_losses(trace, command.name);
	return error;
}

static int graphs_inputs(const struct inputs *inputs, const struct options *options)
{
	struct trace trace;
	int code;

	if (trace_open(&trace, inputs, &options->filter)) {
		fprintf(stderr, "%s: no memory\n", command.name);
		return CLI_FAILED;
	}
	code = report_all(&trace, &options->style);
	trace_close(&trace);
	return code;
}

int cmd_graphs(int argc, char **argv)
{
	struct options options = { 0 };
	struct inputs inputs = { 0 };
	int count, code = CLI_FAILED;

	count = cli_parse(&command, &options, argc, argv);
	if (count < 0)
		return CLI_CODE(count);
	options.style.nodes |= options.style.number != 0;
	if (!count)
		code = cli_usage(&command, "which rings?");
	else if (!inputs_collect(&inputs, command.name, count, argv + 1) && !inputs_open_all(&inputs))
		code = graphs_inputs(&inputs, &options);
	inputs_close(&inputs);
	trace_filter_free(&options.filter);
	return code;
}
