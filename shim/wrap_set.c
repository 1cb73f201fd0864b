/*
 * wrap_set.c - memory sets: element widths 1, 2 and 4, in one and two dimensions.
 */
#include "shim/wrap.h"

#define FILL(elements, stream_) \
	do { \
		fill_head(r.slot, VPROF_KIND_SET, call, object); \
		r.slot->set.dst = dst; \
		r.slot->set.bytes = (uint64_t)(elements) * sizeof(value); \
		r.slot->set.stream = WORD(stream_); \
		r.slot->set.value = value; \
		r.slot->set.width = sizeof(value); \
	} while (0)

#define SET(name, dev, size, type, form) \
	WRAP(name, (dev dst, type value, size n), (dst, value, n), form, FILL(n, 0))
#define SET_ON(name, type, form) \
	WRAP(name, (CUdeviceptr dst, type value, size_t n, CUstream stream), (dst, value, n, stream), form, \
	     FILL(n, stream))
#define SET_2D(name, dev, size, type, form) \
	WRAP(name, (dev dst, size pitch, type value, size w, size h), (dst, pitch, value, w, h), \
	     VPROF_COPY_2D | (form), FILL((uint64_t)w * h, 0))
#define SET_2D_ON(name, type, form) \
	WRAP(name, (CUdeviceptr dst, size_t pitch, type value, size_t w, size_t h, CUstream stream), \
	     (dst, pitch, value, w, h, stream), VPROF_COPY_2D | (form), FILL((uint64_t)w * h, stream))

/* All forms for one element type: those of CUDA 3.1 have 32-bit addresses and sizes. */
#define PTDS VPROF_COPY_PER_THREAD
#define ASYNC VPROF_COPY_ASYNC
#define SETS(bits, type) \
	SET(cuMemsetD##bits, CUdeviceptr_v1, unsigned, type, 0); \
	SET(cuMemsetD##bits##_v2, CUdeviceptr, size_t, type, 0); \
	SET(cuMemsetD##bits##_v2_ptds, CUdeviceptr, size_t, type, PTDS); \
	SET_ON(cuMemsetD##bits##Async, type, ASYNC); \
	SET_ON(cuMemsetD##bits##Async_ptsz, type, ASYNC | PTDS); \
	SET_2D(cuMemsetD2D##bits, CUdeviceptr_v1, unsigned, type, 0); \
	SET_2D(cuMemsetD2D##bits##_v2, CUdeviceptr, size_t, type, 0); \
	SET_2D(cuMemsetD2D##bits##_v2_ptds, CUdeviceptr, size_t, type, PTDS); \
	SET_2D_ON(cuMemsetD2D##bits##Async, type, ASYNC); \
	SET_2D_ON(cuMemsetD2D##bits##Async_ptsz, type, ASYNC | PTDS)

SETS(8, unsigned char);
SETS(16, unsigned short);
SETS(32, unsigned int);
