/*
 * environ.c - pins the output folder for the children of this process.
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

void vprof_environ_pin(const char *path)
{
	static const char name[] = "VPROF_OUT=";
	static char entry[sizeof(name) + PATH_TEXT];
	char **old = __atomic_load_n(&environ, __ATOMIC_ACQUIRE), **copy;
	struct vprof_text text = VPROF_TEXT(entry);
	size_t count = 0, n = 0;
	char *one;

	while (old && old[count])
		count++;
	copy = vprof_table((count + 2) * sizeof(*copy));
	if (!copy)
		return; /* children then write to `out` in their own folder */
	vprof_text_put(&text, name);
	vprof_text_put(&text, path);
	/* Each is read once: another thread's unsetenv() moves the rest up. */
	for (size_t i = 0; i < count && (one = __atomic_load_n(&old[i], __ATOMIC_RELAXED)); i++)
		if (strncmp(one, name, sizeof(name) - 1))
			copy[n++] = one;
	copy[n] = entry;
	/* When someone has changed the environment meanwhile, theirs stands. */
	__atomic_compare_exchange_n(&environ, &old, copy, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}
