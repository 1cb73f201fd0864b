/*
 * graph_text.c - graphs as tables.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "tools/cli.h"
#include "tools/gpu.h"
#include "tools/graph_report.h"

enum { NAMES_SHOWN = 100, NAME_SHOWN = 100, DEPENDENCIES_SHOWN = 6 };

static void cut(char *text, size_t most)
{
	if (strlen(text) > most)
		strcpy(text + most - 3, "...");
}

/* ---- one row a graph ---- */

/* "66x rms_norm, 22x silu, ..."; NULL without memory. */
static char *kernel_names(const struct graph_report *report, const struct graph_style *style,
			  const struct graph_list *list)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (uint32_t i = 0; i < list->distinct && (style->full || ftell(out) <= NAMES_SHOWN); i++) {
		char *name = graph_kernel_name(report, style, list->by_name[i].object, 0);

		fprintf(out, "%s%ux %s", i ? ", " : "", list->by_name[i].nodes, name ? name : "kernel ?");
		free(name);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	if (!style->full)
		cut(text, NAMES_SHOWN);
	return text;
}

static void put_known(struct cli_table *table, const struct graph_list *list, uint32_t count)
{
	if (list)
		cli_table_cell(table, "%u", count);
	else
		cli_table_cell(table, "?");
}

static void put_seconds(struct cli_table *table, const struct graph_report *report, const char *what,
			uint64_t ticks, const char *rest)
{
	int64_t ns = graph_moment(report, ticks);

	cli_table_cell(table, "%s%+.6f s%s", what, (double)ns / 1e9, rest);
}

/* By which call, when, and from which capture. */
static void put_origin(struct cli_table *table, const struct graph_report *report, const struct graph *graph)
{
	const struct vprof_def_origin *origin = graph->origin;
	char rest[160], call[96];

	if (!origin) {
		cli_table_cell(table, "unknown: made before recording");
		cli_table_cell(table, "-");
		return;
	}
	rest[0] = 0;
	if (graph->def->flags)
		snprintf(rest, sizeof(rest), ", flags %" PRIu64, graph->def->flags);
	snprintf(call, sizeof(call), "%s ", ring_call_name(report->process->ring, origin->call));
	put_seconds(table, report, call, graph->def->ticks, rest);
	if (!origin->capture_tid) {
		cli_table_cell(table, "no capture seen");
		return;
	}
	snprintf(rest, sizeof(rest), " on stream 0x%" PRIx64 " by %.15s (%u)", origin->capture_stream,
		 graph_thread(report, origin->capture_tid), origin->capture_tid);
	put_seconds(table, report, "", origin->capture_ticks, rest);
}

static void put_use(struct cli_table *table, const struct graph_use *use)
{
	char text[32];

	cli_table_cell(table, "%" PRIu64, use->launches);
	cli_table_cell(table, "%s", use->done ? cli_time_text(text, sizeof(text), use->total_ns) : "-");
	cli_table_cell(table, "%s", use->done ? cli_time_text(text, sizeof(text), use->total_ns / use->done) : "-");
}

static int put_graph(struct cli_table *table, const struct graph_report *report, const struct graph_style *style,
		     const struct graph *graph)
{
	const struct graph_list *list = graph_nodes(&report->graphs, graph);
	char *names = list ? kernel_names(report, style, list) : strdup("-"), number[32];

	if (!names)
		return -ENOMEM;
	cli_table_cell(table, "%s", graph_number(number, sizeof(number), graph));
	if (list && list->count < list->total)
		cli_table_cell(table, "%u of %u", list->count, list->total);
	else if (list || graph->def->nodes)
		cli_table_cell(table, "%u", list ? list->total : graph->def->nodes);
	else
		cli_table_cell(table, "?");
	put_known(table, list, list ? list->kernels : 0);
	put_known(table, list, list ? list->distinct : 0);
	put_known(table, list, list ? list->copies : 0);
	put_known(table, list, list ? list->sets : 0);
	put_known(table, list, list ? list->edge_count : 0);
	put_use(table, &report->uses[graph - report->graphs.list]);
	put_origin(table, report, graph);
	cli_table_cell(table, "%s", names[0] ? names : "-");
	free(names);
	return 0;
}

static int print_graphs(const struct graph_report *report, FILE *out, const struct graph_style *style)
{
	struct cli_table *table = cli_table_new("rrrrrrrrrrlll");
	int error = 0;

	if (!table)
		return -ENOMEM;
	cli_table_heads(table, "GRAPH", "NODES", "KERNELS", "DISTINCT", "COPIES", "SETS", "EDGES", "LAUNCHES",
			"TOTAL", "MEAN", "MADE BY, AT", "CAPTURED AT", "KERNELS BY NAME");
	for (uint32_t i = 0; !error && i < report->graphs.count; i++)
		if (graph_shown(style, &report->graphs.list[i]))
			error = put_graph(table, report, style, &report->graphs.list[i]);
	return cli_table_print(table, out, 0) || error ? -ENOMEM : 0;
}

/* ---- one row a node ---- */

/* What a node does, and to how much. */
static void put_what(struct cli_table *table, const struct graph_report *report, const struct graph_style *style,
		     const struct vprof_graph_node *node)
{
	char size[32], *name;

	switch (node->type) {
	case VPROF_NODE_KERNEL:
		name = graph_kernel_name(report, style, node->object, 1);
		if (name && !style->full)
			cut(name, NAME_SHOWN);
		cli_table_cell(table, "%s", name ? name : "kernel ?");
		free(name);
		return;
	case VPROF_NODE_COPY:
		cli_table_cell(table, "%s %s", event_direction(node->object),
			       cli_size_text(size, sizeof(size), node->bytes));
		return;
	case VPROF_NODE_SET:
		cli_table_cell(table, "%s", cli_size_text(size, sizeof(size), node->bytes));
		return;
	default:
		cli_table_cell(table, "-");
	}
}

static void put_shape(struct cli_table *table, const struct vprof_graph_node *node)
{
	if (node->type != VPROF_NODE_KERNEL) {
		for (int i = 0; i < 3; i++)
			cli_table_cell(table, "-");
		return;
	}
	cli_table_cell(table, "%u,%u,%u", node->grid[0], node->grid[1], node->grid[2]);
	cli_table_cell(table, "%u,%u,%u", node->block[0], node->block[1], node->block[2]);
	cli_table_cell(table, "%u", node->shared);
}

/* The nodes that it waits for; * marks a programmatic edge. */
static void put_dependencies(struct cli_table *table, const struct graph_list *list, uint32_t node)
{
	char text[16 * (DEPENDENCIES_SHOWN + 2)] = "";
	size_t used = 0;
	uint32_t first = graph_edges_to(list, node), i;

	for (i = first; i < list->edge_count && list->edges[i].to == node; i++)
		if (i - first < DEPENDENCIES_SHOWN)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%u%s", i > first ? "," : "",
						 list->edges[i].from, list->edges[i].programmatic ? "*" : "");
	if (i - first > DEPENDENCIES_SHOWN)
		snprintf(text + used, sizeof(text) - used, " +%u", i - first - DEPENDENCIES_SHOWN);
	cli_table_cell(table, "%s", first < list->edge_count ? text : "-");
}

static int print_nodes(const struct graph_report *report, FILE *out, const struct graph_style *style,
		       const struct graph *graph)
{
	const struct graph_list *list = graph_nodes(&report->graphs, graph);
	struct cli_table *table;
	char number[32];

	fprintf(out, "\ngraph %s%s\n", graph_number(number, sizeof(number), graph), list ? "" : ": nodes not known");
	if (!list)
		return 0;
	table = cli_table_new("rllrrrll");
	if (!table)
		return -ENOMEM;
	cli_table_heads(table, "NODE", "IN", "KIND", "GRID", "BLOCK", "SHARED", "AFTER", "WHAT");
	for (uint32_t i = 0; i < list->count; i++) {
		const struct vprof_graph_node *node = &list->nodes[i];

		cli_table_cell(table, "%u", i);
		if (node->parent)
			cli_table_cell(table, "%u", node->parent - 1);
		else
			cli_table_cell(table, "%s", "");
		cli_table_cell(table, "%s", graph_node_kind(node->type));
		put_shape(table, node);
		put_dependencies(table, list, i);
		put_what(table, report, style, node);
	}
	return cli_table_print(table, out, 2);
}

/* Graphs that do not do what their lists say any more. */
static void print_changes(const struct graph_report *report, FILE *out, const struct graph_style *style)
{
	char number[32];

	for (uint32_t i = 0; i < report->graphs.count; i++)
		if (graph_shown(style, &report->graphs.list[i]) && report->uses[i].changes)
			fprintf(out, "graph %s: single nodes changed since, by %" PRIu64 " %s\n",
				graph_number(number, sizeof(number), &report->graphs.list[i]), report->uses[i].changes,
				cli_word(report->uses[i].changes, "call", "calls"));
}

static const char *parts_text(char *text, size_t size, const struct vprof_def_twin *twin)
{
	*text = 0;
	if (twin->parts > 1)
		snprintf(text, size, " for one of %u parts of its nodes", twin->parts);
	return text;
}

/* Whether the time of its nodes can be measured. */
static void print_twins(const struct graph_report *report, FILE *out, const struct graph_style *style)
{
	char number[32], took[32], parts[48];

	for (uint32_t i = 0; i < report->graphs.count; i++) {
		const struct graph *graph = &report->graphs.list[i];
		const struct vprof_def_twin *twin = graph_shown(style, graph) ? graph_twin(report, graph) : NULL;

		if (twin && twin->count)
			fprintf(out, "graph %s: a twin with %u stamps%s, built in %s\n",
				graph_number(number, sizeof(number), graph), twin->total,
				parts_text(parts, sizeof(parts), twin),
				cli_time_text(took, sizeof(took), twin->build_us * 1000ull));
		else if (twin && twin->error)
			fprintf(out, "graph %s: no twin, %s (error %u)\n", graph_number(number, sizeof(number), graph),
				gpu_why_text(twin->why), twin->error);
		else if (twin)
			fprintf(out, "graph %s: no twin, %s\n", graph_number(number, sizeof(number), graph),
				gpu_why_text(twin->why));
	}
}

int graph_report_text(const struct graph_report *report, FILE *out, const struct graph_style *style)
{
	const struct graph_use *others = &report->uses[report->graphs.count];
	int error = 0;

	fprintf(out, "%s (pid %u): %u %s\n", report->process->name, report->process->os_pid, report->graphs.count,
	       cli_word(report->graphs.count, "graph", "graphs"));
	if (report->graphs.count)
		error = print_graphs(report, out, style);
	if (others->launches)
		fprintf(out, "%" PRIu64 " %s of graphs that are not known\n", others->launches,
			cli_word(others->launches, "launch", "launches"));
	print_changes(report, out, style);
	print_twins(report, out, style);
	for (uint32_t i = 0; style->nodes && !error && i < report->graphs.count; i++)
		if (graph_shown(style, &report->graphs.list[i]))
			error = print_nodes(report, out, style, &report->graphs.list[i]);
	return error;
}
