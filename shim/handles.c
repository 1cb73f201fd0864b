/*
 * handles.c - the cold half of the handle tables: their memory, and entries.
 */
#include "preload/inner.h"
#include "shim/handles.h"

struct vprof_handle vprof_handles_none[2];

void vprof_handles_make(struct vprof_handles *table, unsigned bits)
{
	size_t entries = ((size_t)1 << bits) + VPROF_HANDLE_PROBES;

	if (table->ready)
		return;
	table->entries = vprof_table(entries * sizeof(*table->entries));
	if (!table->entries) {
		table->entries = vprof_handles_none;
		return;
	}
	table->shift = 64 - bits;
	/* Pairs with the acquire in vprof_handle_entry(). */
	__atomic_store_n(&table->ready, 1, __ATOMIC_RELEASE);
}

void vprof_handles_void(struct vprof_handles *table)
{
	uint32_t next = __atomic_add_fetch(&table->generation, 1, __ATOMIC_RELAXED);

	__atomic_store_n(&table->oldest, next, __ATOMIC_RELAXED);
}

struct vprof_handle *vprof_handle_entry(struct vprof_handles *table, const void *handle)
{
	uint64_t key = (uintptr_t)handle;
	struct vprof_handle *entry;

	if (!key || !__atomic_load_n(&table->ready, __ATOMIC_ACQUIRE))
		return NULL;
	entry = &table->entries[vprof_handle_hash(handle) >> table->shift];
	for (int i = 0; i < VPROF_HANDLE_PROBES; i++, entry++) {
		uint64_t found = __atomic_load_n(&entry->key, __ATOMIC_RELAXED);

		if (!found && __atomic_compare_exchange_n(&entry->key, &found, key, 0, __ATOMIC_RELAXED,
							  __ATOMIC_RELAXED))
			return entry;
		if (found == key)
			return entry;
	}
	return NULL;
}

uint32_t vprof_handle_id(const struct vprof_handles *table, uint64_t word)
{
	return vprof_handle_generation(word) >= __atomic_load_n(&table->oldest, __ATOMIC_RELAXED) ? (uint32_t)word : 0;
}

uint32_t vprof_handle_set(struct vprof_handle *entry, uint64_t old, uint32_t generation, uint32_t id)
{
	uint64_t word = (uint64_t)generation << 32 | id;

	if (__atomic_compare_exchange_n(&entry->word, &old, word, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return id;
	return (uint32_t)old;
}
