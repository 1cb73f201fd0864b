/*
 * clock.c - the choice of the tick counter, and anchors that tie it to the clocks.
 */
#include "preload/clock.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

void vprof_clock_init(void)
{
#if defined(__x86_64__)
	unsigned a, b, c, d;

	/* Invariant: same rate in every power state and on every core. */
	if (__get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8))
		vprof_state.clock = VPROF_CLOCK_TSC;
#elif defined(__aarch64__)
	vprof_state.clock = VPROF_CLOCK_CNTVCT;
#endif
}

uint64_t vprof_clock_hz(void)
{
	enum { SPAN_NS = 50000 };
	uint64_t ns0, ns1, t0, t1;

	if (vprof_state.clock == VPROF_CLOCK_MONOTONIC)
		return 1000000000u;
	ns0 = vprof_clock_ns(CLOCK_MONOTONIC);
	t0 = vprof_ticks();
	do {
		ns1 = vprof_clock_ns(CLOCK_MONOTONIC);
		t1 = vprof_ticks();
	} while (ns1 - ns0 < SPAN_NS);
	return (uint64_t)((double)(t1 - t0) * 1e9 / (double)(ns1 - ns0));
}

/*
 * The clocks are read between two reads of the counter; the shortest of a few
 * such brackets has been disturbed least, and half of it bounds the error.
 */
void vprof_clock_anchor(struct vprof_anchor *anchor)
{
	uint64_t best = UINT64_MAX, start_ns = vprof_clock_ns(CLOCK_MONOTONIC), start = vprof_ticks();

	for (int i = 0; i < 5; i++) {
		uint64_t t0 = vprof_ticks();
		uint64_t mono = vprof_clock_ns(CLOCK_MONOTONIC);
		uint64_t real = vprof_clock_ns(CLOCK_REALTIME);
		uint64_t t1 = vprof_ticks();

		if (t1 - t0 >= best)
			continue;
		best = t1 - t0;
		anchor->ticks = t0 + best / 2;
		anchor->monotonic_ns = mono;
		anchor->realtime_ns = real;
	}
	/* The bracket in ns, from the rate seen over these few reads. */
	start_ns = vprof_clock_ns(CLOCK_MONOTONIC) - start_ns;
	start = vprof_ticks() - start;
	anchor->error_ns = start ? best * start_ns / start / 2 : 0;
}
