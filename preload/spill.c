/*
 * spill.c - the thread that keeps everything.
 *
 * It has the keeper (spill_keep.c) look at what threads have left, and write what is due, until it is no longer
 * wanted or the process ends. Nobody waits for it: chunks that it has not reached in time are overwritten,
 * as they would be without it.
 *
 * The thread has a table of descriptors of its own where the kernel has that (5.9), so that the
 * program, which may close any number, never gets at its files, nor its files in the way of the program.
 */
#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "preload/config.h"
#include "preload/inner.h"
#include "preload/libc.h"
#include "preload/process.h"
#include "preload/spill.h"
#include "preload/spill_file.h"
#include "preload/spill_keep.h"
#include "preload/thread.h"

enum { CLOSE_MS = 200 };

static uint32_t wanted;         /* 1: on. Writer: vprof_spill_set(); a futex */
static uint32_t since_start;    /* it was wanted before there was a record: what is missing in a lane is lost */
static uint32_t running;        /* there is a thread. Under vprof_spill_set()'s one caller at a time */
static uint32_t ending;         /* the process ends; a futex with `wanted` */
static uint32_t rests;          /* the thread writes nothing, and has seen `ending`; a futex */
static int trouble;             /* why it has stopped for good; its writer: the thread; reader: vprof_spill_tell() */

static int trouble_begins(int error)
{
	__atomic_store_n(&trouble, error, __ATOMIC_RELEASE);
	return error;
}

/* Until it is no longer wanted, or the process ends; 0, or what went wrong. */
static int keep(struct vprof_keeper *k)
{
	int got, last;

	vprof_keeper_begin(k, since_start);
	do {
		last = !__atomic_load_n(&wanted, __ATOMIC_ACQUIRE);
		vprof_keeper_look(k);
		if (__atomic_load_n(&ending, __ATOMIC_ACQUIRE)) {
			vprof_keeper_end(k);
			return 0;
		}
		got = vprof_keeper_write(k, last);
		if (got < 0)
			trouble_begins(got);
		if (!got)
			vprof_futex_wait(&wanted, 1, vprof_keeper_round_us(k));
	} while (got >= 0 && !last);
	since_start = 0;
	return got < 0 ? got : 0;
}

static void *spill(void *unused)
{
	const struct sched_param param = { 0 };
	struct vprof_keeper *k = vprof_keeper_open(&vprof_map);
	int error = k ? 0 : trouble_begins(-ENOMEM);

	(void)unused;
	prctl(PR_SET_NAME, "vprof-spill");
	if (sched_getscheduler(0) != SCHED_OTHER)
		sched_setscheduler(0, SCHED_OTHER, &param);
	vprof_thread_own_files();
	while (error >= 0 && !__atomic_load_n(&ending, __ATOMIC_ACQUIRE)) {
		if (__atomic_load_n(&wanted, __ATOMIC_ACQUIRE))
			error = keep(k);
		else
			vprof_futex_wait(&wanted, 0, VPROF_FOREVER);
	}
	__atomic_store_n(&rests, 1, __ATOMIC_RELEASE);
	vprof_futex_wake(&rests);
	return NULL;
}

int vprof_spill_set(int on)
{
	int error = 0;

	if (__atomic_load_n(&trouble, __ATOMIC_ACQUIRE))
		return __atomic_load_n(&trouble, __ATOMIC_ACQUIRE);
	if (!running)
		since_start = !__atomic_load_n(&vprof_map.live->ticket, __ATOMIC_RELAXED);
	__atomic_store_n(&wanted, on != 0, __ATOMIC_RELEASE);
	if (running)
		vprof_futex_wake(&wanted);
	else if (on)
		error = vprof_thread_start(spill, 0);
	if (on && !error)
		running = 1;
	if (error)
		trouble_begins(error);
	return error;
}

int vprof_spill_is_on(void)
{
	return __atomic_load_n(&wanted, __ATOMIC_ACQUIRE) && !__atomic_load_n(&trouble, __ATOMIC_ACQUIRE);
}

void vprof_spill_reset(void)
{
	wanted = running = ending = rests = 0;
	trouble = 0;
	vprof_spill_file_reset();
}

void vprof_spill_tell(void)
{
	static int said; /* housekeeping and the destructor: one line from each at worst */
	int error = __atomic_load_n(&trouble, __ATOMIC_ACQUIRE);

	if (!error || __atomic_exchange_n(&said, 1, __ATOMIC_RELAXED))
		return;
	if (error == -EDQUOT)
		vprof_log("the spill has reached VPROF_SPILL_MB: what the ring overwrites is no longer kept");
	else
		vprof_log("the spill beside %s ends: %s; what the ring overwrites is no longer kept",
			  vprof_ring_entry(), vprof_strerror(-error));
}

void vprof_spill_close(void)
{
	if (running) {
		__atomic_store_n(&ending, 1, __ATOMIC_RELEASE);
		__atomic_store_n(&wanted, 0, __ATOMIC_RELEASE);
		vprof_futex_wake(&wanted);
		if (!__atomic_load_n(&rests, __ATOMIC_ACQUIRE))
			vprof_futex_wait(&rests, 0, CLOSE_MS * 1000);
	}
	vprof_spill_tell();
}
