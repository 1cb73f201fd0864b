/*
 * ring_bad.c - damaged and hostile rings: a reason or the intact part, never a wrong record.
 */
#include "tests/tap.h"
#include "tests/tools/memory_ring.h"
#include "tools/clock.h"
#include "tools/info.h"
#include "tools/records.h"

/* Everything a reader does with a ring; the number of records, or -1. */
static long use_ring(struct ring *ring)
{
	struct ring_losses losses;
	struct records *records;
	struct record record;
	struct clock clock;
	struct info info;
	long count = 0;
	uint32_t at = 0;

	if (clock_build(&clock, ring) || ring_count(ring, &losses) || info_make(&info, ring))
		return -1;
	records = records_open(ring);
	while (records && records_next(records, &record) > 0) {
		clock_monotonic(&clock, &at, record.slot->t0);
		ring_call_name(ring, record.slot->call);
		ring_def(ring, record.slot->object, VPROF_DEF_KERNEL);
		count++;
	}
	records_close(records);
	info_free(&info);
	clock_free(&clock);
	return count == (long)losses.present ? count : -1;
}

/* What a file of `size` bytes holds whole, of the ring that `m` was. */
static long records_within(const struct ring *whole, uint64_t size)
{
	long count = 0;

	for (uint32_t i = 0; i < whole->chunk_count; i++) {
		uint64_t begin = whole->header.chunks_offset + (uint64_t)whole->chunks[i].index * VPROF_CHUNK_SIZE;
		uint64_t slots = size > begin + VPROF_SLOT_SIZE ? (size - begin) / VPROF_SLOT_SIZE - 1 : 0;

		count += (long)(slots < whole->chunks[i].used - 1 ? slots : whole->chunks[i].used - 1);
	}
	return count;
}

/* Records of a cut ring, -1 when one is not what the whole ring has in its place. */
static long compare_cut(const struct ring *ring, const struct vprof_chunk *whole)
{
	long records = 0;

	for (uint32_t i = 0; i < ring->chunk_count; i++) {
		struct vprof_chunk chunk;
		const struct vprof_chunk *expected = &whole[ring->chunks[i].index];
		int n = ring_read_chunk(ring, &ring->chunks[i], &chunk);

		if (n < 0)
			return -1;
		records += n;
		for (uint32_t s = 0; s < VPROF_CHUNK_SLOTS - 1; s++)
			if (chunk.slot[s].seq && memcmp(&chunk.slot[s], &expected->slot[s], VPROF_SLOT_SIZE))
				return -1;
	}
	return records;
}

static void cut_everywhere(void)
{
	static struct vprof_chunk chunks[4];
	struct make_ring o = make_ring_default;
	struct memory_ring m;
	struct ring whole, ring;
	char why[256];
	unsigned long wrong = 0, silent = 0, opened = 0;

	o.chunks = 4;
	o.records = 500;
	memory_ring_make(&m, &o);
	if (!ok(m.size > 65536 && !ring_open(&whole, m.path, why, sizeof(why)), "cut: the whole ring opens"))
		return;
	for (uint32_t i = 0; i < whole.chunk_count; i++)
		ring_read_chunk(&whole, &whole.chunks[i], &chunks[whole.chunks[i].index]);
	for (uint64_t size = 65536;; size--) {
		why[0] = '\0';
		if (ftruncate(m.fd, (off_t)size))
			break;
		if (ring_open(&ring, m.path, why, sizeof(why))) {
			silent += !why[0];
		} else {
			opened++;
			wrong += compare_cut(&ring, chunks) != records_within(&whole, size);
			wrong += ring.cut_bytes != m.size - size;
			ring_close(&ring);
		}
		if (!size)
			break;
	}
	ok(!wrong, "cut at every byte of 64 KiB: exactly what is whole comes back (%lu wrong)", wrong);
	ok(!silent, "cut at every byte of 64 KiB: each refusal has a reason");
	ok(opened == 65536 - sizeof(struct vprof_ring_header) + 1, "cut: opens as soon as its header is whole (%lu)", opened);
	ring_close(&whole);
	close(m.fd);
}

/* A field of the header, set to a value; refused with a reason that has `reason` in it, or read. */
static const struct hostile {
	const char *name;
	uint32_t offset, width;
	uint64_t value;
	const char *reason; /* NULL: it opens */
} hostiles[] = {
#define H(field, value, reason) \
	{ #field " = " #value, offsetof(struct vprof_ring_header, field), \
	  sizeof(((struct vprof_ring_header *)0)->field), value, reason }
	H(magic, 0, "not a vprof ring"),
	H(magic, 0x5056564952474e31, "not a vprof ring"),
	H(magic, __builtin_bswap64(VPROF_RING_MAGIC), "byte order"),
	H(byte_order, 0x04030201, "byte order"),
	H(major, 2, "newer"),
	H(major, 0, "older"),
	H(minor, 99, NULL),
	H(header_size, 0, "damaged header"),
	H(header_size, 0xffffffff, NULL),
	H(slot_size, 0, "damaged header"),
	H(slot_size, 128, "damaged header"),
	H(chunk_size, 0, "damaged header"),
	H(chunk_size, 0xffffffff, "damaged header"),
	H(lane_size, 0, "damaged header"),
	H(lane_size, 8, "damaged header"),
	H(lane_size, 0xffffffff, NULL),
	H(lane_count, 0, NULL),
	H(lane_count, 0xffffffff, NULL),
	H(lanes_offset, UINT64_MAX, "damaged header"),
	H(lanes_offset, UINT64_MAX - 127, "damaged header"),
	H(lanes_offset, INT64_MAX, "damaged header"),
	H(lanes_offset, 3, NULL),
	H(holdings_offset, UINT64_MAX, "damaged header"),
	H(holdings_offset, UINT64_MAX - 63, "damaged header"),
	H(holdings_offset, INT64_MAX, "damaged header"),
	H(holdings_offset, 1, NULL),
	H(holdings_offset, 0, NULL),
	H(holding_count, 0, NULL),
	H(holding_count, 0xffffffff, NULL),
	H(holding_size, 0, "damaged header"),
	H(holding_size, 8, "damaged header"),
	H(holding_size, 68, "damaged header"),
	H(holding_size, 128, NULL),
	H(holding_size, 0xfffffff8, "damaged header"),
	H(chunk_count, 0, NULL),
	H(chunk_count, 0xffffffff, NULL),
	H(chunks_offset, UINT64_MAX, "damaged header"),
	H(chunks_offset, UINT64_MAX - 16383, "damaged header"),
	H(chunks_offset, 1, NULL),
	H(chunks_offset, 0, NULL),
	H(defs_offset, UINT64_MAX, "damaged header"),
	H(defs_offset, 1, NULL),
	H(defs_size, UINT64_MAX, "damaged header"),
	H(defs_size, 0, NULL),
	H(defs_size, 7, NULL),
	H(anchor_count, 0xffffffff, NULL),
	H(anchor_count, 0, NULL),
	H(tick_hz, 0, NULL),
	H(tick_hz, UINT64_MAX, NULL),
	H(start_ticks, UINT64_MAX, NULL),
	H(file_size, UINT64_MAX, NULL),
	H(file_size, 0, NULL),
	H(clock, 77, NULL),
};

static void hostile_headers(void)
{
	struct make_ring with_memory = make_ring_default;

	with_memory.held = 30;
	for (size_t i = 0; i < sizeof(hostiles) / sizeof(hostiles[0]); i++) {
		const struct hostile *h = &hostiles[i];
		struct memory_ring m;
		struct ring ring;
		char why[256] = "";
		int error;

		memory_ring_make(&m, &with_memory);
		memory_ring_poke(&m, h->offset, &h->value, h->width);
		error = ring_open(&ring, m.path, why, sizeof(why));
		if (h->reason)
			ok(error < 0 && strstr(why, h->reason), "%s: %s", h->name, why);
		else
			ok(!error && use_ring(&ring) >= 0, "%s: read as far as it goes %s", h->name, why);
		if (!error)
			ring_close(&ring);
		close(m.fd);
	}
}

/* What is held, with entries that say nonsense. */
static void hostile_holdings(void)
{
	static const uint16_t kinds[] = { 0, VPROF_MEMORY_ARRAY + 1, 0xffff };
	struct make_ring o = make_ring_default;
	uint64_t free[2] = { 0, 1 };
	struct memory_ring m;
	struct ring ring;
	char why[256];

	o.held = 30;
	memory_ring_make(&m, &o);
	ok(!ring_open(&ring, m.path, why, sizeof(why)) && ring.holding_count == 30, "holdings: all are read");
	for (uint32_t i = 0; i < 3; i++)
		memory_ring_poke(&m, ring.header.holdings_offset + i * 64 + offsetof(struct vprof_holding, kind),
				 &kinds[i], 2);
	for (uint32_t i = 3; i < 5; i++)
		memory_ring_poke(&m, ring.header.holdings_offset + i * 64, &free[i - 3], 8);
	ok(!ring_refresh(&ring) && ring.holding_count == 25 && ring.bad_holdings == 3,
	   "holdings: unknown kinds are counted, free entries are not (%u, %llu)", ring.holding_count,
	   (unsigned long long)ring.bad_holdings);
	ok(!ftruncate(m.fd, (off_t)ring.header.holdings_offset + 640 + 32) && !ring_refresh(&ring) && ring.holding_count == 10 - 5,
	   "holdings: of a file that is cut those that are whole (%u)", ring.holding_count);
	ring_close(&ring);
	close(m.fd);
}

/* Text fields without their NUL do not run into what follows. */
static void unterminated(void)
{
	struct memory_ring m;
	struct ring ring;
	char full[1024], why[256];

	memset(full, 'x', sizeof(full));
	memory_ring_make(&m, &make_ring_default);
	memory_ring_poke(&m, offsetof(struct vprof_ring_header, host), full, 64);
	memory_ring_poke(&m, offsetof(struct vprof_ring_header, command), full, 1024);
	memory_ring_poke(&m, VPROF_LIVE_OFFSET + offsetof(struct vprof_ring_live, comm), full, 16);
	memory_ring_poke(&m, VPROF_LANES_OFFSET + offsetof(struct vprof_lane, comm), full, 16);
	ok(!ring_open(&ring, m.path, why, sizeof(why)), "text without NUL: opens");
	ok(strlen(ring.header.host) == 63 && strlen(ring.header.command) == 1023 &&
	   strlen(ring.live.comm) == 15 && strlen(ring.lanes[0].comm) == 15, "text without NUL: ends in time");
	ring_close(&ring);
	close(m.fd);
}

/* Damages the chunk with index 1, of lane 1: the others stay. */
static void hostile_chunks(void)
{
	static const struct {
		const char *name;
		uint32_t offset, width;
		uint64_t value;
		uint64_t bad;
		long records; /* that are left, of 1200 */
	} cases[] = {
		{ "base with a low byte", 0, 8, 0x201, 1, 945 },
		{ "another base", 0, 8, 0xffffffffffffff00, 0, 945 },
		{ "no base", 0, 8, 0, 0, 945 },
		{ "a lane beyond the table", 8, 4, 2, 1, 945 },
		{ "a position beyond all", 16, 8, UINT64_MAX, 1, 945 },
		{ "used 0", 40, 4, 0, 1, 945 },
		{ "used beyond the chunk", 40, 4, 0xffffffff, 0, 1200 },
		{ "a slot of kind 0", 64 + 24, 2, 0, 0, 1199 },
		{ "a slot with a done that no writer makes", 64 + 16, 8, 5, 0, 1199 },
		{ "a kind of a later version", 64 + 24, 2, 999, 0, 1200 },
		{ "a call id that nobody defined", 64 + 26, 2, 65535, 0, 1200 },
		{ "an object that is none", 64 + 28, 4, 0xfffffff0, 0, 1200 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct memory_ring m;
		struct ring ring;
		char why[256];
		long records;

		memory_ring_make(&m, &make_ring_default);
		ring_open(&ring, m.path, why, sizeof(why));
		memory_ring_poke(&m, ring.header.chunks_offset + VPROF_CHUNK_SIZE + cases[i].offset,
				 &cases[i].value, cases[i].width);
		ring_close(&ring);
		if (!ok(!ring_open(&ring, m.path, why, sizeof(why)), "%s: opens", cases[i].name))
			continue;
		records = use_ring(&ring);
		ok(records == cases[i].records && ring.bad_chunks == cases[i].bad,
		   "%s: %ld records, %llu bad chunks", cases[i].name, records, (unsigned long long)ring.bad_chunks);
		ring_close(&ring);
		close(m.fd);
	}
}

/* Damages the third definition (that of call 3). */
static void hostile_defs(void)
{
	static const struct {
		const char *name;
		uint32_t offset, width;
		uint64_t value;
		uint64_t bad;
		int third, later; /* are these calls still known? */
	} cases[] = {
		{ "size 0", 0, 4, 0, 1, 0, 0 },
		{ "size 4", 0, 4, 4, 1, 0, 0 },
		{ "size not of 8", 0, 4, 41, 1, 0, 0 },
		{ "size beyond the log", 0, 4, 0x7ffffff8, 1, 0, 0 },
		{ "size too small for its type", 0, 4, 8, 2, 0, 0 },
		{ "state reserved", 6, 2, VPROF_DEF_RESERVED, 0, 0, 1 },
		{ "a type of a later version", 4, 2, 99, 0, 0, 1 },
		{ "a call id beyond 16 bits", 8, 4, 65536, 1, 0, 1 },
		{ "a family beyond all", 12, 4, 0xffffffff, 0, 1, 1 },
		{ "an end of all", 0, 8, 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct memory_ring m;
		struct ring ring;
		char why[256];
		uint64_t at;

		memory_ring_make(&m, &make_ring_default);
		ring_open(&ring, m.path, why, sizeof(why));
		at = (uint64_t)((const uint8_t *)ring.calls[3] - ring.defs) - sizeof(struct vprof_def_call);
		memory_ring_poke(&m, ring.header.defs_offset + at + cases[i].offset, &cases[i].value, cases[i].width);
		ring_close(&ring);
		if (!ok(!ring_open(&ring, m.path, why, sizeof(why)), "definition with %s: opens", cases[i].name))
			continue;
		ok(!!strncmp(ring_call_name(&ring, 3), "cu", 2) == !cases[i].third &&
		   !!strcmp(ring_call_name(&ring, 5), "cuStreamSynchronize") == !cases[i].later &&
		   ring.bad_defs == cases[i].bad && use_ring(&ring) == 1200,
		   "definition with %s: the rest is intact (%llu bad, %s, %s)", cases[i].name,
		   (unsigned long long)ring.bad_defs, ring_call_name(&ring, 3), ring_call_name(&ring, 5));
		ring_close(&ring);
		close(m.fd);
	}
}

/* The first kernel's entry (64 bytes) becomes one of another type, with these words behind its head. */
static void hostile_shapes(void)
{
	static const struct {
		const char *name;
		uint16_t type;
		uint64_t words[5];
		const char *text;   /* from the fifth word on, or NULL */
		uint64_t bad;
	} cases[] = {
		{ "nodes: none", VPROF_DEF_NODES, { 1, 0 }, NULL, 0 },
		{ "nodes: one too many", VPROF_DEF_NODES, { 1, 1 }, NULL, 1 },
		{ "nodes: 4 billion", VPROF_DEF_NODES, { 1, UINT32_MAX }, NULL, 1 },
		{ "edges: five, as fit", VPROF_DEF_EDGES, { 1, 5 }, NULL, 0 },
		{ "edges: one too many", VPROF_DEF_EDGES, { 1, 6 }, NULL, 1 },
		{ "facts: more parameters than stand there", VPROF_DEF_FACTS, { 1 }, NULL, 0 },
		{ "a device in too little room", VPROF_DEF_DEVICE, { 1 }, NULL, 1 },
		{ "a stream", VPROF_DEF_STREAM, { 1 }, NULL, 0 },
		{ "a saved file", VPROF_DEF_SAVED, { 1 }, "a.cubin", 0 },
		{ "a saved file in another folder", VPROF_DEF_SAVED, { 1 }, "../a.cubin", 1 },
		{ "a saved file without a name", VPROF_DEF_SAVED, { 1 }, "", 1 },
		{ "a label without an end", VPROF_DEF_LABEL, { 1 },
		  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct memory_ring m;
		struct ring ring;
		const struct vprof_def *def = NULL;
		char why[256];
		uint64_t at;

		memory_ring_make(&m, &make_ring_default);
		ring_open(&ring, m.path, why, sizeof(why));
		while ((def = ring_def_next(&ring, def)) && def->type != VPROF_DEF_KERNEL)
			;
		at = ring.header.defs_offset + (uint64_t)ring_def_id(&ring, def) * 8;
		memory_ring_poke(&m, at + 4, &cases[i].type, 2);
		memory_ring_poke(&m, at + 8, cases[i].words, sizeof(cases[i].words));
		if (cases[i].text)
			memory_ring_poke(&m, at + 32, cases[i].text, strlen(cases[i].text) + (cases[i].bad ? 0 : 1));
		ring_close(&ring);
		if (!ok(!ring_open(&ring, m.path, why, sizeof(why)), "%s: opens", cases[i].name))
			continue;
		ok(ring.bad_defs == cases[i].bad && use_ring(&ring) == 1200, "%s: %llu bad", cases[i].name,
		   (unsigned long long)ring.bad_defs);
		ring_close(&ring);
		close(m.fd);
	}
}

/* A kernel's parameters are as many as stand in its entry, whatever it says. */
static void facts_params(void)
{
	uint64_t room[16] = { 0 };
	struct vprof_def_facts *facts = (void *)room;

	facts->head.size = sizeof(*facts) + 3 * sizeof(facts->params[0]);
	facts->param_count = 2;
	ok(ring_facts_params(facts) == 2, "parameters: as many as the kernel has");
	facts->param_count = 4;
	ok(ring_facts_params(facts) == 3, "parameters: no more than stand there");
	facts->param_count = UINT32_MAX;
	ok(ring_facts_params(facts) == 0, "parameters: not known");
	facts->param_count = 1000;
	facts->head.size = 4096;
	ok(ring_facts_params(facts) == VPROF_FACTS_PARAMS, "parameters: no more than the format has");
}

/* Pages of noise in a ring with a sound header: whatever comes of it, no crash. */
static void noise(void)
{
	uint64_t state = 88172645463325252ull;
	long used = 0;

	for (int round = 0; round < 300; round++) {
		struct memory_ring m;
		struct ring ring;
		uint64_t words[512];
		char why[256];

		memory_ring_make(&m, &make_ring_default);
		for (size_t i = 0; i < 512; i++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			words[i] = state;
		}
		memory_ring_poke(&m, VPROF_LIVE_OFFSET + state % (m.size - VPROF_LIVE_OFFSET - 4096), words, 4096);
		if (!ring_open(&ring, m.path, why, sizeof(why))) {
			used += use_ring(&ring) >= 0;
			ring_close(&ring);
		}
		close(m.fd);
	}
	ok(used == 300, "noise anywhere behind the header: all are read (%ld)", used);
}

/* The file gets shorter between opening and reading. */
static void shrinks(void)
{
	struct memory_ring m;
	struct ring ring;
	char why[256];
	long before, after;

	memory_ring_make(&m, &make_ring_default);
	ring_open(&ring, m.path, why, sizeof(why));
	before = read_and_compare(&ring, &make_ring_default);
	ok(!ftruncate(m.fd, (off_t)(ring.header.chunks_offset + VPROF_CHUNK_SIZE + 100 * VPROF_SLOT_SIZE)),
	   "shrinks while open");
	after = read_and_compare(&ring, &make_ring_default);
	ok(before == 1200 && after == 255 + 99, "shrinks: what is left is read (%ld, then %ld)", before, after);
	ok(!ftruncate(m.fd, 0) && read_and_compare(&ring, &make_ring_default) == 0, "shrinks to nothing: no record");
	ok(!ring_refresh(&ring) && ring.chunk_count == 0, "shrinks to nothing: refreshed, it is empty");
	ring_close(&ring);
	close(m.fd);
}

int main(void)
{
	cut_everywhere();
	hostile_headers();
	hostile_holdings();
	unterminated();
	hostile_chunks();
	hostile_defs();
	hostile_shapes();
	facts_params();
	noise();
	shrinks();
	return done_testing();
}
