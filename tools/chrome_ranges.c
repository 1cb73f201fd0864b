/*
 * chrome_ranges.c - what the program said of itself: ranges, marks and counters as events.
 *
 * A range of a thread is a slice on its track, in which the calls that were made in it nest. A
 * range without a thread is a pair of asynchronous events with its id. Their category is the
 * one that readers of PyTorch's traces know.
 */
#include "tools/chrome.h"

#include <inttypes.h>
#include <math.h>

#define CATEGORY "user_annotation"

static uint64_t since(uint64_t ns, uint64_t base_ns)
{
	return ns > base_ns ? ns - base_ns : 0;
}

static void put_time(struct buffer *out, const char *key, uint64_t ns)
{
	buffer_print(out, "\"%s\":%" PRIu64 ".%03u", key, ns / 1000, (unsigned int)(ns % 1000));
}

/* Everything up to the arguments, but what only some phases have. */
static void put_head(struct buffer *out, const struct event *event, char phase, const char *mark, uint64_t ns)
{
	buffer_print(out, ",\n{\"ph\":\"%c\",\"cat\":\"" CATEGORY "\",\"name\":\"%s", phase, mark);
	buffer_add(out, event->name->json, event->name->json_size);
	buffer_print(out, "\",");
	buffer_add(out, event->thread->ids, event->thread->ids_size);
	put_time(out, "ts", ns);
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

static void put_double(struct buffer *out, double value, int digits)
{
	if (isfinite(value))
		buffer_print(out, "%.*g", digits, value);
	else
		buffer_print(out, "\"%s\"", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
}

static void put_payload(struct buffer *out, const struct vprof_slot *slot)
{
	uint64_t payload = slot->range.payload;

	switch (slot->range.payload_type) {
	case VPROF_PAYLOAD_I64:
		buffer_print(out, "%" PRId64, (int64_t)payload);
		break;
	case VPROF_PAYLOAD_I32:
		buffer_print(out, "%" PRId32, (int32_t)(uint32_t)payload);
		break;
	case VPROF_PAYLOAD_F64:
		put_double(out, f64_of(payload), 17);
		break;
	case VPROF_PAYLOAD_F32:
		put_double(out, f32_of(payload), 9);
		break;
	default:
		buffer_print(out, "%" PRIu64, payload);
	}
}

static void put_string(struct buffer *out, const char *key, const char *text)
{
	buffer_print(out, "\"%s\":\"", key);
	buffer_add_json(out, text);
	buffer_print(out, "\",");
}

static void put_category(struct buffer *out, const struct trace_process *process, const struct vprof_slot *slot)
{
	uint64_t key = (uint64_t)slot->range.domain << 32 | slot->range.category;
	const struct range_name *category = range_label(&process->names, &process->names.categories, key);

	if (category)
		put_string(out, "category", category->text);
	else
		buffer_print(out, "\"category\":%u,", slot->range.category);
}

/* What all kinds may have; behind it comes the last argument. */
static void put_said(struct buffer *out, const struct event *event)
{
	const struct trace_process *process = event->thread->process;
	const struct vprof_slot *slot = &event->slot;
	const struct range_name *domain = range_label(&process->names, &process->names.domains, slot->range.domain);

	if (domain)
		put_string(out, "domain", domain->text);
	if (slot->range.category)
		put_category(out, process, slot);
	if (slot->range.flags & VPROF_RANGE_COLOR)
		buffer_print(out, "\"color\":\"#%06x\",", slot->range.color & 0xffffff);
	if (slot->range.payload_type) {
		buffer_print(out, "\"payload\":");
		put_payload(out, slot);
		buffer_print(out, ",");
	}
	if (slot->range.flags & VPROF_RANGE_CUT)
		buffer_print(out, "\"name cut\":true,");
	if (slot->range.flags & VPROF_RANGE_AGAIN)
		buffer_print(out, "\"began before the first record kept\":true,");
	if (event->range) {
		buffer_print(out, "\"range\":\"");
		buffer_add(out, event->range->json, event->range->json_size);
		buffer_print(out, "\",");
	}
}

static void put_end(struct buffer *out, const struct event *event)
{
	buffer_print(out, "\"correlation\":%" PRIu64 "}}", event->slot.seq);
}

static void put_range(struct buffer *out, const struct event *event, uint64_t base_ns)
{
	const char *mark = event_in_flight(event) ? "[in flight] " : "";

	put_head(out, event, 'X', mark, since(event->start_ns, base_ns));
	buffer_print(out, ",");
	put_time(out, "dur", event->end_ns - event->start_ns);
	if (event_in_flight(event))
		buffer_print(out, ",\"cname\":\"bad\"");
	buffer_print(out, ",\"args\":{");
	put_said(out, event);
	if (event_in_flight(event))
		buffer_print(out, "\"in_flight\":true,");
	else if (event_abandoned(event))
		buffer_print(out, "\"end not recorded\":true,");
	put_end(out, event);
}

/* Half of a range without a thread. */
static void put_async(struct buffer *out, const struct event *event, char phase, uint64_t ns)
{
	put_head(out, event, phase, "", ns);
	buffer_print(out, ",\"id2\":{\"local\":\"0x%" PRIx64 "\"},\"args\":{", event->slot.range.id);
	put_said(out, event);
	put_end(out, event);
}

static void put_mark(struct buffer *out, const struct event *event, uint64_t base_ns)
{
	put_head(out, event, 'i', "", since(event->start_ns, base_ns));
	buffer_print(out, ",\"s\":\"t\",\"args\":{");
	put_said(out, event);
	put_end(out, event);
}

/* A value that is no number has no place on a track. */
static void put_counter(struct buffer *out, const struct event *event, uint64_t base_ns)
{
	const struct vprof_slot *slot = &event->slot;

	if ((slot->range.payload_type == VPROF_PAYLOAD_F64 && !isfinite(f64_of(slot->range.payload))) ||
	    (slot->range.payload_type == VPROF_PAYLOAD_F32 && !isfinite(f32_of(slot->range.payload))))
		return;
	put_head(out, event, 'C', "", since(event->start_ns, base_ns));
	buffer_print(out, ",\"args\":{\"value\":");
	put_payload(out, slot);
	buffer_print(out, "}}");
}

void chrome_range(struct buffer *out, const struct event *event, uint64_t base_ns)
{
	switch (event->slot.kind) {
	case VPROF_KIND_MARK:
		put_mark(out, event, base_ns);
		break;
	case VPROF_KIND_COUNTER:
		put_counter(out, event, base_ns);
		break;
	case VPROF_KIND_RANGE_END:
		put_async(out, event, 'e', since(event->start_ns, base_ns));
		break;
	default:
		if (slot_is_stacked(&event->slot)) {
			put_range(out, event, base_ns);
			break;
		}
		put_async(out, event, 'b', since(event->start_ns, base_ns));
		if (!event_in_flight(event))
			put_async(out, event, 'e', since(event->end_ns, base_ns));
	}
}
