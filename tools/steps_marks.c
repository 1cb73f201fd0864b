/*
 * steps_marks.c - steps that the program names itself, by ranges.
 *
 * From the first such range of a thread to the end of its last one, steps are what the ranges say. A
 * range belongs to the found step in which its first launch was made: programs enter it a little
 * before or behind what begins the step. A step with several is divided, one with none is dropped,
 * and a range without a step is one. A range in which nothing was launched says nothing.
 */
#include "tools/steps_inner.h"

#include <stdlib.h>

static int compare_marks(const void *a, const void *b)
{
	const struct step_mark *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread->process->index != y->thread->process->index ?
		       (x->thread->process->index < y->thread->process->index ? -1 : 1) :
		       (x->thread->index < y->thread->index ? -1 : 1);
	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* vLLM enters its range also when nothing is scheduled. */
static int is_empty(const struct step_mark *mark)
{
	return !mark->launches && !mark->graphs;
}

static int add_marked(struct steps *steps, struct step_mark *mark, uint64_t end)
{
	struct step step = { .thread = mark->thread, .range = mark->name, .source = STEP_RANGE };

	step.found.begin = mark->begin;
	step.found.end = end;
	step.found.launches = mark->launches;
	step.found.graphs = mark->graphs;
	mark->taken = 1;
	return steps_add(steps, &step);
}

/* The marks of one thread, in order. */
struct marks {
	struct step_mark *list;
	size_t count;
};

/* Index of the first mark whose work begins at `ns` or later, in those that have any. */
static size_t mark_from(const struct marks *marks, uint64_t ns)
{
	size_t low = 0, high = marks->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (marks->list[middle].work < ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The step takes the first mark's name, and ends where the next begins. */
static int mark_step(struct steps *steps, size_t index, const struct marks *marks, size_t at, uint64_t end)
{
	struct step *step = &steps->list[index];
	int error = 0;

	step->range = marks->list[at].name;
	step->source = STEP_RANGE;
	marks->list[at].taken = 1;
	if (marks->list[at].begin < step->found.begin)
		step->found.begin = marks->list[at].begin;
	for (at++; !error && at < marks->count && marks->list[at].work <= end; at++) {
		step = &steps->list[index];
		/* Ranges of a program are what it likes: one may begin before the step, or within another. */
		step->found.end = marks->list[at].begin > step->found.begin ? marks->list[at].begin : step->found.begin;
		error = add_marked(steps, &marks->list[at], end);
		index = steps->count - 1;
	}
	return error;
}

/* Looks at the first `found` steps: the others were added here. */
static int take_thread(struct steps *steps, size_t found, const struct marks *marks)
{
	const struct trace_thread *thread = marks->list[0].thread;
	const struct step_mark *last = &marks->list[marks->count - 1];
	int error = 0;

	for (size_t i = 0; !error && i < found; i++) {
		struct step *step = &steps->list[i];
		uint64_t begin = step->found.begin, end = step->found.end;
		size_t at;

		if (step->thread != thread || end < marks->list[0].begin || begin > last->end)
			continue;
		at = mark_from(marks, begin);
		if (at < marks->count && marks->list[at].work <= end)
			error = mark_step(steps, i, marks, at, end);
		else
			step->found.begin = step->found.end = 0; /* dropped below */
	}
	return error;
}

static void drop_empty(struct steps *steps)
{
	size_t kept = 0;

	for (size_t i = 0; i < steps->mark_count; i++)
		if (!is_empty(&steps->marks[i]))
			steps->marks[kept++] = steps->marks[i];
	steps->mark_count = kept;
}

int steps_take_marks(struct steps *steps)
{
	size_t found = steps->count, kept = 0;
	int error = 0;

	drop_empty(steps);
	if (steps->mark_count)
		qsort(steps->marks, steps->mark_count, sizeof(*steps->marks), compare_marks);
	for (size_t i = 0, end; !error && i < steps->mark_count; i = end) {
		struct marks marks = { steps->marks + i, 0 };

		for (end = i; end < steps->mark_count && steps->marks[end].thread == steps->marks[i].thread; end++)
			marks.count++;
		error = take_thread(steps, found, &marks);
	}
	for (size_t i = 0; i < steps->count; i++)
		if (steps->list[i].found.begin)
			steps->list[kept++] = steps->list[i];
	steps->count = kept;
	for (size_t i = 0; !error && i < steps->mark_count; i++) {
		struct step_mark *mark = &steps->marks[i];

		if (!mark->taken)
			error = add_marked(steps, mark, mark->end);
	}
	return error;
}
