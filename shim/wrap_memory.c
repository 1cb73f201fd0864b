/*
 * wrap_memory.c - memory taken, given back and mapped.
 *
 * What an allocating call returns is stored in its record when it has succeeded.
 */
#include "shim/wrap.h"

#define FILL(address, bytes, other, stream) \
	fill_head(r.slot, VPROF_KIND_MEMORY, call, object); \
	fill_words(r.slot, WORD(address), bytes, WORD(other), WORD(stream))

/* An allocation: `out` is the argument through which the driver returns the address. */
#define TAKE(name, params, args, bytes, other, stream) \
	WRAP_KEEP(EXPORT, name, params, args, , FILL(0, bytes, other, stream), , \
		  r.slot->memory.address = WORD(*out))
#define ACT(name, params, args, address, bytes, other, stream) \
	WRAP(name, params, args, 0, FILL(address, bytes, other, stream))

/* ---- device memory ---- */

TAKE(cuMemAlloc,    (CUdeviceptr_v1 *out, unsigned bytes), (out, bytes), bytes, 0, 0);
TAKE(cuMemAlloc_v2, (CUdeviceptr *out, size_t bytes),      (out, bytes), bytes, 0, 0);
TAKE(cuMemAllocManaged, (CUdeviceptr *out, size_t bytes, unsigned flags), (out, bytes, flags), bytes, flags, 0);
TAKE(cuMemAllocPitch, (CUdeviceptr_v1 *out, unsigned *pitch, unsigned w, unsigned h, unsigned element),
     (out, pitch, w, h, element), (uint64_t)w * h, 0, 0);
TAKE(cuMemAllocPitch_v2, (CUdeviceptr *out, size_t *pitch, size_t w, size_t h, unsigned element),
     (out, pitch, w, h, element), w * h, 0, 0);
ACT(cuMemFree,    (CUdeviceptr_v1 p), (p), p, 0, 0, 0);
ACT(cuMemFree_v2, (CUdeviceptr p),    (p), p, 0, 0, 0);

/* ---- in stream order ---- */

#define TAKE_ASYNC(name) \
	TAKE(name, (CUdeviceptr *out, size_t bytes, CUstream stream), (out, bytes, stream), bytes, 0, stream)
#define TAKE_POOL(name) \
	TAKE(name, (CUdeviceptr *out, size_t bytes, CUmemoryPool pool, CUstream stream), \
	     (out, bytes, pool, stream), bytes, pool, stream)
#define FREE_ASYNC(name) ACT(name, (CUdeviceptr p, CUstream stream), (p, stream), p, 0, 0, stream)

TAKE_ASYNC(cuMemAllocAsync);
TAKE_ASYNC(cuMemAllocAsync_ptsz);
TAKE_POOL(cuMemAllocFromPoolAsync);
TAKE_POOL(cuMemAllocFromPoolAsync_ptsz);
FREE_ASYNC(cuMemFreeAsync);
FREE_ASYNC(cuMemFreeAsync_ptsz);

/* ---- host memory ---- */

TAKE(cuMemAllocHost,    (void **out, unsigned bytes), (out, bytes), bytes, 0, 0);
TAKE(cuMemAllocHost_v2, (void **out, size_t bytes),   (out, bytes), bytes, 0, 0);
TAKE(cuMemHostAlloc, (void **out, size_t bytes, unsigned flags), (out, bytes, flags), bytes, flags, 0);
ACT(cuMemFreeHost, (void *p), (p), p, 0, 0, 0);
ACT(cuMemHostRegister, (void *p, size_t bytes, unsigned flags), (p, bytes, flags), p, bytes, flags, 0);
ACT(cuMemHostRegister_v2, (void *p, size_t bytes, unsigned flags), (p, bytes, flags), p, bytes, flags, 0);
ACT(cuMemHostUnregister, (void *p), (p), p, 0, 0, 0);

/* ---- virtual memory: addresses and physical memory apart ---- */

TAKE(cuMemAddressReserve, (CUdeviceptr *out, size_t bytes, size_t align, CUdeviceptr near, unsigned long long flags),
     (out, bytes, align, near, flags), bytes, flags, 0);
TAKE(cuMemCreate,
     (CUmemGenericAllocationHandle *out, size_t bytes, const CUmemAllocationProp *prop, unsigned long long flags),
     (out, bytes, prop, flags), bytes, flags, 0);
ACT(cuMemAddressFree, (CUdeviceptr p, size_t bytes), (p, bytes), p, bytes, 0, 0);
ACT(cuMemRelease, (CUmemGenericAllocationHandle handle), (handle), 0, 0, handle, 0);
ACT(cuMemMap,
    (CUdeviceptr p, size_t bytes, size_t offset, CUmemGenericAllocationHandle handle, unsigned long long flags),
    (p, bytes, offset, handle, flags), p, bytes, handle, 0);
ACT(cuMemUnmap, (CUdeviceptr p, size_t bytes), (p, bytes), p, bytes, 0, 0);
ACT(cuMemSetAccess, (CUdeviceptr p, size_t bytes, const CUmemAccessDesc *access, size_t count),
    (p, bytes, access, count), p, bytes, 0, 0);
