/*
 * process.c - does a ring's process live?
 */
#include "tools/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/now.h"
#include "tools/ring_inner.h"

/* Housekeeping adds an anchor each second; who is late by more than this is not heard of any more. */
#define SILENT_NS 3000000000ull

static long read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	text[0] = '\0';
	if (fd < 0)
		return -errno;
	got = ring_pread(fd, text, size - 1, 0);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got;
}

long process_read(uint32_t pid, const char *name, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	return read_file(path, text, size);
}

/* Of /proc/PID/stat fields 3 (state), 20 (threads) and 22 (start). */
struct stat_line {
	char state;
	uint64_t threads, start;
};

static int stat_read(uint32_t pid, struct stat_line *stat)
{
	char line[1024], *p;

	*stat = (struct stat_line){ 0 };
	if (process_read(pid, "stat", line, sizeof(line)) <= 0)
		return -ESRCH;
	p = strrchr(line, ')'); /* the name, field 2, may hold anything */
	if (!p || p[1] != ' ')
		return -ESRCH;
	stat->state = p[2];
	/* At field N, p + 1 is where it begins. */
	for (int field = 2; p && field <= 22; field++, p = strchr(p + 1, ' ')) {
		if (field == 20)
			stat->threads = strtoull(p + 1, NULL, 10);
		if (field == 22)
			stat->start = strtoull(p + 1, NULL, 10);
	}
	return 0;
}

int process_same_boot(const struct ring *ring)
{
	static char boot[64];

	if (!boot[0] && read_file("/proc/sys/kernel/random/boot_id", boot, sizeof(boot)) > 0)
		boot[strcspn(boot, "\n")] = '\0';
	return boot[0] && !strcmp(boot, ring->header.boot_id);
}

static int same_mounts(const struct ring *ring)
{
	struct stat st;

	return !ring->header.mount_ns || (!stat("/proc/self/ns/mnt", &st) && st.st_ino == ring->header.mount_ns);
}

static int same_host(const struct ring *ring)
{
	char host[65] = "";

	gethostname(host, sizeof(host) - 1);
	return !strncmp(host, ring->header.host, sizeof(ring->header.host) - 1);
}

static int heard_lately(const struct ring *ring)
{
	uint64_t ns = now_ns(CLOCK_MONOTONIC), last = 0;

	for (uint32_t i = 0; i < ring->anchor_count; i++)
		if (ring->anchors[i].monotonic_ns > last && ring->anchors[i].monotonic_ns <= ns)
			last = ring->anchors[i].monotonic_ns;
	return last && ns - last < SILENT_NS;
}

enum process_state process_state(const struct ring *ring)
{
	struct stat_line stat;

	if (ring->live.state == VPROF_RING_CLOSED)
		return PROCESS_CLOSED;
	if (!process_same_boot(ring))
		return PROCESS_UNKNOWN;
	if (!stat_read(ring->header.pid, &stat) && stat.start == ring->header.process_start) {
		/* A main thread that has ended is a zombie too, and its process lives. */
		if ((stat.state == 'Z' && stat.threads <= 1) || stat.state == 'X')
			return PROCESS_DEAD;
		return stat.state == 'T' || stat.state == 't' ? PROCESS_STOPPED : PROCESS_ALIVE;
	}
	if (same_mounts(ring) && same_host(ring))
		return PROCESS_DEAD;
	return heard_lately(ring) ? PROCESS_FOREIGN : PROCESS_UNKNOWN;
}

/*
 * A line of maps: ADDRESSES MODE OFFSET DEVICE INODE PATH. The device is not compared, and the path will do:
 * where file systems lie upon others they may be told differently.
 */
static int maps_line_is(const char *line, uint64_t inode, const char *path)
{
	unsigned long long mapped = 0;
	int at = 0;

	sscanf(line, "%*s %*s %*s %*s %llu %n", &mapped, &at);
	return mapped == inode || (at && path && !strncmp(line + at, path, strlen(path)));
}

int process_has_ring(const struct ring *ring)
{
	char name[64], line[8192], *path;
	int has = 0, any = 0;
	struct stat st;
	FILE *maps;

	snprintf(name, sizeof(name), "/proc/%u/maps", ring->header.pid);
	maps = fstat(ring->fd, &st) ? NULL : fopen(name, "re");
	if (!maps)
		return 1;
	path = realpath(ring->path, NULL);
	while (!has && fgets(line, sizeof(line), maps)) {
		any = 1;
		has = maps_line_is(line, st.st_ino, path);
	}
	free(path);
	fclose(maps);
	return has || !any;
}

const char *process_state_text(enum process_state state)
{
	static const char *const texts[] = {
		[PROCESS_ALIVE] = "alive",
		[PROCESS_STOPPED] = "stopped",
		[PROCESS_FOREIGN] = "elsewhere",
		[PROCESS_CLOSED] = "closed",
		[PROCESS_DEAD] = "dead",
		[PROCESS_UNKNOWN] = "unknown",
	};

	return texts[state];
}
