/*
 * gpu_queue_place.c - the launches of one stream in time, between those that were measured.
 *
 * What lies between two measured launches, or calls that waited for the stream, is a run. It is laid out forward: each
 * launch behind its own call and behind the one ahead. Where that reaches beyond the end of the run it is laid out
 * again without what passes from a launch to its begin, which has then been waited for in the queue. Where there is
 * still more work than time, some is compressed. Which, is geometry: for each launch of the run, from the last one on,
 * a point
 *
 *	x: the work from it to the end of the run; y: the time from its launch to there
 *
 * Work fits where its point lies above y = x. The lower convex hull of all points is the flattest path from the origin
 * on; along an edge of it that is flatter than y = x the launches are compressed by its slope, which is as little as
 * can be, and before the first edge that is not there is room for all.
 */
#include "tools/gpu_queue.h"

#include <errno.h>
#include <stdlib.h>

struct point {
	double work, room;
	uint64_t first;        /* when it can begin: room before the end of the run */
	size_t at;             /* launch that it is of */
};

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Lays out [from, to) from `start` on, all of it `scale` times as long as expected. When it is over. */
static uint64_t lay_out(struct gpu_queue *queue, size_t from, size_t to, uint64_t start, double scale, int with_lag)
{
	uint64_t end = start;

	for (size_t i = from; i < to; i++) {
		struct gpu_queued *queued = &queue->list[i];
		const struct gpu_queue_kind *kind = &queue->kinds[queued->kind];
		uint64_t lag = with_lag && kind->lag_ns < GPU_QUEUE_NEVER ? kind->lag_ns : 0;
		double ns = queued->open ? 0 : kind->mean_ns * scale;

		queued->begin_ns = later(end, queued->launch_ns + lag);
		queued->end_ns = queued->begin_ns + (ns < (double)GPU_QUEUE_NEVER ? (uint64_t)ns : GPU_QUEUE_NEVER);
		/* What takes no time holds nothing up. */
		if (ns > 0)
			end = later(end, queued->end_ns < 2 * GPU_QUEUE_NEVER ? queued->end_ns : 2 * GPU_QUEUE_NEVER);
	}
	return end;
}

/* Is the path over `b` not bent upwards there? */
static int is_above(const struct point *a, const struct point *b, const struct point *c)
{
	return (b->room - a->room) * (c->work - b->work) >= (c->room - b->room) * (b->work - a->work);
}

/* The hull's corners; how many there are behind the origin. */
static size_t find_hull(const struct gpu_queue *queue, size_t from, size_t to, uint64_t start, uint64_t limit,
			struct point *hull)
{
	double work = 0;
	size_t count = 0;

	hull[0] = (struct point){ .at = to };
	for (size_t i = to; i-- > from;) {
		const struct gpu_queued *queued = &queue->list[i];
		struct point point = { .first = later(start, queued->launch_ns), .at = i };

		if (point.first > limit)
			point.first = limit;
		point.room = (double)(limit - point.first);
		work += queued->open ? 0 : queue->kinds[queued->kind].mean_ns;
		point.work = work;
		while (count && is_above(&hull[count - 1], &hull[count], &point))
			count--;
		hull[++count] = point;
	}
	return count;
}

/* When all of the run is over. */
static uint64_t place_run(struct gpu_queue *queue, size_t from, size_t to, uint64_t start, uint64_t limit,
			  struct point *hull)
{
	uint64_t end;
	size_t count;

	limit = later(start, limit);
	end = lay_out(queue, from, to, start, 1, 1);
	if (end > limit)
		end = lay_out(queue, from, to, start, 1, 0);
	if (end <= limit)
		return end;
	count = find_hull(queue, from, to, start, limit, hull);
	end = limit;
	for (size_t i = 1; i <= count; i++) {
		double work = hull[i].work - hull[i - 1].work, room = hull[i].room - hull[i - 1].room;

		if (room >= work) {
			if (lay_out(queue, from, hull[i - 1].at, start, 1, 1) > end)
				lay_out(queue, from, hull[i - 1].at, start, 1, 0);
			break;
		}
		lay_out(queue, hull[i].at, hull[i - 1].at, hull[i].first, room / work, 0);
		end = hull[i].first;
	}
	return limit;
}

/* Up to launch `i`: what was waited for before it was launched. The end of what is placed,
   where the next run begins. */
static uint64_t place_waited(struct gpu_queue *queue, size_t *from, size_t i, uint64_t start, size_t *wait,
			     struct point *hull)
{
	const struct gpu_queued *next = &queue->list[i];

	for (; *wait < queue->wait_count && queue->waits[*wait].stream == next->stream &&
	       queue->waits[*wait].from_ns <= next->launch_ns; ++*wait) {
		if (*from == i)
			continue;
		start = place_run(queue, *from, i, start, queue->waits[*wait].to_ns, hull);
		*from = i;
	}
	return start;
}

int gpu_queue_place(struct gpu_queue *queue, size_t from, size_t to, size_t wait)
{
	struct point *hull = malloc((to - from + 1) * sizeof(*hull));
	uint64_t start = 0, limit;
	size_t first = from;

	if (!hull)
		return -ENOMEM;
	for (size_t i = from; i < to; i++) {
		start = place_waited(queue, &first, i, start, &wait, hull);
		if (!queue->list[i].measured)
			continue;
		place_run(queue, first, i, start, queue->list[i].begin_ns, hull);
		start = later(start, queue->list[i].end_ns);
		first = i + 1;
	}
	limit = wait < queue->wait_count && queue->waits[wait].stream == queue->list[from].stream ?
		queue->waits[wait].to_ns :
		4 * (GPU_QUEUE_NEVER - 1);
	place_run(queue, first, to, start, limit, hull);
	free(hull);
	return 0;
}
