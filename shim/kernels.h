/*
 * kernels.h - what a handle stands for: definitions of kernels and graphs by handle.
 *
 * Two hash tables, open addressing, one entry per handle ever seen. Keys are never
 * removed, so a reader needs no lock; what can change is an entry's `word`, the id of the
 * definition and the generation in which that was checked:
 *
 *    63            32 31             0
 *   +----------------+----------------+
 *   | generation     | definition id  |
 *   +----------------+----------------+
 *
 * Unloading a module begins a new generation of the kernel table: the driver may give the
 * handles to other functions. An entry of an older generation is checked by name when it
 * is next launched, and gets a new definition when the name is another one.
 */
#ifndef VPROF_SHIM_KERNELS_H
#define VPROF_SHIM_KERNELS_H

#include <stdint.h>
#include "preload/compiler.h"
#include "shim/cuda_abi.h"

struct vprof_handle {
	uint64_t key;      /* the handle; 0: free */
	uint64_t word;
	uint32_t library;  /* 1: a CUkernel, not a CUfunction */
	uint32_t reserved;
	uint64_t content;  /* of a graph: see struct vprof_graph_nodes; written by who makes or updates it */
};

struct vprof_handles {
	struct vprof_handle *entries; /* 1 << (64 - shift) of them, and VPROF_HANDLE_PROBES more */
	uint32_t shift;
	uint32_t generation;
	uint32_t oldest;              /* ids of generations before this belong to another ring */
	uint32_t ready;               /* entries and shift are final */
};

enum { VPROF_HANDLE_PROBES = 64 };

extern struct vprof_handles vprof_kernels HIDDEN, vprof_graphs HIDDEN;

/* Makes the tables. Called before the first record of a process and in its forked children. */
void vprof_handles_init(void) HIDDEN;

/* A new ring: every definition has to be made again. */
void vprof_handles_forget(void) HIDDEN;

/* Id of a launched function, defined if need be; asks the driver for its name. 0: none. */
uint32_t vprof_kernel_id(CUfunction function) HIDDEN COLD;

/*
 * A lookup gave `handle` for `name`: a CUkernel when `library`, else a CUfunction, out of
 * the module or library `from`. Returns its id.
 */
uint32_t vprof_kernel_seen(const void *handle, int library, const char *name, const void *from) HIDDEN COLD;

/* The name under which a handle was defined in this ring; NULL when it was not. */
const char *vprof_kernel_name(const void *handle) HIDDEN COLD;

/* Functions have gone: names have to be checked from now on. */
void vprof_kernels_recheck(void) HIDDEN COLD;

/* A graph has been instantiated by `call`: returns its id. */
uint32_t vprof_graph_made(CUgraphExec exec, CUgraph graph, uint64_t flags, unsigned call) HIDDEN COLD;

/* The exec now does what `graph` says: returns its id, a new one when the nodes are others than before. */
uint32_t vprof_graph_updated(CUgraphExec exec, CUgraph graph, unsigned call) HIDDEN COLD;

/* Id of a launched graph, defined if it was instantiated before there was a ring. 0: none. */
uint32_t vprof_graph_id(CUgraphExec exec) HIDDEN COLD;

/* The exec is about to be destroyed. Returns the id that it had. */
uint32_t vprof_graph_gone(CUgraphExec exec) HIDDEN COLD;

/*
 * Id of a handle, 0 when it has to be looked at more closely. For threads that record
 * already: the table is there then. An entry lies within so many places of where it belongs,
 * so the walk is short in a full table too.
 */
static ALWAYS_INLINE uint32_t vprof_handle_find(const struct vprof_handles *table, const void *handle)
{
	uint64_t key = (uintptr_t)handle, word;
	const struct vprof_handle *entry = &table->entries[key * 0x9e3779b97f4a7c15u >> table->shift];

	if (unlikely(__atomic_load_n(&entry->key, __ATOMIC_RELAXED) != key)) {
		int left = VPROF_HANDLE_PROBES;

		do
			if (!__atomic_load_n(&entry->key, __ATOMIC_RELAXED) || !--left)
				return 0;
		while (__atomic_load_n(&(++entry)->key, __ATOMIC_RELAXED) != key);
	}
	word = __atomic_load_n(&entry->word, __ATOMIC_RELAXED);
	if (unlikely(word >> 32 != __atomic_load_n(&table->generation, __ATOMIC_RELAXED)))
		return 0;
	return (uint32_t)word;
}

#endif
