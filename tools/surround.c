/*
 * surround.c - see the header.
 */
#include "tools/surround.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "libvprof.so"

char *surround_own_folder(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n <= 0)
		return NULL;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	return strdup(*path ? path : "/");
}

/* The real path of FOLDER/PLACE/libvprof.so, NULL when it cannot be read. */
static char *library_in(const char *folder, const char *place)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s%s/" LIBRARY, folder, place) >= (int)sizeof(path) || access(path, R_OK))
		return NULL;
	return realpath(path, NULL);
}

static char *find_library(char *why, size_t size)
{
	static const char *const beside[] = { "", "/../lib", "/../lib64", NULL };
	static const char *const installed[] = { "/usr/local/lib", "/usr/lib", "/usr/lib64", NULL };
	const char *named = getenv("VPROF_LIBRARY");
	char *own, *path = NULL;

	if (named && *named) {
		path = access(named, R_OK) ? NULL : realpath(named, NULL);
		if (!path)
			snprintf(why, size, "%s (VPROF_LIBRARY) cannot be read: %s", named, strerror(errno));
		return path;
	}
	own = surround_own_folder();
	for (const char *const *place = beside; own && *place && !path; place++)
		path = library_in(own, *place);
	for (const char *const *place = installed; *place && !path; place++)
		path = library_in(*place, "");
	if (!path)
		snprintf(why, size, LIBRARY " is neither beside %s nor installed; VPROF_LIBRARY=PATH says where it is",
			 own ? own : "this program");
	free(own);
	return path;
}

static int is_ours(const char *path, size_t length)
{
	size_t own = strlen(LIBRARY);

	return length >= own && !memcmp(path + length - own, LIBRARY, own) &&
	       (length == own || path[length - own - 1] == '/');
}

/* What LD_PRELOAD had, without a vprof of its own, and the library behind it. */
static char *preload_value(const char *before, const char *library)
{
	size_t room = (before ? strlen(before) : 0) + strlen(library) + 2;
	char *value = malloc(room), *end = value;

	if (!value)
		return NULL;
	/* The loader takes blanks and colons alike. */
	while (before && *before) {
		size_t length = strcspn(before, ": ");

		if (length && !is_ours(before, length)) {
			end = mempcpy(end, before, length);
			*end++ = ':';
		}
		before += length + (before[length] != '\0');
	}
	strcpy(end, library);
	return value;
}

/* Takes over `value`; NULL: there was no memory for it. */
static int add(struct surround *surround, const char *name, char *value)
{
	if (!value)
		return -ENOMEM;
	surround->pairs[surround->count++] = (struct surround_pair){ name, value };
	return 0;
}

int surround_make(struct surround *surround, const struct env_choice *choice, const char *out, char *why, size_t size)
{
	const char *value;
	int error;

	*surround = (struct surround){ 0 };
	surround->library = find_library(why, size);
	if (!surround->library)
		return -ENOENT;
	if (strpbrk(surround->library, ": ")) {
		snprintf(why, size, "%s: the loader takes no path with a blank or a colon: install it elsewhere",
			 surround->library);
		error = -EINVAL;
		goto err;
	}
	error = add(surround, "LD_PRELOAD", preload_value(getenv("LD_PRELOAD"), surround->library));
	if (!error)
		error = add(surround, env_row_name(ENV_ROW_out), strdup(out));
	for (int row = 0; row < ENV_ROWS && !error; row++) {
		value = row == ENV_ROW_out ? NULL : env_row_value(choice, (enum env_row)row);
		if (value)
			error = add(surround, env_row_name((enum env_row)row), strdup(value));
	}
	if (!error)
		return 0;
	snprintf(why, size, "no memory");
err:
	surround_free(surround);
	return error;
}

void surround_free(struct surround *surround)
{
	for (size_t i = 0; i < surround->count; i++)
		free(surround->pairs[i].value);
	free(surround->library);
	*surround = (struct surround){ 0 };
}

int surround_set(const struct surround *surround)
{
	for (size_t i = 0; i < surround->count; i++)
		if (setenv(surround->pairs[i].name, surround->pairs[i].value, 1))
			return -errno;
	return 0;
}
