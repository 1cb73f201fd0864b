/*
 * gpu_clock.c - fits lines between the bounds of the ties.
 *
 * For a slope s, what room the bounds leave for an offset is min(upper - s x) - max(lower - s x), a
 * concave function of s: a search by thirds finds its greatest value. Below 0 there is no such line, and
 * the one that breaks the bounds least is taken.
 */
#include "tools/gpu_clock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLOPE_MOST 1e-3
#define STEADY_NS  1000000000ull  /* a stretch that gives a slope */
#define BROKEN_NS  (-200.0)       /* bounds broken by more: no line */

enum { TIES_MOST = 4096, TIES_FEW = 8, CUTS_MOST = 6, STEPS = 60 };

static int compare_ties(const void *a, const void *b)
{
	const struct gpu_tie *x = a, *y = b;

	return (x->gpu > y->gpu) - (x->gpu < y->gpu);
}

static uint64_t width(const struct gpu_tie *tie)
{
	return tie->to - tie->from;
}

/* The narrowest of each so many, in place; their number. */
static size_t keep_narrow(struct gpu_tie *ties, size_t count)
{
	size_t window = (count + TIES_MOST - 1) / TIES_MOST, kept = 0;

	for (size_t i = 0; i < count; i += window) {
		struct gpu_tie best = ties[i];

		for (size_t j = i; j < i + window && j < count; j++)
			if (width(&ties[j]) < width(&best))
				best = ties[j];
		ties[kept++] = best;
	}
	return kept;
}

/* Times relative to a tie, so that they are exact in a double. */
struct fit {
	const struct gpu_tie *ties;
	size_t count;
	uint64_t gpu;
	int64_t offset;
};

/* The room that is left, and the middle of it. */
static double room_at(const struct fit *fit, double slope, double *middle)
{
	double lower = -INFINITY, upper = INFINITY;

	for (size_t i = 0; i < fit->count; i++) {
		const struct gpu_tie *tie = &fit->ties[i];
		double x = slope * (double)(int64_t)(tie->gpu - fit->gpu);
		double from = (double)(int64_t)(tie->from - tie->gpu - (uint64_t)fit->offset) - x;
		double to = (double)(int64_t)(tie->to - tie->gpu - (uint64_t)fit->offset) - x;

		lower = from > lower ? from : lower;
		upper = to < upper ? to : upper;
	}
	*middle = lower + (upper - lower) / 2;
	return upper - lower;
}

static double find_slope(const struct fit *fit)
{
	double low = -SLOPE_MOST, high = SLOPE_MOST, middle;

	if (fit->ties[fit->count - 1].gpu - fit->ties[0].gpu < STEADY_NS && room_at(fit, 0, &middle) >= 0)
		return 0;
	for (int i = 0; i < STEPS; i++) {
		double a = low + (high - low) / 3, b = high - (high - low) / 3;

		if (room_at(fit, a, &middle) < room_at(fit, b, &middle))
			low = a;
		else
			high = b;
	}
	return (low + high) / 2;
}

static int64_t whole(double ns)
{
	return isfinite(ns) ? (int64_t)(ns > 4e18 ? 4e18 : ns < -4e18 ? -4e18 : ns) : 0;
}

/* Never lets time go back: the GPU's moments keep their order. */
static void add_knot(struct gpu_clock *clock, uint64_t gpu, int64_t offset)
{
	struct gpu_knot *last = clock->count ? &clock->knots[clock->count - 1] : NULL;

	if (last && gpu == last->gpu)
		return;
	if (last && offset < last->offset && (uint64_t)last->offset - (uint64_t)offset > gpu - last->gpu)
		offset = (int64_t)((uint64_t)last->offset - (gpu - last->gpu));
	clock->knots[clock->count++] = (struct gpu_knot){ gpu, offset };
}

static void fit_range(struct gpu_clock *clock, const struct gpu_tie *ties, size_t count, int cuts, uint64_t *longest)
{
	const struct gpu_tie *last = &ties[count - 1];
	struct fit fit = { .ties = ties, .count = count, .gpu = ties->gpu };
	double slope, middle, room;
	uint64_t length = last->gpu - ties->gpu;

	fit.offset = (int64_t)(ties->from - ties->gpu);
	slope = find_slope(&fit);
	room = room_at(&fit, slope, &middle);
	if (room < BROKEN_NS && count >= TIES_FEW && cuts < CUTS_MOST) {
		fit_range(clock, ties, count / 2, cuts + 1, longest);
		fit_range(clock, ties + count / 2, count - count / 2, cuts + 1, longest);
		return;
	}
	clock->lines++;
	if (length >= *longest) {
		*longest = length;
		clock->drift = 0 - slope;
	}
	if (room > 0 && (uint64_t)whole(room / 2) > clock->error_ns)
		clock->error_ns = (uint64_t)whole(room / 2);
	add_knot(clock, ties->gpu, (int64_t)((uint64_t)fit.offset + (uint64_t)whole(middle)));
	add_knot(clock, last->gpu, (int64_t)((uint64_t)fit.offset + (uint64_t)whole(middle + slope * (double)length)));
}

/* By how much a tie is missed. */
static uint64_t missed(const struct gpu_clock *clock, const struct gpu_tie *tie)
{
	uint64_t host = gpu_clock_host(clock, tie->gpu);

	return host < tie->from ? tie->from - host : host > tie->to ? host - tie->to : 0;
}

int gpu_clock_build(struct gpu_clock *clock, struct gpu_tie *ties, size_t count)
{
	uint64_t longest = 0, most = 0;

	memset(clock, 0, sizeof(*clock));
	clock->error_ns = UINT64_MAX;
	clock->ties = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
	if (!count)
		return 0;
	qsort(ties, count, sizeof(*ties), compare_ties);
	count = keep_narrow(ties, count);
	clock->knots = calloc(2 * count, sizeof(*clock->knots));
	if (!clock->knots)
		return -ENOMEM;
	clock->error_ns = 0;
	fit_range(clock, ties, count, 0, &longest);
	for (size_t i = 0; i < count; i++) {
		uint64_t by = missed(clock, &ties[i]);

		most = by > most ? by : most;
	}
	clock->error_ns += most < UINT64_MAX - clock->error_ns ? most : UINT64_MAX - 1 - clock->error_ns;
	return 0;
}

void gpu_clock_free(struct gpu_clock *clock)
{
	free(clock->knots);
	memset(clock, 0, sizeof(*clock));
}

uint64_t gpu_clock_host(const struct gpu_clock *clock, uint64_t gpu)
{
	uint32_t low = 0, high = clock->count;
	const struct gpu_knot *knot, *next;
	double part;

	if (!clock->count)
		return gpu;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (clock->knots[middle].gpu <= gpu)
			low = middle + 1;
		else
			high = middle;
	}
	/* `low`: the first knot after it. Beyond the ends the nearest piece goes on. */
	if (clock->count == 1)
		return gpu + (uint64_t)clock->knots[0].offset;
	low = !low ? 1 : low == clock->count ? low - 1 : low;
	knot = &clock->knots[low - 1];
	next = knot + 1;
	part = (double)(int64_t)(gpu - knot->gpu) / (double)(next->gpu - knot->gpu);
	part *= (double)next->offset - (double)knot->offset;
	return gpu + (uint64_t)knot->offset + (uint64_t)whole(part + (part < 0 ? -0.5 : 0.5));
}
