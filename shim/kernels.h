/*
 * kernels.h - what a handle stands for: definitions of kernels by handle.
 *
 * Unloading a module begins a new generation of the kernel table: the driver may give the
 * handles to other functions. An entry of an older generation is checked by name when it
 * is next launched, and gets a new definition when the name is another one. Destroying or
 * resetting a context does the same, since its modules go with it.
 *
 * A kernel that is known but has not been launched is fresh (handles.h): its first launch
 * takes the slow way, and its facts (facts.h) are taken when that has succeeded. Not before:
 * a question about a function that is not loaded yet might load it.
 */
#ifndef VPROF_SHIM_KERNELS_H
#define VPROF_SHIM_KERNELS_H

#include <stdint.h>
#include "preload/compiler.h"
#include "shim/cuda_abi.h"
#include "shim/handles.h"

extern struct vprof_handles vprof_kernels HIDDEN;

/*
 * The kernels launched of late, side by side in one page: the table has 2 MiB, so each of the kernels of a step
 * would bring a page and a line of its own, which have gone from the processor's caches when the step comes
 * again. Sets of four; what comes in takes the first place, and what had the last goes.
 *
 * THREADS. Stored without a lock: `check` is the handle's hash, xor `word`. Two halves that do not belong together
 * match no handle.
 */
enum { VPROF_RECENT_BITS = 6, VPROF_RECENT_WAYS = 4 };
struct vprof_recent {
	uint64_t check;
	uint64_t word; /* as in the table; never fresh */
};
extern struct vprof_recent vprof_recent[1 << VPROF_RECENT_BITS][VPROF_RECENT_WAYS] HIDDEN;

/* As vprof_kernel_find(), in the whole table; keeps what it finds. */
uint32_t vprof_kernel_find_far(const void *function) HIDDEN COLD;

/* Id of a function that has been launched, 0 when it has to be looked at more closely: as vprof_handle_find(). */
static ALWAYS_INLINE uint32_t vprof_kernel_find(const void *function)
{
	uint64_t hash = vprof_handle_hash(function), word;
	const struct vprof_recent *recent = vprof_recent[hash >> (64 - VPROF_RECENT_BITS)];

	for (int i = 0; i < VPROF_RECENT_WAYS; i++, recent++) {
		word = __atomic_load_n(&recent->word, __ATOMIC_RELAXED);
		if (likely((__atomic_load_n(&recent->check, __ATOMIC_RELAXED) ^ word) == hash) &&
		    likely(word >> 32 == __atomic_load_n(&vprof_kernels.generation, __ATOMIC_RELAXED)))
			return (uint32_t)word;
	}
	return vprof_kernel_find_far(function);
}

/* Makes the tables, those of graphs and others too.
   Called before the first record of a process and in its forked children. */
void vprof_handles_init(void) HIDDEN;

/* A new ring: every definition has to be made again. */
void vprof_handles_forget(void) HIDDEN;

/*
 * Id of a function that is in use (in a graph that has been made), defined if need be; asks the
 * driver for its name, and for its facts when it is fresh. 0: none.
 */
uint32_t vprof_kernel_id(CUfunction function) HIDDEN COLD;

/* The same for a function that is about to be launched: vprof_kernel_settle() comes after. */
uint32_t vprof_kernel_launching(CUfunction function) HIDDEN COLD;

/* The calling thread's last fresh kernel that it was launching; NULL: none. */
extern __thread struct vprof_handle *vprof_kernel_owed HIDDEN TLS_INITIAL_EXEC;

void vprof_kernel_settle_owed(CUresult result) HIDDEN COLD;

/* A call of which the slow way was taken has returned. */
static inline void vprof_kernel_settle(CUresult result)
{
	if (vprof_kernel_owed)
		vprof_kernel_settle_owed(result);
}

/*
 * A lookup gave `handle` for `name`: a CUkernel when `library`, else a CUfunction, out of
 * the module or library `from`. Returns its id.
 */
uint32_t vprof_kernel_seen(const void *handle, int library, const char *name, const void *from) HIDDEN COLD;

/* The name under which a handle was defined in this ring; NULL when it was not. */
const char *vprof_kernel_name(const void *handle) HIDDEN COLD;

/* Functions have gone: names have to be checked from now on. Returns the new generation. */
uint32_t vprof_kernels_recheck(void) HIDDEN COLD;

#endif
