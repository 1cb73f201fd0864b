/*
 * gpu_launch.c - see the header.
 */
#include "tools/gpu_launch.h"

#include <stdlib.h>

enum { KEPT = 8 };

/* From `ticks` on records of the thread are in that chunk. */
struct place {
	uint64_t thread, ticks;
	uint32_t chunk;
};

struct kept {
	uint32_t chunk;        /* RING_NOWHERE: nothing */
	uint32_t hint;         /* slot behind the one found last */
	uint64_t used;         /* when, in look-ups */
	struct vprof_chunk buffer;
};

struct gpu_launches {
	const struct ring *ring;
	struct place *places;  /* by thread, then by time */
	size_t count;
	uint64_t now;
	struct kept kept[KEPT];
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	if (x->ticks != y->ticks)
		return x->ticks < y->ticks ? -1 : 1;
	return (x->chunk > y->chunk) - (x->chunk < y->chunk);
}

/* Whose the chunk was when it was taken; and who took the lane over within it. */
static void add_places(struct gpu_launches *launches, uint32_t chunk)
{
	const struct ring *ring = launches->ring;
	const struct ring_chunk *now = &ring->chunks[chunk], *next = now + 1;
	uint64_t later = 0;

	launches->places[launches->count++] = (struct place){ now->head.thread, now->head.open_ticks, chunk };
	if (chunk + 1 < ring->chunk_count && next->head.lane == now->head.lane)
		later = next->head.thread;
	else if (now->head.lane < ring->lane_count)
		later = ring->lanes[now->head.lane].thread;
	if (later && later != now->head.thread)
		launches->places[launches->count++] = (struct place){ later, now->head.open_ticks, chunk };
}

struct gpu_launches *gpu_launches_open(const struct ring *ring)
{
	struct gpu_launches *launches = calloc(1, sizeof(*launches));

	if (!launches)
		return NULL;
	launches->ring = ring;
	launches->places = malloc((2 * (size_t)ring->chunk_count + 1) * sizeof(*launches->places));
	if (!launches->places) {
		free(launches);
		return NULL;
	}
	for (uint32_t i = 0; i < ring->chunk_count; i++)
		add_places(launches, i);
	qsort(launches->places, launches->count, sizeof(*launches->places), compare_places);
	for (int i = 0; i < KEPT; i++)
		launches->kept[i].chunk = RING_NOWHERE;
	return launches;
}

void gpu_launches_close(struct gpu_launches *launches)
{
	if (launches)
		free(launches->places);
	free(launches);
}

static struct kept *keep(struct gpu_launches *launches, uint32_t chunk)
{
	struct kept *oldest = &launches->kept[0];

	launches->now++;
	for (int i = 0; i < KEPT; i++) {
		struct kept *kept = &launches->kept[i];

		if (kept->chunk == chunk) {
			kept->used = launches->now;
			return kept;
		}
		if (kept->used < oldest->used)
			oldest = kept;
	}
	oldest->used = launches->now;
	oldest->hint = 0;
	oldest->chunk = chunk;
	if (ring_read_chunk(launches->ring, &launches->ring->chunks[chunk], &oldest->buffer) < 0)
		oldest->chunk = RING_NOWHERE;
	return oldest;
}

static int is_work(uint16_t kind)
{
	return kind >= VPROF_KIND_LAUNCH && kind <= VPROF_KIND_SET;
}

/* A thread's t0 is its own, and a chunk's slots of one t0 are of one thread. */
static const struct vprof_slot *find_in(struct kept *kept, uint64_t t0)
{
	for (uint32_t i = 0; kept->chunk != RING_NOWHERE && i < VPROF_CHUNK_SLOTS - 1; i++) {
		uint32_t at = (kept->hint + i) % (VPROF_CHUNK_SLOTS - 1);
		const struct vprof_slot *slot = &kept->buffer.slot[at];

		if (slot->t0 == t0 && slot->seq && is_work(slot->kind)) {
			kept->hint = at + 1;
			return slot;
		}
	}
	return NULL;
}

const struct vprof_slot *gpu_launches_find(struct gpu_launches *launches, uint64_t thread, uint64_t t0)
{
	size_t low = 0, high = launches->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct place *place = &launches->places[middle];

		if (place->thread < thread || (place->thread == thread && place->ticks <= t0))
			low = middle + 1;
		else
			high = middle;
	}
	/* The chunk before it too: a signal handler's call may have fallen there. */
	for (int i = 0; i < 2 && low && launches->places[low - 1].thread == thread; i++, low--) {
		const struct vprof_slot *slot = find_in(keep(launches, launches->places[low - 1].chunk), t0);

		if (slot)
			return slot;
	}
	return NULL;
}

/* ---- all of them ---- */

int gpu_launches_read(struct trace *trace, struct trace_process *process, struct event *events,
		      int (*add)(void *to, const struct event *event), void *to)
{
	const struct ring *ring = process->ring;
	uint32_t at = 0;
	int error = 0;

	for (uint32_t c = 0; !error && c < ring->chunk_count; c++) {
		int count = trace_load(trace, process, &ring->chunks[c], &at, events);

		for (int i = 0; !error && i < count; i++)
			if (is_work(events[i].slot.kind) && !events[i].name && !event_hidden(&events[i]) &&
			    !event_in_flight(&events[i]) && !VPROF_DONE_RESULT(events[i].slot.done))
				error = add(to, &events[i]);
		error = count < 0 ? count : error;
	}
	return error;
}

uint32_t gpu_launch_object(uint16_t kind, uint32_t object)
{
	if (kind == VPROF_KIND_SET)
		return 0;
	return kind == VPROF_KIND_COPY ? object & VPROF_COPY_DIRECTION : object;
}

uint16_t gpu_launch_of(const struct gpu_event *event, uint32_t *object)
{
	uint16_t kind = event->graph ? VPROF_KIND_GRAPH_LAUNCH : event->kind == GPU_KERNEL ? VPROF_KIND_LAUNCH :
			event->kind == GPU_COPY ? VPROF_KIND_COPY : VPROF_KIND_SET;

	*object = gpu_launch_object(kind, event->graph ? event->graph :
				    event->kind == GPU_COPY ? (uint32_t)event->copy_kind : event->object);
	return kind;
}
