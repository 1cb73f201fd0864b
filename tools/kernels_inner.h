/*
 * kernels_inner.h - what the files that make up the list of kernels (kernels*.c) share.
 */
#ifndef VPROF_TOOLS_KERNELS_INNER_H
#define VPROF_TOOLS_KERNELS_INNER_H

#include "tools/kernels.h"

/* Fills what is missing of rows[0..count), all of one process, from its saved cubins. 0 or -ENOMEM. */
int kernels_read_saved(struct kernels *kernels, struct kernel_row *rows, size_t count);

#endif
