/*
 * records.c - the records of a ring in order of time, with the thread that made each.
 */
#include "tools/records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void owner_add(struct owned_chunk *out, uint64_t thread, uint32_t tid, const char *comm)
{
	struct record_owner *owner;

	if (out->owner_count && out->owners[out->owner_count - 1].thread == thread)
		return;
	owner = &out->owners[out->owner_count++];
	owner->thread = thread;
	owner->tid = tid;
	memcpy(owner->comm, comm, sizeof(owner->comm));
	owner->comm[sizeof(owner->comm) - 1] = '\0';
}

/* A lane's own entry has the freshest name of its present owner. */
static void owners_refresh(const struct ring *ring, struct owned_chunk *out, uint32_t lane)
{
	const struct vprof_lane *now;

	if (lane >= ring->lane_count)
		return;
	now = &ring->lanes[lane];
	for (uint32_t i = 0; i < out->owner_count; i++)
		if (out->owners[i].thread == now->thread && now->comm[0])
			memcpy(out->owners[i].comm, now->comm, sizeof(now->comm));
}

/*
 * The owner when the chunk was taken, then whoever a THREAD record names. Should the
 * last owner's record be torn, the lane still knows where that one began.
 */
int owned_chunk_read(const struct ring *ring, const struct ring_chunk *chunk,
		     struct owned_chunk *out)
{
	const struct vprof_chunk_header *head = &chunk->head;
	const struct vprof_lane *lane = head->lane < ring->lane_count ? &ring->lanes[head->lane] : NULL;

	out->records = ring_read_chunk(ring, chunk, &out->chunk);
	if (out->records < 0)
		return out->records;
	out->owner_count = 0;
	owner_add(out, head->thread, head->tid, head->comm);
	for (uint32_t i = 1; i < VPROF_CHUNK_SLOTS; i++) {
		const struct vprof_slot *slot = &out->chunk.slot[i - 1];

		if (slot->seq && slot->kind == VPROF_KIND_THREAD)
			owner_add(out, slot->owner.thread, slot->owner.tid, slot->owner.comm);
		else if (!slot->seq && lane && lane->thread && i < chunk->used &&
			 head->first + i - 1 == lane->owner_first)
			owner_add(out, lane->thread, lane->tid, lane->comm);
		out->owner[i] = (uint8_t)(out->owner_count - 1);
	}
	owners_refresh(ring, out, head->lane);
	return out->records;
}

/* One lane's place in its chunks. */
struct lane_reader {
	uint64_t key;             /* no record that it still has is older */
	uint32_t lane;
	uint32_t next, end;       /* chunks of the ring's index to come */
	struct owned_chunk *now;  /* NULL: to be read when its time comes */
	uint8_t order[VPROF_CHUNK_SLOTS]; /* slots of `now` by time */
	int at, count;
};

struct records {
	const struct ring *ring;
	struct lane_reader *lanes;
	uint32_t lane_count;
	struct lane_reader **heap; /* least key first; equal keys by lane */
	uint32_t heap_count;
};

static int before(const struct lane_reader *a, const struct lane_reader *b)
{
	return a->key != b->key ? a->key < b->key : a->lane < b->lane;
}

static void heap_sink(struct records *r, uint32_t i)
{
	struct lane_reader *moving = r->heap[i];

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= r->heap_count)
			break;
		if (child + 1 < r->heap_count && before(r->heap[child + 1], r->heap[child]))
			child++;
		if (!before(r->heap[child], moving))
			break;
		r->heap[i] = r->heap[child];
		i = child;
	}
	r->heap[i] = moving;
}

static void heap_drop_first(struct records *r)
{
	r->heap[0] = r->heap[--r->heap_count];
	if (r->heap_count)
		heap_sink(r, 0);
}

/* Slots of the chunk by t0: nearly in order already, so insertion. */
static void lane_sort(struct lane_reader *lane)
{
	const struct vprof_slot *slots = lane->now->chunk.slot;

	lane->at = lane->count = 0;
	for (int i = 0; i < VPROF_CHUNK_SLOTS - 1; i++) {
		int j = lane->count;

		if (!slots[i].seq)
			continue;
		for (; j && slots[lane->order[j - 1]].t0 > slots[i].t0; j--)
			lane->order[j] = lane->order[j - 1];
		lane->order[j] = (uint8_t)i;
		lane->count++;
	}
}

static int lane_load(struct records *r, struct lane_reader *lane)
{
	int error;

	lane->now = malloc(sizeof(*lane->now));
	if (!lane->now)
		return -ENOMEM;
	error = owned_chunk_read(r->ring, &r->ring->chunks[lane->next++], lane->now);
	if (error < 0)
		return error;
	lane_sort(lane);
	return 0;
}

/* Sets the key to the next record's time, or to that of the chunk to come; 0: the lane is done. */
static int lane_key(const struct records *r, struct lane_reader *lane)
{
	if (lane->now && lane->at < lane->count) {
		lane->key = lane->now->chunk.slot[lane->order[lane->at]].t0;
		return 1;
	}
	free(lane->now);
	lane->now = NULL;
	if (lane->next == lane->end)
		return 0;
	lane->key = r->ring->chunks[lane->next].head.open_ticks;
	return 1;
}

static uint32_t count_lanes(const struct ring *ring)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < ring->chunk_count; i++)
		n += !i || ring->chunks[i].head.lane != ring->chunks[i - 1].head.lane;
	return n;
}

static void add_lanes(struct records *r)
{
	const struct ring *ring = r->ring;

	for (uint32_t i = 0; i < ring->chunk_count;) {
		struct lane_reader *lane = &r->lanes[r->lane_count];

		lane->lane = ring->chunks[i].head.lane;
		lane->next = i;
		while (i < ring->chunk_count && ring->chunks[i].head.lane == lane->lane)
			i++;
		lane->end = i;
		lane_key(r, lane);
		r->heap[r->lane_count++] = lane;
	}
	r->heap_count = r->lane_count;
	for (uint32_t i = r->heap_count / 2; i-- > 0;)
		heap_sink(r, i);
}

struct records *records_open(const struct ring *ring)
{
	struct records *r = calloc(1, sizeof(*r));
	uint32_t lanes = count_lanes(ring);

	if (!r)
		return NULL;
	r->ring = ring;
	r->lanes = calloc(lanes + 1, sizeof(*r->lanes));
	r->heap = calloc(lanes + 1, sizeof(*r->heap));
	if (!r->lanes || !r->heap) {
		records_close(r);
		return NULL;
	}
	add_lanes(r);
	return r;
}

void records_close(struct records *r)
{
	for (uint32_t i = 0; i < r->lane_count; i++)
		free(r->lanes[i].now);
	free(r->lanes);
	free(r->heap);
	free(r);
}

int records_next(struct records *r, struct record *record)
{
	while (r->heap_count) {
		struct lane_reader *lane = r->heap[0];
		uint8_t slot;
		int error;

		/* The record given out last stays in memory until now: only here a chunk is left. */
		if (lane->now && lane->at < lane->count &&
		    lane->key == lane->now->chunk.slot[lane->order[lane->at]].t0) {
			slot = lane->order[lane->at++];
			record->slot = &lane->now->chunk.slot[slot];
			record->chunk = &lane->now->chunk;
			record->index = slot;
			record->owner = &lane->now->owners[lane->now->owner[slot + 1]];
			record->lane = lane->lane;
			record->position = lane->now->chunk.head.first + slot;
			record->ended = record->slot->done ? 0 :
				ring_thread_ended(r->ring, &r->ring->chunks[lane->next - 1], &lane->now->chunk,
						  slot, record->owner->thread);
			return 1;
		}
		if (!lane_key(r, lane)) {
			heap_drop_first(r);
			continue;
		}
		if (!lane->now) {
			error = lane_load(r, lane);
			if (error)
				return error;
			if (!lane_key(r, lane)) {
				heap_drop_first(r);
				continue;
			}
		}
		heap_sink(r, 0);
	}
	return 0;
}
