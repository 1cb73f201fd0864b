/*
 * tell.c - the record of a range, a mark or a counter, with the name that goes with it.
 *
 * A name that has no definition follows its record in TEXT records, in slots that are
 * taken together; where a chunk's rest is too short for them it is filled with empty ones. The
 * record itself is published last, when its texts are there.
 */
#include <string.h>
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/record.h"
#include "preload/tell.h"

enum {
	TEXTS_MOST = 8,        /* TEXT records of one name */
	TEXT_SIZE = VPROF_TEXT_SIZE,
};

static void fill(struct vprof_slot *slot, enum vprof_kind kind, const struct vprof_said *said, uint32_t text)
{
	slot->kind = (uint16_t)kind;
	slot->call = 0;
	slot->object = text;
	slot->range.payload = said->payload;
	slot->range.domain = said->domain ? vprof_name_define(said->domain) : 0;
	slot->range.category = said->category;
	slot->range.color = said->color;
	slot->range.flags = said->flags;
	slot->range.texts = 0;
	slot->range.payload_type = said->payload_type;
	slot->range.id = 0;
}

/* Pairs with the readers' acquire load of seq. A record that is never in flight. */
static void publish_done(struct vprof_record r, uint64_t ticks)
{
	r.slot->t0 = ticks;
	r.slot->done = VPROF_DONE(1, 0);
	TESTPOINT("publish_before");
	__atomic_store_n(&r.slot->seq, r.seq, __ATOMIC_RELEASE);
}

static void put_text(struct vprof_record r, uint64_t ticks, const char *text, size_t length)
{
	r.slot->kind = VPROF_KIND_TEXT;
	r.slot->call = 0;
	r.slot->object = 0;
	memset(r.slot->text, 0, TEXT_SIZE);
	memcpy(r.slot->text, text, length < TEXT_SIZE ? length : TEXT_SIZE);
	publish_done(r, ticks);
}

/* `count` slots of the thread's chunk, one behind the other. */
static struct vprof_record take_run(unsigned count)
{
	struct vprof_record none = { NULL, 0 }, r;
	uint32_t got;

	r = vprof_begin_run(vprof_cursor_at(), count, &got);
	if (!r.slot || got == count)
		return r;
	for (; got; got--, r.slot++, r.seq++)
		put_text(r, vprof_ticks(), "", 0);
	return none;
}

static struct vprof_record begin_run(unsigned count)
{
	struct vprof_record r = take_run(count);

	if (r.slot)
		return r;
	r = vprof_begin_slow(); /* a new chunk, of which it gives one slot */
	if (!r.slot)
		return r;
	put_text(r, vprof_ticks(), "", 0);
	return take_run(count);
}

/*
 * Writes a record with its name, in slots that `run` gives. Returns it published;
 * slot is NULL when there is no room.
 */
static ALWAYS_INLINE struct vprof_record tell(enum vprof_kind kind, const struct vprof_said *said, uint32_t text,
					      uint64_t id, unsigned texts_most, struct vprof_record (*run)(unsigned))
{
	size_t length = text ? 0 : said->length;
	unsigned texts = (unsigned)((length + TEXT_SIZE - 1) / TEXT_SIZE);
	uint16_t cut = texts > texts_most ? VPROF_RANGE_CUT : 0;
	struct vprof_record r;
	uint64_t now;

	if (cut) {
		vprof_lose(VPROF_LOSS_TEXT);
		texts = texts_most;
		length = (size_t)texts * TEXT_SIZE;
	}
	r = run(1 + texts);
	if (!r.slot)
		return r;
	now = vprof_ticks();
	for (unsigned i = 0; i < texts; i++) {
		size_t at = (size_t)i * TEXT_SIZE;

		put_text((struct vprof_record){ r.slot + 1 + i, r.seq + 1 + i }, now, said->text + at, length - at);
	}
	fill(r.slot, kind, said, text);
	r.slot->range.texts = (uint8_t)texts;
	r.slot->range.flags |= cut;
	r.slot->range.id = id;
	if (kind == VPROF_KIND_RANGE)
		vprof_publish_at(r, now);
	else
		publish_done(r, now);
	return r;
}

static struct vprof_record one_or_run(unsigned count)
{
	return likely(count == 1) ? vprof_begin() : begin_run(count);
}

struct vprof_record vprof_tell(enum vprof_kind kind, const struct vprof_said *said, uint32_t text, uint64_t id)
{
	return tell(kind, said, text, id, TEXTS_MOST, one_or_run);
}

struct vprof_record vprof_tell_again(const struct vprof_said *said, uint32_t text, uint64_t id)
{
	return tell(VPROF_KIND_RANGE, said, text, id, VPROF_AGAIN_TEXTS, take_run);
}

/* As begin_run(), in a thread that records though nothing is to be recorded. */
static struct vprof_record own_run(unsigned count)
{
	struct vprof_record r = take_run(count);

	if (r.slot)
		return r;
	r = vprof_lane_begin();
	if (!r.slot)
		return r;
	put_text(r, vprof_ticks(), "", 0);
	return take_run(count);
}

void vprof_tell_mark(const struct vprof_said *said)
{
	tell(VPROF_KIND_MARK, said, 0, 0, TEXTS_MOST, own_run);
}

uint32_t vprof_said_text(const struct vprof_said *said, int now)
{
	if (said->kept)
		return vprof_name_define(said->kept);
	return said->length ? vprof_name_intern(said->text, said->length, now) : 0;
}
