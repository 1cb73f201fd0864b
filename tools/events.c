/*
 * events.c - from records to events: times, threads, the filter by time.
 *
 * A chunk's first records belong to the owner that its header names; a THREAD
 * record hands the rest of the chunk, and the lane, to the next owner. That is
 * a matter of slot order, so it is settled before the events are put in order
 * of time: a signal handler may publish a record between another's t0 and its
 * slot, so neighbours can be slightly out of order.
 */
#include "tools/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/threads.h"

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

int trace_load(struct trace *trace, struct trace_process *process, const struct ring_chunk *chunk,
	       uint32_t *at, struct event *events)
{
	struct vprof_chunk buffer;
	struct trace_thread *thread;
	uint64_t newest = 0;
	int present, count = 0, ordered = 1;

	present = ring_read_chunk(process->ring, chunk, &buffer);
	chunk_account(process, chunk, &buffer, present);
	if (present <= 0)
		return 0;
	thread = process_thread(trace, process, chunk->head.thread, chunk->head.tid,
				chunk->head.comm, THREAD_RANK_CHUNK + chunk->head.base);
	if (!thread)
		return -ENOMEM;
	for (int i = 0; i < VPROF_CHUNK_SLOTS - 1; i++) {
		const struct vprof_slot *slot = &buffer.slot[i];
		struct event *event = &events[count];
		struct trace_span span;
		uint64_t ended = 0;

		if (!slot->seq)
			continue;
		if (slot->kind == VPROF_KIND_THREAD) {
			thread = process_thread(trace, process, slot->owner.thread, slot->owner.tid,
						slot->owner.comm, THREAD_RANK_OWNER);
			if (!thread)
				return -ENOMEM;
			continue;
		}
		if (__builtin_expect(!slot->done, 0)) {
			ended = ring_thread_ended(process->ring, chunk, &buffer, i, thread->serial);
			process->abandoned += ended != 0;
			process->in_flight += !ended;
		}
		span = trace_span(trace, process, slot, ended, at);
		if (!trace_shows(trace, thread, span))
			continue;
		ordered &= span.start_ns >= newest;
		newest = span.start_ns;
		event->start_ns = span.start_ns;
		event->end_ns = span.end_ns;
		event->thread = thread;
		event->slot = *slot;
		if (__builtin_expect(ended != 0, 0))
			event->slot.done = EVENT_ABANDONED;
		thread->slices++;
		count++;
	}
	if (!ordered)
		qsort(events, count, sizeof(*events), event_before);
	process->slices += count;
	return count;
}

const char *event_category(const struct ring *ring, const struct vprof_slot *slot)
{
	static const char *const kinds[] = {
		[VPROF_KIND_LAUNCH] = "launch", [VPROF_KIND_GRAPH_LAUNCH] = "graph_launch",
		[VPROF_KIND_COPY] = "copy", [VPROF_KIND_SET] = "set", [VPROF_KIND_SYNC] = "sync",
		[VPROF_KIND_EVENT] = "event", [VPROF_KIND_MEMORY] = "memory",
		[VPROF_KIND_MODULE] = "module", [VPROF_KIND_GRAPH] = "graph",
		[VPROF_KIND_PROFILER] = "profiler",
	};
	static const char *const families[] = {
		[VPROF_FAMILY_LAUNCH] = "launch", [VPROF_FAMILY_GRAPH] = "graph",
		[VPROF_FAMILY_COPY] = "copy", [VPROF_FAMILY_SET] = "set",
		[VPROF_FAMILY_SYNC] = "sync", [VPROF_FAMILY_EVENT] = "event",
		[VPROF_FAMILY_STREAM] = "stream", [VPROF_FAMILY_MEMORY] = "memory",
		[VPROF_FAMILY_MODULE] = "module", [VPROF_FAMILY_CONTEXT] = "context",
		[VPROF_FAMILY_DEVICE] = "device", [VPROF_FAMILY_PROFILER] = "profiler",
		[VPROF_FAMILY_QUERY] = "query",
	};
	const char *category = NULL;
	uint8_t family;

	if (slot->kind < sizeof(kinds) / sizeof(kinds[0]))
		category = kinds[slot->kind];
	if (!category && slot->call < ring->call_count) {
		family = ring->call_family[slot->call];
		if (family < sizeof(families) / sizeof(families[0]))
			category = families[family];
	}
	return category ? category : "other";
}

const char *event_direction(uint32_t object)
{
	static const char *const names[] = {
		[VPROF_COPY_UNKNOWN] = "unified", [VPROF_COPY_HTOD] = "HtoD",
		[VPROF_COPY_DTOH] = "DtoH", [VPROF_COPY_DTOD] = "DtoD", [VPROF_COPY_HTOA] = "HtoA",
		[VPROF_COPY_ATOH] = "AtoH", [VPROF_COPY_DTOA] = "DtoA", [VPROF_COPY_ATOD] = "AtoD",
		[VPROF_COPY_ATOA] = "AtoA", [VPROF_COPY_PEER] = "PtoP", [VPROF_COPY_HTOH] = "HtoH",
	};
	uint32_t direction = object & VPROF_COPY_DIRECTION;

	return direction < sizeof(names) / sizeof(names[0]) ? names[direction] : "unknown";
}

const char *event_error_name(uint32_t result)
{
	switch (result) {
#define ERROR(number, name) case number: return "CUDA_ERROR_" #name;
#include "tools/cuda_errors.def"
#undef ERROR
	}
	return NULL;
}
