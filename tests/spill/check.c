/*
 * check.c - which launches of loop.c a ring and its spill hold.
 *
 *	check RING LAUNCHES
 *
 * Prints `KEY VALUE` lines. twice: launches that are there more than once; order: those that
 * come before an earlier one of their thread; open: calls that had not returned; missing: of the LAUNCHES
 * of each thread that is seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/ring.h"
#include "tools/spill.h"

enum { THREADS = 1024 };
static uint8_t *seen[THREADS];
static uint32_t newest[THREADS];
static unsigned long launches, total, twice, order, open, odd;

static void look(const struct vprof_slot *slot)
{
	uint32_t thread = slot->launch.shared, at = slot->launch.grid[0];

	if (thread >= THREADS || !at || at > launches || slot->launch.block[0] != 32 || !slot->object) {
		odd++;
		return;
	}
	if (!seen[thread])
		seen[thread] = calloc(1, launches + 1);
	twice += seen[thread][at]++ != 0;
	order += at < newest[thread];
	open += !slot->done;
	newest[thread] = at;
	total++;
}

static unsigned long missing(void)
{
	unsigned long count = 0;

	for (int t = 0; t < THREADS; t++)
		for (unsigned long i = 1; seen[t] && i <= launches; i++)
			count += !seen[t][i];
	return count;
}

int main(int argc, char **argv)
{
	static struct vprof_chunk buffer;
	struct ring_losses losses;
	struct spill_sums sums;
	struct ring ring;
	char why[1024];

	if (argc < 3 || ring_open(&ring, argv[1], why, sizeof(why))) {
		fprintf(stderr, "check: %s\n", argc < 3 ? "usage" : why);
		return 1;
	}
	launches = strtoul(argv[2], NULL, 10);
	for (uint32_t i = 0; i < ring.chunk_count; i++) {
		if (ring_read_chunk(&ring, &ring.chunks[i], &buffer) < 0)
			return 2;
		for (int s = 0; s < VPROF_CHUNK_SLOTS - 1; s++)
			if (buffer.slot[s].seq && buffer.slot[s].kind == VPROF_KIND_LAUNCH)
				look(&buffer.slot[s]);
	}
	if (ring_count(&ring, &losses))
		return 3;
	spill_sums(ring.spill, &sums);
	printf("launches %lu\nmissing %lu\ntwice %lu\norder %lu\nopen %lu\nodd %lu\n", total, missing(), twice, order, open, odd);
	printf("reserved %lu\npresent %lu\noverwritten %lu\ntorn %lu\n", (unsigned long)losses.reserved,
	       (unsigned long)losses.present, (unsigned long)losses.overwritten, (unsigned long)losses.torn);
	printf("spilled %lu\nfiles %lu\nbytes %lu\nframes %lu\nchunks %lu\nrecords %lu\n",
	       (unsigned long)losses.loss[VPROF_LOSS_SPILLED], (unsigned long)sums.files, (unsigned long)sums.bytes,
	       (unsigned long)sums.frames, (unsigned long)sums.chunks, (unsigned long)sums.records);
	printf("dropped_files %lu\ndropped_chunks %lu\nbad_files %lu\nbad_frames %lu\ntorn_bytes %lu\n",
	       (unsigned long)sums.dropped_files, (unsigned long)sums.dropped_chunks, (unsigned long)sums.bad_files,
	       (unsigned long)sums.bad_frames, (unsigned long)sums.torn_bytes);
	ring_close(&ring);
	return 0;
}
