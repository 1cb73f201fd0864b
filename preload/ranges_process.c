/*
 * ranges_process.c - ranges that may end on another thread: a table for the whole process.
 *
 * An entry is taken by whoever starts a range, by compare-and-swap on `busy`, and by whoever ends it. The end is
 * a record of its own, unless its thread is still in the chunk where the range was told last. What was
 * open before there was a ring is told in it by the thread that records first.
 */
#include <errno.h>
#include "preload/capture.h"
#include "preload/inner.h"
#include "preload/ranges_open.h"

enum { PROCESS_RANGES = 256 };
#define UNWANTED (1ull << 63)  /* of a range id: nothing was recorded */

/* busy: 0 free, 1 being changed, 2 in use. */
static struct process_range {
	uint32_t busy;
	struct vprof_open_range range;
} *process_ranges;
static uint64_t process_range_serial;
static uint32_t told; /* the generation of the ring in which all were told */

static struct process_range *process_range_take(uint64_t serial)
{
	struct process_range *table = __atomic_load_n(&process_ranges, __ATOMIC_ACQUIRE), *made;

	if (!table) {
		made = vprof_table(PROCESS_RANGES * sizeof(*made));
		/* Pairs with the load above. */
		if (!made || __atomic_compare_exchange_n(&process_ranges, &table, made, 0, __ATOMIC_ACQ_REL,
							 __ATOMIC_ACQUIRE))
			table = made;
		vprof_clock_init();
	}
	for (unsigned i = 0; table && i < PROCESS_RANGES; i++) {
		struct process_range *entry = &table[(serial + i) % PROCESS_RANGES];
		uint32_t free = 0;

		/* Pairs with the release that frees it. */
		if (!__atomic_load_n(&entry->busy, __ATOMIC_RELAXED) &&
		    __atomic_compare_exchange_n(&entry->busy, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return entry;
	}
	return NULL;
}

uint64_t vprof_range_start(const struct vprof_said *said)
{
	uint64_t serial = __atomic_add_fetch(&process_range_serial, 1, __ATOMIC_RELAXED), id = serial;
	struct process_range *entry;
	struct vprof_said mine = *said;
	int saved = errno;

	if ((said->unwanted && !vprof_capture_fits(said)) || vprof_in_vfork_child)
		return serial | UNWANTED;
	mine.flags |= VPROF_RANGE_PROCESS;
	entry = process_range_take(serial);
	if (entry) {
		id = serial << 8 | (uint64_t)(entry - process_ranges);
		vprof_open_remember(&entry->range, &mine);
		entry->range.id = id;
		entry->range.captures = (uint16_t)vprof_capture_enter(said);
		if (vprof_ranges_wanted() && !said->unwanted)
			vprof_open_tell(&entry->range, &mine, 1);
		if (!entry->range.begun)
			entry->range.begun = vprof_ticks();
		/* Pairs with the compare-and-swap that ends it. */
		__atomic_store_n(&entry->busy, 2, __ATOMIC_RELEASE);
	} else {
		vprof_lose(VPROF_LOSS_TEXT);
		id |= UNWANTED;
	}
	errno = saved;
	return id;
}

/* On the thread of its start the record is completed while the lane is still in its chunk. */
static int ends_here(const struct vprof_open_range *open)
{
	uintptr_t at = (uintptr_t)open->last.slot - (uintptr_t)vprof_cursor.chunk;

	return open->last.slot && vprof_cursor.chunk && at < VPROF_CHUNK_SIZE;
}

void vprof_range_end(uint64_t id)
{
	struct process_range *table = __atomic_load_n(&process_ranges, __ATOMIC_ACQUIRE), *entry;
	uint32_t used = 2;
	int saved = errno;

	if (!table || id & UNWANTED || vprof_in_vfork_child)
		return;
	entry = &table[id % PROCESS_RANGES];
	if (entry->range.id != id ||
	    !__atomic_compare_exchange_n(&entry->busy, &used, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	if (vprof_ring_is_ours() && entry->range.generation == vprof_generation && entry->range.first.slot &&
	    (!ends_here(&entry->range) || vprof_open_complete(entry->range.last, vprof_ticks())))
		vprof_open_tell_end(&entry->range);
	if (unlikely(entry->range.captures))
		vprof_capture_leave();
	__atomic_store_n(&entry->busy, 0, __ATOMIC_RELEASE);
	errno = saved;
}

uint32_t vprof_process_ranges_captures(void)
{
	const struct process_range *table = process_ranges;
	uint32_t count = 0;

	for (unsigned i = 0; table && i < PROCESS_RANGES; i++)
		count += table[i].busy && table[i].range.captures;
	return count;
}

/* By whoever records first. */
void vprof_process_ranges_tell(uint32_t limit)
{
	struct process_range *table = __atomic_load_n(&process_ranges, __ATOMIC_ACQUIRE);
	uint32_t generation = __atomic_load_n(&vprof_generation, __ATOMIC_RELAXED);

	if (!table || __atomic_load_n(&told, __ATOMIC_RELAXED) == generation)
		return;
	for (unsigned i = 0; i < PROCESS_RANGES; i++) {
		uint32_t used = 2;

		if (vprof_cursor_index() >= limit)
			return; /* the next chunk goes on */
		if (!__atomic_compare_exchange_n(&table[i].busy, &used, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		if (table[i].range.generation != generation && !table[i].range.said.unwanted)
			vprof_open_tell_again(&table[i].range);
		__atomic_store_n(&table[i].busy, 2, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&told, generation, __ATOMIC_RELAXED);
}
