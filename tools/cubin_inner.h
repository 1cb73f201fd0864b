/*
 * cubin_inner.h - what the files that make up the cubin reader (cubin*.c) share.
 */
#ifndef VPROF_TOOLS_CUBIN_INNER_H
#define VPROF_TOOLS_CUBIN_INNER_H

#include <string.h>
#include "tools/cubin.h"

enum { CUBIN_NONE = UINT32_MAX };

struct cubin_bytes {
	const uint8_t *at;
	size_t size;
};

/* Which kernel a section or a symbol belongs to: its index, or CUBIN_NONE. */
struct cubin_maps {
	uint32_t *by_section, *by_symbol;
	size_t sections, symbols;
};

static inline uint32_t cubin_u16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint32_t cubin_u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* The records of .nv.info (kernel NULL: the whole file's) into the kernels. 0 or -ENOMEM. */
int cubin_read_info(struct cubin *cubin, const struct cubin_maps *maps, struct cubin_kernel *kernel,
		    struct cubin_bytes bytes);
/* Parameters in order, each once. */
void cubin_sort_params(struct cubin_kernel *kernel);

/* A section of notes: who made the cubin. */
void cubin_read_notes(struct cubin *cubin, struct cubin_bytes bytes);

/* Is it for one GPU alone ("sm_90a")? From .nv.compat. */
int cubin_is_special(struct cubin_bytes compat);

#endif
