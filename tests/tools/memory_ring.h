/*
 * memory_ring.h - rings in memory files, for tests that open them by the thousand.
 */
#ifndef TESTS_TOOLS_MEMORY_RING_H
#define TESTS_TOOLS_MEMORY_RING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/tools/make_ring.h"
#include "tools/ring.h"

struct memory_ring {
	int fd;
	char path[64];
	uint64_t size;
};

static inline void memory_ring_make(struct memory_ring *m, const struct make_ring *options)
{
	struct stat st;

	m->fd = memfd_create("ring", MFD_CLOEXEC);
	if (m->fd < 0 || make_ring_write(options, m->fd) || fstat(m->fd, &st)) {
		perror("memory_ring_make");
		exit(1);
	}
	m->size = (uint64_t)st.st_size;
	snprintf(m->path, sizeof(m->path), "/proc/self/fd/%d", m->fd);
}

/* Overwrites bytes of the file. */
static inline void memory_ring_poke(struct memory_ring *m, uint64_t offset, const void *bytes, size_t size)
{
	if (pwrite(m->fd, bytes, size, (off_t)offset) != (ssize_t)size) {
		perror("memory_ring_poke");
		exit(1);
	}
}

/* Equal in all but seq? */
static inline int slot_equal(const struct vprof_slot *a, const struct vprof_slot *b)
{
	return !memcmp(&a->t0, &b->t0, sizeof(*a) - sizeof(a->seq));
}

/*
 * Reads all records and compares each with what make_ring_slot() says stands there.
 * Returns their number, or -1 when one is wrong.
 */
static inline long read_and_compare(const struct ring *ring, const struct make_ring *options)
{
	long records = 0;

	for (uint32_t i = 0; i < ring->chunk_count; i++) {
		struct vprof_chunk chunk;
		int n = ring_read_chunk(ring, &ring->chunks[i], &chunk);

		if (n < 0)
			return -1;
		records += n;
		for (uint32_t s = 0; s < VPROF_CHUNK_SLOTS - 1; s++) {
			struct vprof_slot expected;
			const struct vprof_chunk_header *head = &ring->chunks[i].head;

			if (!chunk.slot[s].seq)
				continue;
			make_ring_slot(options, head->lane, head->first + s, &expected);
			if (!chunk.slot[s].done)
				expected.done = 0;
			if (!slot_equal(&chunk.slot[s], &expected))
				return -1;
		}
	}
	return records;
}

#endif
