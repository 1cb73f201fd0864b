/*
 * graph_json.c - graphs as JSON, for scripts.
 */
#include <inttypes.h>
#include <stdlib.h>
#include "tools/cli.h"
#include "tools/graph_report.h"

static void put_kernel(const struct graph_report *report, const struct graph_style *style, uint32_t object)
{
	char *name = graph_kernel_name(report, style, object, 1);

	printf("\"kernel\": ");
	cli_json_string(stdout, name ? name : "kernel ?");
	free(name);
}

static void put_origin(const struct graph_report *report, const struct graph *graph)
{
	const struct vprof_def_origin *origin = graph->origin;

	if (!origin) {
		printf(", \"made\": null, \"captured\": null");
		return;
	}
	printf(", \"made\": {\"call\": ");
	cli_json_string(stdout, ring_call_name(report->process->ring, origin->call));
	printf(", \"flags\": %" PRIu64 ", \"tid\": %u, \"at_ns\": %" PRId64 "}", graph->def->flags, origin->tid,
	       graph_moment(report, graph->def->ticks));
	if (origin->capture_tid)
		printf(", \"captured\": {\"stream\": \"0x%" PRIx64 "\", \"tid\": %u, \"at_ns\": %" PRId64 "}",
		       origin->capture_stream, origin->capture_tid, graph_moment(report, origin->capture_ticks));
	else
		printf(", \"captured\": null");
}

static void put_dependencies(const struct graph_list *list, uint32_t node)
{
	uint32_t first = graph_edges_to(list, node);

	printf(", \"after\": [");
	for (uint32_t i = first; i < list->edge_count && list->edges[i].to == node; i++)
		printf("%s%u", i > first ? ", " : "", list->edges[i].from);
	printf("], \"programmatic\": [");
	for (uint32_t i = first, n = 0; i < list->edge_count && list->edges[i].to == node; i++)
		if (list->edges[i].programmatic)
			printf("%s%u", n++ ? ", " : "", list->edges[i].from);
	printf("]");
}

static void put_node(const struct graph_report *report, const struct graph_style *style,
		     const struct graph_list *list, uint32_t at)
{
	const struct vprof_graph_node *node = &list->nodes[at];

	printf("%s\n    {\"node\": %u, \"kind\": \"%s\"", at ? "," : "", at, graph_node_kind(node->type));
	if (node->parent)
		printf(", \"in\": %u", node->parent - 1);
	if (node->type == VPROF_NODE_KERNEL) {
		printf(", ");
		put_kernel(report, style, node->object);
		printf(", \"grid\": [%u, %u, %u], \"block\": [%u, %u, %u], \"shared\": %u", node->grid[0],
		       node->grid[1], node->grid[2], node->block[0], node->block[1], node->block[2], node->shared);
	} else if (node->type == VPROF_NODE_COPY) {
		printf(", \"direction\": \"%s\", \"bytes\": %" PRIu64, event_direction(node->object), node->bytes);
	} else if (node->type == VPROF_NODE_SET) {
		printf(", \"bytes\": %" PRIu64, node->bytes);
	}
	put_dependencies(list, at);
	printf("}");
}

static void put_list(const struct graph_report *report, const struct graph_style *style, const struct graph_list *list)
{
	printf(", \"kernels\": %u, \"distinct\": %u, \"copies\": %u, \"sets\": %u, \"children\": %u, \"others\": %u, "
	       "\"edges\": %u, \"programmatic_edges\": %u, \"nodes_known\": %u", list->kernels, list->distinct,
	       list->copies, list->sets, list->children, list->others, list->edge_count, list->programmatic, list->count);
	printf(", \"by_name\": [");
	for (uint32_t i = 0; i < list->distinct; i++) {
		printf("%s{", i ? ", " : "");
		put_kernel(report, style, list->by_name[i].object);
		printf(", \"nodes\": %u}", list->by_name[i].nodes);
	}
	printf("]");
	if (!style->nodes)
		return;
	printf(", \"node_list\": [");
	for (uint32_t i = 0; i < list->count; i++)
		put_node(report, style, list, i);
	printf("]");
}

static void put_graph(const struct graph_report *report, const struct graph_style *style, const struct graph *graph)
{
	const struct graph_list *list = graph_nodes(&report->graphs, graph);
	const struct graph_use *use = &report->uses[graph - report->graphs.list];

	printf("{\"graph\": %u, \"version\": %u, \"exec\": \"0x%" PRIx64 "\"", graph->def->number, graph->version,
	       graph->def->exec);
	if (list || graph->def->nodes)
		printf(", \"nodes\": %u", list ? list->total : graph->def->nodes);
	else
		printf(", \"nodes\": null");
	printf(", \"launches\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"total_ns\": %" PRIu64 ", \"mean_ns\": %" PRIu64
	       ", \"max_ns\": %" PRIu64, use->launches, use->failed, use->total_ns,
	       use->done ? use->total_ns / use->done : 0, use->max_ns);
	put_origin(report, graph);
	if (list)
		put_list(report, style, list);
	printf("}");
}

void graph_report_json(const struct graph_report *report, const struct graph_style *style)
{
	int first = 1;

	printf(" {\"pid\": %u, \"process\": ", report->process->os_pid);
	cli_json_string(stdout, report->process->name);
	printf(", \"ring\": ");
	cli_json_string(stdout, report->process->path);
	printf(", \"unknown_launches\": %" PRIu64 ", \"graphs\": [", report->uses[report->graphs.count].launches);
	for (uint32_t i = 0; i < report->graphs.count; i++) {
		if (!graph_shown(style, &report->graphs.list[i]))
			continue;
		printf(first ? "\n  " : ",\n  ");
		put_graph(report, style, &report->graphs.list[i]);
		first = 0;
	}
	printf("]}");
}
