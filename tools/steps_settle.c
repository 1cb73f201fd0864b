/*
 * steps_settle.c - what only hindsight tells of steps.
 *
 * CLASSES. A step belongs to the first class of its thread whose composition is near: as many graphs,
 * an eighth more or fewer launches, a quarter more or fewer blocks. Exact sequences would not do: one
 * that decodes now and then copies a table more.
 *
 * SORTS. Of a server that answers with tokens, steps that decode are many alike in a row and each is
 * little work; one that takes up a prompt stands between them, copies more to the device, and is more
 * work. Where ranges name the steps their numbers tell; where all are of one class nothing does.
 *
 * OUTLIERS are twice as long as the median of their class, which has eight steps or more.
 */
#include "tools/steps_inner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/list.h"

enum {
	CLASSES = 64,      /* of a thread; what fits none of them is in the last */
	IN_A_ROW = 4,      /* alike, on average: decode-like */
	FEW = 8,           /* less tell nothing */
	PARTS = 3,         /* of a step, behind the first */
};

/* ---- which of the found steps hold ---- */

static int compare_steps(const struct step *x, const struct step *y, int by_thread)
{
	uint32_t one = x->thread->process->index, other = y->thread->process->index;

	if (one != other)
		return one < other ? -1 : 1;
	if (by_thread && x->thread != y->thread)
		return x->thread->index < y->thread->index ? -1 : 1;
	if (x->found.begin != y->found.begin)
		return x->found.begin < y->found.begin ? -1 : 1;
	return x->thread->index < y->thread->index ? -1 : x->thread->index > y->thread->index;
}

static int compare_in_thread(const void *a, const void *b)
{
	return compare_steps(a, b, 1);
}

static int compare_in_process(const void *a, const void *b)
{
	return compare_steps(a, b, 0);
}

static void order(struct steps *steps, int (*compare)(const void *, const void *))
{
	if (steps->count)
		qsort(steps->list, steps->count, sizeof(*steps->list), compare);
}

/* Steps of a loop that only waits, of a thread that has steps with results, unless these lie within the loop. */
static void drop_waits(struct steps *steps)
{
	size_t kept = 0;

	for (size_t i = 0, end; i < steps->count; i = end) {
		const struct step *step = &steps->list[i];
		int fetched = 0;

		for (end = i; end < steps->count && steps->list[end].thread == step->thread &&
			      steps->list[end].source == step->source; end++)
			fetched |= steps->list[end].found.fetched;
		if (step->source == VPROF_STEP_WAITS && !fetched && steps_finder(steps, step->thread)->results)
			continue;
		memmove(steps->list + kept, steps->list + i, (end - i) * sizeof(*steps->list));
		kept += end - i;
	}
	steps->count = kept;
}

/* ---- parts of steps ---- */

/* Behind step `i`, which takes something in, how many of its thread take nothing in. */
static size_t parts_behind(const struct steps *steps, size_t i)
{
	size_t end = i + 1;

	while (end < steps->count && steps->list[end].thread == steps->list[i].thread &&
	       steps->list[end].source == VPROF_STEP_RESULTS && !steps->list[end].found.copies_in)
		end++;
	return end - i - 1;
}

/* The steps of one thread, [from, to): the one number of parts behind nearly all that take something in; else 0. */
static size_t parts_of(const struct steps *steps, size_t from, size_t to)
{
	size_t inputs = 0, alike = 0, parts = 0;

	for (size_t i = from; i < to; i++) {
		size_t behind;

		if (!steps->list[i].found.copies_in)
			continue;
		behind = parts_behind(steps, i);
		if (!parts)
			parts = behind;
		inputs++;
		alike += behind == parts;
	}
	return inputs >= FEW && parts <= PARTS && alike >= inputs - inputs / 16 - 1 ? parts : 0;
}

/*
 * A loop may look at results more than once in a turn: at a norm behind the gradients, at the loss
 * behind the optimizer. Then only the first part of a turn takes something in, and the others, always as many,
 * belong to it.
 */
static void join_parts(struct steps *steps)
{
	size_t kept = 0;

	for (size_t from = 0, to; from < steps->count; from = to) {
		size_t parts, left = 0;

		for (to = from; to < steps->count && steps->list[to].thread == steps->list[from].thread; to++)
			;
		parts = parts_of(steps, from, to);
		for (size_t i = from; i < to; i++) {
			if (left && !steps->list[i].found.copies_in) {
				vprof_step_join(&steps->list[kept - 1].found, &steps->list[i].found);
				left--;
				continue;
			}
			left = steps->list[i].found.copies_in ? parts : 0;
			steps->list[kept++] = steps->list[i];
		}
	}
	steps->count = kept;
}

static void number_steps(struct steps *steps)
{
	uint32_t number = 0;

	for (size_t i = 0; i < steps->count; i++) {
		if (i && steps->list[i].thread->process != steps->list[i - 1].thread->process)
			number = 0;
		steps->list[i].number = ++number;
	}
}

/* ---- classes ---- */

static int near(uint64_t a, uint64_t b, uint64_t part, uint64_t least)
{
	uint64_t more = a > b ? a : b, less = a > b ? b : a;

	return more - less <= more / part || more - less <= least;
}

static int is_like(const struct step_class *class, const struct step *step)
{
	const struct vprof_step *one = &class->first, *other = &step->found;

	return class->thread == step->thread && one->graphs == other->graphs &&
	       near(one->launches, other->launches, 8, 2) && near(one->blocks, other->blocks, 4, 16) &&
	       near(one->copies_in, other->copies_in, 4, 1) &&
	       one->captures == other->captures;
}

static int classify(struct steps *steps, struct step *step)
{
	uint32_t of_thread = 0, i;

	for (i = 0; i < steps->class_count; i++) {
		of_thread += steps->classes[i].thread == step->thread;
		if (is_like(&steps->classes[i], step) ||
		    (of_thread == CLASSES && steps->classes[i].thread == step->thread))
			break;
	}
	if (i == steps->class_count) {
		if (list_grow(steps->classes, i))
			return -ENOMEM;
		steps->classes[i] = (struct step_class){ .thread = step->thread, .first = step->found,
							 .work = step->found.blocks };
		steps->class_count++;
	}
	step->class = i;
	steps->classes[i].count++;
	return 0;
}

struct class_time {
	uint64_t ns;
	uint32_t class;
};

static int compare_times(const void *a, const void *b)
{
	const struct class_time *x = a, *y = b;

	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

static int measure(struct steps *steps)
{
	struct class_time *times = calloc(steps->count + 1, sizeof(*times));

	if (!times)
		return -ENOMEM;
	for (size_t i = 0; i < steps->count; i++)
		times[i] = (struct class_time){ step_ns(&steps->list[i]), steps->list[i].class };
	qsort(times, steps->count, sizeof(*times), compare_times);
	for (size_t i = 0; i < steps->count; i += steps->classes[times[i].class].count) {
		struct step_class *class = &steps->classes[times[i].class];

		class->median_ns = times[i + class->count / 2].ns;
		class->longest_ns = times[i + class->count - 1].ns;
	}
	free(times);
	for (size_t i = 0; i < steps->count; i++) {
		struct step *step = &steps->list[i];
		struct step_class *class = &steps->classes[step->class];

		step->outlier = class->count >= FEW && step_ns(step) > 2 * class->median_ns;
		class->outliers += step->outlier;
	}
	return 0;
}

/* ---- sorts ---- */

static void count_runs(struct steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		const struct step *step = &steps->list[i];

		if (!i || steps->list[i - 1].class != step->class || steps->list[i - 1].thread != step->thread)
			steps->classes[step->class].runs++;
	}
}

/* The least work among classes that come in a row: a step that decodes. 0: there is none. */
static const struct step_class *decoding(const struct steps *steps, const struct trace_thread *thread)
{
	const struct step_class *least = NULL;

	for (uint32_t c = 0; c < steps->class_count; c++) {
		const struct step_class *class = &steps->classes[c];

		if (class->thread != thread || class->count < IN_A_ROW * class->runs)
			continue;
		/* Whole graphs are what decoding is captured for. */
		if (!least || (class->first.graphs && !least->first.graphs) ||
		    (!class->first.graphs == !least->first.graphs && class->work < least->work))
			least = class;
	}
	return least;
}

static uint8_t sort_of(const struct step_class *class, const struct step_class *least)
{
	int much = least->work && class->work > 4 * least->work;
	int alike = class->first.copies_in <= least->first.copies_in + 1 && near(class->work, least->work, 4, 0);

	/* Whoever makes graphs does so once, whatever the step is else. */
	if (class->first.captures)
		return STEP_OTHER;
	if (class == least || (class->first.graphs == least->first.graphs && !much))
		return STEP_DECODE;
	if (class->count >= IN_A_ROW * class->runs)
		return much && least->first.graphs && class->first.graphs ? STEP_PREFILL : STEP_DECODE;
	return alike ? STEP_DECODE : STEP_PREFILL;
}

static void sort_classes(struct steps *steps, const struct trace_thread *thread)
{
	const struct step_class *least = decoding(steps, thread);
	int prefill = 0;

	for (uint32_t c = 0; least && c < steps->class_count; c++)
		if (steps->classes[c].thread == thread) {
			steps->classes[c].sort = sort_of(&steps->classes[c], least);
			prefill |= steps->classes[c].sort == STEP_PREFILL;
		}
	for (uint32_t c = 0; !prefill && c < steps->class_count; c++)
		if (steps->classes[c].thread == thread)
			steps->classes[c].sort = STEP_OTHER;
}

/* Numbers in the name of a range tell more than its composition. */
static uint8_t sort_by_name(const struct step *step)
{
	unsigned prompts;

	if (!step->range || sscanf(step->range->text, "execute_context_%u", &prompts) != 1)
		return STEP_OTHER;
	return prompts ? STEP_PREFILL : STEP_DECODE;
}

static void sort_steps(struct steps *steps)
{
	count_runs(steps);
	for (uint32_t f = 0; f < steps->finder_count; f++)
		sort_classes(steps, steps->finders[f].thread);
	for (size_t i = 0; i < steps->count; i++) {
		struct step *step = &steps->list[i];

		step->sort = sort_by_name(step);
		if (step->sort == STEP_OTHER)
			step->sort = steps->classes[step->class].sort;
	}
}

int steps_settle(struct steps *steps)
{
	int error = 0;

	order(steps, compare_in_thread);
	drop_waits(steps);
	join_parts(steps);
	error = steps_take_marks(steps);
	if (error)
		return error;
	order(steps, compare_in_process);
	number_steps(steps);
	for (size_t i = 0; !error && i < steps->count; i++)
		error = classify(steps, &steps->list[i]);
	if (!error)
		error = measure(steps);
	if (!error)
		sort_steps(steps);
	return error;
}

void steps_by_thread(struct steps *steps)
{
	order(steps, compare_in_thread);
}

static int is_neighbour(const struct steps *steps, const struct step *step, size_t i)
{
	return i < steps->count && steps->list[i].thread->process == step->thread->process;
}

int steps_alone(const struct steps *steps, size_t i)
{
	const struct step *step = &steps->list[i];
	size_t end = i;

	while (end < steps->count && steps->list[end].thread == step->thread)
		end++;
	while (i && steps->list[i - 1].thread == step->thread)
		i--;
	return !is_neighbour(steps, step, end) && !is_neighbour(steps, step, i - 1);
}

/* ---- words ---- */

const char *step_source_name(const struct step *step)
{
	return step->source == STEP_RANGE ? "range" : step->source == VPROF_STEP_RESULTS ? "results" : "waits";
}

const char *step_sort_name(uint8_t sort)
{
	return sort == STEP_PREFILL ? "prefill" : sort == STEP_DECODE ? "decode" : "step";
}

char *step_shape(const struct vprof_step *step, char *text, size_t size)
{
	if (step->graphs)
		snprintf(text, size, "%u %s + %u %s", step->graphs, cli_word(step->graphs, "graph", "graphs"),
			 step->launches, cli_word(step->launches, "launch", "launches"));
	else
		snprintf(text, size, "%u %s", step->launches, cli_word(step->launches, "launch", "launches"));
	return text;
}
