/*
 * spill.h - the files that keep what a ring overwrites.
 *
 * A process that spills writes the chunks of its ring that its threads have left to files beside the
 * ring's entry in the output folder: for NAME.ring they are NAME.spill.0, NAME.spill.1, ... A spill
 * has records and nothing else: names, clock anchors, lanes and holdings are in the ring, which never
 * overwrites them, so a spill is read with its ring. A chunk may be in both, and counts once: by
 * its base, which is unique in a ring.
 *
 *   a file    header  frame  frame  frame ...
 *   a frame   frame header   128 bytes
 *             chunk headers  chunk_count * 64, as they were in the ring
 *             data           packed_size bytes, zeroes behind them to a multiple of 8
 *
 * A frame is written by one write(2) and stands alone. One that is cut short, or whose checks do not
 * hold, is left out; the next begins behind it, or at the next magic (at a multiple of 8 in the file) when its header
 * cannot be believed.
 *
 * DATA, after decompression (codec):
 *   bitmaps     chunk_count * 32 bytes: bit i of a chunk's: slot i held a whole record
 *   keys        u32 count, then so many u64: kind | call << 16 | object << 32, each once, in the order of
 *               their first record
 *   8 columns   in the order of enum vprof_spill_column; each a value for each record there is, in the order
 *               of chunks and slots
 *
 * A column is one byte w (0 to 8), then w planes of one byte for each record: plane p has bits 8p to 8p + 7 of each
 * value; above the last plane all are 0. The values make a record anew, exactly:
 *   KEY      index of the record's kind, call and object among the keys
 *   TIME     t0 less what was expected, folded: the end (t0 + ticks of done) of the record before it in the chunk,
 *            of a RANGE its t0; open_ticks for the first of a chunk
 *   LENGTH   done >> 16
 *   RESULT   done & 0xffff
 *   WORD + i words[i] less words[i] of the last record in the frame with the same key (0: none), folded
 * Folding makes differences of either sign small: (d << 1) ^ (d >> 63, all bits). seq is base + slot.
 *
 * What a launch repeats thereby costs nothing, and times cost what they differ.
 */
#ifndef VPROF_SPILL_H
#define VPROF_SPILL_H

#include <string.h>
#include "vprof/ring.h"

#define VPROF_SPILL_MAGIC       0x4c4c495053505656ull /* "VVPSPILL" read as little-endian bytes */
#define VPROF_SPILL_FRAME_MAGIC 0x454d415246505656ull /* "VVPFRAME" */

enum {
	VPROF_SPILL_MAJOR = 1,
	VPROF_SPILL_MINOR = 0,
	VPROF_SPILL_CHUNKS = 16,   /* most of a frame */
	VPROF_SPILL_RECORDS = VPROF_SPILL_CHUNKS * (VPROF_CHUNK_SLOTS - 1),
	VPROF_SPILL_BITMAP = VPROF_CHUNK_SLOTS / 8,
};

enum vprof_spill_codec {
	VPROF_SPILL_PLAIN = 0,     /* as it is */
	VPROF_SPILL_ZSTD = 1,      /* one zstd frame */
};

enum vprof_spill_column {
	VPROF_SPILL_KEY = 0,
	VPROF_SPILL_TIME = 1,
	VPROF_SPILL_LENGTH = 2,
	VPROF_SPILL_RESULT = 3,
	VPROF_SPILL_WORD = 4,
	VPROF_SPILL_COLUMNS = 8,
};

/* The largest data a frame may have. */
enum {
	VPROF_SPILL_PLAIN_MOST = VPROF_SPILL_CHUNKS * VPROF_SPILL_BITMAP + 4 + VPROF_SPILL_RECORDS * 8 +
				 VPROF_SPILL_COLUMNS * (1 + 8 * VPROF_SPILL_RECORDS),
};

/* The first bytes of each file: whose it is, as the ring's header says it. */
struct vprof_spill_header {
	uint64_t magic;
	uint32_t byte_order;       /* VPROF_RING_BYTE_ORDER */
	uint16_t major, minor;
	uint32_t header_size;      /* bytes; the first frame begins there */
	uint32_t frame_size;       /* bytes of a frame's header */
	uint64_t segment;          /* the N of the file's name */
	uint64_t start_ticks;
	uint64_t process_start;
	uint32_t pid;
	uint32_t clock;
	char boot_id[40];
	uint64_t dropped_files;    /* what the budget had taken away again when this file was begun: files, */
	uint64_t dropped_chunks;   /* and the chunks in them */
	uint32_t zero;
	uint32_t check;            /* vprof_spill_check() of all before it */
};
VPROF_AT(vprof_spill_header, header_size, 16);
VPROF_AT(vprof_spill_header, segment, 24);
VPROF_AT(vprof_spill_header, pid, 48);
VPROF_AT(vprof_spill_header, boot_id, 56);
VPROF_AT(vprof_spill_header, dropped_files, 96);
VPROF_AT(vprof_spill_header, check, 116);
VPROF_SIZE(vprof_spill_header, 120);

struct vprof_spill_frame {
	uint64_t magic;
	uint32_t chunk_count;      /* 1 to VPROF_SPILL_CHUNKS */
	uint32_t codec;            /* enum vprof_spill_codec */
	uint32_t packed_size;      /* bytes of the data as they stand in the file */
	uint32_t plain_size;       /* and when decompressed */
	uint32_t records;
	uint32_t data_check;       /* of the packed data */
	uint64_t first_base, last_base;   /* least and greatest of the chunks */
	uint64_t first_ticks;      /* the least open_ticks */
	uint64_t last_ticks;       /* when it was written */
	uint64_t reserved[7];
	uint32_t zero;
	uint32_t check;            /* of all before it, then of the chunk headers */
};
VPROF_AT(vprof_spill_frame, chunk_count, 8);
VPROF_AT(vprof_spill_frame, packed_size, 16);
VPROF_AT(vprof_spill_frame, first_base, 32);
VPROF_AT(vprof_spill_frame, check, 124);
VPROF_SIZE(vprof_spill_frame, 128);

/* Bytes that a frame takes in its file. */
static inline uint64_t vprof_spill_frame_bytes(const struct vprof_spill_frame *frame)
{
	uint64_t bytes = sizeof(*frame) + (uint64_t)frame->chunk_count * sizeof(struct vprof_chunk_header) +
			 frame->packed_size;

	return (bytes + 7) & ~7ull;
}

/* Against bytes that were lost or changed by accident, not by intent. `sum`: of what stood before, or 0. */
static inline uint32_t vprof_spill_check(const void *data, size_t size, uint32_t sum)
{
	const unsigned char *bytes = (const unsigned char *)data;
	uint64_t hash = sum ^ 0x9e3779b97f4a7c15ull, word;

	for (; size >= sizeof(word); bytes += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		hash = (hash ^ word) * 0xff51afd7ed558ccdull;
		hash ^= hash >> 32;
	}
	for (; size; bytes++, size--)
		hash = (hash ^ *bytes) * 0x100000001b3ull;
	return (uint32_t)(hash ^ hash >> 32);
}

static inline uint64_t vprof_spill_fold(uint64_t difference)
{
	return difference << 1 ^ (0 - (difference >> 63));
}

static inline uint64_t vprof_spill_unfold(uint64_t folded)
{
	return folded >> 1 ^ (0 - (folded & 1));
}

/* What the t0 of the record behind this one is measured from. */
static inline uint64_t vprof_spill_next(const struct vprof_slot *slot)
{
	return slot->kind == VPROF_KIND_RANGE ? slot->t0 : slot->t0 + VPROF_DONE_TICKS(slot->done);
}

/* Eight values to the eight bytes of eight planes, and back: byte j of v[p] is byte p of v[j]. */
static inline void vprof_spill_turn(uint64_t v[8])
{
	static const uint64_t mask[3] = { 0x00000000ffffffffull, 0x0000ffff0000ffffull, 0x00ff00ff00ff00ffull };

	for (int round = 0, step = 4; round < 3; round++, step /= 2)
		for (int i = 0; i < 8; i++)
			if (!(i & step)) {
				uint64_t t = (v[i] >> 8 * step ^ v[i + step]) & mask[round];

				v[i + step] ^= t;
				v[i] ^= t << 8 * step;
			}
}

#endif
