/*
 * chrome_ranges.c - what the program said of itself: ranges, marks and counters as events.
 *
 * A range of a thread is a slice on its track, in which the calls that were made in it nest. A
 * range without a thread is a pair of asynchronous events with its id. Their category is the
 * one that readers of PyTorch's traces know.
 *
 * As with calls, room for the longest possible event is made once (chrome_slices.c).
 */
#include "tools/chrome.h"

#include <math.h>
#include <stdio.h>

#define CATEGORY "user_annotation"

/* What an event can need beyond the texts that it names. */
enum { EVENT_REST = 1024 };

static uint64_t since(uint64_t ns, uint64_t base_ns)
{
	return ns > base_ns ? ns - base_ns : 0;
}

/* Everything up to the arguments, but what only some phases have. */
static char *put_head(char *p, const struct event *event, char phase, uint64_t ns)
{
	p = put_literal(p, ",\n{\"ph\":\"");
	*p++ = phase;
	p = put_literal(p, "\",\"cat\":\"" CATEGORY "\",\"name\":\"");
	if (phase == 'X' && event_in_flight(event))
		p = put_literal(p, "[in flight] ");
	p = put_padded(p, event->name->json, event->name->json_size);
	p = put_literal(p, "\",");
	p = put_padded(p, event->thread->ids, event->thread->ids_size);
	p = put_literal(p, "\"ts\":");
	return put_us(p, ns);
}

static float f32_of(uint64_t payload)
{
	uint32_t bits = (uint32_t)payload;
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static double f64_of(uint64_t payload)
{
	double value;

	memcpy(&value, &payload, sizeof(value));
	return value;
}

static char *put_double(char *p, double value, int digits)
{
	if (isfinite(value))
		return p + sprintf(p, "%.*g", digits, value);
	if (isnan(value))
		return put_literal(p, "\"nan\"");
	return value > 0 ? put_literal(p, "\"inf\"") : put_literal(p, "\"-inf\"");
}

static char *put_payload(char *p, const struct vprof_slot *slot)
{
	uint64_t payload = slot->range.payload;

	switch (slot->range.payload_type) {
	case VPROF_PAYLOAD_I64:
		return put_i64(p, (int64_t)payload);
	case VPROF_PAYLOAD_I32:
		return put_i64(p, (int32_t)(uint32_t)payload);
	case VPROF_PAYLOAD_F64:
		return put_double(p, f64_of(payload), 17);
	case VPROF_PAYLOAD_F32:
		return put_double(p, f32_of(payload), 9);
	default:
		return put_u64(p, payload);
	}
}

/* Texts that an event names besides its own. */
struct said {
	const struct range_name *domain, *category;
};

static struct said said_of(const struct event *event)
{
	const struct range_names *names = &event->thread->process->names;
	const struct vprof_slot *slot = &event->slot;
	uint64_t category = (uint64_t)slot->range.domain << 32 | slot->range.category;

	return (struct said){
		.domain = slot->range.domain ? range_label(names, &names->domains, slot->range.domain) : NULL,
		.category = slot->range.category ? range_label(names, &names->categories, category) : NULL,
	};
}

/* What all kinds may have; behind it comes the last argument. */
static char *put_said(char *p, const struct event *event, const struct said *said)
{
	const struct vprof_slot *slot = &event->slot;

	if (said->domain)
		p = PUT_NAMED(p, "domain", said->domain);
	if (said->category) {
		p = PUT_NAMED(p, "category", said->category);
	} else if (slot->range.category) {
		p = put_literal(p, "\"category\":");
		p = put_u64(p, slot->range.category);
		*p++ = ',';
	}
	if (slot->range.flags & VPROF_RANGE_COLOR)
		p += sprintf(p, "\"color\":\"#%06x\",", slot->range.color & 0xffffff);
	if (slot->range.payload_type) {
		p = put_literal(p, "\"payload\":");
		p = put_payload(p, slot);
		*p++ = ',';
	}
	if (slot->range.flags & VPROF_RANGE_CUT)
		p = put_literal(p, "\"name cut\":true,");
	if (slot->range.flags & VPROF_RANGE_AGAIN)
		p = put_literal(p, "\"began before the first record kept\":true,");
	if (event->range)
		p = PUT_NAMED(p, "range", event->range);
	return p;
}

static char *put_end(char *p, const struct event *event)
{
	p = put_literal(p, "\"correlation\":");
	p = put_u64(p, event->slot.seq);
	return put_literal(p, "}}");
}

static char *put_range(char *p, const struct event *event, const struct said *said, uint64_t ns)
{
	p = put_head(p, event, 'X', ns);
	p = put_literal(p, ",\"dur\":");
	p = put_us(p, event->end_ns - event->start_ns);
	if (event_in_flight(event))
		p = put_literal(p, ",\"cname\":\"bad\"");
	p = put_literal(p, ",\"args\":{");
	p = put_said(p, event, said);
	if (event_in_flight(event))
		p = put_literal(p, "\"in_flight\":true,");
	else if (event_abandoned(event))
		p = put_literal(p, "\"end not recorded\":true,");
	return put_end(p, event);
}

/* Half of a range without a thread. */
static char *put_async(char *p, const struct event *event, const struct said *said, char phase, uint64_t ns)
{
	p = put_head(p, event, phase, ns);
	p = put_literal(p, ",\"id2\":{\"local\":\"");
	p = put_hex(p, event->slot.range.id);
	p = put_literal(p, "\"},\"args\":{");
	p = put_said(p, event, said);
	return put_end(p, event);
}

static char *put_mark(char *p, const struct event *event, const struct said *said, uint64_t ns)
{
	p = put_head(p, event, 'i', ns);
	p = put_literal(p, ",\"s\":\"t\",\"args\":{");
	p = put_said(p, event, said);
	return put_end(p, event);
}

/* A value that is no number has no place on a track. */
static char *put_counter(char *p, const struct event *event, uint64_t ns)
{
	const struct vprof_slot *slot = &event->slot;

	if ((slot->range.payload_type == VPROF_PAYLOAD_F64 && !isfinite(f64_of(slot->range.payload))) ||
	    (slot->range.payload_type == VPROF_PAYLOAD_F32 && !isfinite(f32_of(slot->range.payload))))
		return p;
	p = put_head(p, event, 'C', ns);
	p = put_literal(p, ",\"args\":{\"value\":");
	p = put_payload(p, slot);
	return put_literal(p, "}}");
}

static char *put_event(char *p, const struct event *event, const struct said *said, uint64_t base_ns)
{
	uint64_t start = since(event->start_ns, base_ns);

	switch (event->slot.kind) {
	case VPROF_KIND_MARK:
		return put_mark(p, event, said, start);
	case VPROF_KIND_COUNTER:
		return put_counter(p, event, start);
	case VPROF_KIND_RANGE_END:
		return put_async(p, event, said, 'e', start);
	}
	if (slot_is_stacked(&event->slot))
		return put_range(p, event, said, start);
	p = put_async(p, event, said, 'b', start);
	return event_in_flight(event) ? p : put_async(p, event, said, 'e', since(event->end_ns, base_ns));
}

static size_t size_of(const struct range_name *name)
{
	return name ? name->json_size : 0;
}

void chrome_range(struct buffer *out, const struct event *event, uint64_t base_ns)
{
	struct said said = said_of(event);
	size_t one = size_of(event->name) + size_of(event->range) + size_of(said.domain) + size_of(said.category) +
		     EVENT_REST;
	char *p = buffer_room(out, 2 * one); /* a range without a thread is two events */

	if (p)
		buffer_end(out, put_event(p, event, &said, base_ns));
}
