/*
 * handles.h - tables from a handle of the program's to a definition.
 *
 * Hash tables, open addressing, one entry per handle ever seen. Keys are never
 * removed, so a reader needs no lock; what can change is an entry's `word`, the id of the
 * definition and the generation in which that was checked:
 *
 *    63    62          32 31             0
 *   +-----+--------------+----------------+
 *   |fresh| generation   | definition id  |
 *   +-----+--------------+----------------+
 *
 * An entry that is fresh, or of an older generation, is not found by the quick way.
 *
 * THREADS. Entries are taken and words changed by compare-and-swap.
 */
#ifndef VPROF_SHIM_HANDLES_H
#define VPROF_SHIM_HANDLES_H

#include <stdint.h>
#include "preload/compiler.h"

#define VPROF_HANDLE_FRESH (1ull << 63)

struct vprof_handle {
	uint64_t key;      /* the handle; 0: free */
	uint64_t word;     /* as drawn above */
	union {
		uint32_t library; /* of a kernel. 1: a CUkernel, not a CUfunction */
		uint32_t left;    /* of a graph: see vprof_graph_launching() */
	};
	uint32_t zero;
	uint64_t token;      /* of a graph: likewise */
};

struct vprof_handles {
	struct vprof_handle *entries; /* 1 << (64 - shift) of them, and VPROF_HANDLE_PROBES more */
	uint32_t shift;
	uint32_t generation;
	uint32_t oldest;              /* ids of generations before this belong to another ring */
	uint32_t ready;               /* entries and shift are final */
};

enum { VPROF_HANDLE_PROBES = 64 };

/* Where there is no memory for a table: nothing is found, a free entry ends the walk. */
extern struct vprof_handle vprof_handles_none[2] HIDDEN;
#define VPROF_HANDLES_EMPTY { vprof_handles_none, 63, 1, 1, 0 }

/* Gives the table room for 1 << bits handles, unless it has that. */
void vprof_handles_make(struct vprof_handles *table, unsigned bits) HIDDEN;

/* A new ring: no id counts any more. */
void vprof_handles_void(struct vprof_handles *table) HIDDEN;

/* The entry of a handle, made if need be; NULL when there is no room near its place. */
struct vprof_handle *vprof_handle_entry(struct vprof_handles *table, const void *handle) HIDDEN;

/* The id in `word`, 0 when it is of another ring. */
uint32_t vprof_handle_id(const struct vprof_handles *table, uint64_t word) HIDDEN;

/* Sets the entry's word unless another thread has in the meantime; returns the id that holds. */
uint32_t vprof_handle_set(struct vprof_handle *entry, uint64_t old, uint32_t generation, uint32_t id) HIDDEN;

/* Its highest bits say where it belongs. Another for each handle. */
static inline uint64_t vprof_handle_hash(const void *handle)
{
	return (uintptr_t)handle * 0x9e3779b97f4a7c15u;
}

static inline uint32_t vprof_handle_generation(uint64_t word)
{
	return (uint32_t)((word & ~VPROF_HANDLE_FRESH) >> 32);
}

/* As below, and the entry; valid when the id is not 0. */
static ALWAYS_INLINE uint32_t vprof_handle_find_entry(const struct vprof_handles *table, const void *handle,
						      struct vprof_handle **found)
{
	uint64_t key = (uintptr_t)handle, word;
	struct vprof_handle *entry = &table->entries[vprof_handle_hash(handle) >> table->shift];

	if (unlikely(__atomic_load_n(&entry->key, __ATOMIC_RELAXED) != key)) {
		int left = VPROF_HANDLE_PROBES;

		do
			if (!__atomic_load_n(&entry->key, __ATOMIC_RELAXED) || !--left)
				return 0;
		while (__atomic_load_n(&(++entry)->key, __ATOMIC_RELAXED) != key);
	}
	*found = entry;
	word = __atomic_load_n(&entry->word, __ATOMIC_RELAXED);
	if (unlikely(word >> 32 != __atomic_load_n(&table->generation, __ATOMIC_RELAXED)))
		return 0; /* a fresh one as well */
	return (uint32_t)word;
}

/*
 * Id of a handle, 0 when it has to be looked at more closely. For threads that record
 * already: the table is there then. An entry lies within so many places of where it belongs,
 * so the walk is short in a full table too.
 */
static ALWAYS_INLINE uint32_t vprof_handle_find(const struct vprof_handles *table, const void *handle)
{
	struct vprof_handle *entry;

	return vprof_handle_find_entry(table, handle, &entry);
}

#endif
