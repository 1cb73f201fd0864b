/*
 * clock.c - building the map from ticks to nanoseconds out of a ring's anchors.
 *
 * Each anchor votes for those that it agrees with at the nominal rate; the largest
 * party stays, the others are dropped. Slopes come from neighbours, so the map follows
 * a clock that is being slewed; two anchors too close to each other to give a slope
 * count as one.
 */
#include "tools/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NS_A_SECOND 1000000000ull
#define RATE_TOLERANCE 2e-3       /* of the nominal rate: its own 1e-3, and slewing */
#define STEADY_NS (60 * NS_A_SECOND) /* a stretch that gives a slope to go on with */

enum {
	SLACK_NS = 10000,         /* two anchors may differ by this beside their errors */
	ERROR_MOST_NS = 100000000,
	SLOPE_TO_ERROR = 1000,    /* neighbours are this many errors apart, at least */
};

static int rate_plausible(double hz)
{
	return hz >= 1e3 && hz <= 1e11;
}

static int anchor_plausible(const struct vprof_anchor *a)
{
	return a->ticks && a->monotonic_ns < (uint64_t)INT64_MAX / 2 && a->error_ns <= ERROR_MOST_NS;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int compare_offsets(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Median rate of neighbours, for a header whose tick_hz no two anchors agree with. */
static double anchors_rate(const struct vprof_anchor *anchors, uint32_t count)
{
	double *rates = calloc(count + 1, sizeof(*rates)), rate = 0;
	uint32_t n = 0;

	if (!rates)
		return 0;
	for (uint32_t i = 1; i < count; i++) {
		double ticks = (double)anchors[i].ticks - (double)anchors[i - 1].ticks;
		double ns = (double)anchors[i].monotonic_ns - (double)anchors[i - 1].monotonic_ns;

		if (ns > 0 && rate_plausible(1e9 * ticks / ns))
			rates[n++] = 1e9 * ticks / ns;
	}
	if (n) {
		qsort(rates, n, sizeof(*rates), compare_doubles);
		rate = rates[n / 2];
	}
	free(rates);
	return rate;
}

static int anchors_agree(const struct vprof_anchor *a, const struct vprof_anchor *b, double hz)
{
	double ns = (double)b->monotonic_ns - (double)a->monotonic_ns;
	double expected = (b->ticks >= a->ticks ? (double)(b->ticks - a->ticks)
						: -(double)(a->ticks - b->ticks)) * 1e9 / hz;
	double slack = SLACK_NS + (double)a->error_ns + (double)b->error_ns +
		       RATE_TOLERANCE * (expected < 0 ? -expected : expected);

	return ns >= expected - slack && ns <= expected + slack;
}

/* The anchor that most others agree with at this rate; `size`: their number, itself included. */
static uint32_t find_party(const struct vprof_anchor *anchors, uint32_t count, double hz,
			   uint32_t *size)
{
	uint32_t best = 0;

	*size = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t votes = 0;

		for (uint32_t j = 0; j < count; j++)
			votes += (uint32_t)anchors_agree(&anchors[i], &anchors[j], hz);
		if (votes > *size) {
			*size = votes;
			best = i;
		}
	}
	return best;
}

/* Leaves only those that agree with anchor `with`; their number. */
static uint32_t keep_party(struct vprof_anchor *anchors, uint32_t count, uint32_t with, double hz)
{
	struct vprof_anchor head;
	uint32_t kept = 0;

	if (!count)
		return 0;
	head = anchors[with];
	for (uint32_t i = 0; i < count; i++)
		if (anchors_agree(&head, &anchors[i], hz))
			anchors[kept++] = anchors[i];
	return kept;
}

/* Leaves out what would make the map fall, or a piece too short for a slope. */
static uint32_t keep_spaced(struct vprof_anchor *anchors, uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct vprof_anchor *last = kept ? &anchors[kept - 1] : NULL;
		uint64_t least;

		if (last) {
			least = SLOPE_TO_ERROR * (last->error_ns + anchors[i].error_ns + 1);
			if (anchors[i].ticks <= last->ticks ||
			    anchors[i].monotonic_ns < last->monotonic_ns + least)
				continue;
		}
		anchors[kept++] = anchors[i];
	}
	return kept;
}

/* Rounds down, so that a piece never ends above the next one's beginning. */
static void piece_slope(struct clock_piece *piece, uint64_t ns, uint64_t ticks)
{
	unsigned __int128 mult;

	piece->shift = 63;
	do {
		piece->shift--;
		mult = ((unsigned __int128)ns << piece->shift) / ticks;
	} while (mult >> 63);
	piece->mult = (uint64_t)mult;
}

static void pieces_make(struct clock *clock, const struct vprof_anchor *anchors, uint32_t count)
{
	const struct vprof_anchor *last = &anchors[count - 1];
	uint32_t from = count - 1;

	for (uint32_t i = 0; i < count; i++) {
		clock->pieces[i].ticks = anchors[i].ticks;
		clock->pieces[i].ns = anchors[i].monotonic_ns;
		if (i + 1 < count)
			piece_slope(&clock->pieces[i],
				    anchors[i + 1].monotonic_ns - anchors[i].monotonic_ns,
				    anchors[i + 1].ticks - anchors[i].ticks);
	}
	while (from && last->monotonic_ns - anchors[from].monotonic_ns < STEADY_NS)
		from--;
	if (from < count - 1)
		piece_slope(&clock->pieces[count - 1], last->monotonic_ns - anchors[from].monotonic_ns,
			    last->ticks - anchors[from].ticks);
	else
		piece_slope(&clock->pieces[0], NS_A_SECOND, (uint64_t)clock->hz);
	clock->count = count;
}

/* The offset that most anchors have, or are near: a clock that was set once has two. */
static int64_t median_offset(int64_t *offsets, size_t count)
{
	if (!count)
		return 0;
	qsort(offsets, count, sizeof(*offsets), compare_offsets);
	return offsets[count / 2];
}

static size_t collect_offsets(const struct ring *ring, int64_t *offsets)
{
	size_t n = 0;

	for (uint32_t i = 0; i < ring->anchor_count; i++)
		if (anchor_plausible(&ring->anchors[i]) &&
		    ring->anchors[i].realtime_ns < (uint64_t)INT64_MAX)
			offsets[n++] = (int64_t)(ring->anchors[i].realtime_ns -
						 ring->anchors[i].monotonic_ns);
	return n;
}

/* Puts the anchors to be used into `anchors` and the rate into clock->hz; their number. */
static uint32_t choose_anchors(struct clock *clock, const struct ring *ring,
			       struct vprof_anchor *anchors)
{
	double hz = (double)ring->header.tick_hz, other;
	uint32_t count = 0, with, size, size_other, with_other;

	for (uint32_t i = 0; i < ring->anchor_count; i++)
		if (anchor_plausible(&ring->anchors[i]))
			anchors[count++] = ring->anchors[i];
	other = anchors_rate(anchors, count);
	if (!rate_plausible(hz))
		hz = rate_plausible(other) ? other : 1e9;
	with = find_party(anchors, count, hz, &size);
	if (rate_plausible(other)) {
		with_other = find_party(anchors, count, other, &size_other);
		if (size_other > size) {
			with = with_other;
			hz = other;
		}
	}
	count = keep_party(anchors, count, with, hz);
	clock->dropped = ring->anchor_count - count;
	clock->hz = hz;
	count = keep_spaced(anchors, count);
	if (count > 1)
		clock->hz = 1e9 * (double)(anchors[count - 1].ticks - anchors[0].ticks) /
			    (double)(anchors[count - 1].monotonic_ns - anchors[0].monotonic_ns);
	return count;
}

/* Ticks that are nanoseconds of CLOCK_MONOTONIC already. */
static uint32_t identity(struct vprof_anchor *anchors)
{
	anchors[0] = (struct vprof_anchor){ 0 };
	return 1;
}

int clock_build(struct clock *clock, const struct ring *ring)
{
	uint32_t room = ring->anchor_count + 1, count, at = 0;
	struct vprof_anchor *anchors = calloc(room, sizeof(*anchors));
	int64_t *offsets = calloc(room, sizeof(*offsets));
	int error = -ENOMEM;

	memset(clock, 0, sizeof(*clock));
	clock->pieces = calloc(room, sizeof(*clock->pieces));
	if (!anchors || !offsets || !clock->pieces)
		goto err;
	count = choose_anchors(clock, ring, anchors);
	clock->used = count;
	for (uint32_t i = 0; i < count; i++)
		if (anchors[i].error_ns > clock->error_ns)
			clock->error_ns = anchors[i].error_ns;
	if (ring->header.clock == VPROF_CLOCK_MONOTONIC) {
		count = identity(anchors);
		clock->hz = 1e9;
		clock->error_ns = 0;
	} else if (!count) {
		anchors[0].ticks = ring->header.start_ticks;
		count = 1;
	}
	pieces_make(clock, anchors, count);
	clock->to_realtime = median_offset(offsets, collect_offsets(ring, offsets));
	clock->start_ns = clock_monotonic(clock, &at, ring->header.start_ticks);
	error = 0;
err:
	free(anchors);
	free(offsets);
	if (error)
		clock_free(clock);
	return error;
}

void clock_free(struct clock *clock)
{
	free(clock->pieces);
	memset(clock, 0, sizeof(*clock));
}

uint64_t clock_ticks(const struct clock *clock, uint64_t ns)
{
	const struct clock_piece *piece = clock->pieces;
	__int128 ticks;

	while (piece + 1 < clock->pieces + clock->count && ns >= piece[1].ns)
		piece++;
	if (!piece->mult)
		return piece->ticks;
	/* Both factors are below 2^64 and 2^62: it fits. */
	ticks = (__int128)(int64_t)(ns - piece->ns) * ((__int128)1 << piece->shift) / (__int128)piece->mult +
		piece->ticks;
	return ticks < 0 ? 0 : (uint64_t)ticks;
}

struct member {
	struct clock *clock;
	const struct ring *ring;
};

static int compare_members(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->ring->header.boot_id,
		      ((const struct member *)b)->ring->header.boot_id);
}

/* The members of one boot: the median over all their anchors. */
static void align_boot(const struct member *members, size_t count, int64_t *offsets)
{
	int64_t offset;
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += collect_offsets(members[i].ring, offsets + n);
	offset = median_offset(offsets, n);
	for (size_t i = 0; n && i < count; i++)
		members[i].clock->to_realtime = offset;
}

int clock_align(struct clock *const *clocks, const struct ring *const *rings, size_t count)
{
	struct member *members = calloc(count + 1, sizeof(*members));
	int64_t *offsets;
	size_t anchors = 0, next;

	for (size_t i = 0; i < count; i++)
		anchors += rings[i]->anchor_count;
	offsets = calloc(anchors + 1, sizeof(*offsets));
	if (!members || !offsets) {
		free(members);
		free(offsets);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		members[i] = (struct member){ clocks[i], rings[i] };
	qsort(members, count, sizeof(*members), compare_members);
	for (size_t i = 0; i < count; i = next) {
		for (next = i + 1; next < count && !compare_members(&members[i], &members[next]);)
			next++;
		if (members[i].ring->header.boot_id[0])
			align_boot(&members[i], next - i, offsets);
	}
	free(members);
	free(offsets);
	return 0;
}
