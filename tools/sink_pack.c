/*
 * sink_pack.c - compressing blocks side by side into one file.
 *
 * gzip: each block is deflated on its own, without looking back into the one
 * before, and ends with a sync flush, that is, on a whole byte and without the mark
 * of the last block; so the blocks can simply follow each other. An empty final
 * block and the combined checksum end the one member. Every reader of gzip takes
 * that, also those that stop after the first member.
 */
#include "tools/sink_pack.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum {
	GZIP_LEVEL = 4,   /* traces repeat themselves: more costs time and gains little */
	ZSTD_LEVEL = 3,
	WINDOW_BITS = 15,
	MEM_LEVEL = 8,
};

int sink_put_gzip_head(struct sink *sink)
{
	static const uint8_t head[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };

	return sink_write(sink, head, sizeof(head));
}

int sink_put_gzip_tail(struct sink *sink)
{
	static const uint8_t last[2] = { 3, 0 }; /* a final block of nothing */
	uint32_t tail[2] = { htole32(sink->crc), htole32(sink->size) };
	int error = sink_write(sink, last, sizeof(last));

	return error ? error : sink_write(sink, tail, sizeof(tail));
}

static int pack_room(struct sink_pack *pack, size_t room)
{
	void *bigger;

	if (pack->room >= room)
		return 0;
	bigger = realloc(pack->packed, room);
	if (!bigger)
		return -ENOMEM;
	pack->packed = bigger;
	pack->room = room;
	return 0;
}

static int pack_gzip(struct sink_pack *pack, const void *data, size_t size)
{
	z_stream *z = pack->state;
	int error;

	if (!z) {
		z = pack->state = calloc(1, sizeof(*z));
		if (!z || deflateInit2(z, GZIP_LEVEL, Z_DEFLATED, -WINDOW_BITS, MEM_LEVEL,
				       Z_DEFAULT_STRATEGY) != Z_OK)
			return -ENOMEM;
	}
	error = pack_room(pack, deflateBound(z, size) + 16);
	if (error)
		return error;
	deflateReset(z);
	z->next_in = (Bytef *)data;
	z->avail_in = size;
	z->next_out = pack->packed;
	z->avail_out = pack->room;
	if (deflate(z, Z_SYNC_FLUSH) != Z_OK || z->avail_in || !z->avail_out)
		return -EIO;
	pack->data = pack->packed;
	pack->size = pack->room - z->avail_out;
	pack->crc = crc32_z(0, data, size);
	return 0;
}

static int pack_zstd(struct sink_pack *pack, const void *data, size_t size)
{
	ZSTD_CCtx *context = pack->state;
	size_t packed;
	int error;

	if (!context) {
		context = pack->state = ZSTD_createCCtx();
		if (!context)
			return -ENOMEM;
		ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, ZSTD_LEVEL);
		ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	}
	error = pack_room(pack, ZSTD_compressBound(size));
	if (error)
		return error;
	packed = ZSTD_compress2(context, pack->packed, pack->room, data, size);
	if (ZSTD_isError(packed))
		return -EIO;
	pack->data = pack->packed;
	pack->size = packed;
	return 0;
}

int sink_pack(struct sink *sink, struct sink_pack *pack, const void *data, size_t size)
{
	pack->data = data;
	pack->size = pack->plain_size = size;
	if (!size || sink->form == SINK_PLAIN)
		return 0;
	if (size > UINT32_MAX)
		return -EFBIG;
	return sink->form == SINK_GZIP ? pack_gzip(pack, data, size) : pack_zstd(pack, data, size);
}

int sink_put(struct sink *sink, const struct sink_pack *pack)
{
	if (sink->form == SINK_GZIP && pack->plain_size) {
		sink->crc = crc32_combine(sink->crc, pack->crc, pack->plain_size);
		sink->size += pack->plain_size;
	}
	return sink_write(sink, pack->data, pack->size);
}

void sink_pack_free(struct sink *sink, struct sink_pack *pack)
{
	if (pack->state && sink->form == SINK_GZIP) {
		deflateEnd(pack->state);
		free(pack->state);
	} else if (pack->state) {
		ZSTD_freeCCtx(pack->state);
	}
	free(pack->packed);
	memset(pack, 0, sizeof(*pack));
}
