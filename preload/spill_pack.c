/*
 * spill_pack.c - the transform before compression, and the frame around it.
 *
 * A chunk's records are taken apart into columns of differences, most of them 0, and columns into
 * planes of bytes, so that the compressor sees long stretches of the same.
 */
#include <string.h>
#include "preload/spill_pack.h"

void vprof_spill_pack_begin(struct vprof_spill_pack *pack)
{
	pack->chunks = pack->records = pack->keys = 0;
	memset(pack->hash, 0, sizeof(pack->hash));
}

static uint32_t key_find(struct vprof_spill_pack *pack, uint64_t key)
{
	uint32_t at = (uint32_t)(key * 0x9e3779b97f4a7c15ull >> 51);

	_Static_assert(VPROF_SPILL_HASH == 1 << (64 - 51), "as many entries as the hash has values");
	for (; pack->hash[at]; at = (at + 1) % VPROF_SPILL_HASH)
		if (pack->key[pack->hash[at] - 1] == key)
			return pack->hash[at] - 1;
	pack->hash[at] = ++pack->keys;
	pack->key[pack->keys - 1] = key;
	memset(pack->last[pack->keys - 1], 0, sizeof(pack->last[0]));
	return pack->keys - 1;
}

static void put_record(struct vprof_spill_pack *pack, const struct vprof_slot *slot, uint64_t expected)
{
	uint32_t at = pack->records++;
	uint32_t key = key_find(pack, slot->kind | (uint64_t)slot->call << 16 | (uint64_t)slot->object << 32);

	pack->column[VPROF_SPILL_KEY][at] = key;
	pack->column[VPROF_SPILL_TIME][at] = vprof_spill_fold(slot->t0 - expected);
	pack->column[VPROF_SPILL_LENGTH][at] = VPROF_DONE_TICKS(slot->done);
	pack->column[VPROF_SPILL_RESULT][at] = VPROF_DONE_RESULT(slot->done);
	for (int i = 0; i < 4; i++) {
		pack->column[VPROF_SPILL_WORD + i][at] = vprof_spill_fold(slot->words[i] - pack->last[key][i]);
		pack->last[key][i] = slot->words[i];
	}
}

void vprof_spill_pack_chunk(struct vprof_spill_pack *pack, const struct vprof_chunk *chunk)
{
	uint64_t expected = chunk->head.open_ticks;
	uint8_t *present = pack->present[pack->chunks];

	memset(present, 0, VPROF_SPILL_BITMAP);
	pack->head[pack->chunks++] = chunk->head;
	for (uint32_t i = 1; i < VPROF_CHUNK_SLOTS; i++) {
		const struct vprof_slot *slot = &chunk->slot[i - 1];

		if (slot->seq != chunk->head.base + i)
			continue;
		present[i / 8] |= 1 << i % 8;
		put_record(pack, slot, expected);
		expected = vprof_spill_next(slot);
	}
}

static uint8_t *put_bytes(uint8_t *to, const void *from, size_t size)
{
	memcpy(to, from, size);
	return to + size;
}

/* Writes the planes that are not all 0, eight values at a time. */
static uint8_t *put_column(uint8_t *to, uint64_t *column, uint32_t count)
{
	uint64_t any = 0;
	uint32_t width = 0, i;

	for (i = 0; i < count; i++)
		any |= column[i];
	for (; any; any >>= 8)
		width++;
	*to++ = (uint8_t)width;
	for (i = 0; width && i < count; i += 8) {
		uint32_t some = count - i < 8 ? count - i : 8;

		vprof_spill_turn(column + i);
		for (uint32_t plane = 0; plane < width; plane++)
			memcpy(to + (size_t)plane * count + i, &column[i + plane], some);
	}
	return to + (size_t)width * count;
}

static uint32_t make_plain(struct vprof_spill_pack *pack)
{
	uint8_t *to = put_bytes(pack->plain, pack->present, pack->chunks * sizeof(pack->present[0]));

	to = put_bytes(to, &pack->keys, sizeof(pack->keys));
	to = put_bytes(to, pack->key, pack->keys * sizeof(pack->key[0]));
	for (int i = 0; i < VPROF_SPILL_COLUMNS; i++)
		to = put_column(to, pack->column[i], pack->records);
	return (uint32_t)(to - pack->plain);
}

static void frame_bounds(const struct vprof_spill_pack *pack, struct vprof_spill_frame *frame)
{
	frame->first_base = frame->first_ticks = UINT64_MAX;
	for (uint32_t i = 0; i < pack->chunks; i++) {
		const struct vprof_chunk_header *head = &pack->head[i];

		if (head->base < frame->first_base)
			frame->first_base = head->base;
		if (head->base > frame->last_base)
			frame->last_base = head->base;
		if (head->open_ticks < frame->first_ticks)
			frame->first_ticks = head->open_ticks;
	}
}

uint32_t vprof_spill_pack_end(struct vprof_spill_pack *pack, void *codec, uint64_t ticks)
{
	struct vprof_spill_frame frame = {
		.magic = VPROF_SPILL_FRAME_MAGIC, .chunk_count = pack->chunks, .codec = VPROF_SPILL_ZSTD,
		.plain_size = make_plain(pack), .records = pack->records, .last_ticks = ticks,
	};
	size_t heads = pack->chunks * sizeof(pack->head[0]);
	uint8_t *data = pack->frame + sizeof(frame) + heads;
	uint64_t end;

	if (codec)
		frame.packed_size = vprof_spill_codec_pack(codec, data, frame.plain_size, pack->plain,
							   frame.plain_size);
	if (!frame.packed_size) {
		frame.codec = VPROF_SPILL_PLAIN;
		frame.packed_size = frame.plain_size;
		memcpy(data, pack->plain, frame.plain_size);
	}
	frame_bounds(pack, &frame);
	frame.data_check = vprof_spill_check(data, frame.packed_size, 0);
	frame.check = vprof_spill_check(&frame, offsetof(struct vprof_spill_frame, check), 0);
	frame.check = vprof_spill_check(pack->head, heads, frame.check);
	memcpy(pack->frame, &frame, sizeof(frame));
	memcpy(pack->frame + sizeof(frame), pack->head, heads);
	end = vprof_spill_frame_bytes(&frame);
	memset(data + frame.packed_size, 0, end - (sizeof(frame) + heads + frame.packed_size));
	return (uint32_t)end;
}
