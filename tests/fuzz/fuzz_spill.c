/*
 * fuzz_spill.c - any bytes as a spill beside a sound ring.
 *
 * A libFuzzer target. Each input becomes the file R.spill.0 of a small ring R.ring, after what a check or
 * the ring's identity would reject at once has been set right: so that the input gets to what lies behind
 * the checks. The first byte says whether that is done.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/tools/make_ring.h"
#include "tools/ring.h"
#include "tools/spill.h"
#include "vprof/spill.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/dev/shm/vprof-fuzz-spill.XXXXXX", ring_path[64], spill_path[64];
static struct vprof_ring_header ring_header;

static void clean(void)
{
	unlink(ring_path);
	unlink(spill_path);
	rmdir(folder);
}

static void prepare(void)
{
	struct make_ring o = make_ring_default;
	int fd;

	if (!mkdtemp(folder))
		abort();
	snprintf(ring_path, sizeof(ring_path), "%s/r.ring", folder);
	snprintf(spill_path, sizeof(spill_path), "%s/r.spill.0", folder);
	atexit(clean);
	o.chunks = o.lanes = 2;
	o.records = 300;
	fd = open(ring_path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || make_ring_write(&o, fd) || pread(fd, &ring_header, sizeof(ring_header), 0) != sizeof(ring_header))
		abort();
	close(fd);
}

static void repair_header(uint8_t *data)
{
	struct vprof_spill_header h;

	memcpy(&h, data, sizeof(h));
	h.magic = VPROF_SPILL_MAGIC;
	h.byte_order = VPROF_RING_BYTE_ORDER;
	h.major = VPROF_SPILL_MAJOR;
	h.header_size = sizeof(h);
	h.frame_size = sizeof(struct vprof_spill_frame);
	h.start_ticks = ring_header.start_ticks;
	h.process_start = ring_header.process_start;
	h.pid = ring_header.pid;
	h.clock = ring_header.clock;
	memcpy(h.boot_id, ring_header.boot_id, sizeof(h.boot_id));
	h.check = vprof_spill_check(&h, offsetof(struct vprof_spill_header, check), 0);
	memcpy(data, &h, sizeof(h));
}

/* Sets the checks of a frame right; its size in the file, 0 when there is none. */
static uint64_t repair_frame(uint8_t *data, size_t size)
{
	struct vprof_spill_frame f;
	size_t heads;

	if (size < sizeof(f))
		return 0;
	memcpy(&f, data, sizeof(f));
	heads = f.chunk_count * sizeof(struct vprof_chunk_header);
	if (f.magic != VPROF_SPILL_FRAME_MAGIC || f.chunk_count > VPROF_SPILL_CHUNKS || vprof_spill_frame_bytes(&f) > size)
		return 0;
	f.data_check = vprof_spill_check(data + sizeof(f) + heads, f.packed_size, 0);
	f.check = vprof_spill_check(&f, offsetof(struct vprof_spill_frame, check), 0);
	f.check = vprof_spill_check(data + sizeof(f), heads, f.check);
	memcpy(data, &f, sizeof(f));
	return vprof_spill_frame_bytes(&f);
}

static void repair(uint8_t *data, size_t size)
{
	uint64_t at = sizeof(struct vprof_spill_header), frame;

	if (size < at)
		return;
	repair_header(data);
	while (at < size && (frame = repair_frame(data + at, size - at)))
		at += frame;
}

static void put_spill(const uint8_t *data, size_t size, int sound)
{
	uint8_t *copy = malloc(size + 1);
	int fd = open(spill_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (!copy || fd < 0)
		abort();
	memcpy(copy, data, size);
	if (sound)
		repair(copy, size);
	if (write(fd, copy, size) != (ssize_t)size)
		abort();
	close(fd);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vprof_chunk buffer;
	struct ring_losses losses;
	struct spill_sums sums;
	struct ring ring;
	char why[1024];

	if (!ring_path[0])
		prepare();
	if (!size)
		return 0;
	put_spill(data + 1, size - 1, data[0] & 1);
	if (ring_open(&ring, ring_path, why, sizeof(why)))
		return 0;
	for (uint32_t i = 0; i < ring.chunk_count; i++)
		ring_read_chunk(&ring, &ring.chunks[i], &buffer);
	ring_count(&ring, &losses);
	ring_refresh(&ring);
	ring_count(&ring, &losses);
	spill_sums(ring.spill, &sums);
	if (sums.chunks > sums.frames * VPROF_SPILL_CHUNKS)
		abort();
	ring_close(&ring);
	return 0;
}
