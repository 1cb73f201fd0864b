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
