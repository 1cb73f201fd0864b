/*
 * ring.c - opening a ring: header, live page, anchors and lanes.
 *
 * The header decides whether the file is a ring at all; from there on whatever is
 * missing or contradicts itself is left out and counted. A live ring changes while
 * it is read, so what has more than one word is read twice where that matters.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/refuse.h"
#include "tools/ring_inner.h"
#include "tools/spill.h"
#include "vprof/spill.h"

enum {
	HEADER_LEAST = offsetof(struct vprof_ring_header, link), /* below it nothing can be read */
	ANCHORS_MOST = 4096,
	LANES_MOST = 1 << 18,
	HOLDING_MOST = 4096, /* bytes */
};

ssize_t ring_pread(int fd, void *buffer, size_t size, uint64_t offset)
{
	size_t got = 0;

	if (offset > INT64_MAX - size)
		return 0;
	while (got < size) {
		ssize_t n = pread(fd, (char *)buffer + got, size - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* The entry in the output folder may lead to a tmpfs that a reboot has emptied. */
static int refuse_missing(const char *path, char *why, size_t size)
{
	char target[1024];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return refuse(-ENOENT, why, size, "does not exist");
	target[n] = '\0';
	return refuse(-ENOENT, why, size,
		      "is a link to %s, which is gone: the ring lay on a tmpfs that was emptied, "
		      "or that belongs to another machine or container", target);
}

static int open_file(struct ring *ring, char *why, size_t why_size)
{
	struct stat st;
	int error;

	/* O_NONBLOCK: a pipe of that name must not make us wait. */
	ring->fd = open(ring->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (ring->fd < 0 && errno == ENOENT)
		return refuse_missing(ring->path, why, why_size);
	if (ring->fd < 0) {
		error = errno;
		return refuse(-error, why, why_size, "cannot be opened: %s", strerror(error));
	}
	if (fstat(ring->fd, &st)) {
		error = errno;
		return refuse(-error, why, why_size, "cannot be examined: %s", strerror(error));
	}
	if (S_ISDIR(st.st_mode))
		return refuse(-EISDIR, why, why_size, "is a folder, not a ring");
	if (!S_ISREG(st.st_mode))
		return refuse(-EINVAL, why, why_size, "is not a regular file");
	if (st.st_size == 0)
		return refuse(-ENODATA, why, why_size, "is empty");
	ring->size = (uint64_t)st.st_size;
	return 0;
}

static void terminate(char *text, size_t size)
{
	text[size - 1] = '\0';
}

static int check_version(const struct vprof_ring_header *h, char *why, size_t why_size)
{
	if (h->magic == __builtin_bswap64(VPROF_RING_MAGIC))
		return refuse(-EPROTO, why, why_size,
			      "was written by a machine of the other byte order");
	if (h->magic == 0)
		return refuse(-EPROTO, why, why_size, "is not a vprof ring, or its process "
			      "died before the ring was made");
	if (h->magic == VPROF_SPILL_MAGIC)
		return refuse(-EPROTO, why, why_size, "is a spill, which has records only and is read with its "
			      "ring: name that (NAME.ring, for NAME.spill.N)");
	if (h->magic != VPROF_RING_MAGIC)
		return refuse(-EPROTO, why, why_size, "is not a vprof ring");
	if (h->byte_order != VPROF_RING_BYTE_ORDER)
		return refuse(-EPROTO, why, why_size,
			      "was written by a machine of the other byte order");
	if (h->major != VPROF_RING_MAJOR)
		return refuse(-EPROTO, why, why_size,
			      "has format version %u.%u; this tool reads version %u: use %s vprof",
			      h->major, h->minor, VPROF_RING_MAJOR,
			      h->major > VPROF_RING_MAJOR ? "a newer" : "an older");
	return 0;
}

/* A region that the header gives: its end must be a number. */
static int check_region(const char *name, uint64_t offset, uint64_t count, uint64_t size,
			uint64_t *last, char *why, size_t why_size)
{
	uint64_t bytes, end;

	if (__builtin_mul_overflow(count, size, &bytes) ||
	    __builtin_add_overflow(offset, bytes, &end) || end > INT64_MAX)
		return refuse(-EPROTO, why, why_size,
			      "has a damaged header: its %s end beyond any file", name);
	if (end > *last)
		*last = end;
	return 0;
}

static int check_layout(struct ring *ring, char *why, size_t why_size)
{
	const struct vprof_ring_header *h = &ring->header;
	uint64_t end = h->file_size < INT64_MAX ? h->file_size : 0;
	int error;

	if (h->slot_size != VPROF_SLOT_SIZE || h->chunk_size != VPROF_CHUNK_SIZE)
		return refuse(-EPROTO, why, why_size, "has a damaged header: slots of %u bytes, "
			      "chunks of %u", h->slot_size, h->chunk_size);
	if (h->holdings_offset && (h->holding_size < sizeof(struct vprof_holding) ||
				   h->holding_size > HOLDING_MOST || h->holding_size % 8))
		return refuse(-EPROTO, why, why_size, "has a damaged header: holdings of %u bytes",
			      h->holding_size);
	if (h->lane_size < offsetof(struct vprof_lane, reserved))
		return refuse(-EPROTO, why, why_size, "has a damaged header: lanes of %u bytes",
			      h->lane_size);
	error = check_region("lanes", h->lanes_offset, h->lane_count, h->lane_size, &end,
			     why, why_size);
	if (!error)
		error = check_region("definitions", h->defs_offset, h->defs_size, 1, &end,
				     why, why_size);
	if (!error && h->holdings_offset)
		error = check_region("holdings", h->holdings_offset, h->holding_count, h->holding_size,
				     &end, why, why_size);
	if (!error)
		error = check_region("chunks", h->chunks_offset, h->chunk_count, h->chunk_size,
				     &end, why, why_size);
	ring->cut_bytes = end > ring->size ? end - ring->size : 0;
	return error;
}

static int read_header(struct ring *ring, char *why, size_t why_size)
{
	struct vprof_ring_header *h = &ring->header;
	ssize_t got = ring_pread(ring->fd, h, sizeof(*h), VPROF_HEADER_OFFSET);
	size_t whole;
	int error;

	if (got < 0)
		return refuse((int)got, why, why_size, "cannot be read: %s", strerror((int)-got));
	if (got < (ssize_t)offsetof(struct vprof_ring_header, file_size))
		return refuse(-EPROTO, why, why_size,
			      "is too short to be a vprof ring (%zd bytes)", got);
	error = check_version(h, why, why_size);
	if (error)
		return error;
	whole = h->header_size < sizeof(*h) ? h->header_size : sizeof(*h);
	if ((size_t)got < HEADER_LEAST || (size_t)got < whole)
		return refuse(-EPROTO, why, why_size,
			      "is cut short within its header (%zd bytes)", got);
	if (whole < HEADER_LEAST)
		return refuse(-EPROTO, why, why_size, "has a damaged header: it claims %u bytes",
			      h->header_size);
	memset((char *)h + whole, 0, sizeof(*h) - whole);
	terminate(h->boot_id, sizeof(h->boot_id));
	terminate(h->host, sizeof(h->host));
	terminate(h->library, sizeof(h->library));
	terminate(h->link, sizeof(h->link));
	terminate(h->exe, sizeof(h->exe));
	terminate(h->command, sizeof(h->command));
	return check_layout(ring, why, why_size);
}

/* Control and live page; what the file lacks is 0. */
static int read_live(struct ring *ring)
{
	ssize_t got;

	memset(&ring->control, 0, sizeof(ring->control));
	memset(&ring->live, 0, sizeof(ring->live));
	got = ring_pread(ring->fd, &ring->control, sizeof(ring->control), VPROF_CONTROL_OFFSET);
	if (got >= 0)
		got = ring_pread(ring->fd, &ring->live, sizeof(ring->live), VPROF_LIVE_OFFSET);
	terminate(ring->live.comm, sizeof(ring->live.comm));
	terminate(ring->live.title, sizeof(ring->live.title));
	return got < 0 ? (int)got : 0;
}

/* Again with the holdings: the two belong together. */
static int read_totals(struct ring *ring)
{
	ssize_t got;

	memset(ring->live.memory, 0, sizeof(ring->live.memory));
	got = ring_pread(ring->fd, ring->live.memory, sizeof(ring->live.memory),
			 VPROF_LIVE_OFFSET + offsetof(struct vprof_ring_live, memory));
	return got < 0 ? (int)got : 0;
}

static int compare_anchors(const void *a, const void *b)
{
	const struct vprof_anchor *x = a, *y = b;

	return (x->ticks > y->ticks) - (x->ticks < y->ticks);
}

/*
 * An anchor counts when it is the same in two reads, one after the other: its writer
 * sets ticks to 0 before a change and stores it last.
 */
static int read_anchors(struct ring *ring)
{
	uint64_t room = ring->header.lanes_offset > VPROF_CLOCK_OFFSET ?
			ring->header.lanes_offset - VPROF_CLOCK_OFFSET : 0;
	uint32_t count = ring->header.anchor_count, kept = 0;
	struct vprof_anchor *first, *again;
	ssize_t got = 0, got_again = 0;

	if (count > ANCHORS_MOST)
		count = ANCHORS_MOST;
	if (count > room / sizeof(*first))
		count = (uint32_t)(room / sizeof(*first));
	first = calloc(count + 1, sizeof(*first));
	again = calloc(count + 1, sizeof(*again));
	if (!first || !again)
		got = -ENOMEM;
	if (got >= 0)
		got = ring_pread(ring->fd, first, count * sizeof(*first), VPROF_CLOCK_OFFSET);
	if (got >= 0)
		got_again = ring_pread(ring->fd, again, count * sizeof(*again), VPROF_CLOCK_OFFSET);
	if (got < 0 || got_again < 0) {
		free(first);
		free(again);
		return (int)(got < 0 ? got : got_again);
	}
	for (uint32_t i = 0; i < (size_t)got_again / sizeof(*first); i++)
		if (first[i].ticks && !memcmp(&first[i], &again[i], sizeof(*first)))
			first[kept++] = again[i];
	free(again);
	qsort(first, kept, sizeof(*first), compare_anchors);
	free(ring->anchors);
	ring->anchors = first;
	ring->anchor_count = kept;
	return 0;
}

static int read_lanes(struct ring *ring)
{
	const struct vprof_ring_header *h = &ring->header;
	uint64_t bytes = ring_region(ring, h->lanes_offset, (uint64_t)h->lane_count * h->lane_size);
	size_t one = h->lane_size < sizeof(struct vprof_lane) ? h->lane_size : sizeof(struct vprof_lane);
	uint64_t count = bytes / h->lane_size, at_once;
	struct vprof_lane *lanes;
	uint32_t i;

	if (count > LANES_MOST)
		count = LANES_MOST;
	lanes = calloc(count + 1, sizeof(*lanes));
	if (!lanes)
		return -ENOMEM;
	/* Lanes as we know them lie side by side and come with one call. */
	at_once = h->lane_size == sizeof(*lanes) ? count : 1;
	for (i = 0; i < count; i += (uint32_t)at_once) {
		ssize_t got = ring_pread(ring->fd, &lanes[i], at_once * one,
					 h->lanes_offset + (uint64_t)i * h->lane_size);
		if (got < 0) {
			free(lanes);
			return (int)got;
		}
		if ((size_t)got < at_once * one) {
			i += (uint32_t)((size_t)got / one);
			break;
		}
	}
	for (uint32_t l = 0; l < i; l++)
		terminate(lanes[l].comm, sizeof(lanes[l].comm));
	free(ring->lanes);
	ring->lanes = lanes;
	ring->lane_count = i;
	return 0;
}

int ring_reread(struct ring *ring, unsigned int parts)
{
	int error = 0;

	if (parts & RING_LIVE)
		error = read_live(ring);
	if (!error && parts & RING_ANCHORS)
		error = read_anchors(ring);
	if (!error && parts & RING_LANES)
		error = read_lanes(ring);
	if (!error && parts & RING_INDEX)
		error = ring_read_index(ring);
	if (!error && parts & RING_SPILL)
		error = ring_read_spill(ring);
	if (!error && parts & RING_HOLDINGS)
		error = ring_read_holdings(ring);
	if (!error && parts & RING_HOLDINGS)
		error = read_totals(ring);
	/* Last: whatever a record of the index names has been defined before it. */
	if (!error && parts & RING_DEFS)
		error = ring_read_defs(ring);
	return error;
}

int ring_open_parts(struct ring *ring, const char *path, unsigned int parts, char *why, size_t why_size)
{
	int error;

	memset(ring, 0, sizeof(*ring));
	ring->fd = -1;
	ring->path = strdup(path);
	if (!ring->path)
		return refuse(-ENOMEM, why, why_size, "cannot be opened: no memory");
	error = open_file(ring, why, why_size);
	if (!error)
		error = read_header(ring, why, why_size);
	if (error)
		goto err;
	error = ring_reread(ring, parts);
	if (!error)
		return 0;
	refuse(error, why, why_size, "cannot be read: %s", strerror(-error));
err:
	ring_close(ring);
	return error;
}

int ring_open(struct ring *ring, const char *path, char *why, size_t why_size)
{
	return ring_open_parts(ring, path, RING_ALL, why, why_size);
}

int ring_refresh(struct ring *ring)
{
	return ring_reread(ring, RING_ALL);
}

void ring_close(struct ring *ring)
{
	if (ring->fd >= 0)
		close(ring->fd);
	free(ring->path);
	free(ring->anchors);
	free(ring->lanes);
	free(ring->defs);
	free(ring->def_starts);
	free(ring->calls);
	free(ring->call_family);
	free(ring->holdings);
	free(ring->chunks);
	spill_close(ring->spill);
	memset(ring, 0, sizeof(*ring));
	ring->fd = -1;
}
