/*
 * spill_keep.c - which chunks are kept, and when.
 *
 * The keeper follows the tickets of the chunks (chunk.c). The chunk that a ticket may have gone to is listed until
 * its thread has left it; chunks of one lane are then written together, as a frame. They are written
 * in the order of the lane, so what a lane lost in between shows in its positions, and is counted.
 *
 * A frame is begun when it would be full, or when the ring has gone on by a quarter since one of its chunks
 * was taken: what is not written yet is in the ring, also when the process is killed. So the end has
 * nothing to write either.
 *
 * A chunk is copied by the readers' protocol (ring.h): its base is the same before and after. Calls in it
 * that have not returned keep their lane back until the ring presses; open ranges do not, for what
 * follows tells of them again.
 *
 * Nothing here waits; all of it is the spill's thread's own (spill.c).
 */
#include <errno.h>
#include <string.h>
#include "preload/inner.h"
#include "preload/record.h"
#include "preload/spill_file.h"
#include "preload/spill_keep.h"
#include "preload/spill_pack.h"

enum {
	PRESSED = 4,            /* the ring presses when it has gone on by one part in so many */
	LOOKS = 4,              /* it is looked at so often while that part fills, at RECORDS_US */
	RECORDS_US = 20,        /* records that a process makes in a microsecond, at most */
	LEAST_US = 200, MOST_US = 20000,
};
#define UNKNOWN UINT64_MAX

/* A chunk whose thread has left it, or is expected to. */
struct entry {
	uint32_t index;
	uint32_t lane;          /* the rest is of the chunk that was seen there last */
	uint64_t base;          /* 0: none that is not kept yet */
	uint64_t first;
	int ready;              /* its thread has left it */
};

/* Of one ring; the spill's thread's own. */
struct vprof_keeper {
	struct vprof_map map;
	uint64_t next;          /* ticket that was not looked at yet */
	struct entry *list;
	uint32_t count;
	uint64_t *newest;       /* by chunk: the last ticket that may have gone to it + 1 */
	uint64_t *kept;         /* by chunk: base of what was written of it last */
	uint8_t *listed;        /* by chunk */
	uint64_t *expected;     /* by lane: the position that was written last + 1; UNKNOWN before */
	uint64_t *lowest;       /* by lane: scratch of vprof_keeper_end() */
	uint32_t *ready;        /* by lane: entries that are */
	void *codec;
	struct vprof_spill_pack *pack;
	struct vprof_chunk chunk; /* the copy */
};

static uint64_t ticket_now(const struct vprof_keeper *k)
{
	return __atomic_load_n(&k->map.live->ticket, __ATOMIC_RELAXED);
}

static void lose_chunks(const struct vprof_keeper *k, uint64_t count)
{
	__atomic_fetch_add(&k->map.live->loss[VPROF_LOSS_SPILLED], count, __ATOMIC_RELAXED);
}

/* ---- the list ---- */

static void list_tickets(struct vprof_keeper *k)
{
	uint64_t now = ticket_now(k);

	if (now - k->next > k->map.chunk_count)
		k->next = now - k->map.chunk_count;
	for (; k->next < now; k->next++) {
		uint32_t index = (uint32_t)(k->next % k->map.chunk_count);

		k->newest[index] = k->next + 1;
		if (k->listed[index])
			continue;
		k->listed[index] = 1;
		k->list[k->count++] = (struct entry){ .index = index };
	}
}

/*
 * What is in that chunk now? Base is the same before and after `held` is read, so both are of one
 * moment; pairs with the release stores in chunk.c.
 */
static void entry_look(struct vprof_keeper *k, struct entry *e)
{
	struct vprof_chunk_header *head = &k->map.chunks[e->index].head;
	uint64_t base = __atomic_load_n(&head->base, __ATOMIC_ACQUIRE);
	uint32_t held = __atomic_load_n(&head->held, __ATOMIC_ACQUIRE);

	e->base = 0;
	if (!base || base == k->kept[e->index])
		return;
	e->lane = __atomic_load_n(&head->lane, __ATOMIC_RELAXED);
	e->first = __atomic_load_n(&head->first, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&head->base, __ATOMIC_RELAXED) != base || e->lane >= k->map.lane_count)
		return;
	e->base = base;
	e->ready = !held;
	k->ready[e->lane] += !held;
}

/* May the entry's last ticket still bring a chunk? Not when it is stale (chunk.c), and nobody holds the chunk. */
static int entry_waits(const struct vprof_keeper *k, const struct entry *e)
{
	const struct vprof_chunk_header *head = &k->map.chunks[e->index].head;

	return e->base || __atomic_load_n(&head->held, __ATOMIC_RELAXED) ||
	       ticket_now(k) - (k->newest[e->index] - 1) <= k->map.chunk_count;
}

void vprof_keeper_look(struct vprof_keeper *k)
{
	uint32_t left = 0;

	list_tickets(k);
	for (uint32_t i = 0; i < k->count; i++) {
		struct entry *e = &k->list[i];

		if (!e->ready)
			entry_look(k, e);
		if (entry_waits(k, e))
			k->list[left++] = *e;
		else
			k->listed[e->index] = 0;
	}
	k->count = left;
}

/* ---- frames ---- */

static int is_pressed(const struct vprof_keeper *k, const struct entry *e)
{
	return ticket_now(k) - ((e->base >> 8) - 1) > k->map.chunk_count / PRESSED;
}

/* The oldest chunks of a lane that are ready, in the lane's order: their number. */
static uint32_t lane_gather(struct vprof_keeper *k, uint32_t lane, struct entry *out[VPROF_SPILL_CHUNKS])
{
	uint32_t count = 0, at;

	for (uint32_t i = 0; i < k->count; i++) {
		struct entry *e = &k->list[i];

		if (!e->ready || e->lane != lane)
			continue;
		if (count == VPROF_SPILL_CHUNKS && e->base > out[count - 1]->base)
			continue;
		at = count < VPROF_SPILL_CHUNKS ? count++ : count - 1;
		for (; at && out[at - 1]->base > e->base; at--)
			out[at] = out[at - 1];
		out[at] = e;
	}
	return count;
}

/* Is a chunk of the lane that comes before this one still with its thread, as far as we have seen? */
static int lane_has_older(const struct vprof_keeper *k, const struct entry *e)
{
	for (uint32_t i = 0; i < k->count; i++)
		if (k->list[i].base && !k->list[i].ready && k->list[i].lane == e->lane && k->list[i].first < e->first)
			return 1;
	return 0;
}

/* The slots whose calls have not returned; `calls`: how many of them are calls, not ranges. */
static void open_slots(const struct vprof_chunk *chunk, uint64_t base, uint8_t open[VPROF_CHUNK_SLOTS], uint32_t *calls)
{
	*calls = 0;
	for (uint32_t i = 1; i < VPROF_CHUNK_SLOTS; i++) {
		const struct vprof_slot *slot = &chunk->slot[i - 1];

		open[i] = __atomic_load_n(&slot->seq, __ATOMIC_RELAXED) == base + i &&
			  !__atomic_load_n(&slot->done, __ATOMIC_ACQUIRE);
		*calls += open[i] && slot->kind != VPROF_KIND_RANGE;
	}
}

/* 1: copied. 0: overwritten meanwhile. -EAGAIN: it has calls that are worth waiting for. */
static int chunk_copy(struct vprof_keeper *k, const struct entry *e)
{
	const struct vprof_chunk *chunk = &k->map.chunks[e->index];
	uint8_t open[VPROF_CHUNK_SLOTS];
	uint32_t calls;

	open_slots(chunk, e->base, open, &calls);
	if (calls && !is_pressed(k, e))
		return -EAGAIN;
	memcpy(&k->chunk, chunk, sizeof(k->chunk));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&chunk->head.base, __ATOMIC_RELAXED) != e->base)
		return 0;
	k->chunk.head.held = 0;
	/* A call that returned during the copy: what goes with done may not be whole. */
	for (uint32_t i = 1; i < VPROF_CHUNK_SLOTS; i++) {
		struct vprof_slot *slot = &k->chunk.slot[i - 1];

		if (open[i])
			slot->done = 0;
		if (!slot->kind || (slot->done && !VPROF_DONE_TICKS(slot->done)))
			slot->seq = 0;
	}
	return 1;
}

static void lose_gap(const struct vprof_keeper *k, uint64_t records)
{
	lose_chunks(k, (records + VPROF_CHUNK_SLOTS - 2) / (VPROF_CHUNK_SLOTS - 1));
}

/* Positions of the lane that were overwritten before they came here. */
static void count_gap(struct vprof_keeper *k, const struct vprof_chunk_header *head)
{
	uint32_t used = head->used < VPROF_CHUNK_SLOTS ? head->used : VPROF_CHUNK_SLOTS;
	uint64_t *expected = &k->expected[head->lane];

	if (*expected != UNKNOWN && head->first > *expected)
		lose_gap(k, head->first - *expected);
	if (*expected == UNKNOWN || head->first + used - 1 > *expected)
		*expected = head->first + used - 1;
}

void vprof_keeper_end(struct vprof_keeper *k)
{
	for (uint32_t i = 0; i < k->count; i++) {
		const struct entry *e = &k->list[i];

		if (e->base && (!k->lowest[e->lane] || e->first < k->lowest[e->lane] - 1))
			k->lowest[e->lane] = e->first + 1;
	}
	for (uint32_t i = 0; i < k->map.lane_count; i++) {
		uint64_t first = k->lowest[i] - 1;

		if (k->lowest[i] && k->expected[i] != UNKNOWN && first > k->expected[i])
			lose_gap(k, first - k->expected[i]);
		k->lowest[i] = 0;
	}
}

static void entry_drop(struct vprof_keeper *k, struct entry *e)
{
	k->ready[e->lane]--;
	e->ready = 0;
	e->base = 0;
}

/* One frame of chunks of the lane of `oldest`, as many as there are: how many, or a negative errno. */
static int lane_write(struct vprof_keeper *k, const struct entry *oldest)
{
	struct entry *chosen[VPROF_SPILL_CHUNKS];
	uint32_t count = lane_gather(k, oldest->lane, chosen);
	int error = 0;

	vprof_spill_pack_begin(k->pack);
	for (uint32_t i = 0; i < count; i++) {
		struct entry *e = chosen[i];
		int got;

		if (k->expected[e->lane] != UNKNOWN && e->first > k->expected[e->lane] && !is_pressed(k, e) &&
		    lane_has_older(k, e))
			break;
		got = chunk_copy(k, e);
		if (got < 0)
			break;
		if (got) {
			count_gap(k, &k->chunk.head);
			vprof_spill_pack_chunk(k->pack, &k->chunk);
			k->kept[e->index] = e->base;
		}
		entry_drop(k, e);
	}
	count = k->pack->chunks;
	if (!count)
		return 0;
	error = vprof_spill_write(k->pack->frame, vprof_spill_pack_end(k->pack, k->codec, vprof_ticks()), count);
	if (error)
		lose_chunks(k, count);
	return error ? error : (int)count;
}

int vprof_keeper_write(struct vprof_keeper *k, int last)
{
	int written = 0, got;

	for (uint32_t i = 0; i < k->count; i++) {
		const struct entry *e = &k->list[i];

		if (!e->ready || (!last && k->ready[e->lane] < VPROF_SPILL_CHUNKS && !is_pressed(k, e)))
			continue;
		got = lane_write(k, e);
		if (got < 0)
			return got;
		written += got;
	}
	return written;
}

/* ---- the keeper ---- */

static void *table(uint32_t count, size_t size)
{
	return vprof_table((size_t)count * size);
}

struct vprof_keeper *vprof_keeper_open(const struct vprof_map *map)
{
	struct vprof_keeper *k = vprof_table(sizeof(*k));

	if (!k)
		return NULL;
	k->map = *map;
	k->list = table(map->chunk_count, sizeof(*k->list));
	k->newest = table(map->chunk_count, sizeof(*k->newest));
	k->kept = table(map->chunk_count, sizeof(*k->kept));
	k->listed = table(map->chunk_count, sizeof(*k->listed));
	k->expected = table(map->lane_count, sizeof(*k->expected));
	k->lowest = table(map->lane_count, sizeof(*k->lowest));
	k->ready = table(map->lane_count, sizeof(*k->ready));
	k->pack = vprof_table(sizeof(*k->pack));
	k->codec = vprof_spill_codec_open();
	/* What does not fit stays mapped: such a process has other worries. */
	return k->list && k->newest && k->kept && k->listed && k->expected && k->lowest && k->ready && k->pack ?
	       k : NULL;
}

void vprof_keeper_begin(struct vprof_keeper *k, int since_start)
{
	for (uint32_t i = 0; i < k->map.lane_count; i++)
		k->expected[i] = since_start ? 0 : UNKNOWN;
	k->next = 0;
}

uint64_t vprof_keeper_round_us(const struct vprof_keeper *k)
{
	uint64_t us = (uint64_t)k->map.chunk_count * (VPROF_CHUNK_SLOTS - 1) / PRESSED / LOOKS / RECORDS_US;

	return us < LEAST_US ? LEAST_US : us > MOST_US ? MOST_US : us;
}
