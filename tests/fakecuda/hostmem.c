/*
 * hostmem.c - which of the program's own memory the GPU can be given.
 *
 * The real driver pins pages: anonymous ones, private ones, and shared
 * mappings of files that live in memory (tmpfs, memfd). A shared mapping of a file on a
 * disk it refuses.
 */
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "tests/fakecuda/fake.h"

enum { TMPFS = 0x01021994, RAMFS = (int)0x858458f6, HUGETLBFS = (int)0x958458f6 }; /* statfs' f_type */

static bool fs_in_memory(const char *path, bool *known)
{
	struct statfs fs;

	*known = !statfs(path, &fs);
	return *known && ((int)fs.f_type == TMPFS || (int)fs.f_type == RAMFS || (int)fs.f_type == HUGETLBFS);
}

/* A file that is gone lies where its folder does; what never had a name lies in memory. */
static bool in_memory(char *path)
{
	static const char *const nameless[] = { "/memfd:", "/SYSV", "/dev/zero" };
	char *end = strrchr(path, '/');
	bool known, memory = fs_in_memory(path, &known);

	if (known || !end)
		return memory || !end;
	for (size_t i = 0; i < FK_COUNT(nameless); i++)
		if (!strncmp(path, nameless[i], strlen(nameless[i])))
			return true;
	end[end == path] = '\0';
	memory = fs_in_memory(path, &known);
	return memory || !known;
}

bool fk_host_pinnable(const void *p, size_t size)
{
	uint64_t first = (uintptr_t)p, last = first + size - 1, from, to, mapped = first;
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[4352], shared, path[4096];
	bool ok = true;

	if (!maps)
		return true;
	while (ok && fgets(line, sizeof(line), maps)) {
		*path = '\0';
		if (sscanf(line, "%lx-%lx %*3c%c %*s %*s %*s %4095[^\n]", &from, &to, &shared, path) < 3)
			continue;
		if (to <= first || from > last)
			continue;
		ok = from <= mapped && (shared != 's' || in_memory(path));
		mapped = to;
	}
	fclose(maps);
	return ok && mapped > last;
}
