/*
 * gpu_busy.h - how a GPU's time went: at work, in copies, idle, and how much at once.
 *
 * Work counts when it ran. Of launches that were measured that is known. Where a launch was not, gpu_queue.h says when
 * it is expected to have run: behind its call and what is ahead of it on its stream, between those that were measured,
 * for the mean of its kind. All of this together, of all streams, covers some of the time of each bin, and no moment of
 * it twice: that is what the device was at work. Where only copies and sets are, it was in copies; in what a launch is
 * expected to take those come last.
 *
 * Of kinds that were never measured nothing is known: at a time at which such launches were made, and as long as they
 * may have lasted, the device was at least as busy as it is said to be. Work that ran, or is expected to, behind the
 * end of what is looked at is in no bin, and told apart. A launch that has not ended is at work to the end. One that
 * was timed in a part of its nodes was at work all along, but for what the stamps took; of what is not known of it as
 * much is copies as the mean says.
 *
 * While recording was off (windows.h) launches are not known, so what is not known to be work is not idle either.
 *
 * MEMORY. Goes with the work, for no moment is to count twice and work comes stream by stream: 24 bytes for each
 * measured node, and each launch that is expected to have run, unless it begins when the one before it ended; 16 for
 * each measured launch. Room for both is doubled as they come. What gpu_queue.h takes comes on top. A ring of 52 MiB,
 * 300,000 launches of which all were measured, with 1.1 million nodes: 89 MiB at most.
 */
#ifndef VPROF_TOOLS_GPU_BUSY_H
#define VPROF_TOOLS_GPU_BUSY_H

#include "tools/events.h"
#include "tools/gpu_parts.h"
#include "tools/windows.h"

struct gpu_busy_bin {
	uint64_t launches, measured; /* launches that were made in it; those of which there are times */
	uint64_t covered;      /* those of kinds that were measured */
	uint64_t busy_ns, copy_ns; /* at work, measured or expected; of that with copies and sets alone */
	uint64_t seen_ns;      /* of busy_ns what was measured */
	uint64_t off_ns;       /* recording was off, and no work is known to have run */
};

struct gpu_busy {
	const struct trace_process *process;
	int32_t device;
	uint64_t launches, measured, covered; /* of those that were made in the time that is looked at */
	/* Of the measured ones: */
	uint64_t span_ns;      /* from each one's first work to its last */
	uint64_t busy_ns;      /* of that at work: the rest is what stamps took, for a node begins when the one
	                          before it was stamped, and no gap between them can be told from that */
	uint64_t copy_ns;      /* with copies and sets alone */
	uint64_t work_ns;      /* the sum of all pieces */
	uint32_t most;         /* pieces at once */
	struct gpu_parts parts; /* of a launch that was timed in part all of this is of that part */
	/* Between launches, where every one was measured, and while recording was on: */
	uint64_t gaps, idle_ns, longest_gap_ns;
	struct gpu_busy_bin *bins;
	uint64_t off_ns;       /* of all bins */
	struct windows_off off;
	uint64_t behind_ns;    /* at work behind the last bin, with what was launched before its end */
	struct gpu_busy_span *spans; /* inner: of each measured launch */
	size_t span_count;
	struct gpu_busy_piece *pieces; /* inner: of all work */
	size_t piece_count;
};

struct gpu_busy_list {
	struct gpu_busy *list;
	size_t count;
	uint64_t nowhere;      /* launches of which the device is not known: they are in none */
	uint64_t from_ns, bin_ns; /* CLOCK_REALTIME of the first bin; length of each */
	uint32_t bins;
};

/* All devices of the chosen processes, in `bins` equal parts of the time that is looked at. 0 or a negative errno;
   to be freed in both cases. */
int gpu_busy_make(struct gpu_busy_list *busy, struct trace *trace, uint32_t bins);
void gpu_busy_free(struct gpu_busy_list *busy);

#endif
