/*
 * gpu_top.h - where the time of the GPUs goes: kernels, copies and sets by their time, and how sure that is.
 *
 * Some launches were measured, some of these in a part of their nodes; all of them are known. What the others took is
 * estimated: of each kind of launch (a graph, an eager kernel; in a stream, a range, … where rows are apart by
 * these) the mean of the executions that were measured, times how many there were. The unit is the launch, for the
 * nodes of one replay are no samples independent of each other; of what is put onto streams it is the window in
 * which that was timed. The interval is that of 95 %, by Student's t; a kind that was never measured is in no
 * total and lowers the coverage.
 *
 * A graph of which only the whole was measured is a row of its own.
 */
#ifndef VPROF_TOOLS_GPU_TOP_H
#define VPROF_TOOLS_GPU_TOP_H

#include "tools/events.h"
#include "tools/gpu_parts.h"

enum gpu_top_per {
	GPU_TOP_ALL, GPU_TOP_PROCESS, GPU_TOP_ROLE, GPU_TOP_DEVICE, GPU_TOP_STREAM, GPU_TOP_GRAPH, GPU_TOP_STEP,
	GPU_TOP_RANGE,
};

struct gpu_top_row {
	char *name;            /* of a kernel: mangled */
	uint32_t group;        /* index in groups */
	int is_kernel;
	uint32_t *ns;          /* of each that was measured, shortest first */
	size_t samples;
	uint64_t measured_ns;  /* their sum */
	uint64_t count;        /* executions, measured or not */
	uint64_t covered;      /* those of kinds of launches of which some were measured */
	double total_ns;       /* of the covered ones, estimated */
	double margin_squared; /* of that: half the interval's length; infinite: too few to say */
};

struct gpu_top {
	struct gpu_top_row *rows; /* by total, after gpu_top_make() */
	size_t count;
	char **groups;
	uint32_t group_count;
	double total_ns;       /* of all rows */
	uint64_t launches, measured; /* that made a GPU do something; of which there are times */
	struct gpu_parts parts_timed; /* of these, those of which there are in part */

	/* Inner: while counting. */
	struct trace *trace;
	enum gpu_top_per per;
	struct idmap group_ids, row_ids, cell_ids, part_ids;
	struct gpu_top_cell *cells;
	struct gpu_top_part *parts;
	size_t cell_count, part_count;
};

/* Does any ring of the trace have times of a GPU? */
int gpu_top_has(const struct trace *trace);

/* "process", … into `per`; 0 or -EINVAL. */
int gpu_top_per(const char *word, enum gpu_top_per *per);
extern const char gpu_top_words[]; /* "process, role, …" */

/* Reads all of `trace`. 0 or a negative errno; to be freed in both cases. */
int gpu_top_make(struct gpu_top *top, struct trace *trace, enum gpu_top_per per);
void gpu_top_free(struct gpu_top *top);

/* Of those that were measured, the one that `part` of 1 are not longer than. 0 without any. */
uint32_t gpu_top_rank(const struct gpu_top_row *row, double part);
/* Half of the interval in which the total lies 19 times in 20; negative: too few to say. */
double gpu_top_margin(const struct gpu_top_row *row);

/* Prints `rows` of them (0: all); `full`: whole names. The JSON object is left open, for what the caller adds. */
struct gpu_top_view {
	size_t rows;
	int full, raw, json, csv;
};
int gpu_top_print(const struct gpu_top *top, const struct gpu_top_view *view);

#endif
