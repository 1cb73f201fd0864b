/*
 * memory_past.c - pieces of memory, from the records and the table of holdings.
 *
 * Records are taken in the order in which memory can have changed hands: a piece is there when the
 * call that took it has returned, and may be another's once the call that gives it back has begun.
 */
#include "tools/memory_past.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/idmap.h"
#include "tools/list.h"
#include "tools/records.h"

/* One record that takes or gives back. */
struct step {
	uint64_t when, thread;
	struct vprof_slot slot;
};

struct steps {
	struct step *list;
	size_t count;
};

/* ---- the records ---- */

static int is_step(const struct vprof_slot *slot)
{
	return slot->kind == VPROF_KIND_MEMORY && slot->done && !VPROF_DONE_RESULT(slot->done) &&
	       slot->object & (VPROF_MEMORY_TAKE | VPROF_MEMORY_GIVE);
}

static int steps_add(struct steps *steps, const struct record *record)
{
	const struct vprof_slot *slot = record->slot;

	if (list_grow(steps->list, steps->count))
		return -ENOMEM;
	steps->list[steps->count++] = (struct step){
		.when = slot->object & VPROF_MEMORY_TAKE ? slot->t0 + VPROF_DONE_TICKS(slot->done) : slot->t0,
		.thread = record->owner->thread,
		.slot = *slot,
	};
	return 0;
}

static int compare_steps(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	if (x->when != y->when)
		return x->when < y->when ? -1 : 1;
	return (x->slot.seq > y->slot.seq) - (x->slot.seq < y->slot.seq);
}

static int steps_read(struct steps *steps, const struct ring *ring)
{
	struct records *records = records_open(ring);
	struct record record;
	int more = 1;

	if (!records)
		return -ENOMEM;
	while (more > 0 && (more = records_next(records, &record)) > 0)
		if (is_step(record.slot) && steps_add(steps, &record))
			more = -ENOMEM;
	records_close(records);
	if (steps->count)
		qsort(steps->list, steps->count, sizeof(*steps->list), compare_steps);
	return more;
}

/* ---- the pieces ---- */

/* Pieces that are open, by address; a reserved range and what is mapped at its beginning are two. */
struct open {
	struct idmap by_address[2];
};

static struct idmap *map_of(struct open *open, uint32_t kind)
{
	return &open->by_address[kind == VPROF_MEMORY_RESERVED];
}

/* Index of the open piece at an address, or IDMAP_NONE. Closed ones stay in the map. */
static uint32_t open_piece(const struct memory_past *past, struct open *open, uint64_t address, uint32_t kind)
{
	uint32_t index = idmap_get(map_of(open, kind), address);

	return index != IDMAP_NONE && past->pieces[index].to == MEMORY_TO_THE_END ? index : IDMAP_NONE;
}

static int piece_add(struct memory_past *past, const struct memory_piece *piece)
{
	if (list_grow(past->pieces, past->count))
		return -ENOMEM;
	past->pieces[past->count++] = *piece;
	return 0;
}

static struct vprof_holding holding_of(const struct step *step)
{
	const struct vprof_slot *slot = &step->slot;
	int taken = (slot->object & VPROF_MEMORY_TAKE) != 0;

	return (struct vprof_holding){
		.address = slot->memory.address, .bytes = slot->memory.bytes,
		.ticks = taken ? step->when : 0, .thread = taken ? step->thread : 0,
		.other = slot->memory.other, .stream = slot->memory.stream, .call = taken ? slot->call : 0,
		.kind = slot->object & VPROF_MEMORY_KIND, .place = memory_place_of(slot->object),
	};
}

/* When it was given back is not known: nobody can say whether it was held at a moment. */
static void piece_lose(struct memory_past *past, uint32_t index)
{
	past->pieces[index].to = past->pieces[index].from;
	past->uncertain++;
}

static int take(struct memory_past *past, struct open *open, const struct step *step)
{
	struct memory_piece piece = { holding_of(step), step->when, MEMORY_TO_THE_END, 0 };
	uint32_t older = open_piece(past, open, piece.held.address, piece.held.kind);

	if (older != IDMAP_NONE)
		piece_lose(past, older);
	if (past->count >= IDMAP_NONE - 1 || piece_add(past, &piece))
		return -ENOMEM;
	return idmap_put(map_of(open, piece.held.kind), piece.held.address, (uint32_t)past->count - 1);
}

/* Whoever ends a context does not free what was taken in it. */
static int ends_context(const struct ring *ring, const struct vprof_slot *slot)
{
	return slot->call < ring->call_count && ring->call_family[slot->call] == VPROF_FAMILY_CONTEXT;
}

static int give(struct memory_past *past, struct open *open, const struct ring *ring, const struct step *step)
{
	struct memory_piece piece = { holding_of(step), 0, step->when, ends_context(ring, &step->slot) };
	uint32_t index = open_piece(past, open, piece.held.address, piece.held.kind);

	if (index == IDMAP_NONE)
		return piece_add(past, &piece);
	past->pieces[index].to = step->when;
	past->pieces[index].by_context = piece.by_context;
	return 0;
}

static int stray(struct memory_past *past, const struct step *step)
{
	if (list_grow(past->strays, past->stray_count))
		return -ENOMEM;
	past->strays[past->stray_count++] = (struct memory_stray){
		.address = step->slot.memory.address, .ticks = step->slot.t0, .thread = step->thread,
		.call = step->slot.call, .kind = step->slot.object & VPROF_MEMORY_KIND,
	};
	return 0;
}

static int follow(struct memory_past *past, struct open *open, const struct ring *ring, const struct step *step)
{
	uint32_t object = step->slot.object;

	if (object & VPROF_MEMORY_TAKE) /* what had no room in the table is in the losses */
		return object & VPROF_MEMORY_UNKNOWN ? 0 : take(past, open, step);
	return object & VPROF_MEMORY_UNKNOWN ? stray(past, step) : give(past, open, ring, step);
}

/* Is it the piece that the table has? The entry was made when the call that took it had returned. */
static int is_entry(const struct memory_piece *piece, const struct vprof_holding *held)
{
	return piece->held.call == held->call && piece->held.thread == held->thread &&
	       piece->held.bytes == held->bytes && piece->from <= held->ticks;
}

/* What the table holds is held at the end; it knows more of it than the record. */
static int end_with(struct memory_past *past, struct open *open, const struct ring *ring, size_t followed)
{
	uint8_t *kept = calloc(followed + 1, 1);
	int error = kept ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < ring->holding_count && !error; i++) {
		struct memory_piece piece = { ring->holdings[i], ring->holdings[i].ticks, MEMORY_TO_THE_END, 0 };
		uint32_t index = open_piece(past, open, piece.held.address, piece.held.kind);

		if (index != IDMAP_NONE && index < followed && is_entry(&past->pieces[index], &piece.held)) {
			past->pieces[index].held = piece.held;
			kept[index] = 1;
		} else {
			error = piece_add(past, &piece);
		}
	}
	for (size_t i = 0; i < followed && !error; i++)
		if (past->pieces[i].to == MEMORY_TO_THE_END && !kept[i])
			piece_lose(past, (uint32_t)i);
	free(kept);
	return error;
}

int memory_past_make(struct memory_past *past, const struct ring *ring)
{
	struct steps steps = { 0 };
	struct open open = { 0 };
	int error;

	memset(past, 0, sizeof(*past));
	error = steps_read(&steps, ring);
	for (size_t i = 0; i < steps.count && !error; i++)
		error = follow(past, &open, ring, &steps.list[i]);
	if (!error)
		error = end_with(past, &open, ring, past->count);
	idmap_free(&open.by_address[0]);
	idmap_free(&open.by_address[1]);
	free(steps.list);
	return error;
}

void memory_past_free(struct memory_past *past)
{
	free(past->pieces);
	free(past->strays);
}
