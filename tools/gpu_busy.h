/*
 * gpu_busy.h - how a GPU's time went: at work, in copies, idle, and how much at once.
 *
 * Of launches that were measured it is known when their work ran. When a launch was not, its time is
 * taken for the mean of those of its kind that were (a graph, a kernel, copies, sets), at the moment of the
 * launch, a graph's parts put together (what ran in two of them at once counts twice); of kinds that were never
 * measured nothing is known, and a time at which such launches were made is at least as busy as it is said to be.
 */
#ifndef VPROF_TOOLS_GPU_BUSY_H
#define VPROF_TOOLS_GPU_BUSY_H

#include "tools/events.h"
#include "tools/gpu_parts.h"

struct gpu_busy_bin {
	uint64_t launches, measured; /* launches that were made in it; work of which was measured */
	uint64_t covered;      /* those of kinds that were measured */
	double busy_ns, copy_ns; /* estimated; of the copies and sets only what ran alone */
	uint64_t seen_ns;      /* measured work in it */
};

struct gpu_busy {
	const struct trace_process *process;
	int32_t device;
	uint64_t launches, measured, covered;
	/* Of the measured launches: */
	uint64_t span_ns;      /* from each one's first work to its last */
	uint64_t busy_ns;      /* of that at work: the rest is what stamps took, for a node begins when the one
	                          before it was stamped, and no gap between them can be told from that */
	uint64_t copy_ns;      /* with copies and sets alone */
	uint64_t work_ns;      /* the sum of all pieces */
	uint32_t most;         /* pieces at once */
	struct gpu_parts parts; /* of a launch that was timed in part all of this is of that part */
	/* Between launches, where every one was measured: */
	uint64_t gaps, idle_ns, longest_gap_ns;
	struct gpu_busy_bin *bins;
	struct gpu_busy_span *spans; /* inner: of each measured launch */
	size_t span_count;
};

struct gpu_busy_list {
	struct gpu_busy *list;
	size_t count;
	uint64_t from_ns, bin_ns; /* CLOCK_REALTIME of the first bin; length of each */
	uint32_t bins;
};

/* All devices of the chosen processes, in `bins` equal parts of the time that is looked at. 0 or a negative errno;
   to be freed in both cases. */
int gpu_busy_make(struct gpu_busy_list *busy, struct trace *trace, uint32_t bins);
void gpu_busy_free(struct gpu_busy_list *busy);

#endif
