/*
 * clock.c - the two clocks: the one the simulation runs by, and the GPU's.
 *
 * The simulation counts CLOCK_MONOTONIC nanoseconds. What a kernel reads as
 * %globaltimer follows the host's realtime clock, as on the real GPU: it is
 * the simulation's time, moved by how far the realtime clock was ahead when the
 * driver was loaded and by FAKECUDA_CLOCK_OFFSET_NS, run faster by
 * FAKECUDA_CLOCK_PPM since then, and cut down to whole steps of 32 ns. Both may
 * differ from device to device.
 */
#include <errno.h>
#include <sched.h>
#include <time.h>

#include "tests/fakecuda/fake.h"

enum { TIMER_STEP = 32 };

static uint64_t loaded_at; /* by fk_now; written once, before main */
static int64_t ahead;      /* the realtime clock, of fk_now, then */

static uint64_t read_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t fk_now(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

/* The tightest of a few tries tells best how far the two clocks are apart. */
__attribute__((constructor)) static void clock_tie(void)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 16; i++) {
		uint64_t before = fk_now(), real = read_ns(CLOCK_REALTIME), after = fk_now();

		if (after - before >= best)
			continue;
		best = after - before;
		loaded_at = before + best / 2;
		ahead = (int64_t)(real - loaded_at);
	}
}

uint64_t fk_globaltimer(CUdevice device, uint64_t at)
{
	int i = device < 0 || device >= FK_CLOCKS ? FK_CLOCKS - 1 : device;
	double since = (double)((int64_t)(at - loaded_at)) * fk_config.clock_ppm[i] / 1e6;
	uint64_t t = at + (uint64_t)ahead + (uint64_t)fk_config.clock_offset[i] + (uint64_t)(int64_t)since;

	return t / TIMER_STEP * TIMER_STEP;
}

/* Sleeps while far from the end, then yields: sleeping is only good to 0.1 ms. */
void fk_spend_until(uint64_t end)
{
	const uint64_t near = 150000;
	uint64_t now = fk_now();

	if (now + near < end) {
		uint64_t ns = end - now - near;
		struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) };

		while (nanosleep(&ts, &ts) && errno == EINTR)
			;
	}
	while (fk_now() < end)
		sched_yield();
}
