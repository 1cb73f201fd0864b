/*
 * ring_holdings.c - what the process holds: the entries of the table that are taken.
 *
 * A writer stores an entry's address last and overwrites it first. So of a live ring an entry
 * counts when two reads, one after the other, give the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/list.h"
#include "tools/ring_inner.h"

enum { BLOCK = 1024, GIVEN_BACK = 1 };

struct list {
	struct vprof_holding *entries;
	uint32_t count;
	uint64_t bad;
};

static int list_add(struct list *list, const struct vprof_holding *entry)
{
	if (list_grow(list->entries, list->count))
		return -ENOMEM;
	list->entries[list->count++] = *entry;
	return 0;
}

static const struct vprof_holding *entry_at(const uint8_t *block, uint32_t size, uint32_t i)
{
	return (const struct vprof_holding *)(const void *)(block + (size_t)i * size);
}

/* Entries may be longer than ours: a newer writer's. Their size is a multiple of 8, as is the block. */
static int list_add_block(struct list *list, const uint8_t *first, const uint8_t *again, uint32_t size, uint32_t count)
{
	int error = 0;

	for (uint32_t i = 0; i < count && !error; i++) {
		const struct vprof_holding *entry = entry_at(again, size, i);

		if (entry->address <= GIVEN_BACK || memcmp(entry, entry_at(first, size, i), sizeof(*entry)))
			continue;
		if (!entry->kind || entry->kind > VPROF_MEMORY_ARRAY)
			list->bad++;
		else
			error = list_add(list, entry);
	}
	return error;
}

static int read_block(const struct ring *ring, uint32_t from, uint32_t count, uint8_t *first, uint8_t *again,
		      struct list *list)
{
	uint32_t size = ring->header.holding_size;
	uint64_t offset = ring->header.holdings_offset + (uint64_t)from * size;
	ssize_t got = ring_pread(ring->fd, first, (size_t)count * size, offset);

	if (got >= 0)
		got = ring_pread(ring->fd, again, (size_t)got, offset);
	if (got < 0)
		return (int)got;
	return list_add_block(list, first, again, size, (uint32_t)((size_t)got / size));
}

int ring_read_holdings(struct ring *ring)
{
	const struct vprof_ring_header *h = &ring->header;
	uint64_t bytes = h->holdings_offset ? ring_region(ring, h->holdings_offset,
							  (uint64_t)h->holding_count * h->holding_size) : 0;
	uint64_t count = bytes ? bytes / h->holding_size : 0;
	size_t room = (size_t)BLOCK * h->holding_size;
	uint8_t *first = count ? malloc(room) : NULL, *again = count ? malloc(room) : NULL;
	struct list list = { 0 };
	int error = count && (!first || !again) ? -ENOMEM : 0;

	for (uint64_t i = 0; i < count && !error; i += BLOCK)
		error = read_block(ring, (uint32_t)i, (uint32_t)(count - i < BLOCK ? count - i : BLOCK), first,
				   again, &list);
	free(first);
	free(again);
	if (error) {
		free(list.entries);
		return error;
	}
	free(ring->holdings);
	ring->holdings = list.entries;
	ring->holding_count = list.count;
	ring->bad_holdings = list.bad;
	return 0;
}
