/*
 * recorded.c - see the header.
 */
#include "tools/recorded.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include "tools/info.h"

static void count_chunk(struct recorded *recorded, const struct ring *ring, const struct ring_chunk *chunk)
{
	struct vprof_chunk buffer;

	if (ring_read_chunk(ring, chunk, &buffer) <= 0)
		return;
	for (uint32_t i = 0; i < VPROF_CHUNK_SLOTS - 1; i++) {
		const struct vprof_slot *slot = &buffer.slot[i];

		if (!slot->seq)
			continue;
		recorded->launches += slot->kind == VPROF_KIND_LAUNCH;
		recorded->graph_launches += slot->kind == VPROF_KIND_GRAPH_LAUNCH;
		recorded->open += !slot->done && slot->kind != VPROF_KIND_RANGE;
	}
}

static void count_ring(struct recorded *recorded, const struct ring *ring)
{
	uint64_t reserved, overwritten;

	ring_positions(ring, &reserved, &overwritten);
	recorded->processes++;
	recorded->running += info_state(ring) == INFO_RUNNING;
	recorded->records += reserved;
	recorded->overwritten += overwritten;
	for (uint32_t i = 0; i < ring->chunk_count; i++)
		count_chunk(recorded, ring, &ring->chunks[i]);
	for (int i = 0; i < VPROF_LOSS_COUNT; i++) {
		recorded->loss[i] += ring->live.loss[i];
		recorded->lost += ring->live.loss[i];
	}
}

int recorded_count(struct recorded *recorded, const struct run_folder *folder)
{
	char path[PATH_MAX], why[1280];
	struct dirent **names;
	struct ring ring;
	int count = run_folder_rings(folder, &names);

	*recorded = (struct recorded){ 0 };
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder->real, names[i]->d_name);
		if (ring_open(&ring, path, why, sizeof(why))) {
			recorded->unreadable++;
			continue;
		}
		if (ring.header.cut_ticks)
			recorded->copies++;
		else
			count_ring(recorded, &ring);
		ring_close(&ring);
	}
	run_folder_names_free(names, count);
	return 0;
}
