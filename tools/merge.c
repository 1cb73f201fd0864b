/*
 * merge.c - the k-way merge.
 *
 * A tournament tree of losers: node n of tree[1..k-1] holds the loser of its
 * match, tree[0] the winner of all. After the winning lane has moved on, only the
 * matches on its way from leaf (k + lane) to the root are played again. Keys
 * lie in the nodes, so a match touches one cache line and no lane.
 */
#include "tools/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY_END UINT64_MAX

struct merge_lane {
	struct trace_process *process;
	const struct ring_chunk *chunk, *end; /* next to load */
	struct event *events;  /* of the chunk in use, NULL: none loaded */
	uint32_t at, count;
	uint32_t clock_at;
};

static uint64_t key_of(uint64_t ns)
{
	return ns < KEY_END ? ns : KEY_END - 1;
}

/* When the lane wants to be looked at next. */
static uint64_t lane_key(struct merge_lane *lane)
{
	uint32_t at = lane->clock_at;

	if (lane->events)
		return key_of(lane->events[lane->at].start_ns);
	if (lane->chunk == lane->end)
		return KEY_END;
	return key_of(clock_realtime(lane->process->clock, &at, lane->chunk->head.open_ticks));
}

/* Puts the lane's next chunk into memory of its size; it may turn out to hold nothing. */
static int lane_load(struct merge *merge, struct merge_lane *lane)
{
	int count = trace_load(merge->trace, lane->process, lane->chunk++, &lane->clock_at,
			       merge->scratch);

	merge->chunks_done++;
	if (count <= 0)
		return count;
	lane->events = malloc(count * sizeof(*lane->events));
	if (!lane->events)
		return -ENOMEM;
	memcpy(lane->events, merge->scratch, count * sizeof(*lane->events));
	lane->count = count;
	lane->at = 0;
	return 0;
}

/* Plays the matches above a lane whose key has changed. */
static inline void tree_replay(struct merge *merge, uint32_t lane, uint64_t key)
{
	struct merge_match up = { .key = key, .lane = lane };

	for (uint32_t node = (merge->lane_count + lane) / 2; node; node /= 2) {
		struct merge_match other = merge->tree[node];
		/* Written so that the compiler moves by condition: a branch here is a coin toss. */
		int wins = other.key < up.key;

		merge->tree[node].key = wins ? up.key : other.key;
		merge->tree[node].lane = wins ? up.lane : other.lane;
		up.key = wins ? other.key : up.key;
		up.lane = wins ? other.lane : up.lane;
	}
	merge->tree[0] = up;
}

/* Winner of the subtree at `node`; losers stay in the nodes below. */
static struct merge_match tree_build(struct merge *merge, uint32_t node)
{
	struct merge_match left, right;
	uint32_t lane = node - merge->lane_count;

	if (node >= merge->lane_count)
		return (struct merge_match){ lane_key(&merge->lanes[lane]), lane };
	left = tree_build(merge, 2 * node);
	right = tree_build(merge, 2 * node + 1);
	merge->tree[node] = left.key <= right.key ? right : left;
	return left.key <= right.key ? left : right;
}

/* One lane of the merge for each lane that has chunks. */
static void merge_add_lanes(struct merge *merge, struct trace_process *process)
{
	const struct ring *ring = process->ring;

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
	merge->scratch = calloc(VPROF_CHUNK_SLOTS, sizeof(*merge->scratch));
	if (!merge->lanes || !merge->tree || !merge->scratch) {
		merge_close(merge);
		return -ENOMEM;
	}
	for (size_t p = 0; p < trace->count; p++) {
		merge_add_lanes(merge, &trace->processes[p]);
		merge->chunks += trace->processes[p].ring->chunk_count;
	}
	merge->tree[0].key = KEY_END;
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
	free(merge->scratch);
	memset(merge, 0, sizeof(*merge));
}

int merge_next(struct merge *merge, struct event *events, int max)
{
	int count = 0, error;

	while (count < max && merge->tree[0].key != KEY_END) {
		uint32_t index = merge->tree[0].lane;
		struct merge_lane *lane = &merge->lanes[index];

		if (!lane->events) {
			error = lane_load(merge, lane);
			if (error)
				return error;
		} else {
			events[count++] = lane->events[lane->at++];
			if (lane->at == lane->count) {
				free(lane->events);
				lane->events = NULL;
			}
		}
		tree_replay(merge, index, lane_key(lane));
	}
	return count;
}
