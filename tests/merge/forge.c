/*
 * forge.c - makes ring files for the tests of the readers, from a script.
 *
 *	forge RING < SCRIPT
 *
 * Each line is a word and KEY=VALUE pairs, in the order in which a writer would act:
 *
 *	ring pid=100 lanes=4 chunks=8 mono=0 real=1000 comm=app title=app_--flag state=1
 *	call id=1 family=1 name=cuLaunchKernel
 *	kernel name=_Z3foov            its number, from 1, is what kernel= refers to
 *	graph number=1 nodes=3 exec=9  likewise graph=
 *	module number=1 image=2 handle=5 size=0 name=      likewise module=; kernel module=5 is of it
 *	device ordinal=0 major=9 minor=0 sms=132           with the limits of an H200
 *	context handle=0xc device=0 number=1
 *	facts kernel=1 registers=32 shared=0 local=0 threads=1024 ptx=90 binary=90 device=0 valid=1 params=8,4
 *	nodes graph=1 kernel=2 count=3 block=128 shared=0  that many nodes, all alike
 *	saved module=1 name=FILE
 *	lane lane=0 thread=1 tid=100 comm=app      a row of the lane table; start=, end= of its owner
 *	chunk lane=0 thread=1 tid=100 comm=app     the lane's next chunk; skip=N slots went before it
 *	rec kind=1 t=10 dur=5 call=1 kernel=1 w0=7 ...    open=1: in flight; torn=1: never published
 *	owner t=20 thread=2 tid=101 comm=late      the lane changes hands
 *	loss which=0 count=3
 *	held address=0xa000 bytes=1000 kind=1 place=0 t=5 call=1 thread=1    memory held at the end
 *	memory place=0 bytes=1000 peak=6000 t=70     the sums of a device, or of the host (32)
 *	beat t=99
 *	text name=forward                          a name of ranges, which text= refers to
 *	label handle=7 name=copies                 the name of a stream
 *	fill lanes=16 step=700                     every chunk, with launches (for speed);
 *	     ranges=1: each in a range, by turns of all texts; memory=8: every 8th call takes or gives memory
 *
 * A ring's role=VLLM::Worker_TP0 is a title whose "_" stay. Ticks are nanoseconds of a counter that began at "mono". In texts "_" stands for a blank only in title and command.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vprof/ring.h"

enum { DEFS_SIZE = 65536, HOLDINGS_MAX = 64, OBJECTS_MAX = 256, LANES_MAX = 1024 };

static uint8_t *file;
static uint64_t file_size;
static struct vprof_ring_header *header;
static uint64_t defs_used = 8, ticket;
static uint32_t kernels[OBJECTS_MAX], graphs[OBJECTS_MAX], modules[OBJECTS_MAX], texts[OBJECTS_MAX];
static uint32_t kernel_count, graph_count, module_count, text_count;
static uint64_t position[LANES_MAX];
static struct vprof_chunk *current;
static uint32_t slot_index;

static void die(const char *what)
{
	fprintf(stderr, "forge: %s\n", what);
	exit(2);
}

/* Value of KEY in the line, into a buffer of its own for each call in turn. */
static const char *text_of(const char *line, const char *key, const char *other)
{
	static char values[8][512];
	static int turn;
	char *value = values[turn++ % 8];
	const char *at = line;
	size_t size = strlen(key);

	while ((at = strchr(at, ' '))) {
		at++;
		if (strncmp(at, key, size) || at[size] != '=')
			continue;
		snprintf(value, sizeof(values[0]), "%.*s", (int)strcspn(at + size + 1, " \n"), at + size + 1);
		return value;
	}
	return other;
}

static uint64_t number_of(const char *line, const char *key, uint64_t other)
{
	const char *text = text_of(line, key, NULL);

	return text ? strtoull(text, NULL, 0) : other;
}

static void blanks(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
	for (char *p = to; *p; p++)
		if (*p == '_')
			*p = ' ';
}

static void make_ring(const char *path, const char *line)
{
	uint32_t lanes = number_of(line, "lanes", 2), chunks = number_of(line, "chunks", 4);
	struct vprof_anchor *anchor;
	struct vprof_ring_live *live;
	int fd;

	uint64_t lanes_end = VPROF_LANES_OFFSET + ((uint64_t)lanes * 128 + 4095) / 4096 * 4096;
	uint64_t defs_end = lanes_end + DEFS_SIZE;
	uint64_t chunks_at = defs_end + HOLDINGS_MAX * sizeof(struct vprof_holding);

	file_size = chunks_at + (uint64_t)chunks * VPROF_CHUNK_SIZE;
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, file_size))
		die("cannot make the file");
	file = mmap(NULL, file_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED)
		die("cannot map the file");
	header = (void *)file;
	*header = (struct vprof_ring_header){
		.magic = VPROF_RING_MAGIC, .byte_order = VPROF_RING_BYTE_ORDER,
		.major = VPROF_RING_MAJOR, .minor = VPROF_RING_MINOR, .file_size = file_size,
		.header_size = sizeof(*header), .slot_size = 64, .chunk_size = VPROF_CHUNK_SIZE,
		.chunk_count = chunks, .chunks_offset = chunks_at, .lane_size = 128,
		.lane_count = lanes, .lanes_offset = VPROF_LANES_OFFSET, .defs_offset = lanes_end,
		.defs_size = DEFS_SIZE, .clock = VPROF_CLOCK_TSC, .anchor_count = VPROF_ANCHORS,
		.tick_hz = 1000000000, .start_ticks = 1, .pid = number_of(line, "pid", 100),
		.page_size = 4096, .holdings_offset = defs_end, .holding_count = HOLDINGS_MAX,
		.holding_size = sizeof(struct vprof_holding),
	};
	snprintf(header->host, sizeof(header->host), "%s", text_of(line, "host", "host"));
	snprintf(header->boot_id, sizeof(header->boot_id), "%s", text_of(line, "boot", "boot"));
	snprintf(header->library, sizeof(header->library), "forge");
	blanks(header->command, sizeof(header->command), text_of(line, "command", "app"));
	live = (void *)(file + VPROF_LIVE_OFFSET);
	live->state = number_of(line, "state", VPROF_RING_RUNNING);
	live->end_ticks = number_of(line, "end", 0);
	snprintf(live->comm, sizeof(live->comm), "%s", text_of(line, "comm", "app"));
	blanks(live->title, sizeof(live->title), text_of(line, "title", "app"));
	if (text_of(line, "role", NULL))
		snprintf(live->title, sizeof(live->title), "%s", text_of(line, "role", ""));
	anchor = (void *)(file + VPROF_CLOCK_OFFSET);
	anchor->ticks = 1;
	anchor->monotonic_ns = 1 + number_of(line, "mono", 0);
	anchor->realtime_ns = 1 + number_of(line, "real", 1000000000);
	close(fd);
}

static uint32_t add_def(uint16_t type, const void *fields, size_t size, const char *name)
{
	size_t whole = (size + (name ? strlen(name) + 1 : 0) + 7) / 8 * 8;
	struct vprof_def *def = (void *)(file + header->defs_offset + defs_used);
	uint32_t id = defs_used / 8;

	if (defs_used + whole > DEFS_SIZE)
		die("no room for a definition");
	memcpy(def, fields, size);
	if (name)
		strcpy((char *)def + size, name);
	def->size = whole;
	def->type = type;
	def->state = VPROF_DEF_READY;
	defs_used += whole;
	return id;
}

static uint32_t object_of(const uint32_t *objects, const char *line, const char *key)
{
	return objects[number_of(line, key, 0) % OBJECTS_MAX];
}

static void add_module(const char *line)
{
	struct vprof_def_module def = { .handle = number_of(line, "handle", 0), .size = number_of(line, "size", 0),
					.image = number_of(line, "image", 0), .number = number_of(line, "number", 0) };

	modules[++module_count % OBJECTS_MAX] = add_def(VPROF_DEF_MODULE, &def, sizeof(def), text_of(line, "name", ""));
}

static void add_device(const char *line)
{
	struct vprof_def_device def = {
		.ordinal = number_of(line, "ordinal", 0), .major = number_of(line, "major", 9),
		.minor = number_of(line, "minor", 0), .sm_count = number_of(line, "sms", 132), .warp = 32,
		.threads_per_sm = 2048, .blocks_per_sm = 32, .threads_per_block = 1024, .registers_per_sm = 65536,
		.registers_per_block = 65536, .shared_per_sm = 233472, .shared_per_block = 49152,
		.shared_per_block_optin = 232448, .shared_reserved = 1024,
	};

	add_def(VPROF_DEF_DEVICE, &def, sizeof(def), text_of(line, "name", "GPU"));
}

static void add_facts(const char *line)
{
	union {
		struct vprof_def_facts facts;
		uint8_t room[sizeof(struct vprof_def_facts) + 4 * VPROF_FACTS_PARAMS];
	} def = { .facts = {
		.kernel = object_of(kernels, line, "kernel"), .registers = number_of(line, "registers", 32),
		.shared_static = number_of(line, "shared", 0), .local = number_of(line, "local", 0),
		.threads_most = number_of(line, "threads", 1024), .ptx = number_of(line, "ptx", 90),
		.binary = number_of(line, "binary", 90), .device = (int32_t)number_of(line, "device", 0),
		.valid = number_of(line, "valid", 1), .param_count = UINT32_MAX,
	} };
	const char *sizes = text_of(line, "params", NULL);
	uint32_t count = 0;

	for (; sizes && *sizes && count < VPROF_FACTS_PARAMS; sizes += *sizes == ',') {
		def.facts.params[count].offset = def.facts.param_bytes;
		def.facts.params[count].size = strtoul(sizes, (char **)&sizes, 0);
		def.facts.param_bytes += def.facts.params[count++].size;
		def.facts.param_count = count;
	}
	add_def(VPROF_DEF_FACTS, &def, sizeof(def.facts) + 4 * count, NULL);
}

static void add_nodes(const char *line)
{
	union {
		struct vprof_def_nodes nodes;
		uint8_t room[sizeof(struct vprof_def_nodes) + 64 * sizeof(struct vprof_graph_node)];
	} def = { .nodes = { .graph = object_of(graphs, line, "graph"), .count = number_of(line, "count", 1) % 65 } };

	def.nodes.total = def.nodes.count;
	for (uint32_t i = 0; i < def.nodes.count; i++)
		def.nodes.nodes[i] = (struct vprof_graph_node){
			.type = VPROF_NODE_KERNEL, .object = object_of(kernels, line, "kernel"), .grid = { 1, 1, 1 },
			.block = { number_of(line, "block", 128), 1, 1 }, .shared = number_of(line, "shared", 0),
		};
	add_def(VPROF_DEF_NODES, &def, sizeof(def.nodes) + def.nodes.count * sizeof(struct vprof_graph_node), NULL);
}

static void add_context(const char *line)
{
	struct vprof_def_context def = { .handle = number_of(line, "handle", 1), .number = number_of(line, "number", 1),
					 .device = (int32_t)number_of(line, "device", 0), .kind = VPROF_CONTEXT_PRIMARY };

	add_def(VPROF_DEF_CONTEXT, &def, sizeof(def), NULL);
}

static void add_saved(const char *line)
{
	struct vprof_def_saved def = { .module = object_of(modules, line, "module") };

	add_def(VPROF_DEF_SAVED, &def, sizeof(def), text_of(line, "name", ""));
}

static struct vprof_lane *lane_row(uint32_t lane)
{
	if (lane >= header->lane_count || lane >= LANES_MAX)
		die("no such lane");
	return (struct vprof_lane *)(file + header->lanes_offset) + lane;
}

static struct vprof_chunk *take_chunk(uint32_t lane, uint64_t thread, uint32_t tid, const char *comm)
{
	uint32_t index = ticket++ % header->chunk_count;
	struct vprof_chunk *chunk = (void *)(file + header->chunks_offset);

	chunk += index;
	((struct vprof_ring_live *)(file + VPROF_LIVE_OFFSET))->ticket = ticket;
	lane_row(lane)->sealed = position[lane];
	lane_row(lane)->chunk = index + 1;
	chunk->head = (struct vprof_chunk_header){
		.base = ticket << 8, .lane = lane, .tid = tid, .thread = thread, .used = 1,
		.first = position[lane], .held = 1, .open_ticks = 1,
	};
	memcpy(chunk->head.comm, comm, strnlen(comm, 15));
	return chunk;
}

static struct vprof_slot *next_slot(void)
{
	if (!current || slot_index >= VPROF_CHUNK_SLOTS)
		die("no chunk, or a full one");
	current->head.used = slot_index + 1;
	position[current->head.lane]++;
	return &current->slot[slot_index++ - 1];
}

static void add_record(const char *line)
{
	uint32_t kernel = number_of(line, "kernel", 0), graph = number_of(line, "graph", 0);
	struct vprof_slot *slot = next_slot();
	char key[] = "w0";

	slot->t0 = number_of(line, "t", 1);
	if (!number_of(line, "open", 0))
		slot->done = VPROF_DONE(number_of(line, "dur", 1), number_of(line, "result", 0));
	slot->kind = number_of(line, "kind", VPROF_KIND_LAUNCH);
	slot->call = number_of(line, "call", 1);
	slot->object = kernel ? kernels[kernel % OBJECTS_MAX] : graph ? graphs[graph % OBJECTS_MAX] :
		       number_of(line, "text", 0) ? object_of(texts, line, "text") : number_of(line, "object", 0);
	for (int i = 0; i < 4; i++, key[1]++)
		slot->words[i] = number_of(line, key, 0);
	if (slot->kind == VPROF_KIND_LAUNCH) {
		for (int i = 0; i < 3; i++) {
			slot->launch.grid[i] = number_of(line, "grid", 1);
			slot->launch.block[i] = i ? 1 : number_of(line, "block", 128);
		}
		slot->launch.flags = number_of(line, "flags", 0);
		slot->launch.shared = number_of(line, "shared", 0);
	}
	if (!number_of(line, "torn", 0))
		slot->seq = current->head.base + slot_index - 1;
}

static void add_owner(const char *line)
{
	struct vprof_slot *slot = next_slot();
	const char *comm = text_of(line, "comm", "");

	*slot = (struct vprof_slot){
		.seq = current->head.base + slot_index - 1, .t0 = number_of(line, "t", 1),
		.done = 1 << 16, .kind = VPROF_KIND_THREAD,
		.owner = { .thread = number_of(line, "thread", 1), .tid = number_of(line, "tid", 100) },
	};
	memcpy(slot->owner.comm, comm, strnlen(comm, 15));
}

static void add_lane(const char *line)
{
	struct vprof_lane *lane = lane_row(number_of(line, "lane", 0));
	const char *comm = text_of(line, "comm", "");

	lane->state = number_of(line, "state", VPROF_LANE_LIVE);
	lane->tid = number_of(line, "tid", 100);
	lane->thread = number_of(line, "thread", 1);
	lane->start_ticks = number_of(line, "start", 0);
	lane->end_ticks = number_of(line, "end", 0);
	memcpy(lane->comm, comm, strnlen(comm, 15));
}

static void add_holding(const char *line)
{
	static uint32_t count;
	struct vprof_holding *held = (void *)(file + header->holdings_offset);

	if (count == HOLDINGS_MAX)
		die("no room for what is held");
	held[count++] = (struct vprof_holding){
		.address = number_of(line, "address", 0x1000), .bytes = number_of(line, "bytes", 1),
		.ticks = number_of(line, "t", 1), .thread = number_of(line, "thread", 1),
		.call = number_of(line, "call", 1), .kind = number_of(line, "kind", VPROF_MEMORY_DEVICE),
		.place = number_of(line, "place", 0),
	};
}

static void set_memory(const char *line)
{
	struct vprof_ring_live *live = (void *)(file + VPROF_LIVE_OFFSET);

	live->memory[number_of(line, "place", 0) % VPROF_MEMORY_TOTALS] = (struct vprof_memory_total){
		number_of(line, "bytes", 0), number_of(line, "peak", 0), number_of(line, "t", 0),
	};
}

/* What the records of a filled ring are made of. */
struct filling {
	uint64_t random, records;
	uint32_t ranges, memory;
};

static void fill_launch(struct vprof_slot *slot, uint64_t random)
{
	slot->kind = VPROF_KIND_LAUNCH;
	slot->object = kernels[1 + (random >> 33) % kernel_count];
	slot->launch.stream = 0x7f32a8c01230;
	slot->launch.grid[0] = 1 + (random >> 40) % 4096;
	slot->launch.grid[1] = slot->launch.grid[2] = 1;
	slot->launch.block[0] = 128;
	slot->launch.block[1] = slot->launch.block[2] = 1;
	slot->launch.shared = (random >> 35) % 2 * 49152;
}

static void fill_memory(struct vprof_slot *slot, uint64_t turn)
{
	slot->kind = VPROF_KIND_MEMORY;
	slot->object = VPROF_MEMORY_DEVICE | 1 << VPROF_MEMORY_PLACE_SHIFT |
		       (turn % 2 ? VPROF_MEMORY_GIVE : VPROF_MEMORY_TAKE);
	slot->memory.address = 0x7f0000000000 + (turn / 2 % 1024 << 21);
	slot->memory.bytes = 1 << 21;
}

/* The range around the record that comes next. */
static void fill_range(struct vprof_slot *slot, uint64_t t0, uint64_t turn)
{
	slot->t0 = t0;
	slot->done = VPROF_DONE(8000, 0);
	slot->kind = VPROF_KIND_RANGE;
	slot->object = texts[1 + turn / 32 % text_count];
	slot->seq = current->head.base + slot_index - 1;
}

static void fill_chunk(struct filling *filling, uint64_t *now, uint64_t step)
{
	slot_index = 1;
	while (slot_index < VPROF_CHUNK_SLOTS) {
		struct vprof_slot *slot = next_slot();
		uint64_t turn = filling->records++, random;

		random = filling->random = filling->random * 6364136223846793005ull + 1442695040888963407ull;
		if (filling->ranges && slot_index < VPROF_CHUNK_SLOTS) {
			fill_range(slot, *now, turn);
			slot = next_slot();
		}
		slot->t0 = *now + !!filling->ranges;
		slot->done = VPROF_DONE(2000 + (random >> 52), 0);
		slot->call = 1;
		if (filling->memory && turn % filling->memory == 0)
			fill_memory(slot, turn / filling->memory);
		else
			fill_launch(slot, random);
		slot->seq = current->head.base + slot_index - 1;
		*now += step + (random >> 50);
	}
}

/* A busy process: all lanes launch in turn. */
static void fill(const char *line)
{
	uint32_t lanes = number_of(line, "lanes", 1), step = number_of(line, "step", 700);
	struct filling filling = { .random = header->pid, .ranges = number_of(line, "ranges", 0),
				   .memory = number_of(line, "memory", 0) };
	uint64_t rounds = header->chunk_count / lanes;
	uint64_t clocks[LANES_MAX];

	if (lanes > LANES_MAX || !kernel_count || (filling.ranges && !text_count))
		die("nothing to fill it with");
	for (uint32_t i = 0; i < lanes; i++)
		clocks[i] = 1000 + 37 * i;
	for (uint64_t round = 0; round < rounds; round++)
		for (uint32_t i = 0; i < lanes; i++) {
			current = take_chunk(i, i + 1, header->pid + i, i ? "worker" : "main");
			current->head.open_ticks = clocks[i];
			current->head.held = round + 1 == rounds;
			fill_chunk(&filling, &clocks[i], (uint64_t)lanes * step);
		}
}

static void act(const char *path, const char *line)
{
	size_t word = strcspn(line, " \n");

#define IS(name) (word == strlen(name) && !strncmp(line, name, word))
	if (!word || *line == '#')
		return;
	if (IS("ring")) {
		make_ring(path, line);
	} else if (IS("call")) {
		struct vprof_def_call def = { .call = number_of(line, "id", 1),
					      .family = number_of(line, "family", 0) };

		add_def(VPROF_DEF_CALL, &def, sizeof(def), text_of(line, "name", "cuCall"));
	} else if (IS("kernel")) {
		struct vprof_def_kernel def = { .handle = number_of(line, "handle", 1),
						.module = number_of(line, "module", 0) };

		kernels[++kernel_count % OBJECTS_MAX] = add_def(VPROF_DEF_KERNEL, &def, sizeof(def),
								text_of(line, "name", "kernel"));
	} else if (IS("graph")) {
		struct vprof_def_graph def = { .number = number_of(line, "number", 1),
					       .nodes = number_of(line, "nodes", 0),
					       .exec = number_of(line, "exec", 0) };

		graphs[++graph_count % OBJECTS_MAX] = add_def(VPROF_DEF_GRAPH, &def, sizeof(def), NULL);
	} else if (IS("module")) {
		add_module(line);
	} else if (IS("device")) {
		add_device(line);
	} else if (IS("context")) {
		add_context(line);
	} else if (IS("facts")) {
		add_facts(line);
	} else if (IS("nodes")) {
		add_nodes(line);
	} else if (IS("saved")) {
		add_saved(line);
	} else if (IS("text")) {
		struct vprof_def_text def = { { 0 } };

		texts[++text_count % OBJECTS_MAX] = add_def(VPROF_DEF_TEXT, &def, sizeof(def), text_of(line, "name", "text"));
	} else if (IS("label")) {
		struct vprof_def_label def = { .handle = number_of(line, "handle", 1), .of = VPROF_LABEL_STREAM };

		add_def(VPROF_DEF_LABEL, &def, offsetof(struct vprof_def_label, name), text_of(line, "name", "stream"));
	} else if (IS("lane")) {
		add_lane(line);
	} else if (IS("chunk")) {
		uint32_t lane = number_of(line, "lane", 0);

		position[lane % LANES_MAX] += number_of(line, "skip", 0);
		current = take_chunk(lane, number_of(line, "thread", 1), number_of(line, "tid", 100),
				     text_of(line, "comm", "app"));
		current->head.open_ticks = number_of(line, "open", 1);
		slot_index = 1;
	} else if (IS("rec")) {
		add_record(line);
	} else if (IS("owner")) {
		add_owner(line);
	} else if (IS("loss")) {
		struct vprof_ring_live *live = (void *)(file + VPROF_LIVE_OFFSET);

		live->loss[number_of(line, "which", 0) % VPROF_LOSS_COUNT] = number_of(line, "count", 0);
	} else if (IS("held")) {
		add_holding(line);
	} else if (IS("memory")) {
		set_memory(line);
	} else if (IS("beat")) {
		((struct vprof_ring_live *)(file + VPROF_LIVE_OFFSET))->beat_ticks = number_of(line, "t", 0);
	} else if (IS("fill")) {
		fill(line);
	} else {
		die(line);
	}
}

int main(int argc, char **argv)
{
	char line[4096];

	if (argc != 2)
		die("usage: forge RING < SCRIPT");
	while (fgets(line, sizeof(line), stdin)) {
		if (strncmp(line, "ring ", 5) && !file && *line != '#' && *line != '\n')
			die("the script begins with a ring");
		act(argv[1], line);
	}
	return 0;
}
