/*
 * sweep.c - rings on tmpfs whose entry in an output folder is gone.
 *
 * A ring on tmpfs is memory, and its entry in the output folder a symbolic link: deleting
 * that folder leaves the memory taken. So the next process that makes a ring removes
 * what has had no entry and no living writer for a day, and says so. A day, because from
 * here a folder that was deleted looks like one that was moved, whose links still lead to
 * their rings. A ring made under another mount namespace (a container that shares
 * /dev/shm) is left alone: its link lies where we cannot look.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "preload/clock.h"
#include "preload/inner.h"
#include "preload/libc.h"
#include "preload/process.h"
#include "preload/text.h"

/* As getdents64 gives them. */
struct entry {
	uint64_t inode;
	int64_t next;
	uint16_t length;
	uint8_t type;
	char name[];
};

/* Is the ring's link gone, or does it lead to another file? Only a clear yes counts. */
static int is_orphan(const struct vprof_ring_header *h, const char *file, uint64_t mount_ns)
{
	char target[PATH_TEXT];
	ssize_t n;

	if (h->magic != VPROF_RING_MAGIC || h->mount_ns != mount_ns || h->link[0] != '/' ||
	    !memchr(h->link, 0, sizeof(h->link)))
		return 0;
	n = readlink(h->link, target, sizeof(target) - 1);
	if (n < 0)
		return errno == ENOENT || errno == ENOTDIR;
	target[n] = 0;
	return strcmp(target, file) != 0;
}

/* When the ring's process last told the time, in ns since 1970: within a second of its end. */
static uint64_t last_seen(int fd)
{
	static struct vprof_anchor anchors[VPROF_ANCHORS]; /* one caller at a time, see ring_file.c */
	ssize_t n = pread(fd, anchors, sizeof(anchors), VPROF_CLOCK_OFFSET);
	uint64_t last = 0;

	if (n != (ssize_t)sizeof(anchors))
		return UINT64_MAX;
	for (unsigned i = 0; i < VPROF_ANCHORS; i++)
		if (anchors[i].ticks && anchors[i].realtime_ns > last)
			last = anchors[i].realtime_ns;
	return last;
}

static int is_old(int fd)
{
	const uint64_t day_ns = 86400ull * 1000000000u;
	uint64_t seen = last_seen(fd);

	return seen < UINT64_MAX - day_ns && seen + day_ns < vprof_clock_ns(CLOCK_REALTIME);
}

/* Returns 1 when the file was removed. */
static int sweep_file(int folder_fd, const char *folder, const char *name, uint64_t mount_ns)
{
	static struct vprof_ring_header h; /* one caller at a time, see ring_file.c */
	char path[PATH_TEXT];
	struct vprof_text text = VPROF_TEXT(path);
	int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), gone;

	if (fd < 0)
		return 0;
	vprof_text_put(&text, folder);
	vprof_text_put(&text, "/");
	vprof_text_put(&text, name);
	gone = pread(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) && is_orphan(&h, path, mount_ns) && is_old(fd) &&
	       !unlinkat(folder_fd, name, 0);
	close(fd);
	return gone;
}

void vprof_sweep(const char *folder)
{
	static char buffer[16384] __attribute__((aligned(8)));
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), gone = 0;
	struct stat ns;
	long n;

	if (fd < 0)
		return;
	if (vprof_stat("/proc/self/ns/mnt", &ns, 0))
		ns.st_ino = 0;
	while (ns.st_ino && (n = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0)
		for (long at = 0; at < n;) {
			const struct entry *e = (const void *)(buffer + at);

			if (strstr(e->name, ".ring"))
				gone += sweep_file(fd, folder, e->name, ns.st_ino);
			at += e->length;
		}
	close(fd);
	if (gone)
		vprof_log("removed %d rings of ended processes from %s: their links in the output folder had been "
			  "gone for a day", gone, folder);
}
