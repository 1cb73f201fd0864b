/*
 * run_folder.c - see the header.
 */
#include "tools/run_folder.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RUN_PREFIX "vprof-"

enum {
	NAMES_TRIED = 1000,
	PATH_MOST = 1023, /* bytes of VPROF_OUT that the library takes */
};

static int is_ring(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && dot != entry->d_name && !strcmp(dot, ".ring");
}

static int list_rings(const char *path, struct dirent ***names)
{
	return scandir(path, names, is_ring, alphasort);
}

void run_folder_names_free(struct dirent **names, int count)
{
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

/* The folders above `path`; what fails shows when the folder itself is made. */
static void make_parents(const char *path)
{
	char part[PATH_MAX];

	for (size_t i = 1; path[i] && i < sizeof(part); i++) {
		if (path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		mkdir(part, 0777);
	}
}

/* For what is said of it: which folder it was to be in. */
static void keep_failed(struct run_folder *folder, const char *name)
{
	char here[PATH_MAX];

	if (!getcwd(here, sizeof(here)))
		folder->path = strdup(name);
	else if (asprintf(&folder->path, "%s/%s", here, name) < 0)
		folder->path = NULL;
}

/* A name of its own: mkdir() decides who has it. */
static int make_new(struct run_folder *folder)
{
	char stamp[32], path[64];
	time_t now = time(NULL);
	struct tm tm;
	int error;

	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	for (int i = 0; i < NAMES_TRIED; i++) {
		snprintf(path, sizeof(path), i ? RUN_PREFIX "%s.%d" : RUN_PREFIX "%s", stamp, i);
		if (!mkdir(path, 0700)) {
			folder->made = 1;
			folder->path = strdup(path);
			return folder->path ? 0 : -ENOMEM;
		}
		error = -errno;
		if (error != -EEXIST) {
			keep_failed(folder, path);
			return error;
		}
	}
	return -EEXIST;
}

static int take_named(struct run_folder *folder, const char *wanted)
{
	size_t length = strlen(wanted);

	folder->path = strdup(wanted);
	if (!folder->path)
		return -ENOMEM;
	while (length > 1 && folder->path[length - 1] == '/')
		folder->path[--length] = '\0';
	make_parents(folder->path);
	if (!mkdir(folder->path, 0700))
		folder->made = 1;
	else if (errno != EEXIST)
		return -errno;
	return 0;
}

static int refuse_rings(struct run_folder *folder, int append, char *why, size_t size)
{
	folder->earlier_count = list_rings(folder->path, &folder->earlier);
	if (folder->earlier_count < 0) {
		folder->earlier_count = 0;
		return -errno;
	}
	if (append || !folder->earlier_count)
		return 0;
	snprintf(why, size, "%s has the rings of an earlier run: name another folder, or add to it with --append",
		 folder->path);
	return -EEXIST;
}

int run_folder_make(struct run_folder *folder, const char *wanted, int append, char *why, size_t size)
{
	int error;

	*folder = (struct run_folder){ 0 };
	*why = '\0';
	error = wanted ? take_named(folder, wanted) : make_new(folder);
	if (!error)
		error = refuse_rings(folder, append, why, size);
	if (!error) {
		folder->real = realpath(folder->path, NULL);
		error = !folder->real ? -errno : strlen(folder->real) > PATH_MOST ? -ENAMETOOLONG : 0;
	}
	if (!error && access(folder->real, W_OK | X_OK))
		error = -errno;
	if (!error)
		return 0;
	if (!*why)
		snprintf(why, size, "%s: %s", folder->path ? folder->path : "output folder", strerror(-error));
	run_folder_undo(folder);
	run_folder_free(folder);
	return error;
}

void run_folder_undo(struct run_folder *folder)
{
	if (folder->made)
		rmdir(folder->path);
}

void run_folder_free(struct run_folder *folder)
{
	run_folder_names_free(folder->earlier, folder->earlier_count);
	free(folder->path);
	free(folder->real);
	*folder = (struct run_folder){ 0 };
}

static int was_there(const struct run_folder *folder, const char *name)
{
	for (int i = 0; i < folder->earlier_count; i++)
		if (!strcmp(folder->earlier[i]->d_name, name))
			return 1;
	return 0;
}

int run_folder_rings(const struct run_folder *folder, struct dirent ***names)
{
	int count = list_rings(folder->real, names), kept = 0;

	for (int i = 0; i < count; i++) {
		if (was_there(folder, (*names)[i]->d_name))
			free((*names)[i]);
		else
			(*names)[kept++] = (*names)[i];
	}
	return count < 0 ? count : kept;
}

static int is_run_folder(const struct dirent *entry)
{
	return !fnmatch(RUN_PREFIX "[0-9]*-[0-9]*", entry->d_name, 0) || !strcmp(entry->d_name, "out");
}

/* A folder changes when a ring is made in it. */
static int later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

static int has_rings(const char *path)
{
	struct dirent **names;
	int count = list_rings(path, &names);

	if (count >= 0)
		run_folder_names_free(names, count);
	return count > 0;
}

const char *run_folder_usual(void)
{
	static char newest[NAME_MAX + 1];
	const char *set = getenv("VPROF_OUT");
	struct timespec newest_time = { 0 };
	struct dirent **names;
	struct stat st;
	int count, filled = 0;

	if (set && *set)
		return set;
	strcpy(newest, "out");
	count = scandir(".", &names, is_run_folder, alphasort);
	if (count < 0)
		return newest;
	for (int i = 0; i < count; i++) {
		int rings;

		if (stat(names[i]->d_name, &st) || !S_ISDIR(st.st_mode))
			continue;
		rings = has_rings(names[i]->d_name);
		if (rings < filled || (rings == filled && !later(&st.st_mtim, &newest_time)))
			continue;
		filled = rings;
		newest_time = st.st_mtim;
		strcpy(newest, names[i]->d_name);
	}
	run_folder_names_free(names, count);
	return newest;
}
