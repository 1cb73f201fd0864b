/*
 * chrome.c - Chrome JSON for Perfetto: the frame around the slices.
 *
 * Every event but the first begins with a comma, so the end needs to know nothing
 * of what came before it. Threads follow the slices: their names are known best
 * then. What each ring lost stands in otherData, as part of the trace.
 */
#include "tools/chrome.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "tools/output.h"

static void chrome_close(void *state)
{
	struct chrome *chrome = state;

	for (size_t i = 0; i < chrome->trace->count; i++)
		chrome_names_free(&chrome->names[i]);
	free(chrome->names);
	free(chrome->tracks);
	free(chrome);
}

static int chrome_open(void **state, const struct trace *trace)
{
	struct chrome *chrome = calloc(1, sizeof(*chrome));
	struct chrome_style style = chrome_style;
	int error = 0;

	if (!chrome)
		return -ENOMEM;
	style.raw = trace->raw_names;
	style.expand = trace->expand_graphs;
	chrome->trace = trace;
	chrome->names = calloc(trace->count + 1, sizeof(*chrome->names));
	if (!chrome->names) {
		free(chrome);
		return -ENOMEM;
	}
	for (size_t i = 0; !error && i < trace->count; i++)
		error = chrome_names_make(&chrome->names[i], trace->processes[i].ring, &style);
	if (error)
		chrome_close(chrome);
	else
		*state = chrome;
	return error;
}

static void chrome_begin(void *state, struct buffer *out)
{
	const struct chrome *chrome = state;

	buffer_print(out, "{\"schemaVersion\":1,\n");
	chrome_put_devices(out, chrome);
	buffer_print(out, "\"displayTimeUnit\":\"ns\",\n"
		     "\"baseTimeNanoseconds\":%" PRIu64 ",\n\"traceEvents\":[", chrome->trace->base_ns);
}

/* Begins a metadata event; only the first event of all has no comma before it. */
void chrome_meta(struct buffer *out, const char *name, uint32_t pid, uint32_t tid)
{
	int first = out->used && out->data[out->used - 1] == '[';

	buffer_print(out, "%s\n{\"ph\":\"M\",\"cat\":\"__metadata\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,"
		     "\"ts\":0,\"args\":{", first ? "" : ",", name, pid, tid);
}

static void put_meta(struct buffer *out, const char *name, uint32_t pid, uint32_t tid,
		     const char *key, const char *text)
{
	chrome_meta(out, name, pid, tid);
	buffer_print(out, "\"%s\":\"", key);
	buffer_add_json(out, text);
	buffer_print(out, "\"}}");
}

/* Readers put the id of a process or thread behind its name, so only one that was made up is explained. */
static void put_name(struct buffer *out, const char *what, uint32_t pid, uint32_t tid, const char *name,
		     const char *word, uint32_t os_id)
{
	char full[192];

	if (os_id == (tid ? tid : pid))
		snprintf(full, sizeof(full), "%s", name);
	else
		snprintf(full, sizeof(full), "%s (%s%u)", name, word, os_id);
	put_meta(out, what, pid, tid, "name", full);
}

static void put_sort_index(struct buffer *out, const char *name, uint32_t pid, uint32_t tid, uint32_t index)
{
	chrome_meta(out, name, pid, tid);
	buffer_print(out, "\"sort_index\":%u}}", index);
}

/* By what they are for and their rank, then by the time at which their rings were made. */
static int process_before(const struct trace_process *a, const struct trace_process *b)
{
	uint64_t start = a->clock->start_ns + a->clock->to_realtime;
	uint64_t other = b->clock->start_ns + b->clock->to_realtime;
	int order = role_compare_rank(&a->role, &b->role);

	if (order)
		return order < 0;
	return start < other || (start == other && a->index < b->index);
}

/* Place of a process among all. */
static uint32_t process_rank(const struct trace *trace, const struct trace_process *process)
{
	uint32_t rank = 0;

	for (size_t i = 0; i < trace->count; i++)
		rank += process_before(&trace->processes[i], process);
	return rank;
}

static void chrome_process(void *state, struct buffer *out, const struct trace_process *process)
{
	const struct chrome *chrome = state;

	put_name(out, "process_name", process->pid, 0, process->name, "pid ", process->os_pid);
	put_meta(out, "process_labels", process->pid, 0, "labels", process->ring->header.command);
	put_sort_index(out, "process_sort_index", process->pid, 0,
		       process_rank(chrome->trace, process));
	chrome_memory_begin(chrome, out, process);
}

static void chrome_thread(void *state, struct buffer *out, const struct trace_thread *thread)
{
	int main_thread = thread->os_tid == thread->process->os_pid;

	(void)state;
	put_name(out, "thread_name", thread->process->pid, thread->tid, thread_name(thread), "", thread->os_tid);
	put_sort_index(out, "thread_sort_index", thread->process->pid, thread->tid,
		       main_thread ? 0 : thread->serial < UINT32_MAX ? thread->serial + 1 : UINT32_MAX);
}

static void chrome_steps(void *state, struct buffer *out, const struct trace_thread *thread, uint32_t tid, int alone)
{
	(void)state;
	chrome_steps_track(out, thread, tid, alone);
}

static void chrome_one_step(void *state, struct buffer *out, const struct step *step, uint32_t tid)
{
	const struct chrome *chrome = state;

	chrome_step(out, step, tid, chrome->trace->base_ns);
}

static void put_string(struct buffer *out, const char *key, const char *text)
{
	buffer_print(out, "\"%s\":\"", key);
	buffer_add_json(out, text);
	buffer_print(out, "\",");
}

static void put_gpu(struct buffer *out, const struct trace_process *process)
{
	if (!process->gpu_seen.events)
		return;
	buffer_print(out, ",\"gpu\":{\"events\":%" PRIu64 ",\"left_out\":%" PRIu64 ",\"early\":%" PRIu64
		     ",\"clock_error_ns\":", process->gpu_seen.events, process->gpu_seen.left_out,
		     process->gpu_seen.early);
	if (process->gpu_seen.clock_error_ns == UINT64_MAX)
		buffer_print(out, "null}");
	else
		buffer_print(out, "%" PRIu64 "}", process->gpu_seen.clock_error_ns);
}

static void put_ring(struct buffer *out, const struct trace_process *process)
{
	const struct vprof_ring_header *header = &process->ring->header;
	int lost = 0;

	buffer_print(out, "{");
	put_string(out, "ring", process->path);
	put_string(out, "host", header->host);
	put_string(out, "command", header->command);
	put_string(out, "library", header->library);
	buffer_print(out, "\"pid\":%u,\"os_pid\":%u,\"state\":\"%s\",\"threads\":%u,\"slices\":%" PRIu64
		     ",\"records\":%" PRIu64 ",\"in_flight\":%" PRIu64 ",\"abandoned\":%" PRIu64
		     ",\"clock_error_ns\":%" PRIu64 ",\"lost\":{", process->pid, process->os_pid,
		     header->cut_ticks ? "copy" :
		     process->ring->live.state == VPROF_RING_CLOSED ? "closed" : "running or killed",
		     process->thread_count, process->slices, process->present, process->in_flight,
		     process->abandoned, process->clock->error_ns);
	for (int i = 0; i < PROCESS_LOSSES; i++) {
		const char *name;
		uint64_t count = process_loss(process, i, &name);

		if (count)
			buffer_print(out, "%s\"%s\":%" PRIu64, lost++ ? "," : "", name, count);
	}
	buffer_print(out, "}");
	if (process->not_copied)
		buffer_print(out, ",\"not_copied\":%" PRIu64, process->not_copied);
	put_gpu(out, process);
	chrome_memory_totals(out, process);
	buffer_print(out, "}");
}

static void chrome_end(void *state, struct buffer *out)
{
	const struct chrome *chrome = state;

	chrome_gpu_names(chrome, out);
	buffer_print(out, "\n],\n\"otherData\":{\"version\":\"vprof " VPROF_VERSION "\",\"rings\":[\n");
	for (size_t i = 0; i < chrome->trace->count; i++) {
		if (i)
			buffer_print(out, ",\n");
		put_ring(out, &chrome->trace->processes[i]);
	}
	buffer_print(out, "\n]}}\n");
}

const struct output output_chrome = {
	.name = "chrome",
	.open = chrome_open,
	.begin = chrome_begin,
	.process = chrome_process,
	.slices = chrome_slices,
	.thread = chrome_thread,
	.steps = chrome_steps,
	.step = chrome_one_step,
	.gpu = chrome_gpu,
	.end = chrome_end,
	.close = chrome_close,
};
