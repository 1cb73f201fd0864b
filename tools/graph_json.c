/*
 * graph_json.c - graphs as JSON, for scripts.
 */
#include <inttypes.h>
#include <stdlib.h>
#include "tools/cli.h"
#include "tools/gpu.h"
#include "tools/graph_report.h"

static void put_kernel(FILE *out, const struct graph_report *report, const struct graph_style *style, uint32_t object)
{
	char *name = graph_kernel_name(report, style, object, 1);

	fprintf(out, "\"kernel\": ");
	cli_json_string(out, name ? name : "kernel ?");
	free(name);
}

static void put_origin(FILE *out, const struct graph_report *report, const struct graph *graph)
{
	const struct vprof_def_origin *origin = graph->origin;

	if (!origin) {
		fprintf(out, ", \"made\": null, \"captured\": null");
		return;
	}
	fprintf(out, ", \"made\": {\"call\": ");
	cli_json_string(out, ring_call_name(report->process->ring, origin->call));
	fprintf(out, ", \"flags\": %" PRIu64 ", \"tid\": %u, \"at_ns\": %" PRId64 "}", graph->def->flags, origin->tid,
	       graph_moment(report, graph->def->ticks));
	if (origin->capture_tid)
		fprintf(out, ", \"captured\": {\"stream\": \"0x%" PRIx64 "\", \"tid\": %u, \"at_ns\": %" PRId64 "}",
		       origin->capture_stream, origin->capture_tid, graph_moment(report, origin->capture_ticks));
	else
		fprintf(out, ", \"captured\": null");
}

static void put_dependencies(FILE *out, const struct graph_list *list, uint32_t node)
{
	uint32_t first = graph_edges_to(list, node);

	fprintf(out, ", \"after\": [");
	for (uint32_t i = first; i < list->edge_count && list->edges[i].to == node; i++)
		fprintf(out, "%s%u", i > first ? ", " : "", list->edges[i].from);
	fprintf(out, "], \"programmatic\": [");
	for (uint32_t i = first, n = 0; i < list->edge_count && list->edges[i].to == node; i++)
		if (list->edges[i].programmatic)
			fprintf(out, "%s%u", n++ ? ", " : "", list->edges[i].from);
	fprintf(out, "]");
}

static void put_node(FILE *out, const struct graph_report *report, const struct graph_style *style,
		     const struct graph_list *list, uint32_t at)
{
	const struct vprof_graph_node *node = &list->nodes[at];

	fprintf(out, "%s\n    {\"node\": %u, \"kind\": \"%s\"", at ? "," : "", at, graph_node_kind(node->type));
	if (node->parent)
		fprintf(out, ", \"in\": %u", node->parent - 1);
	if (node->type == VPROF_NODE_KERNEL) {
		fprintf(out, ", ");
		put_kernel(out, report, style, node->object);
		fprintf(out, ", \"grid\": [%u, %u, %u], \"block\": [%u, %u, %u], \"shared\": %u", node->grid[0],
		       node->grid[1], node->grid[2], node->block[0], node->block[1], node->block[2], node->shared);
	} else if (node->type == VPROF_NODE_COPY) {
		fprintf(out, ", \"direction\": \"%s\", \"bytes\": %" PRIu64, event_direction(node->object),
			node->bytes);
	} else if (node->type == VPROF_NODE_SET) {
		fprintf(out, ", \"bytes\": %" PRIu64, node->bytes);
	}
	put_dependencies(out, list, at);
	fprintf(out, "}");
}

static void put_list(FILE *out, const struct graph_report *report, const struct graph_style *style,
		     const struct graph_list *list)
{
	fprintf(out,
		", \"kernels\": %u, \"distinct\": %u, \"copies\": %u, \"sets\": %u, \"children\": %u, \"others\": %u, "
		"\"edges\": %u, \"programmatic_edges\": %u, \"nodes_known\": %u", list->kernels, list->distinct,
		list->copies, list->sets, list->children, list->others, list->edge_count, list->programmatic,
		list->count);
	fprintf(out, ", \"by_name\": [");
	for (uint32_t i = 0; i < list->distinct; i++) {
		fprintf(out, "%s{", i ? ", " : "");
		put_kernel(out, report, style, list->by_name[i].object);
		fprintf(out, ", \"nodes\": %u}", list->by_name[i].nodes);
	}
	fprintf(out, "]");
	if (!style->nodes)
		return;
	fprintf(out, ", \"node_list\": [");
	for (uint32_t i = 0; i < list->count; i++)
		put_node(out, report, style, list, i);
	fprintf(out, "]");
}

static void put_twin(FILE *out, const struct graph_report *report, const struct graph *graph)
{
	const struct vprof_def_twin *twin = graph_twin(report, graph);

	if (!twin)
		fprintf(out, ", \"twin\": null");
	else if (twin->count)
		fprintf(out, ", \"twin\": {\"stamps\": %u, \"build_us\": %u, \"device\": %d, \"parts\": %u}",
			twin->total, twin->build_us, twin->device, twin->parts ? twin->parts : 1);
	else
		fprintf(out, ", \"twin\": {\"stamps\": 0, \"why\": \"%s\", \"error\": %u}", gpu_why_text(twin->why),
			twin->error);
}

static void put_graph(FILE *out, const struct graph_report *report, const struct graph_style *style,
		      const struct graph *graph)
{
	const struct graph_list *list = graph_nodes(&report->graphs, graph);
	const struct graph_use *use = &report->uses[graph - report->graphs.list];

	fprintf(out, "{\"graph\": %u, \"version\": %u, \"exec\": \"0x%" PRIx64 "\"", graph->def->number, graph->version,
	       graph->def->exec);
	if (list || graph->def->nodes)
		fprintf(out, ", \"nodes\": %u", list ? list->total : graph->def->nodes);
	else
		fprintf(out, ", \"nodes\": null");
	fprintf(out, ", \"launches\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"total_ns\": %" PRIu64
		", \"mean_ns\": %" PRIu64
	       ", \"max_ns\": %" PRIu64 ", \"changes\": %" PRIu64, use->launches, use->failed, use->total_ns,
	       use->done ? use->total_ns / use->done : 0, use->max_ns, use->changes);
	put_origin(out, report, graph);
	put_twin(out, report, graph);
	if (list)
		put_list(out, report, style, list);
	fprintf(out, "}");
}

void graph_report_json(const struct graph_report *report, FILE *out, const struct graph_style *style)
{
	int first = 1;

	fprintf(out, " {\"pid\": %u, \"process\": ", report->process->os_pid);
	cli_json_string(out, report->process->name);
	fprintf(out, ", \"ring\": ");
	cli_json_string(out, report->process->path);
	fprintf(out, ", \"unknown_launches\": %" PRIu64 ", \"graphs\": [", report->uses[report->graphs.count].launches);
	for (uint32_t i = 0; i < report->graphs.count; i++) {
		if (!graph_shown(style, &report->graphs.list[i]))
			continue;
		fprintf(out, first ? "\n  " : ",\n  ");
		put_graph(out, report, style, &report->graphs.list[i]);
		first = 0;
	}
	fprintf(out, "]}");
}
