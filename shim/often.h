/*
 * often.h - the functions that a program at its work calls again and again.
 *
 * Between two calls a program does so much that what of ours it needs has gone from the processor's caches, and
 * the page in which it lies from its memory of pages. So these few have their code side by side in two pages,
 * the section "vprof_often", and their real functions in two lines.
 */
#ifndef VPROF_SHIM_OFTEN_H
#define VPROF_SHIM_OFTEN_H

#include "shim/cuda_api.h"
#include "shim/resolve.h"

/* Each stands twice: for the compiler, and for the preprocessor, which has to tell it from all others. */
#define CU_OFTEN(X) \
	X(cuLaunchKernel) \
	X(cuLaunchKernelEx) \
	X(cuGraphLaunch) \
	X(cuMemcpyAsync) \
	X(cuMemcpyHtoDAsync_v2) \
	X(cuMemcpyDtoHAsync_v2) \
	X(cuMemcpyDtoDAsync_v2) \
	X(cuMemsetD8Async) \
	X(cuEventRecord) \
	X(cuEventRecordWithFlags) \
	X(cuEventSynchronize) \
	X(cuStreamSynchronize)

#define CU_OFTEN_IS_cuLaunchKernel         , OFTEN
#define CU_OFTEN_IS_cuLaunchKernelEx       , OFTEN
#define CU_OFTEN_IS_cuGraphLaunch          , OFTEN
#define CU_OFTEN_IS_cuMemcpyAsync          , OFTEN
#define CU_OFTEN_IS_cuMemcpyHtoDAsync_v2   , OFTEN
#define CU_OFTEN_IS_cuMemcpyDtoHAsync_v2   , OFTEN
#define CU_OFTEN_IS_cuMemcpyDtoDAsync_v2   , OFTEN
#define CU_OFTEN_IS_cuMemsetD8Async        , OFTEN
#define CU_OFTEN_IS_cuEventRecord          , OFTEN
#define CU_OFTEN_IS_cuEventRecordWithFlags , OFTEN
#define CU_OFTEN_IS_cuEventSynchronize     , OFTEN
#define CU_OFTEN_IS_cuStreamSynchronize    , OFTEN

enum cu_often {
#define CU_NUMBER(symbol) CU_OFTEN_##symbol,
	CU_OFTEN(CU_NUMBER)
	CU_OFTEN_COUNT,
};

/* As vprof_real, of which they are copies. */
extern void *vprof_often_real[CU_OFTEN_COUNT] HIDDEN;

#define CU_SECTION_RARE  "vprof_wrappers"
#define CU_SECTION_OFTEN "vprof_often"
#define CU_REAL_RARE(symbol)  vprof_real[CU_ID_##symbol]
#define CU_REAL_OFTEN(symbol) vprof_often_real[CU_OFTEN_##symbol]

#define CU_OFTEN_SECOND(a, b, ...) b
#define CU_OFTEN_PICK(...) CU_OFTEN_SECOND(__VA_ARGS__, RARE, )
#define CU_OFTEN_JOIN(a, b) CU_OFTEN_JOIN_(a, b)
#define CU_OFTEN_JOIN_(a, b) a##b
#define CU_SECTION(symbol) CU_OFTEN_JOIN(CU_SECTION_, CU_OFTEN_PICK(CU_OFTEN_IS_##symbol))
#define CU_REAL(symbol) CU_OFTEN_JOIN(CU_REAL_, CU_OFTEN_PICK(CU_OFTEN_IS_##symbol))(symbol)

#endif
