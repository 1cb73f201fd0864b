/*
 * controller.h - writing into one ring what its process is to do (include/vprof/ring_control.h).
 *
 * The only part of the tools that writes to a ring, and the only one that maps it: the lock and the
 * doorbell are atomics that other processes use at the same time. Only the control page is ever
 * written. A file that shrinks under the mapping costs the request and no more: its pages become
 * ones of our own, and `lost` says so.
 *
 * ERRORS. 0 or a negative errno; controller_open() also leaves a sentence for people.
 */
#ifndef VPROF_TOOLS_CONTROLLER_H
#define VPROF_TOOLS_CONTROLLER_H

#include "tools/gpu_words.h"
#include "tools/ring.h"

struct controller {
	struct vprof_ring_control *control; /* NULL: not open */
	struct vprof_ring_live *live;
	volatile int lost;
	struct controller *next; /* of those that are open */
};

/* `ring`: open, with RING_LIVE. Not moved in memory until controller_close(). */
int controller_open(struct controller *controller, const struct ring *ring, char *why, size_t why_size);
void controller_close(struct controller *controller);

/* Does the process know requests at all? Else only the word counts. */
int controller_takes_requests(const struct ring *ring);

/*
 * Writes the request (all but serial, pid and check are the caller's) and rings for it; its serial
 * goes to `serial`. -EBUSY: another controller would not let go, -EIO: the file shrank.
 */
int controller_request(struct controller *controller, const struct vprof_request *request, uint64_t *serial);

/* Has the process taken the request up? */
int controller_served(const struct controller *controller, uint64_t serial);

/* The stamp of what it has taken up and is yet to carry out; 0: nothing. */
uint64_t controller_pending(const struct controller *controller);

/* Stores the word: the bits of the groups that are recorded. */
void controller_set_word(struct controller *controller, uint32_t groups);

/* How many of the graphs' launches it times: VPROF_GPU_OFF, VPROF_GPU_ALL, or one in so many. */
uint32_t controller_gpu(const struct controller *controller, const struct ring *ring);
/* Stores what is to be timed on the GPU. Its process sees that at the next request. -ENOTSUP:
   it times nothing there. */
int controller_set_gpu(struct controller *controller, const struct ring *ring, const struct gpu_words *words);

#endif
