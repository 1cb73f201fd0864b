/*
 * verify.c - see the header: names, and what the executions of a run need before they are rows.
 */
#include "tools/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/list.h"
#include "tools/verify_rows.h"

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

static int compare_starts(const void *left, const void *right)
{
	const struct verify_op *a = left, *b = right;

	return VERIFY_ORDER(a->start_ns, b->start_ns);
}

static int compare_graphs(const void *left, const void *right)
{
	const struct verify_op *a = left, *b = right;
	int order = VERIFY_ORDER(a->process, b->process);

	return order ? order : VERIFY_ORDER(a->graph, b->graph);
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

/* Room for a mark of each name. 0 or -ENOMEM. */
static int make_marks(struct verify *verify)
{
	unsigned char *marks = realloc(verify->shapeless, verify->name_count + 1);

	if (!marks)
		return -ENOMEM;
	memset(marks + verify->shapeless_count, 0, verify->name_count - verify->shapeless_count);
	verify->shapeless = marks;
	verify->shapeless_count = verify->name_count;
	return 0;
}

/* Of each name that somewhere has none; 0 or -ENOMEM. */
static int forget_shapes(struct verify *verify)
{
	if (make_marks(verify))
		return -ENOMEM;
	for (int side = 0; side < VERIFY_SIDES; side++)
		for (size_t i = 0; i < verify->ops[side].count; i++) {
			const struct verify_op *op = &verify->ops[side].list[i];

			verify->shapeless[op->name] |= op->kind == VERIFY_KERNEL && !verify_shape_is_known(&op->shape);
		}
	for (int side = 0; side < VERIFY_SIDES; side++)
		for (size_t i = 0; i < verify->ops[side].count; i++)
			if (verify->shapeless[verify->ops[side].list[i].name])
				verify->ops[side].list[i].shape = (struct verify_shape){ 0 };
	for (size_t i = 0; i < verify->row_count; i++)
		verify->stale |= verify->shapeless[verify->rows[i].name] &&
			verify_shape_is_known(&verify->rows[i].shape);
	return 0;
}

/* ---- runs ---- */

/* Of each side in this run. */
static void note_graphs(struct verify *verify, const uint64_t graphs[VERIFY_SIDES])
{
	if (verify->runs)
		verify->graphs_vary |= memcmp(verify->graphs, graphs, sizeof(verify->graphs)) != 0;
	if (verify->graphs[VERIFY_CUPTI] == verify->graphs[VERIFY_VPROF] &&
	    (!verify->runs || graphs[VERIFY_CUPTI] != graphs[VERIFY_VPROF]))
		memcpy(verify->graphs, graphs, sizeof(verify->graphs));
}

int verify_close(struct verify *verify, const struct verify_style *style)
{
	uint64_t graphs[VERIFY_SIDES] = { 0 };
	int error = forget_shapes(verify);

	for (int side = 0; side < VERIFY_SIDES && !error; side++) {
		error = order_processes(&verify->ops[side]);
		graphs[side] = order_graphs(&verify->ops[side]);
		if (!style->by_graph)
			forget_graphs(&verify->ops[side]);
	}
	if (!error)
		error = verify_rows_add(verify, style);
	note_graphs(verify, graphs);
	for (int side = 0; side < VERIFY_SIDES; side++)
		verify->ops[side].count = 0;
	verify->runs++;
	return error;
}

void verify_restart(struct verify *verify)
{
	verify->row_count = 0;
	verify->runs = 0;
	verify->stale = 0;
	verify->reread = 1;
	verify->graphs_vary = 0;
	memset(verify->graphs, 0, sizeof(verify->graphs));
	for (int side = 0; side < VERIFY_SIDES; side++) {
		verify->ops[side].count = 0;
		verify->ops[side].lost = 0;
	}
}

void verify_free(struct verify *verify)
{
	for (size_t i = 0; i < verify->name_count; i++)
		free(verify->names[i]);
	free(verify->names);
	idmap_free(&verify->by_name);
	for (int side = 0; side < VERIFY_SIDES; side++)
		free(verify->ops[side].list);
	free(verify->shapeless);
	free(verify->rows);
}
