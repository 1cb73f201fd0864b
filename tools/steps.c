/*
 * steps.c - feeding the finders, and the ranges that name steps.
 */
#include "tools/steps.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/list.h"
#include "tools/records.h"
#include "tools/steps_inner.h"
#include "tools/threads.h"

/* Ranges that name steps: of vLLM, its older releases, PyTorch's profiler. */
static const char *const step_ranges[] = { "execute_context_*", "execute_new_*", "ProfilerStep#*" };

static void take_step(void *to, const struct vprof_step *found)
{
	struct step_finder *finder = to;
	struct steps *steps = finder->steps;

	if (list_grow(steps->list, steps->count)) {
		steps->error = -ENOMEM;
		return;
	}
	steps->list[steps->count++] = (struct step){ .found = *found, .thread = finder->thread,
						     .source = (uint8_t)found->source };
	finder->results += found->source == VPROF_STEP_RESULTS;
}

int steps_add(struct steps *steps, const struct step *step)
{
	struct step_finder finder = { .steps = steps, .thread = step->thread };

	take_step(&finder, &step->found);
	if (steps->error)
		return steps->error;
	steps->list[steps->count - 1] = *step;
	return 0;
}

/* ---- graphs: how many nodes, how many blocks ---- */

static uint64_t graph_key(uint32_t process, uint32_t graph)
{
	return (uint64_t)process << 32 | graph;
}

static struct step_graph *graph_of(struct steps *steps, uint32_t process, uint32_t graph)
{
	uint32_t index = idmap_get(&steps->nodes, graph_key(process, graph));

	return index == IDMAP_NONE ? NULL : &steps->graphs[index];
}

static int graph_add(struct steps *steps, uint32_t process, uint32_t id, uint32_t nodes)
{
	if (list_grow(steps->graphs, steps->graph_count))
		return -ENOMEM;
	steps->graphs[steps->graph_count] = (struct step_graph){ .nodes = nodes };
	return idmap_put(&steps->nodes, graph_key(process, id), steps->graph_count++);
}

static void graph_count_blocks(struct steps *steps, uint32_t process, const struct vprof_def_nodes *def)
{
	struct step_graph *graph = graph_of(steps, process, def->graph);
	uint32_t room = (def->head.size - sizeof(*def)) / sizeof(def->nodes[0]);

	if (!graph)
		return;
	if (!def->count) {
		const struct step_graph *same = graph_of(steps, process, def->first);

		graph->blocks = same ? same->blocks : 0;
	}
	for (uint32_t i = 0; i < def->count && i < room; i++) {
		const struct vprof_graph_node *node = &def->nodes[i];

		if (node->type == VPROF_NODE_KERNEL)
			graph->blocks += (uint64_t)node->grid[0] * node->grid[1] * node->grid[2];
	}
}

static int read_graphs(struct steps *steps, const struct trace_process *process)
{
	const struct vprof_def *def = NULL;
	int error = 0;

	while (!error && (def = ring_def_next(process->ring, def))) {
		if (def->type == VPROF_DEF_GRAPH)
			error = graph_add(steps, process->index, ring_def_id(process->ring, def),
					  ((const struct vprof_def_graph *)(const void *)def)->nodes);
		else if (def->type == VPROF_DEF_NODES && def->size >= sizeof(struct vprof_def_nodes))
			graph_count_blocks(steps, process->index, (const void *)def);
	}
	return error;
}

int steps_open(struct steps *steps, const struct trace *trace, const char *range)
{
	int error = 0;

	memset(steps, 0, sizeof(*steps));
	steps->trace = trace;
	steps->range = range;
	for (size_t i = 0; !error && i < trace->count; i++)
		error = read_graphs(steps, &trace->processes[i]);
	return error;
}

void steps_close(struct steps *steps)
{
	for (uint32_t i = 0; i < steps->finder_count; i++)
		free(steps->finders[i].machine);
	free(steps->finders);
	free(steps->list);
	free(steps->classes);
	free(steps->marks);
	free(steps->graphs);
	idmap_free(&steps->nodes);
}

/* ---- records ---- */

static int is_work(const struct vprof_slot *slot)
{
	return slot->kind == VPROF_KIND_LAUNCH || slot->kind == VPROF_KIND_GRAPH_LAUNCH ||
	       slot->kind == VPROF_KIND_COPY;
}

static void find_waits(const struct ring *ring, struct vprof_steps *machine)
{
	int found = 0;

	for (uint32_t call = 0; call < ring->call_count && found < 2; call++)
		if (ring->calls[call] && !strncmp(ring->calls[call], "cuCtxSynchronize", 16))
			machine->wait_all[found++] = (uint16_t)call;
}

struct step_finder *steps_finder(const struct steps *steps, const struct trace_thread *thread)
{
	return thread->finder ? &steps->finders[thread->finder - 1] : NULL;
}

static struct step_finder *finder_add(struct steps *steps, struct trace_thread *thread)
{
	struct step_finder *finder;

	if (list_grow(steps->finders, steps->finder_count))
		return NULL;
	finder = &steps->finders[steps->finder_count];
	*finder = (struct step_finder){ .steps = steps, .thread = thread, .machine = malloc(sizeof(*finder->machine)) };
	if (!finder->machine)
		return NULL;
	vprof_steps_begin(finder->machine, 1000000000, take_step, NULL);
	find_waits(thread->process->ring, finder->machine);
	thread->finder = ++steps->finder_count;
	return finder;
}

/* Of the thread; NULL: it has none and this is no reason for one, or there is no memory. */
static struct step_finder *finder_of(struct steps *steps, struct trace_thread *thread, int make)
{
	struct step_finder *finder = steps_finder(steps, thread);

	if (finder || !make)
		return finder;
	finder = finder_add(steps, thread);
	if (!finder)
		steps->error = -ENOMEM;
	return finder;
}

static void feed_elsewhere(struct steps *steps, const struct step_finder *own, const struct trace_thread *thread,
			   const struct vprof_slot *slot)
{
	for (uint32_t i = 0; i < steps->finder_count; i++) {
		struct step_finder *finder = &steps->finders[i];

		if (finder == own || finder->thread->process != thread->process)
			continue;
		finder->machine->to = finder;
		vprof_steps_elsewhere(finder->machine, slot);
	}
}

static int names_step(const struct steps *steps, const char *name)
{
	if (steps->range)
		return *steps->range && !fnmatch(steps->range, name, 0);
	for (size_t i = 0; i < sizeof(step_ranges) / sizeof(step_ranges[0]); i++)
		if (!fnmatch(step_ranges[i], name, 0))
			return 1;
	return 0;
}

static void take_mark(struct steps *steps, struct trace_thread *thread, uint64_t begin, uint64_t end,
		      const struct range_name *name)
{
	struct step_finder *finder = finder_of(steps, thread, 1);

	if (!finder || list_grow(steps->marks, steps->mark_count)) {
		steps->error = -ENOMEM;
		return;
	}
	steps->marks[steps->mark_count++] = (struct step_mark){ .thread = thread, .name = name, .begin = begin,
								.end = end };
	finder->mark = steps->mark_count;
}

static void count_in_mark(struct steps *steps, const struct step_finder *finder, const struct vprof_slot *slot,
			  uint64_t begin)
{
	struct step_mark *mark = finder->mark ? &steps->marks[finder->mark - 1] : NULL;

	if (!mark || begin > mark->end || (slot->kind != VPROF_KIND_LAUNCH && slot->kind != VPROF_KIND_GRAPH_LAUNCH))
		return;
	if (!mark->work)
		mark->work = begin;
	mark->launches += slot->kind == VPROF_KIND_LAUNCH;
	mark->graphs += slot->kind == VPROF_KIND_GRAPH_LAUNCH;
}

void steps_feed(struct steps *steps, struct trace_thread *thread, const struct vprof_slot *slot,
		uint64_t begin_ns, uint64_t end_ns, const struct range_name *name)
{
	const struct step_graph *graph = NULL;
	struct step_finder *finder;

	if (steps->whole)
		return;
	if (name && slot->kind == VPROF_KIND_RANGE && !(slot->range.flags & VPROF_RANGE_PROCESS) &&
	    names_step(steps, name->text))
		take_mark(steps, thread, begin_ns, end_ns, name);
	if (slot_is_said(slot) || VPROF_DONE_TICKS(slot->done) == 0)
		return;
	finder = finder_of(steps, thread, is_work(slot));
	if (slot->kind == VPROF_KIND_SYNC)
		feed_elsewhere(steps, finder, thread, slot);
	if (!finder)
		return;
	count_in_mark(steps, finder, slot, begin_ns);
	if (slot->kind == VPROF_KIND_GRAPH_LAUNCH)
		graph = graph_of(steps, thread->process->index, slot->object);
	finder->machine->to = finder;
	vprof_steps_feed(finder->machine, slot, begin_ns, end_ns, graph ? graph->nodes : 0);
	if (graph)
		vprof_steps_work(finder->machine, graph->blocks);
}

int steps_finish(struct steps *steps)
{
	if (steps->whole)
		return steps->error;
	for (uint32_t i = 0; i < steps->finder_count; i++) {
		steps->finders[i].machine->to = &steps->finders[i];
		vprof_steps_end(steps->finders[i].machine);
	}
	if (!steps->error)
		steps->error = steps_settle(steps);
	return steps->error;
}

/* ---- a whole trace ---- */

/* Of a ring that cannot be read on: what it was to hold, which its file's name is told with. */
static void count_unreadable(struct trace_process *process, uint64_t read)
{
	uint64_t all = 0;

	for (uint32_t c = 0; c < process->ring->chunk_count; c++)
		all += process->ring->chunks[c].used - 1;
	process->unreadable += all > read ? all - read : 1;
}

static int find_in(struct steps *steps, struct trace *trace, struct trace_process *process)
{
	struct records *records = records_open(process->ring);
	struct record record;
	uint64_t read = 0;
	uint32_t at = 0;
	int more = 0;

	if (!records)
		return -ENOMEM;
	while (!steps->error && (more = records_next(records, &record)) > 0) {
		const struct record_owner *owner = record.owner;
		const struct range_name *name;
		struct trace_thread *thread;
		struct trace_span span;

		name = NULL;
		read++;
		if (record.slot->kind == VPROF_KIND_THREAD || record.slot->kind == VPROF_KIND_TEXT)
			continue;
		thread = process_thread(trace, process, owner->thread, owner->tid, owner->comm, THREAD_RANK_OWNER);
		if (!thread)
			more = -ENOMEM;
		if (thread && record.slot->kind == VPROF_KIND_RANGE &&
		    !(record.slot->range.flags & VPROF_RANGE_AGAIN)) {
			name = range_name_of(&process->names, process->ring, record.chunk, record.index);
			if (!name)
				more = -ENOMEM;
		}
		if (more < 0)
			break;
		span = trace_span(trace, process, record.slot, record.ended, &at);
		steps_feed(steps, thread, record.slot, span.start_ns, span.end_ns, name);
	}
	records_close(records);
	if (more < 0 && more != -ENOMEM) {
		count_unreadable(process, read);
		more = 0;
	}
	return more < 0 ? more : steps->error;
}

int steps_find(struct steps *steps, struct trace *trace, const char *range)
{
	int error = steps_open(steps, trace, range);

	for (size_t i = 0; !error && i < trace->count; i++)
		if (trace->processes[i].chosen)
			error = find_in(steps, trace, &trace->processes[i]);
	if (!error)
		error = steps_finish(steps);
	steps->whole = 1;
	return error;
}

size_t steps_choose(struct steps *steps, uint32_t first, uint32_t last, uint64_t *from_ns, uint64_t *to_ns)
{
	size_t kept = 0, all = steps->count;

	*from_ns = UINT64_MAX;
	*to_ns = 0;
	for (size_t i = 0; i < all; i++) {
		const struct step *step = &steps->list[i];

		if (step->number < first || step->number > last)
			continue;
		*from_ns = step->found.begin < *from_ns ? step->found.begin : *from_ns;
		*to_ns = step->found.end > *to_ns ? step->found.end : *to_ns;
		steps->list[kept++] = *step;
	}
	steps->count = kept;
	return all;
}
