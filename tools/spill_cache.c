/*
 * spill_cache.c - decoded frames, of all spills together: as many as one size of memory holds.
 *
 * Commands read either lane by lane or all lanes in order of time; either way a frame is asked for once
 * for each of its chunks, one soon after the other. Which frame goes is the one that was not
 * asked for longest.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <zstd.h>
#include "tools/ring_inner.h"
#include "tools/spill_inner.h"

enum { FRAMES = 64 }; /* of 256 KiB at most */

static struct decoded {
	const struct spill *spill; /* NULL: free */
	uint32_t frame;
	uint64_t stamp;
	struct vprof_chunk *chunks;
} cache[FRAMES];
static uint64_t stamp;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void decoded_free(struct decoded *d)
{
	free(d->chunks);
	*d = (struct decoded){ 0 };
}

void spill_cache_drop(const struct spill *spill)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < FRAMES; i++)
		if (cache[i].spill == spill)
			decoded_free(&cache[i]);
	pthread_mutex_unlock(&lock);
}

/* The data of a frame whose bytes are at `frame`, decompressed to `plain`. */
static int decompress(const struct vprof_spill_frame *frame, const uint8_t *packed, uint8_t *plain)
{
	if (frame->data_check != vprof_spill_check(packed, frame->packed_size, 0))
		return -EBADMSG;
	if (frame->codec == VPROF_SPILL_PLAIN && frame->packed_size == frame->plain_size) {
		memcpy(plain, packed, frame->plain_size);
		return 0;
	}
	if (frame->codec != VPROF_SPILL_ZSTD)
		return -EBADMSG;
	return ZSTD_decompress(plain, frame->plain_size, packed, frame->packed_size) == frame->plain_size ?
	       0 : -EBADMSG;
}

/* The file may have changed since it was indexed: what is read now is checked against that. */
static int frame_decode(const struct spill *spill, const struct spill_frame *at, struct vprof_chunk *out)
{
	uint8_t *bytes = malloc(at->bytes), *plain = malloc(VPROF_SPILL_PLAIN_MOST);
	const struct vprof_spill_frame *frame = (const void *)bytes;
	const struct vprof_chunk_header *heads = (const void *)(bytes + sizeof(*frame));
	int error = bytes && plain ? 0 : -ENOMEM;
	ssize_t got;

	if (!error) {
		got = ring_pread(spill->files[at->file].fd, bytes, at->bytes, at->offset);
		error = got < 0 ? (int)got : got < at->bytes ? -EBADMSG : 0;
	}
	if (!error && (frame->chunk_count != at->chunks || vprof_spill_frame_bytes(frame) != at->bytes ||
		       frame->plain_size > VPROF_SPILL_PLAIN_MOST))
		error = -EBADMSG;
	if (!error)
		error = decompress(frame, (const uint8_t *)(heads + frame->chunk_count), plain);
	if (!error)
		error = spill_unpack(frame, heads, plain, out);
	free(bytes);
	free(plain);
	return error;
}

static struct decoded *cache_find(const struct spill *spill, uint32_t frame)
{
	for (int i = 0; i < FRAMES; i++)
		if (cache[i].spill == spill && cache[i].frame == frame)
			return &cache[i];
	return NULL;
}

static struct decoded *cache_oldest(void)
{
	struct decoded *oldest = &cache[0];

	for (int i = 1; i < FRAMES; i++)
		if (cache[i].stamp < oldest->stamp)
			oldest = &cache[i];
	return oldest;
}

/* The frame, decoded; under the lock. */
static int cache_get(struct spill *spill, uint32_t frame, struct decoded **out)
{
	struct spill_frame *at = &spill->frames[frame];
	struct decoded *d = cache_find(spill, frame);
	int error;

	if (!d) {
		if (at->bad)
			return -EBADMSG;
		d = cache_oldest();
		decoded_free(d);
		d->chunks = malloc(at->chunks * sizeof(*d->chunks));
		error = d->chunks ? frame_decode(spill, at, d->chunks) : -ENOMEM;
		if (error == -EBADMSG) {
			at->bad = 1;
			spill->sums.bad_frames++;
		}
		if (error) {
			decoded_free(d);
			return error;
		}
		d->spill = spill;
		d->frame = frame;
	}
	d->stamp = ++stamp;
	*out = d;
	return 0;
}

int spill_read(struct spill *spill, uint32_t frame, uint32_t place, struct vprof_chunk *chunk)
{
	struct decoded *d;
	int error;

	if (frame >= spill->frame_count || place >= spill->frames[frame].chunks)
		return -EBADMSG;
	pthread_mutex_lock(&lock);
	error = cache_get(spill, frame, &d);
	if (!error)
		*chunk = d->chunks[place];
	pthread_mutex_unlock(&lock);
	return error;
}

void spill_sums(struct spill *spill, struct spill_sums *sums)
{
	pthread_mutex_lock(&lock);
	*sums = spill->sums;
	pthread_mutex_unlock(&lock);
}
