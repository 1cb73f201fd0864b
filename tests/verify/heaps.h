/*
 * heaps.h - heaps of executions made by hand, and the rows that they become.
 */
#ifndef VPROF_TESTS_VERIFY_HEAPS_H
#define VPROF_TESTS_VERIFY_HEAPS_H

#include <stdlib.h>
#include <string.h>
#include "tools/verify.h"

static inline struct verify_op op(struct verify *verify, const char *name, uint64_t start, uint64_t ns)
{
	struct verify_op one = { .start_ns = start, .ns = ns };

	if (verify_name(verify, name, &one.name))
		abort();
	return one;
}

static inline void add(struct verify *verify, enum verify_side side, const char *name, uint64_t start, uint64_t ns)
{
	struct verify_op one = op(verify, name, start, ns);

	if (verify_add(verify, side, &one))
		abort();
}

static inline const struct verify_row *row_of(const struct verify *verify, const char *name, uint32_t graph)
{
	static const struct verify_row none;

	for (size_t i = 0; i < verify->row_count; i++)
		if (!strcmp(verify->names[verify->rows[i].name], name) && verify->rows[i].graph == graph)
			return &verify->rows[i];
	return &none;
}

static inline void close_run(struct verify *verify, uint64_t warm_up, int by_graph)
{
	const struct verify_style style = { warm_up, by_graph };

	if (verify_close(verify, &style))
		abort();
}

static inline void compare(struct verify *verify, uint64_t warm_up, int by_graph)
{
	close_run(verify, warm_up, by_graph);
	verify_compare(verify);
}

/* Graph `number` of `process` executes one kernel. */
static inline void add_graph(struct verify *verify, enum verify_side side, uint32_t process, uint32_t number,
			     uint64_t start, uint64_t ns)
{
	struct verify_op one = op(verify, "k", start, ns);

	one.process = process;
	one.graph = number;
	if (verify_add(verify, side, &one))
		abort();
}

/* `count` executions of a kernel launched in so many blocks of 128 threads; 0: that is not known. */
static inline void add_shaped(struct verify *verify, enum verify_side side, const char *name, uint32_t blocks,
			      int count, uint64_t ns)
{
	struct verify_op one = op(verify, name, 0, ns);

	if (blocks)
		one.shape = (struct verify_shape){ { blocks, 1, 1 }, { 128, 1, 1 } };
	for (int i = 0; i < count; i++, one.start_ns++)
		if (verify_add(verify, side, &one))
			abort();
}

static inline const struct verify_row *row_shaped(const struct verify *verify, const char *name, uint32_t blocks)
{
	static const struct verify_row none;

	for (size_t i = 0; i < verify->row_count; i++)
		if (!strcmp(verify->names[verify->rows[i].name], name) && verify->rows[i].shape.grid[0] == blocks)
			return &verify->rows[i];
	return &none;
}

/* Two shapes that agree, of which each side has one more of the other. */
static inline void add_bimodal(struct verify *verify, const char *name)
{
	add_shaped(verify, VERIFY_CUPTI, name, 132, 5, 5700);
	add_shaped(verify, VERIFY_CUPTI, name, 264, 4, 9400);
	add_shaped(verify, VERIFY_VPROF, name, 132, 4, 5750);
	add_shaped(verify, VERIFY_VPROF, name, 264, 5, 9450);
}

#endif
