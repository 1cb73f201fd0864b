/*
 * graphs.c - graphs and their nodes, put together from the definitions.
 */
#include "tools/graphs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t count_of(const struct ring *ring, uint16_t type)
{
	const struct vprof_def *def = NULL;
	uint32_t count = 0;

	while ((def = ring_def_next(ring, def)))
		count += def->type == type;
	return count;
}

static struct graph *graph_of(struct graphs *graphs, uint32_t id)
{
	uint32_t index = graphs_index(graphs, id);

	return index == IDMAP_NONE ? NULL : &graphs->list[index];
}

static int add_graph(struct graphs *graphs, struct idmap *by_number, uint32_t id,
		     const struct vprof_def_graph *def)
{
	uint32_t before = idmap_get(by_number, def->number);
	int error;

	graphs->list[graphs->count] = (struct graph){
		.id = id, .def = def, .list = IDMAP_NONE,
		.version = before == IDMAP_NONE ? 1 : graphs->list[before].version + 1,
	};
	error = idmap_put(by_number, def->number, graphs->count);
	if (!error)
		error = idmap_put(&graphs->by_id, id, graphs->count);
	graphs->count++;
	return error;
}

/* Room for `more` of `size` bytes behind the `count` that are there. */
static void *grow(void *list, uint32_t count, uint32_t more, uint32_t *room, size_t size)
{
	uint64_t want = (uint64_t)count + more;
	void *bigger;

	if (want <= *room)
		return list;
	want = want > 2 * (uint64_t)count ? want : 2 * (uint64_t)count;
	if (want > UINT32_MAX)
		return NULL;
	bigger = reallocarray(list, want, size);
	if (bigger)
		*room = (uint32_t)want;
	return bigger;
}

/* ---- nodes ---- */

/* "As that one", which has to be an earlier graph: so there are no circles. */
static int share(struct graphs *graphs, struct graph *graph, const struct vprof_def_nodes *def)
{
	const struct graph *as = graph_of(graphs, def->first);

	if (!as || as >= graph || as->list == IDMAP_NONE || graph->list != IDMAP_NONE)
		graphs->bad++;
	else
		graph->list = as->list;
	return 0;
}

static int add_nodes(struct graphs *graphs, const struct vprof_def_nodes *def)
{
	struct graph *graph = graph_of(graphs, def->graph);
	struct vprof_graph_node *nodes;
	struct graph_list *list;

	if (graph && !def->count)
		return share(graphs, graph, def);
	if (graph && graph->list == IDMAP_NONE && !def->first) {
		graph->list = graphs->list_count++;
		graphs->lists[graph->list].owner = (uint32_t)(graph - graphs->list);
		graphs->lists[graph->list].total = def->total;
	}
	list = graph && graph->list != IDMAP_NONE ? &graphs->lists[graph->list] : NULL;
	if (!list || list->owner != graph - graphs->list || list->count != def->first || def->count > list->total ||
	    def->first > list->total - def->count) {
		graphs->bad++;
		return 0;
	}
	nodes = grow(list->nodes, list->count, def->count, &list->node_room, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	list->nodes = nodes;
	memcpy(nodes + list->count, def->nodes, def->count * sizeof(*nodes));
	for (uint32_t i = 0; i < def->count; i++, list->count++)
		if (nodes[list->count].parent > list->count)
			nodes[list->count].parent = 0;
	return 0;
}

static int add_edges(struct graphs *graphs, const struct vprof_def_edges *def)
{
	struct graph *graph = graph_of(graphs, def->graph);
	struct graph_list *list = graph && graph->list != IDMAP_NONE ? &graphs->lists[graph->list] : NULL;
	struct graph_edge *edges;

	if (!list || list->owner != graph - graphs->list) {
		graphs->bad++;
		return 0;
	}
	edges = grow(list->edges, list->edge_count, def->count, &list->edge_room, sizeof(*edges));
	if (!edges)
		return -ENOMEM;
	list->edges = edges;
	list->edge_total = def->total;
	for (uint32_t i = 0; i < def->count; i++) {
		uint32_t from = def->edges[i].from & ~VPROF_EDGE_PROGRAMMATIC, to = def->edges[i].to;
		int programmatic = (def->edges[i].from & VPROF_EDGE_PROGRAMMATIC) != 0;

		if (from < list->count && to < list->count)
			edges[list->edge_count++] = (struct graph_edge){ from, to, programmatic };
		else
			graphs->bad++;
	}
	return 0;
}

/* ---- what a list amounts to ---- */

static int compare_edges(const void *a, const void *b)
{
	const struct graph_edge *x = a, *y = b;

	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return (x->from > y->from) - (x->from < y->from);
}

/* Definitions of one name are one kernel: the driver has two kinds of handles for it. */
static int compare_names(const void *a, const void *b)
{
	const struct graph_kernel *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->object > y->object) - (x->object < y->object);
}

static int compare_counts(const void *a, const void *b)
{
	const struct graph_kernel *x = a, *y = b;

	if (x->nodes != y->nodes)
		return x->nodes > y->nodes ? -1 : 1;
	return compare_names(a, b);
}

static int count_names(struct graph_list *list, const struct ring *ring)
{
	uint32_t count = 0;

	list->by_name = malloc(((size_t)list->kernels + 1) * sizeof(*list->by_name));
	if (!list->by_name)
		return -ENOMEM;
	for (uint32_t i = 0; i < list->count; i++) {
		const struct vprof_def_kernel *def = ring_def(ring, list->nodes[i].object, VPROF_DEF_KERNEL);

		if (list->nodes[i].type == VPROF_NODE_KERNEL)
			list->by_name[count++] = (struct graph_kernel){ def ? def->name : "",
									list->nodes[i].object, 1 };
	}
	qsort(list->by_name, count, sizeof(*list->by_name), compare_names);
	for (uint32_t i = 0; i < count; i++) {
		if (!i || strcmp(list->by_name[i].name, list->by_name[list->distinct - 1].name))
			list->by_name[list->distinct++] = list->by_name[i];
		else
			list->by_name[list->distinct - 1].nodes++;
	}
	qsort(list->by_name, list->distinct, sizeof(*list->by_name), compare_counts);
	return 0;
}

static int finish(struct graph_list *list, const struct ring *ring)
{
	for (uint32_t i = 0; i < list->count; i++)
		switch (list->nodes[i].type) {
		case VPROF_NODE_KERNEL: list->kernels++; break;
		case VPROF_NODE_COPY: list->copies++; break;
		case VPROF_NODE_SET: list->sets++; break;
		case VPROF_NODE_GRAPH: list->children++; break;
		default: list->others++;
		}
	for (uint32_t i = 0; i < list->edge_count; i++)
		list->programmatic += list->edges[i].programmatic;
	if (list->edge_count)
		qsort(list->edges, list->edge_count, sizeof(*list->edges), compare_edges);
	return count_names(list, ring);
}

/* ---- the whole ---- */

static int add_def(struct graphs *graphs, struct idmap *by_number, uint32_t id, const struct vprof_def *def)
{
	const struct vprof_def_origin *origin;
	struct graph *graph;

	switch (def->type) {
	case VPROF_DEF_GRAPH:
		return add_graph(graphs, by_number, id, (const void *)def);
	case VPROF_DEF_NODES:
		return add_nodes(graphs, (const void *)def);
	case VPROF_DEF_EDGES:
		return add_edges(graphs, (const void *)def);
	case VPROF_DEF_ORIGIN:
		origin = (const void *)def;
		graph = graph_of(graphs, origin->graph);
		if (graph && !graph->origin)
			graph->origin = origin;
		return 0;
	default:
		return 0;
	}
}

int graphs_read(struct graphs *graphs, const struct ring *ring)
{
	const struct vprof_def *def = NULL;
	struct idmap by_number = { 0 };
	int error = 0;

	memset(graphs, 0, sizeof(*graphs));
	graphs->list = calloc((size_t)count_of(ring, VPROF_DEF_GRAPH) + 1, sizeof(*graphs->list));
	graphs->lists = calloc((size_t)count_of(ring, VPROF_DEF_GRAPH) + 1, sizeof(*graphs->lists));
	if (!graphs->list || !graphs->lists)
		error = -ENOMEM;
	while (!error && (def = ring_def_next(ring, def))) {
		uint32_t id = ring_def_id(ring, def);

		if (ring_def(ring, id, def->type))
			error = add_def(graphs, &by_number, id, def);
	}
	for (uint32_t i = 0; !error && i < graphs->list_count; i++)
		error = finish(&graphs->lists[i], ring);
	idmap_free(&by_number);
	if (error)
		graphs_free(graphs);
	return error;
}

void graphs_free(struct graphs *graphs)
{
	for (uint32_t i = 0; i < graphs->list_count; i++) {
		free(graphs->lists[i].nodes);
		free(graphs->lists[i].edges);
		free(graphs->lists[i].by_name);
	}
	free(graphs->list);
	free(graphs->lists);
	idmap_free(&graphs->by_id);
	memset(graphs, 0, sizeof(*graphs));
}

uint32_t graph_edges_to(const struct graph_list *list, uint32_t node)
{
	uint32_t low = 0, high = list->edge_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (list->edges[middle].to < node)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->edge_count && list->edges[low].to == node ? low : list->edge_count;
}

const char *graph_node_kind(uint32_t type)
{
	static const char *const kinds[] = {
		[VPROF_NODE_KERNEL] = "kernel", [VPROF_NODE_COPY] = "copy", [VPROF_NODE_SET] = "set",
		[VPROF_NODE_HOST] = "host function", [VPROF_NODE_GRAPH] = "graph", [VPROF_NODE_EMPTY] = "empty",
		[VPROF_NODE_WAIT_EVENT] = "wait for event", [VPROF_NODE_EVENT_RECORD] = "record event",
		[VPROF_NODE_SIGNAL] = "signal semaphore", [VPROF_NODE_WAIT] = "wait for semaphore",
		[VPROF_NODE_ALLOC] = "allocate", [VPROF_NODE_FREE] = "free", [VPROF_NODE_BATCH] = "memory operations",
		[VPROF_NODE_CONDITIONAL] = "conditional",
	};

	return type < sizeof(kinds) / sizeof(kinds[0]) ? kinds[type] : "unknown";
}
