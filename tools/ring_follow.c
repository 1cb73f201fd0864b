/*
 * ring_follow.c - reading on in a live ring.
 *
 * A chunk's place follows from its ticket (ticket % chunk_count), and its base says whether it is still the
 * one of that ticket. So the tickets handed out since the last round, in their order, name the chunks that the
 * lanes took since. Slots are read twice, as in ring_chunks.c: what the first copy saw published and done is
 * whole in the second; and base is read again behind them.
 */
#include "tools/ring_follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/ring_inner.h"

enum { LANES_AT_ONCE = 32, LANES_MOST = 1 << 18 };

struct reader {
	struct ring_follow *follow;
	follow_see *see;
	void *to;
};

static uint64_t chunk_offset(const struct ring *ring, uint64_t index)
{
	return ring->header.chunks_offset + index * VPROF_CHUNK_SIZE;
}

static int read_head(const struct ring *ring, uint64_t index, struct vprof_chunk_header *head)
{
	return ring_pread(ring->fd, head, sizeof(*head), chunk_offset(ring, index)) == sizeof(*head) ? 0 : -EIO;
}

/* Slots from..to of the chunk; those that are not whole get seq 0. 0, or an error when they are another's by now. */
static int read_slots(const struct ring *ring, const struct follow_lane *lane, uint32_t to, struct vprof_slot *slots)
{
	struct vprof_slot first[VPROF_CHUNK_SLOTS];
	uint64_t offset = chunk_offset(ring, lane->chunk) + (uint64_t)lane->next * sizeof(*slots);
	ssize_t size = (ssize_t)((to - lane->next) * sizeof(*slots));
	struct vprof_chunk_header head;

	if (ring_pread(ring->fd, first, (size_t)size, offset) != size ||
	    ring_pread(ring->fd, slots, (size_t)size, offset) != size || read_head(ring, lane->chunk, &head))
		return -EIO;
	if (head.base != lane->base)
		return -ESTALE;
	for (uint32_t i = 0; i < to - lane->next; i++) {
		if (slots[i].seq != lane->base + lane->next + i || first[i].seq != slots[i].seq)
			slots[i].seq = 0;
		if (first[i].done != slots[i].done)
			slots[i].done = 0;
	}
	return 0;
}

/* Does it stay in flight until a call returns? */
static int holds_up(const struct vprof_slot *slot)
{
	return !slot->done && slot->kind < VPROF_KIND_QUERIES && slot->kind != VPROF_KIND_THREAD;
}

/* Has the lane another owner behind slot `i`? Then a call in it never returns. */
static int is_left(const struct vprof_slot *slots, uint32_t i, uint32_t count)
{
	while (++i < count)
		if (slots[i].seq && slots[i].kind == VPROF_KIND_THREAD)
			return 1;
	return 0;
}

/* Gives out the slots up to `to`. `over`: the lane has gone on, and nothing there is waited for. */
static void read_on(struct reader *r, struct follow_lane *lane, uint32_t to, int over)
{
	struct vprof_slot slots[VPROF_CHUNK_SLOTS];
	uint32_t count;

	lane->open.seq = 0;
	if (to > VPROF_CHUNK_SLOTS)
		to = VPROF_CHUNK_SLOTS;
	if (lane->next >= to)
		return;
	count = to - lane->next;
	if (read_slots(r->follow->ring, lane, to, slots)) {
		r->follow->missed++;
		lane->next = VPROF_CHUNK_SLOTS;
		return;
	}
	for (uint32_t i = 0; i < count; i++, lane->next++) {
		if (!slots[i].seq) {
			/* Reserved, and published in a moment; or never, when there is more behind it. */
			if (!over && i + 1 == count)
				return;
			continue;
		}
		if (slots[i].kind == VPROF_KIND_THREAD)
			lane->thread = slots[i].owner.thread;
		if (holds_up(&slots[i]) && !over && !is_left(slots, i, count)) {
			lane->open = slots[i];
			return;
		}
		if (!holds_up(&slots[i]))
			r->see(r->to, lane->thread, &slots[i]);
	}
}

/* The lane goes on in another chunk. */
static void enter_chunk(struct reader *r, struct follow_lane *lane, uint32_t index,
			const struct vprof_chunk_header *head)
{
	if (lane->base == head->base)
		return;
	if (lane->base) {
		read_on(r, lane, VPROF_CHUNK_SLOTS, 1);
		if (head->first > lane->first + VPROF_CHUNK_SLOTS - 1)
			r->follow->missed += (head->first - lane->first - 1) / (VPROF_CHUNK_SLOTS - 1);
	}
	lane->open.seq = 0;
	lane->base = head->base;
	lane->first = head->first;
	lane->chunk = index;
	lane->next = 1;
	lane->thread = head->thread;
}

static int lanes_grow(struct ring_follow *f, uint32_t count)
{
	struct follow_lane *lanes;

	if (count <= f->lane_count)
		return 0;
	lanes = reallocarray(f->lanes, count, sizeof(*lanes));
	if (!lanes)
		return -ENOMEM;
	memset(lanes + f->lane_count, 0, (count - f->lane_count) * sizeof(*lanes));
	f->lanes = lanes;
	f->lane_count = count;
	return 0;
}

/* The chunks of the tickets since the last round, as far as they are still theirs. */
static void read_tickets(struct reader *r)
{
	struct ring_follow *f = r->follow;
	uint64_t now = f->ring->live.ticket, from = f->ticket, count = f->ring->header.chunk_count;
	uint64_t most = f->ring->size / VPROF_CHUNK_SIZE < count ? f->ring->size / VPROF_CHUNK_SIZE : count;
	struct vprof_chunk_header head;

	/* Tickets only go up, unless the file is damaged. */
	if (now < from)
		from = f->ticket = now;
	if (now - from > most)
		from = now - most;
	f->missed += from - f->ticket;
	f->ticket = now;
	for (uint64_t n = from; n < now; n++)
		if (!read_head(f->ring, n % count, &head) && head.base == (n + 1) << 8 && head.lane < LANES_MOST &&
		    !lanes_grow(f, head.lane + 1))
			enter_chunk(r, &f->lanes[head.lane], (uint32_t)(n % count), &head);
}

static void read_lane(struct reader *r, struct follow_lane *lane, const struct vprof_lane *now)
{
	struct ring *ring = r->follow->ring;
	struct vprof_chunk_header head;

	r->follow->asked += now->queries - lane->queries;
	lane->queries = now->queries;
	if (!now->chunk || now->chunk > ring->header.chunk_count || read_head(ring, now->chunk - 1, &head))
		return;
	/* One that was taken after the tickets were read comes with them in the next round. */
	if (head.base && head.base >> 8 <= r->follow->ticket)
		enter_chunk(r, lane, now->chunk - 1, &head);
	if (lane->base == head.base && lane->base)
		read_on(r, lane, head.used, 0);
	/* Its thread has ended in it. */
	if (now->thread == lane->thread && now->end_ticks > lane->open.t0)
		lane->open.seq = 0;
}

/* Lanes are taken in their order, so the first that has never been used is the last to look at. */
static int read_lanes(struct reader *r)
{
	const struct vprof_ring_header *h = &r->follow->ring->header;
	struct vprof_lane block[LANES_AT_ONCE];
	uint32_t most = h->lane_size == sizeof(*block) ? h->lane_count : 0;

	for (uint32_t at = 0; at < most; at += LANES_AT_ONCE) {
		ssize_t got = ring_pread(r->follow->ring->fd, block, sizeof(block),
					 h->lanes_offset + at * sizeof(*block));
		uint32_t count = got > 0 ? (uint32_t)((size_t)got / sizeof(*block)) : 0;

		for (uint32_t i = 0; i < count && at + i < most; i++) {
			if (block[i].state == VPROF_LANE_UNUSED && !block[i].thread)
				return 0;
			if (lanes_grow(r->follow, at + i + 1))
				return -ENOMEM;
			read_lane(r, &r->follow->lanes[at + i], &block[i]);
		}
		if (count < LANES_AT_ONCE)
			return got < 0 ? (int)got : 0;
	}
	return 0;
}

int ring_follow_begin(struct ring_follow *follow, struct ring *ring)
{
	*follow = (struct ring_follow){ .ring = ring };
	follow->ticket = ring->live.ticket;
	return 0;
}

void ring_follow_end(struct ring_follow *follow)
{
	free(follow->lanes);
	*follow = (struct ring_follow){ 0 };
}

int ring_follow_round(struct ring_follow *follow, follow_see *see, void *to)
{
	struct reader reader = { follow, see, to };
	int error = ring_reread(follow->ring, RING_LIVE);

	follow->asked = 0;
	if (error)
		return error;
	read_tickets(&reader);
	return read_lanes(&reader);
}
