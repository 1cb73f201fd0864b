/*
 * define.c - the definitions log: names and objects, append-only and lock-free.
 *
 * Room is taken by a compare-and-swap of the next entry's head from 0, so that a
 * reader never meets a gap whose length it does not know, even when the writer dies
 * between two steps.
 */
#include <string.h>
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/testpoint.h"

static uint64_t head_word(uint32_t size, uint16_t type, uint16_t state)
{
	struct vprof_def head = { size, type, state };
	uint64_t word;

	memcpy(&word, &head, sizeof(word));
	return word;
}

/* Offset of `size` bytes taken for us, 0 when there is no room. */
static uint64_t take(uint64_t size, uint64_t head)
{
	uint64_t at = __atomic_load_n(&vprof_map.live->defs_used, __ATOMIC_ACQUIRE);

	if (at < sizeof(struct vprof_def))
		at = sizeof(struct vprof_def);
	while (at + size + sizeof(struct vprof_def) <= vprof_map.defs_size) {
		uint64_t *word = (uint64_t *)(void *)(vprof_map.defs + at), found = 0;
		struct vprof_def other;

		if (__atomic_compare_exchange_n(word, &found, head, 0, __ATOMIC_ACQ_REL,
						__ATOMIC_ACQUIRE)) {
			__atomic_store_n(&vprof_map.live->defs_used, at + size, __ATOMIC_RELEASE);
			return at;
		}
		memcpy(&other, &found, sizeof(other));
		if (other.size < sizeof(other) || other.size % 8)
			return 0;
		at += other.size;
	}
	return 0;
}

uint32_t vprof_define(const void *def, size_t size, const char *name)
{
	size_t length = name ? strnlen(name, VPROF_LONGEST_NAME) : 0;
	uint64_t total = (size + length + (name ? 1 : 0) + 7) & ~7ull, at;
	uint16_t type = ((const struct vprof_def *)def)->type;
	uint8_t *entry;

	if (!vprof_ring_is_writable())
		return 0;
	at = take(total, head_word((uint32_t)total, type, VPROF_DEF_RESERVED));
	if (!at) {
		vprof_lose(VPROF_LOSS_DEFS_FULL);
		return 0;
	}
	TESTPOINT("define_reserved");
	entry = vprof_map.defs + at;
	memcpy(entry + sizeof(struct vprof_def), (const uint8_t *)def + sizeof(struct vprof_def),
	       size - sizeof(struct vprof_def));
	if (name) {
		memcpy(entry + size, name, length);
		entry[size + length] = 0;
	}
	/* Pairs with the readers' acquire load of the head. */
	__atomic_store_n((uint64_t *)(void *)entry, head_word((uint32_t)total, type, VPROF_DEF_READY),
			 __ATOMIC_RELEASE);
	TESTPOINT("define_ready");
	return (uint32_t)(at / 8);
}

int vprof_has_ring(void)
{
	return vprof_ring_is_ours();
}

int vprof_chosen(uint32_t groups)
{
	const struct vprof_ring_control *control = vprof_map.control;

	if (!vprof_ring_is_ours())
		return 0;
	return ((__atomic_load_n(&control->groups, __ATOMIC_RELAXED) |
		 __atomic_load_n(&control->word, __ATOMIC_RELAXED)) & groups) != 0;
}

int vprof_define_spares(size_t size)
{
	uint64_t used;

	if (!vprof_ring_is_writable())
		return 0;
	/* Half of what the names of the calls leave: in the smallest ring they take half of all. */
	used = __atomic_load_n(&vprof_map.live->defs_used, __ATOMIC_RELAXED) - vprof_map.defs_floor;
	return used + size <= (vprof_map.defs_size - vprof_map.defs_floor) / 2;
}

uint32_t vprof_define_sparing(const void *def, size_t size, const char *name)
{
	if (!vprof_ring_is_writable())
		return 0;
	if (vprof_define_spares(size + (name ? strnlen(name, VPROF_LONGEST_NAME) + 1 : 0)))
		return vprof_define(def, size, name);
	vprof_lose(VPROF_LOSS_DEFS_FULL);
	return 0;
}

const struct vprof_def *vprof_definition(uint32_t id)
{
	uint64_t at = (uint64_t)id * 8;
	const struct vprof_def *def = (const void *)(vprof_map.defs + at);

	if (!id || !vprof_map.header || at + sizeof(*def) > vprof_map.defs_size)
		return NULL;
	if (def->state != VPROF_DEF_READY || at + def->size > vprof_map.defs_size)
		return NULL;
	return def;
}
