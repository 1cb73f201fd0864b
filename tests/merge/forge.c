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
 *
 * Here are the file, its lanes and its records; forge_defs.c has the definitions and forge_fill.c the fill.
 */
#include "tests/merge/forge.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct forge forge;

static uint64_t position[LANES_MAX], ticket;

void forge_die(const char *what)
{
	fprintf(stderr, "forge: %s\n", what);
	exit(2);
}

const char *forge_text(const char *line, const char *key, const char *other)
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

uint64_t forge_number(const char *line, const char *key, uint64_t other)
{
	const char *text = forge_text(line, key, NULL);

	return text ? strtoull(text, NULL, 0) : other;
}

static void blanks(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
	for (char *p = to; *p; p++)
		if (*p == '_')
			*p = ' ';
}

static void open_ring(const char *path, const char *line)
{
	uint32_t lanes = forge_number(line, "lanes", 2), chunks = forge_number(line, "chunks", 4);
	uint64_t lanes_end = VPROF_LANES_OFFSET + ((uint64_t)lanes * 128 + 4095) / 4096 * 4096;
	uint64_t defs_end = lanes_end + DEFS_SIZE;
	uint64_t chunks_at = defs_end + HOLDINGS_MAX * sizeof(struct vprof_holding);
	uint64_t file_size = chunks_at + (uint64_t)chunks * VPROF_CHUNK_SIZE;
	struct vprof_ring_header *header;
	struct vprof_ring_live *live;
	struct vprof_anchor *anchor;
	int fd;

	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, file_size))
		forge_die("cannot make the file");
	forge.file = mmap(NULL, file_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (forge.file == MAP_FAILED)
		forge_die("cannot map the file");
	forge.header = header = (void *)forge.file;
	*header = (struct vprof_ring_header){
		.magic = VPROF_RING_MAGIC, .byte_order = VPROF_RING_BYTE_ORDER,
		.major = VPROF_RING_MAJOR, .minor = VPROF_RING_MINOR, .file_size = file_size,
		.header_size = sizeof(*header), .slot_size = 64, .chunk_size = VPROF_CHUNK_SIZE,
		.chunk_count = chunks, .chunks_offset = chunks_at, .lane_size = 128,
		.lane_count = lanes, .lanes_offset = VPROF_LANES_OFFSET, .defs_offset = lanes_end,
		.defs_size = DEFS_SIZE, .clock = VPROF_CLOCK_TSC, .anchor_count = VPROF_ANCHORS,
		.tick_hz = 1000000000, .start_ticks = 1, .pid = forge_number(line, "pid", 100),
		.page_size = 4096, .holdings_offset = defs_end, .holding_count = HOLDINGS_MAX,
		.holding_size = sizeof(struct vprof_holding),
	};
	snprintf(header->host, sizeof(header->host), "%s", forge_text(line, "host", "host"));
	snprintf(header->boot_id, sizeof(header->boot_id), "%s", forge_text(line, "boot", "boot"));
	snprintf(header->library, sizeof(header->library), "forge");
	blanks(header->command, sizeof(header->command), forge_text(line, "command", "app"));
	forge.live = live = (void *)(forge.file + VPROF_LIVE_OFFSET);
	live->state = forge_number(line, "state", VPROF_RING_RUNNING);
	live->end_ticks = forge_number(line, "end", 0);
	snprintf(live->comm, sizeof(live->comm), "%s", forge_text(line, "comm", "app"));
	blanks(live->title, sizeof(live->title), forge_text(line, "title", "app"));
	if (forge_text(line, "role", NULL))
		snprintf(live->title, sizeof(live->title), "%s", forge_text(line, "role", ""));
	anchor = (void *)(forge.file + VPROF_CLOCK_OFFSET);
	anchor->ticks = 1;
	anchor->monotonic_ns = 1 + forge_number(line, "mono", 0);
	anchor->realtime_ns = 1 + forge_number(line, "real", 1000000000);
	close(fd);
}

static struct vprof_lane *lane_row(uint32_t lane)
{
	if (lane >= forge.header->lane_count || lane >= LANES_MAX)
		forge_die("no such lane");
	return (struct vprof_lane *)(forge.file + forge.header->lanes_offset) + lane;
}

void forge_take_chunk(uint32_t lane, uint64_t thread, uint32_t tid, const char *comm)
{
	uint32_t index = ticket++ % forge.header->chunk_count;
	struct vprof_chunk *chunk = (void *)(forge.file + forge.header->chunks_offset);

	chunk += index;
	forge.live->ticket = ticket;
	lane_row(lane)->sealed = position[lane];
	lane_row(lane)->chunk = index + 1;
	chunk->head = (struct vprof_chunk_header){
		.base = ticket << 8, .lane = lane, .tid = tid, .thread = thread, .used = 1,
		.first = position[lane], .held = 1, .open_ticks = 1,
	};
	memcpy(chunk->head.comm, comm, strnlen(comm, 15));
	forge.current = chunk;
	forge.slot = 1;
}

struct vprof_slot *forge_next_slot(void)
{
	if (!forge.current || forge.slot >= VPROF_CHUNK_SLOTS)
		forge_die("no chunk, or a full one");
	forge.current->head.used = forge.slot + 1;
	position[forge.current->head.lane]++;
	return &forge.current->slot[forge.slot++ - 1];
}

static void add_record(const char *line)
{
	uint32_t kernel = forge_number(line, "kernel", 0), graph = forge_number(line, "graph", 0);
	struct vprof_slot *slot = forge_next_slot();
	char key[] = "w0";

	slot->t0 = forge_number(line, "t", 1);
	if (!forge_number(line, "open", 0))
		slot->done = VPROF_DONE(forge_number(line, "dur", 1), forge_number(line, "result", 0));
	slot->kind = forge_number(line, "kind", VPROF_KIND_LAUNCH);
	slot->call = forge_number(line, "call", 1);
	slot->object = kernel ? forge.kernels.id[kernel % OBJECTS_MAX] : graph ? forge.graphs.id[graph % OBJECTS_MAX] :
		       forge_number(line, "text", 0) ? forge_object(&forge.texts, line, "text") :
		       forge_number(line, "object", 0);
	for (int i = 0; i < 4; i++, key[1]++)
		slot->words[i] = forge_number(line, key, 0);
	if (slot->kind == VPROF_KIND_LAUNCH) {
		for (int i = 0; i < 3; i++) {
			slot->launch.grid[i] = forge_number(line, "grid", 1);
			slot->launch.block[i] = i ? 1 : forge_number(line, "block", 128);
		}
		slot->launch.flags = forge_number(line, "flags", 0);
		slot->launch.shared = forge_number(line, "shared", 0);
	}
	if (!forge_number(line, "torn", 0))
		slot->seq = forge.current->head.base + forge.slot - 1;
}

static void add_owner(const char *line)
{
	struct vprof_slot *slot = forge_next_slot();
	const char *comm = forge_text(line, "comm", "");

	*slot = (struct vprof_slot){
		.seq = forge.current->head.base + forge.slot - 1, .t0 = forge_number(line, "t", 1),
		.done = 1 << 16, .kind = VPROF_KIND_THREAD,
		.owner = { .thread = forge_number(line, "thread", 1), .tid = forge_number(line, "tid", 100) },
	};
	memcpy(slot->owner.comm, comm, strnlen(comm, 15));
}

static void add_lane(const char *line)
{
	struct vprof_lane *lane = lane_row(forge_number(line, "lane", 0));
	const char *comm = forge_text(line, "comm", "");

	lane->state = forge_number(line, "state", VPROF_LANE_LIVE);
	lane->tid = forge_number(line, "tid", 100);
	lane->thread = forge_number(line, "thread", 1);
	lane->start_ticks = forge_number(line, "start", 0);
	lane->end_ticks = forge_number(line, "end", 0);
	memcpy(lane->comm, comm, strnlen(comm, 15));
}

static void add_holding(const char *line)
{
	static uint32_t count;
	struct vprof_holding *held = (void *)(forge.file + forge.header->holdings_offset);

	if (count == HOLDINGS_MAX)
		forge_die("no room for what is held");
	held[count++] = (struct vprof_holding){
		.address = forge_number(line, "address", 0x1000), .bytes = forge_number(line, "bytes", 1),
		.ticks = forge_number(line, "t", 1), .thread = forge_number(line, "thread", 1),
		.call = forge_number(line, "call", 1), .kind = forge_number(line, "kind", VPROF_MEMORY_DEVICE),
		.place = forge_number(line, "place", 0),
	};
}

static void set_memory(const char *line)
{
	forge.live->memory[forge_number(line, "place", 0) % VPROF_MEMORY_TOTALS] = (struct vprof_memory_total){
		forge_number(line, "bytes", 0), forge_number(line, "peak", 0), forge_number(line, "t", 0),
	};
}

static void open_chunk(const char *line)
{
	uint32_t lane = forge_number(line, "lane", 0);

	position[lane % LANES_MAX] += forge_number(line, "skip", 0);
	forge_take_chunk(lane, forge_number(line, "thread", 1), forge_number(line, "tid", 100),
			 forge_text(line, "comm", "app"));
	forge.current->head.open_ticks = forge_number(line, "open", 1);
}

static void set_loss(const char *line)
{
	forge.live->loss[forge_number(line, "which", 0) % VPROF_LOSS_COUNT] = forge_number(line, "count", 0);
}

static void set_beat(const char *line)
{
	forge.live->beat_ticks = forge_number(line, "t", 0);
}

static const struct {
	const char *word;
	void (*act)(const char *line);
} words[] = {
	{ "call", forge_call },       { "kernel", forge_kernel },   { "graph", forge_graph }, { "module", forge_module },
	{ "device", forge_device },   { "context", forge_context }, { "facts", forge_facts }, { "nodes", forge_nodes },
	{ "saved", forge_saved },     { "text", forge_text_def },   { "label", forge_label }, { "lane", add_lane },
	{ "chunk", open_chunk },      { "rec", add_record },        { "owner", add_owner },   { "loss", set_loss },
	{ "held", add_holding },      { "memory", set_memory },     { "beat", set_beat },     { "fill", forge_fill },
};

static void act(const char *path, const char *line)
{
	size_t size = strcspn(line, " \n");

	if (!size || *line == '#')
		return;
	if (size == 4 && !strncmp(line, "ring", size)) {
		open_ring(path, line);
		return;
	}
	if (!forge.file)
		forge_die("the script begins with a ring");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (size == strlen(words[i].word) && !strncmp(line, words[i].word, size)) {
			words[i].act(line);
			return;
		}
	forge_die(line);
}

int main(int argc, char **argv)
{
	char line[4096];

	if (argc != 2)
		forge_die("usage: forge RING < SCRIPT");
	while (fgets(line, sizeof(line), stdin))
		act(argv[1], line);
	return 0;
}
