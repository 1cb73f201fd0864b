/*
 * top.c - counting launches.
 *
 * Order does not matter here, so there is no merge: chunk after chunk is read. Rows
 * are found by process and definition; only at the end do kernels of the same
 * name become one row.
 */
#include "tools/top.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/list.h"

static char *object_name(const struct trace_process *process, const struct vprof_slot *slot)
{
	const struct vprof_def_kernel *kernel;
	const struct vprof_def_graph *graph;
	char *name = NULL;

	if (slot->kind == VPROF_KIND_LAUNCH) {
		kernel = ring_def(process->ring, slot->object, VPROF_DEF_KERNEL);
		return strdup(kernel ? kernel->name : "kernel ?");
	}
	graph = ring_def(process->ring, slot->object, VPROF_DEF_GRAPH);
	if (graph ? asprintf(&name, "graph %u (pid %u)", graph->number, process->os_pid) < 0 :
		    asprintf(&name, "graph ? (pid %u)", process->os_pid) < 0)
		return NULL;
	return name;
}

/* Tells rows apart. Names of ranges stay where they are, and there is one of each in a process. */
static uint64_t row_key(const struct top *top, const struct event *event)
{
	uint64_t graph = event->slot.kind == VPROF_KIND_GRAPH_LAUNCH;

	if (top->by_range)
		return (uintptr_t)event->range;
	return (uint64_t)event->thread->process->index << 33 | graph << 32 | event->slot.object;
}

static char *row_name(const struct top *top, const struct event *event)
{
	if (top->by_range)
		return strdup(event->range ? event->range->text : "");
	return object_name(event->thread->process, &event->slot);
}

/* The row of what a record launches, NULL without memory. */
static struct top_row *top_row_of(struct top *top, const struct event *event)
{
	uint64_t key = row_key(top, event);
	uint32_t index = idmap_get(&top->by_object, key);
	struct top_row *row;

	if (index != IDMAP_NONE)
		return &top->rows[index];
	if (list_grow(top->rows, top->row_count))
		return NULL;
	row = &top->rows[top->row_count];
	*row = (struct top_row){ .name = row_name(top, event) };
	if (!row->name)
		return NULL;
	if (idmap_put(&top->by_object, key, top->row_count)) {
		free(row->name);
		return NULL;
	}
	top->row_count++;
	return row;
}

static int is_launch(const struct event *event)
{
	return event->slot.kind == VPROF_KIND_LAUNCH || event->slot.kind == VPROF_KIND_GRAPH_LAUNCH;
}

static int add_launch(struct top *top, const struct event *event)
{
	struct top_row *row = top_row_of(top, event);
	uint64_t ns = event->end_ns - event->start_ns;

	if (!row)
		return -ENOMEM;
	row->launches++;
	if (event_in_flight(event) || event_abandoned(event))
		return 0;
	row->done++;
	row->failed += VPROF_DONE_RESULT(event->slot.done) != 0;
	row->total_ns += ns;
	row->max_ns = ns > row->max_ns ? ns : row->max_ns;
	return 0;
}

static int add_open(struct top *top, const struct event *event)
{
	char *name = NULL;

	if (list_grow(top->open, top->open_count))
		return -ENOMEM;
	if (is_launch(event)) {
		name = object_name(event->thread->process, &event->slot);
		if (!name)
			return -ENOMEM;
	}
	top->open[top->open_count++] = (struct top_open){ .event = *event, .name = name };
	return 0;
}

static int count_process(struct top *top, struct trace *trace, struct trace_process *process,
			 struct event *events)
{
	uint32_t at = 0;
	int error = 0;

	for (uint32_t c = 0; c < process->ring->chunk_count; c++) {
		int count = trace_load(trace, process, &process->ring->chunks[c], &at, events);

		if (count < 0)
			return count;
		for (int i = 0; !error && i < count; i++) {
			if (is_launch(&events[i]) && !top->open_only)
				error = add_launch(top, &events[i]);
			if (!error && !events[i].name && (event_in_flight(&events[i]) || event_abandoned(&events[i])))
				error = add_open(top, &events[i]);
		}
		if (error)
			return error;
	}
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct top_row *)a)->name, ((const struct top_row *)b)->name);
}

static int compare_launches(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	if (x->launches != y->launches)
		return x->launches > y->launches ? -1 : 1;
	if (x->total_ns != y->total_ns)
		return x->total_ns > y->total_ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int compare_starts(const void *a, const void *b)
{
	const struct top_open *x = a, *y = b;

	if (x->event.start_ns != y->event.start_ns)
		return x->event.start_ns < y->event.start_ns ? -1 : 1;
	return 0;
}

/* Rows of one name become one. */
static void join_names(struct top *top)
{
	size_t count = 0;

	qsort(top->rows, top->row_count, sizeof(*top->rows), compare_names);
	for (size_t i = 0; i < top->row_count; i++) {
		struct top_row *row = &top->rows[i], *last = count ? &top->rows[count - 1] : NULL;

		if (!last || strcmp(last->name, row->name)) {
			top->rows[count++] = *row;
			continue;
		}
		last->launches += row->launches;
		last->done += row->done;
		last->failed += row->failed;
		last->total_ns += row->total_ns;
		last->max_ns = row->max_ns > last->max_ns ? row->max_ns : last->max_ns;
		free(row->name);
	}
	top->row_count = count;
}

static int count_all(struct top *top, struct trace *trace)
{
	struct event *events = malloc(TRACE_CHUNK_EVENTS * sizeof(*events));
	int error = events ? 0 : -ENOMEM;

	for (size_t i = 0; !error && i < trace->count; i++)
		error = count_process(top, trace, &trace->processes[i], events);
	free(events);
	if (!error && top->open_count)
		qsort(top->open, top->open_count, sizeof(*top->open), compare_starts);
	return error;
}

int top_count(struct top *top, struct trace *trace, int by_range)
{
	int error;

	*top = (struct top){ .by_range = by_range };
	error = count_all(top, trace);
	if (!error && top->row_count) {
		join_names(top);
		qsort(top->rows, top->row_count, sizeof(*top->rows), compare_launches);
	}
	return error;
}

int top_find_open(struct top *top, struct trace *trace)
{
	struct trace_process *before;
	uint64_t open = 0;
	int error;

	*top = (struct top){ .open_only = 1 };
	for (size_t i = 0; i < trace->count; i++)
		open += trace->processes[i].in_flight + trace->processes[i].abandoned;
	if (!open)
		return 0;
	before = trace_counts_keep(trace);
	error = before ? count_all(top, trace) : -ENOMEM;
	trace_counts_back(trace, before);
	return error;
}

void top_free(struct top *top)
{
	for (size_t i = 0; i < top->row_count; i++)
		free(top->rows[i].name);
	for (size_t i = 0; i < top->open_count; i++)
		free(top->open[i].name);
	free(top->rows);
	free(top->open);
	idmap_free(&top->by_object);
}
