/*
 * kineto_slices.c - what the host did, in the torch profiler's layout: calls and ranges.
 *
 * A call has few arguments, and none named "stream": an event with one is taken for a GPU's work.
 */
#include "tools/kineto.h"

/* The kernel's name from the text that begins its events. */
static char *put_kernel(char *p, const struct chrome_text *kernel)
{
	p = put_literal(p, "\"kernel\":\"");
	return put_text(p, kernel->head + kernel->name_at, kernel->head_size - kernel->name_at); /* with ", */
}

static char *put_arguments(char *p, const struct vprof_slot *slot, const struct chrome_text *kernel)
{
	switch (slot->kind) {
	case VPROF_KIND_LAUNCH:
		return put_kernel(p, kernel);
	case VPROF_KIND_COPY:
		p = put_literal(p, "\"bytes\":");
		p = put_u64(p, slot->copy.bytes);
		*p++ = ',';
		return p;
	case VPROF_KIND_SET:
		p = put_literal(p, "\"bytes\":");
		p = put_u64(p, slot->set.bytes);
		*p++ = ',';
		return p;
	default:
		return p;
	}
}

static char *put_result(char *p, const struct event *event)
{
	uint32_t result = VPROF_DONE_RESULT(event->slot.done);
	const char *name;

	if (event_abandoned(event))
		return put_literal(p, "\"abandoned\":true,");
	if (event_in_flight(event))
		return put_literal(p, "\"in_flight\":true,");
	if (!result || result == EVENT_RESULT_NOT_READY)
		return p;
	p = put_literal(p, "\"error\":");
	p = put_u64(p, result);
	*p++ = ',';
	name = event_error_name(result);
	if (name) {
		p = put_literal(p, "\"error name\":\"");
		p = put_text(p, name, strlen(name));
		p = put_literal(p, "\",");
	}
	return p;
}

static void put_call(const struct kineto *kineto, struct buffer *out, const struct event *event)
{
	const struct chrome_names *names = &kineto->names;
	const struct vprof_slot *slot = &event->slot;
	const struct chrome_text *call = chrome_call(names, slot->call);
	const struct chrome_text *kernel = chrome_kernel(names, slot->kind == VPROF_KIND_LAUNCH ? slot->object : 0);
	uint64_t start = kineto_since(kineto, event->start_ns);
	char *p = buffer_room(out, call->head_size + call->args_size + kernel->head_size + KINETO_LINE);

	if (!p)
		return;
	p = put_text(p, call->head, call->head_size);
	p = kineto_put_place(p, kineto->pid, event->thread->tid, start);
	p = put_literal(p, ",\"dur\":");
	p = put_us(p, event->end_ns - event->start_ns);
	p = put_literal(p, ",\"args\":{");
	p = put_padded(p, call->args, call->args_size);
	p = put_arguments(p, slot, kernel);
	p = put_result(p, event);
	p = put_literal(p, "\"correlation\":");
	p = put_u64(p, slot->seq);
	p = put_literal(p, "}}");
	if (idmap_get(&kineto->worked, slot->seq) != IDMAP_NONE)
		p = kineto_put_arrow(p, 's', slot->seq, kineto->pid, event->thread->tid, start);
	buffer_end(out, p);
}

/* Other records are of things that are no calls, or that this layout does not have. */
static int is_call(const struct event *event)
{
	return event->slot.kind <= VPROF_KIND_CALL;
}

/* Those of a thread: this layout has no others. */
static void put_range(const struct kineto *kineto, struct buffer *out, const struct event *event)
{
	char *p;

	if (!slot_is_stacked(&event->slot))
		return;
	p = buffer_room(out, event->name->json_size + KINETO_LINE);
	if (!p)
		return;
	p = put_literal(p, ",\n{\"ph\":\"X\",\"cat\":\"user_annotation\",\"name\":\"");
	p = put_padded(p, event->name->json, event->name->json_size);
	p = put_literal(p, "\",");
	p = kineto_put_place(p, kineto->pid, event->thread->tid, kineto_since(kineto, event->start_ns));
	p = put_literal(p, ",\"dur\":");
	p = put_us(p, event->end_ns - event->start_ns);
	p = put_literal(p, ",\"args\":{}}");
	buffer_end(out, p);
}

void kineto_slices(void *state, struct buffer *out, const struct event *events, int count)
{
	const struct kineto *kineto = state;

	for (int i = 0; i < count; i++)
		if (events[i].name)
			put_range(kineto, out, &events[i]);
		else if (is_call(&events[i]))
			put_call(kineto, out, &events[i]);
}
