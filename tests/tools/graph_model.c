/*
 * graph_model.c - graphs from definitions: whole ones, parts, references, and what contradicts itself.
 */
#include "tests/tap.h"
#include "tests/tools/memory_ring.h"
#include "tools/graphs.h"

enum { MOST = 8 };

/* A definition with room for its parts. */
union nodes {
	struct vprof_def_nodes def;
	uint64_t room[(sizeof(struct vprof_def_nodes) + MOST * sizeof(struct vprof_graph_node)) / 8];
};

union edges {
	struct vprof_def_edges def;
	uint64_t room[(sizeof(struct vprof_def_edges) + MOST * sizeof(uint64_t)) / 8];
};

static struct memory_ring file;
static uint64_t at; /* end of the log, in the file */
static uint64_t log_at;

static void begin(uint64_t nodes)
{
	struct make_ring options = make_ring_default;
	struct ring ring;
	char why[256];

	options.lanes = 1;
	options.records = 4;
	options.kernels = 3;
	options.nodes = nodes;
	options.defs_size = 1 << 16;
	memory_ring_make(&file, &options);
	if (ring_open(&ring, file.path, why, sizeof(why)))
		exit(1);
	log_at = ring.header.defs_offset;
	at = log_at + ring.defs_size;
	ring_close(&ring);
}

/* Appends a definition; returns its id. */
static uint32_t append(void *def, size_t size, enum vprof_def_type type)
{
	struct vprof_def head = { (uint32_t)size, (uint16_t)type, VPROF_DEF_READY };
	uint32_t id = (uint32_t)((at - log_at) / 8);

	memcpy(def, &head, sizeof(head));
	memory_ring_poke(&file, at, def, size);
	at += size;
	return id;
}

static uint32_t add_graph(uint32_t number)
{
	struct vprof_def_graph def = { .number = number };

	return append(&def, sizeof(def), VPROF_DEF_GRAPH);
}

/* The fields are a definition's; `count` nodes follow, whatever `says` is. */
static void add_nodes(uint32_t graph, uint32_t first, uint32_t count, uint32_t says, uint32_t total)
{
	union nodes n = { .def = { .graph = graph, .first = first, .count = says, .total = total } };

	for (uint32_t i = 0; i < count; i++)
		n.def.nodes[i] = (struct vprof_graph_node){ .type = VPROF_NODE_KERNEL, .object = i % 2 };
	append(&n, sizeof(n.def) + count * sizeof(n.def.nodes[0]), VPROF_DEF_NODES);
}

static void add_edge(uint32_t graph, uint32_t from, uint32_t to)
{
	union edges e = { .def = { .graph = graph, .count = 1, .total = 1 } };

	e.def.edges[0].from = from;
	e.def.edges[0].to = to;
	append(&e, sizeof(e.def) + sizeof(e.def.edges[0]), VPROF_DEF_EDGES);
}

static void read_all(struct ring *ring, struct graphs *graphs)
{
	char why[256];

	if (ring_open(ring, file.path, why, sizeof(why)) || graphs_read(graphs, ring))
		exit(1);
}

static void finish(struct ring *ring, struct graphs *graphs)
{
	graphs_free(graphs);
	ring_close(ring);
	close(file.fd);
}

static void test_chain(void)
{
	const struct graph_list *list;
	struct graphs graphs;
	struct ring ring;

	begin(5);
	read_all(&ring, &graphs);
	list = graph_nodes(&graphs, &graphs.list[0]);
	ok(graphs.count == 1 && list && list->count == 5 && list->kernels == 5 && list->distinct == 1, "a chain: its nodes");
	ok(list->edge_count == 4 && graph_edges_to(list, 3) == 2 && list->edges[2].from == 2, "its edges");
	ok(graph_edges_to(list, 0) == list->edge_count, "no edge leads to the first node");
	ok(graphs.list[0].origin && graphs.list[0].origin->capture_stream == 0x8000 && !graphs.bad, "its origin");
	finish(&ring, &graphs);
}

static void test_versions(void)
{
	struct graphs graphs;
	struct ring ring;
	uint32_t a, b;

	begin(0);
	a = add_graph(7);
	add_nodes(a, 0, 4, 4, 6);
	add_nodes(a, 4, 2, 2, 6);
	b = add_graph(7);
	add_nodes(b, a, 0, 0, 6);
	add_graph(8);
	read_all(&ring, &graphs);
	ok(graphs.count == 4 && graphs.list[1].version == 1 && graphs.list[2].version == 2 && graphs.list[3].version == 1,
	   "definitions of one number are versions");
	ok(graphs.list_count == 1 && graph_nodes(&graphs, &graphs.list[1])->count == 6, "nodes in pieces");
	ok(graphs.list[1].list == graphs.list[2].list, "a reference shares the list");
	ok(!graph_nodes(&graphs, &graphs.list[3]) && !graph_nodes(&graphs, &graphs.list[0]), "no nodes: not known");
	ok(graph_nodes(&graphs, &graphs.list[1])->distinct == 1 &&
	   graph_nodes(&graphs, &graphs.list[1])->by_name[0].nodes == 6, "definitions of one name are one kernel");
	finish(&ring, &graphs);
}

static void test_contradictions(void)
{
	const struct graph_list *list;
	struct graphs graphs;
	struct ring ring;
	union nodes n = { 0 };
	uint32_t a, b;

	begin(0);
	a = add_graph(1);
	b = add_graph(2);
	add_nodes(a, b, 0, 0, 1);          /* as a later graph without nodes */
	add_nodes(b, b, 0, 0, 1);          /* as itself */
	add_nodes(12345, 0, 1, 1, 1);      /* of no graph */
	add_edge(a, 0, 1);                 /* edges before nodes */
	add_nodes(a, 3, 1, 1, 9);          /* a piece without what is before it */
	add_nodes(a, 0, 2, 2, 3);
	add_nodes(a, 2, 1, 1, 3);
	add_nodes(a, 2, 1, 1, 3);          /* twice */
	add_nodes(a, 3, 1, 1, 3);          /* beyond the total */
	add_nodes(b, 0, 1, 1, UINT32_MAX); /* a total that is none */
	add_nodes(b, 1, 1, 100, UINT32_MAX); /* more than the entry holds */
	add_edge(a, 2, 0);
	add_edge(a, 3, 0);                 /* nodes that are not there */
	add_edge(a, 0, UINT32_MAX);
	add_edge(a, VPROF_EDGE_PROGRAMMATIC | 1, 2);
	n.def = (struct vprof_def_nodes){ .graph = b, .first = 1, .count = 1, .total = UINT32_MAX };
	n.def.nodes[0] = (struct vprof_graph_node){ .type = 77, .parent = 77 };
	append(&n, sizeof(n.def) + sizeof(n.def.nodes[0]), VPROF_DEF_NODES);
	read_all(&ring, &graphs);
	list = graph_nodes(&graphs, &graphs.list[1]);
	ok(list && list->count == 3 && list->total == 3, "what fits together is there");
	ok(list->edge_count == 2 && list->programmatic == 1 && list->edges[1].from == 1, "and edges between its nodes");
	list = graph_nodes(&graphs, &graphs.list[2]);
	ok(list && list->count == 2 && list->total == UINT32_MAX, "a total costs nothing");
	ok(list->nodes[1].parent == 0 && list->others == 1 && !strcmp(graph_node_kind(77), "unknown"),
	   "a node of an unknown kind; a parent behind its child is none");
	ok(graphs.bad == 9, "the rest is counted: %llu", (unsigned long long)graphs.bad);
	finish(&ring, &graphs);
}

int main(void)
{
	test_chain();
	test_versions();
	test_contradictions();
	return done_testing();
}
