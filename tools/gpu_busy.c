/*
 * gpu_busy.c - unions of what ran, launch by launch, then the launches that were not measured.
 */
#include "tools/gpu_busy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/gpu.h"
#include "tools/gpu_launch.h"
#include "tools/list.h"

struct gpu_busy_span {
	uint64_t begin, end;   /* stamps included */
};

/* A kind of launch on a device. */
struct kind {
	double measured;       /* launches; a part of one as such */
	uint64_t busy_ns, copy_ns;
};

struct reading {
	struct trace *trace;
	struct gpu_busy_list *busy;
	struct trace_process *process;
	struct gpu gpu;
	struct kind *kinds;
	size_t kind_count;
	struct idmap kind_ids; /* launch's kind << 32 | object: index */
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
	};
	return busy->list[busy->count].bins ? &busy->list[busy->count++] : NULL;
}

static struct kind *kind_of(struct reading *r, uint16_t launch, uint32_t object)
{
	uint64_t key = (uint64_t)launch << 32 | object;
	uint32_t index = idmap_get(&r->kind_ids, key);

	if (index != IDMAP_NONE)
		return &r->kinds[index];
	if (list_grow(r->kinds, r->kind_count) || idmap_put(&r->kind_ids, key, (uint32_t)r->kind_count))
		return NULL;
	r->kinds[r->kind_count] = (struct kind){ 0 };
	return &r->kinds[r->kind_count++];
}

/* The bin of a moment; NULL outside of all. */
static struct gpu_busy_bin *bin_at(const struct gpu_busy_list *busy, struct gpu_busy *device, uint64_t ns)
{
	uint64_t bin = ns >= busy->from_ns ? (ns - busy->from_ns) / busy->bin_ns : UINT64_MAX;

	return bin < busy->bins ? &device->bins[bin] : NULL;
}

/* Work from `begin` to `end` into the bins that it lies in. */
static void spread(const struct gpu_busy_list *busy, struct gpu_busy *device, uint64_t begin, uint64_t end)
{
	uint64_t first = begin > busy->from_ns ? (begin - busy->from_ns) / busy->bin_ns : 0;

	for (uint64_t i = first; i < busy->bins; i++) {
		uint64_t from = busy->from_ns + i * busy->bin_ns, to = from + busy->bin_ns;
		uint64_t a = begin > from ? begin : from, b = end < to ? end : to;

		if (from >= end)
			break;
		if (a < b)
			device->bins[i].seen_ns += b - a;
	}
}

/* ---- one measured launch ---- */

struct sweep {
	uint64_t first, end;   /* of its work */
	uint64_t busy_ns, kernel_end, kernel_ns;
};

static int is_copy(const struct gpu_event *event)
{
	return event->kind == GPU_COPY || event->kind == GPU_SET;
}

/* Events come by begin. */
static void sweep_event(struct sweep *s, struct gpu_busy *device, const struct gpu_event *event)
{
	uint64_t from = event->begin_ns > s->end ? event->begin_ns : s->end;
	uint64_t kernel_from = event->begin_ns > s->kernel_end ? event->begin_ns : s->kernel_end;

	if (!s->end)
		s->first = event->begin_ns;
	if (event->end_ns > from)
		s->busy_ns += event->end_ns - from;
	if (event->end_ns > s->end)
		s->end = event->end_ns;
	if (!is_copy(event) && event->end_ns > kernel_from) {
		s->kernel_ns += event->end_ns - kernel_from;
		s->kernel_end = event->end_ns;
	}
	device->work_ns += event->end_ns - event->begin_ns;
}

/* How many of the batch ran when event `i` began. */
static uint32_t at_once(const struct gpu_batch *batch, uint32_t first, uint32_t i)
{
	uint32_t count = 1;

	for (uint32_t j = i; j-- > first && i - j < 64;)
		count += batch->events[j].end_ns > batch->events[i].begin_ns;
	return count;
}

/* Of a part the whole: there is no gap where what is not timed ran. */
static struct gpu_busy_span span_of(const struct gpu_batch *batch, const struct sweep *s, uint32_t first)
{
	if (batch->parts > 1 && first)
		return (struct gpu_busy_span){ batch->events[0].begin_ns, batch->events[0].end_ns };
	return (struct gpu_busy_span){ s->first - (uint64_t)batch->events[first].correction_ns, s->end };
}

static int add_batch(struct reading *r, const struct gpu_batch *batch)
{
	uint32_t first = batch->count > 1 && batch->events[0].kind == GPU_GRAPH, object;
	struct gpu_busy *device = device_of(r, batch->events[0].device);
	struct gpu_busy_bin *bin;
	struct sweep s = { 0 };
	struct kind *kind;
	uint16_t launch;

	if (!device)
		return -ENOMEM;
	if (batch->unfinished)
		return 0;
	for (uint32_t i = first; i < batch->count; i++) {
		uint32_t beside;

		if (batch->events[i].kind == GPU_OTHER)
			continue;
		sweep_event(&s, device, &batch->events[i]);
		spread(r->busy, device, batch->events[i].begin_ns, batch->events[i].end_ns);
		beside = at_once(batch, first, i);
		device->most = beside > device->most ? beside : device->most;
	}
	if (!s.end)
		return 0;
	launch = gpu_launch_of(&batch->events[0], &object);
	kind = kind_of(r, launch, object);
	if (!kind)
		return -ENOMEM;
	kind->measured += 1.0 / batch->parts;
	kind->busy_ns += s.busy_ns;
	kind->copy_ns += s.busy_ns > s.kernel_ns ? s.busy_ns - s.kernel_ns : 0;
	if (gpu_parts_add(&device->parts, r->process->ring, r->process->index, batch->events[0].graph, batch->parts))
		return -ENOMEM;
	device->measured++;
	device->span_ns += s.end - s.first;
	device->busy_ns += s.busy_ns;
	device->copy_ns += s.busy_ns > s.kernel_ns ? s.busy_ns - s.kernel_ns : 0;
	bin = bin_at(r->busy, device, batch->launch_ns);
	if (bin)
		bin->measured++;
	if (list_grow(device->spans, device->span_count))
		return -ENOMEM;
	device->spans[device->span_count++] = span_of(batch, &s, first);
	return 0;
}

static int read_measured(struct reading *r)
{
	struct gpu_batch batch;
	int more = 1, error = 0;

	while (!error && (more = gpu_next(&r->gpu, &batch)) > 0)
		if (batch.count && trace_shows_gpu(r->trace, r->process, batch.events, batch.count))
			error = add_batch(r, &batch);
	return more < 0 ? more : error;
}

/* ---- all launches ---- */

static int add_launch(void *to, const struct event *event)
{
	struct reading *r = to;
	const struct vprof_slot *slot = &event->slot;
	int32_t ordinal = gpu_launch_device(&r->gpu, slot);
	struct gpu_busy *device = ordinal < 0 ? NULL : device_of(r, ordinal);
	uint32_t index = idmap_get(&r->kind_ids, (uint64_t)slot->kind << 32 | gpu_launch_object(slot->kind, slot->object));
	const struct kind *kind = index == IDMAP_NONE ? NULL : &r->kinds[index];
	struct gpu_busy_bin *bin;

	if (ordinal < 0)
		return 0;
	if (!device)
		return -ENOMEM;
	device->launches++;
	device->covered += kind != NULL;
	bin = bin_at(r->busy, device, event->start_ns);
	if (!bin)
		return 0;
	bin->launches++;
	bin->covered += kind != NULL;
	if (kind) {
		bin->busy_ns += (double)kind->busy_ns / kind->measured;
		bin->copy_ns += (double)kind->copy_ns / kind->measured;
	}
	return 0;
}

static int read_process(struct gpu_busy_list *busy, struct trace *trace, struct trace_process *process, struct event *events)
{
	struct reading r = { .trace = trace, .busy = busy, .process = process };
	int error = gpu_open(&r.gpu, process->ring, process->clock);

	if (error)
		return error;
	error = read_measured(&r);
	if (!error)
		error = gpu_launches_read(trace, process, events, add_launch, &r);
	free(r.kinds);
	idmap_free(&r.kind_ids);
	gpu_close(&r.gpu);
	return error;
}

/* ---- gaps ---- */

static int compare_spans(const void *a, const void *b)
{
	const struct gpu_busy_span *x = a, *y = b;

	return (x->begin > y->begin) - (x->begin < y->begin);
}

static void find_gaps(struct gpu_busy *device)
{
	uint64_t end = 0;

	if (device->measured < device->launches || !device->span_count)
		return;
	qsort(device->spans, device->span_count, sizeof(*device->spans), compare_spans);
	for (size_t i = 0; i < device->span_count; i++) {
		uint64_t gap = i && device->spans[i].begin > end ? device->spans[i].begin - end : 0;

		device->gaps += gap != 0;
		device->idle_ns += gap;
		device->longest_gap_ns = gap > device->longest_gap_ns ? gap : device->longest_gap_ns;
		end = device->spans[i].end > end ? device->spans[i].end : end;
	}
}

int gpu_busy_make(struct gpu_busy_list *busy, struct trace *trace, uint32_t bins)
{
	struct event *events = malloc(TRACE_CHUNK_EVENTS * sizeof(*events));
	uint64_t from = trace->from_ns > trace->base_ns ? trace->from_ns : trace->base_ns;
	uint64_t to = trace->to_ns < trace->end_ns ? trace->to_ns : trace->end_ns;
	int error = events ? 0 : -ENOMEM;

	*busy = (struct gpu_busy_list){ .from_ns = from, .bins = bins, .bin_ns = to > from ? (to - from) / bins + 1 : 1 };
	for (size_t i = 0; !error && i < trace->count; i++)
		if (trace->processes[i].chosen && gpu_has(trace->processes[i].ring))
			error = read_process(busy, trace, &trace->processes[i], events);
	for (size_t i = 0; i < busy->count; i++)
		find_gaps(&busy->list[i]);
	free(events);
	return error;
}

void gpu_busy_free(struct gpu_busy_list *busy)
{
	for (size_t i = 0; i < busy->count; i++) {
		free(busy->list[i].bins);
		free(busy->list[i].spans);
		gpu_parts_free(&busy->list[i].parts);
	}
	free(busy->list);
}
