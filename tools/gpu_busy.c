/*
 * gpu_busy.c - pieces of work of each device: those that were measured, and those that are expected.
 */
#include "tools/gpu_busy_inner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/gpu_queue.h"
#include "tools/list.h"

struct gpu_busy_span {
	uint64_t begin, end;   /* stamps included */
};

struct reading {
	struct trace *trace;
	struct gpu_busy_list *busy;
	struct trace_process *process;
	struct gpu gpu;
	struct gpu_queue queue;
	struct windows_off off;
};

static struct gpu_busy *device_of(struct reading *r, int32_t device)
{
	struct gpu_busy_list *busy = r->busy;

	for (size_t i = 0; i < busy->count; i++)
		if (busy->list[i].process == r->process && busy->list[i].device == device)
			return &busy->list[i];
	if (list_grow(busy->list, busy->count))
		return NULL;
	busy->list[busy->count] = (struct gpu_busy){
		.process = r->process, .device = device, .bins = calloc(busy->bins, sizeof(struct gpu_busy_bin)),
		.off = r->off,
	};
	return busy->list[busy->count].bins ? &busy->list[busy->count++] : NULL;
}

/* The bin of a moment; NULL outside of all. */
static struct gpu_busy_bin *bin_at(const struct gpu_busy_list *busy, struct gpu_busy *device, uint64_t ns)
{
	uint64_t bin = ns >= busy->from_ns ? (ns - busy->from_ns) / busy->bin_ns : UINT64_MAX;

	return bin < busy->bins ? &device->bins[bin] : NULL;
}

static int is_chosen(const struct reading *r, uint64_t thread)
{
	uint32_t index = idmap_get(&r->process->by_serial, thread);

	return index == IDMAP_NONE ? !r->trace->filter->threads.count : r->process->threads[index]->chosen;
}

static int was_made_in(const struct trace *trace, uint64_t launch_ns)
{
	return launch_ns >= trace->from_ns && launch_ns <= trace->to_ns;
}

static int add_piece(const struct reading *r, struct gpu_busy *device, struct gpu_busy_piece piece)
{
	return gpu_busy_add(r->busy, device, piece);
}

/* ---- one measured launch ---- */

/* How many of the batch ran when event `i` began. */
static uint32_t at_once(const struct gpu_batch *batch, uint32_t first, uint32_t i)
{
	uint32_t count = 1;

	for (uint32_t j = i; j-- > first && i - j < 64;)
		count += batch->events[j].end_ns > batch->events[i].begin_ns;
	return count;
}

/* Has it more than its nodes that were timed? */
static int is_part(const struct gpu_batch *batch)
{
	return batch->parts > 1 && batch->count && batch->events[0].kind == GPU_GRAPH;
}

static uint32_t first_of(const struct gpu_batch *batch)
{
	return batch->count > 1 && batch->events[0].kind == GPU_GRAPH;
}

/* Of a part the whole: there is no gap where what is not timed ran. */
static struct gpu_busy_span span_of(const struct gpu_batch *batch, const struct gpu_queue_work *work)
{
	uint32_t first = first_of(batch);

	if (is_part(batch))
		return (struct gpu_busy_span){ batch->events[0].begin_ns, batch->events[0].end_ns };
	return (struct gpu_busy_span){ work->begin_ns - (uint64_t)batch->events[first].correction_ns, work->end_ns };
}

/* Work of a part's launch that was not timed: `copies` of it are such. */
static int add_untimed(struct reading *r, struct gpu_busy *device, uint64_t begin, uint64_t end, uint64_t *copies)
{
	uint64_t copy = end > begin ? end - begin : 0;
	int error;

	copy = copy < *copies ? copy : *copies;
	*copies -= copy;
	error = add_piece(r, device, (struct gpu_busy_piece){ begin, begin + copy, 1, 1 });
	return error ? error : add_piece(r, device, (struct gpu_busy_piece){ begin + copy, end, 0, 1 });
}

/* What stands before a node that was timed is its stamp's cost. */
static int add_pieces(struct reading *r, struct gpu_busy *device, const struct gpu_batch *batch, uint64_t copies)
{
	uint64_t over = batch->events[0].begin_ns;
	int error = 0, part = is_part(batch);

	for (uint32_t i = first_of(batch); !error && i < batch->count; i++) {
		const struct gpu_event *event = &batch->events[i];
		uint64_t cost = event->correction_ns > 0 ? (uint64_t)event->correction_ns : 0;

		if (part && event->begin_ns > over + cost)
			error = add_untimed(r, device, over, event->begin_ns - cost, &copies);
		if (!error && event->kind != GPU_OTHER)
			error = add_piece(r, device, (struct gpu_busy_piece){
				event->begin_ns, event->end_ns, (uint32_t)gpu_queue_is_copy(event), 1 });
		over = event->end_ns > over ? event->end_ns : over;
	}
	return !error && part ? add_untimed(r, device, over, batch->events[0].end_ns, &copies) : error;
}

static int sum_launch(struct reading *r, struct gpu_busy *device, const struct gpu_batch *batch,
		      const struct gpu_queue_work *work)
{
	uint32_t first = first_of(batch);

	for (uint32_t i = first; i < batch->count; i++) {
		uint32_t beside = batch->events[i].kind == GPU_OTHER ? 0 : at_once(batch, first, i);

		device->most = beside > device->most ? beside : device->most;
	}
	device->span_ns += work->end_ns - work->begin_ns;
	device->busy_ns += work->busy_ns;
	device->copy_ns += work->copy_ns;
	device->work_ns += work->work_ns;
	if (list_grow(device->spans, device->span_count))
		return -ENOMEM;
	device->spans[device->span_count++] = span_of(batch, work);
	return gpu_parts_add(&device->parts, r->process->ring, r->process->index, batch->events[0].graph, batch->parts);
}

/* Of a launch of which a part was timed: how much of the rest is expected to be copies and sets alone. */
static uint64_t copies_beside(const struct reading *r, const struct gpu_batch *batch, const struct gpu_queue_work *work)
{
	const struct gpu_queue_kind *kind = gpu_queue_kind(&r->queue, &batch->events[0]);
	double mean = kind && kind->measured > 0 ? (double)kind->copy_ns / kind->measured : 0;

	return mean > (double)work->copy_ns && mean < (double)GPU_QUEUE_NEVER ? (uint64_t)mean - work->copy_ns : 0;
}

static int add_batch(struct reading *r, const struct gpu_batch *batch)
{
	struct gpu_busy *device = device_of(r, batch->events[0].device);
	struct gpu_queue_work work = gpu_queue_work(batch);
	int error;

	if (!device)
		return -ENOMEM;
	if (!is_chosen(r, batch->thread) || batch->launch_ns > r->trace->to_ns)
		return 0;
	error = add_pieces(r, device, batch, copies_beside(r, batch, &work));
	if (!error && !batch->unfinished && work.end_ns && was_made_in(r->trace, batch->launch_ns))
		error = sum_launch(r, device, batch, &work);
	return error;
}

static int read_measured(struct reading *r)
{
	struct gpu_batch batch;
	int more = 1, error = 0;

	gpu_rewind(&r->gpu);
	while (!error && (more = gpu_next(&r->gpu, &batch)) > 0)
		if (batch.count)
			error = add_batch(r, &batch);
	return more < 0 ? more : error;
}

/* What had not ended is at work up to the end. */
static int add_open(struct reading *r)
{
	int error = 0;

	for (size_t i = 0; !error && i < r->gpu.open_count; i++) {
		const struct gpu_event *event = &r->gpu.open[i];
		struct gpu_busy *device = device_of(r, event->device);

		if (!device)
			return -ENOMEM;
		if (is_chosen(r, event->thread) && event->launch_ns <= r->trace->to_ns)
			error = add_piece(r, device, (struct gpu_busy_piece){
				event->begin_ns, r->trace->end_ns, (uint32_t)gpu_queue_is_copy(event), 0 });
	}
	return error;
}

/* ---- all launches ---- */

static void count_launch(struct gpu_busy_list *busy, struct gpu_busy *device,
			 const struct gpu_queued *queued, int known)
{
	struct gpu_busy_bin *bin = bin_at(busy, device, queued->launch_ns);
	int measured = queued->measured && queued->end_ns < GPU_QUEUE_NEVER;

	device->launches++;
	device->measured += (uint64_t)measured;
	device->covered += (uint64_t)known;
	if (!bin)
		return;
	bin->launches++;
	bin->measured += (uint64_t)measured;
	bin->covered += (uint64_t)known;
}

/* Copies and sets come last. */
static int add_expected(struct reading *r, struct gpu_busy *device, const struct gpu_queued *queued,
			const struct gpu_queue_kind *kind)
{
	double part = kind->busy_ns ? (double)kind->copy_ns / (double)kind->busy_ns : 0;
	uint64_t copy = (uint64_t)((double)(queued->end_ns - queued->begin_ns) * part), from = queued->end_ns - copy;
	int error = add_piece(r, device, (struct gpu_busy_piece){ queued->begin_ns, from, 0, 0 });

	return error ? error : add_piece(r, device, (struct gpu_busy_piece){ from, queued->end_ns, 1, 0 });
}

static int add_launch(struct reading *r, const struct gpu_queued *queued)
{
	struct gpu_busy *device = queued->device < 0 ? NULL : device_of(r, queued->device);
	const struct gpu_queue_kind *kind = gpu_queue_known(&r->queue, queued);

	if (queued->device >= 0 && !device)
		return -ENOMEM;
	if (!is_chosen(r, queued->thread) || queued->launch_ns > r->trace->to_ns)
		return 0;
	if (!device) {
		r->busy->nowhere += (uint64_t)was_made_in(r->trace, queued->launch_ns);
		return 0;
	}
	if (was_made_in(r->trace, queued->launch_ns) && !queued->open)
		count_launch(r->busy, device, queued, kind != NULL);
	/* What lies behind a launch that has not ended does not run. */
	return kind && !queued->measured && queued->begin_ns < GPU_QUEUE_NEVER ?
	       add_expected(r, device, queued, kind) : 0;
}

static int learn(struct reading *r)
{
	struct gpu_batch batch;
	int more = 1, error = 0;

	while (!error && (more = gpu_next(&r->gpu, &batch)) > 0)
		error = gpu_queue_learn(&r->queue, &batch);
	error = more < 0 ? more : error;
	return error ? error : gpu_queue_settle(&r->queue);
}

/* On every device of the process, once all are known. */
static int add_off(struct reading *r)
{
	int error = 0;

	for (size_t i = 0; i < r->busy->count; i++) {
		struct gpu_busy *device = &r->busy->list[i];

		for (uint32_t j = 0; !error && device->process == r->process && j < r->off.count; j++)
			error = add_piece(r, device, (struct gpu_busy_piece){
				r->off.list[j].from_ns, r->off.list[j].to_ns, 0, 0, 1 });
	}
	return error;
}

/* What the trace wants read, so that its threads and losses are known. */
static int load(struct reading *r, struct event *events)
{
	const struct ring *ring = r->process->ring;
	uint32_t at = 0;
	int got = 0;

	for (uint32_t c = 0; got >= 0 && c < ring->chunk_count; c++)
		got = trace_load(r->trace, r->process, &ring->chunks[c], &at, events);
	return got < 0 ? got : 0;
}

static int read_process(struct gpu_busy_list *busy, struct trace *trace, struct trace_process *process,
			struct event *events)
{
	struct reading r = { .trace = trace, .busy = busy, .process = process };
	int error = gpu_open(&r.gpu, process->ring, process->clock);

	if (error)
		return error;
	r.queue.gpu = &r.gpu;
	windows_off(&r.off, process->ring, process->clock);
	error = load(&r, events);
	if (!error)
		error = learn(&r);
	if (!error)
		error = read_measured(&r);
	if (!error)
		error = add_open(&r);
	for (size_t i = 0; !error && i < r.queue.count; i++)
		error = add_launch(&r, &r.queue.list[i]);
	if (!error)
		error = add_off(&r);
	gpu_queue_free(&r.queue);
	gpu_close(&r.gpu);
	return error;
}

/* ---- gaps ---- */

static int compare_spans(const void *a, const void *b)
{
	const struct gpu_busy_span *x = a, *y = b;

	return (x->begin > y->begin) - (x->begin < y->begin);
}

static void add_gap(struct gpu_busy *device, uint64_t from, uint64_t to)
{
	uint64_t gap = to > from ? to - from : 0;

	device->gaps += gap != 0;
	device->idle_ns += gap;
	device->longest_gap_ns = gap > device->longest_gap_ns ? gap : device->longest_gap_ns;
}

/* Launches that were not recorded end a gap as well as others do. */
static void add_known_gaps(struct gpu_busy *device, uint64_t from, uint64_t to)
{
	for (uint32_t i = 0; i < device->off.count && device->off.list[i].from_ns < to; i++) {
		if (device->off.list[i].to_ns <= from)
			continue;
		add_gap(device, from, device->off.list[i].from_ns);
		from = device->off.list[i].to_ns;
	}
	add_gap(device, from, to);
}

static void find_gaps(struct gpu_busy *device)
{
	uint64_t end = 0;

	if (device->measured < device->launches || !device->span_count)
		return;
	qsort(device->spans, device->span_count, sizeof(*device->spans), compare_spans);
	for (size_t i = 0; i < device->span_count; i++) {
		if (i)
			add_known_gaps(device, end, device->spans[i].begin);
		end = device->spans[i].end > end ? device->spans[i].end : end;
	}
}

int gpu_busy_make(struct gpu_busy_list *busy, struct trace *trace, uint32_t bins)
{
	struct event *events = malloc(TRACE_CHUNK_EVENTS * sizeof(*events));
	uint64_t from = trace->from_ns > trace->base_ns ? trace->from_ns : trace->base_ns;
	uint64_t to = trace->to_ns < trace->end_ns ? trace->to_ns : trace->end_ns;
	int error = events ? 0 : -ENOMEM;

	*busy = (struct gpu_busy_list){ .from_ns = from, .bins = bins,
					.bin_ns = to > from ? (to - from) / bins + 1 : 1 };
	for (size_t i = 0; !error && i < trace->count; i++)
		if (trace->processes[i].chosen && gpu_has(trace->processes[i].ring))
			error = read_process(busy, trace, &trace->processes[i], events);
	for (size_t i = 0; i < busy->count; i++) {
		gpu_busy_cover(busy, &busy->list[i]);
		find_gaps(&busy->list[i]);
	}
	free(events);
	return error;
}

void gpu_busy_free(struct gpu_busy_list *busy)
{
	for (size_t i = 0; i < busy->count; i++) {
		free(busy->list[i].bins);
		free(busy->list[i].spans);
		free(busy->list[i].pieces);
		gpu_parts_free(&busy->list[i].parts);
	}
	free(busy->list);
}
