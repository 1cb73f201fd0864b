/*
 * produce.c - the workers.
 *
 * A batch gets its number while the merge is held, and number by number the
 * batches are written. A worker whose batch outgrows its buffer (names in a ring
 * can be of any length) waits for its turn early, writes what it has, and keeps
 * the turn until the batch is done: memory stays bounded.
 */
#include "tools/produce.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "tools/cli.h"
#include "tools/gpu_estimate.h"
#include "tools/memory_track.h"
#include "tools/merge.h"
#include "tools/steps.h"
#include "tools/threads.h"

enum {
	BATCH_EVENTS = 2048,
	STEP_EVENTS = 64,         /* formatted between two looks at the buffer's size */
	BUFFER_LIMIT = 2 << 20,
	WORKERS_MAX = 8,
};

struct production {
	struct trace *trace;
	const struct output *output;
	struct sink *sink;
	void *state;

	pthread_mutex_t merging;  /* guards merge, taken, progress */
	struct merge merge;
	struct cli_progress progress;
	uint64_t taken;           /* batches given out */

	pthread_mutex_t ordering; /* guards turn, error */
	pthread_cond_t turned;
	uint64_t turn;            /* number of the batch that may be written */
	int error;                /* first one; ends everything */
};

struct worker {
	struct production *production;
	struct event *events;
	struct buffer out;
	struct sink_pack pack;
	uint64_t batch;
	int has_turn;
	pthread_t thread;
};

static int fail(struct production *production, int error)
{
	pthread_mutex_lock(&production->ordering);
	if (!production->error)
		production->error = error;
	pthread_cond_broadcast(&production->turned);
	pthread_mutex_unlock(&production->ordering);
	return error;
}

/* 0 when it is this batch's turn, or the error that ended everything. */
static int wait_turn(struct worker *worker)
{
	struct production *production = worker->production;
	int error;

	if (worker->has_turn)
		return 0;
	pthread_mutex_lock(&production->ordering);
	while (production->turn != worker->batch && !production->error)
		pthread_cond_wait(&production->turned, &production->ordering);
	error = production->error;
	pthread_mutex_unlock(&production->ordering);
	worker->has_turn = !error;
	return error;
}

static void pass_turn(struct worker *worker)
{
	struct production *production = worker->production;

	pthread_mutex_lock(&production->ordering);
	production->turn++;
	pthread_cond_broadcast(&production->turned);
	pthread_mutex_unlock(&production->ordering);
	worker->has_turn = 0;
}

/* Writes what has been formatted, in its turn. */
static int worker_flush(struct worker *worker)
{
	struct production *production = worker->production;
	int error = worker->out.error;

	if (!error)
		error = sink_pack(production->sink, &worker->pack, worker->out.data,
				  worker->out.used);
	if (!error)
		error = wait_turn(worker);
	if (!error)
		error = sink_put(production->sink, &worker->pack);
	worker->out.used = 0;
	return error;
}

static int worker_take(struct worker *worker)
{
	struct production *production = worker->production;
	int count;

	pthread_mutex_lock(&production->merging);
	count = merge_next(&production->merge, worker->events, BATCH_EVENTS);
	if (count > 0)
		worker->batch = production->taken++;
	cli_progress_at(&production->progress, production->merge.chunks_done);
	pthread_mutex_unlock(&production->merging);
	return count;
}

static int worker_batch(struct worker *worker, int count)
{
	const struct production *production = worker->production;
	int error;

	for (int i = 0; i < count; i += STEP_EVENTS) {
		int step = count - i < STEP_EVENTS ? count - i : STEP_EVENTS;

		production->output->slices(production->state, &worker->out, worker->events + i, step);
		if (worker->out.used < BUFFER_LIMIT)
			continue;
		error = worker_flush(worker);
		if (error)
			return error;
	}
	error = worker_flush(worker);
	if (!error)
		pass_turn(worker);
	return error;
}

static void *worker_run(void *argument)
{
	struct worker *worker = argument;
	int count, error;

	while ((count = worker_take(worker)) > 0) {
		error = worker_batch(worker, count);
		if (error) {
			fail(worker->production, error);
			return NULL;
		}
	}
	if (count < 0)
		fail(worker->production, count);
	return NULL;
}

static int count_workers(int wanted)
{
	cpu_set_t cpus;
	int count = wanted;

	if (!count && !sched_getaffinity(0, sizeof(cpus), &cpus))
		count = CPU_COUNT(&cpus);
	return count < 1 ? 1 : count > WORKERS_MAX ? WORKERS_MAX : count;
}

/* Runs the workers; the caller is the first of them, so one that cannot be started is only slower. */
static int run_workers(struct production *production, int wanted)
{
	struct worker workers[WORKERS_MAX] = { 0 };
	int count = count_workers(wanted), started = 1;

	for (int i = 0; i < count; i++) {
		workers[i].production = production;
		workers[i].events = malloc(BATCH_EVENTS * sizeof(struct event));
		if (!workers[i].events)
			fail(production, -ENOMEM);
	}
	if (!production->error) {
		while (started < count && !pthread_create(&workers[started].thread, NULL, worker_run,
							  &workers[started]))
			started++;
		worker_run(&workers[0]);
		for (int i = 1; i < started; i++)
			pthread_join(workers[i].thread, NULL);
	}
	for (int i = 0; i < count; i++) {
		free(workers[i].events);
		buffer_free(&workers[i].out);
		sink_pack_free(production->sink, &workers[i].pack);
	}
	return production->error;
}

/* Packs and writes one block outside the stream of batches. */
static int put_block(struct sink *sink, struct buffer *out)
{
	struct sink_pack pack = { 0 };
	int error = out->error;

	if (!error)
		error = sink_pack(sink, &pack, out->data, out->used);
	if (!error)
		error = sink_put(sink, &pack);
	sink_pack_free(sink, &pack);
	out->used = 0;
	return error;
}

static int put_head(struct production *production, struct buffer *out)
{
	const struct trace *trace = production->trace;

	production->output->begin(production->state, out);
	for (size_t i = 0; i < trace->count; i++)
		if (trace->processes[i].chosen)
			production->output->process(production->state, out, &trace->processes[i]);
	return put_block(production->sink, out);
}

/* The tracks of steps, one for each thread that made some. */
static int put_steps(struct production *production, struct buffer *out)
{
	struct steps *steps = production->trace->steps;
	const struct trace_thread *thread = NULL;
	uint32_t tid = 0;
	int error = steps ? steps_finish(steps) : 0;

	if (!steps || error)
		return error;
	steps_by_thread(steps);
	for (size_t i = 0; !error && i < steps->count; i++) {
		const struct step *step = &steps->list[i];

		if (!step->thread->process->chosen)
			continue;
		if (step->thread != thread) {
			thread = step->thread;
			tid = trace_invent_id(production->trace);
			production->output->steps(production->state, out, thread, tid, steps_alone(steps, i));
		}
		production->output->step(production->state, out, step, tid);
		if (out->used >= BUFFER_LIMIT)
			error = put_block(production->sink, out);
	}
	return error;
}

static int put_batch(struct production *production, struct buffer *out, const struct trace_process *process,
		     const struct gpu_batch *batch)
{
	if (trace_shows_gpu(production->trace, process, batch->events, batch->count))
		production->output->gpu(production->state, out, process, batch->events, batch->count);
	return out->used >= BUFFER_LIMIT ? put_block(production->sink, out) : 0;
}

static int stream_batches(struct production *production, struct buffer *out, const struct trace_process *process,
			  struct gpu *gpu, struct gpu_estimate *estimate)
{
	struct gpu_batch batch;
	int more = 1, error = 0;

	while (!error && (more = gpu_next(gpu, &batch)) > 0) {
		error = put_batch(production, out, process, &batch);
		if (!error && estimate)
			error = gpu_estimate_learn(estimate, &batch);
	}
	while (!error && estimate && more >= 0 && (more = gpu_estimate_next(estimate, &batch)) > 0)
		error = put_batch(production, out, process, &batch);
	return more < 0 ? more : error;
}

/* What had not ended is drawn as the host's open calls are: up to the end. */
static int put_open(struct production *production, struct buffer *out, const struct trace_process *process,
		    const struct gpu *gpu)
{
	int error = 0;

	for (size_t i = 0; !error && i < gpu->open_count; i++) {
		struct gpu_event *event = &gpu->open[i];
		struct gpu_batch batch = { .events = event, .count = 1 };

		if (production->trace->end_ns > event->begin_ns)
			event->end_ns = production->trace->end_ns;
		error = put_batch(production, out, process, &batch);
	}
	return error;
}

/* What the trace says of it at its end. */
static void sum_gpu(struct trace_process *process, const struct gpu *gpu)
{
	process->gpu_seen.events = gpu->counts.events;
	process->gpu_seen.left_out = gpu->counts.no_stamp + gpu->counts.backwards + gpu->counts.untrue;
	process->gpu_seen.early = gpu->counts.early;
	for (uint32_t i = 0; i < gpu->device_count; i++)
		if (gpu->devices[i].clock.error_ns > process->gpu_seen.clock_error_ns)
			process->gpu_seen.clock_error_ns = gpu->devices[i].clock.error_ns;
}

/* From the ring, a launch at a time: memory stays bounded. */
static int stream_gpu(struct production *production, struct buffer *out, const struct trace_process *process)
{
	struct gpu_estimate *estimate = NULL;
	struct gpu gpu;
	int error = gpu_open(&gpu, process->ring, process->clock);

	if (error)
		return error;
	if (production->trace->estimate)
		estimate = gpu_estimate_open(&gpu);
	error = production->trace->estimate && !estimate ? -ENOMEM :
		stream_batches(production, out, process, &gpu, estimate);
	if (!error)
		error = put_open(production, out, process, &gpu);
	if (estimate)
		gpu_estimate_close(estimate);
	sum_gpu(&production->trace->processes[process->index], &gpu);
	gpu_close(&gpu);
	return error;
}

static int put_gpu(struct production *production, struct buffer *out, const struct trace_process *process)
{
	int error = 0;

	if (!process->gpu && gpu_has(process->ring))
		return stream_gpu(production, out, process);
	for (size_t i = 0; !error && i < process->gpu_count; i += BATCH_EVENTS) {
		size_t left = process->gpu_count - i;

		production->output->gpu(production->state, out, process, process->gpu + i,
					left < BATCH_EVENTS ? left : BATCH_EVENTS);
		error = put_block(production->sink, out);
	}
	return error;
}

static int put_tail(struct production *production, struct buffer *out)
{
	const struct trace *trace = production->trace;
	int error;

	for (size_t i = 0; i < trace->count; i++) {
		const struct trace_process *process = &trace->processes[i];

		for (uint32_t t = 0; t < process->thread_count; t++) {
			if (process->threads[t]->slices)
				production->output->thread(production->state, out, process->threads[t]);
			if (out->used < BUFFER_LIMIT)
				continue;
			error = put_block(production->sink, out);
			if (error)
				return error;
		}
	}
	error = put_steps(production, out);
	for (size_t i = 0; !error && i < trace->count; i++)
		if (production->output->gpu && trace->processes[i].chosen)
			error = put_gpu(production, out, &trace->processes[i]);
	if (error)
		return error;
	production->output->end(production->state, out);
	return put_block(production->sink, out);
}

int produce(struct trace *trace, const struct output *output, struct sink *sink, int workers)
{
	struct production production = {
		.trace = trace, .output = output, .sink = sink,
		.merging = PTHREAD_MUTEX_INITIALIZER, .ordering = PTHREAD_MUTEX_INITIALIZER,
		.turned = PTHREAD_COND_INITIALIZER,
	};
	struct buffer out = { 0 };
	int error;

	error = output->open(&production.state, trace);
	if (error)
		return error;
	error = memory_tracks_open(trace);
	if (!error)
		error = merge_open(&production.merge, trace);
	if (error)
		goto err;
	error = put_head(&production, &out);
	if (!error) {
		cli_progress_begin(&production.progress, "merging", production.merge.chunks);
		error = run_workers(&production, workers);
		cli_progress_end(&production.progress);
	}
	if (!error)
		error = put_tail(&production, &out);
	merge_close(&production.merge);
err:
	memory_tracks_close(trace);
	output->close(production.state);
	buffer_free(&out);
	return error;
}
