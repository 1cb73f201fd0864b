/*
 * gpu_clock.h - from a GPU's clock to the host's.
 *
 * A tie says that the GPU's clock was read between two moments of the host, so each bounds the
 * difference of the clocks from both sides. Of many ties the narrowest are kept; the straight line with
 * the most room between all their bounds is the map, and half of that room its error. Where no line fits
 * (a clock that is being slewed), the time is cut in halves until lines do, or ties are few.
 */
#ifndef VPROF_TOOLS_GPU_CLOCK_H
#define VPROF_TOOLS_GPU_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct gpu_tie {
	uint64_t gpu;          /* ns of the GPU's clock */
	uint64_t from, to;     /* ns of the host's, CLOCK_REALTIME */
};

struct gpu_knot {
	uint64_t gpu;
	int64_t offset;        /* host - gpu, there; a line between knots, the same beyond them */
};

struct gpu_clock {
	struct gpu_knot *knots;
	uint32_t count;        /* 0: no tie; then the GPU's clock is taken for the host's */
	uint32_t ties, lines;
	uint64_t error_ns;     /* UINT64_MAX: not known */
	double drift;          /* of the longest line: seconds that it gains on the host a second */
};

/* Orders `ties` and leaves some of them out. 0 or -ENOMEM. */
int gpu_clock_build(struct gpu_clock *clock, struct gpu_tie *ties, size_t count);
void gpu_clock_free(struct gpu_clock *clock);

/* CLOCK_REALTIME of a moment of the GPU. */
uint64_t gpu_clock_host(const struct gpu_clock *clock, uint64_t gpu);

#endif
