/*
 * snapshot_put.c - what a copy of the ring holds, piece by piece, while the program's threads go on.
 *
 * The moment is taken, and the table of lanes right behind it; then the chunks, the newest first, since the
 * oldest are what is overwritten meanwhile; then the definitions, which have whatever a record names;
 * then the rest, and the header's magic last. Each slot is copied as any reader would, and each piece
 * is cut (vprof/cut.h) and written by pwrite(2). What was never used stays a hole. No memory is taken but for the
 * table of lanes, once.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "preload/inner.h"
#include "preload/libc.h"
#include "preload/process.h"
#include "preload/record.h"
#include "preload/snapshot.h"
#include "vprof/cut.h"

enum {
	LANES_MOST = 4096,     /* further ones are left out */
	HOLDINGS_AT_ONCE = 256,
};

static struct lane_copy {
	struct vprof_lane lane; /* as it was at the moment */
	int cut;                /* and its chunk has been copied */
} *lanes;
static uint32_t lane_count;    /* of them in use */
static uint64_t cut;           /* ticks */
static int file;
static struct vprof_chunk chunk_copy;

static int put(const void *bytes, size_t size, uint64_t offset)
{
	return vprof_pwrite(file, bytes, size, offset);
}

static uint64_t offset_of(const void *part)
{
	return (uint64_t)((const char *)part - (const char *)vprof_map.header);
}

/* ---- lanes ---- */

static int lanes_take(void)
{
	uint32_t most = vprof_map.lane_count < LANES_MOST ? vprof_map.lane_count : LANES_MOST;

	if (!lanes)
		lanes = vprof_table(LANES_MOST * sizeof(*lanes));
	if (!lanes)
		return -ENOMEM;
	for (lane_count = 0; lane_count < most; lane_count++) {
		const struct vprof_lane *lane = &vprof_map.lanes[lane_count];

		/* Pairs with the release in lane_enter(). Lanes are taken one after the other. */
		if (__atomic_load_n(&lane->state, __ATOMIC_ACQUIRE) == VPROF_LANE_UNUSED && !lane->thread)
			break;
		lanes[lane_count].lane = *lane;
		lanes[lane_count].cut = 0;
	}
	return 0;
}

/* Of a lane whose chunk was taken after the moment: where that began is how far the lane had come. */
static uint64_t lane_reached(const struct vprof_lane *lane)
{
	const struct vprof_chunk_header *head;

	if (!lane->chunk || lane->chunk > vprof_map.chunk_count)
		return UINT64_MAX;
	head = &vprof_map.chunks[lane->chunk - 1].head;
	return head->open_ticks > cut ? head->first : UINT64_MAX;
}

static int lanes_put(void)
{
	int error = 0;

	for (uint32_t i = 0; i < lane_count && !error; i++) {
		if (!lanes[i].cut)
			vprof_cut_lane(&lanes[i].lane, NULL, 0, lane_reached(&lanes[i].lane), cut);
		error = put(&lanes[i].lane, sizeof(lanes[i].lane), offset_of(&vprof_map.lanes[i]));
	}
	return error;
}

/* ---- chunks ---- */

/* A whole record has its seq; any other slot gets 0. */
static void slot_take(struct vprof_slot *to, const struct vprof_slot *from, uint64_t seq)
{
	/* Pairs with the release in vprof_publish_at(). */
	to->seq = __atomic_load_n(&from->seq, __ATOMIC_ACQUIRE);
	if (to->seq != seq) {
		to->seq = 0;
		return;
	}
	/* Pairs with the release in vprof_end_at(): what goes with done is there. */
	to->done = __atomic_load_n(&from->done, __ATOMIC_ACQUIRE);
	to->t0 = __atomic_load_n(&from->t0, __ATOMIC_RELAXED);
	to->kind = __atomic_load_n(&from->kind, __ATOMIC_RELAXED);
	to->call = __atomic_load_n(&from->call, __ATOMIC_RELAXED);
	to->object = __atomic_load_n(&from->object, __ATOMIC_RELAXED);
	for (int i = 0; i < 4; i++)
		to->words[i] = __atomic_load_n(&from->words[i], __ATOMIC_RELAXED);
}

/* 1: chunk_copy holds the chunk as it is; 0: there is none, or it changed hands. */
static int chunk_take(const struct vprof_chunk *from)
{
	/* Pairs with the release in chunk_open(). */
	uint64_t base = __atomic_load_n(&from->head.base, __ATOMIC_ACQUIRE);

	if (!base)
		return 0;
	chunk_copy.head = from->head;
	chunk_copy.head.base = base;
	for (uint32_t i = 1; i < VPROF_CHUNK_SLOTS; i++)
		slot_take(&chunk_copy.slot[i - 1], &from->slot[i - 1], base + i);
	/* All of that before base again. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&from->head.base, __ATOMIC_RELAXED) == base;
}

static int chunk_put(uint32_t index)
{
	struct vprof_chunk_header *head = &chunk_copy.head;
	struct lane_copy *lane;
	struct vprof_cut_sum sum;

	if (!chunk_take(&vprof_map.chunks[index]) || head->open_ticks > cut)
		return 0;
	lane = head->lane < lane_count ? &lanes[head->lane] : NULL;
	sum = vprof_cut_chunk(&chunk_copy, head->used < VPROF_CHUNK_SLOTS ? head->used : VPROF_CHUNK_SLOTS,
			      lane && lane->lane.chunk == index + 1, cut);
	if (sum.current && lane) {
		vprof_cut_lane(&lane->lane, head, index + 1, 0, cut);
		lane->cut = 1;
	}
	return put(&chunk_copy, sizeof(chunk_copy), offset_of(&vprof_map.chunks[index]));
}

static int chunks_put(void)
{
	uint64_t newest = __atomic_load_n(&vprof_map.live->ticket, __ATOMIC_RELAXED) + vprof_map.chunk_count - 1;
	int error = 0;

	for (uint32_t i = 0; i < vprof_map.chunk_count && !error; i++)
		error = chunk_put((uint32_t)((newest - i) % vprof_map.chunk_count));
	return error;
}

/* ---- definitions ---- */

/* The end of the log. */
static uint64_t defs_end(void)
{
	uint64_t at = sizeof(struct vprof_def);

	while (at + sizeof(struct vprof_def) <= vprof_map.defs_size) {
		const struct vprof_def *def = (const void *)(vprof_map.defs + at);
		uint32_t size = __atomic_load_n(&def->size, __ATOMIC_ACQUIRE);

		if (size < sizeof(*def) || size % 8 || size > vprof_map.defs_size - at)
			break;
		at += size;
	}
	return at;
}

/* What was not READY when it was walked over may be half of an entry in the copy: there it never is READY. */
static int defs_put(void)
{
	uint64_t end = defs_end(), from = 0;
	int error = 0;

	for (uint64_t at = sizeof(struct vprof_def); at < end && !error;) {
		const struct vprof_def *def = (const void *)(vprof_map.defs + at);
		struct vprof_def head = { __atomic_load_n(&def->size, __ATOMIC_RELAXED), def->type,
					  VPROF_DEF_RESERVED };

		/* Pairs with the release in vprof_define(). */
		if (__atomic_load_n(&def->state, __ATOMIC_ACQUIRE) != VPROF_DEF_READY) {
			error = put(vprof_map.defs + from, at - from, offset_of(vprof_map.defs) + from);
			if (!error)
				error = put(&head, sizeof(head), offset_of(vprof_map.defs) + at);
			from = at + head.size;
		}
		at += head.size;
	}
	return error ? error : put(vprof_map.defs + from, end - from, offset_of(vprof_map.defs) + from);
}

/* ---- the rest ---- */

/* An entry's address is stored last and overwritten first. */
static int holding_take(struct vprof_holding *to, const struct vprof_holding *from)
{
	uint64_t address = __atomic_load_n(&from->address, __ATOMIC_ACQUIRE);

	if (address <= 1)
		return 0;
	*to = *from;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&from->address, __ATOMIC_RELAXED) == address && to->address == address;
}

static int holdings_put(struct vprof_memory_total *totals)
{
	static struct vprof_holding block[HOLDINGS_AT_ONCE];
	int error = 0;

	for (uint32_t at = 0; at < vprof_map.holding_count && !error; at += HOLDINGS_AT_ONCE) {
		uint32_t used = 0;

		for (uint32_t i = 0; i < HOLDINGS_AT_ONCE && at + i < vprof_map.holding_count; i++) {
			if (holding_take(&block[i], &vprof_map.holdings[at + i]) &&
			    vprof_cut_holding(&block[i], totals, cut))
				used = i + 1;
			else
				memset(&block[i], 0, sizeof(block[i]));
		}
		if (used)
			error = put(block, used * sizeof(*block), offset_of(&vprof_map.holdings[at]));
	}
	return error;
}

/* An anchor's ticks are 0 while it changes. */
static int anchors_put(void)
{
	static struct vprof_anchor anchors[VPROF_ANCHORS];

	for (unsigned i = 0; i < VPROF_ANCHORS; i++) {
		const struct vprof_anchor *from = &vprof_map.anchors[i];
		uint64_t ticks = __atomic_load_n(&from->ticks, __ATOMIC_ACQUIRE);

		anchors[i] = *from;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		anchors[i].ticks = __atomic_load_n(&from->ticks, __ATOMIC_RELAXED) == ticks ? ticks : 0;
	}
	return put(anchors, sizeof(anchors), VPROF_CLOCK_OFFSET);
}

static int live_put(void)
{
	static struct vprof_ring_live live;
	const struct vprof_ring_control *now = vprof_map.control;
	struct vprof_ring_control control = {
		.word = now->word, .groups = now->groups, .gpu = now->gpu, .gpu_spans = now->gpu_spans,
		.gpu_window_us = now->gpu_window_us, .gpu_period_us = now->gpu_period_us,
	};
	int error;

	live = *vprof_map.live;
	error = holdings_put(live.memory);
	vprof_cut_live(&live, cut);
	if (!error)
		error = put(&live, sizeof(live), VPROF_LIVE_OFFSET);
	if (!error)
		error = put(&control, sizeof(control), VPROF_CONTROL_OFFSET);
	return error ? error : anchors_put();
}

static int header_put(void)
{
	static struct vprof_ring_header header;
	uint64_t magic = VPROF_RING_MAGIC;
	int error;

	header = *vprof_map.header;
	vprof_cut_header(&header, cut, 0);
	header.magic = 0;
	error = put(&header, sizeof(header), VPROF_HEADER_OFFSET);
	return error ? error : put(&magic, sizeof(magic), VPROF_HEADER_OFFSET);
}

int vprof_snapshot_take(void)
{
	vprof_ring_anchor(&vprof_map);
	cut = vprof_ticks();
	return lanes_take();
}

int vprof_snapshot_put(int fd)
{
	int error = ftruncate(fd, (off_t)vprof_map.size) ? -errno : 0;

	file = fd;
	if (!error)
		error = chunks_put();
	if (!error)
		error = defs_put();
	if (!error)
		error = lanes_put();
	if (!error)
		error = live_put();
	return error ? error : header_put();
}
