/*
 * idmap.h - a hash from 64-bit numbers to 32-bit ones.
 *
 * Open addressing, at most half full; zeroed memory is an empty map. Several
 * threads may look up while none puts.
 */
#ifndef VPROF_TOOLS_IDMAP_H
#define VPROF_TOOLS_IDMAP_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#define IDMAP_NONE UINT32_MAX

struct idmap_entry {
	uint64_t key;
	uint32_t value;        /* + 1; 0: free */
};

struct idmap {
	struct idmap_entry *entries;
	uint32_t size, count;  /* size: 0 or a power of two */
};

static inline struct idmap_entry *idmap_place(const struct idmap *map, uint64_t key)
{
	uint32_t mask = map->size - 1, at = (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & mask;

	while (map->entries[at].value && map->entries[at].key != key)
		at = (at + 1) & mask;
	return &map->entries[at];
}

static inline uint32_t idmap_get(const struct idmap *map, uint64_t key)
{
	return map->size ? idmap_place(map, key)->value - 1 : IDMAP_NONE;
}

/* Sets or changes; 0 or -ENOMEM. */
static inline int idmap_put(struct idmap *map, uint64_t key, uint32_t value)
{
	struct idmap_entry *place;

	if (2 * map->count >= map->size) {
		struct idmap bigger = { .size = map->size ? 2 * map->size : 32, .count = map->count };

		bigger.entries = calloc(bigger.size, sizeof(*bigger.entries));
		if (!bigger.entries)
			return -ENOMEM;
		for (uint32_t i = 0; i < map->size; i++)
			if (map->entries[i].value)
				*idmap_place(&bigger, map->entries[i].key) = map->entries[i];
		free(map->entries);
		*map = bigger;
	}
	place = idmap_place(map, key);
	map->count += !place->value;
	*place = (struct idmap_entry){ .key = key, .value = value + 1 };
	return 0;
}

static inline void idmap_free(struct idmap *map)
{
	free(map->entries);
}

#endif
