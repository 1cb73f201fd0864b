/*
 * main_merge.c - vprof-merge: rings in, one trace out.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/cli.h"
#include "tools/gpu.h"
#include "tools/produce.h"
#include "tools/ranks.h"
#include "tools/steps.h"

#define PROGRAM "vprof-merge"

struct options {
	const char *output, *compress, *format, *steps;
	uint64_t jobs;
	struct trace_filter filter;
	int raw_names, expand_graphs, no_steps, estimate;
	uint32_t first_step, last_step; /* of `steps` */
	struct steps *found;   /* those, where they were asked for; else NULL */
};

#define AT(field) offsetof(struct options, field)

#define COMPRESSIONS "gz, zst, none"

static const struct cli_option option_rows[] = {
	{ "output", 'o', CLI_TEXT, AT(output), "FILE",
	  "write FILE; .gz and .zst are compressed; - is standard output" },
	{ "format", 'f', CLI_TEXT, AT(format), "FORMAT", "chrome (the default), or kineto: a file for each process",
	  "chrome, kineto" },
	{ "compress", 'z', CLI_TEXT, AT(compress), "FORM", "gz, zst or none, whatever the file's name",
	  COMPRESSIONS },
	TRACE_FILTER_OPTIONS(AT(filter)),
	{ "steps", 's', CLI_TEXT, AT(steps), "A..B",
	  "only what happened from step A to step B, as vprof steps numbers them" },
	{ "raw-names", 0, CLI_FLAG, AT(raw_names), NULL, "kernel names as the driver has them, not demangled" },
	{ "expand-graphs", 0, CLI_FLAG, AT(expand_graphs), NULL, "each launch of a graph with the nodes that it runs" },
	{ "no-steps", 0, CLI_FLAG, AT(no_steps), NULL, "no track of the steps that the launches show" },
	{ "estimate", 0, CLI_FLAG, AT(estimate), NULL,
	  "launches of graphs that were not measured as they are expected, marked so" },
	{ "jobs", 'j', CLI_COUNT, AT(jobs), "N", "threads to work with (default: the number of cores, at most 8)" },
	{ 0 },
};

static const struct cli_command command = {
	.name = PROGRAM,
	.operands = "RING...",
	.summary = "Merges ring files into one trace in Chrome JSON, for https://ui.perfetto.dev.",
	.notes = "RING is a ring file, a folder of them or a pattern. Rings of running, finished and\n"
		 "killed processes may be mixed. The trace goes to standard output unless -o names a\n"
		 "file, which appears only when it is whole. What was lost is said on standard error.\n"
		 "\n"
		 "--format kineto writes what HolisticTraceAnalysis and TensorBoard's plugin for the torch\n"
		 "profiler read: with -o FOLDER, or a name with %r (rank) or %p (pid), a file for each\n"
		 "process that used a GPU.",
	.options = option_rows,
};

static int is_kineto(const struct options *options)
{
	return options->format && !strcmp(options->format, output_kineto.name);
}

struct totals {
	uint64_t slices, in_flight, threads, processes;
};

static struct totals count_totals(const struct trace *trace)
{
	struct totals sum = { 0 };

	for (size_t i = 0; i < trace->count; i++) {
		const struct trace_process *process = &trace->processes[i];

		if (trace->chosen_only && !process->chosen)
			continue;
		sum.processes++;
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
		fprintf(stderr, PROGRAM ": %" PRIu64 " %s (%" PRIu64 " in flight) of %" PRIu64 " %s, %" PRIu64
			" %s; %s in %s\n", sum.slices, cli_word(sum.slices, "record", "records"), sum.in_flight,
			sum.processes, cli_word(sum.processes, "process", "processes"),
			sum.threads, cli_word(sum.threads, "thread", "threads"),
			cli_size_text(size, sizeof(size), sink->written), sink_name(sink));
}

/* One file of the format, with steps where they are wanted. */
static int produce_file(struct trace *trace, const struct output *output, struct sink *sink,
			const struct options *options)
{
	struct steps steps = { 0 };
	int error;

	trace->steps = options->no_steps ? NULL : options->found;
	if (!options->no_steps && !options->found && !steps_open(&steps, trace, NULL))
		trace->steps = &steps;
	error = produce(trace, output, sink, options->jobs < 64 ? (int)options->jobs : 64);
	steps_close(&steps);
	trace->steps = NULL;
	return error;
}

static int write_file(struct trace *trace, const struct output *output, const char *path, enum sink_form form,
		      const struct options *options)
{
	struct sink sink;
	char why[512];
	int error;

	if (sink_open(&sink, path, form, why, sizeof(why))) {
		fprintf(stderr, PROGRAM ": %s\n", why);
		return CLI_FAILED;
	}
	error = produce_file(trace, output, &sink, options);
	if (error) {
		fprintf(stderr, PROGRAM ": %s: %s\n", error == -ENOMEM ? "merge" : sink_name(&sink),
			strerror(-error));
		sink_abort(&sink);
		return CLI_FAILED;
	}
	print_summary(trace, &sink);
	error = sink_close(&sink);
	if (error) {
		fprintf(stderr, PROGRAM ": %s: %s\n", path ? path : "standard output", strerror(-error));
		return CLI_FAILED;
	}
	return CLI_OK;
}

static int write_trace(struct trace *trace, const struct options *options, enum sink_form form)
{
	int code = write_file(trace, &output_chrome, options->output, form, options);

	if (code == CLI_OK)
		trace_print_losses(trace, PROGRAM);
	return code;
}

/* ---- a file for each rank ---- */

/* Names one file and no folder. */
static int is_file_name(const char *path)
{
	static const char *const ends[] = { ".json", ".json.gz", ".json.zst" };
	size_t size = strlen(path);
	struct stat status;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (size > strlen(ends[i]) && !strcmp(path + size - strlen(ends[i]), ends[i]))
			return 1;
	return !strcmp(path, "-") || (!stat(path, &status) && !S_ISDIR(status.st_mode));
}

/* Of a list in order of begin, what the filter lets through. */
static size_t filter_gpu(const struct trace *trace, const struct trace_process *process, struct gpu_event *events,
			 size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (trace_shows_gpu(trace, process, &events[i], 1))
			events[kept++] = events[i];
	return kept;
}

/* What the GPUs did for a process is read at once, since its reader wants it in order. */
static int write_rank(struct trace *trace, const struct rank *rank, const struct options *options,
		      const char *path, enum sink_form form)
{
	struct trace_process *process = rank->process;
	struct gpu_event *events = NULL;
	size_t count;
	int error, code;

	for (size_t i = 0; i < trace->count; i++)
		trace->processes[i].chosen = &trace->processes[i] == process;
	trace->rank = rank->number;
	error = gpu_collect(process->ring, process->clock, trace->estimate, &events, &count);
	if (error) {
		fprintf(stderr, PROGRAM ": %s: %s\n", process->path, strerror(-error));
		return CLI_FAILED;
	}
	process->gpu = events;
	process->gpu_count = filter_gpu(trace, process, events, count);
	code = write_file(trace, &output_kineto, path, form, options);
	process->gpu = NULL;
	process->gpu_count = 0;
	free(events);
	return code;
}

static int write_named_rank(struct trace *trace, const struct rank *rank, const struct options *options,
			    enum sink_form form)
{
	static const char *const suffixes[] = { [SINK_PLAIN] = "", [SINK_GZIP] = ".gz", [SINK_ZSTD] = ".zst" };
	char *path = rank_path(rank, options->output, suffixes[form]);
	int code = CLI_FAILED;

	if (path)
		code = write_rank(trace, rank, options, path, form);
	else
		fprintf(stderr, PROGRAM ": no memory\n");
	free(path);
	return code;
}

static int write_each(struct trace *trace, const struct ranks *ranks, const struct options *options,
		      enum sink_form form)
{
	int named = options->output && (rank_is_pattern(options->output) || !is_file_name(options->output));
	int code = CLI_OK;

	if (!named && ranks->count > 1)
		return cli_usage(&command, "%zu processes used a GPU, each is a file: -o FOLDER, or a name with %%r",
				 ranks->count);
	if (!named)
		return write_rank(trace, &ranks->list[0], options, options->output, form);
	if (!rank_is_pattern(options->output) && mkdir(options->output, 0777) && errno != EEXIST) {
		fprintf(stderr, PROGRAM ": %s: %s\n", options->output, strerror(errno));
		return CLI_FAILED;
	}
	for (size_t i = 0; code == CLI_OK && i < ranks->count; i++)
		code = write_named_rank(trace, &ranks->list[i], options, form);
	return code;
}

static int write_ranks(struct trace *trace, const struct options *options, enum sink_form form)
{
	struct ranks ranks;
	int code = CLI_FAILED;

	if (ranks_make(&ranks, trace)) {
		fprintf(stderr, PROGRAM ": no memory\n");
		return CLI_FAILED;
	}
	trace->chosen_only = 1;
	trace->world = (uint32_t)ranks.count;
	if (ranks.count)
		code = write_each(trace, &ranks, options, form);
	else
		fprintf(stderr, PROGRAM ": no process of these rings is among those asked for\n");
	for (size_t i = 0; i < ranks.count; i++)
		ranks.list[i].process->chosen = 1;
	if (code == CLI_OK && ranks.idle)
		fprintf(stderr, PROGRAM ": %zu %s no GPU and %s no file\n", ranks.idle,
			cli_word(ranks.idle, "process used", "processes used"), cli_word(ranks.idle, "has", "have"));
	if (code == CLI_OK)
		trace_print_losses(trace, PROGRAM);
	ranks_free(&ranks);
	return code;
}

/* ---- some steps ---- */

/* "7", "7..12", "7..", "..12": 0 or -EINVAL. */
static int parse_steps(struct options *options)
{
	const char *text = options->steps, *dots = text ? strstr(text, "..") : NULL, *second = dots ? dots + 2 : text;
	uint64_t first = 1, last = UINT32_MAX;
	char number[16];

	if (!text)
		return 0;
	if (dots && dots > text) {
		snprintf(number, sizeof(number), "%.*s", (int)(dots - text < 15 ? dots - text : 15), text);
		if (cli_parse_count(number, &first))
			return -EINVAL;
	}
	if (!dots || *second)
		if (cli_parse_count(second, &last))
			return -EINVAL;
	if (!dots)
		first = last;
	options->first_step = (uint32_t)first;
	options->last_step = (uint32_t)last;
	return first && first <= last && last <= UINT32_MAX && strcmp(text, "..") ? 0 : -EINVAL;
}

/* All records are looked at, since a step's number is its place among all; then the trace is that of some of them. */
static int choose_steps(struct trace *trace, struct steps *steps, const struct options *options)
{
	int error = steps_find(steps, trace, NULL);
	uint64_t from, to;
	size_t all;

	if (error) {
		fprintf(stderr, PROGRAM ": %s\n", strerror(-error));
		return error;
	}
	all = steps_choose(steps, options->first_step, options->last_step, &from, &to);
	if (!steps->count) {
		fprintf(stderr, PROGRAM
			": --steps %s: there is none of them among the %zu steps of these rings (see vprof steps)\n",
			options->steps, all);
		return -ENOENT;
	}
	trace->from_ns = from > trace->from_ns ? from : trace->from_ns;
	trace->to_ns = to < trace->to_ns ? to : trace->to_ns;
	return 0;
}

static int write_all(struct trace *trace, const struct options *options, enum sink_form form)
{
	return is_kineto(options) ? write_ranks(trace, options, form) : write_trace(trace, options, form);
}

static int write_steps(struct trace *trace, const struct options *options, enum sink_form form)
{
	struct options those = *options;
	struct steps steps = { 0 };
	int code = CLI_FAILED;

	those.found = &steps;
	if (!choose_steps(trace, &steps, options))
		code = write_all(trace, &those, form);
	steps_close(&steps);
	return code;
}

static void say_no_estimate(const struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		if (trace->processes[i].chosen && gpu_has_times(trace->processes[i].ring, trace->processes[i].clock, 1))
			return;
	fprintf(stderr, PROGRAM ": --estimate: no launch of a graph was timed in these rings, so there is nothing to "
		"estimate from (see vprof info)\n");
}

static int merge_inputs(const struct options *options, const struct inputs *inputs, enum sink_form form)
{
	struct trace trace;
	int code;

	if (!inputs_have_records(inputs))
		return CLI_FAILED;
	if (trace_begin(&trace, inputs, &options->filter))
		return CLI_FAILED;
	trace.raw_names = options->raw_names;
	trace.expand_graphs = options->expand_graphs;
	trace.estimate = options->estimate;
	if (options->estimate)
		say_no_estimate(&trace);
	code = options->steps ? write_steps(&trace, options, form) : write_all(&trace, options, form);
	if (!trace_was_readable(&trace, PROGRAM) || !trace_has_threads(&trace, PROGRAM))
		code = CLI_FAILED;
	trace_close(&trace);
	return code;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct inputs inputs = { 0 };
	enum sink_form form;
	int count, chosen, code = CLI_FAILED;

	count = cli_parse(&command, &options, argc, argv);
	if (count < 0)
		return CLI_CODE(count);
	chosen = sink_choose_form(&form, options.output, options.compress);
	if (!count)
		code = cli_usage(&command, "which rings?");
	else if (options.format && !is_kineto(&options) && strcmp(options.format, output_chrome.name))
		code = cli_usage(&command, "--format: '%s' is neither chrome nor kineto", options.format);
	else if (parse_steps(&options))
		code = cli_usage(&command,
				 "--steps: '%s' is no number of a step, nor a first and a last one (as in 100..110)",
				 options.steps);
	else if (chosen == -EINVAL)
		code = cli_usage(&command, "--compress: '%s' is none of " COMPRESSIONS, options.compress);
	else if (chosen)
		code = cli_usage(&command, "-o %s: only .gz and .zst can be written (--compress: whatever the name)",
				 options.output);
	else if (!inputs_collect(&inputs, PROGRAM, count, argv + 1) && !inputs_open_all(&inputs))
		code = merge_inputs(&options, &inputs, form);
	inputs_close(&inputs);
	trace_filter_free(&options.filter);
	return code;
}
