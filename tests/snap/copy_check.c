/*
 * copy_check.c - does a copy of a launcher's ring (tests/safety/launcher.c) hold what its moment had, and no more?
 *
 *	copy_check COPY...
 *
 * No record begins or ends after the cut. A thread's launches are numbered, so from one position of its lane to
 * the next the number goes up by as much, whatever was overwritten between; the last one may be in flight, and no other. Prints a
 * line for each copy: records, calls in flight, microseconds from the last beginning to the cut.
 */
#include <stdio.h>
#include <string.h>
#include "tools/clock.h"
#include "tools/ring.h"

static const char *path;
static int wrong;

static void complain(const char *what, const struct vprof_chunk_header *head, uint32_t slot)
{
	if (wrong++ < 10)
		printf("%s: %s: lane %u, position %llu\n", path, what, head->lane, (unsigned long long)head->first + slot - 1);
}

/* A lane, from its first chunk in the copy to its last. */
struct lane {
	uint64_t apart;        /* number of a launch less its position */
	int known, open;
};

static void check_slot(const struct ring *ring, const struct vprof_chunk_header *head, uint32_t i,
		       const struct vprof_slot *slot, struct lane *lane)
{
	uint64_t number = slot->launch.grid[0], position = head->first + i - 1;

	if (slot->t0 > ring->header.cut_ticks)
		complain("begins after the cut", head, i);
	/* The end is rounded up by a tick at most. */
	if (slot->done && slot->t0 + VPROF_DONE_TICKS(slot->done) > ring->header.cut_ticks + 1)
		complain("ends after the cut", head, i);
	if (slot->kind != VPROF_KIND_LAUNCH)
		return;
	if (!ring_def(ring, slot->object, VPROF_DEF_KERNEL))
		complain("is of a kernel without a name", head, i);
	if (lane->known && (uint32_t)(number - position) != (uint32_t)lane->apart)
		complain("is not the launch that stands there", head, i);
	if (lane->open)
		complain("comes behind a call in flight", head, i);
	lane->apart = number - position;
	lane->known = 1;
	lane->open = !slot->done;
}

/* A lane's entry and its own chunk agree, and nothing in the copy lies behind them. */
static void check_lane(const struct ring *ring, uint32_t number, uint64_t reached)
{
	const struct vprof_lane *lane = &ring->lanes[number];
	const struct vprof_chunk_header *own = NULL;

	for (uint32_t i = 0; lane->chunk && i < ring->chunk_count; i++)
		if (ring->chunks[i].index == lane->chunk - 1)
			own = &ring->chunks[i].head;
	if ((lane->chunk && (!own || own->lane != number || own->first != lane->sealed || !own->held)) ||
	    (!lane->chunk && lane->sealed < reached) || (own && own->first + own->used - 1 != reached)) {
		printf("%s: lane %u: chunk %u, sealed %llu, reached %llu\n", path, number, lane->chunk,
		       (unsigned long long)lane->sealed, (unsigned long long)reached);
		wrong++;
	}
}

static void check_lanes(const struct ring *ring)
{
	for (uint32_t number = 0; number < ring->lane_count; number++) {
		uint64_t reached = 0;

		for (uint32_t i = 0; i < ring->chunk_count; i++) {
			const struct vprof_chunk_header *head = &ring->chunks[i].head;

			if (head->lane == number && head->first + ring->chunks[i].used - 1 > reached)
				reached = head->first + ring->chunks[i].used - 1;
		}
		if (ring->lanes[number].thread)
			check_lane(ring, number, reached);
	}
}

static void check(const struct ring *ring, const struct clock *clock)
{
	struct lane lane = { 0 };
	uint64_t records = 0, open = 0, last = 0;
	uint32_t at = 0, number = UINT32_MAX;

	for (uint32_t i = 0; i < ring->chunk_count; i++) {
		const struct ring_chunk *chunk = &ring->chunks[i];
		struct vprof_chunk buffer;

		if (ring_read_chunk(ring, chunk, &buffer) < 0)
			complain("cannot be read", &chunk->head, 1);
		if (chunk->head.lane != number)
			lane = (struct lane){ 0 };
		number = chunk->head.lane;
		for (uint32_t s = 1; s < VPROF_CHUNK_SLOTS; s++) {
			const struct vprof_slot *slot = &buffer.slot[s - 1];

			if (!slot->seq)
				continue;
			records++;
			open += !slot->done;
			last = slot->t0 > last ? slot->t0 : last;
			check_slot(ring, &chunk->head, s, slot, &lane);
		}
	}
	printf("%s: %llu records, %llu in flight, last %.1f us before the cut\n", path, (unsigned long long)records,
	       (unsigned long long)open,
	       ((double)clock_monotonic(clock, &at, ring->header.cut_ticks) - (double)clock_monotonic(clock, &at, last)) / 1e3);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct clock clock;
		struct ring ring;
		char why[1280];

		path = argv[i];
		if (ring_open(&ring, path, why, sizeof(why)) || clock_build(&clock, &ring)) {
			printf("%s: cannot be read\n", path);
			return 1;
		}
		if (!ring.header.cut_ticks) {
			printf("%s: is no copy\n", path);
			wrong++;
		}
		check(&ring, &clock);
		check_lanes(&ring);
		clock_free(&clock);
		ring_close(&ring);
	}
	return wrong != 0;
}
