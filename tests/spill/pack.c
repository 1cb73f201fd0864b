/*
 * pack.c - what is packed comes back, bit for bit: real-looking records, random ones, chunks with holes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <zstd.h>
#include "preload/inner.h"
#include "preload/spill_pack.h"
#include "tests/tap.h"
#include "tools/spill_inner.h"

enum { ROUNDS = 200 };

void *vprof_table(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static uint64_t state = 88172645463325252ull;

static uint64_t any(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

/* One of a few, or anything. */
static uint64_t some(uint64_t few, int wild)
{
	return wild ? any() : any() % few;
}

static void fill(struct vprof_chunk *chunk, uint64_t ticket, int wild)
{
	uint64_t t = any() >> 8;

	memset(chunk, 0, sizeof(*chunk));
	chunk->head = (struct vprof_chunk_header){ .base = (ticket + 1) << 8, .lane = 3, .first = ticket * 255, .used = 256,
						   .open_ticks = t, .comm = "thread" };
	for (uint32_t i = 1; i < VPROF_CHUNK_SLOTS; i++) {
		struct vprof_slot *slot = &chunk->slot[i - 1];

		if (any() % 16 == 0)
			continue;
		slot->seq = chunk->head.base + i;
		slot->t0 = wild ? any() : (t += any() % 10000);
		slot->done = any() % 20 ? VPROF_DONE(some(5000, wild), some(2, wild)) : 0;
		slot->kind = (uint16_t)some(19, wild);
		slot->call = (uint16_t)some(30, wild);
		slot->object = (uint32_t)some(50, wild);
		for (int w = 0; w < 4; w++)
			slot->words[w] = some(4, wild);
	}
}

/* The frame, through the reader's half. */
static int unpack(const struct vprof_spill_pack *pack, struct vprof_chunk *out)
{
	static uint8_t plain[VPROF_SPILL_PLAIN_MOST];
	const struct vprof_spill_frame *frame = (const void *)pack->frame;
	const struct vprof_chunk_header *heads = (const void *)(pack->frame + sizeof(*frame));
	const void *data = heads + frame->chunk_count;

	if (frame->codec == VPROF_SPILL_ZSTD) {
		if (ZSTD_decompress(plain, sizeof(plain), data, frame->packed_size) != frame->plain_size)
			return -1;
		data = plain;
	}
	return spill_unpack(frame, heads, data, out);
}

static int comes_back(struct vprof_spill_pack *pack, void *codec, int wild)
{
	static struct vprof_chunk in[VPROF_SPILL_CHUNKS], out[VPROF_SPILL_CHUNKS];
	uint32_t chunks = 1 + (uint32_t)(any() % VPROF_SPILL_CHUNKS), size;

	vprof_spill_pack_begin(pack);
	for (uint32_t c = 0; c < chunks; c++) {
		fill(&in[c], c, wild);
		vprof_spill_pack_chunk(pack, &in[c]);
	}
	size = vprof_spill_pack_end(pack, codec, 1);
	return size <= sizeof(pack->frame) && !(size % 8) && !unpack(pack, out) && !memcmp(in, out, chunks * sizeof(in[0]));
}

int main(void)
{
	struct vprof_spill_pack *pack = vprof_table(sizeof(*pack));
	void *zstd = vprof_spill_codec_open();

	for (int wild = 0; pack && wild < 2; wild++)
		for (int packed = 0; packed < 2; packed++) {
			int good = 0;

			for (int i = 0; i < ROUNDS; i++)
				good += comes_back(pack, packed ? zstd : NULL, wild);
			ok(good == ROUNDS, "%s records, %s: %d frames come back", wild ? "random" : "likely",
			   packed && zstd ? "compressed" : "as they are", good);
		}
	return done_testing();
}
