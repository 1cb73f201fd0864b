/*
 * ring.h - reading one ring file: live, complete, torn or hostile.
 *
 * The only part of the tools that touches a ring's bytes. It reads with pread()
 * into memory of its own, never maps the file: a file that shrinks or changes
 * while it is read gives fewer records, never a signal. Every offset, count and
 * string is checked before use; what does not hold is counted and left out.
 *
 * OWNERSHIP. A struct ring owns everything it points to, until ring_close().
 * A LIVE RING is read as of one moment, that of ring_open() or of the last ring_refresh(): first
 * the index of the chunks is made, then the definitions are read. A record that came later is not
 * there, and a name that came with the end of a call leaves that call in flight. So whatever a
 * record refers to is known, and no reader has to look for names while it goes on.
 *
 * THREADS. A ring may be read by several threads at once after ring_open(), each
 * with a buffer of its own; ring_close() by one, last.
 * ERRORS. 0 or a negative errno; ring_open() also leaves a sentence for people.
 */
#ifndef VPROF_TOOLS_RING_H
#define VPROF_TOOLS_RING_H

#include <stdint.h>
#include <stdio.h>
#include "vprof/ring.h"

#define RING_NOWHERE UINT32_MAX

/* Of the GPU's time: no call of the program's. gpu.h reads them. */
static inline int slot_is_gpu(const struct vprof_slot *slot)
{
	return slot->kind >= VPROF_KIND_REPLAY && slot->kind <= VPROF_KIND_GPU_CLOCK;
}

/* What is known of one chunk that holds records. */
struct ring_chunk {
	uint32_t index;       /* in the file; RING_NOWHERE: only in the spill */
	uint32_t used;        /* slots reserved when the index was made, 1 to 256: next free slot */
	uint32_t frame, place; /* in the spill; frame RING_NOWHERE: not there */
	struct vprof_chunk_header head;
};

struct ring {
	char *path;           /* as the user named it */
	int fd;
	uint64_t size;        /* bytes of the file when it was opened */
	struct vprof_ring_header header; /* strings are NUL-terminated here whatever the file has */
	struct vprof_ring_control control;
	struct vprof_ring_live live;     /* likewise */

	struct vprof_anchor *anchors;    /* sorted by ticks, valid ones only */
	uint32_t anchor_count;

	struct vprof_lane *lanes;        /* header.lane_count of them; comm NUL-terminated */
	uint32_t lane_count;             /* fewer when the file is cut short */

	uint8_t *defs;                   /* copy of the definitions as far as they go, 8-aligned */
	uint64_t defs_size;
	uint64_t defs_end;               /* the word behind them, 0 where the log may grow */
	uint64_t defs_reserved;          /* entries that were not READY yet */
	uint8_t *def_starts;             /* a bit for each 8 bytes of defs: a sound entry begins there */
	const char **calls;              /* name by call id; NULL: unknown */
	uint8_t *call_family;            /* enum vprof_family by call id */
	uint32_t call_count;

	struct vprof_holding *holdings;  /* what is held, in no order: the entries that are taken */
	uint32_t holding_count;

	struct ring_chunk *chunks;       /* sorted by lane, then by head.first */
	uint32_t chunk_count;

	struct spill *spill;  /* the files beside it (spill.h); NULL: not looked for */

	uint64_t bad_chunks;  /* headers that contradict the file: left out */
	uint64_t bad_defs;    /* likewise definitions */
	uint64_t bad_holdings; /* entries of a kind that is not known */
	uint64_t cut_bytes;   /* bytes that the header promises and the file lacks */
};

/*
 * Opens `path` and reads all but the records. On failure returns a negative errno and
 * leaves in `why` one sentence without the path, for example "is not a vprof ring";
 * nothing is to be closed then.
 */
int ring_open(struct ring *ring, const char *path, char *why, size_t why_size);
void ring_close(struct ring *ring);

/*
 * For commands that need little of a ring and must be quick: the header, which is always read, and
 * some parts. The others are empty until ring_reread() has read them, in whatever order.
 */
enum ring_part {
	RING_LIVE = 1 << 0,     /* control and live page */
	RING_ANCHORS = 1 << 1,
	RING_LANES = 1 << 2,
	RING_INDEX = 1 << 3,    /* of the chunks: reads each one's header */
	RING_HOLDINGS = 1 << 4,
	RING_DEFS = 1 << 5,
	RING_SPILL = 1 << 6,    /* what the ring has overwritten and files beside it keep; with RING_INDEX */
	RING_ALL = (1 << 7) - 1,
};
int ring_open_parts(struct ring *ring, const char *path, unsigned int parts, char *why, size_t why_size);
/* Reads parts, again or for the first time, as ring_refresh() does. */
int ring_reread(struct ring *ring, unsigned int parts);

/*
 * Reads chunk `chunk` (an entry of ring->chunks) into `buffer` and sets seq of every
 * slot that held no whole record at the ring's moment to 0. Returns the number of records in it: 0 when the writer
 * took the chunk over since the index was made, or its bytes are gone; a negative errno
 * when the file cannot be read.
 */
int ring_read_chunk(const struct ring *ring, const struct ring_chunk *chunk,
		    struct vprof_chunk *buffer);

/*
 * Ticks by which the thread that made the open call of slot[`slot`] of that chunk had ended; 0: it
 * may still be in it. `thread`: its serial number. Then the call never returned, and never will.
 */
uint64_t ring_thread_ended(const struct ring *ring, const struct ring_chunk *chunk,
			   const struct vprof_chunk *buffer, uint32_t slot, uint64_t thread);

/*
 * Rereads what changes in a live ring: live page, anchors, lanes, definitions (pointers to
 * them are void afterwards) and the chunk index. After a failure each of these is as before or new.
 */
int ring_refresh(struct ring *ring);

/* Definition `id` when it is of `type`, whole and with its name terminated; else NULL. */
const void *ring_def(const struct ring *ring, uint32_t id, enum vprof_def_type type);

/* Next definition after `prev` (NULL: the first), NULL at the end. For listing. */
const struct vprof_def *ring_def_next(const struct ring *ring, const struct vprof_def *prev);

/* Id of a definition that ring_def() or ring_def_next() gave. */
uint32_t ring_def_id(const struct ring *ring, const struct vprof_def *def);

/* How many of a kernel's parameters stand in facts->params. */
uint32_t ring_facts_params(const struct vprof_def_facts *facts);

/* Name of a driver function, "call#N" in a static table's stead when the ring does not know it. */
const char *ring_call_name(const struct ring *ring, uint32_t call);

/* What happened and is not there, summed over the ring (overwritten: published and gone). */
struct ring_losses {
	uint64_t reserved;     /* records the program made room for, all threads */
	uint64_t present;      /* whole ones still in the file */
	uint64_t overwritten;  /* gone with their chunks: the past that the ring no longer holds */
	uint64_t torn;         /* reserved, never published: being written when the process died */
	uint64_t in_flight;    /* present, with done == 0 */
	uint64_t loss[VPROF_LOSS_COUNT];
};
/* Positions that all lanes together have reached, and those that no chunk covers. */
void ring_positions(const struct ring *ring, uint64_t *reserved, uint64_t *overwritten);
/* Of so many that no chunk covers those that the end of the file holds which is missing: as many as it has room for. */
uint64_t ring_cut_off(const struct ring *ring, uint64_t uncovered);

int ring_count(const struct ring *ring, struct ring_losses *losses);

/* Name of a loss, for tables: "no_chunk", "reentrant", ... */
const char *ring_loss_name(enum vprof_loss loss);

#endif
