/*
 * follow.c - see the header.
 *
 * A lane is read slot by slot through its chunks. The next chunk is the lane's present one if its
 * positions go on where the last one ended; else it is looked for among the tickets since. When the writer has
 * lapped us, what was lost is lost, and we go on with the present chunk.
 *
 * A call in flight holds its lane up, since its thread is in it, unless a later record shows that it was left
 * by a signal handler's or a longjmp. Indices and bases come from memory that others may write: each is
 * checked before use.
 */
#include "preload/follow.h"

#include "preload/process.h"

static struct vprof_chunk *chunk_at(uint32_t index)
{
	return index < vprof_map.chunk_count ? &vprof_map.chunks[index] : NULL;
}

/* Pairs with the release in chunk_open(). */
static uint64_t base_of(const struct vprof_chunk *chunk)
{
	return __atomic_load_n(&chunk->head.base, __ATOMIC_ACQUIRE);
}

static int goes_on(const struct vprof_chunk *chunk, uint32_t lane, uint64_t position)
{
	return __atomic_load_n(&chunk->head.lane, __ATOMIC_RELAXED) == lane &&
	       __atomic_load_n(&chunk->head.first, __ATOMIC_RELAXED) == position;
}

static void go_to(struct follow *follow, uint32_t index, uint32_t slot)
{
	struct vprof_chunk *chunk = chunk_at(index);

	follow->base = chunk ? base_of(chunk) : 0;
	follow->chunk = index;
	follow->at = slot;
}

/* The lane's present chunk + 1; 0: none. */
static uint32_t present(uint32_t lane)
{
	return __atomic_load_n(&vprof_map.lanes[lane].chunk, __ATOMIC_RELAXED);
}

/* The lane has filled the chunk: on to the one whose first position is `position`. 0: there is none yet. */
static int next_chunk(struct follow *follow, uint32_t lane, uint64_t position)
{
	uint64_t newest = __atomic_load_n(&vprof_map.live->ticket, __ATOMIC_RELAXED);
	uint64_t ticket = follow->base >> 8; /* the one after its own */
	uint32_t now = present(lane);
	struct vprof_chunk *chunk = now ? chunk_at(now - 1) : NULL;

	if (!chunk || base_of(chunk) == follow->base)
		return 0;
	if (newest > ticket + vprof_map.chunk_count)
		ticket = newest - vprof_map.chunk_count;
	if (!goes_on(chunk, lane, position))
		for (; ticket < newest; ticket++) {
			uint32_t index = (uint32_t)(ticket % vprof_map.chunk_count);

			if (base_of(&vprof_map.chunks[index]) == (ticket + 1) << 8 &&
			    goes_on(&vprof_map.chunks[index], lane, position)) {
				now = index + 1;
				break;
			}
		}
	go_to(follow, now - 1, 1);
	return follow->base != 0;
}

/* Copies slot `at`. 1 and it is whole; 0: it is not, or not yet. */
static int copy_slot(const struct follow *follow, uint32_t at, struct vprof_slot *slot)
{
	struct vprof_chunk *chunk = chunk_at(follow->chunk);
	const struct vprof_slot *from = &chunk->slot[at - 1];
	/* Pairs with the release in vprof_publish(). */
	uint64_t seq = __atomic_load_n(&from->seq, __ATOMIC_ACQUIRE);

	if (seq != follow->base + at)
		return 0;
	/* Pairs with the release in vprof_end(): what is valid with done is there. */
	slot->done = __atomic_load_n(&from->done, __ATOMIC_ACQUIRE);
	slot->seq = seq;
	slot->t0 = __atomic_load_n(&from->t0, __ATOMIC_RELAXED);
	slot->kind = __atomic_load_n(&from->kind, __ATOMIC_RELAXED);
	slot->call = __atomic_load_n(&from->call, __ATOMIC_RELAXED);
	slot->object = __atomic_load_n(&from->object, __ATOMIC_RELAXED);
	for (int i = 0; i < 4; i++)
		slot->words[i] = __atomic_load_n(&from->words[i], __ATOMIC_RELAXED);
	/* Is it still that record? */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&chunk->head.base, __ATOMIC_RELAXED) == follow->base;
}

/* Is there a record behind slot `at` in its chunk? Then nothing more is to be expected of that one soon. */
static int has_later(const struct follow *follow, uint32_t at)
{
	struct vprof_slot later;

	return at + 1 < VPROF_CHUNK_SLOTS && copy_slot(follow, at + 1, &later);
}

/* Has the lane a record to give out? */
static int lane_ready(struct follow *follow, uint32_t lane)
{
	while (!follow->ready) {
		struct vprof_chunk *chunk = chunk_at(follow->chunk);
		int whole;

		if (!follow->base) {
			if (!present(lane))
				return 0;
			go_to(follow, present(lane) - 1, 1);
			if (!follow->base)
				return 0;
			continue;
		}
		if (base_of(chunk) != follow->base) {
			follow->base = 0;
			continue;
		}
		if (follow->at == VPROF_CHUNK_SLOTS) {
			uint64_t first = __atomic_load_n(&chunk->head.first, __ATOMIC_RELAXED);

			if (!next_chunk(follow, lane, first + VPROF_CHUNK_SLOTS - 1))
				return 0;
			continue;
		}
		whole = copy_slot(follow, follow->at, &follow->slot);
		if (whole && follow->slot.done) {
			follow->at++;
			follow->ready = 1;
		} else if (has_later(follow, follow->at)) {
			follow->at++;
		} else {
			return 0;
		}
	}
	return 1;
}

static uint32_t lanes(void)
{
	return vprof_map.lane_count < FOLLOW_LANES ? vprof_map.lane_count : FOLLOW_LANES;
}

void vprof_follow_begin(struct follow follows[FOLLOW_LANES])
{
	for (uint32_t i = 0; i < FOLLOW_LANES; i++)
		follows[i] = (struct follow){ 0 };
	for (uint32_t i = 0; i < lanes(); i++) {
		uint32_t now = present(i);
		struct vprof_chunk *chunk = now ? chunk_at(now - 1) : NULL;
		uint32_t used = chunk ? __atomic_load_n(&chunk->head.used, __ATOMIC_RELAXED) : 0;

		if (chunk)
			go_to(&follows[i], now - 1, used && used < VPROF_CHUNK_SLOTS ? used : VPROF_CHUNK_SLOTS);
	}
}

void vprof_follow_round(struct follow follows[FOLLOW_LANES])
{
	for (uint32_t i = 0; i < FOLLOW_LANES; i++)
		follows[i].dry = 0;
}

const struct vprof_slot *vprof_follow_next(struct follow follows[FOLLOW_LANES], uint32_t *lane)
{
	struct follow *first = NULL;

	for (uint32_t i = 0; i < lanes(); i++) {
		struct follow *follow = &follows[i];

		/* Lanes are taken one after the other. */
		if (__atomic_load_n(&vprof_map.lanes[i].state, __ATOMIC_RELAXED) == VPROF_LANE_UNUSED)
			break;
		if (follow->dry)
			continue;
		if (!lane_ready(follow, i)) {
			follow->dry = 1;
			continue;
		}
		if (!first || follow->slot.t0 < first->slot.t0) {
			first = follow;
			*lane = i;
		}
	}
	if (!first)
		return NULL;
	first->ready = 0;
	return &first->slot;
}
