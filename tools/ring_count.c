/*
 * ring_count.c - how many records there are, and how many there were.
 *
 * A lane counts its slots, so that what has been overwritten is known without ever
 * having been seen: positions that no chunk of the file covers.
 */
#include <string.h>
#include "tools/ring_inner.h"

/* Slots that the lane has reserved since it began. */
static uint64_t lane_reserved(const struct ring *ring, uint32_t lane, uint64_t covered_end)
{
	uint64_t sealed = lane < ring->lane_count ? ring->lanes[lane].sealed : 0;

	/* A lane with chunks has its end in the last one; sealed may be ahead only of torn headers. */
	return sealed > covered_end && sealed < UINT64_MAX >> 4 ? sealed : covered_end;
}

static int count_chunk(const struct ring *ring, const struct ring_chunk *chunk,
		       struct ring_losses *losses)
{
	struct vprof_chunk buffer;
	int records = ring_read_chunk(ring, chunk, &buffer);

	if (records < 0)
		return records;
	losses->present += (uint64_t)records;
	if (records == 0 && buffer.head.base != chunk->head.base && !ring->cut_bytes) {
		losses->overwritten += chunk->used - 1; /* taken over since the index was made */
		return 0;
	}
	if ((uint32_t)records < chunk->used - 1)
		losses->torn += chunk->used - 1 - (uint32_t)records;
	for (uint32_t i = 0; i < VPROF_CHUNK_SLOTS - 1; i++)
		if (buffer.slot[i].seq && !buffer.slot[i].done && buffer.slot[i].kind != VPROF_KIND_RANGE)
			losses->in_flight++;
	return 0;
}

void ring_positions(const struct ring *ring, uint64_t *reserved, uint64_t *overwritten)
{
	uint32_t i = 0, lane = 0;

	*reserved = *overwritten = 0;
	for (lane = 0; lane < ring->lane_count || i < ring->chunk_count; lane++) {
		uint64_t covered = 0, end = 0, reached;

		/* Chunks may name lanes beyond a table that is cut short. */
		if (lane >= ring->lane_count)
			lane = ring->chunks[i].head.lane;
		for (; i < ring->chunk_count && ring->chunks[i].head.lane == lane; i++) {
			covered += ring->chunks[i].used - 1;
			end = ring->chunks[i].head.first + ring->chunks[i].used - 1;
		}
		reached = lane_reserved(ring, lane, end);
		*reserved += reached;
		*overwritten += reached > covered ? reached - covered : 0;
	}
}

uint64_t ring_cut_off(const struct ring *ring, uint64_t uncovered)
{
	uint64_t chunks = ring->cut_bytes / VPROF_CHUNK_SIZE + (ring->cut_bytes % VPROF_CHUNK_SIZE != 0), room;

	if (!ring->cut_bytes || ring->live.ticket <= ring->header.chunk_count)
		return ring->cut_bytes ? uncovered : 0; /* nothing has been overwritten */
	chunks = chunks < ring->header.chunk_count ? chunks : ring->header.chunk_count;
	room = chunks * (VPROF_CHUNK_SLOTS - 1);
	return uncovered < room ? uncovered : room;
}

int ring_count(const struct ring *ring, struct ring_losses *losses)
{
	int error = 0;

	memset(losses, 0, sizeof(*losses));
	memcpy(losses->loss, ring->live.loss, sizeof(losses->loss));
	ring_positions(ring, &losses->reserved, &losses->overwritten);
	for (uint32_t i = 0; i < ring->chunk_count && !error; i++)
		error = count_chunk(ring, &ring->chunks[i], losses);
	return error;
}

static const char *const loss_names[VPROF_LOSS_COUNT] = {
	[VPROF_LOSS_NO_CHUNK] = "no_chunk",
	[VPROF_LOSS_NO_LANE] = "no_lane",
	[VPROF_LOSS_REENTRANT] = "reentrant",
	[VPROF_LOSS_LATE] = "late",
	[VPROF_LOSS_DEFS_FULL] = "defs_full",
	[VPROF_LOSS_START] = "start",
	[VPROF_LOSS_HANDLES] = "handles",
	[VPROF_LOSS_HOLDINGS] = "holdings",
	[VPROF_LOSS_TEXT] = "text",
	[VPROF_LOSS_NODES] = "nodes",
	[VPROF_LOSS_FACTS] = "facts",
	[VPROF_LOSS_SAVED] = "saved",
	[VPROF_LOSS_SPILLED] = "spilled",
	[VPROF_LOSS_REQUEST] = "request",
	[VPROF_LOSS_STAMPS] = "stamps",
	[15] = "loss_15",
};

const char *ring_loss_name(enum vprof_loss loss)
{
	return (unsigned int)loss < VPROF_LOSS_COUNT ? loss_names[loss] : "unknown";
}
