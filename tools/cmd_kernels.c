/*
 * cmd_kernels.c - `vprof kernels`: what each kernel needs, how often it ran, which occupancy it can reach.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "tools/cli.h"
#include "tools/demangle.h"
#include "tools/kernels.h"
#include "tools/trace_command.h"
#include "tools/verbs.h"

enum { NAME_SHOWN = 100 };

struct options {
	int json, full, raw, all, only_ring;
	uint64_t top;
	const char *sort;
	struct trace_filter filter;
};

#define FIELD(name) offsetof(struct options, name)

static const struct cli_option table[] = {
	{ "json", 'j', CLI_FLAG, FIELD(json), NULL, "as one JSON object" },
	{ "sort", 's', CLI_TEXT, FIELD(sort), "COLUMN",
	  "by launches (default), graphs, registers, shared, dynamic, local, "
	  "threads, occupancy, params or name",
	  "launches, graphs, registers, shared, dynamic, local, threads, occupancy, params, name" },
	{ "top", 'n', CLI_COUNT, FIELD(top), "N", "the N first kernels (default: all)" },
	{ "all", 'a', CLI_FLAG, FIELD(all), NULL, "kernels too that were looked up and of which no launch is there" },
	{ "full", 'f', CLI_FLAG, FIELD(full), NULL, "whole names, however long" },
	{ "raw-names", 0, CLI_FLAG, FIELD(raw), NULL, "kernel names as the driver has them, not demangled" },
	{ "no-cubins", 0, CLI_FLAG, FIELD(only_ring), NULL, "do not look into the cubins saved beside the rings" },
	TRACE_FILTER_OPTIONS(FIELD(filter)),
	{ 0 },
};

static const struct cli_command command = {
	"vprof kernels", "RING...",
	"Prints what each kernel needs, how often it ran, and the occupancy that it can reach.",
	"GRAPHS are runs as a node of graphs. BLOCK and DYNAMIC (shared memory, bytes) are those that it ran\n"
	"with most; OCCUPANCY is the theoretical one of these, and LIMIT what lets no further block onto a\n"
	"multiprocessor. MODULE is the number of the module in its process, and what it was. Facts with * come\n"
	"from a saved cubin. RING is a ring, a folder of rings or a pattern.", table,
};

static const char *const image_names[] = { "?", "cubin", "fatbin", "PTX", "LTO" };

static const char *image_name(const struct vprof_def_module *module)
{
	return module->image < sizeof(image_names) / sizeof(image_names[0]) ? image_names[module->image] : "?";
}

static char *shown_name(const struct options *options, const char *name)
{
	char *shown = options->raw ? strdup(name) : demangle_full(name);

	if (shown && !options->full && !options->json && strlen(shown) > NAME_SHOWN)
		strcpy(shown + NAME_SHOWN - 3, "...");
	return shown;
}

/* ---- as a table ---- */

static void fact_cell(struct cli_table *cells, const struct kernel_row *row, uint32_t value)
{
	if (row->source == KERNEL_UNKNOWN)
		cli_table_cell(cells, "-");
	else
		cli_table_cell(cells, "%u", value);
}

static void version_cell(struct cli_table *cells, uint32_t version)
{
	if (version)
		cli_table_cell(cells, "%u.%u", version / 10, version % 10);
	else
		cli_table_cell(cells, "-");
}

static void shape_cells(struct cli_table *cells, const struct kernel_row *row)
{
	const struct kernel_shape *shape = row->shapes;

	if (!row->shape_count) {
		cli_table_cell(cells, "-");
		cli_table_cell(cells, "-");
	} else {
		cli_table_cell(cells, "%u", shape->shared);
		cli_table_cell(cells, "%ux%ux%u", shape->block[0], shape->block[1], shape->block[2]);
	}
	if (row->has_occupancy) {
		cli_table_cell(cells, "%.0f %%", row->occupancy.percent);
		cli_table_cell(cells, "%s", occupancy_limit_name(row->occupancy.limit));
	} else {
		cli_table_cell(cells, "-");
		cli_table_cell(cells, "-");
	}
}

static void param_cells(struct cli_table *cells, const struct kernel_row *row)
{
	if (row->facts.param_count == UINT32_MAX) {
		cli_table_cell(cells, "-");
		cli_table_cell(cells, "-");
	} else {
		cli_table_cell(cells, "%u", row->facts.param_count);
		cli_table_cell(cells, "%u", row->facts.param_bytes);
	}
}

/* The number means something only where one process has one such module. */
static void module_cell(struct cli_table *cells, const struct kernel_row *row)
{
	if (!row->module)
		cli_table_cell(cells, "-");
	else if (row->modules == 1 && row->processes == 1 && row->module->number)
		cli_table_cell(cells, "%u %s", row->module->number, image_name(row->module));
	else
		cli_table_cell(cells, "%s", image_name(row->module));
}

static void print_row(struct cli_table *cells, const struct options *options, const struct kernel_row *row)
{
	char *name = shown_name(options, row->def->name);

	cli_table_cell(cells, "%" PRIu64, row->launches);
	cli_table_cell(cells, "%" PRIu64, row->in_graphs);
	if (row->source == KERNEL_UNKNOWN)
		cli_table_cell(cells, "-");
	else
		cli_table_cell(cells, "%u%s", row->facts.registers, row->source == KERNEL_FROM_CUBIN ? "*" : "");
	fact_cell(cells, row, row->facts.shared_static);
	fact_cell(cells, row, row->facts.local);
	fact_cell(cells, row, row->facts.threads_most);
	shape_cells(cells, row);
	param_cells(cells, row);
	version_cell(cells, row->facts.ptx);
	version_cell(cells, row->facts.binary);
	module_cell(cells, row);
	cli_table_cell(cells, "%s", name ? name : row->def->name);
	free(name);
}

static int print_rows(const struct kernels *kernels, const struct options *options, size_t rows)
{
	struct cli_table *cells = cli_table_new("rrrrrrrrrlrrrrll");

	if (!cells)
		return -ENOMEM;
	cli_table_heads(cells, "LAUNCHES", "GRAPHS", "REGS", "SHARED", "LOCAL", "THREADS", "DYNAMIC", "BLOCK",
			"OCCUPANCY", "LIMIT", "PARAMS", "BYTES", "PTX", "BINARY", "MODULE", "KERNEL");
	for (size_t i = 0; i < rows; i++)
		print_row(cells, options, &kernels->rows[i]);
	return cli_table_print(cells, stdout, 0);
}

/* ---- as JSON ---- */

static void json_facts(const struct kernel_row *row)
{
	const struct vprof_def_facts *facts = &row->facts;
	static const char *const sources[] = { "null", "\"driver\"", "\"cubin\"" };

	printf(", \"source\": %s", sources[row->source]);
	if (row->source != KERNEL_UNKNOWN)
		printf(", \"registers\": %u, \"shared_static\": %u, \"shared_most\": %u, \"constant\": %u, "
		       "\"local\": %u, \"max_threads\": %u, \"ptx\": %u, \"binary\": %u", facts->registers,
		       facts->shared_static, facts->shared_most, facts->constant, facts->local, facts->threads_most,
		       facts->ptx, facts->binary);
	if (facts->param_count == UINT32_MAX)
		return;
	printf(", \"param_count\": %u, \"param_bytes\": %u, \"params\": [", facts->param_count, facts->param_bytes);
	for (uint32_t i = 0; i < row->params_known; i++)
		printf("%s{\"offset\": %u, \"size\": %u}", i ? ", " : "", row->params[i].offset, row->params[i].size);
	putchar(']');
}

static void json_occupancy(const struct kernel_row *row)
{
	const struct occupancy *occupancy = &row->occupancy;

	if (!row->has_occupancy)
		return;
	printf(", \"occupancy\": {\"percent\": %.2f, \"blocks\": %u, \"warps\": %u, \"max_warps\": %u, "
	       "\"limit\": \"%s\"}",
	       occupancy->percent, occupancy->blocks, occupancy->warps, occupancy->warps_most,
	       occupancy_limit_name(occupancy->limit));
}

static void json_shapes(const struct kernel_row *row)
{
	printf(", \"shapes\": [");
	for (uint32_t i = 0; i < row->shape_count; i++)
		printf("%s{\"block\": [%u, %u, %u], \"dynamic\": %u, \"runs\": %" PRIu64 "}", i ? ", " : "",
		       row->shapes[i].block[0], row->shapes[i].block[1], row->shapes[i].block[2], row->shapes[i].shared,
		       row->shapes[i].runs);
	putchar(']');
}

static void json_row(const struct options *options, const struct kernel_row *row)
{
	char *name = shown_name(options, row->def->name);

	printf("\n  {\"symbol\": ");
	cli_json_string(stdout, row->def->name);
	printf(", \"kernel\": ");
	cli_json_string(stdout, name ? name : row->def->name);
	free(name);
	printf(", \"launches\": %" PRIu64 ", \"in_graphs\": %" PRIu64 ", \"pid\": %u, \"processes\": %u", row->launches,
	       row->in_graphs, row->process->os_pid, row->processes);
	json_facts(row);
	json_shapes(row);
	json_occupancy(row);
	if (row->device) {
		printf(", \"device\": %d, \"device_name\": ", row->device->ordinal);
		cli_json_string(stdout, row->device->name);
	}
	if (row->module) {
		printf(", \"module\": {\"number\": %u, \"kind\": \"%s\", \"bytes\": %" PRIu64 ", \"name\": ",
		       row->module->number, image_name(row->module), row->module->size);
		cli_json_string(stdout, row->module->name);
		printf("}, \"modules\": %u", row->modules);
	}
	putchar('}');
}

static void print_json(const struct trace *trace, const struct kernels *kernels, const struct options *options,
		       size_t rows)
{
	const char *name, *comma = "";

	printf("{\"kernels\": [");
	for (size_t i = 0; i < rows; i++) {
		printf("%s", i ? "," : "");
		json_row(options, &kernels->rows[i]);
	}
	printf("],\n \"lost\": {");
	for (int reason = 0; reason < PROCESS_LOSSES; reason++) {
		uint64_t sum = trace_loss(trace, reason, &name);

		if (!sum)
			continue;
		printf("%s\"%s\": %" PRIu64, comma, name, sum);
		comma = ", ";
	}
	printf("}}\n");
}

/* ---- */

static int print_trace(struct trace *trace, const void *values)
{
	const struct options *options = values;
	const struct kernels_style style = { .all = options->all, .saved = !options->only_ring };
	struct kernels kernels;
	int error = kernels_count(&kernels, trace, &style);
	size_t rows = options->top && options->top < kernels.count ? options->top : kernels.count;

	if (!error) {
		kernels_sort(&kernels, options->sort);
		if (options->json)
			print_json(trace, &kernels, options, rows);
		else
			error = print_rows(&kernels, options, rows);
	}
	if (kernels.saved_failed)
		fprintf(stderr, "%s: %" PRIu64 " saved cubins are missing or damaged\n", command.name,
			kernels.saved_failed);
	kernels_free(&kernels);
	return trace_command_end(&command, trace, error, options->json);
}

static int check_sort(void *values)
{
	const struct options *options = values;
	const char *near;
	size_t count = 0;

	for (; kernels_columns[count]; count++)
		if (!strcmp(kernels_columns[count], options->sort))
			return CLI_OK;
	near = cli_nearest(options->sort, kernels_columns, count);
	if (near)
		return cli_usage(&command, "--sort: no column '%s' (did you mean '%s'?)", options->sort, near);
	return cli_usage(&command, "--sort: no column '%s'", options->sort);
}

int cmd_kernels(int argc, char **argv)
{
	struct options options = { .sort = "launches" };
	const struct trace_command run = { &command, &options, &options.filter, check_sort, print_trace };

	return trace_command_run(&run, argc, argv);
}
