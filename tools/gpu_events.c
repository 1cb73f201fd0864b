/*
 * gpu_events.c - from the stamps of one launch to events.
 *
 * Point by point of the graph's plan: a node with a stamp was over when that was made, one that takes no time and has
 * none when the last of what it waits for was. Times are ns after stamp 0.
 */
#include "tools/gpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/gpu_launch.h"
#include "tools/list.h"

#define NONE UINT32_MAX

/* ---- what all events of a launch share ---- */

static void find_launch(struct gpu *gpu, struct gpu_batch *batch, struct gpu_event *like, uint64_t thread, uint64_t t0,
			const struct vprof_slot **launch)
{
	*launch = gpu_launches_find(gpu->launches, thread, t0);
	batch->events = gpu->events;
	batch->thread = like->thread = thread;
	batch->t0 = t0;
	batch->launch_ns = like->launch_ns = clock_realtime(gpu->clock, &gpu->clock_at, t0);
	batch->correlation = like->correlation = *launch ? (*launch)->seq : 0;
}

static int per_thread(const struct vprof_slot *launch)
{
	switch (launch ? launch->kind : 0) {
	case VPROF_KIND_LAUNCH:
		return launch->launch.flags & VPROF_LAUNCH_PER_THREAD;
	case VPROF_KIND_GRAPH_LAUNCH:
		return (launch->graph_launch.flags & VPROF_LAUNCH_PER_THREAD) != 0;
	case VPROF_KIND_COPY:
	case VPROF_KIND_SET:
		return (launch->object & VPROF_COPY_PER_THREAD) != 0;
	}
	return 0;
}

static void set_stream(const struct gpu *gpu, struct gpu_event *like, uint64_t stream, uint64_t t0,
		       const struct vprof_slot *launch)
{
	const struct vprof_def_stream *def = objects_stream(&gpu->objects, stream, t0);

	like->stream = !stream && per_thread(launch) ? 2 : stream;
	like->stream_number = def ? def->number : 0;
	like->context = def ? def->context : 0;
}

/*
 * What the stamps cost is off the begin; what remains is a step of the GPU's clock at least. It lies behind the stamp
 * ahead, which was made at `from`, however the host's clock goes beside the GPU's: what waits for another never runs
 * beside it.
 */
static void correct(struct gpu_event *event, const struct vprof_def_gpu *costs, unsigned int class, int64_t cost,
		    uint64_t from)
{
	int64_t step = costs && costs->step_ns ? costs->step_ns : 1, raw = event->raw_ns;
	uint64_t left = (uint64_t)(raw - cost > step ? raw - cost : raw < step ? raw : step);

	event->class = class;
	event->correction_ns = raw - (int64_t)left;
	event->begin_ns = event->end_ns > left ? event->end_ns - left : 0;
	if (event->correction_ns >= 0 && event->begin_ns < from)
		event->begin_ns = from < event->end_ns ? from : event->end_ns;
}

/* What the host launched cannot have begun before. Returns whether it seems so, by more than the clock's error. */
static int check_early(struct gpu *gpu, const struct gpu_event *event, const struct gpu_device *device)
{
	uint64_t before = event->launch_ns > event->begin_ns ? event->launch_ns - event->begin_ns : 0;

	if (!device || device->clock.error_ns == UINT64_MAX || before <= device->clock.error_ns)
		return 0;
	gpu->counts.early++;
	if (before > gpu->counts.early_ns)
		gpu->counts.early_ns = before;
	return 1;
}

static uint64_t host_time(const struct gpu_device *device, uint64_t gpu_ns)
{
	return device ? gpu_clock_host(&device->clock, gpu_ns) : gpu_ns;
}

/* ---- a replay ---- */

struct replay {
	struct gpu *gpu;
	const struct vprof_slot *slot;
	const struct gpu_twin *twin;
	const struct gpu_plan *plan;
	const struct graph_list *list;
	const struct gpu_device *device;
	const struct vprof_def_gpu *costs;
	struct gpu_costs_now costs_now;
	struct gpu_event like;
	uint32_t count;
	int unfinished, error;
};

int gpu_describe_node(struct gpu_event *event, const struct vprof_graph_node *node)
{
	switch (node->type) {
	case VPROF_NODE_KERNEL:
		event->kind = GPU_KERNEL;
		event->object = node->object;
		memcpy(event->grid, node->grid, sizeof(event->grid));
		memcpy(event->block, node->block, sizeof(event->block));
		event->shared = node->shared;
		return 1;
	case VPROF_NODE_COPY:
		event->kind = GPU_COPY;
		event->copy_kind = (int)node->object;
		event->bytes = node->bytes;
		return 1;
	case VPROF_NODE_SET:
		event->kind = GPU_SET;
		event->bytes = node->bytes;
		return 1;
	case VPROF_NODE_GRAPH:
	case VPROF_NODE_EMPTY:
	case VPROF_NODE_EVENT_RECORD:
		return 0;
	default:
		event->kind = GPU_OTHER;
		event->object = node->type;
		return 1;
	}
}

/* All that it waits for was over, and it was not. */
static void put_open(struct replay *r, const struct gpu_event *event, uint32_t node, uint32_t begin)
{
	struct gpu *gpu = r->gpu;
	struct gpu_event *open;

	if (list_grow(gpu->open, gpu->open_count)) {
		r->error = -ENOMEM;
		return;
	}
	open = &gpu->open[gpu->open_count++];
	*open = *event;
	open->node = node;
	open->unfinished = 1;
	open->begin_ns = open->end_ns = host_time(r->device, r->slot->replay.begin + begin);
}

/* Behind the stamp at `begin`, over a programmatic edge: for how long had it been there by then? */
static uint32_t lead_of(const struct replay *r, uint32_t node, uint32_t begin)
{
	const uint32_t *stamps = r->gpu->stamps;

	for (uint32_t i = r->plan->at[node]; i < r->plan->at[node + 1]; i++) {
		uint32_t point = r->plan->waits[i], stamp = point < r->plan->nodes ? r->gpu->stamp_of[point] : 0;

		if (r->plan->early[i] && stamp && stamp + 1 < r->twin->have &&
		    r->twin->stamps[stamp + 1].node == VPROF_STAMP_STARTED &&
		    stamps[stamp] == begin && stamps[stamp + 1] && stamps[stamp + 1] < begin)
			return begin - stamps[stamp + 1];
	}
	return 0;
}

static void put_node(struct replay *r, uint32_t node, uint32_t begin, uint32_t stamp)
{
	struct gpu_event *event = &r->gpu->events[r->count];
	uint32_t end = r->gpu->stamps[stamp], lead;
	unsigned int class;

	*event = r->like;
	if (!gpu_describe_node(event, &r->list->nodes[node]))
		return;
	if (!end || begin == GPU_PLAN_NEVER) {
		if (!r->unfinished)
			r->gpu->counts.no_stamp++;
		else if (begin != GPU_PLAN_NEVER)
			put_open(r, event, node, begin);
		return;
	}
	class = r->twin->stamps[stamp].type;
	if (end < begin && class != VPROF_STAMP_INHERITED) {
		r->gpu->counts.backwards++;
		return;
	}
	event->node = node;
	event->raw_ns = end < begin ? 0 : end - begin; /* begun early, it may be over before what it never waits for */
	event->end_ns = host_time(r->device, r->slot->replay.begin + end);
	lead = class == VPROF_STAMP_INHERITED ? lead_of(r, node, begin) : 0;
	correct(event, r->costs, class, gpu_cost_now(&r->costs_now, class, lead),
		host_time(r->device, r->slot->replay.begin + begin));
	check_early(r->gpu, event, r->device);
	r->count++;
}

/* Has a stamp behind it, in a twin of all nodes. */
static int takes_time(const struct vprof_graph_node *node)
{
	switch (node->type) {
	case VPROF_NODE_EMPTY:
	case VPROF_NODE_EVENT_RECORD:
	case VPROF_NODE_SIGNAL:
	case VPROF_NODE_UNKNOWN:
	case VPROF_NODE_GRAPH: /* what it holds does */
		return 0;
	default:
		return 1;
	}
}

/* Without a stamp: not known of what another twin of the graph has to tell. */
static uint32_t over_without(const struct replay *r, uint32_t point, uint32_t begin)
{
	return r->twin->def->parts > 1 && point < r->plan->nodes && takes_time(&r->list->nodes[point]) ?
	       GPU_PLAN_NEVER : begin;
}

static void put_nodes(struct replay *r)
{
	struct gpu *gpu = r->gpu;
	uint32_t nodes = r->plan->nodes;

	for (uint32_t p = 0; p < 2 * nodes; p++)
		gpu->over[p] = GPU_PLAN_NEVER;
	for (uint32_t i = 0; i < r->plan->count; i++) {
		uint32_t point = r->plan->order[i], begin = gpu_plan_begin(r->plan, point, gpu->over);
		uint32_t stamp = point < nodes ? gpu->stamp_of[point] : 0;

		if (stamp && r->twin->stamps[stamp].type != VPROF_STAMP_NONE)
			put_node(r, point, begin, stamp);
		gpu->over[point] = !stamp ? over_without(r, point, begin) :
				   gpu->stamps[stamp] ? gpu->stamps[stamp] : GPU_PLAN_NEVER;
	}
}

/* Which stamp stands behind which node; with `set` 0 the marks are taken away again. */
static void mark_stamps(struct replay *r, int set)
{
	for (uint32_t i = 1; i < r->twin->have; i++)
		if (r->twin->stamps[i].node < r->plan->nodes)
			r->gpu->stamp_of[r->twin->stamps[i].node] = set ? i : 0;
}

static int compare_begin(const void *a, const void *b)
{
	const struct gpu_event *x = a, *y = b;

	if (x->begin_ns != y->begin_ns)
		return x->begin_ns < y->begin_ns ? -1 : 1;
	if (x->end_ns != y->end_ns)
		return x->end_ns > y->end_ns ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

/* Of nodes in order of begin: whoever is still at work when the next begins ran beside it. */
static void mark_overlaps(struct gpu_event *events, uint32_t count)
{
	struct gpu_event *last = NULL;

	for (uint32_t i = 0; i < count; i++) {
		if (last && events[i].begin_ns < last->end_ns)
			events[i].overlapped = last->overlapped = 1;
		if (!last || events[i].end_ns > last->end_ns)
			last = &events[i];
	}
}

/* All of the launch, as it was measured. */
static void put_whole(struct replay *r)
{
	struct gpu_event *event = &r->gpu->events[r->count];
	uint32_t most = gpu_last_stamp(r->gpu, r->twin);

	*event = r->like;
	event->kind = GPU_GRAPH;
	event->object = r->like.graph;
	event->node = NONE;
	if (r->twin && r->twin->def->parts > 1) {
		event->part = r->twin->def->part + 1u;
		event->parts = r->twin->def->parts;
	}
	event->raw_ns = most;
	event->begin_ns = host_time(r->device, r->slot->replay.begin);
	event->end_ns = host_time(r->device, r->slot->replay.begin + most);
	if (event->end_ns < event->begin_ns)
		event->end_ns = event->begin_ns;
	if (most)
		check_early(r->gpu, event, r->device);
	r->count += most != 0;
}

static void whole_first(struct gpu_event *events, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++)
		if (events[i].kind == GPU_GRAPH) {
			struct gpu_event whole = events[i];

			memmove(events + 1, events, i * sizeof(whole));
			events[0] = whole;
		}
}

int gpu_of_replay(struct gpu *gpu, struct gpu_batch *batch)
{
	const struct vprof_slot *slot = &gpu->replay, *launch;
	struct replay r = { .gpu = gpu, .slot = slot, .twin = gpu_twin(gpu, slot->object) };
	uint32_t first;

	r.like = (struct gpu_event){ .device = r.twin ? r.twin->def->device : 0, .graph = r.twin ? r.twin->graph : 0 };
	r.device = gpu_device(gpu, r.like.device);
	r.costs = gpu_costs(r.device, slot->t0);
	find_launch(gpu, batch, &r.like, slot->replay.thread, slot->t0, &launch);
	set_stream(gpu, &r.like, slot->replay.stream, slot->t0, launch);
	batch->twin = r.twin ? (uint32_t)(r.twin - gpu->twins) : NONE;
	batch->parts = r.twin && r.twin->def->parts > 1 ? r.twin->def->parts : 1;
	gpu_costs_now(gpu, r.twin, r.costs, &r.costs_now);
	batch->unfinished = r.unfinished = VPROF_DONE_RESULT(slot->done) == VPROF_REPLAY_UNFINISHED;
	if (!r.unfinished)
		put_whole(&r);
	first = r.count;
	r.plan = r.twin && r.twin->stamps && r.twin->have == r.twin->total ? gpu_plan(gpu, r.twin->graph) : NULL;
	if (r.plan) {
		r.list = graph_nodes(&gpu->graphs, &gpu->graphs.list[graphs_index(&gpu->graphs, r.twin->graph)]);
		mark_stamps(&r, 1);
		put_nodes(&r);
		mark_stamps(&r, 0);
	} else {
		gpu->counts.no_nodes++;
	}
	qsort(gpu->events, r.count, sizeof(*gpu->events), compare_begin);
	whole_first(gpu->events, r.count);
	mark_overlaps(gpu->events + first, r.count - first);
	batch->count = r.count;
	gpu->counts.events += r.count - first;
	gpu->counts.no_launch += batch->correlation ? 0 : r.count;
	return r.error;
}

/* ---- an operation of a stream ---- */

static void describe_timed(struct gpu_event *event, const struct vprof_slot *slot, const struct vprof_slot *launch)
{
	int known = launch && launch->kind == slot->timed.of;

	event->object = slot->object;
	switch (slot->timed.of) {
	case VPROF_KIND_LAUNCH:
		event->kind = GPU_KERNEL;
		if (known) {
			memcpy(event->grid, launch->launch.grid, sizeof(event->grid));
			memcpy(event->block, launch->launch.block, sizeof(event->block));
			event->shared = launch->launch.shared;
		}
		break;
	case VPROF_KIND_COPY:
		event->kind = GPU_COPY;
		event->copy_kind = (int)slot->object;
		event->bytes = known ? launch->copy.bytes : 0;
		break;
	case VPROF_KIND_SET:
		event->kind = GPU_SET;
		event->bytes = known ? launch->set.bytes : 0;
		break;
	case VPROF_KIND_GRAPH_LAUNCH:
		event->kind = GPU_GRAPH;
		event->graph = slot->object;
		event->node = NONE;
		break;
	default:
		event->kind = GPU_OTHER;
	}
}

void gpu_of_timed(struct gpu *gpu, const struct vprof_slot *slot, struct gpu_batch *batch)
{
	struct gpu_event *event = &gpu->events[0];
	const struct gpu_device *device = gpu_device(gpu, slot->timed.device);
	const struct vprof_def_gpu *costs;
	const struct vprof_slot *launch;

	*event = (struct gpu_event){ .device = slot->timed.device, .raw_ns = slot->timed.ns };
	find_launch(gpu, batch, event, slot->timed.thread, slot->t0, &launch);
	set_stream(gpu, event, slot->timed.stream, slot->t0, launch);
	describe_timed(event, slot, launch);
	event->end_ns = host_time(device, slot->timed.end);
	costs = gpu_costs(device, slot->t0);
	correct(event, costs, slot->timed.type, gpu_stream_cost(gpu, costs, slot),
		host_time(device, slot->timed.end - slot->timed.ns));
	batch->twin = NONE;
	batch->parts = 1;
	batch->unfinished = 0;
	batch->count = !check_early(gpu, event, device);
	gpu->counts.untrue += !batch->count;
	gpu->counts.events += batch->count;
	gpu->counts.no_launch += batch->count && !batch->correlation;
}
