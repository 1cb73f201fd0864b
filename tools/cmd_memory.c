/*
 * cmd_memory.c - `vprof memory`: who holds which memory at a moment.
 */
#include <errno.h>
#include <string.h>
#include "tools/cli.h"
#include "tools/memory_print.h"
#include "tools/trace_command.h"
#include "tools/verbs.h"

enum { ROWS_SHOWN = 20 };

#define FIELD(name) offsetof(struct memory_options, name)

static const struct cli_option table[] = {
	{ "json", 'j', CLI_FLAG, FIELD(json), NULL, "a JSON array with an object for each ring, times in ns" },
	{ "at", 'a', CLI_MOMENT, FIELD(at), "TIME",
	  "TIME after the first record, or -TIME before the end (default: the end)" },
	{ "top", 'n', CLI_COUNT, FIELD(rows), "N", "the N first rows of each table (default 20; 0: all)" },
	{ "each", 'e', CLI_FLAG, FIELD(each), NULL, "every piece of memory by itself, with its address" },
	{ "all", 0, CLI_FLAG, FIELD(all), NULL,
	  "reserved addresses and mappings too, which are no memory of their own" },
	{ "pid", 'p', CLI_LIST, FIELD(filter.pids), "PID,...", "only these processes" },
	{ 0 },
};

static const struct cli_command command = {
	"vprof memory", "RING...",
	"Tells who holds which memory at a moment, by call, thread and range; how much it was at most;\n"
	"what was given back without having been taken.",
	"At the end of a process that ended by itself that is what it never gave back. Moments before\n"
	"the end are found by undoing records, so they go back as far as the ring does. RING is a\n"
	"ring, a folder of rings or a pattern.", table,
};

static int print_process(const struct memory_view *view)
{
	const struct memory_options *options = view->options;
	struct memory_choice held = { view->ticks, 0, options->each, options->all };
	struct memory_choice ended = { 0, 1, options->each, options->all };
	struct memory_findings found = { 0 };
	int error = memory_past_make(&found.past, view->process->ring);

	if (!error)
		error = memory_groups_make(&found.held, &found.past, &held);
	if (!error && !options->at.given)
		error = memory_groups_make(&found.ended, &found.past, &ended);
	if (!error && options->json)
		memory_json(view, &found, stdout);
	else if (!error)
		error = memory_text(view, &found, stdout);
	memory_groups_free(&found.ended);
	memory_groups_free(&found.held);
	memory_past_free(&found.past);
	return error;
}

static int print_all(struct trace *trace, const void *values)
{
	const struct memory_options *options = values;
	int code = CLI_OK, printed = 0;

	for (size_t i = 0; i < trace->count; i++) {
		struct memory_view view;
		int error;

		if (!trace->processes[i].chosen)
			continue;
		memory_view_make(&view, trace, &trace->processes[i], options);
		if (options->json)
			fputs(printed ? ",\n" : "[\n", stdout);
		else if (printed)
			putchar('\n');
		printed++;
		error = print_process(&view);
		if (!error)
			continue;
		fprintf(stderr, "%s: %s: %s\n", command.name, trace->processes[i].path, strerror(-error));
		code = CLI_FAILED;
	}
	if (options->json)
		fputs(printed ? "\n]\n" : "[]\n", stdout);
	return cli_finish(command.name) ? CLI_FAILED : code;
}

int cmd_memory(int argc, char **argv)
{
	struct memory_options options = { .rows = ROWS_SHOWN };
	const struct trace_command run = { &command, &options, &options.filter, NULL, print_all };

	return trace_command_run(&run, argc, argv);
}
