/*
 * spill_file.c - segments of a spill.
 *
 * With a budget there are eight segments at most, and the oldest is deleted when there is no room for more;
 * or, with VPROF_SPILL_FULL=stop, one that ends at the budget. What is deleted is counted, and the next
 * segment's header says how much that was.
 *
 * No descriptor is kept: the program may close any number, and then own a file by it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "preload/config.h"
#include "preload/inner.h"
#include "preload/libc.h"
#include "preload/process.h"
#include "preload/spill_file.h"
#include "preload/text.h"
#include "vprof/spill.h"

enum {
	SEGMENTS = 8,        /* of a budget */
	SEGMENT_LEAST = 1 << 16,
};

static struct {
	uint64_t next;       /* number of the next segment; the current one is the one before */
	uint64_t size;       /* bytes of the current one, 0: none */
	uint64_t total;      /* of all that are there */
	uint64_t dropped_files, dropped_chunks;
	uint64_t first;      /* number of the oldest that is there */
	struct {
		uint64_t bytes, chunks;
	} segment[2 * SEGMENTS]; /* by number; with a budget there are never more */
} files;

void vprof_spill_file_reset(void)
{
	memset(&files, 0, sizeof(files));
}

/* NAME.spill.N for the ring NAME.ring; 0: it does not fit. */
static int segment_path(char *path, size_t size, uint64_t number)
{
	struct vprof_text text = { .text = path, .size = size };

	vprof_text_put(&text, vprof_ring_entry());
	if (text.length > 5 && !strcmp(path + text.length - 5, ".ring"))
		path[text.length -= 5] = 0;
	vprof_text_put(&text, ".spill.");
	vprof_text_number(&text, number);
	return !text.cut;
}

static int drops_oldest(void)
{
	return strcmp(vprof_config.spill_full, "stop") != 0;
}

static uint64_t budget(void)
{
	return vprof_config.spill_mb < UINT64_MAX >> 20 ? vprof_config.spill_mb << 20 : 0;
}

/* Bytes at which a segment ends: its part of the budget, or the process's limit, past which is SIGXFSZ. */
static uint64_t segment_most(void)
{
	uint64_t most = budget() && drops_oldest() ? budget() / SEGMENTS : UINT64_MAX;
	struct rlimit limit;

	if (most < SEGMENT_LEAST)
		most = SEGMENT_LEAST;
	if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur < most)
		most = limit.rlim_cur;
	return most;
}

/* Deletes the oldest segment unless it is the current one. */
static int oldest_drop(void)
{
	char path[PATH_TEXT];
	unsigned at = files.first % (2 * SEGMENTS);

	if (!budget() || !drops_oldest() || files.first + 1 >= files.next ||
	    !segment_path(path, sizeof(path), files.first))
		return 0;
	unlink(path);
	files.total -= files.segment[at].bytes;
	files.dropped_files++;
	files.dropped_chunks += files.segment[at].chunks;
	__atomic_fetch_add(&vprof_map.live->loss[VPROF_LOSS_SPILLED], files.segment[at].chunks, __ATOMIC_RELAXED);
	files.first++;
	return 1;
}

static void header_fill(struct vprof_spill_header *h)
{
	const struct vprof_ring_header *ring = vprof_map.header;

	*h = (struct vprof_spill_header){
		.magic = VPROF_SPILL_MAGIC, .byte_order = VPROF_RING_BYTE_ORDER,
		.major = VPROF_SPILL_MAJOR, .minor = VPROF_SPILL_MINOR,
		.header_size = sizeof(*h), .frame_size = sizeof(struct vprof_spill_frame),
		.segment = files.next, .start_ticks = ring->start_ticks,
		.process_start = ring->process_start, .pid = ring->pid, .clock = ring->clock,
		.dropped_files = files.dropped_files, .dropped_chunks = files.dropped_chunks,
	};
	memcpy(h->boot_id, ring->boot_id, sizeof(h->boot_id));
	h->check = vprof_spill_check(h, offsetof(struct vprof_spill_header, check), 0);
}

/* All of it or nothing: a part that was written is taken away again. */
static int append(int fd, const void *bytes, uint64_t size, uint64_t at)
{
	int error = vprof_pwrite(fd, bytes, size, at);

	/* What cannot be taken away shows in the file's size, and ends the spill. */
	if (error && ftruncate(fd, (off_t)at))
		return -ESTALE;
	return error;
}

/* A new segment, with its header. */
static int segment_begin(void)
{
	struct vprof_spill_header header;
	char path[PATH_TEXT];
	int fd, error;

	header_fill(&header);
	if (!segment_path(path, sizeof(path), files.next))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	error = fchmod(fd, 0600) ? -errno : append(fd, &header, sizeof(header), 0);
	close(fd);
	if (error) {
		unlink(path);
		return error;
	}
	files.segment[files.next % (2 * SEGMENTS)].bytes = files.size = sizeof(header);
	files.segment[files.next % (2 * SEGMENTS)].chunks = 0;
	files.total += sizeof(header);
	files.next++;
	return 0;
}

/* Is a segment of so many bytes too much for the budget, or for our own table? */
static int is_over(uint64_t bytes)
{
	return files.total + bytes > budget() || files.next - files.first == 2 * SEGMENTS;
}

/* Room for so many bytes in the current segment, or in a new one without the oldest. */
static int make_room(uint32_t size)
{
	uint64_t most = segment_most(), all = files.total + size + sizeof(struct vprof_spill_header);

	if (budget() && !drops_oldest() && all > budget())
		return -EDQUOT;
	if (files.size && files.size + size <= most)
		return 0;
	if (sizeof(struct vprof_spill_header) + size > most)
		return -EFBIG;
	while (budget() && drops_oldest() && is_over(most) && oldest_drop())
		;
	return segment_begin();
}

static int frame_append(const void *frame, uint32_t size)
{
	char path[PATH_TEXT];
	int fd, error;

	if (!segment_path(path, sizeof(path), files.next - 1))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	/* Somebody else's file by that name (or a pipe), or one that was cut: nothing of ours goes there. */
	error = lseek(fd, 0, SEEK_END) != (off_t)files.size ? -ESTALE : 0;
	if (!error)
		error = append(fd, frame, size, files.size);
	close(fd);
	return error;
}

int vprof_spill_write(const void *frame, uint32_t size, uint32_t chunks)
{
	unsigned at;
	int error;

	do {
		error = make_room(size);
		if (!error)
			error = frame_append(frame, size);
	} while ((error == -ENOSPC || error == -EDQUOT) && oldest_drop());
	if (error)
		return error;
	at = (files.next - 1) % (2 * SEGMENTS);
	files.size += size;
	files.total += size;
	files.segment[at].bytes += size;
	files.segment[at].chunks += chunks;
	return 0;
}
