/*
 * clock.h - from a ring's ticks to nanoseconds.
 *
 * A ring's anchors each hold one moment in ticks and in CLOCK_MONOTONIC. Those that
 * contradict the others are dropped; through the rest goes a monotone line of straight
 * pieces, which before the first and after the last anchor goes on with the slope of
 * a long stretch. One anchor is enough (slope: header.tick_hz), none gives tick_hz
 * and zero at start_ticks.
 *
 * CLOCK_REALTIME is monotonic time plus ONE offset, shared by all rings of one boot
 * (clock_align()): a clock that was set while the processes ran never makes time go
 * back, and processes of one host stay in step.
 */
#ifndef VPROF_TOOLS_CLOCK_H
#define VPROF_TOOLS_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include "tools/ring.h"

/* A straight piece: ns = this ns + (ticks - this ticks) * mult / 2^shift. */
struct clock_piece {
	uint64_t ticks;        /* where it begins; the first also serves all before it */
	uint64_t ns;           /* monotonic */
	uint64_t mult;         /* below 2^63 */
	uint32_t shift;        /* 32 to 62 */
};

struct clock {
	struct clock_piece *pieces; /* sorted by ticks */
	uint32_t count;        /* at least 1 */
	int64_t to_realtime;   /* realtime - monotonic */
	uint64_t start_ns;     /* monotonic time of header.start_ticks */
	uint64_t error_ns;     /* worst half bracket of the anchors in use */
	uint32_t used;         /* anchors in use */
	uint32_t dropped;      /* anchors that contradict the others */
	double hz;             /* ticks a second over the longest stretch */
};

/* Builds the map of one ring. 0 or -ENOMEM. */
int clock_build(struct clock *clock, const struct ring *ring);
void clock_free(struct clock *clock);

/* Gives all clocks whose rings have the same boot_id the same to_realtime. 0 or -ENOMEM. */
int clock_align(struct clock *const *clocks, const struct ring *const *rings, size_t count);

/*
 * CLOCK_MONOTONIC of `ticks`, rounded to the nearest. `at` is the caller's
 * place in the map, 0 at first: with ticks that come in order the search is a
 * comparison or two. Saturates at 0 and UINT64_MAX.
 */
static inline uint64_t clock_monotonic(const struct clock *clock, uint32_t *at, uint64_t ticks)
{
	const struct clock_piece *piece = &clock->pieces[*at];
	__int128 ns;

	while (__builtin_expect(*at + 1 < clock->count && ticks >= piece[1].ticks, 0))
		piece = &clock->pieces[++*at];
	while (__builtin_expect(*at && ticks < piece->ticks, 0))
		piece = &clock->pieces[--*at];
	ns = (__int128)(int64_t)(ticks - piece->ticks) * (int64_t)piece->mult;
	ns = ((ns + ((__int128)1 << (piece->shift - 1))) >> piece->shift) + piece->ns;
	if (__builtin_expect(ns != (__int128)(uint64_t)ns, 0))
		return ns < 0 ? 0 : UINT64_MAX;
	return (uint64_t)ns;
}

/* CLOCK_REALTIME of `ticks` in the same way. */
static inline uint64_t clock_realtime(const struct clock *clock, uint32_t *at, uint64_t ticks)
{
	return clock_monotonic(clock, at, ticks) + (uint64_t)clock->to_realtime;
}

/* The other way: the last tick whose CLOCK_MONOTONIC is not after `ns`, but for rounding. Saturates at 0. */
uint64_t clock_ticks(const struct clock *clock, uint64_t ns);

/* Length in ns of `ticks` that begin at ticks `when`; `at` stays at `when`. */
static inline uint64_t clock_length(const struct clock *clock, uint32_t *at, uint64_t when,
				    uint64_t ticks)
{
	uint64_t from = clock_monotonic(clock, at, when);
	uint32_t end = *at;

	return clock_monotonic(clock, &end, when + ticks) - from;
}

#endif
