/*
 * gpu.h - what the GPUs did for one process, from the stamps in its ring.
 *
 * A batch is one launch: all that is known of the nodes of a graph's replay, or one operation of a
 * stream. Batches come in the order in which they were harvested, which is nearly that of time; the
 * events of one batch are in order of begin. Memory goes with the largest graph.
 *
 * WHERE A NODE BEGAN. When the last of the stamps behind what it waits for was made; it ended with its own
 * stamp. What the stamps cost lies between the two, before the kernel: a launch waits for the stamp ahead
 * of it. So the end stays as it was read, and the correction moves the begin.
 *
 * What an edge of the program's own lets begin early, and never waits, may be over before the node that the edge comes
 * from: of its own it has no time then, begins when it ended and is said to overlap.
 *
 * A twin may have stamps for a part of the nodes alone. What is left out then is not counted: another launch has it.
 *
 * What cannot be told is left out and counted: nodes whose own stamp, or one that they wait for, was not
 * made; nodes of a graph of which the ring does not have all nodes and edges.
 */
#ifndef VPROF_TOOLS_GPU_H
#define VPROF_TOOLS_GPU_H

#include "tools/clock.h"
#include "tools/gpu_clock.h"
#include "tools/gpu_event.h"
#include "tools/gpu_plan.h"
#include "tools/objects.h"

struct gpu_launches;

struct gpu_twin {
	uint32_t id;           /* of its first piece */
	uint32_t graph;        /* VPROF_DEF_GRAPH */
	uint32_t have, total;  /* stamps; a twin with fewer than all is not used */
	const struct vprof_def_twin *def; /* the first piece */
	struct { uint32_t node; uint16_t type; } *stamps; /* have of them; NULL: no twin, see def->why */
};

struct gpu_device {
	int32_t ordinal;
	struct gpu_clock clock;
	const struct vprof_def_gpu **costs; /* in order of definition */
	uint32_t cost_count;
};

/* A kernel of ours between the operations of a stream: what its interval has more than the kernel says it ran. */
struct gpu_stream_gauge {
	uint64_t t0;
	int64_t ns;
	uint16_t device, class;
};

/* A replay that was told of before it had ended: the GPU hung in it, or is slow. */
struct gpu_unfinished {
	uint32_t twin, number;
	int ended;             /* it was told of anew when it had */
};

/* The last that was looked for. */
struct gpu_gauge_memo {
	int set;
	size_t at;
	unsigned int device, class;
	int64_t ns;
};

struct gpu_counts {
	uint64_t replays, timed, ties; /* records */
	uint64_t events;       /* nodes of replays and operations that were given out */
	uint64_t no_stamp;     /* nodes left out: a stamp is missing */
	uint64_t backwards;    /* likewise, a stamp is earlier than one that it waited for:
	                          not of what could begin early */
	uint64_t no_nodes;     /* replays of which only the whole is known: no twin, or no nodes or edges */
	uint64_t no_launch;    /* events whose launch's record is gone */
	uint64_t untrue;       /* operations of streams left out: the stamp ahead tells of a begin before their launch,
	                          as where it was seen late, and the stream taken for busy; count in `early` too */
	uint64_t early;        /* events before their launch by more than the clock's error */
	uint64_t early_ns;     /* most of these */
};

struct gpu {
	const struct ring *ring;
	const struct clock *clock;
	struct graphs graphs;
	struct objects objects;
	struct gpu_device *devices;
	uint32_t device_count;
	struct gpu_twin *twins;
	uint32_t twin_count;
	struct gpu_counts counts;     /* ties, replays and timed from gpu_open() on, the rest as far as was read */
	uint64_t bad_twins;           /* definitions that contradict others */
	struct gpu_stream_gauge *gauges;
	size_t gauge_count;
	struct gpu_gauge_memo gauge_memo;
	struct gpu_unfinished *unfinished;
	size_t unfinished_count;
	struct gpu_event *open;       /* the nodes that these were at, so far as was read */
	size_t open_count;

	/* Inner: where the reading is. */
	struct idmap twin_ids;
	struct gpu_plan *plans;       /* by list of graphs; nodes 0: not made yet */
	uint8_t *planned;             /* 1: made, 2: there is none */
	struct gpu_launches *launches;
	struct vprof_chunk *buffer;
	uint32_t *chunks, chunk_count, next_chunk, slot; /* those of lanes with GPU records */
	uint32_t clock_at;
	int loaded;
	struct vprof_slot replay;     /* whose stamps are being read; kind 0: none */
	uint64_t replay_at;           /* its position in its lane */
	uint32_t replay_lane;
	uint32_t *stamps, *begin, *over, *stamp_of;
	struct gpu_event *events;
};

struct gpu_batch {
	const struct gpu_event *events; /* until the next call */
	uint32_t count;
	uint32_t twin;         /* index; UINT32_MAX: an operation of a stream */
	int unfinished;        /* it had not ended: the nodes that had, and no whole */
	uint32_t parts;        /* of so many parts of the graph's nodes these are one */
	uint64_t launch_ns;    /* CLOCK_REALTIME */
	uint64_t thread;       /* serial of who launched it */
	uint64_t correlation;  /* seq of the launch's record; 0: it is gone */
	uint64_t t0;           /* that record's, in ticks */
};

/* What stamps cost in one replay, by class. */
struct gpu_costs_now {
	int64_t ns[VPROF_STAMP_CLASSES];
};

/* May the ring hold anything of a GPU's time? Quick: from the definitions. */
int gpu_has(const struct ring *ring);
/* Does it hold some? `of_graphs`: only those count. */
int gpu_has_times(const struct ring *ring, const struct clock *clock, int of_graphs);

/* Reads definitions and ties. 0 or a negative errno; then nothing is to be closed. */
int gpu_open(struct gpu *gpu, const struct ring *ring, const struct clock *clock);
void gpu_close(struct gpu *gpu);

/* 1 and the next batch, which may be empty; 0 at the end; else a negative errno. */
int gpu_next(struct gpu *gpu, struct gpu_batch *batch);
/* From the beginning again; counts of what was given out begin anew. */
void gpu_rewind(struct gpu *gpu);

/* All of it at once, by begin: for what needs that; `estimate`: with what gpu_estimate.h expects. 0 or a negative
   errno; to be freed. */
int gpu_collect(const struct ring *ring, const struct clock *clock, int estimate, struct gpu_event **events,
		size_t *count);

/* Fills in what a node is, as far as it is work. 0: it is none. */
int gpu_describe_node(struct gpu_event *event, const struct vprof_graph_node *node);

/* NULL: nothing is known of it. */
const struct gpu_device *gpu_device(const struct gpu *gpu, int32_t ordinal);
const struct gpu_twin *gpu_twin(const struct gpu *gpu, uint32_t id);
/* How a graph's nodes follow each other; NULL: not known. */
const struct gpu_plan *gpu_plan(struct gpu *gpu, uint32_t graph);

/* What was measured of stamps on the device by then; NULL: nothing. */
const struct vprof_def_gpu *gpu_costs(const struct gpu_device *device, uint64_t ticks);

/* As the library took them for that class; 0: nothing is known. */
int64_t gpu_cost_of(const struct vprof_def_gpu *costs, unsigned int class);

/* Of an operation of a stream; by the gauges beside it, where there are some. */
int64_t gpu_stream_cost(struct gpu *gpu, const struct vprof_def_gpu *costs, const struct vprof_slot *slot);

/* Of the replay that has been read. When all of its nodes were over; what stamps cost in it. */
uint32_t gpu_last_stamp(const struct gpu *gpu, const struct gpu_twin *twin);
/* What is to be taken off an interval of that class; lead:
   for so long what it is of could have been at work before it, ns. */
int64_t gpu_cost_now(const struct gpu_costs_now *now, unsigned int class, uint32_t lead);
void gpu_costs_now(const struct gpu *gpu, const struct gpu_twin *twin, const struct vprof_def_gpu *costs,
		   struct gpu_costs_now *now);

/* The stream of a launch, copy or set (2: a thread's own), and its device; -1: not known. */
uint64_t gpu_launch_stream(const struct vprof_slot *slot);
int32_t gpu_launch_device(const struct gpu *gpu, const struct vprof_slot *slot);
int32_t gpu_stream_device(const struct gpu *gpu, uint64_t handle, uint64_t ticks);

/* For people: "programmatic", "plain", …; "it allocates or frees memory", …; "kernel", … */
const char *gpu_class_name(unsigned int class);
const char *gpu_why_text(unsigned int why);
const char *gpu_mode_name(unsigned int mode);

/* Inner parts: the definitions (gpu_defs.c), the events of one record (gpu_events.c), gauges of streams. */
int gpu_read_defs(struct gpu *gpu);
void gpu_free_defs(struct gpu *gpu);
struct gpu_device *gpu_add_device(struct gpu *gpu, int32_t ordinal);
int gpu_of_replay(struct gpu *gpu, struct gpu_batch *batch); /* 0 or -ENOMEM */
void gpu_of_timed(struct gpu *gpu, const struct vprof_slot *slot, struct gpu_batch *batch);
int gpu_is_gauge(const struct vprof_slot *slot);
int gpu_gauge_add(struct gpu *gpu, const struct vprof_slot *slot);
void gpu_gauges_sort(struct gpu *gpu);

#endif
