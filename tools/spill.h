/*
 * spill.h - the files beside a ring that hold what it has overwritten (vprof/spill.h).
 *
 * A part of the ring reader: ring_spill.c puts their chunks among those of the ring, whose users see one
 * list. Kept in memory is a word on each frame; frames are decoded when one of their chunks is read,
 * and some stay decoded, for all rings together.
 *
 * Nothing in a spill makes a ring unreadable: what is wrong is left out and counted. Files stay open, so
 * one that the budget deletes while it is read is still there.
 */
#ifndef VPROF_TOOLS_SPILL_H
#define VPROF_TOOLS_SPILL_H

#include <stdint.h>
#include "vprof/ring.h"

/* What there is and what is not. */
struct spill_sums {
	uint64_t files, bytes;
	uint64_t frames, chunks, records; /* sound ones */
	uint64_t dropped_files, dropped_chunks; /* deleted, for the budget */
	uint64_t bad_files;      /* of another ring, or no spill at all */
	uint64_t bad_frames;     /* whose checks do not hold, or whose data turned out bad */
	uint64_t torn_bytes;     /* behind the last whole frame of a file */
};

struct spill;

/* For a ring with this header, named so by the user. NULL: no memory. */
struct spill *spill_open(const struct vprof_ring_header *header, const char *path);
void spill_close(struct spill *spill);

/* Has such a ring any? */
int spill_is_there(const struct vprof_ring_header *header, const char *path);

/* How far back it reaches, in ticks, by its first frame alone: however much there is, it takes as long. 0: none. */
uint64_t spill_first_ticks(const struct vprof_ring_header *header, const char *path);

/*
 * Looks for files and frames that were not there before, and hands each chunk of them to `add`, whose
 * errors end it. `frame` and `place` are for spill_read(). 0 or a negative errno.
 */
typedef int spill_add(void *context, const struct vprof_chunk_header *head, uint32_t frame, uint32_t place);
int spill_update(struct spill *spill, spill_add *add, void *context);

void spill_sums(struct spill *spill, struct spill_sums *sums);

/*
 * Copies a chunk; slots without a whole record have seq 0. 0; -EBADMSG: its frame is void; or another
 * negative errno. Any thread.
 */
int spill_read(struct spill *spill, uint32_t frame, uint32_t place, struct vprof_chunk *chunk);

#endif
