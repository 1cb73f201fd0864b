/*
 * ring_chunks.c - the records: an index of the chunks, and reading one of them.
 *
 * A chunk may be in the ring, in the spill beside it, or in both; ring_spill.c adds those of the spill.
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
#include "tools/spill.h"

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

int ring_head_sound(const struct ring *ring, const struct vprof_chunk_header *head)
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

int ring_index_add(struct ring *ring, uint32_t *room, const struct vprof_chunk_header *head, uint32_t index,
		   uint32_t frame, uint32_t place)
{
	struct ring_chunk *chunk;

	if (ring->chunk_count == *room) {
		uint32_t more = *room ? *room * 2 : 64;

		chunk = more > *room ? reallocarray(ring->chunks, more, sizeof(*chunk)) : NULL;
		if (!chunk)
			return -ENOMEM;
		ring->chunks = chunk;
		*room = more;
	}
	chunk = &ring->chunks[ring->chunk_count++];
	*chunk = (struct ring_chunk){
		.index = index, .frame = frame, .place = place, .head = *head,
		.used = head->used < VPROF_CHUNK_SLOTS ? head->used : VPROF_CHUNK_SLOTS,
	};
	chunk->head.comm[sizeof(chunk->head.comm) - 1] = '\0';
	return 0;
}

/* One chunk from what the ring and the spill have of it: how far it went is what either knows last. */
static void chunk_join(struct ring_chunk *chunk, const struct ring_chunk *other)
{
	if (chunk->index == RING_NOWHERE)
		chunk->index = other->index;
	if (chunk->frame == RING_NOWHERE) {
		chunk->frame = other->frame;
		chunk->place = other->place;
	}
	if (other->used > chunk->used)
		chunk->used = other->used;
}

static void heap_sink(struct ring_chunk *list, size_t at, size_t count)
{
	struct ring_chunk moving = list[at];

	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && compare_chunks(&list[child], &list[child + 1]) < 0)
			child++;
		if (compare_chunks(&moving, &list[child]) >= 0)
			break;
		list[at] = list[child];
	}
	list[at] = moving;
}

/* In place: qsort() may take as much memory again as the list, which a long spill makes large. */
static void sort_chunks(struct ring_chunk *list, size_t count)
{
	for (size_t i = count / 2; i-- > 0;)
		heap_sink(list, i, count);
	for (size_t i = count; i-- > 1;) {
		struct ring_chunk last = list[i];

		list[i] = list[0];
		list[0] = last;
		heap_sink(list, 0, i);
	}
}

void ring_index_finish(struct ring *ring)
{
	struct ring_chunk *list = ring->chunks;
	uint32_t count = 0;

	if (ring->chunk_count > 1)
		sort_chunks(list, ring->chunk_count);
	for (uint32_t i = 0; i < ring->chunk_count; i++)
		if (count && !compare_chunks(&list[count - 1], &list[i]))
			chunk_join(&list[count - 1], &list[i]);
		else
			list[count++] = list[i];
	ring->chunk_count = count;
}

/* What is known of the spill stays: its files are only looked at for what is new. */
static int carry_spilled(struct ring *ring, const struct ring_chunk *old, uint32_t count, uint32_t *room)
{
	int error = 0;

	for (uint32_t i = 0; i < count && !error; i++)
		if (old[i].frame != RING_NOWHERE)
			error = ring_index_add(ring, room, &old[i].head, RING_NOWHERE, old[i].frame, old[i].place);
	return error;
}

static int index_ring(struct ring *ring, uint32_t *room)
{
	uint64_t bytes = ring_region(ring, ring->header.chunks_offset,
				     (uint64_t)ring->header.chunk_count * VPROF_CHUNK_SIZE);
	uint32_t last = (uint32_t)((bytes + VPROF_CHUNK_SIZE - 1) / VPROF_CHUNK_SIZE);
	int error = 0;

	for (uint32_t i = 0; i < last && !error; i++) {
		struct vprof_chunk_header head;
		int found = read_head(ring, i, &head);

		if (found < 0)
			return found;
		if (found && ring_head_sound(ring, &head))
			error = ring_index_add(ring, room, &head, i, RING_NOWHERE, 0);
		else if (found)
			ring->bad_chunks++;
	}
	return error;
}

int ring_read_index(struct ring *ring)
{
	struct ring_chunk *old = ring->chunks;
	uint32_t old_count = ring->chunk_count, room = 0;
	uint64_t old_bad = ring->bad_chunks;
	int error;

	ring->chunks = NULL;
	ring->chunk_count = 0;
	ring->bad_chunks = 0;
	error = carry_spilled(ring, old, old_count, &room);
	if (!error)
		error = index_ring(ring, &room);
	if (error) {
		free(ring->chunks);
		ring->chunks = old;
		ring->chunk_count = old_count;
		ring->bad_chunks = old_bad;
		return error;
	}
	free(old);
	ring_index_finish(ring);
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
	       slot->kind == VPROF_KIND_CALL || slot->kind == VPROF_KIND_REPLAY || has_name(slot);
}

/* Takes back what happened to a whole slot after the ring's moment; 0: all of it. */
static int slot_rewind(const struct ring *ring, struct vprof_slot *slot)
{
	if (slot->object * 8ull < ring->defs_size && !ring->defs_reserved)
		return 1;
	if (!slot_has_definition(slot) || !ring_def_is_newer(ring, slot->object))
		return 1;
	if (!slot->done || slot->kind == VPROF_KIND_LAUNCH || slot->kind == VPROF_KIND_GRAPH_LAUNCH ||
	    slot->kind == VPROF_KIND_REPLAY || has_name(slot))
		return 0;
	slot->done = 0;
	slot->object = 0;
	return 1;
}

/* From the ring: 1 when the chunk is still there, 0 when it was taken over, or a negative errno. */
static int read_from_ring(const struct ring *ring, const struct ring_chunk *chunk, struct vprof_chunk *buffer)
{
	uint64_t base = chunk->head.base;
	int error = copy_chunk(ring, chunk->index, buffer);

	if (!error && buffer->head.base == base && ring->live.state != VPROF_RING_CLOSED &&
	    chunk_changing(buffer, base))
		error = copy_again(ring, chunk->index, buffer);
	if (error)
		return error;
	return buffer->head.base == base && read_base(ring, chunk->index) == base;
}

/* The ring has the last word: a call that was open when its chunk was spilled may have returned since. */
static int read_from_either(const struct ring *ring, const struct ring_chunk *chunk, struct vprof_chunk *buffer)
{
	int found = 0, error;

	buffer->head.base = 0;
	if (chunk->index != RING_NOWHERE)
		found = read_from_ring(ring, chunk, buffer);
	if (found || chunk->frame == RING_NOWHERE || !ring->spill)
		return found;
	error = spill_read(ring->spill, chunk->frame, chunk->place, buffer);
	if (error)
		buffer->head.base = 0;
	return !error ? buffer->head.base == chunk->head.base : error == -EBADMSG ? 0 : error;
}

int ring_read_chunk(const struct ring *ring, const struct ring_chunk *chunk,
		    struct vprof_chunk *buffer)
{
	int records = 0, found = read_from_either(ring, chunk, buffer);
	uint64_t base = found > 0 ? chunk->head.base : 0;

	if (found < 0)
		return found;
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
