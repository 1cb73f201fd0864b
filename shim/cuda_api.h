/*
 * cuda_api.h - ids and groups of the hooked driver functions, from cuda_api.def.
 */
#ifndef VPROF_SHIM_CUDA_API_H
#define VPROF_SHIM_CUDA_API_H

#include "preload/record.h"

enum cu_id {
	CU_ID_NONE = 0,
#define CU_ROW(symbol, base, version, flags, family, style, nargs) CU_ID_##symbol,
#include "shim/cuda_api.def"
	CU_ID_COUNT,
};

/* The group of VPROF_TRACE that a family belongs to: a number that the assembler can read, too. */
#define CU_GROUP_LAUNCH   0
#define CU_GROUP_COPY     1
#define CU_GROUP_SET      1
#define CU_GROUP_SYNC     2
#define CU_GROUP_MEMORY   3
#define CU_GROUP_EVENT    4
#define CU_GROUP_STREAM   5
#define CU_GROUP_GRAPH    6
#define CU_GROUP_MODULE   7
#define CU_GROUP_CONTEXT  8
#define CU_GROUP_DEVICE   8
#define CU_GROUP_PROFILER 8
#define CU_GROUP_OTHER    8
#define CU_GROUP_QUERY    9
_Static_assert(CU_GROUP_LAUNCH == VPROF_GROUP_LAUNCH && CU_GROUP_COPY == VPROF_GROUP_COPY &&
	       CU_GROUP_SYNC == VPROF_GROUP_SYNC && CU_GROUP_MEMORY == VPROF_GROUP_MEMORY &&
	       CU_GROUP_EVENT == VPROF_GROUP_EVENT && CU_GROUP_STREAM == VPROF_GROUP_STREAM &&
	       CU_GROUP_GRAPH == VPROF_GROUP_GRAPH && CU_GROUP_MODULE == VPROF_GROUP_MODULE &&
	       CU_GROUP_CONTEXT == VPROF_GROUP_CONTEXT && CU_GROUP_QUERY == VPROF_GROUP_QUERY, "groups");

/* Functions that only ask, numbered from 0: see vprof_count_quick(). */
#define CU_ASKS_LAUNCH(symbol)
#define CU_ASKS_COPY(symbol)
#define CU_ASKS_SET(symbol)
#define CU_ASKS_SYNC(symbol)
#define CU_ASKS_MEMORY(symbol)
#define CU_ASKS_EVENT(symbol)
#define CU_ASKS_STREAM(symbol)
#define CU_ASKS_GRAPH(symbol)
#define CU_ASKS_MODULE(symbol)
#define CU_ASKS_CONTEXT(symbol)
#define CU_ASKS_DEVICE(symbol)
#define CU_ASKS_PROFILER(symbol)
#define CU_ASKS_OTHER(symbol)
#define CU_ASKS_QUERY(symbol) CU_QUERY_##symbol,
enum cu_query {
#define CU_ROW(symbol, base, version, flags, family, style, nargs) CU_ASKS_##family(symbol)
#include "shim/cuda_api.def"
	CU_QUERY_COUNT,
};
_Static_assert((int)CU_QUERY_COUNT <= (int)VPROF_QUERIES, "more questions than there is room for");

/* By id; 0 for those that do more than ask, too. */
static const uint8_t cu_query_of[CU_ID_COUNT] = {
#undef CU_ASKS_QUERY
#define CU_ASKS_QUERY(symbol) [CU_ID_##symbol] = CU_QUERY_##symbol,
#define CU_ROW(symbol, base, version, flags, family, style, nargs) CU_ASKS_##family(symbol)
#include "shim/cuda_api.def"
};
/*
 * The questions that programs ask most often, a number below VPROF_NEAR each, FAR for all others: so that
 * the preprocessor can tell them apart. (torch asks for the device 290 times in a step of vLLM's; from a runtime of
 * CUDA 13 on by its second version.)
 */
static const uint16_t cu_near[VPROF_NEAR] = {
	CU_ID_cuCtxGetDevice, CU_ID_cuCtxGetDevice_v2, CU_ID_cuDevicePrimaryCtxGetState, CU_ID_cuPointerGetAttribute,
};
#define CU_NEAR_IS_cuCtxGetDevice             , 0
#define CU_NEAR_IS_cuCtxGetDevice_v2          , 1
#define CU_NEAR_IS_cuDevicePrimaryCtxGetState , 2
#define CU_NEAR_IS_cuPointerGetAttribute      , 3
#define CU_NEAR_SECOND(a, b, ...) b
#define CU_NEAR_PICK(...) CU_NEAR_SECOND(__VA_ARGS__, FAR, )
#define CU_NEAR(symbol) CU_NEAR_PICK(CU_NEAR_IS_##symbol)

#define CU_IS_QUERY(symbol) (CU_BIT_##symbol == VPROF_GROUP_BIT(VPROF_GROUP_QUERY))

/* The bit of a function's group in the control word. */
enum cu_bit {
#define CU_ROW(symbol, base, version, flags, family, style, nargs) \
	CU_BIT_##symbol = 1 << CU_GROUP_##family,
#include "shim/cuda_api.def"
};

#endif
