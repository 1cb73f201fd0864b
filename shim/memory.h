/*
 * memory.h - what wrappers say about memory: taken, given back, and whose it is.
 *
 * Each of these returns the object of a MEMORY record (enum vprof_memory_kind). They are called
 * whether the call is recorded or not, so that what is held is known when recording is switched
 * on. The driver is asked for context and device in relaxed capture mode, after the program's own
 * call has succeeded.
 */
#ifndef VPROF_SHIM_MEMORY_H
#define VPROF_SHIM_MEMORY_H

#include <stdint.h>
#include "preload/compiler.h"
#include "preload/holdings.h"
#include "shim/cuda_abi.h"

/* Handles share the table with addresses: bits that no address has tell them apart. */
#define VPROF_PHYSICAL_KEY(handle) ((uint64_t)(handle) | 1ull << 63)
#define VPROF_ARRAY_KEY(handle)    ((uint64_t)(handle) | 1ull << 62)

enum {
	VPROF_KINDS_FREED = VPROF_KIND_BIT(VPROF_MEMORY_DEVICE) | VPROF_KIND_BIT(VPROF_MEMORY_POOL) |
			    VPROF_KIND_BIT(VPROF_MEMORY_MANAGED), /* what cuMemFree and cuMemFreeAsync take */
};

/* One call's dealing with memory, as its wrapper knows it. */
struct vprof_memory {
	unsigned call;
	enum vprof_memory_kind kind;
	uint64_t address, bytes, other, stream;
};

/* In the current context: on its device, or on the host for kinds that lie there. */
uint32_t vprof_memory_take(const struct vprof_memory *memory) HIDDEN COLD;

/* In stream order; `pool`: NULL for the stream's device's own. A captured call takes nothing. */
uint32_t vprof_memory_take_async(const struct vprof_memory *memory, CUmemoryPool pool, CUstream stream) HIDDEN COLD;

/* At a location; `location` NULL: not known, so in no total. */
uint32_t vprof_memory_take_at(const struct vprof_memory *memory, const CUmemLocation *location) HIDDEN COLD;

/* Looked up before the call that gives it back; is the stream of that call being captured? */
struct vprof_found vprof_memory_find(uint64_t address, unsigned kinds) HIDDEN COLD;
int vprof_memory_captured(CUstream stream) HIDDEN COLD;

/* After it. `kind`: what it is when that is not known. */
uint32_t vprof_memory_give(const struct vprof_found *found, enum vprof_memory_kind kind, uint64_t address) HIDDEN COLD;

/* The object of a record about memory that neither takes nor gives. */
uint32_t vprof_memory_object(const struct vprof_found *found, unsigned flags) HIDDEN;

/* A record of its own for what a call gave back besides what its own record says. */
void vprof_memory_note(unsigned call, const struct vprof_found *found) HIDDEN COLD;

/* A pool was made or destroyed: where its memory lies. */
void vprof_pool_made(CUmemoryPool pool, const CUmemPoolProps *props) HIDDEN COLD;
void vprof_pool_gone(CUmemoryPool pool) HIDDEN COLD;

/* A context has ended, by `call`: what was taken in it is given back. */
void vprof_memory_context_gone(unsigned call, CUcontext ctx) HIDDEN COLD;

/* The device's primary context while it is active, else NULL; asked before a call that may end it. */
CUcontext vprof_primary_context(CUdevice device) HIDDEN COLD;

/* Likewise after it, for a release that ends it or not; 1 where no memory is followed. */
int vprof_primary_is_active(CUdevice device) HIDDEN COLD;

#endif
