/*
 * live_steps.c - a writer that goes on in the middle of a read, store by store.
 *
 * pread() is ours here: it copies the mapped file word by word, upwards or downwards, and
 * between words lets the writer make some of its stores. So every way in which a copy
 * can fall across a takeover, a publication or a completion happens, the same in each
 * run. The records' words follow from seq: half of two records never passes.
 */
#include "tests/tap.h"
#include "tests/tools/memory_ring.h"

static struct memory_ring file;
static uint8_t *map;
static struct vprof_chunk *chunks;
static uint32_t chunk_count;

/* ---- the writer, one store a step ---- */

enum { LAG = 100, SLOT_STEPS = 9 }; /* a call returns when LAG later ones have begun */

static struct {
	uint64_t ticket;
	uint32_t slot, step;   /* slot 0: taking the chunk */
	int downwards;         /* fills the slots from the last to the first */
} writer;

static uint32_t place(uint32_t n)
{
	return writer.downwards ? VPROF_CHUNK_SLOTS - n : n;
}

static void step_take(struct vprof_chunk *chunk)
{
	switch (writer.step++) {
	case 0:
		chunk->head.base = 0;
		break;
	case 1:
		chunk->head.held = 1;
		chunk->head.used = VPROF_CHUNK_SLOTS;
		chunk->head.first = writer.ticket * 255;
		break;
	default:
		chunk->head.base = writer.ticket << 8;
		writer.slot = 1;
		writer.step = 0;
	}
}

static void step_complete(struct vprof_chunk *chunk, uint32_t n, int last)
{
	struct vprof_slot *slot;

	if (n < 1 || n >= VPROF_CHUNK_SLOTS)
		return;
	slot = &chunk->slot[place(n) - 1];
	if (last)
		slot->done = VPROF_DONE(slot->seq & 0xffff, 0) | VPROF_DONE(1, 0);
	else
		slot->call_args.args[3] = slot->seq + 3; /* "with done" */
}

static void step_slot(struct vprof_chunk *chunk)
{
	uint32_t n = writer.slot;
	struct vprof_slot *slot = n < VPROF_CHUNK_SLOTS ? &chunk->slot[place(n) - 1] : NULL;
	uint64_t seq = chunk->head.base + place(n);

	if (slot && writer.step == 0)
		slot->done = 0;
	else if (slot && writer.step == 1)
		slot->words[0] = seq;
	else if (slot && writer.step == 2)
		slot->words[1] = seq + 1;
	else if (slot && writer.step == 3)
		slot->words[3] = 0;
	else if (slot && writer.step == 4)
		slot->kind = VPROF_KIND_CALL, slot->object = (uint32_t)seq;
	else if (slot && writer.step == 5)
		slot->t0 = seq;
	else if (slot && writer.step == 6)
		slot->seq = seq;
	else if (writer.step >= 7)
		step_complete(chunk, n - LAG, writer.step == 8);
	if (++writer.step < SLOT_STEPS)
		return;
	writer.step = 0;
	if (++writer.slot < VPROF_CHUNK_SLOTS + LAG)
		return;
	writer.slot = 0;
	writer.ticket++;
}

static void writer_step(void)
{
	struct vprof_chunk *chunk = &chunks[writer.ticket % chunk_count];

	if (writer.slot)
		step_slot(chunk);
	else
		step_take(chunk);
}

/* ---- the copy that is torn ---- */

static int armed, copy_downwards;
static unsigned int stores, words; /* so many stores for so many words copied */

ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
	static unsigned int count;
	size_t n;

	if (!armed)
		return pread64(fd, buffer, size, offset);
	if ((uint64_t)offset >= file.size)
		return 0;
	if (size > file.size - (uint64_t)offset)
		size = file.size - (size_t)offset;
	n = size / 8;
	for (size_t i = 0; i < n; i++) {
		size_t word = copy_downwards ? n - 1 - i : i;

		memcpy((char *)buffer + 8 * word, map + offset + 8 * word, 8);
		if (++count % words == 0)
			for (unsigned int s = 0; s < stores; s++)
				writer_step();
	}
	memcpy((char *)buffer + 8 * n, map + offset + 8 * n, size - 8 * n);
	return (ssize_t)size;
}

static uint64_t records, in_flight, wrong;

static void check_slot(const struct vprof_slot *slot, uint64_t base, uint32_t index)
{
	uint64_t seq = slot->seq;

	if (!seq)
		return;
	records++;
	in_flight += !slot->done;
	if (seq != base + index || slot->t0 != seq || slot->object != (uint32_t)seq || slot->words[0] != seq ||
	    slot->words[1] != seq + 1 ||
	    (slot->done && (slot->words[3] != seq + 3 ||
			    slot->done != (VPROF_DONE(seq & 0xffff, 0) | VPROF_DONE(1, 0)))))
		wrong++;
}

static void read_across(struct ring *ring, unsigned int with_stores, unsigned int with_words)
{
	struct vprof_chunk buffer;

	stores = with_stores;
	words = with_words;
	for (int round = 0; round < 200; round++) {
		armed = 1;
		if (ring_refresh(ring))
			wrong++;
		for (uint32_t i = 0; i < ring->chunk_count; i++) {
			if (ring_read_chunk(ring, &ring->chunks[i], &buffer) < 0)
				wrong++;
			for (uint32_t s = 1; s < VPROF_CHUNK_SLOTS; s++)
				check_slot(&buffer.slot[s - 1], ring->chunks[i].head.base, s);
		}
		armed = 0;
	}
}

int main(void)
{
	static const struct { unsigned int stores, words; } paces[] = {
		{ 1, 701 }, { 1, 97 }, { 1, 29 }, { 1, 13 }, { 1, 7 }, { 1, 5 }, { 1, 3 }, { 1, 2 }, { 1, 1 }, { 2, 1 }, { 7, 1 },
		{ 40, 211 }, { 90, 509 }, { 25, 97 }, { 9, 37 }, { 300, 1021 }, /* in bursts: many stores between two words */
	};
	struct make_ring o = make_ring_default;
	struct vprof_ring_header h;
	struct ring ring;
	char why[256];

	o.lanes = 1;
	o.chunks = 2;
	o.records = 1;
	memory_ring_make(&file, &o);
	map = mmap(NULL, file.size, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, 0);
	if (!ok(map != MAP_FAILED && !ring_open(&ring, file.path, why, sizeof(why)), "the file is mapped and open"))
		return done_testing();
	memcpy(&h, map, sizeof(h));
	chunks = (struct vprof_chunk *)(void *)(map + h.chunks_offset);
	chunk_count = h.chunk_count;
	for (uint32_t i = 0; i < chunk_count; i++)
		chunks[i].head.base = 0;
	writer.ticket = 1000;
	for (int way = 0; way < 4; way++) {
		while (writer.slot || writer.step)
			writer_step(); /* to the chunk's end, before it turns round */
		copy_downwards = way & 1;
		writer.downwards = way >> 1;
		records = in_flight = wrong = 0;
		for (size_t i = 0; i < sizeof(paces) / sizeof(paces[0]); i++)
			read_across(&ring, paces[i].stores, paces[i].words);
		ok(records > 1000 && in_flight, "copied %s, written %s: %llu records, %llu in flight",
		   copy_downwards ? "down" : "up", writer.downwards ? "down" : "up",
		   (unsigned long long)records, (unsigned long long)in_flight);
		ok(!wrong, "none is half of two (%llu)", (unsigned long long)wrong);
	}
	ring_close(&ring);
	return done_testing();
}
