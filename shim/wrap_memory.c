/*
 * wrap_memory.c - memory taken and given back: of devices, of the host, in stream order.
 *
 * What an allocating call returns is stored in its record when it has succeeded, and so is what is
 * known of memory that has been freed. shim/memory.c keeps the account.
 */
#include "shim/wrap_memory.h"

/* ---- device memory ---- */

TAKE(cuMemAlloc, (CUdeviceptr_v1 *out, unsigned bytes), (out, bytes), DEVICE, WORD(*out), bytes, 0);
TAKE(cuMemAlloc_v2, (CUdeviceptr *out, size_t bytes), (out, bytes), DEVICE, WORD(*out), bytes, 0);
TAKE(cuMemAllocManaged, (CUdeviceptr *out, size_t bytes, unsigned flags), (out, bytes, flags), MANAGED, WORD(*out),
     bytes, flags);
/* The rows are longer than was asked for: known with the pitch. */
TAKE_SIZED(cuMemAllocPitch, (CUdeviceptr_v1 *out, unsigned *pitch, unsigned w, unsigned h, unsigned element),
	   (out, pitch, w, h, element), DEVICE, WORD(*out), (uint64_t)w * h, (uint64_t)*pitch * h, 0);
TAKE_SIZED(cuMemAllocPitch_v2, (CUdeviceptr *out, size_t *pitch, size_t w, size_t h, unsigned element),
	   (out, pitch, w, h, element), DEVICE, WORD(*out), w * h, *pitch * h, 0);
GIVE(cuMemFree,    (CUdeviceptr_v1 p), (p), DEVICE, VPROF_KINDS_FREED, WORD(p));
GIVE(cuMemFree_v2, (CUdeviceptr p),    (p), DEVICE, VPROF_KINDS_FREED, WORD(p));

/* ---- in stream order; `of`: the stream that a 0 stands for ---- */

#define TAKE_POOL(name, params, args, from, of) \
	WRAP_KEEP(EXPORT, name, params, args, , FILL_MEMORY(0, bytes, WORD(from), stream), \
		  object = vprof_memory_take_async(&MEMORY(POOL, *out, bytes, WORD(from), WORD(stream)), from, \
						   stream ? stream : of), \
		  r.slot->object = object; r.slot->memory.address = *out)
#define TAKE_ASYNC(name, of) \
	TAKE_POOL(name, (CUdeviceptr *out, size_t bytes, CUstream stream), (out, bytes, stream), NULL, of)
#define TAKE_FROM(name, of) \
	TAKE_POOL(name, (CUdeviceptr *out, size_t bytes, CUmemoryPool pool, CUstream stream), \
		  (out, bytes, pool, stream), pool, of)
#define GIVE_ASYNC(name, of) \
	WRAP_KEEP(EXPORT, name, (CUdeviceptr p, CUstream stream), (p, stream), \
		  struct vprof_found found = vprof_memory_find(p, VPROF_KINDS_FREED); \
		  int captured = vprof_memory_captured(stream ? stream : of), FILL_MEMORY(p, 0, 0, stream), \
		  object = captured ? VPROF_MEMORY_POOL : vprof_memory_give(&found, VPROF_MEMORY_POOL, p), \
		  DONE_GIVEN(found))

TAKE_ASYNC(cuMemAllocAsync,             NULL);
TAKE_ASYNC(cuMemAllocAsync_ptsz,        CU_STREAM_PER_THREAD);
TAKE_FROM(cuMemAllocFromPoolAsync,      NULL);
TAKE_FROM(cuMemAllocFromPoolAsync_ptsz, CU_STREAM_PER_THREAD);
GIVE_ASYNC(cuMemFreeAsync,              NULL);
GIVE_ASYNC(cuMemFreeAsync_ptsz,         CU_STREAM_PER_THREAD);

WRAP_KEEP(EXPORT, cuMemPoolCreate, (CUmemoryPool *out, const CUmemPoolProps *props), (out, props), ,
	  FILL_MEMORY(0, 0, 0, 0), vprof_pool_made(*out, props), r.slot->memory.other = WORD(*out));
WRAP_KEEP(EXPORT, cuMemPoolDestroy, (CUmemoryPool pool), (pool), , FILL_MEMORY(0, 0, WORD(pool), 0),
	  vprof_pool_gone(pool), );

/* ---- host memory ---- */

TAKE(cuMemAllocHost,    (void **out, unsigned bytes), (out, bytes), PINNED, WORD(*out), bytes, 0);
TAKE(cuMemAllocHost_v2, (void **out, size_t bytes),   (out, bytes), PINNED, WORD(*out), bytes, 0);
TAKE(cuMemHostAlloc, (void **out, size_t bytes, unsigned flags), (out, bytes, flags), PINNED, WORD(*out), bytes, flags);
GIVE(cuMemFreeHost, (void *p), (p), PINNED, VPROF_KIND_BIT(VPROF_MEMORY_PINNED), WORD(p));
TAKE(cuMemHostRegister, (void *p, size_t bytes, unsigned flags), (p, bytes, flags), REGISTERED, WORD(p), bytes, flags);
TAKE(cuMemHostRegister_v2, (void *p, size_t bytes, unsigned flags), (p, bytes, flags), REGISTERED, WORD(p), bytes,
     flags);
GIVE(cuMemHostUnregister, (void *p), (p), REGISTERED, VPROF_KIND_BIT(VPROF_MEMORY_REGISTERED), WORD(p));
