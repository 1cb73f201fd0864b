/*
 * windows.c - see the header.
 */
#include "tools/windows.h"

const char *window_reason_text(uint16_t reason)
{
	static const char *const texts[] = {
		[VPROF_WINDOW_NONE] = "",
		[VPROF_WINDOW_BEGIN] = "begin",
		[VPROF_WINDOW_REQUEST] = "request",
		[VPROF_WINDOW_WORD] = "word",
		[VPROF_WINDOW_PROFILER] = "profiler",
		[VPROF_WINDOW_RANGE] = "range",
		[VPROF_WINDOW_TIME] = "time",
		[VPROF_WINDOW_LAUNCHES] = "launches",
		[VPROF_WINDOW_STEPS] = "steps",
		[VPROF_WINDOW_BYTES] = "bytes",
	};

	return reason < sizeof(texts) / sizeof(texts[0]) ? texts[reason] : "unknown";
}

/* A copy holds the live page of some milliseconds after its moment. */
static void cut(struct vprof_window *window, uint64_t at)
{
	if (at && window->start_ticks > at)
		window->start_ticks = 0;
	if (at && window->stop_ticks > at)
		window->stop_ticks = window->stopped = 0;
}

void windows_read(struct windows *windows, const struct ring *ring)
{
	const struct vprof_served *served = &ring->live.served;
	uint64_t all = ring->header.minor >= 2 ? served->window_count : 0, end = 0;
	uint64_t number = all > VPROF_WINDOWS ? all - VPROF_WINDOWS : 0;

	windows->first = number + 1;
	windows->count = 0;
	for (; number < all; number++) {
		struct vprof_window window = served->window[number % VPROF_WINDOWS];

		cut(&window, ring->header.cut_ticks);
		if (!window.start_ticks || window.start_ticks < end ||
		    (window.stop_ticks ? window.stop_ticks < window.start_ticks :
					 number + 1 < all && !ring->header.cut_ticks))
			break;
		end = window.stop_ticks;
		windows->list[windows->count++] = window;
		if (!end)
			break;
	}
}

static void add_off(struct windows_off *off, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns >= to_ns)
		return;
	off->list[off->count].from_ns = from_ns;
	off->list[off->count++].to_ns = to_ns;
}

/* Behind the last window: to the end of the process, after which it uses no GPU. */
static uint64_t last_ns(const struct ring *ring, const struct clock *clock, uint32_t *at)
{
	return ring->live.state == VPROF_RING_CLOSED ? clock_realtime(clock, at, ring->live.end_ticks) : UINT64_MAX;
}

void windows_off(struct windows_off *off, const struct ring *ring, const struct clock *clock)
{
	struct windows windows;
	uint64_t from = 0;
	uint32_t at = 0;

	off->count = 0;
	windows_read(&windows, ring);
	if (windows.first == 1 && windows.count && windows.list[0].started != VPROF_WINDOW_BEGIN)
		from = clock_realtime(clock, &at, ring->header.start_ticks);
	for (uint32_t i = 0; i < windows.count; i++) {
		const struct vprof_window *window = &windows.list[i];

		if (from)
			add_off(off, from, clock_realtime(clock, &at, window->start_ticks));
		from = window->stop_ticks ? clock_realtime(clock, &at, window->stop_ticks) : 0;
	}
	if (from)
		add_off(off, from, last_ns(ring, clock, &at));
}
