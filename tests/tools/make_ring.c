/*
 * make_ring.c - lays out a ring as make_ring.h says: pages, lanes, names, then chunks.
 */
#include "tests/tools/make_ring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PER_CHUNK = VPROF_CHUNK_SLOTS - 1, BATCH = 64, TURNS = 32 };
#define MEMORY 0x7f0000000000ull

const struct make_ring make_ring_default = {
	.chunks = 16, .lanes = 2, .records = 600, .kernels = 8, .step_ns = 1000, .anchors = 4,
	.hz = 2500000000, .pid = 4242, .start_ns = 1000000000000,
	.realtime_ns = 1700000000000000000, .clock = VPROF_CLOCK_TSC,
	.boot_id = "01234567-89ab-cdef-0123-456789abcdef", .host = "testhost",
	.command = "python3 -m made --up", .link = "",
};

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

/* Ids of the first kernel, of its successors (all entries of one size), graph and module. */
struct ids {
	uint32_t kernel, kernel_step, graph, module;
};

enum { NODES_MOST = 64 };

/* A chain of kernels, and how it came about. */
static uint64_t put_nodes(const struct make_ring *o, uint8_t *log, uint64_t at, const struct ids *ids)
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

static uint64_t put_defs(const struct make_ring *o, uint8_t *log, struct ids *ids)
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

static uint64_t serial_at(const struct make_ring *o, uint64_t lane, uint64_t at)
{
	return 1 + lane + (o->switch_every ? o->lanes * (at / o->switch_every) : 0);
}

static uint32_t tid_of(const struct make_ring *o, uint64_t serial)
{
	return (uint32_t)(o->pid + serial - 1);
}

static void thread_comm(char comm[16], uint64_t serial)
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

static void fill_payload(struct vprof_slot *slot, const struct make_ring *o, const struct ids *ids,
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
		slot->memory.address = MEMORY + at * 4096;
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

static void fill_slot(struct vprof_slot *slot, const struct make_ring *o, const struct ids *ids,
		      uint64_t lane, uint64_t at)
{
	memset(slot, 0, sizeof(*slot));
	slot->t0 = make_ring_ticks(o, lane, at);
	if (o->switch_every && at && at % o->switch_every == 0) {
		uint64_t serial = serial_at(o, lane, at);

		slot->kind = VPROF_KIND_THREAD;
		slot->done = VPROF_DONE(1, 0);
		slot->owner.thread = serial;
		slot->owner.tid = tid_of(o, serial);
		thread_comm(slot->owner.comm, serial);
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
	struct ids ids;

	put_defs(o, NULL, &ids);
	fill_slot(slot, o, &ids, lane, at);
}

/* Chunk number `ticket` of the process, which the lanes take in turn. */
static void fill_chunk(struct vprof_chunk *chunk, const struct make_ring *o, const struct ids *ids,
		       uint64_t ticket)
{
	uint64_t lane = ticket % o->lanes, first = ticket / o->lanes * PER_CHUNK;
	uint64_t count = o->records - first < PER_CHUNK ? o->records - first : PER_CHUNK;
	uint64_t serial = serial_at(o, lane, first);
	int last = first + PER_CHUNK >= o->records;

	/* The owner when it was taken: a takeover in slot 1 comes after that. */
	if (o->switch_every && first && first % o->switch_every == 0)
		serial -= o->lanes;
	memset(chunk, 0, sizeof(*chunk));
	chunk->head.base = (ticket + 1) << 8;
	chunk->head.lane = (uint32_t)lane;
	chunk->head.tid = tid_of(o, serial);
	chunk->head.first = first;
	chunk->head.open_ticks = make_ring_ticks(o, lane, first);
	chunk->head.thread = serial;
	chunk->head.used = (uint32_t)count + 1;
	chunk->head.held = (uint32_t)last;
	thread_comm(chunk->head.comm, serial);
	for (uint64_t i = 0; i < count; i++) {
		fill_slot(&chunk->slot[i], o, ids, lane, first + i);
		chunk->slot[i].seq = chunk->head.base + i + 1;
	}
	if (last && lane < o->torn)
		chunk->slot[count - 1].seq = 0;
	else if (last && lane < o->torn + o->in_flight)
		chunk->slot[count - 1].done = 0;
}

/* ---- the file ---- */

static int put(int fd, const void *bytes, size_t size, uint64_t offset)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pwrite(fd, (const char *)bytes + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static uint64_t chunks_taken(const struct make_ring *o)
{
	return (o->records + PER_CHUNK - 1) / PER_CHUNK * o->lanes;
}

static void fill_header(struct vprof_ring_header *h, const struct make_ring *o, uint64_t defs)
{
	memset(h, 0, sizeof(*h));
	h->magic = VPROF_RING_MAGIC;
	h->byte_order = VPROF_RING_BYTE_ORDER;
	h->major = VPROF_RING_MAJOR;
	h->minor = VPROF_RING_MINOR;
	h->header_size = sizeof(*h);
	h->slot_size = VPROF_SLOT_SIZE;
	h->chunk_size = VPROF_CHUNK_SIZE;
	h->chunk_count = (uint32_t)o->chunks;
	h->lane_size = sizeof(struct vprof_lane);
	h->lane_count = (uint32_t)o->lanes;
	h->lanes_offset = VPROF_LANES_OFFSET;
	h->defs_offset = h->lanes_offset + o->lanes * sizeof(struct vprof_lane);
	h->defs_size = (defs > o->defs_size ? defs : o->defs_size) + 8;
	h->chunks_offset = (h->defs_offset + h->defs_size + 63) & ~63ull;
	if (o->held) {
		h->holdings_offset = h->chunks_offset;
		h->holding_count = (uint32_t)o->held;
		h->holding_size = sizeof(struct vprof_holding);
		h->chunks_offset += o->held * sizeof(struct vprof_holding);
	}
	h->file_size = h->chunks_offset + o->chunks * VPROF_CHUNK_SIZE;
	h->clock = (uint32_t)o->clock;
	h->anchor_count = VPROF_ANCHORS;
	h->tick_hz = o->hz;
	h->start_ticks = MAKE_RING_START_TICKS;
	h->pid = (uint32_t)o->pid;
	h->ppid = 1;
	h->uid = 1000;
	h->page_size = 4096;
	h->process_start = 12345;
	snprintf(h->boot_id, sizeof(h->boot_id), "%s", o->boot_id);
	snprintf(h->host, sizeof(h->host), "%s", o->host);
	snprintf(h->library, sizeof(h->library), "0.1.0");
	snprintf(h->link, sizeof(h->link), "%s", o->link);
	snprintf(h->exe, sizeof(h->exe), "/usr/bin/python3");
	snprintf(h->command, sizeof(h->command), "%s", o->command);
}

/* Ticks when the last lane had made its last call. */
static uint64_t end_ticks(const struct make_ring *o)
{
	return make_ring_ticks(o, o->lanes - 1, o->records) + 1;
}

static void fill_live(struct vprof_ring_live *live, const struct make_ring *o, uint64_t defs)
{
	memset(live, 0, sizeof(*live));
	live->state = o->closed ? VPROF_RING_CLOSED : VPROF_RING_RUNNING;
	live->end_ticks = o->closed ? end_ticks(o) : 0;
	live->ticket = chunks_taken(o);
	live->defs_used = defs;
	live->threads = serial_at(o, o->lanes - 1, o->records - 1);
	live->beat_ticks = end_ticks(o);
	for (uint32_t i = 0; o->loss && i <= VPROF_LOSS_HANDLES; i++)
		live->loss[i] = o->loss + i;
	for (uint32_t i = 0; o->held && i < 3; i++)
		live->memory[i == 2 ? VPROF_MEMORY_HOST : i] =
			(struct vprof_memory_total){ 1000 * o->held, 2000 * o->held, end_ticks(o) };
	snprintf(live->comm, sizeof(live->comm), "python3");
	snprintf(live->title, sizeof(live->title), "%s", o->command);
}

static void fill_anchors(struct vprof_anchor *anchors, const struct make_ring *o)
{
	uint64_t span = end_ticks(o) - MAKE_RING_START_TICKS;

	for (uint64_t i = 0; i < o->anchors && i < VPROF_ANCHORS; i++) {
		uint64_t ticks = span * i / (o->anchors > 1 ? o->anchors - 1 : 1);
		uint64_t ns = (uint64_t)((unsigned __int128)ticks * 1000000000 / o->hz);

		anchors[i].ticks = MAKE_RING_START_TICKS + ticks;
		anchors[i].monotonic_ns = o->start_ns + ns;
		anchors[i].realtime_ns = o->realtime_ns + ns;
		anchors[i].error_ns = 20;
	}
}

static void fill_lane(struct vprof_lane *lane, const struct make_ring *o, uint64_t index)
{
	uint64_t last = (o->records - 1) / PER_CHUNK; /* its last chunk */
	uint64_t serial = serial_at(o, index, o->records - 1);

	memset(lane, 0, sizeof(*lane));
	lane->state = o->closed ? VPROF_LANE_IDLE : VPROF_LANE_LIVE;
	lane->tid = tid_of(o, serial);
	lane->thread = serial;
	thread_comm(lane->comm, serial);
	lane->chunk = (uint32_t)((last * o->lanes + index) % o->chunks) + 1;
	lane->start_ticks = MAKE_RING_START_TICKS;
	lane->end_ticks = o->closed ? end_ticks(o) : 0;
	lane->sealed = last * PER_CHUNK;
	lane->owner_first = o->switch_every ? (o->records - 1) / o->switch_every * o->switch_every : 0;
}

static int put_lanes(const struct make_ring *o, int fd, uint64_t offset)
{
	int error = 0;

	for (uint64_t i = 0; i < o->lanes && !error; i++) {
		struct vprof_lane lane;

		fill_lane(&lane, o, i);
		error = put(fd, &lane, sizeof(lane), offset + i * sizeof(lane));
	}
	return error;
}

/* One of each kind in turn, on two devices and the host. */
static int put_holdings(const struct make_ring *o, int fd, uint64_t offset)
{
	int error = 0;

	for (uint64_t i = 0; i < o->held && !error; i++) {
		struct vprof_holding held = {
			.address = MEMORY / 2 + i * 4096, .bytes = 1000 + i, .ticks = MAKE_RING_START_TICKS + i,
			.thread = 1, .call = 7, .kind = (uint16_t)(1 + i % VPROF_MEMORY_ARRAY),
			.place = i % 3 == 2 ? VPROF_MEMORY_HOST : (uint32_t)(i % 3),
		};

		error = put(fd, &held, sizeof(held), offset + i * sizeof(held));
	}
	return error;
}

static int put_chunks(const struct make_ring *o, int fd, uint64_t offset, const struct ids *ids)
{
	uint64_t all = chunks_taken(o), ticket = all > o->chunks ? all - o->chunks : 0;
	struct vprof_chunk *batch = calloc(BATCH, sizeof(*batch));
	int error = batch ? 0 : -ENOMEM;

	while (ticket < all && !error) {
		uint64_t index = ticket % o->chunks, n = 0;

		for (; n < BATCH && ticket < all && index + n < o->chunks; n++)
			fill_chunk(&batch[n], o, ids, ticket++);
		error = put(fd, batch, n * sizeof(*batch), offset + index * sizeof(*batch));
	}
	free(batch);
	return error;
}

static int put_pages(const struct make_ring *o, int fd, const struct vprof_ring_header *h,
		     uint64_t defs)
{
	struct vprof_ring_control control = { .word = 1, .groups = 1 };
	struct vprof_anchor anchors[VPROF_ANCHORS] = { 0 };
	struct vprof_ring_live live;
	int error;

	fill_live(&live, o, defs);
	fill_anchors(anchors, o);
	error = put(fd, h, sizeof(*h), VPROF_HEADER_OFFSET);
	if (!error)
		error = put(fd, &control, sizeof(control), VPROF_CONTROL_OFFSET);
	if (!error)
		error = put(fd, &live, sizeof(live), VPROF_LIVE_OFFSET);
	if (!error)
		error = put(fd, anchors, sizeof(anchors), VPROF_CLOCK_OFFSET);
	return error;
}

int make_ring_write(const struct make_ring *o, int fd)
{
	struct vprof_ring_header h;
	struct ids ids;
	uint64_t defs;
	uint8_t *log;
	int error;

	if (!o->lanes || !o->records || o->chunks < o->lanes)
		return -EINVAL;
	defs = put_defs(o, NULL, &ids);
	log = calloc(1, defs);
	if (!log)
		return -ENOMEM;
	put_defs(o, log, &ids);
	fill_header(&h, o, defs);
	error = ftruncate(fd, (off_t)h.file_size) ? -errno : 0;
	if (!error)
		error = put_pages(o, fd, &h, defs);
	if (!error)
		error = put_lanes(o, fd, h.lanes_offset);
	if (!error)
		error = put(fd, log, defs, h.defs_offset);
	if (!error && o->held)
		error = put_holdings(o, fd, h.holdings_offset);
	if (!error)
		error = put_chunks(o, fd, h.chunks_offset, &ids);
	free(log);
	return error;
}
