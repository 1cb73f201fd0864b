/*
 * spill_index.c - the frames of a file, from their headers alone.
 *
 * A header counts when its check holds, over itself and the chunk headers behind it; its data are
 * looked at when they are read. Behind one that does not hold the next magic is searched for.
 */
#include <errno.h>
#include <stdlib.h>
#include "tools/ring_inner.h"
#include "tools/spill_inner.h"

struct frame_heads {
	struct vprof_spill_frame frame;
	struct vprof_chunk_header head[VPROF_SPILL_CHUNKS];
};

static int frame_sound(const struct vprof_spill_frame *f)
{
	return f->magic == VPROF_SPILL_FRAME_MAGIC && f->chunk_count && f->chunk_count <= VPROF_SPILL_CHUNKS &&
	       f->packed_size <= VPROF_SPILL_PLAIN_MOST && f->plain_size <= VPROF_SPILL_PLAIN_MOST &&
	       f->records <= f->chunk_count * (VPROF_CHUNK_SLOTS - 1);
}

/* 1: there is a frame, with its chunk headers. 0: none. Else a negative errno. */
static int frame_heads_read(const struct spill_file *file, uint64_t offset, struct frame_heads *out)
{
	ssize_t got = ring_pread(file->fd, out, sizeof(*out), offset);
	size_t heads;
	uint32_t check;

	if (got < 0)
		return (int)got;
	if ((size_t)got < sizeof(out->frame) || !frame_sound(&out->frame))
		return 0;
	heads = out->frame.chunk_count * sizeof(out->head[0]);
	if ((size_t)got < sizeof(out->frame) + heads)
		return 0;
	check = vprof_spill_check(&out->frame, offsetof(struct vprof_spill_frame, check), 0);
	return out->frame.check == vprof_spill_check(out->head, heads, check);
}

uint64_t spill_frame_ticks(const struct spill_file *file)
{
	struct frame_heads heads;

	return frame_heads_read(file, file->scanned, &heads) > 0 ? heads.frame.first_ticks : 0;
}

/* Where the next frame may begin at or behind `offset`; 0: nowhere. */
static uint64_t find_magic(const struct spill_file *file, uint64_t offset)
{
	const uint64_t magic = VPROF_SPILL_FRAME_MAGIC;
	uint64_t words[1024];
	ssize_t got;

	while ((got = ring_pread(file->fd, words, sizeof(words), offset)) >= (ssize_t)sizeof(words[0])) {
		for (size_t i = 0; i < (size_t)got / sizeof(words[0]); i++)
			if (words[i] == magic)
				return offset + i * sizeof(words[0]);
		offset += (uint64_t)got / sizeof(words[0]) * sizeof(words[0]);
	}
	return 0;
}

static int frame_add(struct spill *spill, uint32_t file, uint64_t offset, const struct frame_heads *f, spill_add *add,
		     void *context)
{
	uint32_t index = spill->frame_count;
	int error = 0;

	if (index == spill->frame_room) {
		uint32_t room = index ? index * 2 : 64;
		struct spill_frame *more = room > index ? reallocarray(spill->frames, room, sizeof(*more)) : NULL;

		if (!more)
			return -ENOMEM;
		spill->frames = more;
		spill->frame_room = room;
	}
	spill->frames[index] = (struct spill_frame){ .file = file, .offset = offset, .chunks = f->frame.chunk_count,
						     .bytes = (uint32_t)vprof_spill_frame_bytes(&f->frame) };
	spill->frame_count++;
	spill->sums.frames++;
	spill->sums.chunks += f->frame.chunk_count;
	spill->sums.records += f->frame.records;
	for (uint32_t i = 0; i < f->frame.chunk_count && !error; i++)
		error = add(context, &f->head[i], index, i);
	return error;
}

int spill_scan(struct spill *spill, uint32_t index, spill_add *add, void *context)
{
	struct spill_file *file = &spill->files[index];
	struct frame_heads heads;
	int found, error = 0;

	while (file->scanned < file->size && !error) {
		uint64_t next;

		found = frame_heads_read(file, file->scanned, &heads);
		if (found < 0)
			return found;
		if (found) {
			next = file->scanned + vprof_spill_frame_bytes(&heads.frame);
			if (next > file->size)
				break;
			error = frame_add(spill, index, file->scanned, &heads, add, context);
		} else {
			next = find_magic(file, file->scanned + 8);
			if (!next || next >= file->size)
				break;
			spill->sums.bad_frames++;
		}
		file->scanned = next;
	}
	return error;
}
