/*
 * environ.c - what we leave in the environment, for NVTX and for the children of this process.
 *
 * Not setenv(): it moves the environment with realloc(), under the eyes of threads that
 * may be reading it. Here a copy of the array with our entry is put in place in one
 * store; the old array stays as it is, for whoever still reads it.
 */
#include <string.h>
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/text.h"

extern char **environ;

const char *vprof_environ_value(const char *name)
{
	char **now = __atomic_load_n(&environ, __ATOMIC_ACQUIRE);
	size_t length = strlen(name);
	const char *one;

	while (now && (one = __atomic_load_n(now++, __ATOMIC_RELAXED)))
		if (!strncmp(one, name, length))
			return one + length;
	return NULL;
}

void vprof_environ_put(char *entry, size_t name_length, char **room, size_t room_count)
{
	char **old = __atomic_load_n(&environ, __ATOMIC_ACQUIRE), **copy = room, *one;
	size_t count = 0, n = 0;

	while (old && old[count])
		count++;
	if (count + 2 > room_count)
		copy = vprof_table((count + 2) * sizeof(*copy));
	if (!copy)
		return;
	/* Each is read once: another thread's unsetenv() moves the rest up. */
	for (size_t i = 0; i < count && (one = __atomic_load_n(&old[i], __ATOMIC_RELAXED)); i++)
		if (strncmp(one, entry, name_length))
			copy[n++] = one;
	copy[n++] = entry;
	copy[n] = NULL;
	/* When someone has changed the environment meanwhile, theirs stands. */
	__atomic_compare_exchange_n(&environ, &old, copy, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Without memory children write to `out` in their own folder. */
void vprof_environ_pin(const char *path)
{
	static const char name[] = "VPROF_OUT=";
	static char entry[sizeof(name) + PATH_TEXT];
	struct vprof_text text = VPROF_TEXT(entry);

	vprof_text_put(&text, name);
	vprof_text_put(&text, path);
	vprof_environ_put(entry, sizeof(name) - 1, NULL, 0);
}
