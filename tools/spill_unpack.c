/*
 * spill_unpack.c - the data of a frame back to chunks (vprof/spill.h says how they lie).
 *
 * The data may be anything: each part is checked against what is left of it before it is used, and the
 * number of records against the bitmaps. What is wrong makes the whole frame void.
 */
#include <errno.h>
#include <stdlib.h>
#include "tools/spill_inner.h"

struct unpack {
	const uint8_t *data, *end;
	const uint8_t *bitmaps, *keys;
	uint32_t chunks, records, key_count;
	uint64_t *column[VPROF_SPILL_COLUMNS]; /* room for eight more each */
	uint64_t (*last)[4];                   /* words by key */
};

static const uint8_t *take(struct unpack *u, size_t size)
{
	const uint8_t *from = u->data;

	if ((size_t)(u->end - from) < size)
		return NULL;
	u->data += size;
	return from;
}

static int take_keys(struct unpack *u)
{
	const uint8_t *count;

	u->bitmaps = take(u, u->chunks * (size_t)VPROF_SPILL_BITMAP);
	count = u->bitmaps ? take(u, sizeof(u->key_count)) : NULL;
	if (!count)
		return -EBADMSG;
	memcpy(&u->key_count, count, sizeof(u->key_count));
	if (u->key_count > u->records)
		return -EBADMSG;
	u->keys = take(u, u->key_count * sizeof(uint64_t));
	return u->keys ? 0 : -EBADMSG;
}

static int take_column(struct unpack *u, uint64_t *column)
{
	const uint8_t *width = take(u, 1), *planes;

	if (!width || *width > 8)
		return -EBADMSG;
	planes = take(u, (size_t)*width * u->records);
	if (!planes)
		return -EBADMSG;
	for (uint32_t i = 0; i < u->records; i += 8) {
		uint32_t some = u->records - i < 8 ? u->records - i : 8;

		memset(column + i, 0, 8 * sizeof(*column));
		for (uint32_t plane = 0; plane < *width; plane++)
			memcpy(&column[i + plane], planes + (size_t)plane * u->records + i, some);
		vprof_spill_turn(column + i);
	}
	return 0;
}

static int put_record(struct unpack *u, uint32_t at, uint64_t expected, struct vprof_slot *slot)
{
	uint64_t index = u->column[VPROF_SPILL_KEY][at], key;

	if (index >= u->key_count)
		return -EBADMSG;
	memcpy(&key, u->keys + index * sizeof(key), sizeof(key));
	slot->kind = (uint16_t)key;
	slot->call = (uint16_t)(key >> 16);
	slot->object = (uint32_t)(key >> 32);
	slot->t0 = expected + vprof_spill_unfold(u->column[VPROF_SPILL_TIME][at]);
	slot->done = u->column[VPROF_SPILL_LENGTH][at] << 16 | (u->column[VPROF_SPILL_RESULT][at] & 0xffff);
	for (int i = 0; i < 4; i++) {
		u->last[index][i] += vprof_spill_unfold(u->column[VPROF_SPILL_WORD + i][at]);
		slot->words[i] = u->last[index][i];
	}
	return 0;
}

static int put_chunks(struct unpack *u, const struct vprof_chunk_header *heads, struct vprof_chunk *out)
{
	uint32_t at = 0;
	int error = 0;

	for (uint32_t c = 0; c < u->chunks; c++) {
		const uint8_t *present = u->bitmaps + c * (size_t)VPROF_SPILL_BITMAP;
		uint64_t expected = heads[c].open_ticks;

		memset(&out[c], 0, sizeof(out[c]));
		out[c].head = heads[c];
		for (uint32_t i = 1; i < VPROF_CHUNK_SLOTS && !error; i++) {
			struct vprof_slot *slot = &out[c].slot[i - 1];

			if (!(present[i / 8] & 1 << i % 8))
				continue;
			error = at < u->records ? put_record(u, at++, expected, slot) : -EBADMSG;
			slot->seq = heads[c].base + i;
			expected = vprof_spill_next(slot);
		}
	}
	return error || at != u->records ? -EBADMSG : 0;
}

int spill_unpack(const struct vprof_spill_frame *frame, const struct vprof_chunk_header *heads, const void *plain,
		 struct vprof_chunk *out)
{
	struct unpack u = { .data = plain, .end = (const uint8_t *)plain + frame->plain_size,
			    .chunks = frame->chunk_count, .records = frame->records };
	size_t room = (size_t)u.records + 8;
	uint64_t *columns;
	int error;

	if (u.chunks > VPROF_SPILL_CHUNKS || u.records > u.chunks * (VPROF_CHUNK_SLOTS - 1))
		return -EBADMSG;
	error = take_keys(&u);
	if (error)
		return error;
	columns = malloc(VPROF_SPILL_COLUMNS * room * sizeof(*columns));
	u.last = calloc(u.key_count + 1, sizeof(*u.last));
	if (!columns || !u.last)
		error = -ENOMEM;
	for (int i = 0; i < VPROF_SPILL_COLUMNS && !error; i++) {
		u.column[i] = columns + (size_t)i * room;
		error = take_column(&u, u.column[i]);
	}
	if (!error)
		error = put_chunks(&u, heads, out);
	free(columns);
	free(u.last);
	return error;
}
