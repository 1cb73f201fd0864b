/*
 * trace.c - opening a trace: its processes, its bounds in time, its filter.
 *
 * The bounds come from the first and the last chunk of each lane, so that they
 * are known before the merge without reading everything twice.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/threads.h"

enum { TITLE_SHOWN = 64 }; /* bytes of a command line in a process's name */

/* Do the rings come from more than one host? */
static int many_hosts(const struct inputs *inputs)
{
	for (size_t i = 1; i < inputs->count; i++)
		if (strcmp(inputs->list[i].ring.header.host, inputs->list[0].ring.header.host))
			return 1;
	return 0;
}

/* "/usr/bin/python3 train.py" -> "python3 train.py"; "VLLM::EngineCore on node7". */
static void process_make_name(struct trace_process *process, int with_host)
{
	const struct ring *ring = process->ring;
	const char *title = ring->live.title, *word, *slash;
	size_t length;

	if (!*title)
		title = *ring->live.comm ? ring->live.comm : ring->header.command;
	if (!*title)
		title = "process";
	word = title + strcspn(title, " ");
	slash = memrchr(title, '/', word - title);
	if (*title == '/' && slash && slash + 1 < word)
		title = slash + 1;
	length = strlen(title);
	while (length && title[length - 1] == ' ')
		length--;
	snprintf(process->name, sizeof(process->name), "%.*s%s%s%s",
		 (int)(length > TITLE_SHOWN ? TITLE_SHOWN - 3 : length), title,
		 length > TITLE_SHOWN ? "..." : "", with_host ? " on " : "", with_host ? ring->header.host : "");
}

static int pid_taken(const struct trace *trace, uint32_t pid, size_t before)
{
	for (size_t i = 0; i < before; i++)
		if (trace->processes[i].pid == pid)
			return 1;
	return 0;
}

static int process_open(struct trace *trace, size_t index, const struct input *input, int with_host)
{
	struct trace_process *process = &trace->processes[index];
	uint64_t reserved, uncovered;
	char pid[16];

	process->ring = &input->ring;
	process->clock = &input->clock;
	process->path = input->path;
	process->index = index;
	process->os_pid = process->pid = input->ring.header.pid;
	if (pid_taken(trace, process->pid, index))
		process->pid = trace_invent_id(trace);
	snprintf(pid, sizeof(pid), "%u", process->os_pid);
	process->chosen = !trace->filter->pids.count || cli_list_has(&trace->filter->pids, pid);
	process_make_name(process, with_host);
	role_make(&process->role, process->ring, 0);
	ring_positions(process->ring, &reserved, &uncovered);
	process->cut_off = ring_cut_off(process->ring, uncovered);
	*(process->ring->header.cut_first ? &process->not_copied : &process->overwritten) =
		uncovered - process->cut_off;
	if (range_names_open(&process->names, process->ring))
		return -ENOMEM;
	return process_find_threads(trace, process);
}

/* Widens the bounds by what a chunk holds; in flight: the process lived until its last beat. 0: it holds no calls. */
static int bounds_add_chunk(struct trace *trace, const struct trace_process *process,
			     const struct ring_chunk *chunk)
{
	const struct vprof_ring_live *live = &process->ring->live;
	struct vprof_chunk buffer;
	uint32_t at = 0;
	int found = 0;

	if (ring_read_chunk(process->ring, chunk, &buffer) <= 0)
		return 0;
	for (int i = 0; i < VPROF_CHUNK_SLOTS - 1; i++) {
		const struct vprof_slot *slot = &buffer.slot[i];
		struct trace_span span;

		if (!slot->seq || slot->kind == VPROF_KIND_THREAD || slot_is_gpu(slot))
			continue;
		found = 1;
		span = trace_span(trace, process, slot, 0, &at);
		if (!slot->done && !slot_is_said(slot) && live->state != VPROF_RING_CLOSED &&
		    live->beat_ticks > slot->t0)
			span.end_ns = clock_realtime(process->clock, &at, live->beat_ticks);
		if (span.start_ns < trace->base_ns)
			trace->base_ns = span.start_ns;
		if (span.end_ns > trace->end_ns)
			trace->end_ns = span.end_ns;
	}
	return found;
}

/* Of the chunks [from, to) of a lane the first that holds calls, and the last:
   the GPU's times may stand behind these. */
static void bounds_add_lane(struct trace *trace, const struct trace_process *process, uint32_t from, uint32_t to)
{
	const struct ring_chunk *chunks = process->ring->chunks;

	while (from < to && !bounds_add_chunk(trace, process, &chunks[from]))
		from++;
	while (to > from + 1 && !bounds_add_chunk(trace, process, &chunks[to - 1]))
		to--;
}

static void trace_find_bounds(struct trace *trace)
{
	trace->base_ns = UINT64_MAX;
	trace->end_ns = 0;
	for (size_t p = 0; p < trace->count; p++) {
		const struct ring *ring = trace->processes[p].ring;

		for (uint32_t i = 0, end; i < ring->chunk_count; i = end) {
			for (end = i + 1; end < ring->chunk_count; end++)
				if (ring->chunks[end].head.lane != ring->chunks[i].head.lane)
					break;
			bounds_add_lane(trace, &trace->processes[p], i, end);
		}
	}
}

uint64_t trace_moment(const struct trace *trace, const struct cli_time *moment)
{
	uint64_t ns = (uint64_t)moment->ns;

	if (!moment->before)
		return trace->base_ns < UINT64_MAX - ns ? trace->base_ns + ns : UINT64_MAX;
	return trace->end_ns > ns ? trace->end_ns - ns : 0;
}

static void trace_set_window(struct trace *trace)
{
	const struct trace_filter *filter = trace->filter;
	struct cli_time last = filter->last;
	uint64_t from;

	last.before = 1;
	from = last.given ? trace_moment(trace, &last) : 0;
	trace->from_ns = filter->from.given ? trace_moment(trace, &filter->from) : 0;
	if (from > trace->from_ns)
		trace->from_ns = from;
	trace->to_ns = filter->to.given ? trace_moment(trace, &filter->to) : UINT64_MAX;
}

int trace_open(struct trace *trace, const struct inputs *inputs, const struct trace_filter *filter)
{
	int with_host = many_hosts(inputs);

	memset(trace, 0, sizeof(*trace));
	trace->filter = filter;
	trace->processes = calloc(inputs->count + 1, sizeof(*trace->processes));
	if (!trace->processes)
		return -ENOMEM;
	while (trace->count < inputs->count) {
		size_t index = trace->count++;

		if (process_open(trace, index, &inputs->list[index], with_host)) {
			trace_close(trace);
			return -ENOMEM;
		}
	}
	trace_find_bounds(trace);
	if (trace->base_ns > trace->end_ns)
		trace->base_ns = trace->end_ns = 0;
	trace_set_window(trace);
	return 0;
}

static int has_pid(const struct trace *trace, const char *word)
{
	char pid[16];

	for (size_t i = 0; i < trace->count; i++) {
		snprintf(pid, sizeof(pid), "%u", trace->processes[i].os_pid);
		if (!strcmp(pid, word))
			return 1;
	}
	return 0;
}

/* Says of each process that is asked for and has no ring that it has none. 0: none has. */
static int has_processes(const struct trace *trace, const char *program)
{
	const struct cli_list *wanted = &trace->filter->pids;
	size_t found = 0;

	for (size_t i = 0; i < wanted->count; i++) {
		if (has_pid(trace, wanted->items[i]))
			found++;
		else
			fprintf(stderr, "%s: --pid: no process '%s' in these rings\n", program, wanted->items[i]);
	}
	return found || !wanted->count;
}

int trace_begin(struct trace *trace, const struct inputs *inputs, const struct trace_filter *filter)
{
	int error = trace_open(trace, inputs, filter);

	if (error) {
		fprintf(stderr, "%s: no memory\n", inputs->program);
	} else if (!has_processes(trace, inputs->program)) {
		trace_close(trace);
		error = -ESRCH;
	}
	return error;
}

void trace_filter_free(struct trace_filter *filter)
{
	cli_list_free(&filter->pids);
	cli_list_free(&filter->threads);
}

void trace_close(struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++) {
		process_free_threads(&trace->processes[i]);
		range_names_close(&trace->processes[i].names);
	}
	free(trace->processes);
	memset(trace, 0, sizeof(*trace));
}

uint64_t process_loss(const struct trace_process *process, int reason, const char **name)
{
	const struct {
		const char *name;
		uint64_t count;
	} own[] = {
		{ "overwritten", process->overwritten },
		{ "cut_off", process->cut_off },
		{ "torn", process->torn },
		{ "unreadable", process->unreadable },
		{ "bad_chunks", process->ring->bad_chunks },
		{ "bad_definitions", process->ring->bad_defs },
	};
	enum { OWN = sizeof(own) / sizeof(own[0]) };

	_Static_assert(OWN + VPROF_LOSS_COUNT == PROCESS_LOSSES, "one more reason");
	if (reason < OWN) {
		*name = own[reason].name;
		return own[reason].count;
	}
	*name = ring_loss_name(reason - OWN);
	return process->ring->live.loss[reason - OWN];
}

uint64_t trace_loss(const struct trace *trace, int reason, const char **name)
{
	uint64_t sum = 0;

	*name = "";
	for (size_t i = 0; i < trace->count; i++)
		if (trace->processes[i].chosen)
			sum += process_loss(&trace->processes[i], reason, name);
	return sum;
}

void trace_print_losses(const struct trace *trace, const char *program)
{
	uint64_t not_copied = 0;
	const char *name;
	int printed = 0;

	for (size_t i = 0; i < trace->count; i++)
		not_copied += trace->processes[i].chosen ? trace->processes[i].not_copied : 0;
	if (not_copied)
		fprintf(stderr, "%s: copies of the last so long (vprof snap --last): %" PRIu64
			" earlier %s not in them\n", program, not_copied, cli_word(not_copied, "record is", "records are"));
	for (int reason = 0; reason < PROCESS_LOSSES; reason++) {
		uint64_t sum = trace_loss(trace, reason, &name);

		if (!sum)
			continue;
		if (!printed++)
			fprintf(stderr, "%s: lost: ", program);
		fprintf(stderr, "%s%" PRIu64 " %s", printed > 1 ? ", " : "", sum, name);
	}
	if (printed)
		fputc('\n', stderr);
}

int trace_was_readable(const struct trace *trace, const char *program)
{
	int unreadable = 0;

	for (size_t i = 0; i < trace->count; i++) {
		const struct trace_process *process = &trace->processes[i];

		if (!process->chosen || !process->unreadable)
			continue;
		fprintf(stderr, "%s: %s: %" PRIu64 " %s cannot be read\n", program, process->path, process->unreadable,
			cli_word(process->unreadable, "record", "records"));
		unreadable = 1;
	}
	return !unreadable;
}

struct trace_process *trace_counts_keep(const struct trace *trace)
{
	struct trace_process *kept = malloc((trace->count + 1) * sizeof(*kept));

	if (kept && trace->count)
		memcpy(kept, trace->processes, trace->count * sizeof(*kept));
	return kept;
}

void trace_counts_back(struct trace *trace, struct trace_process *kept)
{
	for (size_t i = 0; kept && i < trace->count; i++) {
		struct trace_process *process = &trace->processes[i];

		process->slices = kept[i].slices;
		process->overwritten = kept[i].overwritten;
		process->present = kept[i].present;
		process->in_flight = kept[i].in_flight;
		process->abandoned = kept[i].abandoned;
		process->torn = kept[i].torn;
		process->unreadable = kept[i].unreadable;
	}
	free(kept);
}
