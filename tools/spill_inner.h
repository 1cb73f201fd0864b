/*
 * spill_inner.h - what the files that read spills share.
 */
#ifndef VPROF_TOOLS_SPILL_INNER_H
#define VPROF_TOOLS_SPILL_INNER_H

#include "tools/spill.h"
#include "vprof/spill.h"

/* One file NAME.spill.N. */
struct spill_file {
	uint64_t number;
	int fd;                /* -1: bad, not looked at again */
	uint64_t size, scanned; /* bytes, and how far it is indexed */
};

struct spill_frame {
	uint32_t file;
	uint32_t bytes;        /* header, chunk headers and data */
	uint64_t offset;
	uint32_t chunks;
	uint32_t bad;          /* its data turned out so; under the cache's lock */
};

struct spill {
	struct vprof_ring_header header;
	char *folder, *stem;   /* where the files are, and what their names begin with */
	char *folder_link;     /* where else they may be; NULL: nowhere */
	struct spill_file *files;
	uint32_t file_count;
	struct spill_frame *frames;
	uint32_t frame_count, frame_room;
	struct spill_sums sums;
};

/* Index of the frames of a file that came since; spill_index.c. */
int spill_scan(struct spill *spill, uint32_t file, spill_add *add, void *context);

/* When the frame begins that is next in a file; 0: there is none. */
uint64_t spill_frame_ticks(const struct spill_file *file);

/* frame->plain_size bytes of data to frame->chunk_count chunks in `out`. 0, -EBADMSG or -ENOMEM. */
int spill_unpack(const struct vprof_spill_frame *frame, const struct vprof_chunk_header *heads, const void *plain,
		 struct vprof_chunk *out);

/* Forgets what is decoded of this spill. */
void spill_cache_drop(const struct spill *spill);

#endif
