/*
 * twin.h - twins of executable graphs: ours, with stamps in them, launched in place of the program's now and then.
 *
 * A graph is remembered when it is made (a clone), a twin is made of it when it is launched for the second time
 * at which it would be stamped (twin_build.c, our thread), and one of so many launches goes to
 * the twin (twin_launch.c). What the stamps store is collected by housekeeping (twin_harvest.c).
 *
 * ORDER. An executable graph runs once at a time, but the program's and its twin are not ordered
 * against each other. So a launch goes to the other of the two only when it is made on the same stream,
 * by the same thread, as this graph's launch before; else it goes to the one that was
 * launched last, if that was a twin and has not ended yet. A handle alone does not make a stream the same: another
 * may have come by it, of another context or thread, or when the first one was destroyed. From a launch of the twin
 * until the program's own has followed, and whenever the stream or the thread changes, all its launches take the slow
 * way, one at a time.
 *
 * PARTS. With VPROF_GPU_PARTS a graph has a twin for each part of its nodes (twin_parts.c), whose turns follow each
 * other. All are made, changed and dropped together; the order above holds between them as well. Where another rate
 * wants another number of parts they are made anew: queued at a launch that is its turn; the program's own is launched
 * until they are there. Where there is no room for them the twins of before stay, and have their turn (twin_places.c).
 *
 * CHANGES. A node that the program sets in its executable graph is set likewise in the clone and in the twin
 * (twin_change.c), for launches to come, as the driver has it. Where that cannot be the twin goes and is made
 * again of the clone, or there is none any more.
 *
 * CAPTURE. The driver refuses a launch on a stream that is being captured, and the capture is over. Such a one
 * goes to the program's graph, so that the program's is refused and no twin's, and counts for nothing.
 *
 * BLOCKS. A twin that runs takes the next of its blocks, the oldest again when all have been used: a program may
 * queue far more launches than there are blocks, and none is lost while blocks last from one collection to
 * the next. That is a matter of time: VPROF_GPU_TWINS share 12 MiB, and collections come the closer, the more of
 * its blocks a twin has used since the last one.
 *
 * LIMITS. Until the first twin is launched a launch that is not recorded is not seen here; from then on each is, of
 * threads of which nothing is recorded too, since it must not overtake a twin. The first one after recording begins
 * anew is never stamped.
 */
#ifndef VPROF_SHIM_TWIN_H
#define VPROF_SHIM_TWIN_H

#include <stdint.h>
#include "preload/compiler.h"
#include "preload/record.h"
#include "shim/cuda_abi.h"
#include "shim/gpu.h"
#include "shim/graph_nodes.h"
#include "shim/handles.h"

enum {
	VPROF_TWINS_MOST = 256,
	VPROF_TWIN_LAUNCHES = 2048,   /* of a twin that are not collected yet, at most */
	VPROF_CLONED_MOST = 256 << 10, /* nodes, of all clones: host memory of the driver */
	VPROF_BLOCK_HEAD = 2,         /* words of a block before its stamps */
};

enum vprof_twin_use { VPROF_TWIN_FREE = 0, VPROF_TWIN_MAKING = 1, VPROF_TWIN_USED = 2, VPROF_TWIN_DROPPED = 3 };

/* One launch of a twin, by its number modulo VPROF_TWIN_LAUNCHES. */
struct vprof_twin_launch {
	uint64_t t0, stream, thread;
};

struct vprof_twin {
	struct vprof_subject *subject;
	struct vprof_twin *next;  /* that of the graph's next part, the last one's is the first:
	                             constant while it is a subject's */
	uint32_t part, parts;     /* from 0; of so many */
	uint32_t use;             /* enum vprof_twin_use. FREE -> MAKING -> USED: our thread; -> FREE: housekeeping */
	uint32_t id;              /* VPROF_DEF_TWIN */
	struct vprof_gpu *gpu;
	struct vprof_area *area;
	CUdeviceptr cell;
	CUgraphExec exec;
	CUgraph graph;            /* of which it was made, kept when its nodes may have to be found: see `changes` */
	uint32_t stamps;          /* stamp 0 not counted */
	uint32_t block_count, stride;
	uint32_t bytes;           /* of device memory that the driver took for it */
	uint32_t launched;        /* so far; writer: who holds the subject */
	uint32_t taken;           /* of these, collected or given up: housekeeping, as what follows */
	uint32_t awaited, told;   /* the launch that is still to come, since then; that of which a part was told */
	uint64_t awaited_ns;
	uint64_t dropped_ns;      /* when it was seen to be, or something came */
	struct vprof_twin_launch *launches; /* VPROF_TWIN_LAUNCHES, made for the place's first twin and kept */
};

/*
 * Has its launch `number` ended, or another come behind it? Its block says so, in memory of ours; where it has been
 * collected that may be another twin's by now, and blank.
 */
static inline int vprof_twin_has_ended(const struct vprof_twin *twin, uint32_t number)
{
	const uint64_t *block = twin->area->host + (uint64_t)((number - 1) % twin->block_count) * twin->stride;

	return !number || twin->launched != number ||
	       (int32_t)(__atomic_load_n(&twin->taken, __ATOMIC_ACQUIRE) - number) >= 0 ||
	       (uint32_t)__atomic_load_n(block, __ATOMIC_ACQUIRE) == number;
}

/* VPROF_TWINS_MOST of them, or NULL. */
extern struct vprof_twin *vprof_twins HIDDEN;

enum vprof_subject_state {
	VPROF_SUBJECT_NONE = 0,   /* nothing to make a twin of: `why` */
	VPROF_SUBJECT_KEPT = 1,   /* a clone */
	VPROF_SUBJECT_QUEUED = 2, /* and a twin is wanted, or others than it has */
	VPROF_SUBJECT_CLONING = 3, /* our thread copies the clone, which is its own until that is done */
	VPROF_SUBJECT_MAKING = 4, /* it makes a twin of the copy */
	VPROF_SUBJECT_BUILT = 5,
};

enum { VPROF_SUBJECT_OFF = 8 }; /* nodes */

/* An executable graph of the program, by its place among the handles. Everything by who holds the lock. */
struct vprof_subject {
	uint32_t lock;            /* thread id; 0: nobody */
	uint32_t version;         /* of the graph: another when it is changed or another's */
	uint16_t state;           /* enum vprof_subject_state */
	uint16_t why, error;      /* no twin: enum vprof_twin_why, CUresult */
	uint8_t told;             /* `why` and one, as it was told last; 0: nothing yet, or it has had twins since */
	uint8_t on_twin;          /* its last launch went to a twin, */
	uint32_t graph;           /* VPROF_DEF_GRAPH */
	CUgraph clone;
	uint64_t flags, content;
	uint32_t cloned;          /* the clone's nodes */
	uint32_t timed;           /* of its nodes so many take time */
	struct vprof_gpu *gpu;    /* of the launch that wanted a twin */
	struct vprof_twin *twin;  /* of its twins the one whose turn it is */
	uint64_t stream, token;   /* of its last launch: vprof_stream_key(), vprof_stream_token(), */
	uint64_t thread;          /* the serial of who made it; 0: not known, */
	CUcontext context;        /* the current one, on an implicit stream that was looked at, */
	uint32_t gone;            /* and how many streams of its handle had gone */
	uint64_t window;          /* the window of recording in which it was; 0: not known */
	struct vprof_twin *last_twin; /* of which the launch `last_number` was that launch */
	uint32_t last_number;
	uint32_t since, armed;    /* launches since it was its turn; what `left` was set to */
	uint32_t tries;           /* launches in a row at which it was its turn, and which went without */
	uint32_t wants;           /* how often it was its turn */
	uint32_t round;           /* of our thread's, in which it was met last: its own */
	uint32_t changes;         /* of single nodes, so far */
	uint32_t rebuilds;        /* twins that went because of changes, or of another rate */
	uint32_t off_count;       /* nodes that are switched off, by their clones: no twin meanwhile.
	                             More than there is */
	CUgraphNode off[VPROF_SUBJECT_OFF]; /* room for: not known which, and none at all */
	struct vprof_subject *self;
};

/* ---- graphs.c ---- */

void vprof_twins_init(void) HIDDEN;
void vprof_twins_forget(void) HIDDEN;

void vprof_twin_made(struct vprof_handle *entry, CUgraph graph, uint32_t id, uint64_t flags,
		     const struct vprof_graph_nodes *nodes) HIDDEN COLD;

/* The exec does what `graph` says now. */
void vprof_twin_updated(struct vprof_handle *entry, CUgraph graph, uint32_t id,
			const struct vprof_graph_nodes *nodes) HIDDEN COLD;

/* It has been updated, and nobody looked to what. */
void vprof_twin_update_missed(struct vprof_handle *entry) HIDDEN COLD;

/* One node of it has been changed by `call`, whose last arguments were these. */
void vprof_twin_node_changed(unsigned call, CUgraphExec exec, CUgraphNode node, uintptr_t what,
			     uintptr_t more) HIDDEN COLD;

/* Functions are about to go: of graphs that have not been launched since no twin is begun, and none is being made. */
void vprof_twins_functions_go(void) HIDDEN COLD;

/* It is about to be destroyed. */
void vprof_twin_gone(CUgraphExec exec) HIDDEN COLD;

/* A stream is. Its work goes on, and another may have its handle at once. */
void vprof_twin_stream_gone(CUstream stream) HIDDEN COLD;

/* ---- launches ---- */

/* 1: a twin has been launched. Launches of graphs take the slow way, recorded or not. */
extern uint32_t vprof_twins_out HIDDEN;

/* Which exec a launch goes to; the graph is held until vprof_twin_launched(). */
struct vprof_twin_choice {
	struct vprof_subject *subject; /* NULL: the program's, and nothing is held */
	struct vprof_twin *twin;       /* NULL: the program's */
};

/* `stampable`: it is recorded, so that it may have stamps. */
struct vprof_twin_choice vprof_twin_choose(CUgraphExec exec, CUstream stream, uint32_t per_thread,
					   int stampable) HIDDEN COLD;

/* Before a twin's launch: its record, or an empty one. */
void vprof_twin_launching(const struct vprof_twin_choice *choice, struct vprof_record r, CUstream stream) HIDDEN COLD;

/* 0: the program's own has to be launched after all. */
int vprof_twin_launched(const struct vprof_twin_choice *choice, CUresult result) HIDDEN COLD;

/* ---- our thread, housekeeping ---- */

/* Waits for the subject; 0: the calling thread holds it already. */
int vprof_subject_hold(struct vprof_subject *subject) HIDDEN;

/* 0: another thread holds it, or the calling one. */
int vprof_subject_try(struct vprof_subject *subject) HIDDEN;
void vprof_subject_drop(struct vprof_subject *subject) HIDDEN;

/* Another than before, to our thread if it is making a twin of it. By who holds it, as all that follows. */
void vprof_subject_renew(struct vprof_subject *subject) HIDDEN COLD;

/* What is left of what was made of it. The twin may still run, which the driver waits for before it goes. */
void vprof_subject_forget(struct vprof_subject *subject) HIDDEN COLD;

/* Nothing launches it, or those of the other parts, any more. Between begin and end, with the driver. */
void vprof_twins_release(struct vprof_twin *twin) HIDDEN COLD;

/* Is it one of the subject's, of any part? */
int vprof_twin_is_of(const struct vprof_twin *twin, const struct vprof_subject *subject) HIDDEN;

/* Has none of its twins' launches to be waited for? */
int vprof_twins_may_go(const struct vprof_subject *subject) HIDDEN COLD;

/* Takes its twins from it, to be released; NULL: there are none, or they may not go. */
struct vprof_twin *vprof_twins_take(struct vprof_subject *subject) HIDDEN COLD;

/* The subject of that place, and of that exec; NULL: there are none. */
struct vprof_subject *vprof_subject_at(uint32_t place) HIDDEN;
struct vprof_subject *vprof_subject_of(const struct vprof_handle *entry) HIDDEN;

static inline int vprof_subject_is_known(const struct vprof_subject *subject)
{
	return subject && __atomic_load_n(&subject->version, __ATOMIC_RELAXED);
}

/* After so many launches it is looked at again; 0: not any more. */
void vprof_subject_count(struct vprof_handle *entry, struct vprof_subject *subject, uint32_t left) HIDDEN;

/* There is none now, though there may be later. */
static inline int vprof_twin_is_later(enum vprof_twin_why why)
{
	return why == VPROF_TWIN_BUDGET || why == VPROF_TWIN_FULL;
}

/* Says in the ring that it has no twin, and why, unless that was said last. */
void vprof_subject_tell(struct vprof_subject *subject) HIDDEN COLD;

/* Why something was not made. */
struct vprof_refusal {
	enum vprof_twin_why why;
	CUresult error;
};

/* Blocks and a cell for so many stamps. */
struct vprof_refusal vprof_twin_room(struct vprof_twin *twin, uint32_t stamps) HIDDEN COLD;

/*
 * A place among the twins for that part of so many: of the first one, when there are places for all. NULL: there is
 * none now; why BUILT: there will be when housekeeping has given back what was dropped.
 */
struct vprof_refusal vprof_twin_place(const struct vprof_subject *wanted, uint32_t part, uint32_t parts,
				      struct vprof_twin **place) HIDDEN COLD;

/* Into so many parts a graph is divided of whose nodes so many take time: by VPROF_GPU_PARTS,
   or by that and the rate. */
uint32_t vprof_parts_of(uint32_t timed) HIDDEN COLD;

/*
 * Bytes of the device's memory that we have there, and as much more as one of so many stamps may take, by what others
 * did.
 */
uint64_t vprof_twins_bytes(int32_t device, uint32_t stamps) HIDDEN COLD;

/* Is there memory for it on the device, beside the others? */
int vprof_twin_fits(const struct vprof_twin *twin) HIDDEN COLD;

/* A subject has been queued. */
void vprof_twin_queue(void) HIDDEN COLD;

/* It will be again at a launch that is its turn. */
void vprof_twin_unqueue(struct vprof_subject *subject) HIDDEN COLD;

/* Makes the twin of one that is queued, or leaves it so until a place is given back. The right context is current. */
void vprof_twin_build(struct vprof_subject *subject) HIDDEN COLD;

/*
 * Until our thread is not making its twins, NULL: any, any more: it may go then, of which the program knows that nothing uses it.
 * Not by who holds a subject.
 */
void vprof_twin_wait_built(const struct vprof_subject *subject) HIDDEN COLD;

/* In each round every graph that is queued is met once. */
void vprof_twins_round(void) HIDDEN COLD;

/* The one whose twins are wanted most, of those that have not been met; NULL: none. */
struct vprof_subject *vprof_twin_wanted(void) HIDDEN COLD;

/* The same, as what our thread is at from now on. */
struct vprof_subject *vprof_twin_next(void) HIDDEN COLD;

/* May any be, that our thread is not at already? */
int vprof_twins_are_queued(void) HIDDEN;

/* Has any been launched while nothing was to be stamped, since this was asked last? Housekeeping. */
int vprof_twins_uncounted(void) HIDDEN;

/*
 * Launches are to be stamped from now on: the next of every graph is looked at that has not been; `again`: of all,
 * since another number of them is to be stamped. Housekeeping.
 */
void vprof_twins_count_all(int again) HIDDEN;

/* Collects what has come. Returns whether some is still to come. `last`: what has not come by now is lost. */
int vprof_twins_harvest(int last) HIDDEN;

/* How long after that the next has to be made. */
uint64_t vprof_twins_round_ns(void) HIDDEN;

#endif
