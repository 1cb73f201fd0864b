/*
 * kineto.c - the frame of a trace in the torch profiler's layout, and the steps in it.
 *
 * RANK. Readers find it with a pattern in the first bytes of the file, which wants a blank before
 * the number. STEPS. What vprof found as steps stands as "ProfilerStep#N" on its thread, for the
 * readers take everything else by these; where the program has such ranges, they are it.
 */
#include "tools/kineto.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "tools/output.h"
#include "tools/steps.h"

#define STEP_NAME "ProfilerStep#"

static void kineto_close(void *state)
{
	struct kineto *kineto = state;

	chrome_names_free(&kineto->names);
	idmap_free(&kineto->worked);
	idmap_free(&kineto->replays);
	free(kineto->tracks);
	free(kineto);
}

/* The first that is chosen: there is no other. */
static const struct trace_process *the_process(const struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		if (trace->processes[i].chosen)
			return &trace->processes[i];
	return NULL;
}

/* Which launches made a GPU work, and which graphs are there node by node. */
static int note_work(struct kineto *kineto)
{
	const struct trace_process *process = kineto->process;
	int error = 0;

	for (size_t i = 0; !error && i < process->gpu_count; i++) {
		const struct gpu_event *event = &process->gpu[i];

		if (event->correlation)
			error = idmap_put(&kineto->worked, event->correlation, 0);
		if (!error && event->graph && event->kind < GPU_GRAPH)
			error = idmap_put(&kineto->replays, kineto_launch(event), 0);
	}
	return error;
}

static int kineto_open(void **state, const struct trace *trace)
{
	const struct chrome_style style = {
		.raw = trace->raw_names, .call = kineto_call, .kernel = "kernel", .full = 1,
	};
	struct kineto *kineto = calloc(1, sizeof(*kineto));
	int error;

	if (!kineto)
		return -ENOMEM;
	kineto->trace = trace;
	kineto->process = the_process(trace);
	if (!kineto->process) {
		free(kineto);
		return -EINVAL;
	}
	/* Processes of containers have small numbers too. */
	kineto->pid = kineto->process->pid;
	if (kineto->pid < KINETO_DEVICES)
		kineto->pid += UINT32_MAX / 2;
	error = chrome_names_make(&kineto->names, kineto->process->ring, &style);
	if (!error)
		error = note_work(kineto);
	if (error)
		kineto_close(kineto);
	else
		*state = kineto;
	return error;
}

static void put_devices(struct buffer *out, const struct objects *objects)
{
	int count = 0;

	buffer_print(out, "\"deviceProperties\":[");
	for (int i = 0; i < OBJECTS_DEVICES; i++)
		if (objects->devices[i]) {
			buffer_print(out, count++ ? ",\n" : "\n");
			chrome_put_device(out, objects->devices[i]);
		}
	buffer_print(out, "],\n");
}

static void kineto_begin(void *state, struct buffer *out)
{
	const struct kineto *kineto = state;
	const struct trace *trace = kineto->trace;

	buffer_print(out, "{\"schemaVersion\":1,\n\"distributedInfo\": {\"rank\": %u, \"world_size\": %u},\n",
		     trace->rank, trace->world);
	put_devices(out, &kineto->names.objects);
	buffer_print(out, "\"displayTimeUnit\":\"ms\",\n\"baseTimeNanoseconds\":%" PRIu64 ",\n\"traceEvents\":[",
		     trace->base_ns);
}

void kineto_meta(struct buffer *out, const char *name, uint32_t pid, uint32_t tid)
{
	int first = out->used && out->data[out->used - 1] == '[';

	buffer_print(out,
		     "%s\n{\"ph\":\"M\",\"cat\":\"__metadata\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,\"ts\":0,"
		     "\"args\":{",
		     first ? "" : ",", name, pid, tid);
}

static void kineto_process(void *state, struct buffer *out, const struct trace_process *process)
{
	const struct kineto *kineto = state;

	kineto_meta(out, "process_name", kineto->pid, 0);
	buffer_print(out, "\"name\":\"");
	buffer_add_json(out, process->name);
	if (kineto->pid != process->os_pid)
		buffer_print(out, " (pid %u)", process->os_pid);
	buffer_print(out, "\"}}");
	kineto_meta(out, "process_labels", kineto->pid, 0);
	buffer_print(out, "\"labels\":\"CPU\"}}");
	kineto_meta(out, "process_sort_index", kineto->pid, 0);
	buffer_print(out, "\"sort_index\":0}}");
}

static void kineto_thread(void *state, struct buffer *out, const struct trace_thread *thread)
{
	const struct kineto *kineto = state;

	kineto_meta(out, "thread_name", kineto->pid, thread->tid);
	buffer_print(out, "\"name\":\"thread %u (", thread->os_tid);
	buffer_add_json(out, thread_name(thread));
	buffer_print(out, ")\"}}");
	kineto_meta(out, "thread_sort_index", kineto->pid, thread->tid);
	buffer_print(out, "\"sort_index\":%u}}", thread->index);
}

/* ---- steps ---- */

/* A range that says so itself is in the trace already. */
static int is_told(const struct step *step)
{
	return step->range && !strncmp(step->range->json, STEP_NAME, strlen(STEP_NAME));
}

/*
 * A step of each thread would be in another's: readers know one row of steps, the busiest thread's.
 * NULL: a program that numbers its steps itself, which ours would mix with.
 */
static const struct trace_thread *find_stepper(const struct steps *steps)
{
	const struct trace_thread *best = NULL;
	uint64_t most = 0, launches = 0;

	for (size_t i = 0; i < steps->count; i++) {
		const struct step *step = &steps->list[i];

		if (is_told(step))
			return NULL;
		launches = i && step->thread == step[-1].thread ? launches : 0;
		launches += step->found.launches + step->found.graphs;
		if (launches > most || !best) {
			most = launches;
			best = step->thread;
		}
	}
	return best;
}

static void kineto_steps(void *state, struct buffer *out, const struct trace_thread *thread, uint32_t tid, int alone)
{
	struct kineto *kineto = state;

	(void)out;
	(void)thread;
	(void)tid;
	(void)alone;
	kineto->stepper = find_stepper(kineto->trace->steps);
}

static void kineto_step(void *state, struct buffer *out, const struct step *step, uint32_t tid)
{
	const struct kineto *kineto = state;
	uint64_t start = kineto_since(kineto, step->found.begin);

	(void)tid;
	if (step->thread != kineto->stepper)
		return;
	buffer_print(out, ",\n{\"ph\":\"X\",\"cat\":\"user_annotation\",\"name\":\"" STEP_NAME
		     "%u\",\"pid\":%u,\"tid\":%u,"
		     "\"ts\":%" PRIu64 ".%03u,\"dur\":%" PRIu64 ".%03u,\"args\":{\"kind\":\"%s\",\"source\":\"%s\"}}",
		     step->number, kineto->pid, step->thread->tid, start / 1000, (unsigned)(start % 1000),
		     step_ns(step) / 1000, (unsigned)(step_ns(step) % 1000), step_sort_name(step->sort),
		     step_source_name(step));
}

static void kineto_end(void *state, struct buffer *out)
{
	const struct kineto *kineto = state;

	kineto_name_tracks(kineto, out);
	buffer_print(out, "\n],\n\"traceName\":\"");
	buffer_add_json(out, kineto->process->path);
	buffer_print(out, "\"}\n");
}

const struct output output_kineto = {
	.name = "kineto",
	.open = kineto_open,
	.begin = kineto_begin,
	.process = kineto_process,
	.slices = kineto_slices,
	.thread = kineto_thread,
	.steps = kineto_steps,
	.step = kineto_step,
	.gpu = kineto_gpu,
	.end = kineto_end,
	.close = kineto_close,
};
