/*
 * ring_chunks.c - the records: an index of the chunks, and reading one of them.
 *
 * The writer goes on while we read. A chunk that it takes over in the meantime gets
 * another base: base is read again after the copy and a change voids the copy. A slot
 * counts when its seq is base + index; what its writer stores before seq (or done) is
 * whole only in a copy that was begun after seq (or done) was seen. So where slots may
 * still be changing the chunk is read a second time, and of that copy only those seq and
 * done count that the first one had too.
 *
 * A ring is read as of the moment at which its index was made: slots that were free then
 * are left out. Definitions are read right after it, so a record that names a newer one was
 * not there either, or had not returned if the name came with done.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/ring_inner.h"

/* Lane positions beyond this are not counted by any real process. */
#define POSITION_MOST (UINT64_MAX >> 4)

static uint64_t chunk_offset(const struct ring *ring, uint32_t index)
{
	return ring->header.chunks_offset + (uint64_t)index * VPROF_CHUNK_SIZE;
}

/* Base as it is now, 0 when it cannot be read. Pairs with the writer's release store of base. */
static uint64_t read_base(const struct ring *ring, uint32_t index)
{
	uint64_t base;

	if (ring_pread(ring->fd, &base, sizeof(base), chunk_offset(ring, index)) != sizeof(base))
		return 0;
	return base;
}

/* Reads a header that does not change meanwhile; 1: there is one, 0: none, or an error. */
static int read_head(const struct ring *ring, uint32_t index, struct vprof_chunk_header *head)
{
	for (int tries = 0; tries < 4; tries++) {
		ssize_t got = ring_pread(ring->fd, head, sizeof(*head), chunk_offset(ring, index));

		if (got < 0)
			return (int)got;
		if ((size_t)got < sizeof(*head) || !head->base)
			return 0;
		if (ring->live.state == VPROF_RING_CLOSED || read_base(ring, index) == head->base)
			return 1;
	}
	return 0; /* changes hands all the time: its records are gone before they can be read */
}

static int head_sound(const struct ring *ring, const struct vprof_chunk_header *head)
{
	return !(head->base & 0xff) && head->lane < ring->header.lane_count && head->used &&
	       head->first < POSITION_MOST;
}

static int compare_chunks(const void *a, const void *b)
{
	const struct vprof_chunk_header *x = &((const struct ring_chunk *)a)->head;
	const struct vprof_chunk_header *y = &((const struct ring_chunk *)b)->head;

	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return (x->base > y->base) - (x->base < y->base);
}

static int grow(struct ring_chunk **list, uint32_t count, uint32_t *room)
{
	uint32_t more = *room ? *room * 2 : 64;
	struct ring_chunk *bigger;

	if (count < *room)
		return 0;
	bigger = reallocarray(*list, more, sizeof(**list));
	if (!bigger)
		return -ENOMEM;
	*list = bigger;
	*room = more;
	return 0;
}

int ring_read_index(struct ring *ring)
{
	uint64_t bytes = ring_region(ring, ring->header.chunks_offset,
				     (uint64_t)ring->header.chunk_count * VPROF_CHUNK_SIZE);
	uint32_t last = (uint32_t)((bytes + VPROF_CHUNK_SIZE - 1) / VPROF_CHUNK_SIZE);
	struct ring_chunk *list = NULL;
	uint32_t count = 0, room = 0;
	uint64_t bad = 0;
	int found = 0;

	for (uint32_t i = 0; i < last; i++) {
		struct vprof_chunk_header head;

		found = read_head(ring, i, &head);
		if (found < 0)
			break;
		if (!found)
			continue;
		if (!head_sound(ring, &head)) {
			bad++;
			continue;
		}
		found = grow(&list, count, &room);
		if (found < 0)
			break;
		head.comm[sizeof(head.comm) - 1] = '\0';
		list[count++] = (struct ring_chunk){
			.index = i,
			.used = head.used < VPROF_CHUNK_SLOTS ? head.used : VPROF_CHUNK_SLOTS,
			.head = head,
		};
	}
	if (found < 0) {
		free(list);
		return found;
	}
	if (count)
		qsort(list, count, sizeof(*list), compare_chunks);
	free(ring->chunks);
	ring->chunks = list;
	ring->chunk_count = count;
	ring->bad_chunks = bad;
	return 0;
}

static int slot_whole(const struct vprof_slot *slot, uint64_t seq)
{
	return slot->seq == seq && slot->kind && (!slot->done || VPROF_DONE_TICKS(slot->done));
}

/* Does the chunk have slots that are neither whole and done nor still unused? */
static int chunk_changing(const struct vprof_chunk *chunk, uint64_t base)
{
	if (chunk->head.held || chunk->head.used < VPROF_CHUNK_SLOTS)
		return 1;
	for (uint32_t i = 1; i < VPROF_CHUNK_SLOTS; i++)
		if (chunk->slot[i - 1].seq != base + i || !chunk->slot[i - 1].done)
			return 1;
	return 0;
}

/* Fills `buffer`, with zeros from the first slot that the file does not hold whole. */
static int copy_chunk(const struct ring *ring, uint32_t index, struct vprof_chunk *buffer)
{
	ssize_t got = ring_pread(ring->fd, buffer, sizeof(*buffer), chunk_offset(ring, index));

	if (got < 0)
		return (int)got;
	got -= got % VPROF_SLOT_SIZE;
	memset((char *)buffer + got, 0, sizeof(*buffer) - (size_t)got);
	return 0;
}

/* Second copy: only what the first one saw published and done is taken for that. */
static int copy_again(const struct ring *ring, uint32_t index, struct vprof_chunk *buffer)
{
	uint64_t seq[VPROF_CHUNK_SLOTS], done[VPROF_CHUNK_SLOTS];
	int error;

	for (uint32_t i = 0; i < VPROF_CHUNK_SLOTS - 1; i++) {
		seq[i] = buffer->slot[i].seq;
		done[i] = buffer->slot[i].done;
	}
	error = copy_chunk(ring, index, buffer);
	if (error)
		return error;
	for (uint32_t i = 0; i < VPROF_CHUNK_SLOTS - 1; i++) {
		struct vprof_slot *slot = &buffer->slot[i];

		if (slot->seq != seq[i])
			slot->seq = 0;
		/* Done in between: what goes with done may not be whole in this copy. */
		if (slot->done != done[i])
			slot->done = 0;
	}
	return 0;
}

/* A range, mark or counter, whose name came with it. */
static int has_name(const struct vprof_slot *slot)
{
	return slot->kind >= VPROF_KIND_RANGE && slot->kind <= VPROF_KIND_RANGE_END && slot->object;
}

/* Is the slot's object a definition? */
static int slot_has_definition(const struct vprof_slot *slot)
{
	return slot->kind == VPROF_KIND_LAUNCH || slot->kind == VPROF_KIND_GRAPH_LAUNCH ||
	       slot->kind == VPROF_KIND_MODULE || slot->kind == VPROF_KIND_GRAPH ||
	       slot->kind == VPROF_KIND_CALL || has_name(slot);
}

/* Takes back what happened to a whole slot after the ring's moment; 0: all of it. */
static int slot_rewind(const struct ring *ring, struct vprof_slot *slot)
{
	if (slot->object * 8ull < ring->defs_size && !ring->defs_reserved)
		return 1;
	if (!slot_has_definition(slot) || !ring_def_is_newer(ring, slot->object))
		return 1;
	if (!slot->done || slot->kind == VPROF_KIND_LAUNCH || slot->kind == VPROF_KIND_GRAPH_LAUNCH || has_name(slot))
		return 0;
	slot->done = 0;
	slot->object = 0;
	return 1;
}

int ring_read_chunk(const struct ring *ring, const struct ring_chunk *chunk,
		    struct vprof_chunk *buffer)
{
	uint64_t base = chunk->head.base;
	int records = 0, error;

	error = copy_chunk(ring, chunk->index, buffer);
	if (!error && buffer->head.base == base && ring->live.state != VPROF_RING_CLOSED &&
	    chunk_changing(buffer, base))
		error = copy_again(ring, chunk->index, buffer);
	if (error)
		return error;
	if (buffer->head.base != base || read_base(ring, chunk->index) != base)
		base = 0;
	for (uint32_t i = 1; i < VPROF_CHUNK_SLOTS; i++) {
		struct vprof_slot *slot = &buffer->slot[i - 1];

		if (base && i < chunk->used && slot_whole(slot, base + i) && slot_rewind(ring, slot))
			records++;
		else
			slot->seq = 0;
	}
	buffer->head.comm[sizeof(buffer->head.comm) - 1] = '\0';
	return records;
}

uint64_t ring_thread_ended(const struct ring *ring, const struct ring_chunk *chunk,
			   const struct vprof_chunk *buffer, uint32_t slot, uint64_t thread)
{
	const struct ring_chunk *next = chunk + 1;
	const struct vprof_lane *lane;

	/* A lane passes on when its thread ends: in this chunk, before the next one, or since. */
	for (uint32_t i = slot + 1; i < VPROF_CHUNK_SLOTS - 1; i++)
		if (buffer->slot[i].seq && buffer->slot[i].kind == VPROF_KIND_THREAD)
			return buffer->slot[i].t0;
	if (next < ring->chunks + ring->chunk_count && next->head.lane == chunk->head.lane &&
	    next->head.thread > thread)
		return next->head.open_ticks;
	if (chunk->head.lane >= ring->lane_count)
		return 0;
	/* The table was read before the index: a lesser number there is of an earlier owner. */
	lane = &ring->lanes[chunk->head.lane];
	if (lane->thread == thread)
		return lane->end_ticks > buffer->slot[slot].t0 ? lane->end_ticks : 0;
	return lane->thread > thread ? lane->start_ticks : 0;
}
