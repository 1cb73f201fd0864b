/*
 * cut.h - a copy of a ring shows it as it was at one moment, the cut.
 *
 * Whoever takes a copy while the process goes on (vprof snap, the trigger in the process) copies first
 * and then takes back, with these functions, what came after the cut: so that every reader sees in
 * the copy what a ring held then, and needs to know nothing of copies. They work on the copy alone, whose bytes
 * nobody else has. `cut` is in the ring's ticks and lies before the first byte was read.
 *
 *   a record that began later         is none: its slot is empty
 *   a call or range that ended later  is in flight, and what goes with done is void
 *   a chunk that was taken later      is none
 *
 * What was overwritten between the cut and the copying is gone and shows as any overwritten past does.
 * Calls that are only counted (VPROF_KIND_QUERIES) have the count of the copying.
 */
#ifndef VPROF_CUT_H
#define VPROF_CUT_H

#include "vprof/ring.h"

/* What was found in a chunk. */
struct vprof_cut_sum {
	uint32_t records, in_flight;
	uint64_t newest;           /* ticks: the latest beginning or end; 0: no record */
	int current;               /* it was its lane's at the cut */
};

/* The calls whose `object` comes with done. */
static inline int vprof_cut_object_is_late(const struct vprof_slot *slot)
{
	return slot->kind == VPROF_KIND_MEMORY || slot->kind == VPROF_KIND_MODULE ||
	       slot->kind == VPROF_KIND_GRAPH || slot->kind == VPROF_KIND_CALL;
}

/* 1: there is a record in the slot, as it was at the cut. */
static inline int vprof_cut_slot(struct vprof_slot *slot, uint64_t cut)
{
	if (slot->t0 > cut)
		return 0;
	if (slot->kind == VPROF_KIND_QUERIES) {
		if (slot->queries.last > cut - slot->t0)
			slot->queries.last = cut - slot->t0;
	} else if (slot->done && VPROF_DONE_TICKS(slot->done) > ((cut - slot->t0) | 1)) {
		slot->done = 0;
		if (vprof_cut_object_is_late(slot))
			slot->object = 0;
	}
	return 1;
}

/* When what the slot tells of was over, or was last seen. */
static inline uint64_t vprof_cut_slot_end(const struct vprof_slot *slot)
{
	if (slot->kind == VPROF_KIND_QUERIES)
		return slot->t0 + slot->queries.last;
	return slot->t0 + (VPROF_DONE_TICKS(slot->done) & ~1ull);
}

/*
 * A chunk whose slots from `used` on, and those without a whole record, have seq 0 or another chunk's.
 * `current`: it is known to have been its lane's at the cut, which a record that came later shows as well; such a
 * one had slots that were taken later. So may those have been that are reserved and not written: of a current
 * chunk's end the copy does not tell them.
 */
static inline struct vprof_cut_sum vprof_cut_chunk(struct vprof_chunk *chunk, uint32_t used, int current, uint64_t cut)
{
	struct vprof_cut_sum sum = { .current = current };
	uint32_t last = 0;

	for (uint32_t i = 1; i < VPROF_CHUNK_SLOTS; i++) {
		struct vprof_slot *slot = &chunk->slot[i - 1];
		uint64_t end;

		int whole = i < used && slot->seq == chunk->head.base + i;

		if (!whole || !vprof_cut_slot(slot, cut)) {
			sum.current |= whole;
			*slot = (struct vprof_slot){ 0 };
			continue;
		}
		end = vprof_cut_slot_end(slot);
		last = i;
		sum.records++;
		sum.in_flight += !slot->done;
		sum.newest = end > sum.newest ? end : sum.newest;
	}
	chunk->head.used = sum.current ? last + 1 : used;
	chunk->head.held = (uint32_t)sum.current;
	return sum;
}

/* The windows of recording (ring_control.h). */
static inline void vprof_cut_windows(struct vprof_served *served, uint64_t cut)
{
	for (unsigned i = 0; i < VPROF_WINDOWS; i++) {
		struct vprof_window *window = &served->window[i];

		if (window->start_ticks > cut) {
			*window = (struct vprof_window){ 0 };
			served->window_count -= served->window_count != 0;
		} else if (window->stop_ticks > cut) {
			window->stop_ticks = 0;
			window->stopped = VPROF_WINDOW_NONE;
		}
	}
	if (served->serial)
		served->pending_ns = 0; /* a copy waits for nothing */
}

static inline void vprof_cut_live(struct vprof_ring_live *live, uint64_t cut)
{
	if (live->end_ticks > cut) {
		live->state = VPROF_RING_RUNNING;
		live->end_ticks = 0;
	}
	if (live->beat_ticks > cut)
		live->beat_ticks = cut;
	for (unsigned i = 0; i < VPROF_MEMORY_TOTALS; i++)
		if (live->memory[i].peak_ticks > cut)
			live->memory[i].peak_ticks = cut;
	vprof_cut_windows(&live->served, cut);
}

/* 1: the holding was there at the cut. Else it is in `totals` no longer. */
static inline int vprof_cut_holding(const struct vprof_holding *holding, struct vprof_memory_total *totals,
				    uint64_t cut)
{
	int counted = holding->kind != VPROF_MEMORY_RESERVED && holding->kind != VPROF_MEMORY_MAPPED &&
		      holding->place < VPROF_MEMORY_TOTALS;

	if (holding->ticks <= cut)
		return 1;
	if (counted && totals[holding->place].bytes >= holding->bytes)
		totals[holding->place].bytes -= holding->bytes;
	return 0;
}

/*
 * A lane. `head`: of the chunk that was its own at the cut, as vprof_cut_chunk() left it; NULL: it had
 * none, or that is lost. `chunk`: the place of that chunk in the copy + 1; 0: it is not in the copy.
 * `reached`: of a lane without head, a position that it had not passed.
 */
static inline void vprof_cut_lane(struct vprof_lane *lane, const struct vprof_chunk_header *head, uint32_t chunk,
				  uint64_t reached, uint64_t cut)
{
	if (!head && lane->start_ticks > cut && !lane->owner_first) {
		*lane = (struct vprof_lane){ 0 };
		return;
	}
	if (lane->end_ticks > cut) {
		lane->state = VPROF_LANE_LIVE;
		lane->end_ticks = 0;
	}
	/* Another thread has come since: what is known of the one before it stands in the chunk. */
	if (lane->start_ticks > cut && head) {
		lane->thread = head->thread;
		lane->tid = head->tid;
		lane->start_ticks = head->open_ticks;
		lane->end_ticks = 0;
		lane->owner_first = head->first;
		__builtin_memcpy(lane->comm, head->comm, sizeof(lane->comm));
	}
	lane->chunk = chunk;
	if (!head)
		lane->sealed = reached < lane->sealed ? reached : lane->sealed;
	else
		lane->sealed = chunk ? head->first : head->first + head->used - 1;
}

/* The header of the copy. `first`: 0, or the beginning of what was asked for. */
static inline void vprof_cut_header(struct vprof_ring_header *header, uint64_t cut, uint64_t first)
{
	if (header->minor < 2)
		header->minor = 2;
	if (header->header_size < sizeof(*header))
		header->header_size = sizeof(*header);
	header->link[0] = '\0';
	header->cut_ticks = cut;
	header->cut_first = first;
}

#endif
