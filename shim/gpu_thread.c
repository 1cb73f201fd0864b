/*
 * gpu_thread.c - our thread that calls the driver: what takes time is done here, and not where the program launches.
 *
 * It is started by housekeeping when something waits for it, sleeps until something does, and makes states
 * and twins, one after the other. Housekeeping itself never calls the driver, which may not return while a
 * GPU hangs.
 *
 * It calls the driver only while `working`, and not until `held_until`, nor in a context that is dead: both sides
 * store their own word and then look at the other's. At exit() it has left the driver before that goes: what the
 * driver has exit() call was made known before ours, and so is called later.
 */
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "preload/clock.h"
#include "preload/inner.h"
#include "preload/libc.h"
#include "preload/thread.h"
#include "shim/ask.h"
#include "shim/eager.h"
#include "shim/gpu.h"
#include "shim/gpu_clock.h"
#include "shim/twin.h"

enum {
	HOLD_NS = 500000000,
	WAIT_MS = 2000,       /* for our thread to be done with the driver, before a context goes, */
	EXIT_MS = 500,        /* and before the end of the process takes it down */
	OPEN_ROUND_NS = 10000000, /* at most between two harvests while operations of streams get stamps: slots fill */
	SLEEP_US = 1000000,
	TIE_NS = 990000000,    /* from one tie of a clock to the next */
};

static uint32_t calls;       /* a futex */
static uint32_t started;     /* 1: the thread is there. Housekeeping, and the end of a process */
static uint32_t working, ended;
static uint64_t held_until;
static uint32_t harvesting;

static uint64_t now_ns(void)
{
	return vprof_clock_ns(CLOCK_MONOTONIC);
}

void vprof_gpu_call(void)
{
	__atomic_add_fetch(&calls, 1, __ATOMIC_RELEASE);
	vprof_futex_wake(&calls);
}

void vprof_gpu_pause(uint32_t ns)
{
	struct timespec time = { .tv_nsec = (long)ns };
	int saved = errno;

	syscall(SYS_nanosleep, &time, NULL);
	errno = saved;
}

/* ---- working and held ---- */

int vprof_gpu_is_ending(void)
{
	return __atomic_load_n(&ended, __ATOMIC_SEQ_CST) != 0;
}

static int work_begin(struct vprof_gpu *gpu)
{
	__atomic_store_n(&working, 1, __ATOMIC_SEQ_CST);
	if (!vprof_gpu_is_ending() && now_ns() >= __atomic_load_n(&held_until, __ATOMIC_SEQ_CST) &&
	    vprof_gpu_state_of(gpu) != VPROF_GPU_DEAD && !vprof_ask.ctx_set_current(gpu->context))
		return 1;
	__atomic_store_n(&working, 0, __ATOMIC_SEQ_CST);
	return 0;
}

static void work_end(void)
{
	vprof_ask.ctx_set_current(NULL);
	__atomic_store_n(&working, 0, __ATOMIC_SEQ_CST);
}

/* By the clock: where others have the processors each pause is longer than it was to be. */
static void wait_idle(uint64_t ms)
{
	uint64_t end = now_ns() + ms * 1000000;

	while (__atomic_load_n(&working, __ATOMIC_SEQ_CST) && now_ns() < end)
		vprof_gpu_pause(1000000);
}

void vprof_gpu_wait_idle(void)
{
	wait_idle(WAIT_MS);
}

void vprof_gpu_hold(void)
{
	__atomic_store_n(&held_until, now_ns() + HOLD_NS, __ATOMIC_SEQ_CST);
	vprof_gpu_wait_idle();
}

/* exit() has been called. A child of fork() has no such thread, and nothing to wait for. */
static void leave_driver(void)
{
	if (!vprof_is_alive())
		return;
	__atomic_store_n(&ended, 1, __ATOMIC_SEQ_CST);
	wait_idle(EXIT_MS);
}

void vprof_gpu_leave_at_exit(void)
{
	static uint32_t known;

	if (!__atomic_exchange_n(&known, 1, __ATOMIC_RELAXED))
		atexit(leave_driver);
}

/* ---- the thread ---- */

static void make_states(void)
{
	for (struct vprof_gpu *gpu = vprof_gpus; gpu < vprof_gpus + VPROF_GPUS; gpu++) {
		if (vprof_gpu_state_of(gpu) != VPROF_GPU_WANTED || !work_begin(gpu))
			continue;
		vprof_gpu_prepare(gpu);
		if (!gpu->is_short)
			vprof_gpu_measure(gpu);
		work_end();
	}
}

static void tie_clocks(void)
{
	for (struct vprof_gpu *gpu = vprof_gpus; gpu < vprof_gpus + VPROF_GPUS && vprof_gpu_is_wanted(); gpu++) {
		if (vprof_gpu_state_of(gpu) != VPROF_GPU_READY || (gpu->tied_ns && now_ns() - gpu->tied_ns < TIE_NS) ||
		    !work_begin(gpu))
			continue;
		vprof_gpu_tie(gpu);
		gpu->tied_ns = now_ns();
		work_end();
	}
}

/* Those of a context that has gone are wanted no more; those of one that is held wait,
   as do those without a place yet. */
static void make_twins(void)
{
	struct vprof_subject *subject;

	vprof_twins_round();
	while ((subject = vprof_twin_next())) {
		uint32_t state = vprof_gpu_state_of(subject->gpu);

		if (state == VPROF_GPU_DEAD)
			vprof_twin_unqueue(subject);
		if (state == VPROF_GPU_DEAD || (state == VPROF_GPU_WANTED && !subject->gpu->is_short) ||
		    !work_begin(subject->gpu))
			continue;
		vprof_twin_build(subject);
		work_end();
	}
}

static void make_tracks(void)
{
	struct vprof_track *track;

	while ((track = vprof_track_wanted()) && work_begin(track->gpu)) {
		vprof_track_prepare(track);
		work_end();
	}
}

/*
 * A program may close the driver's library, and nobody is in a call of its own then but us: so we have opened it too.
 * 0: it has gone already. Not by the program's threads, as it takes the loader's lock.
 */
static int keep_driver(void)
{
	/* It is loaded by one of the names by which vprof_driver_find() looks for it. */
	return !vprof_old_dlopen || vprof_old_dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD) ||
	       vprof_old_dlopen("libcuda.so", RTLD_LAZY | RTLD_NOLOAD);
}

static int relax(void)
{
	struct vprof_asking asking;
	int relaxed;

	__atomic_store_n(&working, 1, __ATOMIC_SEQ_CST);
	relaxed = !vprof_gpu_is_ending() && vprof_ask.ctx_set_current && vprof_ask_begin(&asking);
	__atomic_store_n(&working, 0, __ATOMIC_SEQ_CST);
	return relaxed;
}

static void *gpu_thread(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "vprof gpu");
	if (vprof_gpu_is_ending() || !keep_driver() || !relax())
		return NULL;
	while (!vprof_gpu_is_ending()) {
		uint32_t seen = __atomic_load_n(&calls, __ATOMIC_ACQUIRE);

		make_states();
		make_tracks();
		tie_clocks();
		make_twins();
		vprof_futex_wait(&calls, seen, SLEEP_US);
	}
	return NULL;
}

/* Housekeeping has blocked all signals, and the thread inherits that. */
static void thread_want(void)
{
	if (started || !__atomic_load_n(&calls, __ATOMIC_RELAXED))
		return;
	/* The driver's compiler may need as much of a stack as any thread has. */
	__atomic_store_n(&started, vprof_thread_start(gpu_thread, 0) ? 0 : 1, __ATOMIC_RELAXED);
}

void vprof_gpu_thread_forget(void)
{
	/* `ended`: the parent may have forked in a handler of its end. */
	calls = started = working = ended = 0;
	vprof_gpu_ties_forget();
	held_until = 0;
	/* The parent's housekeeping may have been at it. */
	harvesting = 0;
}

/* ---- what preload/ asks ---- */

int vprof_gpu_is_wanted(void)
{
	return vprof_gpu_now() || vprof_gpu_spans_now() || vprof_gpu_window_now().open_us;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Is something still to come? At the end of a process its main thread harvests, too. */
static int harvest(int last)
{
	uint32_t none = 0;
	int to_come;

	while (!__atomic_compare_exchange_n(&harvesting, &none, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		none = 0;
		sched_yield();
	}
	to_come = vprof_twins_harvest(last);
	to_come |= vprof_eager_harvest(last);
	__atomic_store_n(&harvesting, 0, __ATOMIC_RELEASE);
	return to_come;
}

/* Collects. In how many ns that is to be done again. */
static uint64_t collect(uint64_t now, int wanted)
{
	static uint64_t next_ns;
	int to_come;

	if (now < next_ns)
		return next_ns - now;
	thread_want();
	vprof_gpu_ties_tell();
	to_come = harvest(0);
	next_ns = now + least(vprof_twins_round_ns(), vprof_eager_is_open() ? OPEN_ROUND_NS : UINT64_MAX);
	return wanted || to_come ? next_ns - now : UINT64_MAX;
}

uint64_t vprof_shim_gpu_round(void)
{
	static uint32_t before;
	uint32_t gpu = vprof_gpu_now();
	int wanted = vprof_gpu_is_wanted();
	uint64_t now;

	/* It may have been off for less than a round. */
	if (gpu && (vprof_twins_uncounted() || gpu != before))
		vprof_twins_count_all(gpu != before);
	before = gpu;
	if (__atomic_load_n(&ended, __ATOMIC_RELAXED))
		return UINT64_MAX;
	now = now_ns();
	return least(vprof_eager_round(now), wanted || started ? collect(now, wanted) : UINT64_MAX);
}

void vprof_shim_leave(void)
{
	__atomic_store_n(&ended, 1, __ATOMIC_SEQ_CST);
	vprof_eager_end();
	if (started)
		harvest(1);
}
