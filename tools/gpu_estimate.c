/*
 * gpu_estimate.c - medians of nodes, and launches laid out by them.
 */
#include "tools/gpu_estimate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/list.h"
#include "tools/records.h"

enum { SAMPLES = 64 }; /* of a node: the last so many */

struct samples {
	uint32_t ns[SAMPLES];
	uint32_t count;        /* ever */
};

struct node_times {
	uint32_t node;
	struct samples took;
	uint32_t median;
};

struct graph_times {
	uint32_t graph;        /* definition */
	struct gpu_event like; /* an event of it: device, context */
	struct node_times *nodes;
	uint32_t count;
	struct samples lag;    /* from the launch to the first node's begin */
	uint32_t median_lag;
	struct idmap by_node;
};

struct gpu_estimate {
	struct gpu *gpu;
	struct graph_times *graphs;
	uint32_t count;
	struct idmap by_graph, busy; /* of a stream, or the thread whose own it is: index in ends */
	uint64_t *ends;
	size_t end_count;
	struct owned_chunk *chunk;
	uint32_t next_chunk, slot, clock_at;
	int settled;           /* medians are made */
};

struct gpu_estimate *gpu_estimate_open(struct gpu *gpu)
{
	struct gpu_estimate *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->gpu = gpu;
	e->chunk = malloc(sizeof(*e->chunk));
	e->slot = VPROF_CHUNK_SLOTS;
	if (!e->chunk) {
		free(e);
		return NULL;
	}
	return e;
}

void gpu_estimate_close(struct gpu_estimate *e)
{
	for (uint32_t i = 0; i < e->count; i++) {
		free(e->graphs[i].nodes);
		idmap_free(&e->graphs[i].by_node);
	}
	free(e->graphs);
	free(e->ends);
	free(e->chunk);
	idmap_free(&e->by_graph);
	idmap_free(&e->busy);
	free(e);
}

/* ---- learning ---- */

static void add_sample(struct samples *samples, uint64_t ns)
{
	samples->ns[samples->count++ % SAMPLES] = ns < UINT32_MAX / 2 ? (uint32_t)ns : UINT32_MAX / 2;
}

static int compare_ns(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t median(struct samples *samples)
{
	uint32_t count = samples->count < SAMPLES ? samples->count : SAMPLES;

	if (!count)
		return 0;
	qsort(samples->ns, count, sizeof(*samples->ns), compare_ns);
	return samples->ns[count / 2];
}

static struct graph_times *graph_of(struct gpu_estimate *e, const struct gpu_event *event)
{
	uint32_t index = idmap_get(&e->by_graph, event->graph);

	if (index != IDMAP_NONE)
		return &e->graphs[index];
	if (list_grow(e->graphs, e->count) || idmap_put(&e->by_graph, event->graph, e->count))
		return NULL;
	e->graphs[e->count] = (struct graph_times){ .graph = event->graph, .like = *event };
	return &e->graphs[e->count++];
}

static struct node_times *node_of(struct graph_times *graph, uint32_t node)
{
	uint32_t index = idmap_get(&graph->by_node, node);

	if (index != IDMAP_NONE)
		return &graph->nodes[index];
	if (list_grow(graph->nodes, graph->count) || idmap_put(&graph->by_node, node, graph->count))
		return NULL;
	graph->nodes[graph->count] = (struct node_times){ .node = node };
	return &graph->nodes[graph->count++];
}

int gpu_estimate_learn(struct gpu_estimate *e, const struct gpu_batch *batch)
{
	struct graph_times *graph;
	uint64_t begin;

	if (batch->count < 2 || batch->events[0].kind != GPU_GRAPH)
		return 0;
	graph = graph_of(e, &batch->events[0]);
	if (!graph)
		return -ENOMEM;
	/* Of a part it is not known when the graph's first node began. */
	begin = batch->events[batch->parts > 1 ? 0 : 1].begin_ns;
	add_sample(&graph->lag, begin > batch->launch_ns ? begin - batch->launch_ns : 0);
	for (uint32_t i = 1; i < batch->count; i++) {
		struct node_times *node = node_of(graph, batch->events[i].node);

		if (!node)
			return -ENOMEM;
		add_sample(&node->took, batch->events[i].end_ns - batch->events[i].begin_ns);
	}
	return 0;
}

static void settle(struct gpu_estimate *e)
{
	for (uint32_t i = 0; i < e->count; i++) {
		e->graphs[i].median_lag = median(&e->graphs[i].lag);
		for (uint32_t n = 0; n < e->graphs[i].count; n++)
			e->graphs[i].nodes[n].median = median(&e->graphs[i].nodes[n].took);
	}
	e->settled = 1;
}

/* ---- laying out ---- */

/* When the stream is free; NULL: no memory. Streams are at addresses that leave the upper bit free. */
static uint64_t *end_of(struct gpu_estimate *e, uint64_t stream, uint64_t thread)
{
	uint64_t key = stream == 2 ? thread | 1ull << 63 : stream;
	uint32_t index = idmap_get(&e->busy, key);

	if (index != IDMAP_NONE)
		return &e->ends[index];
	if (list_grow(e->ends, e->end_count) || idmap_put(&e->busy, key, (uint32_t)e->end_count))
		return NULL;
	e->ends[e->end_count] = 0;
	return &e->ends[e->end_count++];
}

static void put_event(const struct graph_times *graph, const struct graph_list *list, struct gpu_event *event,
		      const struct gpu_event *like, uint32_t node, uint64_t begin)
{
	*event = *like;
	gpu_describe_node(event, &list->nodes[graph->nodes[node].node]);
	event->node = graph->nodes[node].node;
	event->begin_ns = begin;
	event->end_ns = begin + graph->nodes[node].median;
}

static uint32_t lay_out(struct gpu_estimate *e, const struct graph_times *graph, const struct gpu_plan *plan,
			const struct gpu_event *like, uint64_t base)
{
	const struct graph_list *list = graph_nodes(&e->gpu->graphs, &e->gpu->graphs.list[graphs_index(&e->gpu->graphs, graph->graph)]);
	struct gpu_event *events = e->gpu->events;
	uint32_t *over = e->gpu->over, count = 1, last = 0;

	for (uint32_t i = 0; i < plan->count; i++) {
		uint32_t point = plan->order[i], begin = gpu_plan_begin(plan, point, over);
		uint32_t node = point < plan->nodes ? idmap_get(&graph->by_node, point) : IDMAP_NONE;
		uint64_t end = begin;

		if (node != IDMAP_NONE && count < VPROF_TWIN_STAMPS) {
			put_event(graph, list, &events[count++], like, node, base + begin);
			end += graph->nodes[node].median;
		}
		over[point] = end < UINT32_MAX - 1 ? (uint32_t)end : UINT32_MAX - 1;
		last = over[point] > last ? over[point] : last;
	}
	events[0] = *like;
	events[0].kind = GPU_GRAPH;
	events[0].node = UINT32_MAX;
	events[0].begin_ns = base;
	events[0].end_ns = base + last;
	return count;
}

/* 1: `batch` is it; 0: nothing is known of its graph. */
static int estimate(struct gpu_estimate *e, const struct vprof_slot *slot, uint64_t thread, struct gpu_batch *batch)
{
	uint32_t index = idmap_get(&e->by_graph, slot->object);
	const struct graph_times *graph = index == IDMAP_NONE ? NULL : &e->graphs[index];
	const struct gpu_plan *plan = graph ? gpu_plan(e->gpu, graph->graph) : NULL;
	const struct vprof_def_stream *stream;
	struct gpu_event like;
	uint64_t *end, base;

	if (!plan)
		return 0;
	like = graph->like;
	like.stream = gpu_launch_stream(slot);
	stream = objects_stream(&e->gpu->objects, like.stream, slot->t0);
	like.stream_number = stream ? stream->number : 0;
	like.thread = thread;
	like.correlation = slot->seq;
	like.launch_ns = clock_realtime(e->gpu->clock, &e->clock_at, slot->t0);
	like.estimated = 1;
	like.raw_ns = like.correction_ns = 0;
	like.part = like.parts = 0;
	like.class = VPROF_STAMP_NONE;
	end = end_of(e, like.stream, thread);
	if (!end)
		return -ENOMEM;
	base = like.launch_ns + graph->median_lag;
	base = *end > base ? *end : base;
	base = base < UINT64_MAX / 2 ? base : UINT64_MAX / 2;
	*batch = (struct gpu_batch){
		.events = e->gpu->events, .count = lay_out(e, graph, plan, &like, base), .twin = UINT32_MAX, .parts = 1,
		.launch_ns = like.launch_ns, .thread = thread, .correlation = slot->seq, .t0 = slot->t0,
	};
	*end = e->gpu->events[0].end_ns;
	return 1;
}

/* A graph's launch that came to its end and had no stamps. */
static int is_unmeasured(const struct vprof_slot *slot)
{
	return slot->seq && slot->kind == VPROF_KIND_GRAPH_LAUNCH && slot->done && !VPROF_DONE_RESULT(slot->done) &&
	       !(slot->graph_launch.flags & VPROF_LAUNCH_TWIN);
}

int gpu_estimate_next(struct gpu_estimate *e, struct gpu_batch *batch)
{
	const struct ring *ring = e->gpu->ring;

	if (!e->settled)
		settle(e);
	for (;;) {
		for (; e->slot < VPROF_CHUNK_SLOTS; e->slot++) {
			const struct vprof_slot *slot = &e->chunk->chunk.slot[e->slot - 1];
			int found;

			if (!is_unmeasured(slot))
				continue;
			found = estimate(e, slot, e->chunk->owners[e->chunk->owner[e->slot]].thread, batch);
			if (!found)
				continue;
			e->slot++;
			return found;
		}
		if (e->next_chunk == ring->chunk_count)
			return 0;
		e->slot = VPROF_CHUNK_SLOTS;
		if (owned_chunk_read(ring, &ring->chunks[e->next_chunk++], e->chunk) > 0)
			e->slot = 1;
	}
}
