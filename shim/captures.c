/*
 * captures.c - captured graphs by handle.
 *
 * A hash table, open addressing. An entry belongs to a handle for good; the driver uses handles
 * again, so there are few. A graph that finds no entry has no known capture. Of one graph only one
 * thread at a time writes: programs may not use a graph from several.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "preload/clock.h"
#include "preload/inner.h"
#include "shim/captures.h"

enum { BITS = 13, PROBES = 32 };

struct entry {
	uint64_t key;     /* CUgraph; 0: free */
	struct vprof_capture capture;
};

static struct entry *entries; /* (1 << BITS) + PROBES */
static uint32_t open_captures;

void vprof_capture_begun(void)
{
	__atomic_add_fetch(&open_captures, 1, __ATOMIC_SEQ_CST);
}

/* An end that the driver refuses is counted too: a program that does that is about to give up. */
void vprof_capture_ending(void)
{
	uint32_t seen = __atomic_load_n(&open_captures, __ATOMIC_RELAXED);

	while (seen && !__atomic_compare_exchange_n(&open_captures, &seen, seen - 1, 0, __ATOMIC_SEQ_CST,
						    __ATOMIC_RELAXED))
		;
}

int vprof_captures_any(void)
{
	return __atomic_load_n(&open_captures, __ATOMIC_SEQ_CST) != 0;
}

void vprof_captures_init(void)
{
	/* Pairs with the acquire in entry_of(). */
	if (!entries)
		__atomic_store_n(&entries, vprof_table(((1u << BITS) + PROBES) * sizeof(struct entry)),
				 __ATOMIC_RELEASE);
}

/* `make`: an entry is taken if need be. NULL: none. */
static struct entry *entry_of(CUgraph graph, int make)
{
	struct entry *table = __atomic_load_n(&entries, __ATOMIC_ACQUIRE);
	uint64_t key = (uintptr_t)graph;

	if (!table || !key)
		return NULL;
	table += key * 0x9e3779b97f4a7c15u >> (64 - BITS);
	for (int i = 0; i < PROBES; i++, table++) {
		uint64_t found = __atomic_load_n(&table->key, __ATOMIC_RELAXED);

		if (!found && !make)
			return NULL;
		if (!found && __atomic_compare_exchange_n(&table->key, &found, key, 0, __ATOMIC_RELAXED,
							  __ATOMIC_RELAXED))
			return table;
		if (found == key)
			return table;
	}
	return NULL;
}

uint32_t vprof_thread_id(void)
{
	int saved = errno;
	long tid = syscall(SYS_gettid);

	errno = saved;
	return (uint32_t)tid;
}

void vprof_capture_ended(CUgraph graph, CUstream stream)
{
	struct entry *entry = entry_of(graph, 1);

	if (entry)
		entry->capture = (struct vprof_capture){ vprof_ticks(), (uintptr_t)stream, vprof_thread_id() };
}

void vprof_capture_cloned(CUgraph clone, CUgraph from)
{
	const struct entry *origin = entry_of(from, 0);
	struct entry *entry = origin && origin->capture.tid ? entry_of(clone, 1) : NULL;

	if (entry)
		entry->capture = origin->capture;
}

void vprof_capture_gone(CUgraph graph)
{
	struct entry *entry = entry_of(graph, 0);

	if (entry)
		entry->capture.tid = 0;
}

struct vprof_capture vprof_capture_of(CUgraph graph)
{
	const struct entry *entry = entry_of(graph, 0);
	struct vprof_capture none = { 0 };

	return entry && entry->capture.tid ? entry->capture : none;
}
