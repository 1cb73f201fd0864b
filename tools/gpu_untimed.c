/*
 * gpu_untimed.c - see the header.
 */
#include "tools/gpu_untimed.h"

#include <inttypes.h>
#include <stdio.h>
#include "tools/cli.h"

static void add_chunk(struct gpu_untimed *untimed, const struct vprof_chunk *chunk)
{
	for (int i = 0; i < VPROF_CHUNK_SLOTS - 1; i++) {
		const struct vprof_slot *slot = &chunk->slot[i];

		if (!slot->seq || slot->kind != VPROF_KIND_GRAPH_LAUNCH)
			continue;
		untimed->launches++;
		untimed->of_twins += (slot->graph_launch.flags & VPROF_LAUNCH_TWIN) != 0;
	}
}

int gpu_untimed_add(struct gpu_untimed *untimed, const struct ring *ring)
{
	const struct vprof_def *def = NULL;
	struct vprof_chunk chunk;

	untimed->sampled |= ring->control.gpu > 1;
	while ((def = ring_def_next(ring, def))) {
		const struct vprof_def_twin *twin = ring_def(ring, ring_def_id(ring, def), VPROF_DEF_TWIN);

		untimed->twins += twin && twin->why == VPROF_TWIN_BUILT && !twin->first;
		untimed->refused += twin && twin->why != VPROF_TWIN_BUILT;
	}
	for (uint32_t i = 0; i < ring->chunk_count; i++) {
		int records = ring_read_chunk(ring, &ring->chunks[i], &chunk);

		if (records < 0)
			return records;
		if (records)
			add_chunk(untimed, &chunk);
	}
	return 0;
}

char *gpu_untimed_text(char *text, size_t size, const struct gpu_untimed *untimed)
{
	const char *why = "all came before a twin was ready", *way_out = "";

	*text = '\0';
	if (!untimed->launches || (untimed->refused && !untimed->twins))
		return text;
	if (untimed->of_twins)
		why = "the process ended before the stamps of their twins were collected";
	else if (untimed->twins)
		why = "too few came after their twins were made";
	if (untimed->sampled && !untimed->of_twins)
		way_out = "; with --gpu all a graph is timed from its third launch on, or soon after";
	snprintf(text, size, "none of %" PRIu64 " %s of graphs was timed: %s%s", untimed->launches,
		 cli_word(untimed->launches, "launch", "launches"), why, way_out);
	return text;
}
