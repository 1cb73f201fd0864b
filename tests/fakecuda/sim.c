/*
 * sim.c - streams: queues of work, done in order, each by a thread of its own.
 *
 * Work that takes no time, on a stream with nothing before it, is done at once
 * in the calling thread: a launch then costs a lock and no wake-up. All other
 * work goes to the stream's worker, which is started when first needed, waits
 * for what the work depends on, spends the time it takes and does it.
 *
 * An operation is known by its stream and its sequence number there: it is
 * done when stream->done has reached that number. When it began and ended is
 * reckoned from what came before it, not read off the host's clock, which is only waited for:
 * what the GPU's clock shows is exact however late the worker is. Events and dependencies are
 * such pairs. Work on the legacy stream depends on all that was submitted to
 * the context's blocking streams before it, and theirs on it.
 */
#include <signal.h>
#include <stdlib.h>

#include "tests/fakecuda/graph.h"

pthread_mutex_t fk_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t progress = PTHREAD_COND_INITIALIZER;
static int waiters; /* threads in progress */

struct fk_dep {
	CUstream stream;
	uint64_t seq;
	struct fk_dep *next;
};

struct fk_op {
	struct fk_op *next;
	struct fk_dep *deps;
	uint64_t begin; /* not sooner than this: it was submitted, and what it depends on has ended */
	struct fk_plan *plan; /* of a launched graph; or the work */
	struct fk_work work;
};

void fk_stream_ref_locked(CUstream stream)
{
	stream->refs++;
}

void fk_stream_unref_locked(CUstream stream)
{
	if (--stream->refs)
		return;
	pthread_cond_destroy(&stream->wake);
	fk_delete(stream);
}

void fk_event_unref_locked(CUevent event)
{
	if (--event->refs)
		return;
	if (event->stream)
		fk_stream_unref_locked(event->stream);
	fk_delete(event);
}

void fk_wait_locked(CUstream stream, uint64_t seq)
{
	fk_stream_ref_locked(stream);
	waiters++;
	while (stream->done < seq)
		pthread_cond_wait(&progress, &fk_lock);
	waiters--;
	fk_stream_unref_locked(stream);
}

CUresult fk_stream_wait(CUstream stream)
{
	pthread_mutex_lock(&fk_lock);
	if (!fk_idle(stream))
		fk_wait_locked(stream, stream->submitted);
	pthread_mutex_unlock(&fk_lock);
	return fk_sticky();
}

static struct fk_dep *dep_add(struct fk_dep *list, CUstream stream, uint64_t seq)
{
	struct fk_dep *dep;

	if (stream->done >= seq)
		return list;
	dep = malloc(sizeof(*dep));
	if (!dep) { /* no room to remember it: wait for it here */
		fk_wait_locked(stream, seq);
		return list;
	}
	*dep = (struct fk_dep){ .stream = stream, .seq = seq, .next = list };
	fk_stream_ref_locked(stream);
	return dep;
}

static struct fk_dep *dep_drop(struct fk_dep *dep)
{
	struct fk_dep *next = dep->next;

	fk_stream_unref_locked(dep->stream);
	free(dep);
	return next;
}

/* What the order of the legacy stream and the blocking streams adds. */
static struct fk_dep *implicit_deps(CUstream stream)
{
	struct fk_dep *deps = NULL;

	if (stream->flags & CU_STREAM_NON_BLOCKING)
		return NULL;
	if (!stream->legacy)
		return dep_add(NULL, stream->ctx->legacy, stream->ctx->legacy->submitted);
	for (CUstream s = stream->ctx->streams; s; s = s->next)
		if (s != stream && !(s->flags & CU_STREAM_NON_BLOCKING))
			deps = dep_add(deps, s, s->submitted);
	return deps;
}

static void finish_locked(CUstream stream, const struct fk_op *op, const struct fk_span *span)
{
	stream->done++;
	if (stream->clock < span->end)
		stream->clock = span->end;
	stream->ends[stream->done % FK_ENDS] = stream->clock;
	stream->last_span = *span;
	stream->last_kernel = !op->plan && op->work.type == CU_GRAPH_NODE_TYPE_KERNEL;
	stream->running = false;
	if (stream->first)
		pthread_cond_signal(&stream->wake);
	if (waiters)
		pthread_cond_broadcast(&progress);
}

static void op_run(const struct fk_op *op, struct fk_span *span)
{
	if (op->plan)
		span->trigger = span->end = fk_plan_run(op->plan, span->begin);
	else
		fk_work_run(&op->work, span);
}

/*
 * A kernel that lets what depends on it begin, and only then waits, does so when the one before lets itself begin; not
 * before it is submitted.
 */
static void release_early(struct fk_span *span, const struct fk_span *before, const struct fk_op *op)
{
	uint64_t first = before->trigger + fk_config.prog_ns;

	first = first > op->begin ? first : op->begin;
	if (op->work.kernel.func->releases && span->trigger > first)
		span->trigger = first;
}

/*
 * What comes next on a stream comes behind all that was there before; but a
 * kernel launched with programmatic serialization only behind the trigger of
 * the kernel before it, unless it waits itself.
 */
static struct fk_span op_span(CUstream stream, const struct fk_op *op)
{
	const struct fk_work graph = { .type = CU_GRAPH_NODE_TYPE_GRAPH }, *work = op->plan ? &graph : &op->work;
	struct fk_span before = { stream->clock, stream->clock, stream->clock }, span;
	CUgraphEdgeData edge = { 0 };
	uint64_t begin;

	if (fk_work_serializes(work) && stream->last_kernel) {
		edge.type = CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC;
		before.trigger = stream->last_span.trigger;
		if (fk_config.apart)
			before.end = stream->last_span.end;
	}
	begin = stream->clock ? fk_edge_bound(&before, &edge, work) : 0;
	if (begin < op->begin)
		begin = op->begin;
	if (op->plan)
		return (struct fk_span){ begin, begin, begin };
	span = fk_span_at(work, begin);
	if (edge.type == CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC)
		release_early(&span, &before, op);
	return span;
}

/* When the stream's work of that number had ended; of long ago, that it has. */
static uint64_t end_of(CUstream stream, uint64_t seq)
{
	return stream->done - seq < FK_ENDS ? stream->ends[seq % FK_ENDS] : 0;
}

static void deps_wait_locked(struct fk_op *op)
{
	while (op->deps) {
		struct fk_dep *dep = op->deps;

		fk_wait_locked(dep->stream, dep->seq);
		if (op->begin < end_of(dep->stream, dep->seq))
			op->begin = end_of(dep->stream, dep->seq);
		op->deps = dep_drop(dep);
	}
}

static void *worker(void *arg)
{
	CUstream stream = arg;
	struct fk_span span;
	struct fk_op *op;

	pthread_mutex_lock(&fk_lock);
	for (;;) {
		while (!stream->first && !(stream->destroyed && fk_idle(stream)))
			pthread_cond_wait(&stream->wake, &fk_lock);
		op = stream->first;
		if (!op)
			break;
		while (stream->running) /* by a thread that found the stream idle */
			pthread_cond_wait(&stream->wake, &fk_lock);
		stream->first = op->next;
		stream->running = true;
		deps_wait_locked(op);
		span = op_span(stream, op);
		pthread_mutex_unlock(&fk_lock);
		op_run(op, &span);
		pthread_mutex_lock(&fk_lock);
		finish_locked(stream, op, &span);
		if (op->plan)
			fk_plan_unref_locked(op->plan);
		else
			fk_work_drop_locked(&op->work);
		free(op);
	}
	fk_stream_unref_locked(stream);
	pthread_mutex_unlock(&fk_lock);
	return NULL;
}

static CUresult worker_start_locked(CUstream stream)
{
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	if (stream->has_worker)
		return CUDA_SUCCESS;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	fk_stream_ref_locked(stream);
	err = pthread_create(&thread, &attr, worker, stream);
	if (err)
		stream->refs--;
	stream->has_worker = !err;
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err ? CUDA_ERROR_OPERATING_SYSTEM : CUDA_SUCCESS;
}

static void room_wait_locked(CUstream stream)
{
	if (fk_config.queue && stream->submitted >= fk_config.queue)
		fk_wait_locked(stream, stream->submitted + 1 - fk_config.queue);
}

/* Queues a copy of the operation. */
static CUresult enqueue_locked(CUstream stream, struct fk_op *op)
{
	struct fk_op *queued = malloc(sizeof(*queued));
	CUresult result = worker_start_locked(stream);

	if (!queued || result) {
		free(queued);
		while (op->deps)
			op->deps = dep_drop(op->deps);
		return result ? result : CUDA_ERROR_OUT_OF_MEMORY;
	}
	*queued = *op;
	queued->next = NULL;
	queued->begin = fk_now();
	if (stream->first)
		stream->last->next = queued;
	else
		stream->first = queued;
	stream->last = queued;
	stream->submitted++;
	pthread_cond_signal(&stream->wake);
	return CUDA_SUCCESS;
}

/* The stream is idle: its clock is not ahead of the host's. What reads no clock needs no time. */
static void run_here_locked(CUstream stream, const struct fk_op *op)
{
	uint64_t now = op->plan || fk_work_timed(&op->work) ? fk_now() : 0;
	struct fk_span span = { now, now, now };

	stream->submitted++;
	stream->running = true;
	fk_stream_ref_locked(stream);
	pthread_mutex_unlock(&fk_lock);
	op_run(op, &span);
	pthread_mutex_lock(&fk_lock);
	finish_locked(stream, op, &span);
	fk_stream_unref_locked(stream);
}

static struct fk_dep *work_deps(CUstream stream, const struct fk_work *work)
{
	struct fk_dep *deps = implicit_deps(stream);

	if (work->type == CU_GRAPH_NODE_TYPE_WAIT_EVENT && work->event->stream)
		deps = dep_add(deps, work->event->stream, work->event->seq);
	return deps;
}

/* An event stands for the operation about to be submitted. */
static void event_mark_locked(CUstream stream, CUevent event)
{
	if (event->stream != stream) {
		if (event->stream)
			fk_stream_unref_locked(event->stream);
		fk_stream_ref_locked(stream);
		event->stream = stream;
	}
	event->seq = stream->submitted + 1;
}

CUresult fk_submit(CUstream stream, const struct fk_work *work)
{
	struct fk_op op = { .work = *work };
	CUresult result = CUDA_SUCCESS;

	if (fk_capture_implicit(stream))
		return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
	pthread_mutex_lock(&fk_lock);
	if (stream->capture) {
		result = fk_capture_work_locked(stream, work);
		goto out;
	}
	room_wait_locked(stream);
	op.deps = work_deps(stream, work);
	if (work->type == CU_GRAPH_NODE_TYPE_EVENT_RECORD)
		event_mark_locked(stream, work->event);
	if (!op.deps && fk_idle(stream) && !fk_work_ns(work)) {
		run_here_locked(stream, &op);
		goto out;
	}
	result = fk_work_copy_locked(&op.work, work);
	if (!result) {
		result = enqueue_locked(stream, &op);
		if (result)
			fk_work_drop_locked(&op.work);
	}
out:
	pthread_mutex_unlock(&fk_lock);
	return result;
}

/* The graph's events are recorded when the launch has ended, which waits for what it waits for. */
static void plan_events_locked(CUstream stream, struct fk_op *op)
{
	for (size_t i = 0; i < op->plan->graph->node_count; i++) {
		const struct fk_work *work = &op->plan->graph->nodes[i]->work;

		if (work->type == CU_GRAPH_NODE_TYPE_WAIT_EVENT && work->event->stream)
			op->deps = dep_add(op->deps, work->event->stream, work->event->seq);
		else if (work->type == CU_GRAPH_NODE_TYPE_EVENT_RECORD)
			event_mark_locked(stream, work->event);
	}
}

/* An exec runs once at a time: behind its last launch, on whatever stream. */
CUresult fk_submit_exec(CUstream stream, CUgraphExec exec)
{
	struct fk_op op = { .plan = NULL };
	CUresult result = CUDA_SUCCESS;

	if (fk_capture_implicit(stream))
		return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
	pthread_mutex_lock(&fk_lock);
	room_wait_locked(stream);
	op.plan = exec->plan; /* another may have taken its place meanwhile */
	op.deps = implicit_deps(stream);
	if (exec->last && exec->last != stream)
		op.deps = dep_add(op.deps, exec->last, exec->last_seq);
	if (exec->plan->events)
		plan_events_locked(stream, &op);
	if (exec->last != stream) {
		if (exec->last)
			fk_stream_unref_locked(exec->last);
		fk_stream_ref_locked(stream);
		exec->last = stream;
	}
	exec->last_seq = stream->submitted + 1;
	op.plan->refs++;
	if (!op.deps && fk_idle(stream) && !op.plan->timed) {
		run_here_locked(stream, &op);
		fk_plan_unref_locked(op.plan);
	} else {
		result = enqueue_locked(stream, &op);
		if (result)
			fk_plan_unref_locked(op.plan);
	}
	pthread_mutex_unlock(&fk_lock);
	return result;
}
