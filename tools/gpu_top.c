/*
 * gpu_top.c - puts together what was measured and how many launches there were.
 */
#include "tools/gpu_top_inner.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/gpu.h"
#include "tools/list.h"
#include "tools/steps.h"

static const struct {
	const char *word;
	enum gpu_top_per per;
} words[] = {
	{ "process", GPU_TOP_PROCESS }, { "role", GPU_TOP_ROLE }, { "device", GPU_TOP_DEVICE },
	{ "stream", GPU_TOP_STREAM }, { "graph", GPU_TOP_GRAPH }, { "step", GPU_TOP_STEP }, { "range", GPU_TOP_RANGE },
};

const char gpu_top_words[] = "process, role, device, stream, graph, step, range";

int gpu_top_per(const char *word, enum gpu_top_per *per)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i].word)) {
			*per = words[i].per;
			return 0;
		}
	return -EINVAL;
}

int gpu_top_has(const struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		if (trace->processes[i].chosen && gpu_has_times(trace->processes[i].ring, trace->processes[i].clock, 0))
			return 1;
	return 0;
}

/* FNV-1a, 64 bits. */
static uint64_t hash(uint64_t h, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < size; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h;
}

#define HASH_FIRST 0xcbf29ce484222325ull

static uint64_t hash_number(uint64_t h, uint64_t number)
{
	return hash(h, &number, sizeof(number));
}

/* ---- groups ---- */

/* Index of the group of that text, NO_GROUP without memory. */
static uint32_t group_of(struct gpu_top *top, const char *text)
{
	uint64_t key = hash(HASH_FIRST, text, strlen(text));
	uint32_t index = idmap_get(&top->group_ids, key);

	if (index != IDMAP_NONE)
		return index;
	if (list_grow(top->groups, top->group_count))
		return NO_GROUP;
	top->groups[top->group_count] = strdup(text);
	if (!top->groups[top->group_count])
		return NO_GROUP;
	if (idmap_put(&top->group_ids, key, top->group_count)) {
		free(top->groups[top->group_count]);
		return NO_GROUP;
	}
	return top->group_count++;
}

/* Each thread has one of its own, and all one together. */
static void implicit_stream(char *text, size_t size, const struct gpu_top_origin *of)
{
	uint32_t index = idmap_get(&of->process->by_serial, of->thread);

	if (of->stream != 2)
		snprintf(text, size, "default stream (pid %u)", of->process->os_pid);
	else if (index == IDMAP_NONE)
		snprintf(text, size, "per-thread stream of a thread no longer in the ring (pid %u)",
			 of->process->os_pid);
	else
		snprintf(text, size, "per-thread stream of %u (pid %u)", of->process->threads[index]->os_tid,
			 of->process->os_pid);
}

uint32_t gpu_top_group(struct gpu_top *top, const struct gpu_top_origin *of)
{
	const struct vprof_def_graph *graph = ring_def(of->process->ring, of->graph, VPROF_DEF_GRAPH);
	uint32_t pid = of->process->os_pid;
	char text[256] = "";

	switch (top->per) {
	case GPU_TOP_ALL:
		break;
	case GPU_TOP_PROCESS:
		snprintf(text, sizeof(text), "%s (pid %u)", of->process->name, pid);
		break;
	case GPU_TOP_ROLE:
		snprintf(text, sizeof(text), "%s", of->process->role.name);
		break;
	case GPU_TOP_DEVICE:
		if (of->device < 0)
			snprintf(text, sizeof(text), "device ? (pid %u)", pid);
		else
			snprintf(text, sizeof(text), "device %d (pid %u)", (int)of->device, pid);
		break;
	case GPU_TOP_STREAM:
		if (of->stream_number)
			snprintf(text, sizeof(text), "stream %u (pid %u)", of->stream_number, pid);
		else
			implicit_stream(text, sizeof(text), of);
		break;
	case GPU_TOP_GRAPH:
		if (graph)
			snprintf(text, sizeof(text), "graph %u (pid %u)", graph->number, pid);
		else
			snprintf(text, sizeof(text), "in no graph");
		break;
	case GPU_TOP_STEP:
		return group_of(top, of->step ? of->step : "in no step");
	case GPU_TOP_RANGE:
		return group_of(top, of->range ? of->range : "in no range");
	}
	return group_of(top, text);
}

/* ---- rows, cells, parts ---- */

struct gpu_top_row *gpu_top_row_of(struct gpu_top *top, uint32_t group, const char *name, int is_kernel)
{
	uint64_t key = hash_number(hash(HASH_FIRST + (uint64_t)is_kernel, name, strlen(name)), group);
	uint32_t index = idmap_get(&top->row_ids, key);

	if (index != IDMAP_NONE)
		return &top->rows[index];
	if (list_grow(top->rows, top->count))
		return NULL;
	top->rows[top->count] = (struct gpu_top_row){ .name = strdup(name), .group = group, .is_kernel = is_kernel };
	if (!top->rows[top->count].name)
		return NULL;
	if (idmap_put(&top->row_ids, key, (uint32_t)top->count)) {
		free(top->rows[top->count].name);
		return NULL;
	}
	return &top->rows[top->count++];
}

struct gpu_top_cell *gpu_top_cell_of(struct gpu_top *top, const struct trace_process *process, uint16_t kind,
				    uint32_t object, uint32_t group)
{
	uint64_t key = hash_number(hash_number(HASH_FIRST, (uint64_t)process->index << 32 | kind),
				   (uint64_t)object << 32 | group);
	uint32_t index = idmap_get(&top->cell_ids, key);

	if (index != IDMAP_NONE)
		return &top->cells[index];
	if (list_grow(top->cells, top->cell_count) || idmap_put(&top->cell_ids, key, (uint32_t)top->cell_count))
		return NULL;
	top->cells[top->cell_count] = (struct gpu_top_cell){ process, kind, object, group, 0, 0, 0 };
	return &top->cells[top->cell_count++];
}

struct gpu_top_part *gpu_top_part_of(struct gpu_top *top, uint32_t cell, uint32_t row)
{
	uint64_t key = (uint64_t)cell << 32 | row;
	uint32_t index = idmap_get(&top->part_ids, key);

	if (index != IDMAP_NONE)
		return &top->parts[index];
	if (list_grow(top->parts, top->part_count) || idmap_put(&top->part_ids, key, (uint32_t)top->part_count))
		return NULL;
	top->parts[top->part_count] = (struct gpu_top_part){ .cell = cell, .row = row };
	return &top->parts[top->part_count++];
}

/* ---- totals ---- */

static int add_count(struct gpu_top *top, size_t cell, const char *name, int is_kernel, uint64_t nodes)
{
	const struct gpu_top_cell *of = &top->cells[cell];
	struct gpu_top_row *row = gpu_top_row_of(top, of->group, name, is_kernel);
	struct gpu_top_part *part;
	uint32_t index;

	if (!row)
		return -ENOMEM;
	row->count += nodes * of->launches;
	index = idmap_get(&top->part_ids, (uint64_t)cell << 32 | (uint64_t)(row - top->rows));
	part = index == IDMAP_NONE ? NULL : &top->parts[index];
	if (part) {
		part->count += nodes * of->launches;
		row->covered += nodes * of->launches;
	}
	return 0;
}

static int count_list(struct gpu_top *top, size_t cell, const struct graph_list *list)
{
	uint32_t copies[VPROF_COPY_DIRECTION + 1] = { 0 };
	char text[32];
	int error = 0;

	for (uint32_t i = 0; !error && i < list->distinct; i++)
		error = add_count(top, cell, list->by_name[i].name[0] ? list->by_name[i].name : "kernel ?", 1,
				  list->by_name[i].nodes);
	for (uint32_t i = 0; i < list->count; i++)
		if (list->nodes[i].type == VPROF_NODE_COPY)
			copies[list->nodes[i].object & VPROF_COPY_DIRECTION]++;
	for (uint32_t i = 0; !error && i <= VPROF_COPY_DIRECTION; i++) {
		snprintf(text, sizeof(text), "copy %s", event_direction(i));
		error = copies[i] ? add_count(top, cell, text, 0, copies[i]) : 0;
	}
	return !error && list->sets ? add_count(top, cell, "set", 0, list->sets) : error;
}

static int count_cell(struct gpu_top *top, size_t i, const struct graphs *graphs)
{
	const struct gpu_top_cell *cell = &top->cells[i];
	const struct ring *ring = cell->process->ring;
	const struct vprof_def_kernel *kernel = ring_def(ring, cell->object, VPROF_DEF_KERNEL);
	const struct vprof_def_graph *graph = ring_def(ring, cell->object, VPROF_DEF_GRAPH);
	const struct graph_list *list = NULL;
	uint32_t index;
	char text[64];

	switch (cell->kind) {
	case VPROF_KIND_LAUNCH:
		return add_count(top, i, kernel ? kernel->name : "kernel ?", 1, 1);
	case VPROF_KIND_COPY:
		snprintf(text, sizeof(text), "copy %s", event_direction(cell->object));
		return add_count(top, i, text, 0, 1);
	case VPROF_KIND_SET:
		return add_count(top, i, "set", 0, 1);
	default:
		index = graphs_index(graphs, cell->object);
		list = index == IDMAP_NONE ? NULL : graph_nodes(graphs, &graphs->list[index]);
		if (list && !(cell->wholes && !cell->measured))
			return count_list(top, i, list);
		snprintf(text, sizeof(text), "graph %u as a whole (pid %u)", graph ? graph->number : 0,
			 cell->process->os_pid);
		return add_count(top, i, text, 0, 1);
	}
}

static int count_process(struct gpu_top *top, const struct trace_process *process)
{
	struct graphs graphs;
	int error = graphs_read(&graphs, process->ring);

	if (error)
		return error;
	for (size_t i = 0; !error && i < top->cell_count; i++)
		if (top->cells[i].process == process)
			error = count_cell(top, i, &graphs);
	graphs_free(&graphs);
	return error;
}

static int compare_ns(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int compare_rows(const void *a, const void *b)
{
	const struct gpu_top_row *x = a, *y = b;

	if (x->total_ns != y->total_ns)
		return x->total_ns > y->total_ns ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void finish(struct gpu_top *top)
{
	for (size_t i = 0; i < top->part_count; i++)
		gpu_top_estimate(top, &top->parts[i]);
	for (size_t i = 0; i < top->count; i++) {
		struct gpu_top_row *row = &top->rows[i];

		if (row->samples)
			qsort(row->ns, row->samples, sizeof(*row->ns), compare_ns);
		if (row->count < row->samples)
			row->count = row->samples;
		if (row->covered < row->samples)
			row->covered = row->samples;
		top->total_ns += row->total_ns;
	}
	if (top->count)
		qsort(top->rows, top->count, sizeof(*top->rows), compare_rows);
}

/* Steps are found by a reading of their own, which is not to count in what the rings lost. */
static int find_steps(struct trace *trace, struct steps *steps)
{
	struct trace_process *before = trace_counts_keep(trace);
	int error = before ? steps_find(steps, trace, NULL) : -ENOMEM;

	trace_counts_back(trace, before);
	return error;
}

int gpu_top_make(struct gpu_top *top, struct trace *trace, enum gpu_top_per per)
{
	struct event *events = malloc(TRACE_CHUNK_EVENTS * sizeof(*events));
	struct steps steps = { 0 };
	int error = events ? 0 : -ENOMEM;

	*top = (struct gpu_top){ .trace = trace, .per = per };
	if (!error && per == GPU_TOP_STEP)
		error = find_steps(trace, &steps);
	if (!error && steps.count)
		steps_by_thread(&steps);
	for (size_t i = 0; !error && i < trace->count; i++) {
		struct trace_process *process = &trace->processes[i];

		if (process->chosen)
			error = gpu_top_read(top, process, &steps, events);
		if (!error && process->chosen)
			error = count_process(top, process);
	}
	if (!error)
		finish(top);
	if (per == GPU_TOP_STEP)
		steps_close(&steps);
	free(events);
	return error;
}

void gpu_top_free(struct gpu_top *top)
{
	for (size_t i = 0; i < top->count; i++) {
		free(top->rows[i].name);
		free(top->rows[i].ns);
	}
	for (uint32_t i = 0; i < top->group_count; i++)
		free(top->groups[i]);
	free(top->rows);
	free(top->groups);
	free(top->cells);
	free(top->parts);
	idmap_free(&top->group_ids);
	idmap_free(&top->row_ids);
	idmap_free(&top->cell_ids);
	idmap_free(&top->part_ids);
	gpu_parts_free(&top->parts_timed);
}

uint32_t gpu_top_rank(const struct gpu_top_row *row, double part)
{
	size_t index = (size_t)ceil(part * (double)row->samples);

	return row->samples ? row->ns[index ? index - 1 : 0] : 0;
}
