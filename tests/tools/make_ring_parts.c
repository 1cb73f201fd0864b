/*
 * make_ring_parts.c - what stands in a ring as make_ring.h says: definitions, records and their chunks.
 */
#include "tests/tools/make_ring_parts.h"

#include <stdio.h>
#include <string.h>

enum { TURNS = 32 };

static const struct { const char *name; uint32_t family; uint16_t kind; } calls[] = {
	{ "none", 0, 0 }, /* ids begin at 1 */
	{ "cuLaunchKernel", VPROF_FAMILY_LAUNCH, VPROF_KIND_LAUNCH },
	{ "cuGraphLaunch", VPROF_FAMILY_GRAPH, VPROF_KIND_GRAPH_LAUNCH },
	{ "cuMemcpyHtoDAsync_v2", VPROF_FAMILY_COPY, VPROF_KIND_COPY },
	{ "cuMemsetD8Async", VPROF_FAMILY_SET, VPROF_KIND_SET },
	{ "cuStreamSynchronize", VPROF_FAMILY_SYNC, VPROF_KIND_SYNC },
	{ "cuEventRecord", VPROF_FAMILY_EVENT, VPROF_KIND_EVENT },
	{ "cuMemAlloc_v2", VPROF_FAMILY_MEMORY, VPROF_KIND_MEMORY },
	{ "cuModuleGetFunction", VPROF_FAMILY_MODULE, VPROF_KIND_MODULE },
	{ "cuGraphInstantiateWithFlags", VPROF_FAMILY_GRAPH, VPROF_KIND_GRAPH },
	{ "cuProfilerStart", VPROF_FAMILY_PROFILER, VPROF_KIND_PROFILER },
	{ "cuCtxGetDevice", VPROF_FAMILY_CONTEXT, VPROF_KIND_CALL },
};
enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

/* Calls in turn: mostly launches, as programs have them. */
static const uint8_t turn[TURNS] = {
	1, 1, 1, 1, 1, 3, 1, 1, 2, 1, 1, 1, 4, 1, 1, 6,
	1, 1, 1, 7, 1, 1, 11, 1, 1, 8, 1, 1, 9, 1, 5, 10,
};

/* ---- definitions ---- */

static uint64_t def_bytes(size_t fixed, const char *name)
{
	return (fixed + strlen(name) + 1 + 7) & ~7ull;
}

static void kernel_name(char *name, size_t size, uint64_t i)
{
	char plain[32];

	snprintf(plain, sizeof(plain), "kernel_%llu", (unsigned long long)i);
	snprintf(name, size, "_Z%zu%sPfi", strlen(plain), plain);
}

/* Appends one entry (when `log` is not NULL) and returns the offset behind it. */
static uint64_t put_def(uint8_t *log, uint64_t at, const void *fixed, size_t size, const char *name)
{
	uint64_t bytes = name ? def_bytes(size, name) : (size + 7) & ~7ull;
	struct vprof_def *head;

	if (!log)
		return at + bytes;
	memcpy(log + at, fixed, size);
	if (name)
		strcpy((char *)log + at + size, name);
	head = (struct vprof_def *)(void *)(log + at);
	head->size = (uint32_t)bytes;
	head->state = VPROF_DEF_READY;
	return at + bytes;
}

enum { NODES_MOST = 64 };

/* A chain of kernels, and how it came about. */
static uint64_t put_nodes(const struct make_ring *o, uint8_t *log, uint64_t at, const struct make_ring_ids *ids)
{
	union {
		struct vprof_def_nodes def;
		uint64_t room[(sizeof(struct vprof_def_nodes) + NODES_MOST * sizeof(struct vprof_graph_node)) / 8];
	} nodes = { 0 };
	union {
		struct vprof_def_edges def;
		uint64_t room[(sizeof(struct vprof_def_edges) + NODES_MOST * sizeof(uint64_t)) / 8];
	} edges = { 0 };
	struct vprof_def_origin origin = { { 0, VPROF_DEF_ORIGIN, 0 }, ids->graph, 1, 100, 100,
					   MAKE_RING_START_TICKS, 0x8000 };
	uint32_t count = o->nodes < NODES_MOST ? (uint32_t)o->nodes : NODES_MOST;

	nodes.def = (struct vprof_def_nodes){ { 0, VPROF_DEF_NODES, 0 }, ids->graph, 0, count, count };
	edges.def = (struct vprof_def_edges){ { 0, VPROF_DEF_EDGES, 0 }, ids->graph, 0, count - 1, count - 1 };
	for (uint32_t i = 0; i < count; i++) {
		nodes.def.nodes[i] = (struct vprof_graph_node){ .type = VPROF_NODE_KERNEL, .object = ids->kernel,
							   .grid = { i + 1, 1, 1 }, .block = { 128, 1, 1 } };
		edges.def.edges[i].from = i;
		edges.def.edges[i].to = i + 1;
	}
	at = put_def(log, at, &origin, sizeof(origin), NULL);
	at = put_def(log, at, &nodes, sizeof(nodes.def) + count * sizeof(nodes.def.nodes[0]), NULL);
	return put_def(log, at, &edges, sizeof(edges.def) + (count - 1) * sizeof(edges.def.edges[0]), NULL);
}

uint64_t make_ring_defs(const struct make_ring *o, uint8_t *log, struct make_ring_ids *ids)
{
	uint64_t at = 8, before;
	char name[64];

	for (uint32_t i = 1; i < CALLS; i++) {
		struct vprof_def_call def = { { 0, VPROF_DEF_CALL, 0 }, i, calls[i].family };

		at = put_def(log, at, &def, sizeof(def), calls[i].name);
	}
	ids->module = (uint32_t)(at / 8);
	struct vprof_def_module module = { { 0, VPROF_DEF_MODULE, 0 }, 0x5000, MAKE_RING_START_TICKS, 4096 };
	at = put_def(log, at, &module, sizeof(module), "/opt/made/up.cubin");
	ids->graph = (uint32_t)(at / 8);
	struct vprof_def_graph graph = { { 0, VPROF_DEF_GRAPH, 0 }, 0x6000, 0x6100, MAKE_RING_START_TICKS, 0, 1, 12 };
	at = put_def(log, at, &graph, sizeof(graph), NULL);
	ids->kernel = (uint32_t)(at / 8);
	ids->kernel_step = 0;
	for (uint64_t i = 0; i < o->kernels; i++) {
		struct vprof_def_kernel def = { { 0, VPROF_DEF_KERNEL, 0 }, 0x7000 + 16 * i,
						MAKE_RING_START_TICKS, 0x5000 };

		/* A fixed width keeps the step between ids the same. */
		kernel_name(name, sizeof(name), 100000 + i);
		before = at;
		at = put_def(log, at, &def, sizeof(def), name);
		ids->kernel_step = (uint32_t)((at - before) / 8);
	}
	return o->nodes ? put_nodes(o, log, at, ids) : at;
}

/* ---- records ---- */

uint64_t make_ring_ticks(const struct make_ring *o, uint64_t lane, uint64_t at)
{
	return MAKE_RING_START_TICKS +
	       (uint64_t)((unsigned __int128)(at * o->lanes + lane + 1) * o->step_ns * o->hz / 1000000000);
}

uint64_t make_ring_length(const struct make_ring *o, uint64_t lane, uint64_t at)
{
	uint64_t pace = make_ring_ticks(o, lane, at + 1) - make_ring_ticks(o, lane, at);

	return 1 + pace * (1 + (at * 7 + lane) % 5) / 8;
}

uint64_t make_ring_serial(const struct make_ring *o, uint64_t lane, uint64_t at)
{
	return 1 + lane + (o->switch_every ? o->lanes * (at / o->switch_every) : 0);
}

uint32_t make_ring_tid(const struct make_ring *o, uint64_t serial)
{
	return (uint32_t)(o->pid + serial - 1);
}

void make_ring_comm(char comm[16], uint64_t serial)
{
	memset(comm, 0, 16);
	snprintf(comm, 16, "worker-%llu", (unsigned long long)(serial % 1000000));
}

/* Every other call gives back what the one before it took. */
static void fill_memory(struct vprof_slot *slot, uint64_t at)
{
	uint32_t what = VPROF_MEMORY_DEVICE | 1 << VPROF_MEMORY_PLACE_SHIFT;

	if (at / TURNS % 2) {
		slot->memory.address -= TURNS * 4096;
		slot->object = what | VPROF_MEMORY_GIVE;
	} else {
		slot->object = what | VPROF_MEMORY_TAKE;
	}
}

static void fill_payload(struct vprof_slot *slot, const struct make_ring *o, const struct make_ring_ids *ids,
			 uint64_t lane, uint64_t at)
{
	uint64_t stream = 0x1000 + 0x100 * (at % 3);

	switch (slot->kind) {
	case VPROF_KIND_LAUNCH:
		slot->object = o->kernels ? ids->kernel + ids->kernel_step * (uint32_t)((at + lane) % o->kernels) : 0;
		slot->launch.stream = stream;
		slot->launch.grid[0] = 1 + (uint32_t)(at % 100);
		slot->launch.grid[1] = slot->launch.grid[2] = 1;
		slot->launch.block[0] = 128;
		slot->launch.block[1] = slot->launch.block[2] = 1;
		slot->launch.shared = at % 2 ? 1024 : 0;
		break;
	case VPROF_KIND_GRAPH_LAUNCH:
		slot->object = ids->graph;
		slot->graph_launch.stream = stream;
		slot->graph_launch.exec = 0x6000;
		break;
	case VPROF_KIND_COPY:
		slot->object = VPROF_COPY_HTOD | VPROF_COPY_ASYNC;
		slot->copy.dst = 0x7f0000000000;
		slot->copy.src = 0x550000000000;
		slot->copy.bytes = 4096 + at % 4096;
		slot->copy.stream = stream;
		break;
	case VPROF_KIND_SET:
		slot->set.dst = 0x7f0000000000;
		slot->set.bytes = 256;
		slot->set.stream = stream;
		slot->set.width = 1;
		break;
	case VPROF_KIND_SYNC:
		slot->sync.handle = stream;
		break;
	case VPROF_KIND_EVENT:
		slot->event.event = 0x9000;
		slot->event.stream = stream;
		break;
	case VPROF_KIND_MEMORY:
		slot->memory.address = MAKE_RING_MEMORY + at * 4096;
		slot->memory.bytes = 4096;
		if (o->held)
			fill_memory(slot, at);
		break;
	case VPROF_KIND_MODULE:
		slot->object = ids->kernel;
		slot->module.handle = 0x7000;
		slot->module.from = 0x5000;
		break;
	case VPROF_KIND_GRAPH:
		slot->object = ids->graph;
		slot->graph.graph = 0x6100;
		slot->graph.exec = 0x6000;
		break;
	case VPROF_KIND_CALL:
		slot->call_args.args[0] = 0x7ffc00000000;
		break;
	}
}

/* One after the other of the forms that a range, a mark and a counter have; names are texts. */
static void fill_said(struct vprof_slot *slot, const struct make_ring *o, uint64_t lane, uint64_t at)
{
	static const struct {
		uint16_t kind, flags;
		uint8_t payload, open;
	} forms[] = {
		{ VPROF_KIND_RANGE, 0, VPROF_PAYLOAD_NONE, 1 },
		{ VPROF_KIND_RANGE, VPROF_RANGE_COLOR, VPROF_PAYLOAD_I64, 0 },
		{ VPROF_KIND_RANGE, VPROF_RANGE_AGAIN, VPROF_PAYLOAD_NONE, 0 },
		{ VPROF_KIND_RANGE, VPROF_RANGE_PROCESS, VPROF_PAYLOAD_U32, 1 },
		{ VPROF_KIND_RANGE_END, VPROF_RANGE_PROCESS, VPROF_PAYLOAD_NONE, 0 },
		{ VPROF_KIND_MARK, VPROF_RANGE_CUT, VPROF_PAYLOAD_F32, 0 },
		{ VPROF_KIND_COUNTER, 0, VPROF_PAYLOAD_F64, 0 },
		{ VPROF_KIND_RANGE, VPROF_RANGE_AGAIN, VPROF_PAYLOAD_NONE, 1 },
		{ VPROF_KIND_RANGE_END, 0, VPROF_PAYLOAD_NONE, 0 },
	};
	uint64_t turn_of = at / o->ranges % (sizeof(forms) / sizeof(forms[0]));

	slot->kind = forms[turn_of].kind;
	slot->done = forms[turn_of].open ? 0 : VPROF_DONE(make_ring_length(o, lane, at), 0);
	slot->range.flags = forms[turn_of].flags;
	slot->range.payload_type = forms[turn_of].payload;
	slot->range.payload = 0x3fc0000040490fdb;
	slot->range.domain = slot->range.category = 3;
	slot->range.texts = 1;
	/* A telling goes back to the range before it; the ends of a pair are one record apart. */
	slot->range.id = slot->range.flags & VPROF_RANGE_PROCESS ? at / o->ranges / 9 :
			 make_ring_ticks(o, lane, at < 2 * o->ranges ? 0 : at - 2 * o->ranges);
}

static void fill_slot(struct vprof_slot *slot, const struct make_ring *o, const struct make_ring_ids *ids,
		      uint64_t lane, uint64_t at)
{
	memset(slot, 0, sizeof(*slot));
	slot->t0 = make_ring_ticks(o, lane, at);
	if (o->switch_every && at && at % o->switch_every == 0) {
		uint64_t serial = make_ring_serial(o, lane, at);

		slot->kind = VPROF_KIND_THREAD;
		slot->done = VPROF_DONE(1, 0);
		slot->owner.thread = serial;
		slot->owner.tid = make_ring_tid(o, serial);
		make_ring_comm(slot->owner.comm, serial);
		return;
	}
	if (o->ranges > 1 && at % o->ranges == 0) {
		fill_said(slot, o, lane, at);
		return;
	}
	if (o->ranges > 1 && at % o->ranges == 1) {
		slot->kind = VPROF_KIND_TEXT;
		slot->done = VPROF_DONE(1, 0);
		snprintf(slot->text, sizeof(slot->text), "said at %llu", (unsigned long long)at);
		return;
	}
	slot->call = turn[at % TURNS];
	slot->kind = calls[slot->call].kind;
	/* A query that is not ready now and then: a result that is no failure. */
	slot->done = VPROF_DONE(make_ring_length(o, lane, at), slot->kind == VPROF_KIND_EVENT ? 600 : 0);
	fill_payload(slot, o, ids, lane, at);
}

void make_ring_slot(const struct make_ring *o, uint64_t lane, uint64_t at, struct vprof_slot *slot)
{
	struct make_ring_ids ids;

	make_ring_defs(o, NULL, &ids);
	fill_slot(slot, o, &ids, lane, at);
}

void make_ring_chunk(struct vprof_chunk *chunk, const struct make_ring *o, const struct make_ring_ids *ids,
		       uint64_t ticket)
{
	uint64_t lane = ticket % o->lanes, first = ticket / o->lanes * MAKE_RING_PER_CHUNK;
	uint64_t count = o->records - first < MAKE_RING_PER_CHUNK ? o->records - first : MAKE_RING_PER_CHUNK;
	uint64_t serial = make_ring_serial(o, lane, first);
	int last = first + MAKE_RING_PER_CHUNK >= o->records;

	/* The owner when it was taken: a takeover in slot 1 comes after that. */
	if (o->switch_every && first && first % o->switch_every == 0)
		serial -= o->lanes;
	memset(chunk, 0, sizeof(*chunk));
	chunk->head.base = (ticket + 1) << 8;
	chunk->head.lane = (uint32_t)lane;
	chunk->head.tid = make_ring_tid(o, serial);
	chunk->head.first = first;
	chunk->head.open_ticks = make_ring_ticks(o, lane, first);
	chunk->head.thread = serial;
	chunk->head.used = (uint32_t)count + 1;
	chunk->head.held = (uint32_t)last;
	make_ring_comm(chunk->head.comm, serial);
	for (uint64_t i = 0; i < count; i++) {
		fill_slot(&chunk->slot[i], o, ids, lane, first + i);
		chunk->slot[i].seq = chunk->head.base + i + 1;
	}
	if (last && lane < o->torn)
		chunk->slot[count - 1].seq = 0;
	else if (last && lane < o->torn + o->in_flight)
		chunk->slot[count - 1].done = 0;
}
