/*
 * kernels_sort.c - the orders in which kernels are listed: the largest first, names from a to z.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/kernels.h"

const char *const kernels_columns[] = {
	"launches", "graphs", "registers", "shared", "dynamic", "local", "threads", "occupancy", "params", "name", NULL,
};

static double key_of(const struct kernel_row *row, int column)
{
	switch (column) {
	case 0: return (double)row->launches + (double)row->in_graphs;
	case 1: return (double)row->in_graphs;
	case 2: return row->facts.registers;
	case 3: return row->facts.shared_static;
	case 4: return row->shape_count ? row->shapes[0].shared : 0;
	case 5: return row->facts.local;
	case 6: return row->shape_count ? (double)row->shapes[0].block[0] * row->shapes[0].block[1] *
					  row->shapes[0].block[2] : 0;
	/* The least first: it is what one looks for. */
	case 7: return row->has_occupancy ? -row->occupancy.percent : -1000;
	case 8: return row->facts.param_bytes;
	}
	return 0;
}

static int compare(const void *a, const void *b, void *context)
{
	const struct kernel_row *x = a, *y = b;
	int column = *(const int *)context, order;
	double p = key_of(x, column), q = key_of(y, column);

	if (p != q)
		return p > q ? -1 : 1;
	order = strcmp(x->def->name, y->def->name);
	if (order)
		return order;
	return (x->launches < y->launches) - (x->launches > y->launches);
}

int kernels_sort(struct kernels *kernels, const char *column)
{
	int index = 0;

	while (kernels_columns[index] && strcmp(kernels_columns[index], column))
		index++;
	if (!kernels_columns[index])
		return -EINVAL;
	if (kernels->count)
		qsort_r(kernels->rows, kernels->count, sizeof(*kernels->rows), compare, &index);
	return 0;
}
