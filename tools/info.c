/*
 * info.c - counts a ring's records by thread, and finds out what became of its process.
 *
 * What is overwritten shows as a gap in a lane's positions. A gap between two chunks
 * that the same thread opened and left is that thread's, one after owner_first the
 * present owner's; any other may be several threads' and goes to none of them.
 */
#include "tools/info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/idmap.h"
#include "tools/list.h"
#include "tools/process.h"
#include "tools/ranges.h"
#include "tools/records.h"

struct table {
	struct info_thread *rows;
	size_t count;
};

static struct info_thread *table_add(struct table *table, uint64_t serial)
{
	if (list_grow(table->rows, table->count))
		return NULL;
	table->rows[table->count] = (struct info_thread){ .serial = serial };
	return &table->rows[table->count++];
}

static void row_see(struct info_thread *row, const struct vprof_slot *slot, enum info_last last)
{
	if (!row->present++)
		row->first_ticks = slot->t0;
	if (slot->t0 < row->first_ticks)
		row->first_ticks = slot->t0;
	if (slot->t0 >= row->last_ticks) {
		row->last_ticks = slot->t0;
		if (slot_is_said(slot) || slot_is_gpu(slot))
			return;
		row->last_call = slot->call;
		row->last_kind = slot->kind;
		row->last = last;
	}
}

static int query_see(struct info *info, const struct vprof_slot *slot)
{
	struct info_query *query = NULL;

	for (size_t i = 0; i < info->query_count && !query; i++)
		if (info->queries[i].call == slot->call)
			query = &info->queries[i];
	if (!query) {
		if (list_grow(info->queries, info->query_count))
			return -ENOMEM;
		query = &info->queries[info->query_count++];
		*query = (struct info_query){ .call = slot->call };
	}
	query->count += slot->queries.count;
	query->failed += slot->queries.failed;
	return 0;
}

static int query_order(const void *a, const void *b)
{
	const struct info_query *x = a, *y = b;

	return x->call < y->call ? -1 : x->call > y->call;
}

/* Lanes say how many there were in all, a little late: while nothing is overwritten the records know better. */
static void queries_finish(struct info *info, const struct ring *ring)
{
	uint64_t told = 0;

	for (size_t i = 0; i < info->query_count; i++)
		told += info->queries[i].count;
	for (uint32_t i = 0; i < ring->lane_count; i++)
		info->queries_all += ring->lanes[i].queries;
	if (info->queries_all < told)
		info->queries_all = told;
	if (info->query_count)
		qsort(info->queries, info->query_count, sizeof(*info->queries), query_order);
}

static enum info_last what_became(const struct ring *ring, const struct ring_chunk *chunk,
				  const struct owned_chunk *owned, uint32_t slot)
{
	if (owned->chunk.slot[slot].done)
		return INFO_RETURNED;
	return ring_thread_ended(ring, chunk, &owned->chunk, slot, owned->owners[owned->owner[slot + 1]].thread) ?
	       INFO_ABANDONED : INFO_IN_FLIGHT;
}

/* A row for each run of records of one owner in the chunk; runs are joined later. */
static int count_records(struct table *table, struct info *info, const struct ring *ring,
			 const struct ring_chunk *chunk, const struct owned_chunk *owned)
{
	struct info_thread *row = NULL;

	for (uint32_t i = 1; i < VPROF_CHUNK_SLOTS; i++) {
		const struct vprof_slot *slot = &owned->chunk.slot[i - 1];
		const struct record_owner *owner = &owned->owners[owned->owner[i]];
		enum info_last last;

		if (!slot->seq)
			continue;
		/* A range is told several times, and open where it is none of them that has its end. */
		last = slot->kind == VPROF_KIND_RANGE ? INFO_RETURNED : what_became(ring, chunk, owned, i - 1);
		info->losses.in_flight += last != INFO_RETURNED;
		info->abandoned += last == INFO_ABANDONED;
		if (!row || row->serial != owner->thread) {
			row = table_add(table, owner->thread);
			if (!row)
				return -ENOMEM;
			row->tid = owner->tid;
			memcpy(row->comm, owner->comm, sizeof(row->comm));
		}
		row_see(row, slot, last);
		if (slot->kind == VPROF_KIND_QUERIES && query_see(info, slot))
			return -ENOMEM;
	}
	return 0;
}

/* Positions from..to of a lane are gone; `a` left them behind, `b` opened the next chunk. */
static int count_gap(struct table *table, const struct vprof_lane *lane, uint64_t from, uint64_t to,
		     uint64_t a, uint64_t b)
{
	struct info_thread *row;
	uint64_t own = 0;

	if (to <= from)
		return 0;
	if (a != b && lane && lane->thread == b && lane->owner_first < to) {
		own = to - (lane->owner_first > from ? lane->owner_first : from);
		row = table_add(table, b);
		if (!row)
			return -ENOMEM;
		row->overwritten = own;
	}
	if (own == to - from)
		return 0;
	row = table_add(table, a == b ? a : 0);
	if (!row)
		return -ENOMEM;
	row->overwritten = to - from - own;
	return 0;
}

static void count_slots(struct ring_losses *losses, const struct ring_chunk *chunk,
			const struct owned_chunk *owned)
{
	losses->present += (uint64_t)owned->records;
	if (owned->chunk.head.base != chunk->head.base)
		losses->overwritten += chunk->used - 1; /* taken over since the index was made */
	else if ((uint32_t)owned->records < chunk->used - 1)
		losses->torn += chunk->used - 1 - (uint32_t)owned->records;
}

/* One lane: its chunks are ring->chunks[first..end), maybe none. */
static int count_lane(struct table *table, struct info *info, const struct ring *ring, uint32_t index,
		      uint32_t first, uint32_t end, struct owned_chunk *owned)
{
	const struct vprof_lane *lane = index < ring->lane_count ? &ring->lanes[index] : NULL;
	struct ring_losses *losses = &info->losses;
	uint64_t position = 0, owner = 0;
	int error = 0;

	for (uint32_t i = first; i < end && error >= 0; i++) {
		const struct ring_chunk *chunk = &ring->chunks[i];
		const struct vprof_chunk_header *head = &chunk->head;

		error = count_gap(table, lane, position, head->first, owner, head->thread);
		if (!error)
			error = owned_chunk_read(ring, chunk, owned);
		if (error < 0)
			break;
		if (head->first > position)
			losses->overwritten += head->first - position;
		count_slots(losses, chunk, owned);
		error = count_records(table, info, ring, chunk, owned);
		owner = owned->owners[owned->owner_count - 1].thread;
		position = head->first + chunk->used - 1;
	}
	if (error >= 0 && lane && lane->sealed > position && lane->sealed < UINT64_MAX >> 4) {
		losses->overwritten += lane->sealed - position;
		error = count_gap(table, NULL, position, lane->sealed, owner, lane->thread);
	}
	return error < 0 ? error : 0;
}

static int compare_rows(const void *a, const void *b)
{
	const struct info_thread *x = a, *y = b;

	if (x->serial != y->serial)
		return x->serial < y->serial ? -1 : 1;
	return (x->last_ticks > y->last_ticks) - (x->last_ticks < y->last_ticks);
}

/* Joins the rows of each thread: sorted, so that the last row has the last call. */
static void join_rows(struct table *table)
{
	size_t kept = 0;

	if (table->count)
		qsort(table->rows, table->count, sizeof(*table->rows), compare_rows);
	for (size_t i = 0; i < table->count; i++) {
		struct info_thread *row = &table->rows[i], *into = kept ? &table->rows[kept - 1] : NULL;

		if (!into || into->serial != row->serial) {
			table->rows[kept++] = *row;
			continue;
		}
		if (row->present) {
			uint64_t first = into->present && into->first_ticks < row->first_ticks ?
					 into->first_ticks : row->first_ticks;
			uint64_t present = into->present, overwritten = into->overwritten;

			*into = *row;
			into->first_ticks = first;
			into->present += present;
			into->overwritten += overwritten;
		} else {
			into->overwritten += row->overwritten;
		}
	}
	table->count = kept;
}

/* Threads whose records are all gone are still named by the lane that they hold. */
static int name_rows(struct table *table, const struct ring *ring)
{
	struct idmap lanes = { 0 };
	int error = 0;

	for (uint32_t l = 0; l < ring->lane_count && !error; l++)
		if (ring->lanes[l].thread)
			error = idmap_put(&lanes, ring->lanes[l].thread, l);
	for (size_t i = 0; i < table->count && !error; i++) {
		struct info_thread *row = &table->rows[i];
		uint32_t l = idmap_get(&lanes, row->serial);

		if (row->present || l == IDMAP_NONE)
			continue;
		row->tid = ring->lanes[l].tid;
		memcpy(row->comm, ring->lanes[l].comm, sizeof(row->comm));
	}
	idmap_free(&lanes);
	return error;
}

static void info_span(struct info *info)
{
	for (size_t i = 0; i < info->thread_count; i++) {
		const struct info_thread *row = &info->threads[i];

		if (!row->present)
			continue;
		if (!info->first_ticks || row->first_ticks < info->first_ticks)
			info->first_ticks = row->first_ticks;
		if (row->last_ticks > info->last_ticks)
			info->last_ticks = row->last_ticks;
	}
}

int info_make(struct info *info, const struct ring *ring)
{
	struct owned_chunk *owned = malloc(sizeof(*owned));
	struct table table = { 0 };
	uint32_t i = 0, end;
	int error = owned ? 0 : -ENOMEM;

	memset(info, 0, sizeof(*info));
	memcpy(info->losses.loss, ring->live.loss, sizeof(info->losses.loss));
	for (uint32_t lane = 0; (lane < ring->lane_count || i < ring->chunk_count) && !error; lane++) {
		/* Chunks may name lanes beyond a table that is cut short. */
		if (lane >= ring->lane_count)
			lane = ring->chunks[i].head.lane;
		for (end = i; end < ring->chunk_count && ring->chunks[end].head.lane == lane;)
			end++;
		error = count_lane(&table, info, ring, lane, i, end, owned);
		i = end;
	}
	free(owned);
	join_rows(&table);
	if (!error)
		error = name_rows(&table, ring);
	info->threads = table.rows;
	if (error) {
		info_free(info);
		return error;
	}
	info->losses.reserved = info->losses.present + info->losses.overwritten + info->losses.torn;
	info->cut_off = ring_cut_off(ring, info->losses.overwritten);
	info->losses.overwritten -= info->cut_off;
	info->thread_count = table.count;
	info_span(info);
	queries_finish(info, ring);
	return 0;
}

void info_free(struct info *info)
{
	free(info->threads);
	free(info->queries);
	memset(info, 0, sizeof(*info));
}

enum info_state info_state(const struct ring *ring)
{
	enum process_state state = process_state(ring);

	if (ring->header.cut_ticks)
		return INFO_COPY;
	if (state == PROCESS_CLOSED)
		return INFO_CLOSED;
	if (state == PROCESS_UNKNOWN)
		return INFO_UNKNOWN;
	return process_lives(state) ? INFO_RUNNING : INFO_DIED;
}

const char *info_state_text(enum info_state state)
{
	static const char *const texts[] = {
		[INFO_RUNNING] = "running",
		[INFO_CLOSED] = "closed",
		[INFO_DIED] = "ended without closing",
		[INFO_UNKNOWN] = "not closed",
		[INFO_COPY] = "copy",
	};

	return texts[state];
}
