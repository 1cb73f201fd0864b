/*
 * memory_track.c - the sums at the beginning of the window, and one step on.
 */
#include "tools/memory_track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(MEMORY_SERIES == 3, "a sum event has four words");

/* Sums of changes, which may be negative. */
struct changes {
	int64_t bytes[VPROF_MEMORY_TOTALS][MEMORY_SERIES];
};

/* Changes of a chunk's calls that began in or after the window. */
static int add_chunk(const struct trace *trace, const struct trace_process *process, const struct ring_chunk *chunk,
		     uint32_t *at, struct changes *changes)
{
	struct vprof_chunk buffer;
	int present = ring_read_chunk(process->ring, chunk, &buffer);

	for (int i = 0; present > 0 && i < VPROF_CHUNK_SLOTS - 1; i++) {
		const struct vprof_slot *slot = &buffer.slot[i];
		struct memory_change change;

		if (slot->seq && slot->kind == VPROF_KIND_MEMORY && memory_change_of(slot, &change) &&
		    trace_span(trace, process, slot, 0, at).start_ns >= trace->from_ns)
			changes->bytes[change.place][change.series] +=
				change.give ? -(int64_t)change.bytes : (int64_t)change.bytes;
	}
	return present < 0 ? present : 0;
}

/* What was held before: where that would be negative a part of the past is not known. */
static void subtract(struct memory_use *use, const struct changes *changes)
{
	for (uint32_t place = 0; place < VPROF_MEMORY_TOTALS; place++)
		for (int s = 0; s < MEMORY_SERIES; s++) {
			int64_t change = changes->bytes[place][s];
			uint64_t *bytes = &use->bytes[place][s];

			if (change > 0 && *bytes < (uint64_t)change)
				*bytes = 0;
			else
				*bytes -= (uint64_t)change;
		}
}

static int track_open(struct memory_track *track, const struct trace *trace, const struct trace_process *process)
{
	struct changes changes = { 0 };
	uint32_t at = 0;

	for (uint32_t place = 0; place < VPROF_MEMORY_TOTALS; place++)
		track->used |= memory_was_used(process->ring, place);
	if (!track->used || !process->chosen) {
		track->used = 0;
		return 0;
	}
	/* A chunk that cannot be read is missing in the merge as well. */
	for (uint32_t i = 0; i < process->ring->chunk_count; i++)
		add_chunk(trace, process, &process->ring->chunks[i], &at, &changes);
	memory_use_at_end(&track->use, process->ring);
	subtract(&track->use, &changes);
	return 0;
}

int memory_tracks_open(struct trace *trace)
{
	struct memory_track *tracks = calloc(trace->count + 1, sizeof(*tracks));

	if (!tracks)
		return -ENOMEM;
	for (size_t i = 0; i < trace->count; i++)
		track_open(&tracks[i], trace, &trace->processes[i]);
	trace->memory = tracks;
	return 0;
}

void memory_tracks_close(struct trace *trace)
{
	free(trace->memory);
	trace->memory = NULL;
}

void memory_track_sums(const struct memory_track *track, uint32_t place, uint64_t ns, struct event *sums)
{
	const uint64_t *bytes = track->use.bytes[place];

	memset(sums, 0, sizeof(*sums));
	sums->start_ns = sums->end_ns = ns;
	sums->slot.kind = EVENT_KIND_MEMORY;
	sums->slot.object = place;
	for (int s = 0; s < MEMORY_SERIES; s++) {
		sums->slot.words[s] = bytes[s];
		sums->slot.words[MEMORY_SERIES] += bytes[s];
	}
}

int memory_track_step(const struct trace *trace, const struct event *event, struct event *sums)
{
	struct memory_track *track = &trace->memory[event->thread->process->index];
	struct memory_change change;

	if (!track->used || event->start_ns < trace->from_ns || !memory_change_of(&event->slot, &change))
		return 0;
	memory_use_change(&track->use, &change, 0);
	memory_track_sums(track, change.place, event->start_ns, sums);
	sums->thread = event->thread;
	return 1;
}
