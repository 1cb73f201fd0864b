/*
 * gpu.h - what we have of our own on a GPU: one state for each context that has been used for it.
 *
 * WHO. A thread of ours, started when the first graph is to be stamped, makes all calls to the driver
 * that take time (gpu_thread.c). It stays in relaxed capture mode, and has a context of its own
 * current. What it makes is found by the program's threads through the states.
 *
 * MEMORY. On the device one piece of 16 KiB for cells, and what the driver takes for our module, stream and twins: by
 * what is free before and after, 16 MiB at most for all contexts of a device; beyond that there are no more
 * twins, nor while less than 64 MiB are free: the program may be about to need them. On the host pages of our own that
 * the driver is told of (so that they stay when a context goes), again 16 MiB at most. A twin has an area of them and
 * the cell of the same number.
 *
 * THE END. A context that is about to go is given up first: nothing of ours is called in it any more.
 * Its pages stay.
 */
#ifndef VPROF_SHIM_GPU_H
#define VPROF_SHIM_GPU_H

#include <stdint.h>
#include "preload/compiler.h"
#include "shim/cuda_abi.h"

enum {
	VPROF_GPUS = 16,           /* contexts */
	VPROF_AREAS = 512,         /* of a context */
	VPROF_AREA_LOG_LEAST = 14, /* bytes */
	VPROF_AREA_LOG_MOST = 21,
	VPROF_GATES = 65,          /* tracks (eager.h), and one more */
	VPROF_GATE_STRIDE = 64,    /* bytes: a line each */
	VPROF_GPU_MEMORY = 16 << 20, /* bytes, of a device; on it, */
	VPROF_GPU_LEFT = 64 << 20, /* free: where less is, no more of it is taken; */
	VPROF_GPU_PAGES = 16 << 20, /* and of the host's, */
	VPROF_GPU_TWIN_PAGES = 12 << 20, /* of which as many are shared out to twins */
	VPROF_GPU_CHUNK = 1 << VPROF_AREA_LOG_MOST,
	VPROF_GPU_CHUNKS = VPROF_GPU_PAGES / VPROF_GPU_CHUNK,
};

struct vprof_cell { /* in device memory, as the kernels of stamp_ptx.h have it */
	CUdeviceptr blocks, at;
	uint32_t count, block_count, stride, zero;
};
_Static_assert(sizeof(struct vprof_cell) == 32, "as the kernels have it");

struct vprof_area {
	uint64_t *host;
	CUdeviceptr device;
	uint32_t log;             /* its size; 0: not carved yet */
	uint32_t taken;
};

enum vprof_gpu_state {
	VPROF_GPU_FREE = 0,
	VPROF_GPU_WANTED = 1,     /* not made yet, or not as long as memory is short: `is_short` */
	VPROF_GPU_READY = 2,
	VPROF_GPU_FAILED = 3,     /* mode NONE: it cannot be used */
	VPROF_GPU_DEAD = 4,       /* the context has gone, or is about to */
};

struct vprof_gpu {
	CUcontext context;
	uint32_t state;           /* enum vprof_gpu_state; what is below is written before it says READY */
	uint32_t mode;            /* enum vprof_stamp_mode */
	int32_t device;
	CUresult error;
	uint32_t bytes;           /* of device memory that all this took */
	uint32_t is_short;        /* there was too little of that when it was to be made: our thread */
	CUmodule module;
	CUstream stream;          /* of our own: not blocking */
	CUfunction stamp, stamp_plain, twin_begin, twin_stamp, twin_stamp_started, twin_stamp_plain, twin_end;
	CUfunction timed, gate;
	CUfunction gauge, nothing;
	CUfunction stamp_early, follower; /* NULL: not to be used */
	CUdeviceptr cells;        /* VPROF_AREAS of them */
	struct vprof_cell *images; /* of cells on their way, in our pages */
	struct vprof_area areas[VPROF_AREAS];
	struct vprof_gpu_chunk {
		uint8_t *host;
		CUdeviceptr device;
		uint32_t used;
	} chunks[VPROF_GPU_CHUNKS]; /* the pages that areas are carved from */
	uint32_t chunk_count;
	uint64_t tied_ns;         /* when its clock was last tied to ours; 0: never */
	uint64_t *ties;           /* where those stamps go, */
	CUdeviceptr ties_device;  /* as the device knows it */
	uint32_t ties_made;
	uint32_t *gates;          /* words that gates wait for, */
	CUdeviceptr gates_device;
};

extern struct vprof_gpu vprof_gpus[VPROF_GPUS] HIDDEN;

/* The state of the calling thread's current context, wanted from now on if need be; NULL: none.
   Between begin and end. */
struct vprof_gpu *vprof_gpu_here(void) HIDDEN COLD;

/* ---- by our thread ---- */

/* Makes all of it, unless memory is short. The context is current. */
void vprof_gpu_prepare(struct vprof_gpu *gpu) HIDDEN COLD;

/* An area of 1 << log bytes; NULL: there is none left, or the process ends, and what wanted one is not begun. */
struct vprof_area *vprof_gpu_area(struct vprof_gpu *gpu, uint32_t log) HIDDEN COLD;

/* Any thread, when nothing writes into it any more. */
static inline void vprof_gpu_area_drop(struct vprof_area *area)
{
	/* Pairs with the acquire in vprof_gpu_area(). */
	__atomic_store_n(&area->taken, 0, __ATOMIC_RELEASE);
}

/* Sets the area's cell, and gives it back in `cell`. */
CUresult vprof_gpu_cell(struct vprof_gpu *gpu, const struct vprof_area *area, uint32_t block_count, uint32_t stride,
			CUdeviceptr *cell) HIDDEN COLD;

/* Bytes that are free on the device; 0: not known. */
uint64_t vprof_gpu_free(void) HIDDEN COLD;

/* Of so many free, is enough left to the program when we have taken what we may? */
static inline int vprof_gpu_has_room(uint64_t left)
{
	return !left || left >= VPROF_GPU_LEFT;
}

/* How many fewer than `before`. The program takes memory as well: more than `most` is not ours alone,
   and 0 is given. */
uint32_t vprof_gpu_taken(uint64_t before, uint32_t most) HIDDEN COLD;

/*
 * A stamp behind what has been put onto the stream, a kernel as a rule: started early where the GPU can, so that it is
 * there when that ends.
 */
CUresult vprof_gpu_stamp_behind(const struct vprof_gpu *gpu, CUstream stream, CUdeviceptr slot) HIDDEN COLD;

/*
 * Likewise behind a kernel that a programmatic launch follows, which begins as early as without it. And a kernel of
 * ours that follows so, and waits.
 */
CUresult vprof_gpu_stamp_early(const struct vprof_gpu *gpu, CUstream stream, CUdeviceptr slot) HIDDEN COLD;
CUresult vprof_gpu_follow(const struct vprof_gpu *gpu, CUstream stream) HIDDEN COLD;

/* Waits for our stream. CUDA_ERROR_NOT_READY: the process ends. */
CUresult vprof_gpu_settle(struct vprof_gpu *gpu) HIDDEN COLD;

/* ---- the program's threads ---- */

/* Is anything of the GPU to be timed now? */
int vprof_gpu_is_wanted(void) HIDDEN;

/* At exit() our thread leaves the driver first. To be called when the driver has been initialised. */
void vprof_gpu_leave_at_exit(void) HIDDEN COLD;

/* Something waits for our thread. */
void vprof_gpu_call(void) HIDDEN COLD;

/* Does the process end? */
int vprof_gpu_is_ending(void) HIDDEN COLD;

/* A context may be about to go: returns when our thread is in no call to the driver, and makes none for a while. */
void vprof_gpu_hold(void) HIDDEN COLD;

/* Returns when it is in none. */
void vprof_gpu_wait_idle(void) HIDDEN COLD;

/* It goes, or has gone; NULL: any of that device. Returns when our thread is not in it any more. */
void vprof_gpu_context_gone(CUcontext context, int32_t device) HIDDEN COLD;

/* The same of a green context: what goes is the context that it was made into. */
void vprof_gpu_green_gone(void *green) HIDDEN COLD;

/* A new ring, in a process that has forked: nothing is ours. */
void vprof_gpus_forget(void) HIDDEN;

/* A new ring, in a process that has forked: our thread is another's. */
void vprof_gpu_thread_forget(void) HIDDEN;

/* Sleeps. In the program's threads too: no place at which a thread ends when it is cancelled, and errno is kept. */
void vprof_gpu_pause(uint32_t ns) HIDDEN COLD;

static inline uint32_t vprof_gpu_state_of(const struct vprof_gpu *gpu)
{
	/* Pairs with the release in vprof_gpu_prepare(). */
	return __atomic_load_n(&gpu->state, __ATOMIC_ACQUIRE);
}

#endif
