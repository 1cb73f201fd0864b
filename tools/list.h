/*
 * list.h - an array that grows by one entry at a time.
 *
 * Its room doubles: whenever the count is a power of two there is none left. So a pointer and a count
 * are all there is to a list, and entries may be taken off its end.
 */
#ifndef VPROF_TOOLS_LIST_H
#define VPROF_TOOLS_LIST_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more behind the `count` entries that `list` points to. 0 or -ENOMEM; then the list is as it was. */
#define list_grow(list, count) list_grow_at(&(list), (count), sizeof(*(list)))

/* Inner part of list_grow(): `at` is the address of a pointer of any type. */
static inline int list_grow_at(void *at, size_t count, size_t size)
{
	void *list;

	if (count & (count - 1))
		return 0;
	memcpy(&list, at, sizeof(list));
	list = reallocarray(list, count ? 2 * count : 1, size);
	if (!list)
		return -ENOMEM;
	memcpy(at, &list, sizeof(list));
	return 0;
}

#endif
