/*
 * cmd_steps.c - `vprof steps`: the iterations of a program, found in its launches.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "tools/cli.h"
#include "tools/steps.h"
#include "tools/trace_command.h"
#include "tools/verbs.h"

struct options {
	int json, csv, classes, by_pattern;
	uint64_t slowest;
	const char *range;
	struct trace_filter filter;
};

#define FIELD(name) offsetof(struct options, name)

static const struct cli_option table[] = {
	{ "json", 'j', CLI_FLAG, FIELD(json), NULL, "as one JSON object, times in ns" },
	{ "csv", 'c', CLI_FLAG, FIELD(csv), NULL, "as comma-separated values, times in us" },
	{ "slowest", 'n', CLI_COUNT, FIELD(slowest), "N", "only the N longest, longest first" },
	{ "summary", 's', CLI_FLAG, FIELD(classes), NULL, "only the classes of steps" },
	{ "range", 'r', CLI_TEXT, FIELD(range), "PATTERN",
	  "steps are what begins in a range of this name (default: execute_context_*, ProfilerStep#*)" },
	{ "by-pattern", 0, CLI_FLAG, FIELD(by_pattern), NULL, "by the launches alone, whatever ranges say" },
	TRACE_FILTER_OPTIONS(FIELD(filter)),
	{ 0 },
};

static const struct cli_command command = {
	"vprof steps", "RING...",
	"Lists the steps of programs: iterations of a server, turns of a training loop.",
	"They are found in the pattern of launches, copies and waits, or by ranges that name them.\n"
	"SOURCE tells which: range, results (copied to the host, which waited for them) or waits (the\n"
	"same launches over and over). An outlier (!) took twice as long as its class does mostly.\n"
	"RING is a ring, a folder of rings or a pattern.", table,
};

/* ---- what is asked for ---- */

static int is_shown(const struct trace *trace, const struct step *step)
{
	return trace_shows(trace, step->thread, (struct trace_span){ step->found.begin, step->found.end });
}

static int compare_lengths(const void *a, const void *b)
{
	const struct step *x = *(const struct step *const *)a, *y = *(const struct step *const *)b;

	if (step_ns(x) != step_ns(y))
		return step_ns(x) > step_ns(y) ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

struct chosen {
	const struct step **list;
	size_t count;
};

static int choose(struct chosen *chosen, const struct steps *steps, const struct options *options)
{
	chosen->count = 0;
	chosen->list = calloc(steps->count + 1, sizeof(*chosen->list));
	if (!chosen->list)
		return -ENOMEM;
	for (size_t i = 0; i < steps->count; i++)
		if (is_shown(steps->trace, &steps->list[i]))
			chosen->list[chosen->count++] = &steps->list[i];
	if (!options->slowest)
		return 0;
	qsort(chosen->list, chosen->count, sizeof(*chosen->list), compare_lengths);
	if (options->slowest < chosen->count)
		chosen->count = options->slowest;
	return 0;
}

static uint64_t since(const struct trace *trace, uint64_t ns)
{
	return ns > trace->base_ns ? ns - trace->base_ns : 0;
}

/* ---- tables ---- */

static void head_cells(struct cli_table *cells, const char *const *words)
{
	for (; *words; words++)
		cli_table_cell(cells, "%s", *words);
}

static int print_classes(const struct steps *steps)
{
	static const char *const words[] = { "CLASS", "SORT", "STEPS", "MEDIAN", "LONGEST", "OUTLIERS",
					     "CONSISTS OF", NULL };
	struct cli_table *cells = cli_table_new("rlrrrrl");
	int several = 0;
	char text[64];

	if (!cells)
		return -ENOMEM;
	head_cells(cells, words);
	for (uint32_t c = 1; c < steps->class_count; c++)
		several |= steps->classes[c].thread != steps->classes[0].thread;
	for (uint32_t c = 0; c < steps->class_count; c++) {
		const struct step_class *class = &steps->classes[c];
		char whose[224] = "";

		cli_table_cell(cells, "%u", c + 1);
		cli_table_cell(cells, "%s", step_sort_name(class->sort));
		cli_table_cell(cells, "%u", class->count);
		cli_table_cell(cells, "%s", cli_time_text(text, sizeof(text), class->median_ns));
		cli_table_cell(cells, "%s", cli_time_text(text, sizeof(text), class->longest_ns));
		cli_table_cell(cells, "%u", class->outliers);
		if (several)
			snprintf(whose, sizeof(whose), " (%s %u, pid %u)", thread_name(class->thread),
				 class->thread->os_tid, class->thread->process->os_pid);
		cli_table_cell(cells, "%s, %u %s to and %u from the device%s",
			       step_shape(&class->first, text, sizeof(text)), class->first.copies_in,
			       cli_word(class->first.copies_in, "copy", "copies"),
			       class->first.copies_out, whose);
	}
	return cli_table_print(cells, stdout, 0);
}

static int print_steps(const struct steps *steps, const struct chosen *chosen)
{
	static const char *const words[] = { "STEP", "PID", "START", "LENGTH", "WAITING", "LAUNCHES", "GRAPHS",
					     "COPIES", "SORT", "CLASS", "SOURCE", "", "NAME", NULL };
	struct cli_table *cells = cli_table_new("rrrrrrrrlrlll");
	char text[32];

	if (!cells)
		return -ENOMEM;
	head_cells(cells, words);
	for (size_t i = 0; i < chosen->count; i++) {
		const struct step *step = chosen->list[i];
		const struct vprof_step *found = &step->found;

		cli_table_cell(cells, "%u", step->number);
		cli_table_cell(cells, "%u", step->thread->process->os_pid);
		cli_table_cell(cells, "%.6f", (double)since(steps->trace, found->begin) / 1e9);
		cli_table_cell(cells, "%s", cli_time_text(text, sizeof(text), step_ns(step)));
		cli_table_cell(cells, "%s", cli_time_text(text, sizeof(text), found->waited));
		cli_table_cell(cells, "%u", found->launches);
		cli_table_cell(cells, "%u", found->graphs);
		cli_table_cell(cells, "%u", found->copies_in + found->copies_out + found->copies);
		cli_table_cell(cells, "%s", step_sort_name(step->sort));
		cli_table_cell(cells, "%u", step->class + 1);
		cli_table_cell(cells, "%s", step_source_name(step));
		cli_table_cell(cells, "%s", step->outlier ? "!" : "");
		cli_table_cell(cells, "%s", step->range ? step->range->text : "");
	}
	return cli_table_print(cells, stdout, 0);
}

static int print_tables(const struct steps *steps, const struct chosen *chosen, const struct options *options)
{
	int error = 0;

	if (!steps->count) {
		printf("no steps: nothing in these rings repeats with a wait of the host\n");
		return 0;
	}
	if (!options->classes)
		error = print_steps(steps, chosen);
	if (!error && !options->classes)
		printf("\n");
	return error ? error : print_classes(steps);
}

/* ---- for scripts ---- */

static void print_csv(const struct steps *steps, const struct chosen *chosen)
{
	printf("step,pid,tid,start_us,length_us,waiting_us,launches,graphs,copies_in,copies_out,copies,bytes_in,"
	       "bytes_out,sort,class,source,outlier\n");
	for (size_t i = 0; i < chosen->count; i++) {
		const struct step *step = chosen->list[i];
		const struct vprof_step *found = &step->found;

		printf("%u,%u,%u,%.3f,%.3f,%.3f,%u,%u,%u,%u,%u,%" PRIu64 ",%" PRIu64 ",%s,%u,%s,%u\n", step->number,
		       step->thread->process->os_pid, step->thread->os_tid,
		       (double)since(steps->trace, found->begin) / 1e3, (double)step_ns(step) / 1e3,
		       (double)found->waited / 1e3, found->launches, found->graphs, found->copies_in, found->copies_out,
		       found->copies, found->bytes_in, found->bytes_out, step_sort_name(step->sort), step->class + 1,
		       step_source_name(step), step->outlier);
	}
}

static void json_step(const struct steps *steps, const struct step *step)
{
	const struct vprof_step *found = &step->found;

	printf("\n  {\"step\": %u, \"pid\": %u, \"tid\": %u, \"start_ns\": %" PRIu64 ", \"length_ns\": %" PRIu64
	       ", \"waiting_ns\": %" PRIu64
	       ", \"launches\": %u, \"graphs\": %u, \"copies_in\": %u, \"copies_out\": %u, "
	       "\"copies\": %u, \"bytes_in\": %" PRIu64 ", \"bytes_out\": %" PRIu64
	       ", \"sort\": \"%s\", \"class\": %u, "
	       "\"source\": \"%s\", \"outlier\": %s", step->number, step->thread->process->os_pid,
	       step->thread->os_tid, since(steps->trace, found->begin), step_ns(step), found->waited, found->launches,
	       found->graphs, found->copies_in, found->copies_out, found->copies, found->bytes_in, found->bytes_out,
	       step_sort_name(step->sort), step->class + 1, step_source_name(step), step->outlier ? "true" : "false");
	if (step->range) {
		printf(", \"name\": ");
		cli_json_string(stdout, step->range->text);
	}
	printf("}");
}

static void print_json(const struct steps *steps, const struct chosen *chosen)
{
	printf("{\"base_ns\": %" PRIu64 ",\n \"steps\": [", steps->trace->base_ns);
	for (size_t i = 0; i < chosen->count; i++) {
		if (i)
			printf(",");
		json_step(steps, chosen->list[i]);
	}
	printf("],\n \"classes\": [");
	for (uint32_t c = 0; c < steps->class_count; c++) {
		const struct step_class *class = &steps->classes[c];

		printf("%s\n  {\"class\": %u, \"pid\": %u, \"tid\": %u, \"sort\": \"%s\", \"steps\": %u, "
		       "\"median_ns\": %" PRIu64
		       ", \"longest_ns\": %" PRIu64 ", \"outliers\": %u, \"launches\": %u, \"graphs\": %u}",
		       c ? "," : "", c + 1, class->thread->process->os_pid, class->thread->os_tid,
		       step_sort_name(class->sort), class->count, class->median_ns, class->longest_ns, class->outliers,
		       class->first.launches, class->first.graphs);
	}
	printf("]}\n");
}

static int check_options(void *values)
{
	struct options *options = values;

	if (options->json && options->csv)
		return cli_usage(&command, "--json or --csv, not both");
	if (options->by_pattern && options->range)
		return cli_usage(&command, "--range and --by-pattern exclude each other");
	if (options->by_pattern)
		options->range = "";
	return CLI_OK;
}

/* Asked for by name, what launches alone tell is no answer. */
static int lacks_range(const struct steps *steps, const char *range)
{
	if (!range || !*range || steps->mark_count)
		return 0;
	fprintf(stderr, "%s: --range: no range '%s' in these rings\n", command.name, range);
	return 1;
}

static int steps_print(struct trace *trace, const void *values)
{
	const struct options *options = values;
	struct chosen chosen = { 0 };
	struct steps steps;
	int error = steps_find(&steps, trace, options->range);

	if (!error && lacks_range(&steps, options->range)) {
		steps_close(&steps);
		return CLI_FAILED;
	}
	if (!error)
		error = choose(&chosen, &steps, options);
	if (!error && options->json)
		print_json(&steps, &chosen);
	else if (!error && options->csv)
		print_csv(&steps, &chosen);
	else if (!error)
		error = print_tables(&steps, &chosen, options);
	free(chosen.list);
	steps_close(&steps);
	if (error) {
		fprintf(stderr, "%s: %s\n", command.name, strerror(-error));
		return CLI_FAILED;
	}
	return cli_finish(command.name);
}

int cmd_steps(int argc, char **argv)
{
	struct options options = { 0 };
	const struct trace_command run = { &command, &options, &options.filter, check_options, steps_print };

	return trace_command_run(&run, argc, argv);
}
