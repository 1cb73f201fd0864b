/*
 * steps.h - the steps of traced programs, with what only hindsight tells of them.
 *
 * vprof/steps.h finds steps while they happen; here the calls of a whole trace go through it, thread by
 * thread, and afterwards
 *   - ranges that name steps (execute_context_*, ProfilerStep#*) take the place of what was found
 *     wherever they were recorded: a step is then what begins in such a range;
 *   - loops that only wait are dropped where the same thread has steps with results: autotuning;
 *   - steps of a thread of like composition become classes, and a step far longer than its class an outlier;
 *   - classes are told apart: many alike in a row are decode-like, those between them prefill-like.
 *
 * MEMORY. About 200 bytes a step, some kilobytes for each thread that launches.
 */
#ifndef VPROF_TOOLS_STEPS_H
#define VPROF_TOOLS_STEPS_H

#include "tools/events.h"
#include "vprof/steps.h"

enum step_source { /* values of enum vprof_step_source, and */
	STEP_RANGE = 3,
};

enum step_sort {
	STEP_OTHER = 0,    /* nothing to tell it from the others by */
	STEP_PREFILL = 1,
	STEP_DECODE = 2,
};

struct step {
	struct vprof_step found;  /* times: CLOCK_REALTIME, ns */
	const struct trace_thread *thread;
	const struct range_name *range; /* of STEP_RANGE; NULL: the others */
	uint32_t number;          /* in its process, from 1 */
	uint32_t class;           /* index in steps.classes */
	uint8_t source;           /* enum vprof_step_source or step_source */
	uint8_t sort;             /* enum step_sort */
	uint8_t outlier;
};

struct step_class {
	const struct trace_thread *thread;
	uint32_t count, outliers;
	uint32_t runs;            /* how often one follows another sort of step */
	uint64_t median_ns, longest_ns;
	uint64_t work;            /* blocks, nodes of graphs included: of the first */
	uint8_t sort;
	struct vprof_step first;  /* its composition */
};

struct step_finder;

struct steps {
	const struct trace *trace;
	struct step *list;        /* by process, then by begin, after steps_finish() */
	size_t count;
	struct step_class *classes; /* most frequent first, likewise */
	uint32_t class_count;
	struct step_finder *finders; /* of threads that launch */
	uint32_t finder_count;
	struct step_mark *marks;  /* ranges that name steps */
	size_t mark_count;
	struct idmap nodes;       /* process << 32 | graph: index in graphs */
	struct step_graph *graphs;
	uint32_t graph_count;
	const char *range;        /* pattern of ranges that name steps; NULL: those above; "": none */
	int error;                /* -ENOMEM once memory was short */
	int whole;                /* steps_find() has looked at all records: what comes later is not looked at again */
};

/* `range`: see struct steps; stays the caller's. 0 or -ENOMEM; to be closed in both cases. */
int steps_open(struct steps *steps, const struct trace *trace, const char *range);
void steps_close(struct steps *steps);

/* A record, in order of time, with its times in ns. `name`: of a range. */
void steps_feed(struct steps *steps, struct trace_thread *thread, const struct vprof_slot *slot,
		uint64_t begin_ns, uint64_t end_ns, const struct range_name *name);

/* No more come. 0 or -ENOMEM. */
int steps_finish(struct steps *steps);

/* All three, for all records of the chosen processes whatever the filter's time; steps_close() is due in any case. */
int steps_find(struct steps *steps, struct trace *trace, const char *range);

/*
 * Leaves those with these numbers, first and last included; `from_ns` and `to_ns` are when the first of them
 * begins and the last one ends. Returns how many there were.
 */
size_t steps_choose(struct steps *steps, uint32_t first, uint32_t last, uint64_t *from_ns, uint64_t *to_ns);

/* Puts them in order by process, thread, begin. Then: of those of `list[i]`'s process, are all its thread's? */
void steps_by_thread(struct steps *steps);
int steps_alone(const struct steps *steps, size_t i);

static inline uint64_t step_ns(const struct step *step)
{
	return step->found.end - step->found.begin;
}

const char *step_source_name(const struct step *step); /* "range", "results", "waits" */
const char *step_sort_name(uint8_t sort);              /* "prefill", "decode", "step" */

/* What it consists of, for people: "1 graph + 17 launches". Returns text. */
char *step_shape(const struct vprof_step *step, char *text, size_t size);

#endif
