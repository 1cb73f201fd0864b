/*
 * count.c - calls that are counted instead of recorded, the cold half.
 *
 * Each lane has a struct vprof_counts, in private memory that is reserved for all lanes at
 * once and used by as many as there are. What a thread finds there is cleared first: the
 * lane's last owner may have counted in the chunk that the lane still has.
 *
 * A signal handler that counts between vprof_begin() and the store of the seq makes a second
 * slot for the same function: readers add them up.
 */
#include <errno.h>
#include <string.h>
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/record.h"

__thread struct vprof_counts *vprof_counts TLS_INITIAL_EXEC;

static struct vprof_counts *table; /* one for each lane; kept in forked children */
static uint32_t table_lanes;

void vprof_counts_init(uint32_t lanes)
{
	vprof_counts = NULL;
	if (lanes <= table_lanes)
		return;
	table = vprof_table(lanes * sizeof(*table));
	table_lanes = table ? lanes : 0;
}

void vprof_counts_enter(struct vprof_lane *lane)
{
	size_t index = lane ? (size_t)(lane - vprof_map.lanes) : table_lanes;

	vprof_counts = NULL;
	if (index >= table_lanes)
		return;
	memset(&table[index], 0, sizeof(table[index]));
	table[index].lane = lane;
	vprof_counts = &table[index];
}

struct vprof_slot *vprof_count_slow(unsigned call, unsigned query)
{
	struct vprof_record r;
	int saved = errno;

	if (!vprof_is_alive() || vprof_in_vfork_child || !vprof_map.header || (vprof_cursor.chunk && !vprof_counts))
		return NULL;
	r = vprof_begin();
	errno = saved;
	/* Without a place for its seq the slot stays unwritten; the thread has a chunk now, and does not come back. */
	if (!r.slot || !vprof_counts)
		return NULL;
	r.slot->t0 = vprof_ticks();
	r.slot->done = VPROF_DONE(1, 0);
	r.slot->kind = VPROF_KIND_QUERIES;
	r.slot->call = (uint16_t)call;
	r.slot->object = 0;
	memset(&r.slot->queries, 0, sizeof(r.slot->queries));
	/* Pairs with the readers' acquire load of seq. */
	__atomic_store_n(&r.slot->seq, r.seq, __ATOMIC_RELEASE);
	vprof_counts->seq[query] = r.seq;
	return r.slot;
}
