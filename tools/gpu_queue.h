/*
 * gpu_queue.h - when the work of each launch of a process ran: as it was measured, else as it is expected.
 *
 * A stream is a queue. What was launched onto it runs in the order of the launches, not before its launch, and not
 * before what is ahead of it is over. So each launch that was not measured takes the mean of its kind (a graph, a
 * kernel, copies of a direction, sets), waits for the one ahead, and begins as long after its launch as the median of
 * those of its kind that were measured and had none ahead. What was measured holds all of that fast: what was launched
 * before it on its stream was over when it began, what came behind it began when it was over. So does a call that
 * waited for the stream: what was launched before it was over when it returned. Where the expected work does not fit in
 * between, what is known is trusted and the work is compressed: as few launches as possible, by as little as possible,
 * each still behind its own call (gpu_queue_place.c). Where there is more time than work it is left idle, for the mean
 * is as often too long as too short.
 *
 * Not known is what streams wait for in each other. Of kinds that were never measured nothing is known: they take no
 * time here. Behind a launch that has not ended nothing runs: it lies at GPU_QUEUE_NEVER. Graphs of which parts of the
 * nodes are timed by turns have the parts put together (what ran in two of them at once counts twice).
 *
 * MEMORY. 56 bytes a launch, and as much again for one that was measured; 24 a wait.
 */
#ifndef VPROF_TOOLS_GPU_QUEUE_H
#define VPROF_TOOLS_GPU_QUEUE_H

#include "tools/gpu.h"

#define GPU_QUEUE_NEVER (1ull << 62)

struct gpu_queue_kind {
	uint16_t launch;       /* VPROF_KIND_... */
	uint32_t object;       /* as gpu_launch_object() has it */
	double measured;       /* launches; a part of one as such */
	uint64_t busy_ns, copy_ns; /* of these: at work, and of that with copies and sets alone */
	uint64_t lag_ns;       /* from a launch that waits for none ahead to its begin. Once settled, as is: */
	double mean_ns;        /* expected of a launch; 0: nothing is known */
};

struct gpu_queue_stream {
	uint64_t handle;       /* of the legacy default stream 0, by either name */
	uint64_t thread;       /* whose own it is, for handle 2; else 0 */
	uint32_t number;
	int32_t device;        /* -1: not known */
};

struct gpu_queued {
	uint64_t launch_ns, begin_ns, end_ns; /* CLOCK_REALTIME */
	uint64_t thread, correlation; /* as batches have them */
	uint32_t stream, kind; /* index */
	int32_t device;
	uint8_t measured;
	uint8_t open;          /* the call had not ended: it is not known to have launched anything */
};

/* A call of the host that waited for a stream. */
struct gpu_queue_wait {
	uint64_t from_ns, to_ns;
	uint32_t stream;
};

struct gpu_queue {
	struct gpu *gpu;
	struct gpu_queue_kind *kinds;
	struct gpu_queue_stream *streams;
	struct gpu_queued *list; /* once settled: by stream, then by launch */
	size_t kind_count, stream_count, count;

	/* Inner. */
	struct idmap kind_ids, stream_ids, measured_ids; /* correlation: index of measured */
	struct idmap devices;  /* handle of a stream: device on which it was measured */
	struct gpu_queued *measured;
	struct gpu_queue_wait *waits; /* likewise sorted */
	size_t measured_count, wait_count;
	uint32_t clock_at;
};

/* What one launch did, as it was measured. */
struct gpu_queue_work {
	uint64_t begin_ns, end_ns; /* of its first work and its last; both 0: there was none */
	uint64_t busy_ns, copy_ns; /* at work in between, and of that with copies and sets alone */
	uint64_t work_ns;      /* the sum of all pieces */
};

struct gpu_queue_work gpu_queue_work(const struct gpu_batch *batch);
int gpu_queue_is_copy(const struct gpu_event *event);

/* `gpu` is to stay. All else is to be freed in any case; zeroed memory with `gpu` set is an empty queue. */
void gpu_queue_free(struct gpu_queue *queue);

/* A batch that was measured. 0 or -ENOMEM. */
int gpu_queue_learn(struct gpu_queue *queue, const struct gpu_batch *batch);

/* After all of these: reads all launches, and says of each when it ran. 0 or a negative errno. */
int gpu_queue_settle(struct gpu_queue *queue);

/* Of a measured piece of work; NULL: it was not learnt. */
const struct gpu_queue_kind *gpu_queue_kind(const struct gpu_queue *queue, const struct gpu_event *event);
/* Of a launch; NULL: of none of its kind anything was measured. */
const struct gpu_queue_kind *gpu_queue_known(const struct gpu_queue *queue, const struct gpu_queued *queued);

/* Inner: places list[from, to), which is one stream; `wait`: the first for it or one behind it. 0 or -ENOMEM. */
int gpu_queue_place(struct gpu_queue *queue, size_t from, size_t to, size_t wait);

#endif
