/*
 * dump_record.c - a record's line: the part that all have, then key=value by kind.
 */
#include <stdlib.h>
#include <string.h>
#include "tools/demangle.h"
#include "tools/cli.h"
#include "tools/dump.h"
#include "tools/events.h"
#include "tools/gpu.h"
#include "tools/memory.h"

enum form {
	DEC = 1,
	HEX,
	KERNEL,    /* id of a definition: its name */
	GRAPH,     /* likewise: its number */
	DIRECTION, /* low byte of enum vprof_copy */
	COPY_FORM, /* the bits above it */
	HELD,      /* what became of memory (enum vprof_memory_kind) */
	PLACE,     /* and where */
	TICKS,     /* a length of time */
	MADE,      /* id of a definition: what the call made, and its number */
	TWIN,      /* id of a twin: the number of its graph */
	CLASS,     /* enum vprof_stamp_class */
};

enum { ALWAYS = 0, NOT_ZERO = 1, WITH_DONE = 2 }; /* when a field is shown; WITH_DONE: in flight only if not 0 */

static const struct field {
	uint16_t kind;
	const char *key;
	uint8_t offset, width, count, form, when;
} fields[] = {
	{ VPROF_KIND_LAUNCH, "kernel", 28, 4, 1, KERNEL, ALWAYS },
	{ VPROF_KIND_LAUNCH, "grid", 40, 4, 3, DEC, ALWAYS },
	{ VPROF_KIND_LAUNCH, "block", 52, 2, 3, DEC, ALWAYS },
	{ VPROF_KIND_LAUNCH, "shared", 60, 4, 1, DEC, ALWAYS },
	{ VPROF_KIND_LAUNCH, "stream", 32, 8, 1, HEX, ALWAYS },
	{ VPROF_KIND_LAUNCH, "flags", 58, 2, 1, HEX, NOT_ZERO },
	{ VPROF_KIND_GRAPH_LAUNCH, "graph", 28, 4, 1, GRAPH, NOT_ZERO },
	{ VPROF_KIND_GRAPH_LAUNCH, "exec", 40, 8, 1, HEX, ALWAYS },
	{ VPROF_KIND_GRAPH_LAUNCH, "stream", 32, 8, 1, HEX, ALWAYS },
	{ VPROF_KIND_GRAPH_LAUNCH, "flags", 48, 8, 1, HEX, NOT_ZERO },
	{ VPROF_KIND_COPY, "direction", 28, 4, 1, DIRECTION, ALWAYS },
	{ VPROF_KIND_COPY, "form", 28, 4, 1, COPY_FORM, NOT_ZERO },
	{ VPROF_KIND_COPY, "bytes", 48, 8, 1, DEC, ALWAYS },
	{ VPROF_KIND_COPY, "dst", 32, 8, 1, HEX, ALWAYS },
	{ VPROF_KIND_COPY, "src", 40, 8, 1, HEX, ALWAYS },
	{ VPROF_KIND_COPY, "stream", 56, 8, 1, HEX, ALWAYS },
	{ VPROF_KIND_SET, "form", 28, 4, 1, COPY_FORM, NOT_ZERO },
	{ VPROF_KIND_SET, "bytes", 40, 8, 1, DEC, ALWAYS },
	{ VPROF_KIND_SET, "dst", 32, 8, 1, HEX, ALWAYS },
	{ VPROF_KIND_SET, "value", 56, 4, 1, HEX, ALWAYS },
	{ VPROF_KIND_SET, "width", 60, 4, 1, DEC, ALWAYS },
	{ VPROF_KIND_SET, "stream", 48, 8, 1, HEX, ALWAYS },
	{ VPROF_KIND_SYNC, "handle", 32, 8, 1, HEX, ALWAYS },
	{ VPROF_KIND_EVENT, "event", 32, 8, 1, HEX, ALWAYS },
	{ VPROF_KIND_EVENT, "stream", 40, 8, 1, HEX, ALWAYS },
	{ VPROF_KIND_EVENT, "flags", 48, 8, 1, HEX, NOT_ZERO },
	{ VPROF_KIND_MEMORY, "held", 28, 4, 1, HELD, NOT_ZERO },
	{ VPROF_KIND_MEMORY, "place", 28, 4, 1, PLACE, NOT_ZERO },
	{ VPROF_KIND_MEMORY, "address", 32, 8, 1, HEX, WITH_DONE },
	{ VPROF_KIND_MEMORY, "bytes", 40, 8, 1, DEC, ALWAYS },
	{ VPROF_KIND_MEMORY, "other", 48, 8, 1, HEX, NOT_ZERO },
	{ VPROF_KIND_MEMORY, "stream", 56, 8, 1, HEX, NOT_ZERO },
	{ VPROF_KIND_MODULE, "kernel", 28, 4, 1, KERNEL, NOT_ZERO },
	{ VPROF_KIND_MODULE, "handle", 32, 8, 1, HEX, WITH_DONE },
	{ VPROF_KIND_MODULE, "from", 40, 8, 1, HEX, NOT_ZERO },
	{ VPROF_KIND_MODULE, "size", 48, 8, 1, DEC, NOT_ZERO },
	{ VPROF_KIND_GRAPH, "graph", 28, 4, 1, GRAPH, NOT_ZERO },
	{ VPROF_KIND_GRAPH, "source", 32, 8, 1, HEX, WITH_DONE },
	{ VPROF_KIND_GRAPH, "exec", 40, 8, 1, HEX, WITH_DONE },
	{ VPROF_KIND_GRAPH, "stream", 48, 8, 1, HEX, NOT_ZERO },
	{ VPROF_KIND_GRAPH, "flags", 56, 8, 1, HEX, NOT_ZERO },
	{ VPROF_KIND_CALL, "made", 28, 4, 1, MADE, NOT_ZERO },
	{ VPROF_KIND_CALL, "args", 32, 8, 4, HEX, ALWAYS },
	{ VPROF_KIND_THREAD, "thread", 32, 8, 1, DEC, ALWAYS },
	{ VPROF_KIND_QUERIES, "count", 32, 8, 1, DEC, ALWAYS },
	{ VPROF_KIND_QUERIES, "failed", 48, 8, 1, DEC, ALWAYS },
	{ VPROF_KIND_QUERIES, "span_ns", 40, 8, 1, TICKS, ALWAYS },
	{ VPROF_KIND_REPLAY, "graph", 28, 4, 1, TWIN, ALWAYS },
	{ VPROF_KIND_REPLAY, "number", 48, 4, 1, DEC, ALWAYS },
	{ VPROF_KIND_REPLAY, "stamps", 52, 4, 1, DEC, ALWAYS },
	{ VPROF_KIND_REPLAY, "gpu_ns", 32, 8, 1, DEC, ALWAYS },
	{ VPROF_KIND_REPLAY, "stream", 40, 8, 1, HEX, ALWAYS },
	{ VPROF_KIND_REPLAY, "thread", 56, 8, 1, DEC, ALWAYS },
	{ VPROF_KIND_STAMPS, "after", 32, 4, 8, DEC, ALWAYS },
	{ VPROF_KIND_TIMED, "object", 28, 4, 1, DEC, ALWAYS },
	{ VPROF_KIND_TIMED, "of", 54, 2, 1, DEC, ALWAYS },
	{ VPROF_KIND_TIMED, "ns", 48, 4, 1, DEC, ALWAYS },
	{ VPROF_KIND_TIMED, "class", 60, 2, 1, CLASS, ALWAYS },
	{ VPROF_KIND_TIMED, "gpu_ns", 32, 8, 1, DEC, ALWAYS },
	{ VPROF_KIND_TIMED, "device", 52, 2, 1, DEC, ALWAYS },
	{ VPROF_KIND_TIMED, "stream", 40, 8, 1, HEX, ALWAYS },
	{ VPROF_KIND_TIMED, "thread", 56, 4, 1, DEC, ALWAYS },
	{ VPROF_KIND_GPU_CLOCK, "device", 28, 4, 1, DEC, ALWAYS },
	{ VPROF_KIND_GPU_CLOCK, "gpu_ns", 32, 8, 1, DEC, ALWAYS },
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

/* Of a kind that this version does not know. */
static const struct field unknown = { 0, "words", 32, 8, 4, HEX, ALWAYS };

static uint64_t field_value(const struct field *field, const struct vprof_slot *slot, int i)
{
	const uint8_t *at = (const uint8_t *)slot + field->offset + (size_t)i * field->width;
	uint64_t value = 0;
	uint32_t word;
	uint16_t half;

	switch (field->width) {
	case 2:
		memcpy(&half, at, 2);
		return half;
	case 4:
		memcpy(&word, at, 4);
		return word;
	default:
		memcpy(&value, at, 8);
		return value;
	}
}

static int field_shown(const struct field *field, const struct vprof_slot *slot)
{
	uint64_t value = field_value(field, slot, 0);

	if (field->form == COPY_FORM)
		value >>= 8;
	if (field->form == PLACE)
		value >>= VPROF_MEMORY_PLACE_SHIFT;
	if (field->when == ALWAYS)
		return 1;
	if (field->when == WITH_DONE && slot->done)
		return 1;
	return value != 0;
}

static void form_name(uint64_t object, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s%s", object & VPROF_COPY_ASYNC ? ",async" : "",
		 object & VPROF_COPY_2D ? ",2d" : "", object & VPROF_COPY_3D ? ",3d" : "",
		 object & VPROF_COPY_PER_THREAD ? ",per-thread" : "");
}

/* "take-pool", "give-device", "give-unknown-pinned"; of what is neither taken nor given back "pool". */
static void held_name(uint64_t object, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s", object & VPROF_MEMORY_TAKE ? "take-" : object & VPROF_MEMORY_GIVE ? "give-" : "",
		 object & VPROF_MEMORY_UNKNOWN ? "unknown-" : "", memory_kind_name(object & VPROF_MEMORY_KIND));
}

static void place_name(uint64_t object, char *text, size_t size)
{
	uint32_t place = memory_place_of((uint32_t)object);

	snprintf(text, size, place == VPROF_MEMORY_HOST ? "host" : "%u", place);
}

/* Calls `put` with the kernel's name, or with "#ID" when the ring does not have it. */
static void put_kernel(const struct dump_ring *dump, FILE *out, uint32_t id,
		       void (*put)(FILE *, const char *))
{
	const struct vprof_def_kernel *kernel = ring_def(dump->ring, id, VPROF_DEF_KERNEL);
	char *plain = NULL, number[16];

	if (!kernel) {
		snprintf(number, sizeof(number), "#%u", id);
		put(out, number);
		return;
	}
	if (dump->demangle)
		plain = demangle_full(kernel->name);
	put(out, plain ? plain : kernel->name);
	free(plain);
}

static uint32_t graph_number(const struct dump_ring *dump, uint32_t id)
{
	const struct vprof_def_graph *graph = ring_def(dump->ring, id, VPROF_DEF_GRAPH);

	return graph ? graph->number : 0;
}

static uint32_t twin_graph(const struct dump_ring *dump, uint32_t id)
{
	const struct vprof_def_twin *twin = ring_def(dump->ring, id, VPROF_DEF_TWIN);

	return twin ? graph_number(dump, twin->graph) : 0;
}

/* "stream-1" */
static void made_name(const struct dump_ring *dump, uint32_t id, char *text, size_t size)
{
	const struct vprof_def_stream *stream = ring_def(dump->ring, id, VPROF_DEF_STREAM);
	const struct vprof_def_event *event = ring_def(dump->ring, id, VPROF_DEF_EVENT);
	const struct vprof_def_context *context = ring_def(dump->ring, id, VPROF_DEF_CONTEXT);

	if (stream)
		snprintf(text, size, "stream-%u", stream->number);
	else if (event)
		snprintf(text, size, "event-%u", event->number);
	else if (context)
		snprintf(text, size, "context-%u", context->number);
	else
		snprintf(text, size, "#%u", id);
}

static uint64_t span_ns(struct dump_ring *dump, const struct vprof_slot *slot, uint64_t ticks)
{
	return clock_length(dump->clock, &dump->at, slot->t0, ticks);
}

static void field_text(struct dump_ring *dump, FILE *out, const struct field *field,
		       const struct vprof_slot *slot)
{
	uint64_t value = field_value(field, slot, 0);
	char form[64];

	fprintf(out, " %s=", field->key);
	switch (field->form) {
	case KERNEL:
		put_kernel(dump, out, (uint32_t)value, dump_word);
		break;
	case GRAPH:
		fprintf(out, "%u", graph_number(dump, (uint32_t)value));
		break;
	case TWIN:
		fprintf(out, "%u", twin_graph(dump, (uint32_t)value));
		break;
	case DIRECTION:
		fputs(event_direction((uint32_t)value), out);
		break;
	case COPY_FORM:
		form_name(value, form, sizeof(form));
		fputs(form[0] ? form + 1 : "?", out);
		break;
	case HELD:
		held_name(value, form, sizeof(form));
		fputs(form, out);
		break;
	case PLACE:
		place_name(value, form, sizeof(form));
		fputs(form, out);
		break;
	case TICKS:
		fprintf(out, "%llu", (unsigned long long)span_ns(dump, slot, value));
		break;
	case MADE:
		made_name(dump, (uint32_t)value, form, sizeof(form));
		fputs(form, out);
		break;
	case CLASS:
		dump_word(out, gpu_class_name((uint32_t)value));
		break;
	default:
		for (int i = 0; i < field->count; i++)
			fprintf(out, field->form == HEX ? "%s0x%llx" : "%s%llu", i ? "," : "",
				(unsigned long long)field_value(field, slot, i));
	}
}

/* Addresses and handles are strings in JSON: a double does not hold them. */
static void field_json(struct dump_ring *dump, FILE *out, const struct field *field,
		       const struct vprof_slot *slot)
{
	uint64_t value = field_value(field, slot, 0);
	char form[64];

	fprintf(out, ",\"%s\":", field->key);
	switch (field->form) {
	case KERNEL:
		put_kernel(dump, out, (uint32_t)value, cli_json_string);
		break;
	case GRAPH:
		fprintf(out, "%u", graph_number(dump, (uint32_t)value));
		break;
	case TWIN:
		fprintf(out, "%u", twin_graph(dump, (uint32_t)value));
		break;
	case DIRECTION:
		cli_json_string(out, event_direction((uint32_t)value));
		break;
	case COPY_FORM:
		form_name(value, form, sizeof(form));
		cli_json_string(out, form[0] ? form + 1 : "?");
		break;
	case HELD:
		held_name(value, form, sizeof(form));
		cli_json_string(out, form);
		break;
	case PLACE:
		place_name(value, form, sizeof(form));
		cli_json_string(out, form);
		break;
	case TICKS:
		fprintf(out, "%llu", (unsigned long long)span_ns(dump, slot, value));
		break;
	case MADE:
		made_name(dump, (uint32_t)value, form, sizeof(form));
		cli_json_string(out, form);
		break;
	case CLASS:
		cli_json_string(out, gpu_class_name((uint32_t)value));
		break;
	default:
		if (field->count > 1)
			fputc('[', out);
		for (int i = 0; i < field->count; i++)
			fprintf(out, field->form == HEX ? "%s\"0x%llx\"" : "%s%llu", i ? "," : "",
				(unsigned long long)field_value(field, slot, i));
		if (field->count > 1)
			fputc(']', out);
	}
}

static void put_fields(struct dump_ring *dump, FILE *out, const struct vprof_slot *slot,
		       void (*put)(struct dump_ring *, FILE *, const struct field *,
				   const struct vprof_slot *))
{
	int known = slot->kind <= VPROF_KIND_THREAD;

	for (uint32_t i = 0; i < FIELDS; i++) {
		if (fields[i].kind != slot->kind)
			continue;
		known = 1;
		if (field_shown(&fields[i], slot))
			put(dump, out, &fields[i], slot);
	}
	if (!known && !slot_is_said(slot))
		put(dump, out, &unknown, slot);
}

void dump_word(FILE *out, const char *text)
{
	if (!*text)
		fputc('-', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= ' ' || c == '\\' || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}

void dump_seconds(FILE *out, int64_t ns)
{
	uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	fprintf(out, "%s%llu.%09u", ns < 0 ? "-" : "", (unsigned long long)(size / 1000000000),
		(unsigned int)(size % 1000000000));
}

/* One call, with a duration and a result? */
static int is_call(const struct vprof_slot *slot)
{
	return slot->kind != VPROF_KIND_THREAD && slot->kind != VPROF_KIND_QUERIES &&
	       (!slot_is_gpu(slot) || slot->kind == VPROF_KIND_GPU_CLOCK);
}

static const char *call_name(const struct dump_ring *dump, const struct vprof_slot *slot)
{
	static const char *const gpu[] = { "(replay)", "(stamps)", "(timed)", "(gpu-clock)" };

	if (slot_is_gpu(slot))
		return gpu[slot->kind - VPROF_KIND_REPLAY];
	if (slot_is_said(slot))
		return dump_said_call(slot);
	return slot->kind == VPROF_KIND_THREAD ? "(thread)" : ring_call_name(dump->ring, slot->call);
}

static uint64_t length_ns(struct dump_ring *dump, const struct vprof_slot *slot)
{
	return clock_length(dump->clock, &dump->at, slot->t0, VPROF_DONE_TICKS(slot->done));
}

void dump_text(struct dump_ring *dump, FILE *out, const struct record *record, int64_t t_ns)
{
	const struct vprof_slot *slot = record->slot;
	uint64_t ns;

	dump_seconds(out, t_ns);
	fprintf(out, " %u %u ", dump->ring->header.pid, record->owner->tid);
	dump_word(out, record->owner->comm);
	fputc(' ', out);
	dump_word(out, call_name(dump, slot));
	if (!is_call(slot)) {
		fputs(" -", out);
	} else if (!slot->done && slot_is_said(slot)) {
		fputs(" open", out);
	} else if (!slot->done) {
		fputs(record->ended ? " abandoned" : " in-flight", out);
	} else {
		ns = length_ns(dump, slot);
		fprintf(out, " %llu.%03uus", (unsigned long long)(ns / 1000), (unsigned int)(ns % 1000));
	}
	if (slot->done && VPROF_DONE_RESULT(slot->done))
		fprintf(out, " result=%u", VPROF_DONE_RESULT(slot->done));
	put_fields(dump, out, slot, field_text);
	if (slot_is_said(slot))
		dump_said_text(dump, out, record);
	fprintf(out, " corr=%llu\n", (unsigned long long)slot->seq);
}

void dump_json(struct dump_ring *dump, FILE *out, const struct record *record, int64_t t_ns)
{
	const struct vprof_slot *slot = record->slot;
	uint64_t realtime = clock_realtime(dump->clock, &dump->at, slot->t0);

	fputs("{\"time\":", out);
	dump_seconds(out, t_ns);
	fprintf(out, ",\"realtime_ns\":\"%llu\",\"pid\":%u,\"tid\":%u,\"comm\":",
		(unsigned long long)realtime, dump->ring->header.pid, record->owner->tid);
	cli_json_string(out, record->owner->comm);
	fprintf(out, ",\"serial\":%llu,\"call\":", (unsigned long long)record->owner->thread);
	cli_json_string(out, call_name(dump, slot));
	fprintf(out, ",\"kind\":%u,\"in_flight\":%s", slot->kind,
		slot->done || record->ended ? "false" : "true");
	if (record->ended)
		fputs(",\"abandoned\":true", out);
	if (slot->done && is_call(slot))
		fprintf(out, ",\"duration_ns\":%llu,\"result\":%u",
			(unsigned long long)length_ns(dump, slot), VPROF_DONE_RESULT(slot->done));
	put_fields(dump, out, slot, field_json);
	if (slot_is_said(slot))
		dump_said_json(dump, out, record);
	fprintf(out, ",\"corr\":%llu}\n", (unsigned long long)slot->seq);
}
