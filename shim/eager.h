/*
 * eager.h - time on the GPU of what is put onto streams outside graphs: stamps behind kernels, copies and sets.
 *
 * In a window (VPROF_GPU_EAGER) such calls take the slow way, where a stamp is launched behind each, on the
 * same stream and by the same thread. What lies between two stamps is the operation's time only if nothing else lies
 * there:
 *
 * STREAM  The stream was busy: the stamp before, by the same thread and directly before, had not been made when
 *         the stamp behind was queued, so the GPU went from one to the other. That is seen in
 *         the slots, in our own memory. What was queued too late for it is not told, and the next few get gates.
 * GATE    Else a kernel that waits for a word of ours goes first, and a stamp behind it; the word is stored when all
 *         four are queued, so the GPU goes from the stamp to the operation to the stamp behind it. The operation
 *         starts later by as long as three launches take the host. A gate that has waited for VPROF_GATE_MOST_NS opens
 *         by itself: nothing is told then.
 *
 * LED     A kernel that programmatic launches follow has an early stamp behind it (stamp_ptx.h): what follows begins
 *         when the kernel lets it, as without the stamp, and what it waits for is the stamp, which has waited for
 *         the kernel. Which kernels these are is known from the first such launch on. What follows has nothing in
 *         front, and is FOLLOWING: it is timed from that stamp to the one behind it, if both were queued in time for
 *         that, which they are on streams that are busy.
 *
 * GAUGE   How late a stamp comes goes by the moment (twin_gauge.c). So behind one kernel in so many stands one of ours
 * that does nothing, measured like that kernel. A LED kernel's, with one that follows it, may not stand between
 * that kernel and what follows: it comes behind the next operation with another stamp than an early one.
 *
 * A whole graph (VPROF_GPU_SPANS) has a stamp before it instead, which waits for nothing: the span has in it what
 * the host took, if the stream was idle.
 *
 * A track (eager_track.c) is a stream that has been seen in a window, with slots for its stamps in our pages, in turn.
 * One thread at a time has it, during a call; an operation of another that comes meanwhile has no stamps, and none
 * that is under way beside it is told. Graphs without stamps take it as well, to be seen. What other threads put onto
 * the stream in calls that are neither (waits for events, host functions) is not seen. No call of the program waits for
 * a track.
 *
 * NO STAMPS: while the stream is captured; in a context that is not ready (gpu_thread.c), or is not the stream's;
 * around launches with programmatic serialization and the kernels ahead of them, whose overlap they would take, where
 * there are no early stamps (before compute capability 9.0); around calls that
 * do not return before the work is done (gates would hold them for their whole bound), so none at all with
 * CUDA_LAUNCH_BLOCKING=1; and none, around graphs either, where a stamp that waits would hold up other streams, with
 * CUDA_DEVICE_MAX_CONNECTIONS=1.
 */
#ifndef VPROF_SHIM_EAGER_H
#define VPROF_SHIM_EAGER_H

#include <stdint.h>
#include "preload/compiler.h"
#include "preload/record.h"
#include "shim/cuda_abi.h"
#include "shim/gpu.h"

enum {
	VPROF_EAGER_OPS = 4096,       /* slots of a track */
	VPROF_EAGER_LOG = 16,         /* its area */
	VPROF_GATE_MOST_NS = 50000,
};

/* What stamps store. Zeroed by who takes it for an operation. */
struct vprof_eager_slot {
	uint64_t begin, end;
};
_Static_assert(VPROF_EAGER_OPS * sizeof(struct vprof_eager_slot) == 1 << VPROF_EAGER_LOG, "an area of slots");

/* An operation, at the slot of the same number. */
struct vprof_eager_op {
	uint64_t t0, stream;
	uint32_t object, thread;
	uint16_t kind;            /* enum vprof_kind; 0: a gauge */
	uint16_t type;            /* enum vprof_stamp_class; NONE: its time is not told */
	uint8_t stamped;          /* a stamp behind it has been launched, */
	uint8_t begins;           /* and something before it, which stores its begin. Else that is the end before */
	uint8_t early;            /* the stamp behind it lets what follows begin */
};

enum vprof_track_state {
	VPROF_TRACK_FREE = 0,
	VPROF_TRACK_WANTED = 1,   /* by a thread of the program's */
	VPROF_TRACK_READY = 2,    /* our thread has made slots */
	VPROF_TRACK_NONE = 3,     /* there is no room for any */
	VPROF_TRACK_ENDED = 4,    /* the stream has gone */
};

struct vprof_track {
	uint64_t key;             /* of the stream in its context; 0: free */
	uint32_t state;
	struct vprof_gpu *gpu;    /* set with WANTED */
	struct vprof_gpu *area_gpu;
	struct vprof_area *area;  /* kept when the track is free */
	struct vprof_eager_op *ops;
	uint32_t put;             /* operations so far; writer: the owner */
	uint32_t taken;           /* of these; writer: housekeeping */
	uint64_t last_end;        /* when all that has been taken was over; 0: not known. Housekeeping */
	uint64_t ended_ns;        /* housekeeping */
	uint64_t owner;           /* 0: nobody */
	uint64_t used_ns;         /* when its last operation was put */
	/* Of others who come while it is owned: how many there have been, and how many are in their calls. */
	uint32_t strangers, strangers_now;
	/* By the owner. */
	CUstream stream;          /* of its operation, as it is launched onto */
	uint32_t seen;            /* strangers, when that began */
	uint32_t gates;           /* so many operations get one in any case */
	uint32_t kernels, led;    /* whose times are told: STREAM and GATED, LED */
	uint32_t led_owed;        /* a gauge of these is to come */
	uint32_t object, missed;  /* of the last operation; calls that were not recorded until then */
	uint64_t seq, window;     /* record and window of recording of the last one with a stamp; 0: none */
};

enum { VPROF_TRACKS = 64 };
extern struct vprof_track vprof_tracks[VPROF_TRACKS] HIDDEN;

static inline struct vprof_eager_slot *vprof_eager_slot(const struct vprof_track *track, uint32_t number)
{
	return (struct vprof_eager_slot *)(void *)track->area->host + number % VPROF_EAGER_OPS;
}

/* ---- the program's threads ---- */

/*
 * An operation on its way; track NULL: on a stream that has none. Handed about by value, in registers: of a wrapper
 * that has something in memory the compiler makes no jump to the real function, and a result of more than an
 * int, of a function that is not the driver's, would be cut.
 */
struct vprof_eager {
	struct vprof_track *track;
	enum { VPROF_EAGER_STAMPED, VPROF_EAGER_PLAIN, VPROF_EAGER_STRANGER } as; /* the owner's without; another's */
	uint32_t type;            /* enum vprof_stamp_class */
};
_Static_assert(sizeof(struct vprof_eager) == 16, "two registers");

/* Before the call: its record, filled but not published. */
struct vprof_eager vprof_eager_before_slow(struct vprof_record r, unsigned call) HIDDEN COLD;

/* Behind it. */
void vprof_eager_behind(struct vprof_eager eager, struct vprof_record r, CUresult result) HIDDEN COLD;

/* What was put onto which stream is not known: what stands on both sides of it does not touch. */
void vprof_eager_miss(void) HIDDEN COLD;

static inline int vprof_eager_is_on(void)
{
	return (__atomic_load_n(&vprof_state.slow, __ATOMIC_RELAXED) & (VPROF_SLOW_GPU | VPROF_SLOW_SPANS)) != 0;
}

static inline struct vprof_eager vprof_eager_before(struct vprof_record r, unsigned call)
{
	struct vprof_eager none = { .track = NULL };

	return vprof_eager_is_on() ? vprof_eager_before_slow(r, call) : none;
}

/*
 * The track of a stream that may have stamps now, and is wanted from now on if need be; NULL: it may not, or not yet.
 * Between begin and end (ask.h).
 */
struct vprof_track *vprof_track_here(CUstream stream) HIDDEN COLD;

/* Owns it until the drop. 0: another does, and the caller is a stranger until it leaves, behind its call. */
int vprof_track_take(struct vprof_track *track) HIDDEN COLD;
void vprof_track_drop(struct vprof_track *track) HIDDEN COLD;
void vprof_track_stranger_leaves(struct vprof_track *track) HIDDEN COLD;

/* By the owner: is no stranger in a call? Has none come since that was asked? */
int vprof_track_is_alone(struct vprof_track *track) HIDDEN COLD;
int vprof_track_is_alone_still(const struct vprof_track *track) HIDDEN COLD;

/* It is about to be destroyed. */
void vprof_eager_stream_gone(CUstream stream) HIDDEN COLD;

/* ---- our thread ---- */

/* A track that is wanted in a context that is ready; NULL: none. */
struct vprof_track *vprof_track_wanted(void) HIDDEN COLD;

/* Makes its slots. The context is current. */
void vprof_track_prepare(struct vprof_track *track) HIDDEN COLD;

/* What stamps on streams cost; error_ns stays as it is where that cannot be told. The context is current. */
void vprof_eager_measure(struct vprof_gpu *gpu, struct vprof_def_gpu *def) HIDDEN COLD;

/* ---- housekeeping ---- */

/* Opens and closes windows. In how many ns it wants to be called again. */
uint64_t vprof_eager_round(uint64_t now) HIDDEN;

/* As vprof_twins_harvest(). */
int vprof_eager_harvest(int last) HIDDEN;

/* A new ring, in a process that has forked. */
void vprof_eager_forget(void) HIDDEN;

/* Is a window open? Do graphs get stamps? Any thread. */
int vprof_eager_is_open(void) HIDDEN;
int vprof_eager_has_spans(void) HIDDEN;

/* The process ends. */
void vprof_eager_end(void) HIDDEN;

#endif
