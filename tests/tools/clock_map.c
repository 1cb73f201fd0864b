/*
 * clock_map.c - ticks become nanoseconds: exact, never falling, robust against bad anchors.
 */
#include "tests/tap.h"
#include "tools/clock.h"

#include <inttypes.h>
#include <string.h>

#define SECOND 1000000000ull
#define MONO0 (5000 * SECOND)
#define REAL0 1700000000000000000ull
#define TICKS0 7777777777ull

/* A ring that has only what a clock needs. */
struct fixture {
	struct ring ring;
	struct vprof_anchor anchors[128];
};

static struct ring *fixture_make(struct fixture *f, uint64_t hz)
{
	memset(f, 0, sizeof(*f));
	f->ring.anchors = f->anchors;
	f->ring.header.clock = VPROF_CLOCK_TSC;
	f->ring.header.tick_hz = hz;
	f->ring.header.start_ticks = TICKS0;
	strcpy(f->ring.header.boot_id, "boot-1");
	return &f->ring;
}

static uint64_t ideal_ns(double hz, uint64_t ticks)
{
	return MONO0 + (uint64_t)((long double)(ticks - TICKS0) * SECOND / hz + 0.5L);
}

static uint64_t ticks_at(double hz, double seconds)
{
	return TICKS0 + (uint64_t)(hz * seconds);
}

static void add_anchor(struct fixture *f, uint64_t ticks, uint64_t ns, uint64_t error)
{
	f->anchors[f->ring.anchor_count++] = (struct vprof_anchor){ ticks, ns, ns - MONO0 + REAL0, error };
}

static int64_t off(const struct clock *clock, double hz, double seconds)
{
	uint32_t at = 0;
	uint64_t ticks = ticks_at(hz, seconds);

	return (int64_t)(clock_monotonic(clock, &at, ticks) - ideal_ns(hz, ticks));
}

static void exact(const char *name, double hz)
{
	struct fixture f;
	struct clock clock;
	int64_t worst = 0;

	/* The header's estimate is 0.1 % off; the anchors are exact. */
	fixture_make(&f, (uint64_t)(hz * 1.0009));
	for (int i = 0; i <= 100; i++)
		add_anchor(&f, ticks_at(hz, 100.0 * i), ideal_ns(hz, ticks_at(hz, 100.0 * i)), 20);
	clock_build(&clock, &f.ring);
	for (int i = 0; i < 20000; i++) {
		int64_t d = off(&clock, hz, 0.53 * i);

		worst = llabs(d) > llabs(worst) ? d : worst;
	}
	ok(llabs(worst) <= 1, "%s: within 1 ns over three hours (%" PRId64 ")", name, worst);
	ok(clock.used == 101 && !clock.dropped, "%s: all anchors are used", name);
	clock_free(&clock);
}

static void one_and_none(void)
{
	struct fixture f;
	struct clock clock;

	fixture_make(&f, 3000000000);
	add_anchor(&f, TICKS0 + 1000, MONO0, 20);
	clock_build(&clock, &f.ring);
	uint32_t at = 0;
	ok(clock_monotonic(&clock, &at, TICKS0 + 1000 + 3000000000) == MONO0 + SECOND, "one anchor: tick_hz is the slope");
	ok(clock_monotonic(&clock, &at, TICKS0 + 1000 - 300000) == MONO0 - 100000, "one anchor: before it too");
	clock_free(&clock);
	fixture_make(&f, 3000000000);
	clock_build(&clock, &f.ring);
	at = 0;
	ok(clock_monotonic(&clock, &at, TICKS0 + 3000000000) == SECOND && clock.start_ns == 0, "no anchor: from 0 at the start");
	clock_free(&clock);
	fixture_make(&f, 0);
	clock_build(&clock, &f.ring);
	at = 0;
	ok(clock_monotonic(&clock, &at, TICKS0 + 5) == 5, "nothing at all: a tick is a nanosecond");
	ok(clock_monotonic(&clock, &at, TICKS0 - 5) == 0, "before the beginning of time is 0");
	clock_free(&clock);
}

static void garbage(void)
{
	const double hz = 2.4e9;
	struct fixture f;
	struct clock clock;
	int64_t worst = 0;

	fixture_make(&f, (uint64_t)hz);
	for (int i = 0; i < 20; i++) {
		uint64_t ticks = ticks_at(hz, i);
		uint64_t ns = ideal_ns(hz, ticks);

		if (i % 5 == 1)
			ns += 3 * SECOND;        /* a wrong moment */
		if (i % 5 == 3)
			ns = 0;                  /* and one that is none */
		add_anchor(&f, ticks, ns, 30);
	}
	add_anchor(&f, UINT64_MAX - 5, 17, 0);
	add_anchor(&f, ticks_at(hz, 20), ideal_ns(hz, ticks_at(hz, 20)) + 40000000, SECOND);
	clock_build(&clock, &f.ring);
	for (int i = 0; i < 2500; i++)
		worst = llabs(off(&clock, hz, i * 0.01)) > worst ? llabs(off(&clock, hz, i * 0.01)) : worst;
	ok(worst <= 1, "garbage among the anchors is dropped (%" PRId64 ")", worst);
	ok(clock.dropped == 10 && clock.used == 12, "garbage is counted: %u dropped, %u used", clock.dropped, clock.used);
	clock_free(&clock);
	/* The header's rate is nonsense, the anchors are not. */
	fixture_make(&f, 12345678);
	for (int i = 0; i < 10; i++)
		add_anchor(&f, ticks_at(hz, i), ideal_ns(hz, ticks_at(hz, i)), 30);
	clock_build(&clock, &f.ring);
	ok(llabs(off(&clock, hz, 4.5)) <= 1 && clock.used == 10, "a wrong tick_hz: the anchors win");
	clock_free(&clock);
}

/* A clock that is being slewed, with anchors that jitter: the map never falls, ends and all. */
static void monotone(void)
{
	struct fixture f;
	struct clock clock;
	uint64_t ticks = TICKS0, ns = MONO0, last = 0, state = 1234567;
	int falls = 0;
	uint32_t at = 0;

	fixture_make(&f, 1000000000);
	for (int i = 0; i < 100; i++) {
		state = state * 6364136223846793005ull + 1442695040888963407ull;
		add_anchor(&f, ticks, ns + (state >> 33) % 2000, 1000);
		ticks += i % 7 ? 1000000000 : 900;
		ns += i % 7 ? 1000000000 + (state >> 40) % 500000 : 900;
	}
	clock_build(&clock, &f.ring);
	for (uint64_t t = TICKS0 - 100000; t < ticks + 100 * SECOND; t += 9999991) {
		uint64_t now = clock_monotonic(&clock, &at, t);

		falls += now < last;
		last = now;
	}
	for (uint32_t i = 0; i < clock.count; i++)
		for (int d = -2; d < 3; d++) {
			uint64_t a = clock_monotonic(&clock, &at, clock.pieces[i].ticks + (uint64_t)d);

			falls += a > clock_monotonic(&clock, &at, clock.pieces[i].ticks + (uint64_t)d + 1);
		}
	ok(!falls, "never falls, not at a joint either (%d)", falls);
	clock_free(&clock);
}

/* The clock was set while the processes ran: no time goes back and all keep step. */
static void align(void)
{
	struct fixture a, b, c;
	struct clock ca, cb, cc, *clocks[] = { &ca, &cb, &cc };
	const struct ring *rings[] = { &a.ring, &b.ring, &c.ring };
	uint32_t at = 0, other = 0;

	fixture_make(&a, SECOND);
	fixture_make(&b, SECOND);
	fixture_make(&c, SECOND);
	strcpy(c.ring.header.boot_id, "boot-2");
	for (uint64_t i = 0; i < 9; i++) {
		add_anchor(&a, TICKS0 + i * SECOND, MONO0 + i * SECOND, 20);
		add_anchor(&b, TICKS0 + i * SECOND, MONO0 + i * SECOND, 20);
		add_anchor(&c, TICKS0 + i * SECOND, MONO0 + i * SECOND, 20);
		if (i >= 3)
			a.anchors[i].realtime_ns -= 3600 * SECOND; /* an hour back */
		if (i >= 3)
			b.anchors[i].realtime_ns -= 3600 * SECOND;
		c.anchors[i].realtime_ns += 5;
	}
	b.ring.anchor_count = 4; /* ended soon after: alone it would take the other side */
	clock_build(&ca, &a.ring);
	clock_build(&cb, &b.ring);
	clock_build(&cc, &c.ring);
	ok(!clock_align(clocks, rings, 3), "aligns");
	ok(ca.to_realtime == cb.to_realtime, "rings of one boot have one offset");
	ok(ca.to_realtime == (int64_t)(REAL0 - MONO0 - 3600 * SECOND), "it is what most anchors say");
	ok(cc.to_realtime == (int64_t)(REAL0 - MONO0 + 5), "another boot has its own");
	ok(clock_realtime(&ca, &at, TICKS0 + 5) == clock_realtime(&cb, &other, TICKS0 + 5), "the same moment in both");
	ok(clock_realtime(&ca, &at, TICKS0 + 4 * SECOND) > clock_realtime(&ca, &at, TICKS0 + 2 * SECOND), "time goes on over the step");
	clock_free(&ca);
	clock_free(&cb);
	clock_free(&cc);
}

int main(void)
{
	exact("3 GHz", 2.9999e9);
	exact("24 MHz", 24e6);
	exact("1 GHz", 1e9);
	one_and_none();
	garbage();
	monotone();
	align();
	return done_testing();
}
