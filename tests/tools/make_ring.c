/*
 * make_ring.c - lays out a ring as make_ring.h says: pages, lanes, names, then chunks.
 */
#include "tests/tools/make_ring_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 64 };

const struct make_ring make_ring_default = {
	.chunks = 16, .lanes = 2, .records = 600, .kernels = 8, .step_ns = 1000, .anchors = 4,
	.hz = 2500000000, .pid = 4242, .start_ns = 1000000000000,
	.realtime_ns = 1700000000000000000, .clock = VPROF_CLOCK_TSC,
	.boot_id = "01234567-89ab-cdef-0123-456789abcdef", .host = "testhost",
	.command = "python3 -m made --up", .link = "",
};

static int put(int fd, const void *bytes, size_t size, uint64_t offset)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pwrite(fd, (const char *)bytes + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static uint64_t chunks_taken(const struct make_ring *o)
{
	return (o->records + MAKE_RING_PER_CHUNK - 1) / MAKE_RING_PER_CHUNK * o->lanes;
}

static void fill_header(struct vprof_ring_header *h, const struct make_ring *o, uint64_t defs)
{
	memset(h, 0, sizeof(*h));
	h->magic = VPROF_RING_MAGIC;
	h->byte_order = VPROF_RING_BYTE_ORDER;
	h->major = VPROF_RING_MAJOR;
	h->minor = VPROF_RING_MINOR;
	h->header_size = sizeof(*h);
	h->slot_size = VPROF_SLOT_SIZE;
	h->chunk_size = VPROF_CHUNK_SIZE;
	h->chunk_count = (uint32_t)o->chunks;
	h->lane_size = sizeof(struct vprof_lane);
	h->lane_count = (uint32_t)o->lanes;
	h->lanes_offset = VPROF_LANES_OFFSET;
	h->defs_offset = h->lanes_offset + o->lanes * sizeof(struct vprof_lane);
	h->defs_size = (defs > o->defs_size ? defs : o->defs_size) + 8;
	h->chunks_offset = (h->defs_offset + h->defs_size + 63) & ~63ull;
	if (o->held) {
		h->holdings_offset = h->chunks_offset;
		h->holding_count = (uint32_t)o->held;
		h->holding_size = sizeof(struct vprof_holding);
		h->chunks_offset += o->held * sizeof(struct vprof_holding);
	}
	h->file_size = h->chunks_offset + o->chunks * VPROF_CHUNK_SIZE;
	h->clock = (uint32_t)o->clock;
	h->anchor_count = VPROF_ANCHORS;
	h->tick_hz = o->hz;
	h->start_ticks = MAKE_RING_START_TICKS;
	h->pid = (uint32_t)o->pid;
	h->ppid = 1;
	h->uid = 1000;
	h->page_size = 4096;
	h->process_start = 12345;
	snprintf(h->boot_id, sizeof(h->boot_id), "%s", o->boot_id);
	snprintf(h->host, sizeof(h->host), "%s", o->host);
	snprintf(h->library, sizeof(h->library), "0.1.0");
	snprintf(h->link, sizeof(h->link), "%s", o->link);
	snprintf(h->exe, sizeof(h->exe), "/usr/bin/python3");
	snprintf(h->command, sizeof(h->command), "%s", o->command);
}

/* Ticks when the last lane had made its last call. */
static uint64_t end_ticks(const struct make_ring *o)
{
	return make_ring_ticks(o, o->lanes - 1, o->records) + 1;
}

static void fill_live(struct vprof_ring_live *live, const struct make_ring *o, uint64_t defs)
{
	memset(live, 0, sizeof(*live));
	live->state = o->closed ? VPROF_RING_CLOSED : VPROF_RING_RUNNING;
	live->end_ticks = o->closed ? end_ticks(o) : 0;
	live->ticket = chunks_taken(o);
	live->defs_used = defs;
	live->threads = make_ring_serial(o, o->lanes - 1, o->records - 1);
	live->beat_ticks = end_ticks(o);
	for (uint32_t i = 0; o->loss && i <= VPROF_LOSS_HANDLES; i++)
		live->loss[i] = o->loss + i;
	for (uint32_t i = 0; o->held && i < 3; i++)
		live->memory[i == 2 ? VPROF_MEMORY_HOST : i] =
			(struct vprof_memory_total){ 1000 * o->held, 2000 * o->held, end_ticks(o) };
	snprintf(live->comm, sizeof(live->comm), "python3");
	snprintf(live->title, sizeof(live->title), "%s", o->command);
}

static void fill_anchors(struct vprof_anchor *anchors, const struct make_ring *o)
{
	uint64_t span = end_ticks(o) - MAKE_RING_START_TICKS;

	for (uint64_t i = 0; i < o->anchors && i < VPROF_ANCHORS; i++) {
		uint64_t ticks = span * i / (o->anchors > 1 ? o->anchors - 1 : 1);
		uint64_t ns = (uint64_t)((unsigned __int128)ticks * 1000000000 / o->hz);

		anchors[i].ticks = MAKE_RING_START_TICKS + ticks;
		anchors[i].monotonic_ns = o->start_ns + ns;
		anchors[i].realtime_ns = o->realtime_ns + ns;
		anchors[i].error_ns = 20;
	}
}

static void fill_lane(struct vprof_lane *lane, const struct make_ring *o, uint64_t index)
{
	uint64_t last = (o->records - 1) / MAKE_RING_PER_CHUNK; /* its last chunk */
	uint64_t serial = make_ring_serial(o, index, o->records - 1);

	memset(lane, 0, sizeof(*lane));
	lane->state = o->closed ? VPROF_LANE_IDLE : VPROF_LANE_LIVE;
	lane->tid = make_ring_tid(o, serial);
	lane->thread = serial;
	make_ring_comm(lane->comm, serial);
	lane->chunk = (uint32_t)((last * o->lanes + index) % o->chunks) + 1;
	lane->start_ticks = MAKE_RING_START_TICKS;
	lane->end_ticks = o->closed ? end_ticks(o) : 0;
	lane->sealed = last * MAKE_RING_PER_CHUNK;
	lane->owner_first = o->switch_every ? (o->records - 1) / o->switch_every * o->switch_every : 0;
}

static int put_lanes(const struct make_ring *o, int fd, uint64_t offset)
{
	int error = 0;

	for (uint64_t i = 0; i < o->lanes && !error; i++) {
		struct vprof_lane lane;

		fill_lane(&lane, o, i);
		error = put(fd, &lane, sizeof(lane), offset + i * sizeof(lane));
	}
	return error;
}

/* One of each kind in turn, on two devices and the host. */
static int put_holdings(const struct make_ring *o, int fd, uint64_t offset)
{
	int error = 0;

	for (uint64_t i = 0; i < o->held && !error; i++) {
		struct vprof_holding held = {
			.address = MAKE_RING_MEMORY / 2 + i * 4096, .bytes = 1000 + i, .ticks = MAKE_RING_START_TICKS + i,
			.thread = 1, .call = 7, .kind = (uint16_t)(1 + i % VPROF_MEMORY_ARRAY),
			.place = i % 3 == 2 ? VPROF_MEMORY_HOST : (uint32_t)(i % 3),
		};

		error = put(fd, &held, sizeof(held), offset + i * sizeof(held));
	}
	return error;
}

static int put_chunks(const struct make_ring *o, int fd, uint64_t offset, const struct make_ring_ids *ids)
{
	uint64_t all = chunks_taken(o), ticket = all > o->chunks ? all - o->chunks : 0;
	struct vprof_chunk *batch = calloc(BATCH, sizeof(*batch));
	int error = batch ? 0 : -ENOMEM;

	while (ticket < all && !error) {
		uint64_t index = ticket % o->chunks, n = 0;

		for (; n < BATCH && ticket < all && index + n < o->chunks; n++)
			make_ring_chunk(&batch[n], o, ids, ticket++);
		error = put(fd, batch, n * sizeof(*batch), offset + index * sizeof(*batch));
	}
	free(batch);
	return error;
}

static int put_pages(const struct make_ring *o, int fd, const struct vprof_ring_header *h,
		     uint64_t defs)
{
	struct vprof_ring_control control = { .word = 1, .groups = 1 };
	struct vprof_anchor anchors[VPROF_ANCHORS] = { 0 };
	struct vprof_ring_live live;
	int error;

	fill_live(&live, o, defs);
	fill_anchors(anchors, o);
	error = put(fd, h, sizeof(*h), VPROF_HEADER_OFFSET);
	if (!error)
		error = put(fd, &control, sizeof(control), VPROF_CONTROL_OFFSET);
	if (!error)
		error = put(fd, &live, sizeof(live), VPROF_LIVE_OFFSET);
	if (!error)
		error = put(fd, anchors, sizeof(anchors), VPROF_CLOCK_OFFSET);
	return error;
}

int make_ring_write(const struct make_ring *o, int fd)
{
	struct vprof_ring_header h;
	struct make_ring_ids ids;
	uint64_t defs;
	uint8_t *log;
	int error;

	if (!o->lanes || !o->records || o->chunks < o->lanes)
		return -EINVAL;
	defs = make_ring_defs(o, NULL, &ids);
	log = calloc(1, defs);
	if (!log)
		return -ENOMEM;
	make_ring_defs(o, log, &ids);
	fill_header(&h, o, defs);
	error = ftruncate(fd, (off_t)h.file_size) ? -errno : 0;
	if (!error)
		error = put_pages(o, fd, &h, defs);
	if (!error)
		error = put_lanes(o, fd, h.lanes_offset);
	if (!error)
		error = put(fd, log, defs, h.defs_offset);
	if (!error && o->held)
		error = put_holdings(o, fd, h.holdings_offset);
	if (!error)
		error = put_chunks(o, fd, h.chunks_offset, &ids);
	free(log);
	return error;
}
