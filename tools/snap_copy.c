/*
 * snap_copy.c - the copy of one ring as it was at one moment.
 *
 * The ring is read by the ring reader, chunk by chunk, the newest first: the process overwrites the oldest
 * meanwhile, and whichever of the two is faster, what comes last before the moment is copied. Each chunk is
 * cut (vprof/cut.h) and written where it stood. Definitions are read after the moment, so whatever a record
 * names is there. What is not copied stays a hole in the file. The header's magic is written last.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/process.h"
#include "tools/snap.h"
#include "vprof/cut.h"

/* Of each lane the chunk that was its own at the cut: an index into ring->chunks, or NONE. */
#define NONE UINT32_MAX

struct copier {
	struct ring *ring;
	int fd;                /* of the copy */
	uint64_t cut, first;   /* ticks */
	int lives;             /* the process */
	uint32_t lane_count;
	uint32_t *own;         /* by lane, as above */
	struct vprof_chunk_header *head; /* by lane: of its own chunk, as it stands in the copy */
	uint32_t *place;       /* by lane: of that in the copy + 1; 0: not there */
	uint64_t *reached;     /* by lane: where the first chunk began that was taken after the cut */
	uint32_t *order;       /* of ring->chunks, newest first */
	uint32_t count;        /* of them */
	struct snap_copy *out;
};

static int put(struct copier *c, const void *bytes, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pwrite(c->fd, (const char *)bytes + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		done += (size_t)n;
	}
	c->out->bytes += size;
	return 0;
}

/* ---- which chunks ---- */

static int compare_age(const void *a, const void *b, void *ring)
{
	const struct ring_chunk *chunks = ((const struct ring *)ring)->chunks;
	uint64_t x = chunks[*(const uint32_t *)a].head.base, y = chunks[*(const uint32_t *)b].head.base;

	return (x < y) - (x > y);
}

/* Where a chunk's lane stands in the tables; chunks may name one that a table cut short has not. */
static uint32_t lane_of(const struct copier *c, const struct vprof_chunk_header *head)
{
	return head->lane < c->lane_count ? head->lane : c->lane_count;
}

/* Was the place of a chunk that was taken after the cut another's before? That one is gone. */
static int has_displaced(const struct copier *c, const struct vprof_chunk_header *head)
{
	return head->base >> 8 > c->ring->header.chunk_count;
}

/* The index is sorted by lane and position, so the last one of a lane that fits is its own. */
static void choose_chunks(struct copier *c)
{
	for (uint32_t i = 0; i <= c->lane_count; i++) {
		c->own[i] = NONE;
		c->reached[i] = UINT64_MAX;
	}
	for (uint32_t i = 0; i < c->ring->chunk_count; i++) {
		const struct vprof_chunk_header *head = &c->ring->chunks[i].head;

		/* What only the spill still has is past what a ring holds. */
		if (c->ring->chunks[i].index == RING_NOWHERE)
			continue;
		if (head->open_ticks <= c->cut) {
			c->own[lane_of(c, head)] = i;
			c->order[c->count++] = i;
			continue;
		}
		c->out->lost += has_displaced(c, head);
		if (head->first < c->reached[lane_of(c, head)])
			c->reached[lane_of(c, head)] = head->first;
	}
	qsort_r(c->order, c->count, sizeof(*c->order), compare_age, c->ring);
}

static int copy_chunk(struct copier *c, uint32_t at)
{
	const struct ring_chunk *chunk = &c->ring->chunks[at];
	uint32_t lane = lane_of(c, &chunk->head);
	int current = c->own[lane] == at;
	struct vprof_chunk buffer;
	struct vprof_cut_sum sum;
	int records = ring_read_chunk(c->ring, chunk, &buffer), error;

	if (records < 0)
		return records;
	if (buffer.head.base != chunk->head.base || (!records && chunk->used > 1 && !current)) {
		c->out->lost++;
		return 0;
	}
	sum = vprof_cut_chunk(&buffer, chunk->used, current, c->cut);
	if (current)
		c->head[lane] = buffer.head;
	if (c->first && sum.newest < c->first && !(sum.in_flight && c->lives))
		return 0;
	error = put(c, &buffer, sizeof(buffer),
		    c->ring->header.chunks_offset + (uint64_t)chunk->index * sizeof(buffer));
	if (error)
		return error;
	if (current)
		c->place[lane] = chunk->index + 1;
	c->out->chunks++;
	c->out->records += sum.records;
	c->out->in_flight += sum.in_flight;
	return 0;
}

static int copy_chunks(struct copier *c)
{
	int error = 0;

	for (uint32_t i = 0; i < c->count && !error; i++)
		error = copy_chunk(c, c->order[i]);
	return error;
}

/* ---- the rest ---- */

static int copy_lanes(struct copier *c)
{
	const struct vprof_ring_header *h = &c->ring->header;
	size_t size = h->lane_size < sizeof(struct vprof_lane) ? h->lane_size : sizeof(struct vprof_lane);
	int error = 0;

	for (uint32_t i = 0; i < c->ring->lane_count && !error; i++) {
		struct vprof_lane lane = c->ring->lanes[i];

		if (lane.state == VPROF_LANE_UNUSED && !lane.thread)
			continue;
		vprof_cut_lane(&lane, c->head[i].base ? &c->head[i] : NULL, c->place[i], c->reached[i], c->cut);
		error = put(c, &lane, size, h->lanes_offset + (uint64_t)i * h->lane_size);
	}
	return error;
}

/* Readers take holdings in any order, so they are written one behind the other. */
static int copy_holdings(struct copier *c)
{
	const struct vprof_ring_header *h = &c->ring->header;
	struct vprof_holding *kept = calloc(c->ring->holding_count + 1, h->holding_size);
	uint32_t count = 0;
	int error = kept ? 0 : -ENOMEM;

	for (uint32_t i = 0; kept && i < c->ring->holding_count; i++) {
		const struct vprof_holding *holding = &c->ring->holdings[i];

		if (vprof_cut_holding(holding, c->ring->live.memory, c->cut))
			memcpy((char *)kept + (size_t)count++ * h->holding_size, holding, sizeof(*holding));
	}
	if (!error && count)
		error = put(c, kept, (size_t)count * h->holding_size, h->holdings_offset);
	free(kept);
	return error;
}

static int copy_live(struct copier *c)
{
	const struct vprof_ring_control *now = &c->ring->control;
	struct vprof_ring_control control = {
		.word = now->word, .groups = now->groups, .gpu = now->gpu, .gpu_spans = now->gpu_spans,
		.gpu_window_us = now->gpu_window_us, .gpu_period_us = now->gpu_period_us,
	};
	struct vprof_ring_live live = c->ring->live;
	int error = put(c, &control, sizeof(control), VPROF_CONTROL_OFFSET);

	vprof_cut_live(&live, c->cut);
	if (!error)
		error = put(c, &live, sizeof(live), VPROF_LIVE_OFFSET);
	if (!error)
		error = put(c, c->ring->anchors, c->ring->anchor_count * sizeof(*c->ring->anchors), VPROF_CLOCK_OFFSET);
	return error;
}

static int copy_header(struct copier *c)
{
	struct vprof_ring_header header = c->ring->header;
	uint64_t magic = header.magic;
	int error;

	vprof_cut_header(&header, c->cut, c->first);
	header.magic = 0;
	error = put(c, &header, sizeof(header), VPROF_HEADER_OFFSET);
	return error ? error : put(c, &magic, sizeof(magic), VPROF_HEADER_OFFSET);
}

static int copy_all(struct copier *c)
{
	int error = ftruncate(c->fd, (off_t)c->ring->size) ? -errno : 0;

	if (!error)
		error = copy_chunks(c);
	if (!error && !c->out->chunks && c->first && !c->lives)
		return -ENODATA;
	if (!error && c->ring->defs_size)
		error = put(c, c->ring->defs, c->ring->defs_size, c->ring->header.defs_offset);
	if (!error)
		error = copy_lanes(c);
	if (!error)
		error = copy_holdings(c); /* before the totals, which it corrects */
	if (!error)
		error = copy_live(c);
	return error ? error : copy_header(c);
}

static int copier_make(struct copier *c)
{
	uint32_t lanes = c->lane_count = c->ring->lane_count;

	c->own = calloc(lanes + 1, sizeof(*c->own));
	c->head = calloc(lanes + 1, sizeof(*c->head));
	c->place = calloc(lanes + 1, sizeof(*c->place));
	c->reached = calloc(lanes + 1, sizeof(*c->reached));
	c->order = calloc(c->ring->chunk_count + 1, sizeof(*c->order));
	return c->own && c->head && c->place && c->reached && c->order ? 0 : -ENOMEM;
}

static void copier_free(struct copier *c)
{
	free(c->own);
	free(c->head);
	free(c->place);
	free(c->reached);
	free(c->order);
}

/* The moment in the ring's own ticks, by the anchors that it has now. */
static int copier_time(struct copier *c, struct input *input, uint64_t cut_ns, uint64_t last_ns)
{
	struct clock clock;
	int error = clock_build(&clock, &input->ring);

	if (error)
		return error;
	c->cut = clock_ticks(&clock, cut_ns);
	c->first = last_ns && last_ns < cut_ns ? clock_ticks(&clock, cut_ns - last_ns) : 0;
	clock_free(&clock);
	return 0;
}

int snap_copy_ring(struct input *input, int folder_fd, const char *name, uint64_t cut_ns, uint64_t last_ns,
		   struct snap_copy *copy)
{
	struct copier c = { .ring = &input->ring, .fd = -1, .out = copy };
	int error = ring_reread(&input->ring, RING_ALL & ~RING_SPILL);

	memset(copy, 0, sizeof(*copy));
	if (!error)
		error = copier_time(&c, input, cut_ns, last_ns);
	c.lives = process_lives(process_state(c.ring));
	if (!error)
		error = copier_make(&c);
	if (error)
		goto out;
	choose_chunks(&c);
	c.fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (c.fd < 0) {
		error = -errno;
		goto out;
	}
	error = copy_all(&c);
	if (close(c.fd) && !error)
		error = -errno;
	if (error)
		unlinkat(folder_fd, name, 0);
out:
	copier_free(&c);
	return error;
}
