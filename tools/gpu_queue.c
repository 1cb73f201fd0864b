/*
 * gpu_queue.c - kinds of launches, and all launches by stream.
 */
#include "tools/gpu_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/gpu_launch.h"
#include "tools/list.h"
#include "tools/records.h"

enum { LEGACY = 1, PER_THREAD = 2 }; /* handles of default streams; 0 is the legacy one too */
enum { SEVERAL_DEVICES = INT32_MAX };

void gpu_queue_free(struct gpu_queue *queue)
{
	free(queue->kinds);
	free(queue->streams);
	free(queue->list);
	free(queue->measured);
	free(queue->waits);
	idmap_free(&queue->kind_ids);
	idmap_free(&queue->stream_ids);
	idmap_free(&queue->devices);
	idmap_free(&queue->measured_ids);
}

/* ---- one measured launch ---- */

int gpu_queue_is_copy(const struct gpu_event *event)
{
	return event->kind == GPU_COPY || event->kind == GPU_SET;
}

struct gpu_queue_work gpu_queue_work(const struct gpu_batch *batch)
{
	uint32_t first = batch->count > 1 && batch->events[0].kind == GPU_GRAPH;
	struct gpu_queue_work work = { 0 };
	uint64_t kernel_end = 0, kernel_ns = 0;

	for (uint32_t i = first; i < batch->count; i++) { /* by begin */
		const struct gpu_event *event = &batch->events[i];
		uint64_t from = event->begin_ns > work.end_ns ? event->begin_ns : work.end_ns;
		uint64_t kernel_from = event->begin_ns > kernel_end ? event->begin_ns : kernel_end;

		if (event->kind == GPU_OTHER)
			continue;
		if (!work.end_ns)
			work.begin_ns = event->begin_ns;
		if (event->end_ns > from)
			work.busy_ns += event->end_ns - from;
		if (event->end_ns > work.end_ns)
			work.end_ns = event->end_ns;
		if (!gpu_queue_is_copy(event) && event->end_ns > kernel_from) {
			kernel_ns += event->end_ns - kernel_from;
			kernel_end = event->end_ns;
		}
		work.work_ns += event->end_ns - event->begin_ns;
	}
	work.copy_ns = work.busy_ns > kernel_ns ? work.busy_ns - kernel_ns : 0;
	return work;
}

/* Its index; IDMAP_NONE: no memory. */
static uint32_t kind_of(struct gpu_queue *queue, uint16_t launch, uint32_t object)
{
	uint64_t key = (uint64_t)launch << 32 | object;
	uint32_t index = idmap_get(&queue->kind_ids, key);

	if (index != IDMAP_NONE)
		return index;
	if (list_grow(queue->kinds, queue->kind_count) || idmap_put(&queue->kind_ids, key, (uint32_t)queue->kind_count))
		return IDMAP_NONE;
	queue->kinds[queue->kind_count] = (struct gpu_queue_kind){ .launch = launch, .object = object };
	return (uint32_t)queue->kind_count++;
}

/* Likewise. A handle may have been given out again: numbers tell streams apart, where there are some. */
static uint32_t stream_of(struct gpu_queue *queue, struct gpu_queue_stream of)
{
	uint64_t key;
	uint32_t index;

	of.handle = of.handle == LEGACY ? 0 : of.handle;
	key = of.handle == PER_THREAD ? of.thread | 1ull << 63 : of.number ? of.number | 1ull << 62 : of.handle;
	key ^= (uint64_t)(of.device & 0xff) << 52;
	index = idmap_get(&queue->stream_ids, key);
	if (index != IDMAP_NONE)
		return index;
	if (list_grow(queue->streams, queue->stream_count) ||
	    idmap_put(&queue->stream_ids, key, (uint32_t)queue->stream_count))
		return IDMAP_NONE;
	of.thread = of.handle == PER_THREAD ? of.thread : 0;
	queue->streams[queue->stream_count] = of;
	return (uint32_t)queue->stream_count++;
}

/* A handle of the program's own is of one device, unless it was given out again: then nothing is known. */
static int learn_device(struct gpu_queue *queue, uint64_t handle, int32_t device)
{
	uint32_t known = idmap_get(&queue->devices, handle);

	if (handle <= PER_THREAD || device < 0)
		return 0;
	return idmap_put(&queue->devices, handle,
			 known == IDMAP_NONE || known == (uint32_t)device ? (uint32_t)device : SEVERAL_DEVICES);
}

/* That of a stream: where its definition is gone, the one on which work of it was measured. -1: not known. */
static int32_t stream_device(const struct gpu_queue *queue, uint64_t handle, int32_t defined)
{
	uint32_t learnt = defined < 0 ? idmap_get(&queue->devices, handle) : IDMAP_NONE;

	return learnt == IDMAP_NONE || learnt == SEVERAL_DEVICES ? defined : (int32_t)learnt;
}

static void learn_kind(struct gpu_queue *queue, const struct gpu_batch *batch, uint32_t index)
{
	struct gpu_queue_work work = gpu_queue_work(batch);
	struct gpu_queue_kind *kind = &queue->kinds[index];

	if (!work.end_ns)
		return;
	kind->measured += 1.0 / batch->parts;
	kind->busy_ns += work.busy_ns;
	kind->copy_ns += work.copy_ns;
}

static uint64_t before_never(uint64_t ns)
{
	return ns < GPU_QUEUE_NEVER ? ns : GPU_QUEUE_NEVER;
}

/* What a batch is of. Where nothing of it has ended, the node that it is at says so; NULL: nothing does. */
static const struct gpu_event *like_of(const struct gpu_queue *queue, const struct gpu_batch *batch)
{
	const struct gpu *gpu = queue->gpu;

	if (batch->count)
		return batch->events;
	return batch->unfinished && gpu->open_count ? &gpu->open[gpu->open_count - 1] : NULL;
}

static int add_measured(struct gpu_queue *queue, const struct gpu_batch *batch, const struct gpu_event *like,
			uint32_t kind)
{
	struct gpu_queued queued = {
		.launch_ns = before_never(batch->launch_ns), .begin_ns = before_never(like->begin_ns),
		.thread = batch->thread, .correlation = batch->correlation, .device = like->device, .measured = 1,
		.kind = kind,
	};

	queued.stream = stream_of(queue, (struct gpu_queue_stream){ like->stream, batch->thread, like->stream_number,
								    like->device });
	if (queued.stream == IDMAP_NONE || learn_device(queue, like->stream, like->device) ||
	    list_grow(queue->measured, queue->measured_count))
		return -ENOMEM;
	for (uint32_t i = 0; i < batch->count; i++) {
		if (batch->events[i].begin_ns < queued.begin_ns)
			queued.begin_ns = batch->events[i].begin_ns;
		if (batch->events[i].end_ns > queued.end_ns)
			queued.end_ns = before_never(batch->events[i].end_ns);
	}
	if (batch->unfinished)
		queued.end_ns = GPU_QUEUE_NEVER;
	queue->measured[queue->measured_count++] = queued;
	return batch->correlation ?
	       idmap_put(&queue->measured_ids, batch->correlation, (uint32_t)queue->measured_count - 1) : 0;
}

int gpu_queue_learn(struct gpu_queue *queue, const struct gpu_batch *batch)
{
	const struct gpu_event *like = like_of(queue, batch);
	uint32_t object, kind;
	uint16_t launch;
	int error;

	if (!like)
		return 0;
	launch = gpu_launch_of(like, &object);
	kind = kind_of(queue, launch, object);
	error = kind == IDMAP_NONE ? -ENOMEM : add_measured(queue, batch, like, kind);
	if (!error && !batch->unfinished)
		learn_kind(queue, batch, kind);
	return error;
}

const struct gpu_queue_kind *gpu_queue_kind(const struct gpu_queue *queue, const struct gpu_event *event)
{
	uint32_t object, index;
	uint16_t launch = gpu_launch_of(event, &object);

	index = idmap_get(&queue->kind_ids, (uint64_t)launch << 32 | object);
	return index == IDMAP_NONE ? NULL : &queue->kinds[index];
}

const struct gpu_queue_kind *gpu_queue_known(const struct gpu_queue *queue, const struct gpu_queued *queued)
{
	return queue->kinds[queued->kind].measured > 0 ? &queue->kinds[queued->kind] : NULL;
}

/* ---- all launches ---- */

static int add_launch(struct gpu_queue *queue, const struct vprof_slot *slot, uint64_t thread)
{
	const struct gpu *gpu = queue->gpu;
	const struct vprof_def_stream *stream = objects_stream(&gpu->objects, gpu_launch_stream(slot), slot->t0);
	uint32_t index = idmap_get(&queue->measured_ids, slot->seq);
	struct gpu_queued queued = {
		.launch_ns = before_never(clock_realtime(gpu->clock, &queue->clock_at, slot->t0)), .thread = thread,
		.correlation = slot->seq, .open = !slot->done,
		.device = stream_device(queue, gpu_launch_stream(slot), gpu_launch_device(gpu, slot)),
	};

	if (index != IDMAP_NONE) {
		queued.begin_ns = queue->measured[index].begin_ns;
		queued.end_ns = queue->measured[index].end_ns;
		queued.device = queue->measured[index].device;
		queued.measured = 1;
	}
	queued.kind = kind_of(queue, slot->kind, gpu_launch_object(slot->kind, slot->object));
	queued.stream = stream_of(queue, (struct gpu_queue_stream){
		gpu_launch_stream(slot), thread, stream ? stream->number : 0, queued.device });
	if (queued.kind == IDMAP_NONE || queued.stream == IDMAP_NONE || list_grow(queue->list, queue->count))
		return -ENOMEM;
	queue->list[queue->count++] = queued;
	return 0;
}

/* Of the calls that wait those for one stream. */
static int add_wait(struct gpu_queue *queue, const struct vprof_slot *slot, uint64_t thread)
{
	const struct gpu *gpu = queue->gpu;
	const char *call = ring_call_name(gpu->ring, slot->call);
	int own = !strcmp(call, "cuStreamSynchronize_ptsz");
	uint64_t handle = own && !slot->sync.handle ? PER_THREAD : slot->sync.handle;
	const struct vprof_def_stream *stream = objects_stream(&gpu->objects, handle, slot->t0);
	struct gpu_queue_wait wait = {
		.from_ns = before_never(clock_realtime(gpu->clock, &queue->clock_at, slot->t0)),
		.to_ns = before_never(clock_realtime(gpu->clock, &queue->clock_at,
						     slot->t0 + VPROF_DONE_TICKS(slot->done))),
	};

	if (!own && strcmp(call, "cuStreamSynchronize"))
		return 0;
	wait.stream = stream_of(queue, (struct gpu_queue_stream){
		handle, thread, stream ? stream->number : 0,
		stream_device(queue, handle, gpu_stream_device(gpu, handle, slot->t0)) });
	if (wait.stream == IDMAP_NONE || list_grow(queue->waits, queue->wait_count))
		return -ENOMEM;
	queue->waits[queue->wait_count++] = wait;
	return 0;
}

/* Those whose records are gone are known from what was measured of them. */
static int add_gone(struct gpu_queue *queue)
{
	for (size_t i = 0; i < queue->measured_count; i++) {
		if (queue->measured[i].correlation)
			continue;
		if (list_grow(queue->list, queue->count))
			return -ENOMEM;
		queue->list[queue->count++] = queue->measured[i];
	}
	return 0;
}

static int add_record(struct gpu_queue *queue, const struct vprof_slot *slot, uint64_t thread)
{
	if (!slot->seq || VPROF_DONE_RESULT(slot->done))
		return 0;
	if (slot->kind == VPROF_KIND_SYNC)
		return slot->done ? add_wait(queue, slot, thread) : 0;
	return slot->kind >= VPROF_KIND_LAUNCH && slot->kind <= VPROF_KIND_SET ? add_launch(queue, slot, thread) : 0;
}

static int add_records(struct gpu_queue *queue)
{
	const struct ring *ring = queue->gpu->ring;
	struct owned_chunk *chunk = malloc(sizeof(*chunk));
	int error = chunk ? 0 : -ENOMEM;

	for (uint32_t c = 0; !error && c < ring->chunk_count; c++) {
		int got = owned_chunk_read(ring, &ring->chunks[c], chunk);

		for (uint32_t i = 0; !error && got > 0 && i < VPROF_CHUNK_SLOTS - 1; i++)
			error = add_record(queue, &chunk->chunk.slot[i], chunk->owners[chunk->owner[i + 1]].thread);
	}
	free(chunk);
	return error;
}

static int compare_queued(const void *a, const void *b)
{
	const struct gpu_queued *x = a, *y = b;

	if (x->stream != y->stream)
		return x->stream < y->stream ? -1 : 1;
	if (x->launch_ns != y->launch_ns)
		return x->launch_ns < y->launch_ns ? -1 : 1;
	return (x->correlation > y->correlation) - (x->correlation < y->correlation);
}

static int compare_waits(const void *a, const void *b)
{
	const struct gpu_queue_wait *x = a, *y = b;

	if (x->stream != y->stream)
		return x->stream < y->stream ? -1 : 1;
	return (x->from_ns > y->from_ns) - (x->from_ns < y->from_ns);
}

static int place_all(struct gpu_queue *queue)
{
	size_t wait = 0;
	int error = 0;

	for (size_t from = 0, to; !error && from < queue->count; from = to) {
		for (to = from + 1; to < queue->count && queue->list[to].stream == queue->list[from].stream; to++)
			;
		while (wait < queue->wait_count && queue->waits[wait].stream < queue->list[from].stream)
			wait++;
		error = gpu_queue_place(queue, from, to, wait);
	}
	return error;
}

/* ---- from a launch to its begin ---- */

struct lag {
	uint64_t ns;
	uint32_t kind;
};

static int compare_lags(const void *a, const void *b)
{
	const struct lag *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->ns > y->ns) - (x->ns < y->ns);
}

/* Of those that were measured and had nothing ahead of them: the median, by kind. */
static int find_lags(struct gpu_queue *queue)
{
	struct lag *lags = NULL;
	uint64_t over = 0;
	size_t count = 0;

	for (size_t i = 0; i < queue->count; i++) {
		const struct gpu_queued *queued = &queue->list[i];

		if (i && queued[-1].stream != queued->stream)
			over = 0;
		if (queued->measured && over <= queued->launch_ns) {
			if (list_grow(lags, count)) {
				free(lags);
				return -ENOMEM;
			}
			lags[count].ns = queued->begin_ns > queued->launch_ns ?
				queued->begin_ns - queued->launch_ns : 0;
			lags[count++].kind = queued->kind;
		}
		over = queued->end_ns > over ? queued->end_ns : over;
	}
	if (count)
		qsort(lags, count, sizeof(*lags), compare_lags);
	for (size_t from = 0, to; from < count; from = to) {
		for (to = from + 1; to < count && lags[to].kind == lags[from].kind; to++)
			;
		queue->kinds[lags[from].kind].lag_ns = lags[from + (to - from) / 2].ns;
	}
	free(lags);
	return 0;
}

int gpu_queue_settle(struct gpu_queue *queue)
{
	int error = add_records(queue);

	if (!error)
		error = add_gone(queue);
	for (size_t i = 0; i < queue->kind_count; i++)
		if (queue->kinds[i].measured > 0)
			queue->kinds[i].mean_ns = (double)queue->kinds[i].busy_ns / queue->kinds[i].measured;
	if (!error && queue->count)
		qsort(queue->list, queue->count, sizeof(*queue->list), compare_queued);
	if (!error && queue->wait_count)
		qsort(queue->waits, queue->wait_count, sizeof(*queue->waits), compare_waits);
	/* What was ahead of a launch is known once all are placed,
	   as if there were no time between a launch and its begin. */
	if (!error)
		error = place_all(queue);
	if (!error)
		error = find_lags(queue);
	return error ? error : place_all(queue);
}
