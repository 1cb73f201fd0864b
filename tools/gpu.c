/*
 * gpu.c - finds the records of GPU time in a ring, and walks them.
 *
 * They stand in lanes that housekeeping has or has had, and, where the process has come to its end, behind all else in
 * the lane of the thread that ended it, which collected what was left; no other chunks are read. A replay's
 * stamps are known by their position behind it, so that one that is torn or overwritten takes no other's place.
 */
#include "tools/gpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/gpu_estimate.h"
#include "tools/gpu_launch.h"
#include "tools/list.h"

int gpu_has(const struct ring *ring)
{
	const struct vprof_def *def = NULL;

	while ((def = ring_def_next(ring, def)))
		if (def->type == VPROF_DEF_GPU || def->type == VPROF_DEF_TWIN)
			return 1;
	return 0;
}

/* ---- where the records are ---- */

/* May the lane of chunks [from, to) have been housekeeping's? */
static int lane_may(const struct ring *ring, uint32_t from, uint32_t to)
{
	uint32_t lane = ring->chunks[from].head.lane, tid = ring->live.housekeeping_tid;

	if (!tid || (lane < ring->lane_count && ring->lanes[lane].tid == tid))
		return 1;
	while (from < to)
		if (ring->chunks[from++].head.tid == tid)
			return 1;
	return 0;
}

/* Of the chunks [from, to) of a lane the first from which on all have such records,
   as the end of a process leaves them. */
static uint32_t find_end(struct gpu *gpu, uint32_t from, uint32_t to)
{
	const struct ring *ring = gpu->ring;

	while (ring->live.state == VPROF_RING_CLOSED && to > from) {
		int some = 0;

		if (ring_read_chunk(ring, &ring->chunks[to - 1], gpu->buffer) > 0)
			for (uint32_t i = 0; !some && i < VPROF_CHUNK_SLOTS - 1; i++)
				some = gpu->buffer->slot[i].seq && slot_is_gpu(&gpu->buffer->slot[i]);
		if (!some)
			break;
		to--;
	}
	return to;
}

static int find_chunks(struct gpu *gpu)
{
	const struct ring *ring = gpu->ring;

	gpu->chunks = malloc(((size_t)ring->chunk_count + 1) * sizeof(*gpu->chunks));
	if (!gpu->chunks)
		return -ENOMEM;
	for (uint32_t i = 0, end; i < ring->chunk_count; i = end) {
		for (end = i + 1; end < ring->chunk_count; end++)
			if (ring->chunks[end].head.lane != ring->chunks[i].head.lane)
				break;
		for (uint32_t j = lane_may(ring, i, end) ? i : find_end(gpu, i, end); j < end; j++)
			gpu->chunks[gpu->chunk_count++] = j;
	}
	return 0;
}

/* The next record at or behind the present place, NULL at the end; it stays the next until gpu->slot grows. */
static const struct vprof_slot *peek(struct gpu *gpu, int *error)
{
	for (; gpu->next_chunk < gpu->chunk_count; gpu->next_chunk++, gpu->loaded = 0) {
		if (!gpu->loaded) {
			int got = ring_read_chunk(gpu->ring, &gpu->ring->chunks[gpu->chunks[gpu->next_chunk]],
						  gpu->buffer);

			if (got < 0) {
				*error = got;
				return NULL;
			}
			gpu->loaded = 1;
			gpu->slot = got ? 0 : VPROF_CHUNK_SLOTS - 1;
		}
		for (; gpu->slot < VPROF_CHUNK_SLOTS - 1; gpu->slot++)
			if (gpu->buffer->slot[gpu->slot].seq)
				return &gpu->buffer->slot[gpu->slot];
	}
	return NULL;
}

static const struct vprof_chunk_header *head_of(const struct gpu *gpu)
{
	return &gpu->ring->chunks[gpu->chunks[gpu->next_chunk]].head;
}

/* ---- ties ---- */

struct device_ties {
	struct gpu_tie *list;
	size_t count;
};

static int add_tie(struct gpu *gpu, struct device_ties *ties, const struct vprof_slot *slot)
{
	struct gpu_device *device = gpu_add_device(gpu, (int32_t)slot->object);
	struct device_ties *of = device ? &ties[device - gpu->devices] : NULL;
	uint32_t at = gpu->clock_at;

	gpu->counts.ties++;
	if (!of || !slot->done)
		return 0;
	if (list_grow(of->list, of->count))
		return -ENOMEM;
	of->list[of->count++] = (struct gpu_tie){
		.gpu = slot->gpu_clock.gpu,
		.from = clock_realtime(gpu->clock, &gpu->clock_at, slot->t0),
		.to = clock_realtime(gpu->clock, &at, slot->t0 + VPROF_DONE_TICKS(slot->done)),
	};
	return 0;
}

static struct gpu_unfinished *find_unfinished(const struct gpu *gpu, const struct vprof_slot *slot)
{
	for (size_t i = 0; i < gpu->unfinished_count; i++)
		if (gpu->unfinished[i].twin == slot->object && gpu->unfinished[i].number == slot->replay.number)
			return &gpu->unfinished[i];
	return NULL;
}

static int is_unfinished(const struct vprof_slot *slot)
{
	return slot->kind == VPROF_KIND_REPLAY && VPROF_DONE_RESULT(slot->done) == VPROF_REPLAY_UNFINISHED;
}

/* More than a few GPUs' worth of them are none. */
static int note_unfinished(struct gpu *gpu, const struct vprof_slot *slot)
{
	enum { MOST = 256 };

	if (gpu->unfinished_count == MOST || find_unfinished(gpu, slot))
		return 0;
	if (list_grow(gpu->unfinished, gpu->unfinished_count))
		return -ENOMEM;
	gpu->unfinished[gpu->unfinished_count++] = (struct gpu_unfinished){ .twin = slot->object,
									    .number = slot->replay.number };
	return 0;
}

/* Whoever told of the end may stand in a lane before. */
static int read_ended(struct gpu *gpu)
{
	const struct vprof_slot *slot;
	int error = 0;

	if (!gpu->unfinished_count)
		return 0;
	gpu->next_chunk = gpu->slot = 0;
	gpu->loaded = 0;
	for (; !error && (slot = peek(gpu, &error)); gpu->slot++) {
		struct gpu_unfinished *unfinished = slot->kind == VPROF_KIND_REPLAY && !is_unfinished(slot) ?
			find_unfinished(gpu, slot) : NULL;

		if (unfinished)
			unfinished->ended = 1;
	}
	for (size_t i = 0; i < gpu->unfinished_count; i++)
		gpu->counts.replays += !gpu->unfinished[i].ended;
	return error;
}

/* Has it ended, or does nothing else tell of it? */
static int is_last_told(const struct gpu *gpu, const struct vprof_slot *slot)
{
	const struct gpu_unfinished *unfinished = is_unfinished(slot) ? find_unfinished(gpu, slot) : NULL;

	return !is_unfinished(slot) || (unfinished && !unfinished->ended);
}

static int read_ties(struct gpu *gpu)
{
	enum { MOST = 256 };
	struct device_ties *ties = calloc(MOST, sizeof(*ties));
	const struct vprof_slot *slot;
	int error = ties ? 0 : -ENOMEM;

	for (; !error && (slot = peek(gpu, &error)); gpu->slot++) {
		if (slot->kind == VPROF_KIND_GPU_CLOCK)
			error = add_tie(gpu, ties, slot);
		gpu->counts.replays += slot->kind == VPROF_KIND_REPLAY && !is_unfinished(slot);
		if (!error && is_unfinished(slot))
			error = note_unfinished(gpu, slot);
		gpu->counts.timed += slot->kind == VPROF_KIND_TIMED && !gpu_is_gauge(slot);
		if (!error && gpu_is_gauge(slot))
			error = gpu_gauge_add(gpu, slot);
	}
	gpu_gauges_sort(gpu);
	if (!error)
		error = read_ended(gpu);
	for (uint32_t i = 0; !error && i < gpu->device_count; i++)
		error = gpu_clock_build(&gpu->devices[i].clock, ties[i].list, ties[i].count);
	for (int i = 0; ties && i < MOST; i++)
		free(ties[i].list);
	free(ties);
	return error;
}

/* ---- the whole ---- */

static int make_room(struct gpu *gpu)
{
	uint32_t nodes = 0;

	for (uint32_t i = 0; i < gpu->graphs.list_count; i++)
		if (gpu->graphs.lists[i].count > nodes && gpu->graphs.lists[i].count <= GPU_PLAN_NODES)
			nodes = gpu->graphs.lists[i].count;
	gpu->over = calloc(2 * (size_t)nodes + 1, sizeof(*gpu->over));
	gpu->stamp_of = calloc((size_t)nodes + 1, sizeof(*gpu->stamp_of));
	gpu->stamps = calloc(VPROF_TWIN_STAMPS, sizeof(*gpu->stamps));
	gpu->events = malloc((VPROF_TWIN_STAMPS + 1) * sizeof(*gpu->events));
	gpu->launches = gpu_launches_open(gpu->ring);
	return gpu->over && gpu->stamp_of && gpu->stamps && gpu->events && gpu->launches ? 0 : -ENOMEM;
}

int gpu_open(struct gpu *gpu, const struct ring *ring, const struct clock *clock)
{
	int error;

	memset(gpu, 0, sizeof(*gpu));
	gpu->ring = ring;
	gpu->clock = clock;
	gpu->buffer = malloc(sizeof(*gpu->buffer));
	error = gpu->buffer ? gpu_read_defs(gpu) : -ENOMEM;
	if (!error && gpu_has(ring))
		error = find_chunks(gpu);
	if (!error)
		error = read_ties(gpu);
	if (!error)
		error = make_room(gpu);
	gpu_rewind(gpu);
	if (error)
		gpu_close(gpu);
	return error;
}

int gpu_has_times(const struct ring *ring, const struct clock *clock, int of_graphs)
{
	struct gpu gpu;
	int some;

	if (!gpu_has(ring) || gpu_open(&gpu, ring, clock))
		return 0;
	some = gpu.counts.replays || (!of_graphs && gpu.counts.timed);
	gpu_close(&gpu);
	return some;
}

void gpu_close(struct gpu *gpu)
{
	gpu_free_defs(gpu);
	gpu_launches_close(gpu->launches);
	free(gpu->buffer);
	free(gpu->chunks);
	free(gpu->over);
	free(gpu->stamp_of);
	free(gpu->stamps);
	free(gpu->events);
	free(gpu->gauges);
	free(gpu->unfinished);
	free(gpu->open);
	memset(gpu, 0, sizeof(*gpu));
}

void gpu_rewind(struct gpu *gpu)
{
	gpu->next_chunk = gpu->slot = 0;
	gpu->loaded = 0;
	gpu->replay.kind = 0;
	gpu->open_count = 0;
	gpu->counts = (struct gpu_counts){
		.replays = gpu->counts.replays, .timed = gpu->counts.timed, .ties = gpu->counts.ties,
	};
}

/* Of the replay that is being read, those of this record: by its position, 1 the first behind it. */
static int take_stamps(struct gpu *gpu, const struct vprof_slot *slot)
{
	uint64_t position = head_of(gpu)->first + gpu->slot, behind = position - gpu->replay_at;
	uint32_t stamps = gpu->replay.replay.stamps;

	if (slot->kind != VPROF_KIND_STAMPS || head_of(gpu)->lane != gpu->replay_lane || !behind ||
	    behind > ((uint64_t)stamps + 7) / 8 || behind > VPROF_TWIN_STAMPS / 8)
		return 0;
	for (uint32_t i = 0; i < 8; i++) {
		uint64_t stamp = (behind - 1) * 8 + i + 1;

		if (stamp <= stamps && stamp < VPROF_TWIN_STAMPS)
			gpu->stamps[stamp] = slot->stamps[i];
	}
	return 1;
}

static void begin_replay(struct gpu *gpu, const struct vprof_slot *slot)
{
	gpu->replay = *slot;
	gpu->replay_at = head_of(gpu)->first + gpu->slot;
	gpu->replay_lane = head_of(gpu)->lane;
	memset(gpu->stamps, 0, VPROF_TWIN_STAMPS * sizeof(*gpu->stamps));
}

int gpu_next(struct gpu *gpu, struct gpu_batch *batch)
{
	for (;;) {
		int error = 0;
		const struct vprof_slot *slot = peek(gpu, &error);

		if (error)
			return error;
		if (gpu->replay.kind && (!slot || !take_stamps(gpu, slot))) {
			error = gpu_of_replay(gpu, batch);
			gpu->replay.kind = 0;
			return error ? error : 1;
		}
		if (!slot)
			return 0;
		if (slot->kind == VPROF_KIND_TIMED && !gpu_is_gauge(slot)) {
			gpu_of_timed(gpu, slot, batch);
			gpu->slot++;
			return 1;
		}
		if (slot->kind == VPROF_KIND_REPLAY && is_last_told(gpu, slot))
			begin_replay(gpu, slot);
		gpu->slot++;
	}
}

static int compare_begin(const void *a, const void *b)
{
	const struct gpu_event *x = a, *y = b;

	if (x->begin_ns != y->begin_ns)
		return x->begin_ns < y->begin_ns ? -1 : 1;
	return (x->end_ns < y->end_ns) - (x->end_ns > y->end_ns);
}

static int add_events(struct gpu_event **events, size_t *count, const struct gpu_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		if (list_grow(*events, *count))
			return -ENOMEM;
		(*events)[(*count)++] = batch->events[i];
	}
	return 0;
}

static int collect(struct gpu *gpu, struct gpu_estimate *estimate, struct gpu_event **events, size_t *count)
{
	struct gpu_batch batch;
	int more = 1, error = 0;

	while (!error && (more = gpu_next(gpu, &batch)) > 0) {
		error = add_events(events, count, &batch);
		if (!error && estimate)
			error = gpu_estimate_learn(estimate, &batch);
	}
	while (!error && estimate && more >= 0 && (more = gpu_estimate_next(estimate, &batch)) > 0)
		error = add_events(events, count, &batch);
	return more < 0 ? more : error;
}

int gpu_collect(const struct ring *ring, const struct clock *clock, int estimate, struct gpu_event **events,
		size_t *count)
{
	struct gpu_estimate *expected = NULL;
	struct gpu gpu;
	int error;

	*events = NULL;
	*count = 0;
	if (!gpu_has(ring))
		return 0;
	error = gpu_open(&gpu, ring, clock);
	if (error)
		return error;
	if (estimate)
		expected = gpu_estimate_open(&gpu);
	error = estimate && !expected ? -ENOMEM : collect(&gpu, expected, events, count);
	if (expected)
		gpu_estimate_close(expected);
	gpu_close(&gpu);
	if (error) {
		free(*events);
		*events = NULL;
		*count = 0;
	} else if (*count) {
		qsort(*events, *count, sizeof(**events), compare_begin);
	}
	return error;
}
