/*
 * ranges_open.h - one range that is open (inner part of ranges.c and ranges_process.c).
 *
 * It is remembered with all that was said, since it is told more than once: when it begins, again in each new
 * chunk of the lane, and in a ring that is made while it is open. Its end completes the first telling and the
 * last. The first may lie in a chunk that the lane has left, and that another lane may take at any
 * moment: it is held meanwhile, as a lane holds its own.
 */
#ifndef VPROF_PRELOAD_RANGES_OPEN_H
#define VPROF_PRELOAD_RANGES_OPEN_H

#include "preload/process.h"
#include "preload/ranges.h"
#include "preload/record.h"
#include "preload/tell.h"

struct vprof_telling {
	struct vprof_slot *slot; /* NULL: none */
	uint64_t seq;
};

struct vprof_open_range {
	struct vprof_telling first, last;
	uint64_t begun;          /* ticks */
	uint64_t id;             /* of a range without a stack */
	uint32_t generation;     /* of the tellings and of text */
	uint32_t text;           /* its name's definition, 0: none */
	uint16_t ready;          /* the entry is whole */
	uint16_t level;          /* among those of its domain */
	uint16_t captures;       /* VPROF_CAPTURE goes by it */
	struct vprof_said said;  /* said.text is `name` below */
	char name[88];
};

/* Are ranges recorded, by this process? */
static inline int vprof_ranges_wanted(void)
{
	return vprof_recording(VPROF_GROUP_BIT(VPROF_GROUP_RANGE)) && vprof_ring_is_ours() && !vprof_in_vfork_child;
}

/* What an earlier ring had of it is void. */
static inline void vprof_open_renew(struct vprof_open_range *open)
{
	uint32_t generation = __atomic_load_n(&vprof_generation, __ATOMIC_RELAXED);

	if (open->generation == generation)
		return;
	open->first = open->last = (struct vprof_telling){ NULL, 0 };
	open->text = 0;
	open->generation = generation;
}

/* Makes `open` an entry that remembers all that was said. */
void vprof_open_remember(struct vprof_open_range *open, const struct vprof_said *said) HIDDEN;

/* The first telling, with all of its name. */
void vprof_open_tell(struct vprof_open_range *open, const struct vprof_said *said, int now) HIDDEN;

/* Between chunks, see lane.c: without vprof_begin(), which is busy. */
void vprof_open_tell_again(struct vprof_open_range *open) HIDDEN;

/*
 * Completes a record in a chunk that the lane may have left: 0, or -1 when it is gone. Whoever
 * holds a chunk keeps others from taking it.
 */
int vprof_open_complete(struct vprof_telling t, uint64_t now) HIDDEN;

/* The end of a range whose telling is gone, or another thread's: a record of its own. */
static inline void vprof_open_tell_end(struct vprof_open_range *open)
{
	vprof_tell(VPROF_KIND_RANGE_END, &open->said, open->text, open->id ? open->id : open->begun);
}

/* ---- ranges without a stack (ranges_process.c) ---- */

/* Tells those that were open before there was a ring, as long as the thread's chunk has slots below `limit`. */
void vprof_process_ranges_tell(uint32_t limit) HIDDEN;

/* How many of them recording goes by. In a forked child, where nobody changes them. */
uint32_t vprof_process_ranges_captures(void) HIDDEN;

#endif
