/*
 * steps_inner.h - what the parts of steps.c share.
 */
#ifndef VPROF_TOOLS_STEPS_INNER_H
#define VPROF_TOOLS_STEPS_INNER_H

#include "tools/steps.h"

struct step_finder {
	struct steps *steps;
	const struct trace_thread *thread;
	struct vprof_steps *machine;
	size_t mark;              /* the last range that names a step: its index in steps.marks + 1 */
	uint32_t results;         /* steps with results */
};

/* A range that names a step. */
struct step_mark {
	const struct trace_thread *thread;
	const struct range_name *name;
	uint64_t begin, end;
	uint64_t work;            /* when the first launch was made in it */
	uint32_t launches, graphs; /* made in it */
	int taken;                /* a step has its name */
};

struct step_graph {
	uint32_t nodes;
	uint64_t blocks;
};

/* Of a thread that launches or names steps; NULL: of another. */
struct step_finder *steps_finder(const struct steps *steps, const struct trace_thread *thread);

int steps_add(struct steps *steps, const struct step *step);

/* Everything of hindsight: ranges, classes, sorts, outliers, order and numbers. */
int steps_settle(struct steps *steps);
int steps_take_marks(struct steps *steps);

#endif
