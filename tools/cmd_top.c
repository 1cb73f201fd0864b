/*
 * cmd_top.c - `vprof top`: where the GPU's time goes, where the rings know it; else the kernels that were
 * launched most, and what is in flight.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "tools/cli.h"
#include "tools/demangle.h"
#include "tools/gpu_top.h"
#include "tools/top.h"
#include "tools/trace_command.h"
#include "tools/verbs.h"

enum { NAME_SHOWN = 100, ROWS_SHOWN = 20 };

struct options {
	int json, csv, full, raw, by_range;
	const char *by, *per;
	uint64_t rows;
	struct trace_filter filter;
};

#define FIELD(name) offsetof(struct options, name)
#define TIMES       "gpu, launches, host"

static const struct cli_option table[] = {
	{ "json", 'j', CLI_FLAG, FIELD(json), NULL, "as one JSON object, times in ns" },
	{ "csv", 0, CLI_FLAG, FIELD(csv), NULL, "as CSV, times in ns" },
	{ "by", 'b', CLI_TEXT, FIELD(by), "TIME",
	  "gpu (where rings have it, the default), launches, or host: time in launch calls", TIMES },
	{ "per", 0, CLI_TEXT, FIELD(per), "WHAT",
	  "GPU time apart by process, role, device, stream, graph, step or range", gpu_top_words },
	{ "rows", 'n', CLI_COUNT, FIELD(rows), "N", "the N first kernels (default 20; 0: all)" },
	{ "full", 'f', CLI_FLAG, FIELD(full), NULL, "whole names, however long" },
	{ "by-range", 'r', CLI_FLAG, FIELD(by_range), NULL, "launches by the innermost range in which they were made" },
	{ "raw-names", 0, CLI_FLAG, FIELD(raw), NULL, "kernel names as the driver has them, not demangled" },
	TRACE_FILTER_OPTIONS(FIELD(filter)),
	{ 0 },
};

static const struct cli_command command = {
	"vprof top", "RING...",
	"Prints what the GPUs spent their time on, or the kernels that were launched most.",
	"Where the rings have times of the GPU: kernels, copies and sets by them. Totals are\n"
	"estimates where only some launches were measured: +- is the interval that holds in 19 of\n"
	"20 cases, COVERED the share of executions that are of kinds that were measured, and 1 IN\n"
	"how many of these were. Otherwise, or with --by launches or host: launches and the time of the\n"
	"launch calls on the host. Below either: the calls that have not returned. RING is a ring,\n"
	"a folder of rings or a pattern.", table,
};

/* Takes over `name` and gives it back, cut to what a table has room for. */
static char *cut_name(const struct options *options, char *name)
{
	if (name && !options->full && !options->json && !options->csv && strlen(name) > NAME_SHOWN)
		strcpy(name + NAME_SHOWN - 3, "...");
	return name;
}

static char *shown_name(const struct options *options, const char *name)
{
	return cut_name(options, options->raw ? strdup(name) : demangle_full(name));
}

/* A range's name is as the program gave it. */
static char *row_name(const struct options *options, const char *name)
{
	if (!options->by_range)
		return shown_name(options, name);
	return cut_name(options, strdup(*name ? name : options->json ? "" : "(no range)"));
}

static int print_rows(const struct top *top, const struct options *options, size_t rows)
{
	struct cli_table *cells = cli_table_new("rrrrl");
	char text[32];

	if (!cells)
		return -ENOMEM;
	cli_table_heads(cells, "LAUNCHES", "TOTAL", "MEAN", "MAX", options->by_range ? "RANGE" : "KERNEL");
	for (size_t i = 0; i < rows; i++) {
		const struct top_row *row = &top->rows[i];
		char *name = row_name(options, row->name);

		cli_table_cell(cells, "%" PRIu64, row->launches);
		cli_table_cell(cells, "%s", cli_time_text(text, sizeof(text), row->total_ns));
		cli_table_cell(cells, "%s", row->done ? cli_time_text(text, sizeof(text),
								      row->total_ns / row->done) : "-");
		cli_table_cell(cells, "%s", cli_time_text(text, sizeof(text), row->max_ns));
		cli_table_cell(cells, "%s", name ? name : row->name);
		free(name);
	}
	return cli_table_print(cells, stdout, 0);
}

static int print_open(const struct top *top, const struct options *options, int abandoned)
{
	struct cli_table *lines = NULL;
	char text[32];

	for (size_t i = 0; i < top->open_count; i++) {
		const struct event *event = &top->open[i].event;
		char *name;

		if (event_abandoned(event) != abandoned)
			continue;
		if (!lines) {
			lines = cli_table_new("l");
			if (!lines)
				return -ENOMEM;
			printf(abandoned ? "\nabandoned, their threads having ended:\n" : "\nin flight at the end:\n");
		}
		name = top->open[i].name ? shown_name(options, top->open[i].name) : NULL;
		cli_table_cell(lines, "%s (pid %u), %s (%u): %s%s%s for %s", event->thread->process->name,
			       event->thread->process->os_pid, thread_name(event->thread), event->thread->os_tid,
			       ring_call_name(event->thread->process->ring, event->slot.call),
			       name ? " of " : "", name ? name : "",
			       cli_time_text(text, sizeof(text), event->end_ns - event->start_ns));
		free(name);
	}
	return lines ? cli_table_print(lines, stdout, 2) : 0;
}

static int print_opens(const struct top *top, const struct options *options)
{
	int error = print_open(top, options, 0);

	return error ? error : print_open(top, options, 1);
}

/* Takes over `shown`. */
static void json_name(const char *key, char *shown, const char *name)
{
	printf("\"%s\": ", key);
	cli_json_string(stdout, shown ? shown : name);
	free(shown);
}

static void json_losses(const struct trace *trace)
{
	const char *name;
	int first = 1;

	printf(",\n \"lost\": {");
	for (int reason = 0; reason < PROCESS_LOSSES; reason++) {
		uint64_t sum = trace_loss(trace, reason, &name);

		if (!sum)
			continue;
		printf("%s\"%s\": %" PRIu64, first ? "" : ", ", name, sum);
		first = 0;
	}
	printf("}}\n");
}

static void json_open(const struct top *top, const struct options *options)
{
	printf(",\n \"in_flight\": [");
	for (size_t i = 0; i < top->open_count; i++) {
		const struct event *event = &top->open[i].event;

		printf("%s\n  {\"pid\": %u, \"tid\": %u, \"call\": ", i ? "," : "",
		       event->thread->process->os_pid, event->thread->os_tid);
		cli_json_string(stdout, ring_call_name(event->thread->process->ring, event->slot.call));
		if (top->open[i].name) {
			printf(", ");
			json_name("kernel", shown_name(options, top->open[i].name), top->open[i].name);
		}
		printf(", \"abandoned\": %s, \"for_ns\": %" PRIu64 "}", event_abandoned(event) ? "true" : "false",
		       event->end_ns - event->start_ns);
	}
	printf("]");
}

static void print_json(const struct trace *trace, const struct top *top, const struct options *options,
		       size_t rows)
{
	printf("{\"%s\": [", options->by_range ? "ranges" : "kernels");
	for (size_t i = 0; i < rows; i++) {
		const struct top_row *row = &top->rows[i];

		printf("%s\n  {", i ? "," : "");
		json_name(options->by_range ? "range" : "kernel", row_name(options, row->name), row->name);
		printf(", \"launches\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"total_ns\": %" PRIu64
		       ", \"mean_ns\": %" PRIu64 ", \"max_ns\": %" PRIu64 "}", row->launches, row->failed,
		       row->total_ns, row->done ? row->total_ns / row->done : 0, row->max_ns);
	}
	printf("]");
	json_open(top, options);
	json_losses(trace);
}

static int print_csv(const struct top *top, const struct options *options, size_t rows)
{
	printf("launches,failed,total_ns,mean_ns,max_ns,%s\n", options->by_range ? "range" : "kernel");
	for (size_t i = 0; i < rows; i++) {
		const struct top_row *row = &top->rows[i];
		char *name = row_name(options, row->name);

		printf("%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",\"", row->launches, row->failed,
		       row->total_ns, row->done ? row->total_ns / row->done : 0, row->max_ns);
		for (const char *p = name ? name : row->name; *p; p++)
			printf(*p == '"' ? "\"\"" : "%c", *p);
		printf("\"\n");
		free(name);
	}
	return 0;
}

static int is_word(const char *word, const char *other)
{
	return word && !strcmp(word, other);
}

static int check_options(void *values)
{
	const struct options *options = values;
	enum gpu_top_per per;

	if (options->json && options->csv)
		return cli_usage(&command, "--json or --csv, not both");
	if (options->by && !gpu_top_per(options->by, &per))
		return cli_usage(&command, "--by: '%s' is none of " TIMES " (did you mean --per %s?)",
				 options->by, options->by);
	if (options->by && !is_word(options->by, "gpu") && !is_word(options->by, "launches") &&
	    !is_word(options->by, "host"))
		return cli_usage(&command, "--by: '%s' is none of " TIMES, options->by);
	if (options->per && gpu_top_per(options->per, &per))
		return cli_usage(&command, "--per: '%s' is none of %s", options->per, gpu_top_words);
	if (options->per && (options->by_range || (options->by && !is_word(options->by, "gpu"))))
		return cli_usage(&command, "--per goes with GPU time");
	if (options->by_range && is_word(options->by, "gpu"))
		return cli_usage(&command, "--by-range counts launches; for GPU time: --per range");
	return CLI_OK;
}

/* Is it GPU time that is asked for, or that there is? */
static int wants_gpu(const struct trace *trace, const struct options *options)
{
	if (options->by || options->per)
		return options->per || is_word(options->by, "gpu");
	return !options->by_range && gpu_top_has(trace);
}

/* A hang is to be seen whatever the rows are by. */
static int print_gpu_open(struct trace *trace, const struct options *options)
{
	struct top top;
	int error = top_find_open(&top, trace);

	if (!error && options->json) {
		json_open(&top, options);
		printf("}\n");
	} else if (!error && !options->csv) {
		error = print_opens(&top, options);
	}
	top_free(&top);
	return error;
}

static int print_gpu(struct trace *trace, const struct options *options)
{
	const struct gpu_top_view view = {
		.rows = options->rows, .full = options->full, .raw = options->raw, .json = options->json,
		.csv = options->csv,
	};
	enum gpu_top_per per = GPU_TOP_ALL;
	struct gpu_top top;
	int error;

	if (!trace_command_has_gpu(&command, trace))
		return CLI_FAILED;
	if (options->per)
		gpu_top_per(options->per, &per);
	error = gpu_top_make(&top, trace, per);
	if (!error)
		error = gpu_top_print(&top, &view);
	if (!error)
		error = print_gpu_open(trace, options);
	gpu_top_free(&top);
	return trace_command_end(&command, trace, error, options->json);
}

static int compare_host(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	if (x->total_ns != y->total_ns)
		return x->total_ns > y->total_ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int top_print(struct trace *trace, const void *values)
{
	const struct options *options = values;
	struct top top;
	size_t rows;
	int error;

	if (wants_gpu(trace, options))
		return print_gpu(trace, options);
	if (!options->by && !options->by_range && !options->json)
		trace_command_say_untimed(&command, trace, 0);
	error = top_count(&top, trace, options->by_range);
	if (!error && is_word(options->by, "host") && top.row_count)
		qsort(top.rows, top.row_count, sizeof(*top.rows), compare_host);
	rows = options->rows && options->rows < top.row_count ? options->rows : top.row_count;
	if (!error && options->json) {
		print_json(trace, &top, options, rows);
	} else if (!error && options->csv) {
		error = print_csv(&top, options, rows);
	} else if (!error) {
		error = print_rows(&top, options, rows);
		if (!error)
			error = print_opens(&top, options);
	}
	top_free(&top);
	return trace_command_end(&command, trace, error, options->json);
}

int cmd_top(int argc, char **argv)
{
	struct options options = { .rows = ROWS_SHOWN };
	const struct trace_command run = { &command, &options, &options.filter, check_options, top_print };

	return trace_command_run(&run, argc, argv);
}
