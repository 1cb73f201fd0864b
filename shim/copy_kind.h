/*
 * copy_kind.h - the direction of a copy that a descriptor tells.
 */
#ifndef VPROF_SHIM_COPY_KIND_H
#define VPROF_SHIM_COPY_KIND_H

#include <stdint.h>
#include "shim/cuda_abi.h"
#include "vprof/ring.h"

/* enum vprof_copy by memory type of source and destination. */
static inline uint32_t vprof_copy_direction(CUmemorytype from, CUmemorytype to)
{
	static const uint8_t directions[4][4] = {
		[CU_MEMORYTYPE_HOST] = {
			[CU_MEMORYTYPE_HOST] = VPROF_COPY_HTOH, [CU_MEMORYTYPE_DEVICE] = VPROF_COPY_HTOD,
			[CU_MEMORYTYPE_ARRAY] = VPROF_COPY_HTOA,
		},
		[CU_MEMORYTYPE_DEVICE] = {
			[CU_MEMORYTYPE_HOST] = VPROF_COPY_DTOH, [CU_MEMORYTYPE_DEVICE] = VPROF_COPY_DTOD,
			[CU_MEMORYTYPE_ARRAY] = VPROF_COPY_DTOA,
		},
		[CU_MEMORYTYPE_ARRAY] = {
			[CU_MEMORYTYPE_HOST] = VPROF_COPY_ATOH, [CU_MEMORYTYPE_DEVICE] = VPROF_COPY_ATOD,
			[CU_MEMORYTYPE_ARRAY] = VPROF_COPY_ATOA,
		},
	};

	return (unsigned)from < 4 && (unsigned)to < 4 ? directions[from][to] : VPROF_COPY_UNKNOWN;
}

#endif
