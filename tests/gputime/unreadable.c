/*
 * unreadable.c - a disk that has gone bad under one ring: preloaded into a tool, it has reads of whole chunks of the file
 * whose name ends as UNREADABLE says fail.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vprof/ring.h>

static int is_bad(int fd)
{
	const char *end = getenv("UNREADABLE");
	char link[64], path[PATH_MAX];
	ssize_t size, length = end ? (ssize_t)strlen(end) : 0;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, path, sizeof(path));
	return length && size >= length && !memcmp(path + size - length, end, (size_t)length);
}

ssize_t pread(int fd, void *buffer, size_t size, off_t at)
{
	if (size == sizeof(struct vprof_chunk) && is_bad(fd)) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pread64, fd, buffer, size, at);
}
