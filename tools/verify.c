/*
 * verify.c - see the header. Executions are sorted so that each row's stand together.
 */
#include "tools/verify.h"

#include <stdlib.h>
#include <string.h>
#include "tools/list.h"

enum { GOOD_NS = 200, GOOD_PERCENT = 5 };
enum { BLOCK_MOST = 1024 }; /* threads, of any GPU */

const char *const verify_kinds[VERIFY_KINDS] = { "kernel", "copy", "set" };

int verify_name(struct verify *verify, const char *text, uint32_t *name)
{
	uint64_t hash = 14695981039346656037ull;

	for (const char *p = text; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 1099511628211ull;
	/* Two texts of one hash stand at this number and the next. */
	while ((*name = idmap_get(&verify->by_name, hash)) != IDMAP_NONE) {
		if (!strcmp(verify->names[*name], text))
			return 0;
		hash++;
	}
	if (list_grow(verify->names, verify->name_count))
		return -ENOMEM;
	verify->names[verify->name_count] = strdup(text);
	if (!verify->names[verify->name_count])
		return -ENOMEM;
	*name = (uint32_t)verify->name_count++;
	return idmap_put(&verify->by_name, hash, *name);
}

static int is_possible(const struct verify_shape *shape)
{
	uint64_t threads = 1;

	for (int i = 0; i < 3; i++) {
		if (!shape->grid[i] || !shape->block[i] || shape->block[i] > BLOCK_MOST)
			return 0;
		threads *= shape->block[i];
	}
	return threads <= BLOCK_MOST;
}

int verify_add(struct verify *verify, enum verify_side side, const struct verify_op *op)
{
	struct verify_ops *ops = &verify->ops[side];

	if (list_grow(ops->list, ops->count))
		return -ENOMEM;
	ops->list[ops->count] = *op;
	if (op->kind != VERIFY_KERNEL || !is_possible(&op->shape))
		ops->list[ops->count].shape = (struct verify_shape){ 0 };
	ops->count++;
	return 0;
}

/* ---- graphs by their place in the order ---- */

#define ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

static int compare_starts(const void *left, const void *right)
{
	const struct verify_op *a = left, *b = right;

	return ORDER(a->start_ns, b->start_ns);
}

static int compare_graphs(const void *left, const void *right)
{
	const struct verify_op *a = left, *b = right;
	int order = ORDER(a->process, b->process);

	return order ? order : ORDER(a->graph, b->graph);
}

/* Processes by their first execution. */
static int order_processes(struct verify_ops *ops)
{
	struct idmap order = { 0 };
	uint32_t count = 0, place;
	int error = 0;

	if (ops->count)
		qsort(ops->list, ops->count, sizeof(*ops->list), compare_starts);
	for (size_t i = 0; !error && i < ops->count; i++) {
		place = idmap_get(&order, ops->list[i].process);
		if (place == IDMAP_NONE) {
			place = count++;
			error = idmap_put(&order, ops->list[i].process, place);
		}
		ops->list[i].process = place;
	}
	idmap_free(&order);
	return error;
}

/* Gives graphs the number that they have in this order; returns how many there are. */
static uint64_t order_graphs(struct verify_ops *ops)
{
	uint32_t process = 0, graph = 0, count = 0;

	if (ops->count)
		qsort(ops->list, ops->count, sizeof(*ops->list), compare_graphs);
	for (size_t i = 0; i < ops->count; i++) {
		struct verify_op *op = &ops->list[i];

		if (!op->graph)
			continue;
		if (!count || op->process != process || op->graph != graph)
			count++;
		process = op->process;
		graph = op->graph;
		op->graph = count;
	}
	return count;
}

static void forget_graphs(struct verify_ops *ops)
{
	for (size_t i = 0; i < ops->count; i++)
		ops->list[i].graph = 0;
}

/* ---- shapes ---- */

static int compare_shapes(const struct verify_shape *a, const struct verify_shape *b)
{
	int order = 0;

	for (int i = 0; !order && i < 3; i++)
		order = ORDER(a->grid[i], b->grid[i]);
	for (int i = 0; !order && i < 3; i++)
		order = ORDER(a->block[i], b->block[i]);
	return order;
}

/* Of each name that somewhere has none; 0 or -ENOMEM. */
static int forget_shapes(struct verify *verify)
{
	unsigned char *unknown = calloc(verify->name_count + 1, 1);

	if (!unknown)
		return -ENOMEM;
	for (int side = 0; side < VERIFY_SIDES; side++)
		for (size_t i = 0; i < verify->ops[side].count; i++) {
			const struct verify_op *op = &verify->ops[side].list[i];

			unknown[op->name] |= op->kind == VERIFY_KERNEL && !verify_shape_is_known(&op->shape);
		}
	for (int side = 0; side < VERIFY_SIDES; side++)
		for (size_t i = 0; i < verify->ops[side].count; i++)
			if (unknown[verify->ops[side].list[i].name])
				verify->ops[side].list[i].shape = (struct verify_shape){ 0 };
	free(unknown);
	return 0;
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

/* ---- rows ---- */

static int compare_keys(const struct verify_op *a, const struct verify_op *b)
{
	int order = ORDER(a->kind, b->kind);

	if (!order)
		order = ORDER(a->name, b->name);
	if (!order)
		order = compare_shapes(&a->shape, &b->shape);
	return order ? order : ORDER(a->graph, b->graph);
}

static int compare_ops(const void *left, const void *right)
{
	int order = compare_keys(left, right);

	return order ? order : compare_starts(left, right);
}

static int compare_numbers(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return ORDER(*a, *b);
}

/* Of an even number the mean of the two in the middle. */
static int64_t median(int64_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare_numbers);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* The class that most of them are of. */
static uint16_t class_of(const struct verify_op *ops, size_t count)
{
	size_t of[VPROF_STAMP_CLASSES] = { 0 };
	uint16_t most = 0;

	for (size_t i = 0; i < count; i++)
		if (ops[i].class < VPROF_STAMP_CLASSES)
			of[ops[i].class]++;
	for (uint16_t class = 1; class < VPROF_STAMP_CLASSES; class++)
		if (of[class] > of[most])
			most = class;
	return most;
}

/* What `count` executions of one row took; `scratch` has room for as many. */
static struct verify_times times_of(const struct verify_op *ops, size_t count, int64_t *scratch)
{
	struct verify_times times = { .count = count, .class = class_of(ops, count) };

	for (size_t i = 0; i < count; i++) {
		scratch[i] = ops[i].taken_off;
		times.total_ns += ops[i].ns;
	}
	times.taken_off = median(scratch, count);
	for (size_t i = 0; i < count; i++)
		scratch[i] = (int64_t)ops[i].ns;
	times.median_ns = (uint64_t)median(scratch, count);
	return times;
}

static size_t length_of_row(const struct verify_ops *ops, size_t at)
{
	size_t end = at;

	while (end < ops->count && !compare_keys(&ops->list[at], &ops->list[end]))
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

		if (at[side] < ops->count && (!first || compare_keys(&ops->list[at[side]], first) < 0))
			first = &ops->list[at[side]];
	}
	*row = (struct verify_row){
		.kind = first->kind, .name = first->name, .graph = first->graph, .shape = first->shape,
	};
	for (int side = 0; side < VERIFY_SIDES; side++) {
		const struct verify_ops *ops = &verify->ops[side];
		size_t count, skipped;

		if (at[side] == ops->count || compare_keys(&ops->list[at[side]], first))
			continue;
		count = length_of_row(ops, at[side]);
		skipped = style->warm_up < count ? style->warm_up : count;
		if (count > skipped)
			row->side[side] = times_of(ops->list + at[side] + skipped, count - skipped, scratch);
		at[side] += count;
	}
}

static int is_good(const struct verify_row *row)
{
	uint64_t bound = row->side[VERIFY_CUPTI].median_ns * GOOD_PERCENT / 100;
	int64_t difference = verify_difference(row);

	if (!row->side[VERIFY_VPROF].count || !row->side[VERIFY_CUPTI].count)
		return 0;
	if (bound < GOOD_NS)
		bound = GOOD_NS;
	return (uint64_t)(difference < 0 ? -difference : difference) <= bound;
}

static int compare_rows(const void *left, const void *right)
{
	const struct verify_row *a = left, *b = right;
	int order = 0;

	for (int side = 0; !order && side < VERIFY_SIDES; side++)
		order = ORDER(b->side[side].total_ns, a->side[side].total_ns);
	if (!order)
		order = ORDER(a->kind, b->kind);
	if (!order)
		order = ORDER(a->name, b->name);
	if (!order)
		order = compare_shapes(&a->shape, &b->shape);
	return order ? order : ORDER(a->graph, b->graph);
}

static int make_rows(struct verify *verify, const struct verify_style *style)
{
	size_t at[VERIFY_SIDES] = { 0 }, count[VERIFY_SIDES], most;
	int64_t *scratch;

	for (int side = 0; side < VERIFY_SIDES; side++)
		count[side] = verify->ops[side].count;
	most = count[0] > count[1] ? count[0] : count[1];
	scratch = calloc(most + 1, sizeof(*scratch));
	if (!scratch)
		return -ENOMEM;
	while (at[0] < count[0] || at[1] < count[1]) {
		struct verify_row *row;

		if (list_grow(verify->rows, verify->row_count)) {
			free(scratch);
			return -ENOMEM;
		}
		row = &verify->rows[verify->row_count];
		next_row(verify, at, style, scratch, row);
		if (!row->side[VERIFY_CUPTI].count && !row->side[VERIFY_VPROF].count)
			continue;
		verify->row_count++;
		row->good = is_good(row);
		verify->total_ns += row->side[VERIFY_CUPTI].total_ns;
		verify->good_ns += row->good ? row->side[VERIFY_CUPTI].total_ns : 0;
		verify->good_count += row->good;
	}
	free(scratch);
	return 0;
}

int verify_compare(struct verify *verify, const struct verify_style *style)
{
	int error = forget_shapes(verify);

	for (int side = 0; side < VERIFY_SIDES && !error; side++) {
		struct verify_ops *ops = &verify->ops[side];

		error = order_processes(ops);
		verify->graphs[side] = order_graphs(ops);
		if (!style->by_graph)
			forget_graphs(ops);
		if (ops->count)
			qsort(ops->list, ops->count, sizeof(*ops->list), compare_ops);
	}
	if (!error)
		error = make_rows(verify, style);
	mark_shaped(verify);
	if (!error && verify->row_count)
		qsort(verify->rows, verify->row_count, sizeof(*verify->rows), compare_rows);
	return error;
}

void verify_free(struct verify *verify)
{
	for (size_t i = 0; i < verify->name_count; i++)
		free(verify->names[i]);
	free(verify->names);
	idmap_free(&verify->by_name);
	for (int side = 0; side < VERIFY_SIDES; side++)
		free(verify->ops[side].list);
	free(verify->rows);
}
