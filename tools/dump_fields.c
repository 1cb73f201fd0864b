/*
 * dump_fields.c - what a record of its kind has, as key=value or as members of an object.
 *
 * The table says of each kind where its fields lie and what form they have; one function writes a field, in
 * the style of the output. Names of kernels, graphs and objects come from the ring's definitions, and where
 * that lacks one its number stands for it.
 */
#include <stdlib.h>
#include <string.h>
#include "tools/cli.h"
#include "tools/demangle.h"
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

/* How each output writes a field: with what it begins, what stands around several numbers, and how a word goes. */
static const struct style {
	const char *before, *after, *open, *close, *quote;
	void (*word)(FILE *, const char *);
} styles[] = {
	{ " ", "=", "", "", "", dump_word },
	/* Addresses and handles are strings in JSON: a double does not hold them. */
	{ ",\"", "\":", "[", "]", "\"", cli_json_string },
};

static void put_numbers(FILE *out, const struct field *field, const struct vprof_slot *slot, const struct style *style)
{
	int several = field->count > 1;

	fputs(several ? style->open : "", out);
	for (int i = 0; i < field->count; i++) {
		unsigned long long value = field_value(field, slot, i);

		fputs(i ? "," : "", out);
		if (field->form == HEX)
			fprintf(out, "%s0x%llx%s", style->quote, value, style->quote);
		else
			fprintf(out, "%llu", value);
	}
	fputs(several ? style->close : "", out);
}

static void field_put(struct dump_ring *dump, FILE *out, const struct field *field, const struct vprof_slot *slot,
		      int json)
{
	const struct style *style = &styles[json];
	uint64_t value = field_value(field, slot, 0);
	char word[64];

	fprintf(out, "%s%s%s", style->before, field->key, style->after);
	switch (field->form) {
	case KERNEL:
		put_kernel(dump, out, (uint32_t)value, style->word);
		break;
	case GRAPH:
		fprintf(out, "%u", graph_number(dump, (uint32_t)value));
		break;
	case TWIN:
		fprintf(out, "%u", twin_graph(dump, (uint32_t)value));
		break;
	case DIRECTION:
		style->word(out, event_direction((uint32_t)value));
		break;
	case COPY_FORM:
		form_name(value, word, sizeof(word));
		style->word(out, word[0] ? word + 1 : "?");
		break;
	case HELD:
		held_name(value, word, sizeof(word));
		style->word(out, word);
		break;
	case PLACE:
		place_name(value, word, sizeof(word));
		style->word(out, word);
		break;
	case TICKS:
		fprintf(out, "%llu", (unsigned long long)span_ns(dump, slot, value));
		break;
	case MADE:
		made_name(dump, (uint32_t)value, word, sizeof(word));
		style->word(out, word);
		break;
	case CLASS:
		style->word(out, gpu_class_name((uint32_t)value));
		break;
	default:
		put_numbers(out, field, slot, style);
	}
}

void dump_fields(struct dump_ring *dump, FILE *out, const struct vprof_slot *slot, int json)
{
	int known = slot->kind <= VPROF_KIND_THREAD;

	for (uint32_t i = 0; i < FIELDS; i++) {
		if (fields[i].kind != slot->kind)
			continue;
		known = 1;
		if (field_shown(&fields[i], slot))
			field_put(dump, out, &fields[i], slot, json);
	}
	if (!known && !slot_is_said(slot))
		field_put(dump, out, &unknown, slot, json);
}
