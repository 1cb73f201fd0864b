/*
 * kernels.h - the kernels of some rings: how often they ran, what they need, which module they are of.
 *
 * What a kernel needs comes from the driver (VPROF_DEF_FACTS) and, where the driver was not asked or
 * could not say, from the cubin that was saved beside the ring (VPROF_DEF_SAVED). Rows of one name
 * that need the same are one row, over all processes. A kernel ran as often as it was launched, and as
 * often as graphs were launched that it is a node of.
 */
#ifndef VPROF_TOOLS_KERNELS_H
#define VPROF_TOOLS_KERNELS_H

#include "tools/cubin.h"
#include "tools/events.h"
#include "tools/occupancy.h"

/* A way of launching a kernel, as far as occupancy goes. */
struct kernel_shape {
	uint32_t block[3];     /* threads; 65535: that or more */
	uint32_t shared;       /* dynamic, bytes */
	uint64_t runs;
};

enum kernel_source { KERNEL_UNKNOWN, KERNEL_FROM_DRIVER, KERNEL_FROM_CUBIN };

struct kernel_row {
	const struct trace_process *process; /* the first that has it */
	const struct vprof_def_kernel *def;
	const struct vprof_def_module *module; /* NULL: not known */
	const struct vprof_def_device *device; /* likewise */
	uint64_t launches, in_graphs;
	uint32_t processes;
	uint32_t modules;      /* that have such a kernel; 0: not known */
	struct kernel_shape *shapes; /* the most used first, after kernels_count() */
	uint32_t shape_count;
	enum kernel_source source;
	struct cubin_param *params;
	uint32_t params_known; /* in `params`; facts.param_count may be more */
	struct occupancy occupancy; /* of the most used shape */
	int has_occupancy;
	struct vprof_def_facts facts; /* without its parameters; valid: 1 unless `source` is KERNEL_UNKNOWN */
};

struct kernels {
	struct kernel_row *rows;
	size_t count;
	uint64_t saved_failed; /* saved cubins that could not be read */
};

struct kernels_style {
	int all;               /* kernels that never ran too */
	int saved;             /* read the cubins that were saved */
};

/* Reads all of `trace`. 0 or -ENOMEM; to be freed in both cases. */
int kernels_count(struct kernels *kernels, struct trace *trace, const struct kernels_style *style);
void kernels_free(struct kernels *kernels);

/* "launches", "registers", ...: 0, or -EINVAL for a word that is no column. */
int kernels_sort(struct kernels *kernels, const char *column);
extern const char *const kernels_columns[]; /* ends with NULL */

#endif
