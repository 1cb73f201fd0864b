/*
 * spill_cost.c - what the spill's thread does with the chunks of a ring, without the waiting: packs them in
 * frames and appends these to a file.
 *
 *	spill_cost RING FILE NAME
 *
 * Prints rows of `make bench`: spill_NAME_cost and spill_NAME_bytes. Time is that of the processor,
 * the kernel's writing included; the best of some rounds, each over the whole ring.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "preload/inner.h"
#include "preload/spill_pack.h"
#include "tests/bench/row.h"
#include "tools/ring.h"

enum { ROUNDS = 9 };

void *vprof_table(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static struct vprof_chunk *chunks;
static uint32_t count;

static void load(const char *path)
{
	struct ring ring;
	char why[1024];

	if (ring_open(&ring, path, why, sizeof(why))) {
		fprintf(stderr, "spill_cost: %s: %s\n", path, why);
		exit(1);
	}
	chunks = malloc((ring.chunk_count + 1) * sizeof(*chunks));
	for (uint32_t i = 0; chunks && i < ring.chunk_count; i++)
		if (ring_read_chunk(&ring, &ring.chunks[i], &chunks[count]) > 0)
			count++;
	ring_close(&ring);
}

/* All chunks once, those of a lane together. */
static void round_of(struct vprof_spill_pack *pack, void *codec, int fd, uint64_t *records, uint64_t *bytes)
{
	for (uint32_t i = 0; i < count;) {
		uint32_t lane = chunks[i].head.lane, size;

		vprof_spill_pack_begin(pack);
		for (; i < count && chunks[i].head.lane == lane && pack->chunks < VPROF_SPILL_CHUNKS; i++)
			vprof_spill_pack_chunk(pack, &chunks[i]);
		size = vprof_spill_pack_end(pack, codec, 0);
		*records += pack->records;
		*bytes += size;
		if (pwrite(fd, pack->frame, size, 0) != (ssize_t)size)
			exit(2);
	}
}

int main(int argc, char **argv)
{
	struct vprof_spill_pack *pack = vprof_table(sizeof(*pack));
	void *codec = vprof_spill_codec_open();
	uint64_t records = 0, bytes = 0;
	double best = 0;
	char name[64];
	int fd;

	if (argc < 4 || !pack)
		return 1;
	load(argv[1]);
	fd = open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return 1;
	for (int i = 0; i < ROUNDS; i++) {
		double begin = bench_clock(CLOCK_PROCESS_CPUTIME_ID), took;

		records = bytes = 0;
		round_of(pack, codec, fd, &records, &bytes);
		took = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - begin;
		if (records && (!best || took / (double)records < best))
			best = took / (double)records;
	}
	snprintf(name, sizeof(name), "spill_%s_cost", argv[3]);
	bench_limit(name, best, "ns/record", 200); /* 5 million records a second */
	snprintf(name, sizeof(name), "spill_%s_bytes", argv[3]);
	bench_limit(name, records ? (double)bytes / (double)records : 0, "B/record", 16);
	return 0;
}
