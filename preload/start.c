/*
 * start.c - from nothing to a ring, at the first hooked call and not before.
 *
 * Until that call the library is one constructor that copies a few variables. The
 * control word then has the groups that VPROF_TRACE chose, so the first call of such a
 * wrapper takes the recording path, finds no chunk, and comes here.
 *
 * `state` says whose ring it is and how far: pid << 8 | enum step. A pid that is not
 * ours means that we are a child of some kind of fork, with a parent's ring mapped:
 * everything begins anew. One thread wins the compare-and-swap and works, with signals
 * blocked and cancellation off; the others wait for it (once in the life of a process).
 *
 * When there can be no ring, every call comes here, is counted, and passes. A process that VPROF_PROCS
 * leaves out is done with at its first call: from then on the word is 0. Its children are judged anew.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "preload/capture.h"
#include "preload/config.h"
#include "preload/control.h"
#include "preload/filter.h"
#include "preload/holdings.h"
#include "preload/inner.h"
#include "preload/libc.h"
#include "preload/names.h"
#include "preload/process.h"
#include "preload/record.h"
#include "preload/spill.h"
#include "preload/thread.h"
#include "preload/trigger.h"

enum step { IDLE = 0, BUSY = 1, READY = 2, FAILED = 3 };

enum { NOT_CHOSEN = 1 }; /* by VPROF_PROCS: this process is not to be recorded, and there is nothing to say */

struct vprof_state vprof_state;
__thread struct vprof_cursor vprof_cursor TLS_INITIAL_EXEC;
AT_LOAD_DATA struct vprof_map vprof_map;

static uint64_t state;
static uint32_t state_futex; /* changes when BUSY ends */
static int starter_tid;

/* What was lost while there was no ring of this process to count it in; gdb and tests read it. */
struct vprof_unrecorded {
	uint64_t loss[VPROF_LOSS_COUNT];
};
EXPORT struct vprof_unrecorded vprof_unrecorded;

int vprof_ring_is_writable(void)
{
	int starter;

	if (vprof_ring_is_ours())
		return 1;
	starter = __atomic_load_n(&starter_tid, __ATOMIC_RELAXED);
	return starter && vprof_map.header && starter == (int)syscall(SYS_gettid);
}

void vprof_lose(enum vprof_loss reason)
{
	uint64_t *loss = vprof_ring_is_writable() ? vprof_map.live->loss : vprof_unrecorded.loss;

	__atomic_fetch_add(&loss[reason], 1, __ATOMIC_RELAXED);
}

void vprof_end_late(void)
{
	vprof_lose(VPROF_LOSS_LATE);
}

void *vprof_table(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* ---- waiting for the thread that starts ---- */

static void state_set(uint32_t pid, enum step step)
{
	__atomic_store_n(&state, (uint64_t)pid << 8 | step, __ATOMIC_RELEASE);
	__atomic_add_fetch(&state_futex, 1, __ATOMIC_RELEASE);
	vprof_futex_wake(&state_futex);
}

/*
 * Two seconds at most, and once in a process: storage that hangs must not hang the program
 * with it, nor slow each of its calls.
 */
static void state_wait(uint64_t busy)
{
	static uint64_t waited_out; /* a `busy` that nobody waits for any more */

	for (int i = 0; i < 20; i++) {
		uint32_t seen = __atomic_load_n(&state_futex, __ATOMIC_ACQUIRE);

		if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != busy ||
		    __atomic_load_n(&waited_out, __ATOMIC_RELAXED) == busy)
			return;
		vprof_futex_wait(&state_futex, seen, 100000);
	}
	__atomic_store_n(&waited_out, busy, __ATOMIC_RELAXED);
}

/* ---- the start itself ---- */

static void carry_losses(struct vprof_ring_live *live)
{
	for (unsigned i = 0; i < VPROF_LOSS_COUNT; i++)
		__atomic_fetch_add(&live->loss[i], __atomic_exchange_n(&vprof_unrecorded.loss[i], 0, __ATOMIC_RELAXED),
				   __ATOMIC_RELAXED);
}

static int start(void)
{
	struct vprof_map map = { 0 };
	int error;

	vprof_fork_forget_parent();
	memset(&vprof_map, 0, sizeof(vprof_map));
	vprof_holdings_reset();
	vprof_lanes_reset();
	vprof_spill_reset();
	vprof_config_read();
	vprof_config_complain();
	if (!vprof_process_is_chosen())
		return NOT_CHOSEN;
	vprof_clock_init();
	vprof_shim_start();

	error = vprof_ring_create(&map);
	if (error)
		return error;
	vprof_map = map;
	vprof_counts_init(map.lane_count);
	vprof_holdings_reset();
	vprof_shim_ring_ready();
	vprof_map.defs_floor = __atomic_load_n(&map.live->defs_used, __ATOMIC_RELAXED);
	vprof_names_ring_ready();
	map.control->gpu = (uint32_t)vprof_config.gpu;
	map.control->gpu_spans = vprof_config.gpu_spans != 0;
	map.control->gpu_window_us = vprof_config.gpu_eager.open_us;
	map.control->gpu_period_us = vprof_config.gpu_eager.period_us;
	vprof_control_begin();
	vprof_trigger_begin();
	vprof_capture_begin();
	TESTPOINT("start_ready");
	error = vprof_word_share(&vprof_map);
	if (error) {
		vprof_log("not recorded: the control word cannot be mapped: %s", vprof_strerror(-error));
		vprof_ring_unmake(&vprof_map);
		return error;
	}
	/* Before there is a thread that takes up requests for it. */
	if (vprof_config.spill)
		vprof_spill_set(1);
	error = vprof_housekeeping_start();
	if (error)
		vprof_log("no housekeeping thread: %s; clocks and thread names stay as they are at the start",
			  vprof_strerror(-error));
	return 0;
}

/*
 * All but those that a thread brings upon itself: a blocked one would kill the process where
 * a handler answers it, as the SIGSYS of a sandbox that emulates system calls.
 */
static void signals_block(sigset_t *saved)
{
	static const int own[] = { SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP };
	sigset_t most;

	sigfillset(&most);
	for (unsigned i = 0; i < ARRAY_SIZE(own); i++)
		sigdelset(&most, own[i]);
	vprof_sigmask(&most, saved);
}

/* A thread that has been cancelled would end in our first open(), and the others wait for it. */
static void start_once(uint32_t pid)
{
	sigset_t saved;
	int error, cancel, unused;

	__atomic_store_n(&starter_tid, (int)syscall(SYS_gettid), __ATOMIC_RELAXED);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	signals_block(&saved);
	error = start();
	if (error)
		vprof_word_own(error == NOT_CHOSEN ? 0 : (uint32_t)vprof_config.trace);
	if (vprof_fork_watch() && !error)
		vprof_log("no wipe-on-fork memory: children made by _Fork() are not told apart");
	if (!error) {
		carry_losses(vprof_map.live);
		vprof_capture_catch_up();
	}
	__atomic_store_n(&starter_tid, 0, __ATOMIC_RELAXED);
	state_set(pid, error ? FAILED : READY);
	vprof_sigmask(&saved, NULL);
	pthread_setcancelstate(cancel, &unused);
}

/*
 * Makes this process's ring unless that has been done or tried. Returns 1 when there is
 * one. `life` is what the wipe-on-fork word said before `state` was read: 0 with a READY
 * state means a forked child, even one that has its parent's pid in a pid namespace of its own.
 */
static int started(void)
{
	uint32_t pid = 0;

	for (;;) {
		uint32_t life = __atomic_load_n(&vprof_state.life, __ATOMIC_ACQUIRE);
		/* Pairs with state_set(): what start() has made is seen with READY. */
		uint64_t seen = __atomic_load_n(&state, __ATOMIC_ACQUIRE);
		enum step step = (enum step)(seen & 0xff);

		/* The common case, for a new chunk, without a system call. */
		if (life && (step == READY || step == FAILED))
			return step == READY;
		if (!pid)
			pid = (uint32_t)getpid();
		if (seen >> 8 == pid && step == BUSY) {
			if (__atomic_load_n(&starter_tid, __ATOMIC_RELAXED) == (int)syscall(SYS_gettid))
				return 0;
			state_wait(seen);
			if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) == seen)
				return 0;
			continue;
		}
		if (__atomic_compare_exchange_n(&state, &seen, (uint64_t)pid << 8 | BUSY, 0,
						__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			start_once(pid);
	}
}

/* Has the calling thread a lane of this ring, or may it take one? */
static int may_enter(void)
{
	return (vprof_lane && vprof_cursor.chunk && vprof_cursor_is_ours()) || vprof_thread_is_chosen();
}

struct vprof_record vprof_begin_slow(void)
{
	struct vprof_record none = { NULL, 0 }, record;
	int saved = errno;

	if (unlikely(vprof_thread_is_passed()) || vprof_in_vfork_child || !vprof_shim_has_driver())
		return none;
	if (!started()) {
		vprof_lose(VPROF_LOSS_START);
		errno = saved;
		return none;
	}
	/* The ring may have been made with recording off. */
	record = vprof_recording(UINT32_MAX) && may_enter() ? vprof_lane_begin() : none;
	errno = saved;
	return record;
}

struct vprof_record vprof_begin_own(void)
{
	struct vprof_record none = { NULL, 0 };

	return vprof_ring_is_ours() ? vprof_lane_begin() : none;
}

uint32_t vprof_gpu_now(void)
{
	return vprof_ring_is_ours() ? __atomic_load_n(&vprof_map.control->gpu, __ATOMIC_RELAXED) : VPROF_GPU_OFF;
}

/* What the environment tells the driver to do, and what stamps go badly with. */
enum {
	/* All streams share one queue, where what waits at its head holds up the others: a stamp behind a kernel, until
	   that is over. Kernels of two streams would run one after the other then, and two that wait for each other for
	   good. */
	STREAMS_SHARE = 1,
	/* Each launch returns when its work is done: one behind a gate of a window would wait out its bound. */
	LAUNCHES_BLOCK = 2,
	TOLD = 4,
};

static unsigned int environ_tells(void)
{
	static unsigned int known;

	if (!known) {
		const char *queues = vprof_environ_value("CUDA_DEVICE_MAX_CONNECTIONS=");
		const char *blocking = vprof_environ_value("CUDA_LAUNCH_BLOCKING=");

		known = TOLD | (queues && !strcmp(queues, "1") ? STREAMS_SHARE : 0) |
			(blocking && *blocking && strcmp(blocking, "0") ? LAUNCHES_BLOCK : 0);
	}
	return known;
}

int vprof_gpu_spans_now(void)
{
	return vprof_ring_is_ours() && !(environ_tells() & STREAMS_SHARE) &&
	       __atomic_load_n(&vprof_map.control->gpu_spans, __ATOMIC_RELAXED);
}

struct vprof_gpu_window vprof_gpu_window_now(void)
{
	struct vprof_gpu_window window = { 0, 0 };

	if (vprof_ring_is_ours() && environ_tells() == TOLD) {
		window.open_us = __atomic_load_n(&vprof_map.control->gpu_window_us, __ATOMIC_RELAXED);
		window.period_us = __atomic_load_n(&vprof_map.control->gpu_period_us, __ATOMIC_RELAXED);
	}
	return window;
}

int vprof_ring_want(void)
{
	int saved = errno, ready;

	if (vprof_in_vfork_child || !vprof_recording(UINT32_MAX) || !vprof_shim_has_driver())
		return 0;
	ready = started();
	errno = saved;
	return ready;
}

void vprof_start_again(void)
{
	if (vprof_config.enable)
		vprof_word_own((uint32_t)vprof_config.trace);
}

/* As if it were making the ring: nobody makes it meanwhile. */
void vprof_start_child(void)
{
	uint64_t seen = __atomic_load_n(&state, __ATOMIC_ACQUIRE);
	uint32_t pid;

	if (!vprof_word_is_shared() || vprof_in_vfork_child || vprof_is_alive() || (seen & 0xff) != READY)
		return;
	pid = (uint32_t)getpid();
	if (!__atomic_compare_exchange_n(&state, &seen, (uint64_t)pid << 8 | BUSY, 0, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&starter_tid, (int)syscall(SYS_gettid), __ATOMIC_RELAXED);
	vprof_start_again();
	__atomic_store_n(&starter_tid, 0, __ATOMIC_RELAXED);
	state_set(pid, IDLE);
}

/* ---- the ends ---- */

/* By which atexit() knows a library that may be unloaded: the startfiles', where there are any. We stay. */
extern void *__dso_handle HIDDEN __attribute__((weak));
void *__dso_handle = NULL;

/* glibc gives constructors what main() gets; `argv` ends with a NULL, and the environment follows. */
AT_LOAD __attribute__((constructor)) static void vprof_load(int argc, char **argv)
{
	vprof_config_load();
	if (!vprof_config_is_initial()) {
		vprof_word_own(vprof_config.enable ? (uint32_t)vprof_config.trace : 0);
		if (!vprof_config.enable)
			return;
	}
	vprof_fork_init();
	vprof_environ_initial(argv + argc + 1);
	vprof_nvtx_announce();
}

AT_LOAD __attribute__((destructor)) static void vprof_unload(void)
{
	struct vprof_map *map = &vprof_map;

	if (!map->header || !vprof_is_alive())
		return;
	vprof_shim_leave();
	vprof_spill_close();
	vprof_ring_anchor(map);
	map->live->end_ticks = vprof_ticks();
	__atomic_store_n(&map->live->state, VPROF_RING_CLOSED, __ATOMIC_RELEASE);
}
