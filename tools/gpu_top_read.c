/*
 * gpu_top_read.c - counts the launches of a process, then what was measured of them.
 *
 * Which group a measured launch belongs to is known from its record, so launches come first; before them the
 * correlations of those that were measured, for these alone are kept.
 */
#include "tools/gpu_top_inner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "tools/gpu.h"
#include "tools/gpu_launch.h"
#include "tools/list.h"
#include "tools/steps.h"

/* Reading the launches of one process. */
struct reading {
	struct gpu_top *top;
	struct trace_process *process;
	struct gpu gpu;
	struct steps *steps;
	size_t step;           /* that was found last */
	uint64_t window_ns, period_ns, first_ns; /* of windows: of the first operation that was timed in one */
	struct idmap groups;   /* of a measured launch, by its correlation: index of its group + 1; 0: not seen */
};

/* The step of a thread at that moment, as a text: mostly that of the launch before, or the next. */
static const char *step_at(struct reading *r, const struct trace_thread *thread, uint64_t ns, char *text, size_t size)
{
	for (size_t i = 0; i < r->steps->count; i++, r->step++) {
		const struct step *step;

		r->step = r->step < r->steps->count ? r->step : 0;
		step = &r->steps->list[r->step];
		if (step->thread == thread && step->found.begin <= ns && ns < step->found.end) {
			snprintf(text, size, "%s, class %u", step_sort_name(step->sort), step->class + 1);
			return text;
		}
	}
	return NULL;
}

static int add_launch(void *to, const struct event *event)
{
	struct reading *r = to;
	const struct vprof_slot *slot = &event->slot;
	const struct vprof_def_stream *stream = objects_stream(&r->gpu.objects, gpu_launch_stream(slot), slot->t0);
	char text[64];
	struct gpu_top_origin of = {
		.process = r->process, .stream = gpu_launch_stream(slot), .thread = event->thread->serial,
		.stream_number = stream ? stream->number : 0, .device = gpu_launch_device(&r->gpu, slot),
		.graph = slot->kind == VPROF_KIND_GRAPH_LAUNCH ? slot->object : 0,
		.range = event->range ? event->range->text : NULL,
	};
	uint32_t object = gpu_launch_object(slot->kind, slot->object), group;
	struct gpu_top_cell *cell;

	of.step = r->top->per == GPU_TOP_STEP ? step_at(r, event->thread, event->start_ns, text, sizeof(text)) : NULL;
	group = gpu_top_group(r->top, &of);
	cell = group == NO_GROUP ? NULL : gpu_top_cell_of(r->top, r->process, slot->kind, object, group);
	if (!cell)
		return -ENOMEM;
	cell->launches++;
	r->top->launches++;
	return idmap_get(&r->groups, slot->seq) == IDMAP_NONE ? 0 : idmap_put(&r->groups, slot->seq, group + 1);
}

/* ---- what was measured ---- */

/* Of a launch that this one is a batch of: its cell. The record may be gone, then it counts as one more. */
static struct gpu_top_cell *batch_cell(struct reading *r, const struct gpu_batch *batch)
{
	const struct gpu_event *first = &batch->events[0];
	uint32_t known = batch->correlation ? idmap_get(&r->groups, batch->correlation) : 0;
	const char *gone = batch->correlation ? "(launched before what is looked at)" :
		"(launch no longer in the ring)";
	struct gpu_top_origin of = {
		.process = r->process, .device = first->device, .stream = first->stream, .thread = batch->thread,
		.stream_number = first->stream_number, .graph = first->graph, .range = gone, .step = gone,
	};
	uint32_t object, group = known && known != IDMAP_NONE ? known - 1 : gpu_top_group(r->top, &of);
	uint16_t kind = gpu_launch_of(first, &object);
	struct gpu_top_cell *cell = group == NO_GROUP ? NULL : gpu_top_cell_of(r->top, r->process, kind, object, group);

	if (cell && !(known && known != IDMAP_NONE)) {
		cell->launches++;
		r->top->launches++;
	}
	return cell;
}

static const char *work_name(const struct reading *r, const struct gpu_event *event, char *text, size_t size)
{
	const struct vprof_def_kernel *kernel = ring_def(r->process->ring, event->object, VPROF_DEF_KERNEL);
	const struct vprof_def_graph *graph = ring_def(r->process->ring, event->graph, VPROF_DEF_GRAPH);

	switch (event->kind) {
	case GPU_KERNEL:
		return kernel ? kernel->name : "kernel ?";
	case GPU_COPY:
		snprintf(text, size, "copy %s", event_direction((uint32_t)event->copy_kind));
		return text;
	case GPU_SET:
		return "set";
	case GPU_GRAPH:
		snprintf(text, size, "graph %u as a whole (pid %u)", graph ? graph->number : 0, r->process->os_pid);
		return text;
	default:
		return graph_node_kind(event->object);
	}
}

static int add_event(struct reading *r, const struct gpu_event *event, uint32_t cell, uint64_t unit)
{
	uint64_t ns = event->end_ns - event->begin_ns;
	struct gpu_top_part *part;
	struct gpu_top_row *row;
	char text[64];

	row = gpu_top_row_of(r->top, r->top->cells[cell].group, work_name(r, event, text, sizeof(text)),
			     event->kind == GPU_KERNEL);
	if (!row || list_grow(row->ns, row->samples))
		return -ENOMEM;
	row->ns[row->samples++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
	row->measured_ns += ns;
	part = gpu_top_part_of(r->top, cell, (uint32_t)(row - r->top->rows));
	if (!part)
		return -ENOMEM;
	if (part->unit != unit)
		gpu_top_settle(part);
	part->unit = unit;
	part->now_ns += (double)ns;
	part->now++;
	return 0;
}

/*
 * By windows where there are some: operations of one are no samples independent of each other either. Windows
 * come once in a period; when they open in it is taken from the first.
 */
static uint64_t unit_of(struct reading *r, const struct gpu_batch *batch)
{
	uint64_t ns;

	if (batch->twin != UINT32_MAX || r->window_ns >= r->period_ns)
		return r->top->measured;
	if (!r->first_ns)
		r->first_ns = batch->launch_ns;
	ns = batch->launch_ns + (r->period_ns - r->window_ns) / 2;
	return 1ull << 63 | (ns > r->first_ns ? (ns - r->first_ns) / r->period_ns : 0);
}

/* Its nodes, or the whole where they are not known. */
static int add_batch(struct reading *r, const struct gpu_batch *batch)
{
	uint32_t first = batch->count > 1 && batch->events[0].kind == GPU_GRAPH, index;
	struct gpu_top_cell *cell;
	uint64_t unit;
	int error = 0;

	if (!trace_shows_gpu(r->top->trace, r->process, batch->events, batch->count))
		return 0;
	if (batch->events[0].kind == GPU_OTHER)
		return 0;
	cell = batch_cell(r, batch);
	if (!cell)
		return -ENOMEM;
	/* Spans of graphs whose nodes are measured too would count their time twice. */
	if (batch->events[0].kind == GPU_GRAPH && !first) {
		cell->wholes++;
		if (cell->measured)
			return 0;
	} else {
		cell->measured++;
	}
	index = (uint32_t)(cell - r->top->cells);
	r->top->measured++;
	if (gpu_parts_add(&r->top->parts_timed, r->process->ring, r->process->index, batch->events[0].graph,
			  batch->parts))
		return -ENOMEM;
	unit = unit_of(r, batch);
	for (uint32_t i = first; !error && i < batch->count; i++)
		if (batch->events[i].kind != GPU_OTHER)
			error = add_event(r, &batch->events[i], index, unit);
	return error;
}

/* Nodes first: then it is known of which graphs only the whole is. */
static int read_measured(struct reading *r, int wholes)
{
	struct gpu_batch batch;
	int more = 1, error = 0;

	gpu_rewind(&r->gpu);
	while (!error && (more = gpu_next(&r->gpu, &batch)) > 0)
		if (batch.count && wholes == (batch.count == 1 && batch.events[0].kind == GPU_GRAPH))
			error = add_batch(r, &batch);
	return more < 0 ? more : error;
}

static int note_correlations(struct reading *r)
{
	struct gpu_batch batch;
	int more = 1, error = 0;

	while (!error && (more = gpu_next(&r->gpu, &batch)) > 0)
		if (batch.correlation)
			error = idmap_put(&r->groups, batch.correlation, 0);
	return more < 0 ? more : error;
}

int gpu_top_read(struct gpu_top *top, struct trace_process *process, struct steps *steps, struct event *events)
{
	const struct vprof_ring_control *control = &process->ring->control;
	struct reading r = {
		.top = top, .process = process, .steps = steps,
		.window_ns = control->gpu_window_us * 1000ull, .period_ns = control->gpu_period_us * 1000ull,
	};
	int error = gpu_open(&r.gpu, process->ring, process->clock);

	if (error)
		return error;
	error = note_correlations(&r);
	if (!error)
		error = gpu_launches_read(top->trace, process, events, add_launch, &r);
	if (!error)
		error = read_measured(&r, 0);
	if (!error)
		error = read_measured(&r, 1);
	idmap_free(&r.groups);
	gpu_close(&r.gpu);
	return error;
}
