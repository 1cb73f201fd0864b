/*
 * folder.h - the folder in which a test program's rings lie, taken away at its end.
 */
#ifndef TESTS_PRELOAD_FOLDER_H
#define TESTS_PRELOAD_FOLDER_H

#include <glob.h>
#include <stdio.h>
#include <unistd.h>

/* The rings may be links to tmpfs: both ends go. */
static void remove_rings(const char *folder)
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
