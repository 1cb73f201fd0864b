/*
 * graph_report.c - the graphs of one process with their launches counted, and what the printers ask of them.
 */
#include "tools/graph_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/demangle.h"

const char *graph_number(char *text, size_t size, const struct graph *graph)
{
	if (graph->version == 1)
		snprintf(text, size, "%u", graph->def->number);
	else
		snprintf(text, size, "%u.%u", graph->def->number, graph->version);
	return text;
}

char *graph_kernel_name(const struct graph_report *report, const struct graph_style *style, uint32_t object, int full)
{
	const struct vprof_def_kernel *kernel = ring_def(report->process->ring, object, VPROF_DEF_KERNEL);

	if (!kernel || !kernel->name[0])
		return strdup("kernel ?");
	return style->raw ? strdup(kernel->name) : full ? demangle_full(kernel->name) : demangle_short(kernel->name);
}

int64_t graph_moment(const struct graph_report *report, uint64_t ticks)
{
	uint32_t at = 0;

	return (int64_t)(clock_realtime(report->process->clock, &at, ticks) - report->trace->base_ns);
}

const char *graph_thread(const struct graph_report *report, uint32_t tid)
{
	const struct trace_process *process = report->process;
	uint64_t newest = 0;
	const char *name = "";

	for (uint32_t i = 0; i < process->thread_count; i++)
		if (process->threads[i]->os_tid == tid && process->threads[i]->comm_rank >= newest) {
			newest = process->threads[i]->comm_rank;
			name = process->threads[i]->comm;
		}
	return name;
}

/* ---- counting ---- */

static void count_launch(struct graph_report *report, const struct event *event)
{
	uint32_t index = graphs_index(&report->graphs, event->slot.object);
	struct graph_use *use = &report->uses[index == IDMAP_NONE ? report->graphs.count : index];
	uint64_t ns = event->end_ns - event->start_ns;

	use->launches++;
	if (event_in_flight(event) || event_abandoned(event))
		return;
	use->done++;
	use->failed += VPROF_DONE_RESULT(event->slot.done) != 0;
	use->total_ns += ns;
	use->max_ns = ns > use->max_ns ? ns : use->max_ns;
}

/* A call that changes one node: of the newest graph by that handle which was there already. */
static void count_change(struct graph_report *report, const struct event *event)
{
	uint64_t exec = event->slot.call_args.args[0];
	uint32_t index = idmap_get(&report->by_exec, exec);

	if (index == IDMAP_NONE)
		return;
	while (report->graphs.list[index].def->exec != exec || report->graphs.list[index].def->ticks > event->slot.t0)
		if (!index--)
			return;
	report->uses[index].changes++;
}

static void count_event(struct graph_report *report, const struct event *event)
{
	if (event->slot.kind == VPROF_KIND_GRAPH_LAUNCH)
		count_launch(report, event);
	else if (event->slot.kind == VPROF_KIND_CALL && event->slot.call < report->process->ring->call_count &&
		 report->changing[event->slot.call])
		count_change(report, event);
}

/* cuGraphExecKernelNodeSetParams and its like. */
static int is_changing(const char *name)
{
	return name && (!strcmp(name, "cuGraphNodeSetEnabled") ||
			(!strncmp(name, "cuGraphExec", 11) && strstr(name, "SetParams")));
}

static int find_changing(struct graph_report *report)
{
	const struct ring *ring = report->process->ring;
	int error = 0;

	report->changing = calloc((size_t)ring->call_count + 1, 1);
	if (!report->changing)
		return -ENOMEM;
	for (uint32_t i = 0; i < ring->call_count; i++)
		report->changing[i] = (uint8_t)is_changing(ring->calls[i]);
	for (uint32_t i = 0; !error && i < report->graphs.count; i++)
		error = idmap_put(&report->by_exec, report->graphs.list[i].def->exec, i);
	return error;
}

static int find_twins(struct graph_report *report)
{
	const struct vprof_def *def = NULL;
	int error = 0;

	while (!error && (def = ring_def_next(report->process->ring, def))) {
		const struct vprof_def_twin *twin = (const void *)def;

		if (def->type == VPROF_DEF_TWIN && !twin->first)
			error = idmap_put(&report->twins, twin->graph, ring_def_id(report->process->ring, def));
	}
	return error;
}

const struct vprof_def_twin *graph_twin(const struct graph_report *report, const struct graph *graph)
{
	uint32_t id = idmap_get(&report->twins, graph->id);

	return id == IDMAP_NONE ? NULL : ring_def(report->process->ring, id, VPROF_DEF_TWIN);
}

static int count_launches(struct graph_report *report, struct trace *trace, struct trace_process *process)
{
	struct event *events = malloc(TRACE_CHUNK_EVENTS * sizeof(*events));
	int count = events ? 0 : -ENOMEM;
	uint32_t at = 0;

	for (uint32_t c = 0; count >= 0 && c < process->ring->chunk_count; c++) {
		count = trace_load(trace, process, &process->ring->chunks[c], &at, events);
		for (int i = 0; i < count; i++)
			count_event(report, &events[i]);
	}
	free(events);
	return count < 0 ? count : 0;
}

int graph_report_make(struct graph_report *report, struct trace *trace, struct trace_process *process)
{
	int error;

	*report = (struct graph_report){ .trace = trace, .process = process };
	error = graphs_read(&report->graphs, process->ring);
	if (error)
		return error;
	report->uses = calloc((size_t)report->graphs.count + 1, sizeof(*report->uses));
	error = report->uses ? find_changing(report) : -ENOMEM;
	if (!error)
		error = find_twins(report);
	if (!error)
		error = count_launches(report, trace, process);
	if (error)
		graph_report_free(report);
	return error;
}

void graph_report_free(struct graph_report *report)
{
	free(report->uses);
	free(report->changing);
	idmap_free(&report->by_exec);
	idmap_free(&report->twins);
	graphs_free(&report->graphs);
}
