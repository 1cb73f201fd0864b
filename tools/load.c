/*
 * load.c - from the records of a chunk to events: threads, ranges, times, the filter.
 *
 * A chunk's first records belong to the owner that its header names; a THREAD
 * record hands the rest of the chunk, and the lane, to the next owner. That, and in which
 * range a record was made, is a matter of slot order, so it is settled before the events are put
 * in order of time: a signal handler may publish a record between another's t0 and its
 * slot, so neighbours can be slightly out of order.
 *
 * RANGES. A chunk tells of the ranges that are open when it begins before anything else. One that
 * was open in the chunk before and is not told again has ended in between, in chunks that are
 * overwritten: nobody knows when, and it is drawn up to this chunk.
 */
#include "tools/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/gpu_event.h"
#include "tools/threads.h"

struct load {
	struct trace *trace;
	struct trace_process *process;
	const struct ring_chunk *chunk;
	struct vprof_chunk *buffer;
	struct trace_thread *thread;
	struct event *events;
	uint32_t *at;          /* the caller's place in the clock's map */
	uint64_t newest;
	int count, hidden, ordered;
};

static int event_before(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->slot.seq < y->slot.seq ? -1 : x->slot.seq > y->slot.seq;
}

/* What the chunk was to hold and does not. */
static void chunk_account(struct trace_process *process, const struct ring_chunk *chunk,
			  const struct vprof_chunk *buffer, int present)
{
	uint32_t reserved = chunk->used - 1;

	if (present < 0) {
		process->unreadable += reserved;
	} else if (!present && buffer->head.base != chunk->head.base && !process->ring->cut_bytes) {
		process->overwritten += reserved; /* taken over since the index was made */
	} else {
		process->present += present;
		process->torn += reserved > (uint32_t)present ? reserved - present : 0;
	}
}

int trace_shows(const struct trace *trace, const struct trace_thread *thread, struct trace_span span)
{
	return thread->chosen && span.start_ns <= trace->to_ns && span.end_ns >= trace->from_ns;
}

int trace_shows_gpu(const struct trace *trace, const struct trace_process *process, const struct gpu_event *events,
		    uint32_t count)
{
	uint32_t index = count ? idmap_get(&process->by_serial, events->thread) : IDMAP_NONE;
	struct trace_span span = { UINT64_MAX, 0 };

	if (!process->chosen || (trace->filter->threads.count && index == IDMAP_NONE))
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		span.start_ns = events[i].begin_ns < span.start_ns ? events[i].begin_ns : span.start_ns;
		span.end_ns = events[i].end_ns > span.end_ns ? events[i].end_ns : span.end_ns;
	}
	return (index == IDMAP_NONE || process->threads[index]->chosen) && span.start_ns <= trace->to_ns &&
	       span.end_ns >= trace->from_ns;
}

/* Not shown, but it counts: memory is the whole process's. */
static int counts_hidden(const struct load *load, const struct vprof_slot *slot, struct trace_span span)
{
	return load->trace->memory && load->process->chosen && slot->kind == VPROF_KIND_MEMORY && slot->object &&
	       span.start_ns >= load->trace->from_ns && span.start_ns <= load->trace->to_ns;
}

/* `ended`: as for trace_span(). */
static void put_event(struct load *load, const struct vprof_slot *slot, uint64_t ended, uint32_t *at,
		      const struct range_name *name, const struct range_name *range)
{
	struct trace_span span = trace_span(load->trace, load->process, slot, ended, at);
	struct event *event = &load->events[load->count];
	int shown = trace_shows(load->trace, load->thread, span);

	if (!shown && !counts_hidden(load, slot, span))
		return;
	load->ordered &= span.start_ns >= load->newest;
	load->newest = span.start_ns;
	event->start_ns = span.start_ns;
	event->end_ns = span.end_ns;
	event->thread = load->thread;
	event->name = name;
	event->range = range;
	event->slot = *slot;
	if (__builtin_expect(ended != 0, 0))
		event->slot.done = EVENT_ABANDONED;
	load->thread->slices += shown;
	load->hidden += !shown;
	load->count++;
}

/* ---- ranges ---- */

/* Of one that began before what the ring holds, only what lies within the trace is drawn. */
static void put_range(struct load *load, const struct open_range *open, uint64_t ended)
{
	const struct range_stack *stack = load->thread->ranges;
	const struct open_range *outer = stack && open > stack->open && open <= stack->open + RANGE_DEPTH ?
		open - 1 : NULL;
	struct vprof_slot slot = open->slot;
	uint32_t at = *load->at;
	struct event *event = &load->events[load->count];
	int before = load->count;

	slot.t0 = open->id;
	slot.done = open->end ? VPROF_DONE((open->end > open->id ? open->end - open->id : 0) | 1, 0) : 0;
	put_event(load, &slot, ended, &at, open->name, outer ? outer->name : NULL);
	if (load->count > before && event->start_ns < load->trace->base_ns) {
		event->start_ns = load->trace->base_ns;
		if (event->end_ns < event->start_ns)
			event->end_ns = event->start_ns;
		load->ordered = 0;
	}
}

static void drop_range(struct range_stack *stack, struct open_range *open)
{
	stack->depth--;
	memmove(open, open + 1, (size_t)(stack->open + stack->depth - open) * sizeof(*open));
}

/* Leaves the ranges that had ended by `ticks`, and those that this chunk no longer told of. */
static void leave_ranges(struct load *load, uint64_t ticks)
{
	struct range_stack *stack = load->thread->ranges;
	struct open_range *open = stack ? stack->open : NULL;

	while (stack && open < stack->open + stack->depth) {
		if (!open->end && open->seen != load->chunk->head.base) {
			put_range(load, open, load->chunk->head.open_ticks);
			drop_range(stack, open);
		} else if (open->end && open->end <= ticks) {
			drop_range(stack, open);
		} else {
			open++;
		}
	}
}

/* The thread has no more records here: those without an end are open, or were when it ended. */
static void leave_all_ranges(struct load *load, uint64_t ended)
{
	struct range_stack *stack = load->thread->ranges;

	for (uint32_t i = 0; stack && i < stack->depth; i++)
		if (!stack->open[i].end)
			put_range(load, &stack->open[i], ended);
	free(stack);
	load->thread->ranges = NULL;
}

static struct open_range *find_range(struct range_stack *stack, uint64_t id)
{
	for (uint32_t i = stack ? stack->depth : 0; i-- > 0;)
		if (stack->open[i].id == id)
			return &stack->open[i];
	return NULL;
}

static uint64_t end_of(const struct vprof_slot *slot)
{
	return slot->done ? slot->t0 + VPROF_DONE_TICKS(slot->done) : 0;
}

/* A telling of a range: its first, or one that may bring its end. */
static int see_range(struct load *load, const struct vprof_slot *slot, const struct range_name *name)
{
	uint64_t id = slot->range.flags & VPROF_RANGE_AGAIN ? slot->range.id : slot->t0;
	struct open_range *open = find_range(load->thread->ranges, id), alone;
	struct range_stack *stack;

	if (open) {
		open->seen = load->chunk->head.base;
		if (open->end || !slot->done)
			return 0;
		open->end = end_of(slot);
		put_range(load, open, 0);
		return 0;
	}
	stack = load->thread->ranges;
	if (!stack)
		stack = load->thread->ranges = calloc(1, sizeof(*stack));
	if (!stack)
		return -ENOMEM;
	open = stack->depth < RANGE_DEPTH ? &stack->open[stack->depth++] : &alone;
	*open = (struct open_range){ .id = id, .end = end_of(slot), .seen = load->chunk->head.base,
				     .name = name, .slot = *slot };
	if (open->end || open == &alone)
		put_range(load, open, 0);
	return 0;
}

/* The end of a range of the thread's that was in no chunk any more; or of one without a thread. */
static void see_end(struct load *load, const struct vprof_slot *slot, const struct range_name *name)
{
	struct open_range *open = find_range(load->thread->ranges, slot->range.id);

	if (slot->range.flags & VPROF_RANGE_PROCESS) {
		put_event(load, slot, 0, load->at, name, NULL);
	} else if (open && !open->end) {
		open->end = slot->t0;
		put_range(load, open, 0);
	}
}

static const struct range_name *innermost(const struct load *load)
{
	const struct range_stack *stack = load->thread->ranges;

	return stack && stack->depth ? stack->open[stack->depth - 1].name : NULL;
}

static int see_said(struct load *load, uint32_t i)
{
	const struct vprof_slot *slot = &load->buffer->slot[i];
	const struct range_name *name = range_name_of(&load->process->names, load->process->ring, load->buffer, i);

	if (!name)
		return -ENOMEM;
	if (!(slot->range.flags & VPROF_RANGE_AGAIN))
		leave_ranges(load, slot->t0);
	if (slot_is_stacked(slot))
		return see_range(load, slot, name);
	if (slot->kind == VPROF_KIND_RANGE_END)
		see_end(load, slot, name);
	else
		put_event(load, slot, 0, load->at, name, innermost(load));
	return 0;
}

/* ---- records ---- */

static void see_call(struct load *load, uint32_t i)
{
	const struct vprof_slot *slot = &load->buffer->slot[i];
	uint64_t ended = 0;

	if (__builtin_expect(!slot->done, 0)) {
		ended = ring_thread_ended(load->process->ring, load->chunk, load->buffer, i, load->thread->serial);
		load->process->abandoned += ended != 0;
		load->process->in_flight += !ended;
	}
	if (load->thread->ranges)
		leave_ranges(load, slot->t0);
	put_event(load, slot, ended, load->at, NULL, innermost(load));
}

static int see_thread(struct load *load, uint64_t serial, uint32_t tid, const char *comm, uint64_t rank)
{
	load->thread = process_thread(load->trace, load->process, serial, tid, comm, rank);
	return load->thread ? 0 : -ENOMEM;
}

static int see_slot(struct load *load, uint32_t i)
{
	const struct vprof_slot *slot = &load->buffer->slot[i];

	if (slot->kind == VPROF_KIND_THREAD) {
		if (load->thread->ranges)
			leave_all_ranges(load, slot->t0);
		return see_thread(load, slot->owner.thread, slot->owner.tid, slot->owner.comm, THREAD_RANK_OWNER);
	}
	if (slot->kind == VPROF_KIND_TEXT || slot_is_gpu(slot))
		return 0;
	if (slot_is_said(slot))
		return see_said(load, i);
	see_call(load, i);
	return 0;
}

/* Does the lane's next chunk go on with the same thread? */
static int goes_on(const struct load *load)
{
	const struct ring *ring = load->process->ring;
	const struct ring_chunk *next = load->chunk + 1;

	return next < ring->chunks + ring->chunk_count && next->head.lane == load->chunk->head.lane &&
	       next->head.thread == load->thread->serial;
}

int trace_load(struct trace *trace, struct trace_process *process, const struct ring_chunk *chunk,
	       uint32_t *at, struct event *events)
{
	struct vprof_chunk buffer;
	struct load load = { .trace = trace, .process = process, .chunk = chunk, .events = events, .at = at,
			     .buffer = &buffer, .ordered = 1 };
	int present, error;

	present = ring_read_chunk(process->ring, chunk, &buffer);
	chunk_account(process, chunk, &buffer, present);
	error = see_thread(&load, chunk->head.thread, chunk->head.tid, chunk->head.comm,
			   THREAD_RANK_CHUNK + chunk->head.base);
	for (uint32_t i = 0; present > 0 && !error && i < VPROF_CHUNK_SLOTS - 1; i++)
		if (buffer.slot[i].seq)
			error = see_slot(&load, i);
	if (error)
		return error;
	if (load.thread->ranges && !goes_on(&load))
		leave_all_ranges(&load, ring_thread_ended(process->ring, chunk, &buffer, VPROF_CHUNK_SLOTS - 2,
							  load.thread->serial));
	if (!load.ordered)
		qsort(events, load.count, sizeof(*events), event_before);
	process->slices += load.count - load.hidden;
	return load.count;
}
