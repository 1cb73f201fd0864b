/*
 * environ.c - what we leave in the environment, for NVTX and for the children of this process.
 *
 * Not setenv(): it moves the environment with realloc(), under the eyes of threads that
 * may be reading it. Here a copy of the array with our entry is put in place in one
 * store; the old array stays as it is, for whoever still reads it.
 *
 * The kernel lays the auxiliary vector behind the NULL of the environment, and programs look for
 * it there: main()'s third argument is what `environ` is when it is called. So a copy that takes
 * the place of that array before main() is followed by a copy of the vector.
 */
#include <elf.h>
#include <string.h>
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/text.h"

extern char **environ;

AT_LOAD const char *vprof_environ_value(const char *name)
{
	char **now = __atomic_load_n(&environ, __ATOMIC_ACQUIRE);
	const char *one, *value = NULL;

	while (now && !value && (one = __atomic_load_n(now++, __ATOMIC_RELAXED)))
		value = vprof_text_behind(one, name);
	return value;
}

/* The array that has the auxiliary vector behind its NULL. */
AT_LOAD_DATA static char **with_auxv;

AT_LOAD void vprof_environ_initial(char **stack)
{
	with_auxv = stack;
}

/* In entries of the environment, its AT_NULL included; 0: it has no end. */
AT_LOAD static size_t auxv_size(const Elf64_auxv_t *vector)
{
	enum { MOST = 256 }; /* Linux gives some 25 */

	for (size_t i = 0; i < MOST; i++)
		if (vector[i].a_type == AT_NULL)
			return (i + 1) * (sizeof(*vector) / sizeof(char *));
	return 0;
}

AT_LOAD void vprof_environ_put(char *entry, const char *name, char **room, size_t room_count)
{
	char **old = __atomic_load_n(&environ, __ATOMIC_ACQUIRE), **copy = room, *one;
	size_t count = 0, n = 0, behind = 0;
	int followed = old && old == with_auxv;

	while (old && old[count])
		count++;
	if (followed) {
		behind = auxv_size((const void *)&old[count + 1]);
		if (!behind)
			return;
	}
	if (count + 2 + behind > room_count)
		copy = vprof_table((count + 2 + behind) * sizeof(*copy));
	if (!copy)
		return;
	/* Each is read once: another thread's unsetenv() moves the rest up. */
	for (size_t i = 0; i < count && (one = __atomic_load_n(&old[i], __ATOMIC_RELAXED)); i++)
		if (!vprof_text_behind(one, name))
			copy[n++] = one;
	copy[n++] = entry;
	copy[n++] = NULL;
	if (followed)
		memcpy(&copy[n], &old[count + 1], behind * sizeof(*copy));
	/* When someone has changed the environment meanwhile, theirs stands. */
	if (__atomic_compare_exchange_n(&environ, &old, copy, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED) && followed)
		with_auxv = copy;
}

/* Without memory children write to `out` in their own folder. */
void vprof_environ_pin(const char *path)
{
	static const char name[] = "VPROF_OUT=";
	static char entry[sizeof(name) + PATH_TEXT];
	struct vprof_text text = VPROF_TEXT(entry);

	vprof_text_put(&text, name);
	vprof_text_put(&text, path);
	vprof_environ_put(entry, name, NULL, 0);
}
