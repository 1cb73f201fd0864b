/*
 * ps.c - one look at what a traced process does.
 */
#include "tools/ps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/now.h"
#include "tools/ranges.h"
#include "tools/ring_inner.h"
#include "tools/spill.h"

enum {
	OLDEST_TRIES = 1024, /* how many chunks are asked for the oldest:
	                        those that a thread holds are not the next to go */
	NEWEST_TRIES = 1024, /* and for those that a lane filled before its own, */
	NEWEST_READ = 64,    /* of which so many are read */
};

uint64_t ps_ns(const struct ps_row *row, uint64_t ticks)
{
	uint32_t at = 0;

	return clock_monotonic(&row->clock, &at, ticks);
}

/* ---- the chunk that a lane writes ---- */

static int read_head(const struct ring *ring, uint32_t index, struct vprof_chunk_header *head)
{
	uint64_t offset = ring->header.chunks_offset + (uint64_t)index * VPROF_CHUNK_SIZE;

	return index < ring->header.chunk_count &&
	       ring_pread(ring->fd, head, sizeof(*head), offset) == sizeof(*head) && head->base;
}

/* 1: it has one, whose slots it has numbered from head->first on. */
static int lane_chunk(const struct ring *ring, uint32_t lane, struct ring_chunk *chunk)
{
	*chunk = (struct ring_chunk){ .index = ring->lanes[lane].chunk - 1 };
	if (!ring->lanes[lane].chunk || !read_head(ring, chunk->index, &chunk->head) || chunk->head.lane != lane)
		return 0;
	chunk->used = chunk->head.used < VPROF_CHUNK_SLOTS ? chunk->head.used : VPROF_CHUNK_SLOTS;
	return chunk->used > 0;
}

static void call_see(struct ps_call *call, const struct vprof_slot *slot, const struct vprof_lane *lane)
{
	int open = !slot->done;

	/* Of open calls the one that began first, of others the one that began last. */
	if (call->kind && (open != call->open ? call->open : open ? slot->t0 >= call->t0 : slot->t0 <= call->t0))
		return;
	*call = (struct ps_call){ .kind = slot->kind, .call = slot->call, .open = open, .t0 = slot->t0,
				  .tid = lane->tid };
	memcpy(call->comm, lane->comm, sizeof(call->comm));
}

/* A thread's newest call in a chunk: the one that it may still be in. 0: there is none, nor the thread's beginning. */
static int lane_see(struct ps_row *row, const struct ring_chunk *chunk, struct vprof_chunk *buffer)
{
	const struct ring *ring = &row->target->ring;
	const struct vprof_lane *lane = &ring->lanes[chunk->head.lane];

	if (ring_read_chunk(ring, chunk, buffer) <= 0)
		return 0;
	for (uint32_t i = chunk->used - 1; i > 0; i--) {
		const struct vprof_slot *slot = &buffer->slot[i - 1];

		if (!slot->seq || slot_is_said(slot) || slot_is_gpu(slot) || slot->kind == VPROF_KIND_QUERIES)
			continue;
		/* A thread that has ended is in no call, whatever it has left open. */
		if (slot->kind != VPROF_KIND_THREAD && (slot->done || lane->state == VPROF_LANE_LIVE))
			call_see(&row->call, slot, lane);
		return 1;
	}
	return 0;
}

/* The chunk that had the ticket `back` before the next one, if a lane filled it before the one that it has now. */
static int older_chunk(const struct ring *ring, uint64_t back, struct ring_chunk *chunk)
{
	const struct vprof_lane *lane;

	*chunk = (struct ring_chunk){ .index = (uint32_t)((ring->live.ticket - back) % ring->header.chunk_count) };
	if (!read_head(ring, chunk->index, &chunk->head) || chunk->head.lane >= ring->lane_count)
		return 0;
	lane = &ring->lanes[chunk->head.lane];
	chunk->used = chunk->head.used < VPROF_CHUNK_SLOTS ? chunk->head.used : VPROF_CHUNK_SLOTS;
	return chunk->used && chunk->index != lane->chunk - 1 && chunk->head.thread == lane->thread;
}

/* Of lanes whose own chunk has no call, but what the program said or what the GPU did, the newest before it. */
static void see_older(struct ps_row *row, char *is_seen, struct vprof_chunk *buffer)
{
	const struct ring *ring = &row->target->ring;
	uint64_t most = ring->live.ticket < ring->header.chunk_count ? ring->live.ticket : ring->header.chunk_count;

	for (uint64_t back = 1, read = 0; back <= most && back <= NEWEST_TRIES && read < NEWEST_READ; back++) {
		struct ring_chunk chunk;

		if (!older_chunk(ring, back, &chunk) || is_seen[chunk.head.lane])
			continue;
		is_seen[chunk.head.lane] = (char)lane_see(row, &chunk, buffer);
		read++;
	}
}

/* Makes no calls that are recorded, and tells what the GPU did. */
static int is_housekeeping(const struct ring *ring, const struct vprof_lane *lane)
{
	return lane->state == VPROF_LANE_LIVE && lane->tid == ring->live.housekeeping_tid;
}

static int see_lanes(struct ps_row *row)
{
	const struct ring *ring = &row->target->ring;
	struct vprof_chunk *buffer = malloc(sizeof(*buffer));
	char *is_seen = calloc(ring->lane_count + 1, 1);
	int error = buffer && is_seen ? 0 : -ENOMEM;
	uint32_t unseen = 0;

	for (uint32_t i = 0; !error && i < ring->lane_count; i++) {
		const struct vprof_lane *lane = &ring->lanes[i];
		struct ring_chunk chunk;

		is_seen[i] = 1;
		if (lane->state == VPROF_LANE_UNUSED)
			continue;
		row->threads += lane->state == VPROF_LANE_LIVE;
		if (!lane_chunk(ring, i, &chunk)) {
			row->records += lane->sealed;
			continue;
		}
		row->records += chunk.head.first + chunk.used - 1;
		is_seen[i] = lane_see(row, &chunk, buffer) || is_housekeeping(ring, lane);
		unseen += !is_seen[i];
	}
	if (unseen)
		see_older(row, is_seen, buffer);
	free(buffer);
	free(is_seen);
	return error;
}

/* ---- the rest ---- */

/* Tickets go round the file: the chunk that comes next holds the oldest records. */
static uint64_t oldest_ticks(const struct ps_row *row)
{
	const struct ring *ring = &row->target->ring;
	uint64_t ticket = ring->live.ticket, first = row->whole ? 0 : ticket;
	struct vprof_chunk_header head;

	for (uint64_t i = 0; i < ring->header.chunk_count && i < OLDEST_TRIES; i++)
		if (read_head(ring, (uint32_t)((first + i) % ring->header.chunk_count), &head) &&
		    (row->whole || !head.held))
			return head.open_ticks;
	return 0;
}

static void see_past(struct ps_row *row)
{
	const struct ring *ring = &row->target->ring;
	uint64_t start = ps_ns(row, ring->header.start_ticks), oldest, kept;

	row->age_ns = row->now_ns > start ? row->now_ns - start : 0;
	row->whole = ring->live.ticket <= ring->header.chunk_count;
	oldest = row->records ? oldest_ticks(row) : 0;
	kept = row->whole ? 0 : spill_first_ticks(&ring->header, row->target->path);
	if (kept && kept < oldest)
		oldest = kept;
	if (oldest && ps_ns(row, oldest) < row->now_ns)
		row->back_ns = row->now_ns - ps_ns(row, oldest);
}

static void see_window(struct ps_row *row)
{
	const struct ring *ring = &row->target->ring;
	const struct vprof_served *served = &ring->live.served;

	row->windowed = ring->header.minor >= 2;
	if (!row->windowed)
		return;
	row->window_number = served->window_count;
	if (served->window_count)
		row->window = served->window[(served->window_count - 1) % VPROF_WINDOWS];
	if (served->pending_ns > row->now_ns)
		row->switch_ns = served->pending_ns - row->now_ns;
}

/* The moment of the look; of a process that is gone, its end or its last round of housekeeping. */
static uint64_t last_heard(const struct ps_row *row)
{
	const struct vprof_ring_live *live = &row->target->ring.live;
	uint64_t ticks = live->beat_ticks;

	if (process_lives(row->target->state))
		return now_ns(CLOCK_MONOTONIC);
	if (live->state == VPROF_RING_CLOSED)
		ticks = live->end_ticks;
	if (row->call.kind && row->call.t0 > ticks)
		ticks = row->call.t0;
	return ps_ns(row, ticks);
}

static int reread(struct ring *ring)
{
	uint64_t defs = ring->live.defs_used;
	unsigned int parts = RING_LIVE | RING_ANCHORS | RING_LANES;
	int error = ring_reread(ring, parts);

	if (!error && (!ring->defs || ring->live.defs_used != defs))
		error = ring_reread(ring, RING_DEFS);
	return error;
}

int ps_look(struct ps_row *row, struct target *target)
{
	int error;

	*row = (struct ps_row){ .target = target, .rate = -1 };
	error = reread(&target->ring);
	if (!error)
		error = clock_build(&row->clock, &target->ring);
	if (!error)
		error = see_lanes(row);
	if (error)
		return error;
	target->state = process_state(&target->ring);
	row->now_ns = last_heard(row);
	for (int i = 0; i < VPROF_LOSS_COUNT; i++)
		row->lost += target->ring.live.loss[i];
	see_past(row);
	see_window(row);
	return 0;
}

void ps_forget(struct ps_row *row)
{
	clock_free(&row->clock);
	*row = (struct ps_row){ 0 };
}

static void set_rate(struct ps_row *row, uint64_t records, uint64_t ns)
{
	if (process_lives(row->target->state) && ns)
		row->rate = (double)records * 1e9 / (double)ns;
}

void ps_rate(struct ps_row *row, uint64_t records_before, uint64_t ns_before)
{
	if (row->now_ns > ns_before && row->records >= records_before)
		set_rate(row, row->records - records_before, row->now_ns - ns_before);
}

void ps_rate_in_all(struct ps_row *row)
{
	set_rate(row, row->records, row->age_ns);
}
