/*
 * chrome_graphs.c - the texts of graphs: their numbers, and for --expand-graphs what they run.
 *
 * A node is one string: "gemm<<<[8,1,1],[128,1,1],1024>>>", "copy DtoD 4096", "set 256". A list of them is
 * made once for all graphs that are equal, and bounded, for it goes into every launch.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "tools/chrome.h"
#include "tools/graphs.h"

enum { NODES_MOST = 1024, NAME_MOST = 200 };

/* The kernel's short name, which its slices have, escaped already. */
static void put_name(struct buffer *out, const struct chrome_text *kernel)
{
	size_t size = kernel->head_size - kernel->name_at - 2; /* without ", */

	if (size <= NAME_MOST) {
		buffer_add(out, kernel->head + kernel->name_at, size);
		return;
	}
	/* Cut where no escape and no character of several bytes is torn. */
	for (size = NAME_MOST; size > 0 && kernel->head[kernel->name_at + size] & 0x80;)
		size--;
	for (size_t i = size > 8 ? size - 8 : 0; i < size; i++)
		if (kernel->head[kernel->name_at + i] == '\\')
			size = i;
	buffer_add(out, kernel->head + kernel->name_at, size);
	buffer_print(out, "...");
}

static void put_node(struct buffer *out, const struct chrome_names *names, const struct vprof_graph_node *node)
{
	switch (node->type) {
	case VPROF_NODE_KERNEL:
		put_name(out, chrome_kernel(names, node->object));
		buffer_print(out, "<<<[%u,%u,%u],[%u,%u,%u],%u>>>", node->grid[0], node->grid[1], node->grid[2],
			     node->block[0], node->block[1], node->block[2], node->shared);
		break;
	case VPROF_NODE_COPY:
		buffer_print(out, "copy %s %" PRIu64, event_direction(node->object), node->bytes);
		break;
	case VPROF_NODE_SET:
		buffer_print(out, "set %" PRIu64, node->bytes);
		break;
	default:
		buffer_print(out, "%s", graph_node_kind(node->type));
	}
}

static void put_list(struct buffer *out, const struct chrome_names *names, const struct graph_list *list)
{
	buffer_print(out, "\"nodes\":[");
	for (uint32_t i = 0; i < list->count && i < NODES_MOST; i++) {
		buffer_print(out, i ? ",\"" : "\"");
		put_node(out, names, &list->nodes[i]);
		buffer_print(out, "\"");
	}
	if (list->total > NODES_MOST || list->count < list->total)
		buffer_print(out, "%s\"and %u more\"", list->count ? "," : "",
			     list->total - (list->count < NODES_MOST ? list->count : NODES_MOST));
	buffer_print(out, "],");
}

static int make_lists(struct chrome_names *names, const struct graphs *graphs)
{
	int error = 0;

	names->lists = calloc((size_t)graphs->list_count + 1, sizeof(*names->lists));
	if (!names->lists)
		return -ENOMEM;
	for (names->list_count = 0; !error && names->list_count < graphs->list_count; names->list_count++) {
		struct buffer *text = &names->lists[names->list_count];

		put_list(text, names, &graphs->lists[names->list_count]);
		error = text->error;
	}
	return error;
}

static int make_graph(struct chrome_names *names, const struct graphs *graphs, const struct graph *graph)
{
	struct chrome_text *text = &names->graphs[names->graph_count];
	const struct graph_list *list = graph_nodes(graphs, graph);
	struct buffer args = { 0 };
	char name[32];

	snprintf(name, sizeof(name), "graph %u", graph->def->number);
	buffer_print(&args, "\"graph\":%u,", graph->def->number);
	if (list || graph->def->nodes)
		buffer_print(&args, "\"graph nodes\":%u,", list ? list->total : graph->def->nodes);
	if (list)
		buffer_print(&args, "\"graph kernels\":%u,", list->kernels);
	if (list && names->list_count) {
		text->more = names->lists[graph->list].data;
		text->more_size = names->lists[graph->list].used;
	}
	return chrome_text_make(text, "graph_launch", name, &args);
}

int chrome_graphs_make(struct chrome_names *names, const struct ring *ring, int expand)
{
	struct graphs graphs;
	int error = graphs_read(&graphs, ring);

	if (error)
		return error;
	names->graphs = calloc((size_t)graphs.count + 1, sizeof(*names->graphs));
	error = !names->graphs ? -ENOMEM : expand ? make_lists(names, &graphs) : 0;
	while (!error && names->graph_count < graphs.count) {
		const struct graph *graph = &graphs.list[names->graph_count];

		error = make_graph(names, &graphs, graph);
		if (!error)
			error = idmap_put(&names->by_id, graph->id, names->graph_count | CHROME_GRAPH_BIT);
		names->graph_count++;
	}
	graphs_free(&graphs);
	return error;
}
