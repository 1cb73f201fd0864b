/*
 * chrome_slices.c - one event as one line of JSON: the fast path of vprof-merge.
 *
 * Room for the longest possible line is made once for each slice; from there on
 * it is copies and digits, no printf, no check. What a line can need beyond its
 * ready-made texts is at most LINE_REST bytes.
 */
#include "tools/chrome.h"
#include "tools/memory.h"

enum { LINE_REST = 1024 };

/* How a word of a record is shown. */
enum word_form {
	WORD_NONE,
	WORD_HEX,          /* a handle or an address; left out when 0 */
	WORD_COUNT,
	WORD_FLAGS,        /* left out when 0 */
	WORD_STREAM,
	WORD_STREAM_OR_NONE, /* left out when 0: the call may have none */
};

struct word {
	enum word_form form;
	uint8_t size;
	const char *name;  /* "dst": */
};

#define WORD(form, name) { WORD_##form, sizeof("\"" name "\":") - 1, "\"" name "\":" }
#define STREAM_NAME "stream handle"

static const struct word kind_words[][4] = {
	[VPROF_KIND_GRAPH_LAUNCH] = { WORD(STREAM, STREAM_NAME), WORD(HEX, "exec"), WORD(FLAGS, "flags") },
	[VPROF_KIND_COPY] = { WORD(HEX, "dst"), WORD(HEX, "src"), WORD(COUNT, "bytes"), WORD(STREAM, STREAM_NAME) },
	[VPROF_KIND_SET] = { WORD(HEX, "dst"), WORD(COUNT, "bytes"), WORD(STREAM, STREAM_NAME) },
	[VPROF_KIND_SYNC] = { WORD(HEX, "handle") },
	[VPROF_KIND_EVENT] = { WORD(HEX, "event"), WORD(STREAM_OR_NONE, STREAM_NAME), WORD(FLAGS, "flags") },
	[VPROF_KIND_MEMORY] = { WORD(HEX, "address"), WORD(COUNT, "bytes"), WORD(HEX, "other"),
				WORD(STREAM_OR_NONE, STREAM_NAME) },
	[VPROF_KIND_MODULE] = { WORD(HEX, "handle"), WORD(HEX, "from"), WORD(FLAGS, "size") },
	[VPROF_KIND_GRAPH] = { WORD(HEX, "graph handle"), WORD(HEX, "exec"), WORD(STREAM_OR_NONE, STREAM_NAME),
			       WORD(FLAGS, "flags") },
	[VPROF_KIND_CALL] = { WORD(HEX, "arg 0"), WORD(HEX, "arg 1"), WORD(HEX, "arg 2"), WORD(HEX, "arg 3") },
};

/* A stream's handle, or the name of one of the streams that have none. */
static char *put_stream(char *p, uint64_t stream, int per_thread)
{
	if (stream > 2) {
		*p++ = '"';
		p = put_hex(p, stream);
		*p++ = '"';
		return p;
	}
	if (stream == 2 || (!stream && per_thread))
		return put_literal(p, "\"per-thread\"");
	return stream ? put_literal(p, "\"legacy\"") : put_literal(p, "\"default\"");
}

static char *put_word(char *p, const struct word *word, uint64_t value, int per_thread)
{
	if (!value && word->form != WORD_COUNT && word->form != WORD_STREAM)
		return p;
	p = put_text(p, word->name, word->size);
	if (word->form == WORD_HEX) {
		*p++ = '"';
		p = put_hex(p, value);
		*p++ = '"';
	} else if (word->form == WORD_COUNT || word->form == WORD_FLAGS) {
		p = put_u64(p, value);
	} else {
		p = put_stream(p, value, per_thread);
	}
	*p++ = ',';
	return p;
}

static char *put_words(char *p, const struct vprof_slot *slot, int per_thread)
{
	if (slot->kind >= sizeof(kind_words) / sizeof(kind_words[0]))
		return p;
	for (int i = 0; i < 4 && kind_words[slot->kind][i].form; i++)
		p = put_word(p, &kind_words[slot->kind][i], slot->words[i], per_thread);
	return p;
}

static char *put_launch(char *p, const struct vprof_slot *slot)
{
	p = put_literal(p, "\"grid\":[");
	p = put_u64(p, slot->launch.grid[0]);
	*p++ = ',';
	p = put_u64(p, slot->launch.grid[1]);
	*p++ = ',';
	p = put_u64(p, slot->launch.grid[2]);
	p = put_literal(p, "],\"block\":[");
	p = put_u64(p, slot->launch.block[0]);
	*p++ = ',';
	p = put_u64(p, slot->launch.block[1]);
	*p++ = ',';
	p = put_u64(p, slot->launch.block[2]);
	p = put_literal(p, "],\"shared memory\":");
	p = put_u64(p, slot->launch.shared);
	p = put_literal(p, ",\"" STREAM_NAME "\":");
	p = put_stream(p, slot->launch.stream, slot->launch.flags & VPROF_LAUNCH_PER_THREAD);
	*p++ = ',';
	if (slot->launch.flags & VPROF_LAUNCH_COOPERATIVE)
		p = put_literal(p, "\"cooperative\":true,");
	if (slot->launch.flags & VPROF_LAUNCH_CLUSTER)
		p = put_literal(p, "\"cluster\":true,");
	if (slot->launch.flags & VPROF_LAUNCH_PROGRAMMATIC)
		p = put_literal(p, "\"programmatic\":true,");
	return p;
}

/* Of what kind memory is, and where it lies. */
static char *put_held(char *p, uint32_t object)
{
	const char *kind = memory_kind_name(object & VPROF_MEMORY_KIND);
	uint32_t place = memory_place_of(object);

	if (!(object & VPROF_MEMORY_KIND))
		return p;
	p = put_literal(p, "\"memory\":\"");
	p = put_text(p, kind, strlen(kind));
	p = put_literal(p, "\",");
	if (place < VPROF_MEMORY_HOST) {
		p = put_literal(p, "\"device\":");
		p = put_u64(p, place);
		*p++ = ',';
	}
	if (object & VPROF_MEMORY_UNKNOWN)
		p = put_literal(p, "\"unknown\":true,");
	return p;
}

/* The arguments that a kind has of its own. */
static char *put_arguments(char *p, const struct vprof_slot *slot)
{
	const char *direction;

	switch (slot->kind) {
	case VPROF_KIND_LAUNCH:
		return put_launch(p, slot);
	case VPROF_KIND_GRAPH_LAUNCH:
		return put_words(p, slot, slot->graph_launch.flags & VPROF_LAUNCH_PER_THREAD);
	case VPROF_KIND_COPY:
		direction = event_direction(slot->object);
		p = put_literal(p, "\"direction\":\"");
		p = put_text(p, direction, strlen(direction));
		p = put_literal(p, "\",");
		return put_words(p, slot, slot->object & VPROF_COPY_PER_THREAD);
	case VPROF_KIND_MEMORY:
		return put_words(put_held(p, slot->object), slot, 0);
	case VPROF_KIND_SET:
		p = put_words(p, slot, slot->object & VPROF_COPY_PER_THREAD);
		p = put_literal(p, "\"value\":");
		p = put_u64(p, slot->set.value);
		p = put_literal(p, ",\"width\":");
		p = put_u64(p, slot->set.width);
		*p++ = ',';
		return p;
	default:
		return put_words(p, slot, 0);
	}
}

/* A result that is no success: an error, or the "not ready" of a query. */
static char *put_result(char *p, uint32_t result)
{
	const char *name = event_error_name(result);

	if (result == EVENT_RESULT_NOT_READY)
		return put_literal(p, "\"result\":\"not ready\",");
	p = put_literal(p, "\"error\":");
	p = put_u64(p, result);
	*p++ = ',';
	if (name) {
		p = put_literal(p, "\"error name\":\"");
		p = put_text(p, name, strlen(name));
		p = put_literal(p, "\",");
	}
	return p;
}

/* From the comma before the event to the place where "pid" stands. */
static char *put_head(char *p, const struct chrome_text *text, const struct event *event)
{
	if (__builtin_expect(VPROF_DONE_TICKS(event->slot.done) != 0, 1))
		return put_padded(p, text->head, text->head_size);
	p = put_text(p, text->head, text->name_at);
	if (event_abandoned(event))
		p = put_literal(p, "[abandoned] ");
	else
		p = put_literal(p, "[in flight] ");
	return put_text(p, text->head + text->name_at, text->head_size - text->name_at);
}

/* The text that gives a slice its name, and the one that goes into its arguments. */
static const struct chrome_text *slice_text(const struct chrome_names *names, const struct vprof_slot *slot,
					    const struct chrome_text *call,
					    const struct chrome_text **object)
{
	static const char blank[TEXT_PAD];
	static const struct chrome_text nothing = { .args = (char *)blank };

	*object = &nothing;
	switch (slot->kind) {
	case VPROF_KIND_LAUNCH:
		return *object = chrome_kernel(names, slot->object);
	case VPROF_KIND_GRAPH_LAUNCH:
		return *object = chrome_graph(names, slot->object);
	case VPROF_KIND_MODULE:
		if (slot->object)
			*object = chrome_kernel(names, slot->object);
		return call;
	case VPROF_KIND_GRAPH:
		if (slot->object)
			*object = chrome_graph(names, slot->object);
		return call;
	default:
		return call;
	}
}

/* The stream that a call was made for, 0 where it is none that could have a name. */
static uint64_t stream_of(const struct vprof_slot *slot)
{
	switch (slot->kind) {
	case VPROF_KIND_LAUNCH:
		return slot->launch.stream;
	case VPROF_KIND_GRAPH_LAUNCH:
		return slot->graph_launch.stream;
	case VPROF_KIND_COPY:
		return slot->copy.stream;
	case VPROF_KIND_SET:
		return slot->set.stream;
	case VPROF_KIND_SYNC:
		return slot->sync.handle;
	case VPROF_KIND_EVENT:
		return slot->event.stream;
	case VPROF_KIND_MEMORY:
		return slot->memory.stream;
	}
	return 0;
}

static int is_launch(const struct vprof_slot *slot)
{
	return slot->kind == VPROF_KIND_LAUNCH || slot->kind == VPROF_KIND_GRAPH_LAUNCH;
}

/*
 * Calls that were counted: a moment, for when each was made is not known. Its name says how many,
 * its place when the first was made.
 */
static void put_queries(const struct chrome *chrome, struct buffer *out, const struct event *event)
{
	const struct trace_thread *thread = event->thread;
	const struct vprof_slot *slot = &event->slot;
	const struct chrome_text *call = chrome_call(&chrome->names[thread->process->index], slot->call);
	uint64_t base = chrome->trace->base_ns;
	uint32_t at = 0;
	char *p = buffer_room(out, call->head_size + call->args_size + LINE_REST);

	if (!p)
		return;
	p = put_literal(p, ",\n{\"ph\":\"i\",\"s\":\"t\",\"cat\":\"query\",\"name\":\"");
	p = put_u64(p, slot->queries.count);
	p = put_literal(p, " x ");
	p = put_text(p, call->head + call->name_at, call->head_size - call->name_at);
	p = put_padded(p, thread->ids, thread->ids_size);
	p = put_literal(p, "\"ts\":");
	p = put_us(p, event->start_ns > base ? event->start_ns - base : 0);
	p = put_literal(p, ",\"args\":{");
	p = put_padded(p, call->args, call->args_size);
	p = put_literal(p, "\"count\":");
	p = put_u64(p, slot->queries.count);
	p = put_literal(p, ",\"failed\":");
	p = put_u64(p, slot->queries.failed);
	p = put_literal(p, ",\"span us\":");
	p = put_us(p, clock_length(thread->process->clock, &at, slot->t0, slot->queries.last));
	p = put_literal(p, ",\"correlation\":");
	p = put_u64(p, slot->seq);
	p = put_literal(p, "}}");
	buffer_end(out, p);
}

static inline void put_slice(const struct chrome *chrome, struct buffer *out, const struct event *event)
{
	const struct trace_thread *thread = event->thread;
	const struct chrome_names *names = &chrome->names[thread->process->index];
	const struct range_names *said = &thread->process->names;
	const struct range_name *stream = NULL;
	const struct vprof_slot *slot = &event->slot;
	uint64_t base = chrome->trace->base_ns;
	uint64_t start = event->start_ns > base ? event->start_ns - base : 0;
	uint32_t result = VPROF_DONE_RESULT(slot->done);
	const struct chrome_text *call = chrome_call(names, slot->call), *text, *object;
	int returned = VPROF_DONE_TICKS(slot->done) != 0;
	char *p;

	text = slice_text(names, slot, call, &object);
	if (__builtin_expect(said->streams.count != 0, 0))
		stream = range_label(said, &said->streams, stream_of(slot));
	p = buffer_room(out, text->head_size + object->args_size + object->more_size + call->args_size + LINE_REST +
			     (event->range ? event->range->json_size : 0) + (stream ? stream->json_size : 0));
	if (!p)
		return;
	p = put_head(p, text, event);
	p = put_padded(p, thread->ids, thread->ids_size);
	p = put_literal(p, "\"ts\":");
	p = put_us(p, start);
	p = put_literal(p, ",\"dur\":");
	p = put_us(p, event->end_ns - event->start_ns);
	if (__builtin_expect(!returned, 0))
		p = put_literal(p, ",\"cname\":\"bad\"");
	else if (__builtin_expect(result && result != EVENT_RESULT_NOT_READY, 0))
		p = put_literal(p, ",\"cname\":\"terrible\"");
	p = put_literal(p, ",\"args\":{");
	p = put_padded(p, object->args, object->args_size);
	p = put_padded(p, call->args, call->args_size);
	p = put_arguments(p, slot);
	p = chrome_put_objects(p, names, text, event);
	if (__builtin_expect(object->more_size && slot->kind == VPROF_KIND_GRAPH_LAUNCH, 0))
		p = put_text(p, object->more, object->more_size);
	if (stream)
		p = PUT_NAMED(p, "stream name", stream);
	if (event->range && is_launch(slot))
		p = PUT_NAMED(p, "range", event->range);
	if (__builtin_expect(!returned, 0))
		p = event_abandoned(event) ? put_literal(p, "\"abandoned\":true,") :
					     put_literal(p, "\"in_flight\":true,");
	else if (__builtin_expect(result, 0))
		p = put_result(p, result);
	p = put_literal(p, "\"correlation\":");
	p = put_u64(p, slot->seq);
	p = put_literal(p, "}}");
	buffer_end(out, p);
}

void chrome_slices(void *state, struct buffer *out, const struct event *events, int count)
{
	const struct chrome *chrome = state;

	for (int i = 0; i < count; i++)
		if (__builtin_expect(event_is_sums(&events[i]), 0))
			chrome_memory_sums(chrome, out, &events[i]);
		else if (__builtin_expect(events[i].slot.kind == VPROF_KIND_QUERIES, 0))
			put_queries(chrome, out, &events[i]);
		else if (__builtin_expect(!events[i].name, 1))
			put_slice(chrome, out, &events[i]);
		else
			chrome_range(out, &events[i], chrome->trace->base_ns);
}
