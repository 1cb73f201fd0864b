/*
 * verify_places.c - see the header.
 */
#include "tools/verify_places.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/verify.h"

#define ON_TMPFS "/dev/shm/vprof-"

const char *const verify_run_names[VERIFY_RUNS] = { "cupti", "vprof", "plain" };

static int failed(const char *program, const char *what, int error)
{
	fprintf(stderr, "%s: %s: %s\n", program, what, strerror(error));
	return -1;
}

static int make_temporary(struct verify_places *places, const char *program)
{
	const char *base = getenv("TMPDIR");
	char *path;

	if (asprintf(&path, "%s/vprof-verify-XXXXXX", base && *base ? base : "/tmp") < 0)
		return failed(program, "folder", ENOMEM);
	if (!mkdtemp(path)) {
		failed(program, path, errno);
		free(path);
		return -1;
	}
	places->folder = path;
	places->temporary = 1;
	return 0;
}

static int make_kept(struct verify_places *places, const char *keep, const char *program)
{
	if (mkdir(keep, 0700) && errno != EEXIST)
		return failed(program, keep, errno);
	places->folder = realpath(keep, NULL);
	return places->folder ? 0 : failed(program, keep, errno);
}

/* Whether there is what runs of this layout or the other leave, after a message. */
static int is_used(const struct verify_places *places, const char *program)
{
	static const char *const firsts[] = { "cupti", "vprof", "1" };
	int used = 0;

	for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]) && !used; i++) {
		char *path;

		if (asprintf(&path, "%s/%s", places->folder, firsts[i]) < 0)
			return failed(program, places->folder, ENOMEM);
		used = !access(path, F_OK);
		if (used)
			fprintf(stderr, "%s: %s is of an earlier run: name another folder\n", program, path);
		free(path);
	}
	return used;
}

/* 0 or a negative errno. */
static int make_numbered(const struct verify_places *places, uint32_t at)
{
	char *path;
	int error;

	if (asprintf(&path, "%s/%u", places->folder, at + 1) < 0)
		return -ENOMEM;
	error = mkdir(path, 0700) ? -errno : 0;
	free(path);
	return error;
}

/* Likewise: for both sides. */
static int make_sides(const struct verify_places *places, uint32_t at)
{
	int error = places->numbered ? make_numbered(places, at) : 0;

	for (int which = 0; which < VERIFY_RUN_PLAIN && !error; which++) {
		char *path = verify_places_path(places, (enum verify_run)which, at);

		error = !path ? -ENOMEM : mkdir(path, 0700) ? -errno : 0;
		free(path);
	}
	return error;
}

int verify_places_make(struct verify_places *places, uint32_t count, const char *keep, const char *program)
{
	int error = 0;

	*places = (struct verify_places){ .count = count, .numbered = count > 1 };
	if ((keep ? make_kept(places, keep, program) : make_temporary(places, program)) || is_used(places, program))
		return -1;
	for (uint32_t at = 0; at < count && !error; at++)
		error = make_sides(places, at);
	return error ? failed(program, places->folder, -error) : 0;
}

int verify_places_find(struct verify_places *places, const char *folder)
{
	*places = (struct verify_places){ .folder = strdup(folder) };
	if (!places->folder)
		return -ENOMEM;
	for (; places->count < VERIFY_RUNS_MOST; places->count++) {
		char *path;
		int there;

		if (asprintf(&path, "%s/%u", folder, places->count + 1) < 0)
			return -ENOMEM;
		there = !access(path, F_OK);
		free(path);
		if (!there)
			break;
	}
	places->numbered = places->count > 0;
	places->count += !places->numbered;
	return 0;
}

char *verify_places_path(const struct verify_places *places, enum verify_run which, uint32_t at)
{
	const char *name = verify_run_names[which];
	char *path;
	int length;

	if (places->numbered && which != VERIFY_RUN_PLAIN)
		length = asprintf(&path, "%s/%u/%s", places->folder, at + 1, name);
	else
		length = asprintf(&path, "%s/%s", places->folder, name);
	return length < 0 ? NULL : path;
}

const char *verify_places_say(const struct verify_places *places, uint32_t at, char text[VERIFY_PLACES_SAID])
{
	*text = '\0';
	if (places->count > 1)
		snprintf(text, VERIFY_PLACES_SAID, "run %u of %u: ", at + 1, places->count);
	return text;
}

/* The links of a ring's folder lead to tmpfs, where the ring itself goes as well. */
static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	char target[PATH_MAX];
	ssize_t n = type == FTW_SL ? readlink(path, target, sizeof(target) - 1) : -1;

	(void)st;
	(void)at;
	if (n > 0) {
		target[n] = '\0';
		if (!strncmp(target, ON_TMPFS, strlen(ON_TMPFS)))
			unlink(target);
	}
	remove(path);
	return 0;
}

void verify_places_end(struct verify_places *places)
{
	if (places->folder && places->temporary)
		nftw(places->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(places->folder);
}
