/*
 * ranges_open.c - what is remembered of a range that is open, and its tellings.
 *
 * How they go together is told in ranges_open.h. All of this is on the recording path: the rules of record.h hold.
 */
#include <string.h>
#include "preload/inner.h"
#include "preload/ranges_open.h"

void vprof_open_remember(struct vprof_open_range *open, const struct vprof_said *said)
{
	size_t length = said->kept ? said->kept->length : said->length;

	open->begun = 0;
	open->first = open->last = (struct vprof_telling){ NULL, 0 };
	open->text = 0;
	open->generation = 0;
	open->id = 0;
	/* Field by field: of a whole struct the compiler makes a string instruction, slower than all the rest. */
	open->said.domain = said->domain;
	open->said.kept = said->kept;
	open->said.payload = said->payload;
	open->said.category = said->category;
	open->said.color = said->color;
	open->said.flags = said->flags;
	open->said.payload_type = said->payload_type;
	open->said.unwanted = said->unwanted;
	open->said.text = open->name;
	open->said.length = length < sizeof(open->name) ? length : sizeof(open->name);
	if (!said->kept && length > sizeof(open->name))
		open->said.flags |= VPROF_RANGE_CUT;
	if (said->kept)
		open->said.text = said->kept->text; /* stays as long as the process */
	else
		memcpy(open->name, said->text, open->said.length);
}

void vprof_open_tell(struct vprof_open_range *open, const struct vprof_said *said, int now)
{
	struct vprof_record r;

	vprof_open_renew(open);
	open->text = vprof_said_text(said, now);
	r = vprof_tell(VPROF_KIND_RANGE, said, open->text, open->id);
	open->first = open->last = (struct vprof_telling){ r.slot, r.seq };
	if (r.slot)
		open->begun = r.slot->t0; /* by which later tellings refer to this one */
}

void vprof_open_tell_again(struct vprof_open_range *open)
{
	struct vprof_said said = open->said;
	struct vprof_record r;

	vprof_open_renew(open);
	if (!open->text)
		open->text = vprof_said_text(&said, said.length > (size_t)VPROF_AGAIN_TEXTS * VPROF_TEXT_SIZE);
	said.flags |= VPROF_RANGE_AGAIN;
	r = vprof_tell_again(&said, open->text, open->id ? open->id : open->begun);
	open->last = (struct vprof_telling){ r.slot, r.seq };
	if (!open->first.slot)
		open->first = open->last;
}

/* Pairs with the compare-and-swap in chunk_take(). */
int vprof_open_complete(struct vprof_telling t, uint64_t now)
{
	size_t index = ((uintptr_t)t.slot - (uintptr_t)vprof_map.chunks) / VPROF_CHUNK_SIZE;
	struct vprof_chunk *chunk = &vprof_map.chunks[index];
	int own = chunk == vprof_cursor.chunk, gone;
	uint32_t free = 0;

	if (!own && !__atomic_compare_exchange_n(&chunk->head.held, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return -1;
	gone = __atomic_load_n(&t.slot->seq, __ATOMIC_RELAXED) != t.seq;
	if (!gone)
		vprof_end_at((struct vprof_record){ t.slot, t.seq }, 0, now);
	if (!own)
		__atomic_store_n(&chunk->head.held, 0, __ATOMIC_RELEASE);
	return gone ? -1 : 0;
}
