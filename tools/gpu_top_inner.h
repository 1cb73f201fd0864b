/*
 * gpu_top_inner.h - the parts that gpu_top.c and gpu_top_read.c share.
 *
 * A cell is one kind of launch in one group: how many there were, how many were measured. A part is what a
 * cell contributes to a row: sums of the time that each measured launch spent in it.
 */
#ifndef VPROF_TOOLS_GPU_TOP_INNER_H
#define VPROF_TOOLS_GPU_TOP_INNER_H

#include "tools/gpu_top.h"

#define NO_GROUP UINT32_MAX

struct gpu_top_cell {
	const struct trace_process *process;
	uint16_t kind;         /* enum vprof_kind of the launch */
	uint32_t object, group;
	uint64_t launches, measured;
	uint32_t wholes;       /* of the measured ones, those of which only the whole is known */
};

struct gpu_top_part {
	uint32_t cell, row;
	uint64_t unit;         /* whose time is being summed: a launch, or a window */
	double now_ns, now;    /* so far; in so many events */
	double units;          /* those before it: how many, */
	double sum, events;    /* both of all of them, */
	double squares, products, event_squares; /* the squares of each one's time, its time by its events, … */
	uint64_t count;        /* executions, measured or not */
};

/* What a launch, or a piece of work, is told apart by. */
struct gpu_top_origin {
	const struct trace_process *process;
	int64_t device;        /* -1: not known */
	uint64_t stream, thread; /* serial of who launched it */
	uint32_t stream_number;
	uint32_t graph;        /* definition; 0: none */
	const char *range, *step;
};

struct steps;

/* Index of its group, NO_GROUP without memory. */
uint32_t gpu_top_group(struct gpu_top *top, const struct gpu_top_origin *of);

/* Found or made; NULL: no memory. */
struct gpu_top_row *gpu_top_row_of(struct gpu_top *top, uint32_t group, const char *name, int is_kernel);
struct gpu_top_cell *gpu_top_cell_of(struct gpu_top *top, const struct trace_process *process, uint16_t kind,
				     uint32_t object, uint32_t group);
struct gpu_top_part *gpu_top_part_of(struct gpu_top *top, uint32_t cell, uint32_t row);

/* The unit whose time it was summing is whole. */
void gpu_top_settle(struct gpu_top_part *part);

/* Once all of its work is read: adds what it took, and how sure that is, to its row. */
void gpu_top_estimate(struct gpu_top *top, struct gpu_top_part *part);

/* Launches and measured work of one process. `events`: room for TRACE_CHUNK_EVENTS. 0 or a negative errno. */
int gpu_top_read(struct gpu_top *top, struct trace_process *process, struct steps *steps, struct event *events);

#endif
