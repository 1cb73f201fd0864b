/*
 * verify_rows.c - see the header. Executions are sorted so that each row's stand together, and so are
 * the rows of all runs.
 */
#include "tools/verify_rows.h"

#include <errno.h>
#include <stdlib.h>
#include "tools/list.h"

enum { GOOD_NS = 200, GOOD_PERCENT = 5 };

static int compare_shapes(const struct verify_shape *a, const struct verify_shape *b)
{
	int order = 0;

	for (int i = 0; !order && i < 3; i++)
		order = VERIFY_ORDER(a->grid[i], b->grid[i]);
	for (int i = 0; !order && i < 3; i++)
		order = VERIFY_ORDER(a->block[i], b->block[i]);
	return order;
}

/* What executions of one row have in common. */
struct key {
	int kind;
	uint32_t name, graph;
	const struct verify_shape *shape;
};

/* Of an execution, or of a row. */
#define KEY(of) (struct key){ (int)(of)->kind, (of)->name, (of)->graph, &(of)->shape }

static int compare_keys(struct key a, struct key b)
{
	int order = VERIFY_ORDER(a.kind, b.kind);

	if (!order)
		order = VERIFY_ORDER(a.name, b.name);
	if (!order)
		order = compare_shapes(a.shape, b.shape);
	return order ? order : VERIFY_ORDER(a.graph, b.graph);
}

/* ---- the rows of a run ---- */

static int compare_ops(const void *left, const void *right)
{
	const struct verify_op *a = left, *b = right;
	int order = compare_keys(KEY(a), KEY(b));

	return order ? order : VERIFY_ORDER(a->start_ns, b->start_ns);
}

static int compare_numbers(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return VERIFY_ORDER(*a, *b);
}

/* Of an even number the mean of the two in the middle. */
static int64_t median(int64_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare_numbers);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* The class that most of them are of, and how many. */
static void find_class(struct verify_times *times, const struct verify_op *ops, size_t count)
{
	size_t of[VPROF_STAMP_CLASSES] = { 0 };

	for (size_t i = 0; i < count; i++)
		if (ops[i].class < VPROF_STAMP_CLASSES)
			of[ops[i].class]++;
	for (uint16_t class = 1; class < VPROF_STAMP_CLASSES; class++)
		if (of[class] > of[times->class])
			times->class = class;
	times->of_class = of[times->class];
}

/* What `count` executions of one row took in one run; `scratch` has room for as many. */
static struct verify_times times_of(const struct verify_op *ops, size_t count, uint32_t run, int64_t *scratch)
{
	struct verify_times times = { .count = count, .runs = 1u << run };

	find_class(&times, ops, count);
	for (size_t i = 0; i < count; i++) {
		scratch[i] = ops[i].taken_off;
		times.total_ns += ops[i].ns;
	}
	times.taken_off = median(scratch, count);
	for (size_t i = 0; i < count; i++)
		scratch[i] = (int64_t)ops[i].ns;
	times.median_ns = times.medians_ns[run] = (uint64_t)median(scratch, count);
	return times;
}

static size_t length_of_row(const struct verify_ops *ops, size_t at)
{
	size_t end = at;

	while (end < ops->count && !compare_keys(KEY(&ops->list[at]), KEY(&ops->list[end])))
		end++;
	return end - at;
}

/* Takes the next row off both sides, those whose key is the lesser of the two. */
static void next_row(const struct verify *verify, size_t at[VERIFY_SIDES], const struct verify_style *style,
		     int64_t *scratch, struct verify_row *row)
{
	const struct verify_op *first = NULL;

	for (int side = 0; side < VERIFY_SIDES; side++) {
		const struct verify_ops *ops = &verify->ops[side];

		if (at[side] < ops->count && (!first || compare_keys(KEY(&ops->list[at[side]]), KEY(first)) < 0))
			first = &ops->list[at[side]];
	}
	*row = (struct verify_row){
		.kind = first->kind, .name = first->name, .graph = first->graph, .shape = first->shape,
	};
	for (int side = 0; side < VERIFY_SIDES; side++) {
		const struct verify_ops *ops = &verify->ops[side];
		size_t count, skipped;

		if (at[side] == ops->count || compare_keys(KEY(&ops->list[at[side]]), KEY(first)))
			continue;
		count = length_of_row(ops, at[side]);
		skipped = style->warm_up < count ? style->warm_up : count;
		if (count > skipped)
			row->side[side] = times_of(ops->list + at[side] + skipped, count - skipped, verify->runs,
						   scratch);
		at[side] += count;
	}
}

static int append_rows(struct verify *verify, const struct verify_style *style, int64_t *scratch)
{
	const struct verify_ops *ops = verify->ops;
	size_t at[VERIFY_SIDES] = { 0 };

	while (at[VERIFY_CUPTI] < ops[VERIFY_CUPTI].count || at[VERIFY_VPROF] < ops[VERIFY_VPROF].count) {
		struct verify_row *row;

		if (list_grow(verify->rows, verify->row_count))
			return -ENOMEM;
		row = &verify->rows[verify->row_count];
		next_row(verify, at, style, scratch, row);
		verify->row_count += row->side[VERIFY_CUPTI].count || row->side[VERIFY_VPROF].count;
	}
	return 0;
}

/* ---- the rows of all runs ---- */

static int compare_row_keys(const void *left, const void *right)
{
	const struct verify_row *a = left, *b = right;

	return compare_keys(KEY(a), KEY(b));
}

/* `more` is of other runs. */
static void add_times(struct verify_times *times, const struct verify_times *more)
{
	times->count += more->count;
	times->total_ns += more->total_ns;
	times->median_ns += more->median_ns;
	times->taken_off += more->taken_off;
	for (int run = 0; run < VERIFY_RUNS_MOST; run++)
		times->medians_ns[run] += more->medians_ns[run];
	times->runs |= more->runs;
	if (more->of_class > times->of_class) {
		times->class = more->class;
		times->of_class = more->of_class;
	}
}

/* Rows of one key become one. */
static void fold_rows(struct verify *verify)
{
	size_t kept = 0;

	qsort(verify->rows, verify->row_count, sizeof(*verify->rows), compare_row_keys);
	for (size_t i = 1; i < verify->row_count; i++) {
		if (compare_row_keys(&verify->rows[kept], &verify->rows[i]))
			verify->rows[++kept] = verify->rows[i];
		else
			for (int side = 0; side < VERIFY_SIDES; side++)
				add_times(&verify->rows[kept].side[side], &verify->rows[i].side[side]);
	}
	verify->row_count = kept + 1;
}

int verify_rows_add(struct verify *verify, const struct verify_style *style)
{
	size_t most = 0;
	int64_t *scratch;
	int error;

	for (int side = 0; side < VERIFY_SIDES; side++) {
		struct verify_ops *ops = &verify->ops[side];

		if (ops->count)
			qsort(ops->list, ops->count, sizeof(*ops->list), compare_ops);
		most = ops->count > most ? ops->count : most;
	}
	scratch = calloc(most + 1, sizeof(*scratch));
	if (!scratch)
		return -ENOMEM;
	error = append_rows(verify, style, scratch);
	free(scratch);
	if (verify->row_count)
		fold_rows(verify);
	return error;
}

/* ---- both sides ---- */

static int is_near(uint64_t ns, uint64_t truth)
{
	uint64_t bound = truth * GOOD_PERCENT / 100;

	return (ns < truth ? truth - ns : ns - truth) <= (bound < GOOD_NS ? GOOD_NS : bound);
}

static void take_means(struct verify_times *times)
{
	int runs = __builtin_popcount(times->runs);

	if (!runs)
		return;
	times->median_ns = (times->median_ns + (uint64_t)runs / 2) / (uint64_t)runs;
	times->taken_off /= runs;
}

static int is_good(const struct verify_row *row)
{
	return row->side[VERIFY_VPROF].count && row->side[VERIFY_CUPTI].count &&
	       is_near(row->side[VERIFY_VPROF].median_ns, row->side[VERIFY_CUPTI].median_ns);
}

static int is_steady(const struct verify_times *times, uint32_t runs)
{
	for (uint32_t run = 0; run < runs; run++)
		if (!(times->runs & 1u << run) || !is_near(times->medians_ns[run], times->median_ns))
			return 0;
	return 1;
}

/* Every sum is of GPU time by CUPTI. */
static void judge_row(struct verify *verify, struct verify_row *row)
{
	uint64_t weight = row->side[VERIFY_CUPTI].total_ns;

	for (int side = 0; side < VERIFY_SIDES; side++) {
		take_means(&row->side[side]);
		row->steady[side] = is_steady(&row->side[side], verify->runs);
		verify->steady_ns[side] += row->steady[side] ? weight : 0;
		verify->steady_count[side] += row->steady[side] && row->side[VERIFY_CUPTI].count;
	}
	row->good = is_good(row);
	verify->total_ns += weight;
	verify->good_ns += row->good ? weight : 0;
	verify->good_count += (size_t)row->good;
}

static int compare_weights(const void *left, const void *right)
{
	const struct verify_row *a = left, *b = right;
	int order = 0;

	for (int side = 0; !order && side < VERIFY_SIDES; side++)
		order = VERIFY_ORDER(b->side[side].total_ns, a->side[side].total_ns);
	return order ? order : compare_row_keys(a, b);
}

/* While rows of one name still stand together. */
static void mark_shaped(struct verify *verify)
{
	for (size_t at = 0, end; at < verify->row_count; at = end) {
		const struct verify_row *first = &verify->rows[at];
		int shaped = 0;

		for (end = at; end < verify->row_count; end++) {
			const struct verify_row *row = &verify->rows[end];

			if (row->kind != first->kind || row->name != first->name)
				break;
			shaped |= compare_shapes(&row->shape, &first->shape) != 0;
		}
		for (size_t i = at; i < end; i++)
			verify->rows[i].shaped = shaped;
	}
}

void verify_compare(struct verify *verify)
{
	for (size_t i = 0; i < verify->row_count; i++)
		judge_row(verify, &verify->rows[i]);
	mark_shaped(verify);
	if (verify->row_count)
		qsort(verify->rows, verify->row_count, sizeof(*verify->rows), compare_weights);
}
