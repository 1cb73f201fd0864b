/*
 * main_merge.c - vprof-merge: rings in, one trace out.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tools/cli.h"
#include "tools/produce.h"
#include "tools/steps.h"

#define PROGRAM "vprof-merge"

struct options {
	const char *output, *compress;
	uint64_t jobs;
	struct trace_filter filter;
	int raw_names, expand_graphs, no_steps;
};

#define AT(field) offsetof(struct options, field)

static const struct cli_option option_rows[] = {
	{ "output", 'o', CLI_TEXT, AT(output), "FILE", "write FILE; .gz and .zst are compressed; - is standard output" },
	{ "compress", 'z', CLI_TEXT, AT(compress), "FORM", "gz, zst or none, whatever the file's name" },
	TRACE_FILTER_OPTIONS(AT(filter)),
	{ "raw-names", 0, CLI_FLAG, AT(raw_names), NULL, "kernel names as the driver has them, not demangled" },
	{ "expand-graphs", 0, CLI_FLAG, AT(expand_graphs), NULL, "each launch of a graph with the nodes that it runs" },
	{ "no-steps", 0, CLI_FLAG, AT(no_steps), NULL, "no track of the steps that the launches show" },
	{ "jobs", 'j', CLI_COUNT, AT(jobs), "N", "threads to work with (default: the number of cores, at most 8)" },
	{ 0 },
};

static const struct cli_command command = {
	.name = PROGRAM,
	.operands = "RING...",
	.summary = "Merges ring files into one trace in Chrome JSON, for https://ui.perfetto.dev.",
	.notes = "RING is a ring file, a folder of them or a pattern. Rings of running, finished and\n"
		 "killed processes may be mixed. The trace goes to standard output unless -o names a\n"
		 "file, which appears only when it is whole. What was lost is said on standard error.",
	.options = option_rows,
};

static int choose_form(const struct options *options, enum sink_form *form)
{
	static const struct {
		const char *name;
		enum sink_form form;
	} forms[] = {
		{ "none", SINK_PLAIN }, { "gz", SINK_GZIP }, { "zst", SINK_ZSTD },
		{ "gzip", SINK_GZIP }, { "zstd", SINK_ZSTD },
	};

	*form = sink_form_of(options->output);
	if (!options->compress)
		return 0;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (!strcmp(options->compress, forms[i].name)) {
			*form = forms[i].form;
			return 0;
		}
	return -EINVAL;
}

struct totals {
	uint64_t slices, in_flight, threads;
};

static struct totals count_totals(const struct trace *trace)
{
	struct totals sum = { 0 };

	for (size_t i = 0; i < trace->count; i++) {
		const struct trace_process *process = &trace->processes[i];

		sum.slices += process->slices;
		sum.in_flight += process->in_flight;
		for (uint32_t t = 0; t < process->thread_count; t++)
			sum.threads += process->threads[t]->slices > 0;
	}
	return sum;
}

/* For people at a terminal; that nothing matched is said to everyone. */
static void print_summary(const struct trace *trace, const struct sink *sink)
{
	struct totals sum = count_totals(trace);
	char size[32];

	if (!sum.slices)
		fprintf(stderr, PROGRAM ": no call in these rings is among those asked for: the trace is empty\n");
	else if (isatty(STDERR_FILENO))
		fprintf(stderr, PROGRAM ": %" PRIu64 " records (%" PRIu64 " in flight) of %zu processes, %" PRIu64
			" threads; %s in %s\n", sum.slices, sum.in_flight, trace->count, sum.threads,
			cli_size_text(size, sizeof(size), sink->written), sink_name(sink));
}

static int write_trace(struct trace *trace, const struct options *options, enum sink_form form)
{
	struct sink sink;
	char why[512];
	int error;

	if (sink_open(&sink, options->output, form, why, sizeof(why))) {
		fprintf(stderr, PROGRAM ": %s\n", why);
		return CLI_FAILED;
	}
	error = produce(trace, &output_chrome, &sink, options->jobs < 64 ? (int)options->jobs : 64);
	if (error) {
		fprintf(stderr, PROGRAM ": %s: %s\n", error == -ENOMEM ? "merge" : sink_name(&sink),
			strerror(-error));
		sink_abort(&sink);
		return CLI_FAILED;
	}
	print_summary(trace, &sink);
	error = sink_close(&sink);
	if (error) {
		fprintf(stderr, PROGRAM ": %s: %s\n", options->output ? options->output : "standard output",
			strerror(-error));
		return CLI_FAILED;
	}
	trace_print_losses(trace, PROGRAM);
	return CLI_OK;
}

static int merge_inputs(const struct options *options, const struct inputs *inputs, enum sink_form form)
{
	struct steps steps = { 0 };
	struct trace trace;
	int code;

	if (trace_open(&trace, inputs, &options->filter)) {
		fprintf(stderr, PROGRAM ": no memory\n");
		return CLI_FAILED;
	}
	trace.raw_names = options->raw_names;
	trace.expand_graphs = options->expand_graphs;
	if (!options->no_steps && !steps_open(&steps, &trace, NULL))
		trace.steps = &steps;
	code = write_trace(&trace, options, form);
	steps_close(&steps);
	trace_close(&trace);
	return code;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct inputs inputs = { 0 };
	enum sink_form form;
	int count, code = CLI_FAILED;

	count = cli_parse(&command, &options, argc, argv);
	if (count < 0)
		return CLI_CODE(count);
	if (!count)
		code = cli_usage(&command, "which rings?");
	else if (choose_form(&options, &form))
		code = cli_usage(&command, "--compress: '%s' is none of gz, zst, none", options.compress);
	else if (!inputs_collect(&inputs, PROGRAM, count, argv + 1) && !inputs_open_all(&inputs))
		code = merge_inputs(&options, &inputs, form);
	inputs_close(&inputs);
	trace_filter_free(&options.filter);
	return code;
}
