/*
 * count.c - calls that are counted instead of recorded, the cold half.
 *
 * Each lane has a struct vprof_counts, in private memory that is reserved for all lanes at
 * once and used by as many as there are. What a thread finds there is cleared first: the
 * lane's last owner may have counted in the chunk that the lane still has.
 *
 * A signal handler that counts between vprof_begin() and the store behind it makes a second slot for
 * the same function: readers add them up. One that takes another chunk between the look for a slot and
 * the addition leaves that to the chunk before, where it is as true; but no slot of a chunk that the
 * thread has left is kept for later, since another thread may take that chunk.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/record.h"

static struct vprof_counts *table; /* one for each lane; kept in forked children */
static uint32_t table_lanes;

void vprof_counts_init(uint32_t lanes)
{
	vprof_cursor.counts = NULL;
	if (lanes <= table_lanes)
		return;
	table = vprof_table(lanes * sizeof(*table));
	table_lanes = table ? lanes : 0;
	/* A child that no handler is told of would count in its parent's ring, without asking. */
	if (table)
		(void)madvise(table, lanes * sizeof(*table), MADV_WIPEONFORK);
}

void vprof_counts_enter(struct vprof_lane *lane)
{
	size_t index = lane ? (size_t)(lane - vprof_map.lanes) : table_lanes;

	vprof_counts_turn();
	vprof_cursor.counts = NULL;
	if (index >= table_lanes)
		return;
	memset(&table[index], 0, sizeof(table[index]));
	table[index].lane = lane;
	vprof_cursor.counts = &table[index];
}

/* What the lane has not been told yet: see vprof_count_is_timed(). */
static uint64_t untold(uint64_t count)
{
	return count <= VPROF_QUERIES_TIMED ? 0 : count % VPROF_QUERIES_TIMED;
}

void vprof_counts_turn(void)
{
	struct vprof_counts *counts = vprof_cursor.counts;

	memset(vprof_cursor.near, 0, sizeof(vprof_cursor.near));
	/* What a child has of its parent may be another thread's by now. */
	if (!vprof_cursor_is_ours())
		vprof_cursor.counts = counts = NULL;
	if (!counts)
		return;
	for (unsigned i = 0; i < VPROF_QUERIES; i++) {
		const struct vprof_slot *slot = counts->slot[i];

		if (!slot)
			continue;
		/* First, so that a handler counts elsewhere from here on. */
		__atomic_store_n(&counts->slot[i], NULL, __ATOMIC_RELAXED);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		vprof_add(&counts->lane->queries, untold(slot->queries.count));
	}
}

/* Keeps where a function is counted, unless a handler has taken another chunk: whoever does clears all. */
static void slot_keep(struct vprof_slot **kept, struct vprof_slot *slot, uint64_t seq)
{
	__atomic_store_n(kept, slot, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if ((vprof_cursor_at() - 1) >> 8 != seq >> 8)
		__atomic_store_n(kept, NULL, __ATOMIC_RELAXED);
}

/* A slot that counts from here on; NULL when there is no ring, or no memory to keep where it is. */
static struct vprof_slot *begin_slot(unsigned call, unsigned query)
{
	struct vprof_record r;

	if (!vprof_is_alive() || vprof_in_vfork_child || !vprof_map.header ||
	    (vprof_cursor.chunk && !vprof_cursor.counts))
		return NULL;
	r = vprof_begin();
	/* Without a place to keep it the slot stays unwritten; the thread has a chunk now, and does not come back. */
	if (!r.slot || !vprof_cursor.counts)
		return NULL;
	r.slot->t0 = vprof_ticks();
	r.slot->done = VPROF_DONE(1, 0);
	r.slot->kind = VPROF_KIND_QUERIES;
	r.slot->call = (uint16_t)call;
	r.slot->object = 0;
	memset(&r.slot->queries, 0, sizeof(r.slot->queries));
	/* Pairs with the readers' acquire load of seq. */
	__atomic_store_n(&r.slot->seq, r.seq, __ATOMIC_RELEASE);
	slot_keep(&vprof_cursor.counts->slot[query], r.slot, r.seq);
	return r.slot;
}

void vprof_count_error(unsigned query)
{
	struct vprof_counts *counts = vprof_cursor.counts;
	struct vprof_slot *slot = counts && vprof_cursor_is_ours() ? counts->slot[query] : NULL;

	if (slot)
		vprof_add(&slot->queries.failed, 1);
}

void vprof_count_slow(unsigned call, unsigned query, int failed)
{
	struct vprof_counts *counts = vprof_cursor.counts;
	struct vprof_slot *slot = counts && vprof_cursor_is_ours() ? counts->slot[query] : NULL;
	int saved = errno;

	if (!slot)
		slot = begin_slot(call, query);
	errno = saved;
	if (!slot)
		return;
	vprof_add(&slot->queries.count, 1);
	if (failed)
		vprof_add(&slot->queries.failed, 1);
	if (!vprof_count_is_timed(slot->queries.count))
		return;
	__atomic_store_n(&slot->queries.last, vprof_ticks() - slot->t0, __ATOMIC_RELAXED);
	vprof_add(&vprof_cursor.counts->lane->queries,
		  slot->queries.count <= VPROF_QUERIES_TIMED ? 1 : VPROF_QUERIES_TIMED);
}

void vprof_count_near(unsigned near, unsigned query)
{
	struct vprof_counts *counts = vprof_cursor.counts;
	struct vprof_slot *slot = counts && vprof_cursor_is_ours() ? counts->slot[query] : NULL;

	if (slot && slot->queries.count >= VPROF_QUERIES_TIMED)
		slot_keep(&vprof_cursor.near[near], slot, __atomic_load_n(&slot->seq, __ATOMIC_RELAXED));
}
