/*
 * rows.h - the rows of cuda_api.def as the library looks things up in them.
 *
 * Names and wrappers are kept as distances, not as pointers: the loader of every process would
 * have to fill those in, CUDA or not.
 */
#ifndef VPROF_SHIM_ROWS_H
#define VPROF_SHIM_ROWS_H

#include <stdint.h>
#include "preload/compiler.h"
#include "shim/cuda_api.h"

enum vprof_style { STYLE_TYPED, STYLE_PLAIN, STYLE_GATE };

struct vprof_row {
	uint16_t symbol;      /* where it is in the names */
	uint16_t version;
	uint8_t base_length;  /* the base is the beginning of the symbol */
	uint8_t flags, family, style, alias;
};

extern const struct vprof_row vprof_rows[CU_ID_COUNT] HIDDEN;
extern const char vprof_row_names[] HIDDEN;
extern const int32_t vprof_row_wrappers[CU_ID_COUNT] HIDDEN; /* from their own place on */

static inline const char *vprof_row_symbol(unsigned id)
{
	return vprof_row_names + vprof_rows[id].symbol;
}

static inline void *vprof_row_wrapper(unsigned id)
{
	return (char *)(uintptr_t)&vprof_row_wrappers[id] + vprof_row_wrappers[id];
}

/* Is `base` the name by which cuGetProcAddress knows this row? */
int vprof_row_has_base(unsigned id, const char *base) HIDDEN;

#endif
