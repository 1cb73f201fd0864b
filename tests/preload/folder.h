/*
 * folder.h - the folder in which a test program's rings lie: made, searched, and taken away at its end.
 */
#ifndef TESTS_PRELOAD_FOLDER_H
#define TESTS_PRELOAD_FOLDER_H

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "preload/config.h"
#include "tools/ring.h"

static char folder[64];

/* A new one; rings from here on go there. 0 or a negative errno. */
static inline int make_folder(const char *name)
{
	snprintf(folder, sizeof(folder), "/tmp/vprof-%s.XXXXXX", name);
	if (!mkdtemp(folder))
		return -errno;
	/* What follows is not to be overwritten when the ring is made. */
	vprof_config_read();
	strcpy(vprof_config.out, folder);
	return 0;
}

/* The path of the one ring that the process has made. 0 or -ENOENT. */
static inline int find_ring_of(pid_t pid, char *path, size_t size)
{
	char pattern[128];
	glob_t found;
	int error;

	snprintf(pattern, sizeof(pattern), "%s/*.%d.*.ring", folder, (int)pid);
	if (glob(pattern, 0, NULL, &found))
		return -ENOENT;
	error = found.gl_pathc == 1 && snprintf(path, size, "%s", found.gl_pathv[0]) < (int)size ? 0 : -ENOENT;
	globfree(&found);
	return error;
}

static inline int open_ring_of(struct ring *ring, pid_t pid)
{
	char path[512], why[256];
	int error = find_ring_of(pid, path, sizeof(path));

	if (error)
		return error;
	error = ring_open(ring, path, why, sizeof(why));
	if (error)
		printf("# %s: %s\n", path, why);
	return error;
}

/* The rings may be links to tmpfs: both ends go. */
static inline void remove_folder(void)
{
	char pattern[128], target[1024];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/*", folder);
	if (!glob(pattern, 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			ssize_t n = readlink(found.gl_pathv[i], target, sizeof(target) - 1);

			if (n > 0) {
				target[n] = 0;
				unlink(target);
			}
			unlink(found.gl_pathv[i]);
		}
		globfree(&found);
	}
	rmdir(folder);
}

#endif
