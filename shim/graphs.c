/*
 * graphs.c - executable graphs: a definition when one is made, another when an update changes its nodes.
 *
 * ROOM. Half of the definitions log is kept for names of kernels (vprof_define_spares()). When the other
 * half is full, a new graph goes by the definition of one that consists of the same, else by one that
 * stands for all others: it always has an id, since launches of one without take the slow way.
 *
 * THREADS. As the other tables (handles.h). What else an entry holds of a graph is written by
 * whoever makes or updates it, and programs do that in one thread at a time.
 */
#include "preload/clock.h"
#include "preload/inner.h"
#include "shim/captures.h"
#include "shim/graph_nodes.h"
#include "shim/graphs.h"
#include "shim/twin.h"

enum { GRAPH_BITS = 14 };
_Static_assert(VPROF_GRAPHS_MOST == (1 << GRAPH_BITS) + VPROF_HANDLE_PROBES, "a place for each entry");

struct vprof_handles vprof_graphs = VPROF_HANDLES_EMPTY;

/* What is kept of a graph beside its entry, at the same place. */
struct more {
	uint64_t content;    /* see struct vprof_graph_nodes */
	uint32_t updates;    /* since it was made */
	uint32_t next_look;
};
static struct more none, *mores; /* NULL: no memory */

static uint32_t graphs_made; /* in this ring */
static uint32_t graph_others; /* the definition in this ring that stands for the others; 0: none yet */

void vprof_graphs_init(void)
{
	vprof_handles_make(&vprof_graphs, GRAPH_BITS);
	if (!mores)
		mores = vprof_table(VPROF_GRAPHS_MOST * sizeof(*mores));
	vprof_captures_init();
	vprof_twins_init();
}

uint32_t vprof_graph_place(const struct vprof_handle *entry)
{
	return (uint32_t)(entry - vprof_graphs.entries);
}

struct vprof_handle *vprof_graph_at(uint32_t place)
{
	return vprof_graphs.ready && place < VPROF_GRAPHS_MOST ? &vprof_graphs.entries[place] : NULL;
}

static struct more *more_of(const struct vprof_handle *entry)
{
	return mores ? &mores[vprof_graph_place(entry)] : &none;
}

void vprof_graphs_forget(void)
{
	vprof_handles_void(&vprof_graphs);
	__atomic_store_n(&graphs_made, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&graph_others, 0, __ATOMIC_RELAXED);
	vprof_twins_forget();
}

static uint32_t graph_define(CUgraphExec exec, CUgraph graph, uint64_t flags, uint32_t number, uint32_t nodes)
{
	struct vprof_def_graph def = {
		.head.type = VPROF_DEF_GRAPH,
		.exec = (uintptr_t)exec,
		.graph = (uintptr_t)graph,
		.ticks = vprof_ticks(),
		.flags = flags,
		.number = number ? number : __atomic_add_fetch(&graphs_made, 1, __ATOMIC_RELAXED),
		.nodes = nodes,
	};

	return vprof_define(&def, sizeof(def), NULL);
}

/* Two threads that come first at once leave one definition unused. */
static uint32_t graph_of_others(void)
{
	uint32_t id = __atomic_load_n(&graph_others, __ATOMIC_RELAXED);

	if (!vprof_has_ring())
		return 0;
	vprof_lose(VPROF_LOSS_DEFS_FULL);
	if (id)
		return id;
	id = graph_define(NULL, NULL, 0, 0, 0);
	__atomic_store_n(&graph_others, id, __ATOMIC_RELAXED);
	return id;
}

/* Its definition, what it comes from, and a list of nodes that is another's. */
static int has_room(void)
{
	return vprof_define_spares(sizeof(struct vprof_def_graph) + sizeof(struct vprof_def_origin) +
				   sizeof(struct vprof_def_nodes));
}

/* All that is told of a graph when it is made executable, or changed. */
static uint32_t graph_tell(CUgraphExec exec, CUgraph graph, uint64_t flags, unsigned call, uint32_t number,
			   const struct vprof_graph_nodes *nodes)
{
	struct vprof_capture capture = vprof_capture_of(graph);
	struct vprof_def_origin def = {
		.head.type = VPROF_DEF_ORIGIN,
		.call = call,
		.tid = vprof_thread_id(),
		.capture_tid = capture.tid,
		.capture_ticks = capture.ticks,
		.capture_stream = capture.stream,
	};

	uint32_t same;

	if (!has_room()) {
		same = vprof_nodes_seen(nodes);
		return same ? same : graph_of_others();
	}
	def.graph = graph_define(exec, graph, flags, number, nodes->count);
	if (def.graph)
		vprof_define_sparing(&def, sizeof(def), NULL);
	vprof_nodes_define(nodes, def.graph);
	return def.graph;
}

uint32_t vprof_graph_made(CUgraphExec exec, CUgraph graph, uint64_t flags, unsigned call)
{
	uint32_t generation = __atomic_load_n(&vprof_graphs.generation, __ATOMIC_RELAXED), id;
	struct vprof_handle *entry = vprof_handle_entry(&vprof_graphs, exec);
	struct vprof_graph_nodes nodes;
	uint64_t word;

	if (!entry)
		return 0;
	word = __atomic_load_n(&entry->word, __ATOMIC_RELAXED);
	vprof_nodes_take(graph, &nodes);
	id = vprof_handle_set(entry, word, generation, graph_tell(exec, graph, flags, call, 0, &nodes));
	more_of(entry)->content = nodes.content;
	more_of(entry)->updates = 0;
	vprof_twin_made(entry, graph, id, flags, &nodes);
	vprof_nodes_drop(&nodes);
	return id;
}

/* ---- updates ---- */

enum { COARSE_TICKS = 20, LOOKS_AT_ONCE = 8, PART_OF_TIME = 100 };

static int may_look(const struct more *more, uint64_t now)
{
	return more->updates <= LOOKS_AT_ONCE || (int32_t)((uint32_t)(now >> COARSE_TICKS) - more->next_look) >= 0;
}

static void looked(struct more *more, uint64_t since)
{
	uint64_t now = vprof_ticks();

	more->next_look = (uint32_t)((now + PART_OF_TIME * (now - since)) >> COARSE_TICKS);
}

/* The graph has these nodes now: an earlier definition of it that says so, or a new one. */
static uint32_t graph_changed(CUgraphExec exec, CUgraph graph, unsigned call, uint32_t id,
			      const struct vprof_graph_nodes *nodes)
{
	const struct vprof_def_graph *old = (const void *)vprof_definition(id);
	uint32_t same = vprof_nodes_seen(nodes);
	const struct vprof_def_graph *seen = (const void *)vprof_definition(same);

	if (old && seen && seen->exec == old->exec && seen->number == old->number)
		return same;
	return graph_tell(exec, graph, old ? old->flags : 0, call, old ? old->number : 0, nodes);
}

/* Its id now, and its nodes, for the caller to drop. */
static uint32_t graph_look(struct vprof_handle *entry, CUgraphExec exec, CUgraph graph, unsigned call,
			   struct vprof_graph_nodes *nodes)
{
	uint32_t generation = __atomic_load_n(&vprof_graphs.generation, __ATOMIC_RELAXED);
	uint64_t word = __atomic_load_n(&entry->word, __ATOMIC_RELAXED);
	uint32_t id = vprof_handle_id(&vprof_graphs, word);
	struct more *more = more_of(entry);

	vprof_nodes_take(graph, nodes);
	/* Most updates change arguments only. */
	if (nodes->content && (!id || nodes->content != more->content)) {
		id = vprof_handle_set(entry, word, generation, graph_changed(exec, graph, call, id, nodes));
		more->content = nodes->content;
	}
	return id;
}

uint32_t vprof_graph_updated(CUgraphExec exec, CUgraph graph, unsigned call)
{
	struct vprof_handle *entry = vprof_handle_entry(&vprof_graphs, exec);
	struct vprof_graph_nodes nodes;
	uint64_t now = vprof_ticks();
	uint32_t id;

	if (!entry)
		return 0;
	more_of(entry)->updates++;
	id = vprof_handle_id(&vprof_graphs, __atomic_load_n(&entry->word, __ATOMIC_RELAXED));
	if (id && !may_look(more_of(entry), now)) {
		vprof_twin_update_missed(entry);
		return id;
	}
	id = graph_look(entry, exec, graph, call, &nodes);
	vprof_twin_updated(entry, graph, id, &nodes);
	vprof_nodes_drop(&nodes);
	looked(more_of(entry), now);
	return id;
}

uint32_t vprof_graph_node_updated(struct vprof_handle *entry, CUgraphExec exec, CUgraph clone, unsigned call,
				  uint64_t *content)
{
	struct vprof_graph_nodes nodes;
	uint64_t now = vprof_ticks();
	uint32_t id;

	more_of(entry)->updates++;
	if (!may_look(more_of(entry), now))
		return 0;
	id = graph_look(entry, exec, clone, call, &nodes);
	*content = nodes.content;
	vprof_nodes_drop(&nodes);
	looked(more_of(entry), now);
	return *content ? id : 0;
}

/* ---- launches, and the end ---- */

uint32_t vprof_graph_id(CUgraphExec exec)
{
	uint32_t generation = __atomic_load_n(&vprof_graphs.generation, __ATOMIC_RELAXED);
	struct vprof_handle *entry = vprof_handle_entry(&vprof_graphs, exec);
	uint64_t word;

	if (!entry) {
		if (exec)
			vprof_lose(VPROF_LOSS_HANDLES);
		return 0;
	}
	word = __atomic_load_n(&entry->word, __ATOMIC_RELAXED);
	if (word >> 32 == generation)
		return (uint32_t)word;
	return vprof_handle_set(entry, word, generation,
				has_room() ? graph_define(exec, NULL, 0, 0, 0) : graph_of_others());
}

uint32_t vprof_graph_gone(CUgraphExec exec)
{
	struct vprof_handle *entry = exec ? vprof_handle_entry(&vprof_graphs, exec) : NULL;

	vprof_twin_gone(exec);
	return entry ? vprof_handle_id(&vprof_graphs, __atomic_exchange_n(&entry->word, 0, __ATOMIC_RELAXED)) : 0;
}
