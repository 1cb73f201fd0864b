/*
 * cuda_api.h - ids of the hooked driver functions, from cuda_api.def.
 */
#ifndef VPROF_SHIM_CUDA_API_H
#define VPROF_SHIM_CUDA_API_H

enum cu_id {
	CU_ID_NONE = 0,
#define CU_ROW(symbol, base, version, flags, family, style, nargs) CU_ID_##symbol,
#include "shim/cuda_api.def"
	CU_ID_COUNT,
};

#endif
