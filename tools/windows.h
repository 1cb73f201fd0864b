/*
 * windows.h - the stretches in which a process recorded, as its ring tells them (vprof/ring_control.h).
 *
 * A ring keeps the newest VPROF_WINDOWS. They follow each other; of damaged ones only those are given that do.
 */
#ifndef VPROF_TOOLS_WINDOWS_H
#define VPROF_TOOLS_WINDOWS_H

#include "tools/clock.h"
#include "tools/ring.h"

struct windows {
	uint64_t first;        /* number of the first, from 1 */
	uint32_t count;
	struct vprof_window list[VPROF_WINDOWS]; /* stop_ticks 0: it had not ended, the last one alone */
};

/* Of a ring whose live page was read; none of one that knows no windows. Of a copy: as of its moment. */
void windows_read(struct windows *windows, const struct ring *ring);

/*
 * The other way: stretches in which a process is known not to have recorded, in ns of CLOCK_REALTIME, one after the
 * other. Of what lies before the windows that a ring has kept nothing is known, and none is told.
 */
struct windows_off {
	uint32_t count;
	struct {
		uint64_t from_ns, to_ns; /* UINT64_MAX: up to now */
	} list[VPROF_WINDOWS + 1];
};

void windows_off(struct windows_off *off, const struct ring *ring, const struct clock *clock);

/* "begin", "request", "word", "profiler", "range", "time", "launches", "steps", "bytes" */
const char *window_reason_text(uint16_t reason);

#endif
