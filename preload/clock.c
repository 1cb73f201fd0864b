/*
 * clock.c - the choice of the tick counter, and anchors that tie it to the clocks.
 */
#include "preload/clock.h"
#include "preload/process.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#endif

uint32_t vprof_clock = VPROF_CLOCK_MONOTONIC;

#if defined(__x86_64__)
/* Invariant: same rate in every power state and on every core. */
static int tsc_is_invariant(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}

/*
 * The kernel takes the counter off its list when it has found that it is not to be relied on. Which clock
 * of the list it uses (kvm-clock, a choice at boot) says nothing of that. No list: no objection.
 */
static int kernel_trusts_tsc(void)
{
	char list[256], *word, *rest = list;
	int cancel, unused;
	size_t length;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	length = vprof_read_file("/sys/devices/system/clocksource/clocksource0/available_clocksource", list,
				 sizeof(list));
	pthread_setcancelstate(cancel, &unused);
	if (!length)
		return 1;
	while ((word = strsep(&rest, " \n")))
		if (!strcmp(word, "tsc"))
			return 1;
	return 0;
}
#endif

/* Once for a process and its children: ranges that are open have times of the clock that was chosen. */
void vprof_clock_init(void)
{
#if defined(__x86_64__)
	static int chosen;
	int saved = errno;

	if (__atomic_load_n(&chosen, __ATOMIC_ACQUIRE))
		return;
	if (tsc_is_invariant() && kernel_trusts_tsc())
		vprof_clock = VPROF_CLOCK_TSC;
	__atomic_store_n(&chosen, 1, __ATOMIC_RELEASE);
	errno = saved;
#elif defined(__aarch64__)
	vprof_clock = VPROF_CLOCK_CNTVCT;
#endif
}

uint64_t vprof_clock_hz(void)
{
	enum { SPAN_NS = 50000 };
	uint64_t ns0, ns1, t0, t1;

	if (vprof_clock == VPROF_CLOCK_MONOTONIC)
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
