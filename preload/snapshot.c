/*
 * snapshot.c - the file of a copy, and the thread that makes it.
 *
 * A thread for each copy: storage may be slow, and housekeeping has moments to keep. It has a table of
 * descriptors of its own, so that a program that closes what it has not opened closes nothing of ours. Under
 * its own name the file appears when it is whole. Nothing here is waited for by a thread of the program.
 */
#include "preload/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "preload/clock.h"
#include "preload/libc.h"
#include "preload/process.h"
#include "preload/text.h"
#include "preload/thread.h"

enum {
	STACK_SIZE = 128 << 10,
	NUMBERS_TRIED = 1000,
};

static unsigned number;        /* of the copy */
static int result;             /* of the last one, until it is asked for; released by the thread that made it */

/* The path of copy `n`, and how it ends. */
static int path_put(char path[PATH_TEXT], unsigned n, const char *end)
{
	struct vprof_text text = { .text = path, .size = PATH_TEXT };

	vprof_text_put(&text, vprof_out_folder());
	vprof_text_put(&text, "/");
	vprof_ring_name(&text, vprof_map.header);
	vprof_text_put(&text, ".snap-");
	vprof_text_number(&text, n);
	vprof_text_put(&text, end);
	return text.cut ? -ENAMETOOLONG : 0;
}

/* Opens a file for the first number that is free: that, or a negative errno. */
static int file_open(char path[PATH_TEXT], char part[PATH_TEXT], int *fd)
{
	struct stat st;

	for (unsigned n = number; n < number + NUMBERS_TRIED; n++) {
		int error = path_put(path, n, ".ring") ? -ENAMETOOLONG : path_put(part, n, ".part");

		if (error)
			return error;
		if (!vprof_stat(path, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		*fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (*fd >= 0)
			return (int)n;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/* Its number, or a negative errno. */
static int copy(void)
{
	char path[PATH_TEXT], part[PATH_TEXT];
	int made, error, fd = -1;

	error = vprof_snapshot_take();
	if (error)
		return error;
	made = file_open(path, part, &fd);
	if (made < 0)
		return made;
	/* Whatever the program's umask is. */
	error = fchmod(fd, 0600) ? -errno : vprof_snapshot_put(fd);
	if (close(fd) && !error)
		error = -errno;
	if (!error && rename(part, path))
		error = -errno;
	if (error)
		unlink(part);
	return error ? error : made;
}

static void *copy_thread(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "vprof-snap");
	vprof_thread_own_files();
	/* Pairs with the acquire in vprof_snapshot_result(). */
	__atomic_store_n(&result, copy(), __ATOMIC_RELEASE);
	return NULL;
}

int vprof_snapshot_start(unsigned first)
{
	number = first;
	return vprof_thread_start(copy_thread, STACK_SIZE);
}

int vprof_snapshot_result(void)
{
	int made = __atomic_load_n(&result, __ATOMIC_ACQUIRE);

	if (made)
		__atomic_store_n(&result, 0, __ATOMIC_RELAXED);
	return made;
}

void vprof_snapshot_reset(void)
{
	result = 0;
}
