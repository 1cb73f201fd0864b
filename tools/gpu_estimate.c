/*
 * gpu_estimate.c - medians of nodes, and launches laid out by them.
 *
 * A launch that was compressed to fit its place in the queue has its nodes compressed.
 */
#include "tools/gpu_estimate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/gpu_queue.h"
#include "tools/list.h"

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
	struct idmap by_node;
};

struct gpu_estimate {
	struct gpu *gpu;
	struct gpu_queue queue;
	struct graph_times *graphs;
	uint32_t count;
	struct idmap by_graph;
	size_t next;           /* of the queue */
	int settled;           /* medians are made, and the queue */
};

struct gpu_estimate *gpu_estimate_open(struct gpu *gpu)
{
	struct gpu_estimate *e = calloc(1, sizeof(*e));

	if (e)
		e->gpu = e->queue.gpu = gpu;
	return e;
}

void gpu_estimate_close(struct gpu_estimate *e)
{
	for (uint32_t i = 0; i < e->count; i++) {
		free(e->graphs[i].nodes);
		idmap_free(&e->graphs[i].by_node);
	}
	free(e->graphs);
	idmap_free(&e->by_graph);
	gpu_queue_free(&e->queue);
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

static int learn_nodes(struct gpu_estimate *e, const struct gpu_batch *batch)
{
	struct graph_times *graph = graph_of(e, &batch->events[0]);

	if (!graph)
		return -ENOMEM;
	for (uint32_t i = 1; i < batch->count; i++) {
		struct node_times *node = node_of(graph, batch->events[i].node);

		if (!node)
			return -ENOMEM;
		add_sample(&node->took, batch->events[i].end_ns - batch->events[i].begin_ns);
	}
	return 0;
}

int gpu_estimate_learn(struct gpu_estimate *e, const struct gpu_batch *batch)
{
	int error = gpu_queue_learn(&e->queue, batch);

	if (error || batch->count < 2 || batch->events[0].kind != GPU_GRAPH)
		return error;
	return learn_nodes(e, batch);
}

static int settle(struct gpu_estimate *e)
{
	for (uint32_t i = 0; i < e->count; i++)
		for (uint32_t n = 0; n < e->graphs[i].count; n++)
			e->graphs[i].nodes[n].median = median(&e->graphs[i].nodes[n].took);
	e->settled = 1;
	return gpu_queue_settle(&e->queue);
}

/* ---- laying out ---- */

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
	const struct graph_list *list = graph_nodes(&e->gpu->graphs,
						    &e->gpu->graphs.list[graphs_index(&e->gpu->graphs, graph->graph)]);
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

/* Its nodes into the time that it has. */
static void fit(struct gpu_event *events, uint32_t count, const struct gpu_queued *queued)
{
	uint64_t base = queued->begin_ns, room = queued->end_ns - base, takes = events[0].end_ns - base;

	if (takes <= room)
		return;
	for (uint32_t i = 0; i < count; i++) {
		events[i].begin_ns =
			base + (uint64_t)((double)(events[i].begin_ns - base) / (double)takes * (double)room);
		events[i].end_ns = base + (uint64_t)((double)(events[i].end_ns - base) / (double)takes * (double)room);
	}
}

/* 1: `batch` is it; 0: nothing is known of its graph. */
static int estimate(struct gpu_estimate *e, const struct gpu_queued *queued, struct gpu_batch *batch)
{
	const struct gpu_queue_stream *stream = &e->queue.streams[queued->stream];
	uint32_t index = idmap_get(&e->by_graph, e->queue.kinds[queued->kind].object);
	const struct graph_times *graph = index == IDMAP_NONE ? NULL : &e->graphs[index];
	const struct gpu_plan *plan = graph ? gpu_plan(e->gpu, graph->graph) : NULL;
	struct gpu_event like;

	if (!plan)
		return 0;
	like = graph->like;
	like.stream = stream->handle;
	like.stream_number = stream->number;
	like.thread = queued->thread;
	like.correlation = queued->correlation;
	like.launch_ns = queued->launch_ns;
	like.estimated = 1;
	like.raw_ns = like.correction_ns = 0;
	like.part = like.parts = 0;
	like.class = VPROF_STAMP_NONE;
	*batch = (struct gpu_batch){
		.events = e->gpu->events, .count = lay_out(e, graph, plan, &like, queued->begin_ns),
		.twin = UINT32_MAX, .parts = 1, .launch_ns = like.launch_ns, .thread = like.thread,
		.correlation = like.correlation,
	};
	fit(e->gpu->events, batch->count, queued);
	return 1;
}

/* A graph's launch that was not measured, and not behind one that never ends. */
static int is_expected(const struct gpu_estimate *e, const struct gpu_queued *queued)
{
	return !queued->measured && !queued->open && queued->begin_ns < GPU_QUEUE_NEVER &&
	       e->queue.kinds[queued->kind].launch == VPROF_KIND_GRAPH_LAUNCH;
}

int gpu_estimate_next(struct gpu_estimate *e, struct gpu_batch *batch)
{
	int error = e->settled ? 0 : settle(e);

	while (!error && e->next < e->queue.count) {
		const struct gpu_queued *queued = &e->queue.list[e->next++];

		if (is_expected(e, queued) && estimate(e, queued, batch))
			return 1;
	}
	return error;
}
