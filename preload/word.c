/*
 * word.c - the page in which hooks find the control word: the library's own, or the ring's.
 *
 * A page of the library is laid over with the ring's control page, so that a hook reads the word at an
 * address that it knows. What is put there is mapped elsewhere first and then moved, which is one
 * step for all other threads, and needs no memory: what can fail fails before, and leaves things
 * as they were.
 *
 * Not from two threads at once: by the constructor, by whoever makes the ring (start.c), and in the child
 * of fork(), which has one thread.
 */
#include <errno.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include "preload/process.h"

/*
 * What VPROF_TRACE is at first, so that a process without any of our variables need not touch the page. One of its
 * own, behind all other data and as large as that: so neither do the loader's zeroes in front of what has none.
 */
__attribute__((section(".guard"))) struct vprof_guard vprof_guard = {
	.control.word = VPROF_GROUP_BIT(VPROF_GROUP_COUNT) - 1 - VPROF_GROUP_BIT(VPROF_GROUP_QUERY),
};

static int is_shared; /* with a ring: ours, or that of the process that we are a child of */

/* The part of the area that is one page, and where in the ring that is. */
static char *page_find(size_t *size, size_t *offset)
{
	*size = getauxval(AT_PAGESZ);
	*offset = VPROF_CONTROL_OFFSET & ~(*size - 1);
	return (char *)&vprof_guard + (*offset - VPROF_GUARD_AT);
}

/* Lays what was mapped at `made` over our page. */
static int page_put(void *made, char *page, size_t size)
{
	if (made == MAP_FAILED)
		return -errno;
	if (mremap(made, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, page) == MAP_FAILED) {
		int error = -errno;

		munmap(made, size);
		return error;
	}
	return 0;
}

void *vprof_word_map(int fd)
{
	size_t size, offset;

	page_find(&size, &offset);
	if (size > VPROF_GUARD_SIZE) {
		errno = ENOTSUP;
		return MAP_FAILED;
	}
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);
}

void vprof_word_unmap(void *word)
{
	munmap(word, getauxval(AT_PAGESZ));
}

int vprof_word_share(struct vprof_map *map)
{
	size_t size, offset;
	char *page = page_find(&size, &offset);
	int error = page_put(map->word, page, size);

	map->word = NULL;
	if (!error)
		is_shared = 1;
	return error;
}

void vprof_word_own(uint32_t groups)
{
	size_t size, offset;
	char *page = page_find(&size, &offset);

	if (is_shared) {
		char *made = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (made != MAP_FAILED)
			*(uint32_t *)(void *)(made + VPROF_CONTROL_OFFSET - offset) = groups;
		/* Without memory for it a child goes by what its parent records. */
		if (!page_put(made, page, size))
			is_shared = 0;
		return;
	}
	__atomic_store_n(&vprof_guard.control.word, groups, __ATOMIC_RELEASE);
}

int vprof_word_is_shared(void)
{
	return __atomic_load_n(&is_shared, __ATOMIC_RELAXED);
}
