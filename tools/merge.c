/*
 * merge.c - the k-way merge.
 *
 * A tournament tree of losers: node n of tree[1..k-1] holds the loser of its
 * match, tree[0] the winner of all. After the winning lane has moved on, only the
 * matches on its way from leaf (k + lane) to the root are played again. A node is
 * one word, time since the trace's base above and lane below, so that a match is a
 * minimum and a maximum, without a branch, which here would be a coin toss.
 */
#include "tools/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/memory_track.h"
#include "tools/steps.h"

#define KEY_END UINT64_MAX

struct merge_lane {
	struct trace_process *process;
	const struct ring_chunk *chunk, *end; /* next to load */
	struct event *events;  /* of the chunk in use, NULL: none loaded */
	uint32_t at, count;
	uint32_t clock_at;
};

/* Room for all events of a chunk, kept for the next chunk: a busy lane has its memory once. */
struct merge_spare {
	struct merge_spare *next;
};

/* A chunk with fewer events than that is not worth a whole buffer. */
enum { FEW_EVENTS = VPROF_CHUNK_SLOTS / 2 };

/* Times that have no room above the lane count as the last one: 200 days with 1000 lanes. */
static uint64_t key_of(const struct merge *merge, uint64_t ns, uint32_t lane)
{
	uint64_t base = merge->trace->base_ns, most = (KEY_END >> merge->lane_bits) - 1;
	uint64_t time = ns > base ? ns - base : 0;

	return (time < most ? time : most) << merge->lane_bits | lane;
}

/* When the lane wants to be looked at next. */
static uint64_t lane_key(const struct merge *merge, uint32_t index)
{
	const struct merge_lane *lane = &merge->lanes[index];
	uint32_t at = lane->clock_at;

	if (lane->events)
		return key_of(merge, lane->events[lane->at].start_ns, index);
	if (lane->chunk == lane->end)
		return KEY_END;
	return key_of(merge, clock_realtime(lane->process->clock, &at, lane->chunk->head.open_ticks),
		      index);
}

static struct event *spare_take(struct merge *merge)
{
	struct merge_spare *spare = merge->spares;

	if (!spare)
		return malloc(TRACE_CHUNK_EVENTS * sizeof(struct event));
	merge->spares = spare->next;
	return (struct event *)spare;
}

static void spare_give(struct merge *merge, struct event *events)
{
	struct merge_spare *spare = (struct merge_spare *)events;

	spare->next = merge->spares;
	merge->spares = spare;
}

/* Loads the lane's next chunk; it may turn out to hold nothing. */
static int lane_load(struct merge *merge, struct merge_lane *lane)
{
	struct event *events = spare_take(merge), *few = NULL;
	int count;

	if (!events)
		return -ENOMEM;
	count = trace_load(merge->trace, lane->process, lane->chunk++, &lane->clock_at, events);
	merge->chunks_done++;
	if (count > 0 && count < FEW_EVENTS)
		few = malloc(count * sizeof(*few));
	if (few)
		memcpy(few, events, count * sizeof(*few));
	if (few || count <= 0)
		spare_give(merge, events);
	if (count <= 0)
		return count;
	lane->events = few ? few : events;
	lane->count = count;
	lane->at = 0;
	return 0;
}

/* The lane has given out all that was loaded. */
static void lane_unload(struct merge *merge, struct merge_lane *lane)
{
	if (lane->count < FEW_EVENTS)
		free(lane->events);
	else
		spare_give(merge, lane->events);
	lane->events = NULL;
}

/* Plays the matches above a lane whose key has changed. */
static inline void tree_replay(struct merge *merge, uint32_t lane, uint64_t key)
{
	for (uint32_t node = (merge->lane_count + lane) / 2; node; node /= 2) {
		uint64_t other = merge->tree[node];

		merge->tree[node] = key > other ? key : other;
		key = key < other ? key : other;
	}
	merge->tree[0] = key;
}

/* Winner of the subtree at `node`; losers stay in the nodes below. */
static uint64_t tree_build(struct merge *merge, uint32_t node)
{
	uint64_t left, right;

	if (node >= merge->lane_count)
		return lane_key(merge, node - merge->lane_count);
	left = tree_build(merge, 2 * node);
	right = tree_build(merge, 2 * node + 1);
	merge->tree[node] = left > right ? left : right;
	return left < right ? left : right;
}

/* One lane of the merge for each lane that has chunks. */
static void merge_add_lanes(struct merge *merge, struct trace_process *process)
{
	const struct ring *ring = process->ring;

	if (merge->trace->chosen_only && !process->chosen)
		return;
	for (uint32_t i = 0, end; i < ring->chunk_count; i = end) {
		for (end = i + 1; end < ring->chunk_count; end++)
			if (ring->chunks[end].head.lane != ring->chunks[i].head.lane)
				break;
		merge->lanes[merge->lane_count++] = (struct merge_lane){
			.process = process,
			.chunk = ring->chunks + i,
			.end = ring->chunks + end,
		};
	}
}

static uint32_t count_lanes(const struct trace *trace)
{
	uint32_t lanes = 0;

	for (size_t p = 0; p < trace->count; p++) {
		const struct ring *ring = trace->processes[p].ring;

		for (uint32_t i = 0; i < ring->chunk_count; i++)
			lanes += !i || ring->chunks[i - 1].head.lane != ring->chunks[i].head.lane;
	}
	return lanes;
}

int merge_open(struct merge *merge, struct trace *trace)
{
	uint32_t room = count_lanes(trace) + 1;

	memset(merge, 0, sizeof(*merge));
	merge->trace = trace;
	merge->lanes = calloc(room, sizeof(*merge->lanes));
	merge->tree = calloc(room, sizeof(*merge->tree));
	if (!merge->lanes || !merge->tree) {
		merge_close(merge);
		return -ENOMEM;
	}
	for (size_t p = 0; p < trace->count; p++) {
		merge_add_lanes(merge, &trace->processes[p]);
		merge->chunks += trace->processes[p].ring->chunk_count;
	}
	while ((1ull << merge->lane_bits) < merge->lane_count)
		merge->lane_bits++;
	merge->tree[0] = KEY_END;
	if (merge->lane_count)
		merge->tree[0] = tree_build(merge, 1);
	return 0;
}

void merge_close(struct merge *merge)
{
	for (uint32_t i = 0; i < merge->lane_count; i++)
		free(merge->lanes[i].events);
	free(merge->lanes);
	free(merge->tree);
	while (merge->spares)
		free(spare_take(merge));
	memset(merge, 0, sizeof(*merge));
}

/* Most calls in a trace say nothing of steps. */
static inline void find_step(struct steps *steps, const struct event *event)
{
	uint16_t kind = event->slot.kind;

	if (kind <= VPROF_KIND_EVENT || kind == VPROF_KIND_GRAPH || kind == VPROF_KIND_RANGE)
		steps_feed(steps, event->thread, &event->slot, event->start_ns, event->end_ns, event->name);
}

/* Is the event to be given out? What it changed in memory is counted either way, and due next. */
static int merge_gives(struct merge *merge, const struct event *event)
{
	if (__builtin_expect(event->slot.kind != VPROF_KIND_MEMORY, 1) || !merge->trace->memory)
		return 1;
	if (!memory_track_step(merge->trace, event, &merge->sums))
		merge->sums.thread = NULL;
	return !event_hidden(event);
}

/* All the cache lines that it lies in. */
static inline void prefetch_event(const struct event *event)
{
	const char *bytes = (const char *)event;

	for (size_t at = 0; at < sizeof(*event); at += 64)
		__builtin_prefetch(bytes + at);
	__builtin_prefetch(bytes + sizeof(*event) - 1);
}

int merge_next(struct merge *merge, struct event *events, int max)
{
	const uint64_t lane_mask = (1ull << merge->lane_bits) - 1;
	int count = 0, error;

	while (count < max && (merge->sums.thread || merge->tree[0] != KEY_END)) {
		uint32_t index = merge->tree[0] & lane_mask;
		struct merge_lane *lane = &merge->lanes[index];

		if (__builtin_expect(merge->sums.thread != NULL, 0)) {
			events[count++] = merge->sums;
			merge->sums.thread = NULL;
			continue;
		}
		if (__builtin_expect(!lane->events, 0)) {
			error = lane_load(merge, lane);
			if (error)
				return error;
		} else {
			events[count] = lane->events[lane->at++];
			if (merge->trace->steps)
				find_step(merge->trace->steps, &events[count]);
			count += merge_gives(merge, &events[count]);
			if (lane->at == lane->count)
				lane_unload(merge, lane);
			else /* the one after: by its turn many other lanes have had theirs */
				prefetch_event(&lane->events[lane->at + 1]);
		}
		tree_replay(merge, index, lane_key(merge, index));
	}
	return count;
}
