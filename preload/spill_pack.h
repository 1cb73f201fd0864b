/*
 * spill_pack.h - chunks to the bytes of a frame (vprof/spill.h says how these lie).
 *
 * Private to the spill's thread, which has one of these in memory of its own.
 */
#ifndef VPROF_PRELOAD_SPILL_PACK_H
#define VPROF_PRELOAD_SPILL_PACK_H

#include "preload/compiler.h"
#include "vprof/spill.h"

enum { VPROF_SPILL_HASH = 8192 }; /* a power of two, above VPROF_SPILL_RECORDS */

struct vprof_spill_pack {
	uint32_t chunks, records, keys;
	struct vprof_chunk_header head[VPROF_SPILL_CHUNKS];
	uint8_t present[VPROF_SPILL_CHUNKS][VPROF_SPILL_BITMAP];
	uint32_t hash[VPROF_SPILL_HASH];           /* index of a key + 1; 0: free */
	uint64_t key[VPROF_SPILL_RECORDS];
	uint64_t last[VPROF_SPILL_RECORDS][4];     /* by key */
	uint64_t column[VPROF_SPILL_COLUMNS][VPROF_SPILL_RECORDS + 8];
	uint8_t plain[VPROF_SPILL_PLAIN_MOST];
	__attribute__((aligned(8))) uint8_t frame[sizeof(struct vprof_spill_frame) +
						  VPROF_SPILL_CHUNKS * sizeof(struct vprof_chunk_header) +
		      VPROF_SPILL_PLAIN_MOST + 8];
};

/* A frame begins. */
void vprof_spill_pack_begin(struct vprof_spill_pack *pack) HIDDEN;

/* Adds the whole records of a chunk; there is room for VPROF_SPILL_CHUNKS. */
void vprof_spill_pack_chunk(struct vprof_spill_pack *pack, const struct vprof_chunk *chunk) HIDDEN;

/* Makes the whole frame in pack->frame and returns its size. `codec`: NULL, or from vprof_spill_codec_open(). */
uint32_t vprof_spill_pack_end(struct vprof_spill_pack *pack, void *codec, uint64_t ticks) HIDDEN;

/* The compressor, in memory of its own; NULL: none is built in, or no memory. */
void *vprof_spill_codec_open(void) HIDDEN;

/* Bytes written to `to`; 0: `room` was not enough. */
uint32_t vprof_spill_codec_pack(void *codec, void *to, uint32_t room, const void *from, uint32_t size) HIDDEN;

#endif
