/*
 * resolve.h - the real driver's functions, and which of them we answer for.
 *
 * `vprof_real` has the real function of each row. It is filled as a whole, at the first
 * lookup of a driver function or at the first recorded call, whichever comes first, and
 * may be filled twice by two threads at once: both write the same.
 *
 * RULES. No lock, no allocation, no dl* call. Errno is kept.
 */
#ifndef VPROF_SHIM_RESOLVE_H
#define VPROF_SHIM_RESOLVE_H

#include <stdint.h>
#include "preload/compiler.h"
#include "shim/cuda_abi.h"
#include "shim/cuda_api.h"

/*
 * Real function by id; NULL until it is known. A wrapper that records never tests it: a
 * thread has a chunk only after vprof_shim_has_driver(), and from then on no entry is NULL
 * (an alias's is set before its wrapper is first handed out). The way round, of a call
 * that is not recorded, tests it, and goes through vprof_resolve() in a process where
 * recording never began.
 */
extern void *vprof_real[CU_ID_COUNT] HIDDEN;

/* The function to call for `id`: the driver's, or one that returns an error. Never NULL. */
void *vprof_resolve(unsigned id) HIDDEN COLD;

/* Is `address` in the driver's library? */
int vprof_driver_holds(const void *address) HIDDEN;

/*
 * cuGetProcAddress gave `real` for (base, version, flags): the wrapper to give instead, or
 * `real` itself.
 */
void *vprof_resolve_entry(const char *base, int version, uint64_t flags, void *real) HIDDEN;

static ALWAYS_INLINE void *vprof_target(unsigned id)
{
	void *real = __atomic_load_n(&vprof_real[id], __ATOMIC_RELAXED);

	return likely(real) ? real : vprof_resolve(id);
}

#endif
