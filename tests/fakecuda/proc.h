/* proc.h - the table behind cuGetProcAddress (proc.c). */
#ifndef FAKECUDA_PROC_H
#define FAKECUDA_PROC_H

#include <stdbool.h>

#include "shim/cuda_abi.h"

struct fk_row {
	const char *base;
	int version;     /* the first that has this form */
	bool per_thread; /* the form for the per-thread default stream */
	const void *address;
};
extern const struct fk_row fk_rows[];
extern const size_t fk_row_count;

/* What "cuGraphInstantiate" means since CUDA 12: a function that no symbol names. */
CUresult fk_graph_instantiate_12(CUgraphExec *out, CUgraph graph, unsigned long long flags);

#endif
