/*
 * fork.c - a child never writes into its parent's ring.
 *
 * A forked child inherits the mapping of the ring and, in its one thread, a pointer
 * to a chunk of it. Three things keep it from using them:
 *  - `vprof_state`, a page that the kernel wipes in a child (MADV_WIPEONFORK): every recording
 *    call looks at `life` in it. It covers fork(), _Fork() and raw clone().
 *  - an atfork handler, for kernels older than 4.14, which cannot wipe. It also has the child's calls
 *    make a ring while the parent records nothing; after _Fork() those do that make what others use
 *    (contexts, modules, memory), and so come first.
 *  - when the child makes its own ring, the word gets another value than the parent's, so that a
 *    cursor still held by some thread is known to be of the parent; and zeroes are mapped over
 *    the parent's ring, so that a call that was under way in the fork ends in them.
 *
 * vfork() shares everything with the parent, thread storage included, so vfork is wrapped
 * (vfork_ARCH.S): while the child runs, vprof_in_vfork_child is 1 and the cursor says that there
 * is no slot; when the parent runs again, both are as they were. A signal handler may come in
 * between, on either side: one in the child finds nothing to write to, or what its parent has.
 */
#include <pthread.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/record.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

/* What pthread_atfork() calls, which is linked into each library, somewhere behind its own code. */
int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library);

__thread int vprof_in_vfork_child TLS_INITIAL_EXEC;
static __thread uint64_t vfork_at TLS_INITIAL_EXEC;
static __thread struct vprof_counts *vfork_counts TLS_INITIAL_EXEC;
static __thread struct vprof_slot *vfork_near[VPROF_NEAR] TLS_INITIAL_EXEC;

/* Called by the wrapped vfork, in the child's and in the parent's return. */
void vprof_vfork_child(void) HIDDEN;
void vprof_vfork_parent(void) HIDDEN;

void vprof_vfork_child(void)
{
	vprof_in_vfork_child = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	vfork_counts = vprof_cursor.counts;
	vfork_at = __atomic_exchange_n(&vprof_cursor.at, 0, __ATOMIC_RELAXED);
	vprof_cursor.counts = NULL;
	memcpy(vfork_near, vprof_cursor.near, sizeof(vfork_near));
	memset(vprof_cursor.near, 0, sizeof(vprof_cursor.near));
}

void vprof_vfork_parent(void)
{
	if (!vprof_in_vfork_child)
		return;
	vprof_cursor.counts = vfork_counts;
	memcpy(vprof_cursor.near, vfork_near, sizeof(vfork_near));
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(&vprof_cursor.at, vfork_at, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	vprof_in_vfork_child = 0;
}

static int watched; /* there has been a ring, here or in a parent */
static void *near[VPROF_NEAR];

static void state_clear(void)
{
	if (!watched)
		return;
	vprof_state.life = 0;
	vprof_state.slow = 0;
	vprof_state.cursor = 0;
	/* A handler that forks may have come in a question, which goes on in the child to the real function. */
	memcpy(vprof_state.near, near, sizeof(near));
}

static void in_child(void)
{
	state_clear();
	vprof_in_vfork_child = 0;
	vprof_cursor_void();
	vprof_lane = NULL;
	vprof_counts_enter(NULL);
	vprof_ranges_child();
	vprof_start_again();
}

AT_LOAD void vprof_fork_init(void)
{
	/* No room for the handler is no loss: the wiped word does the same. */
	(void)__register_atfork(NULL, NULL, in_child, NULL);
}

int vprof_fork_watch(void)
{
	static uint32_t lives;
	int error = 0;

	if (!watched && madvise(&vprof_state, sizeof(vprof_state), MADV_WIPEONFORK))
		error = -errno; /* the handler clears it */
	watched = 1;
	memcpy(near, vprof_state.near, sizeof(near));
	__atomic_store_n(&vprof_state.life, ++lives, __ATOMIC_RELEASE);
	return error;
}

void vprof_fork_forget_parent(void)
{
	if (!vprof_map.header)
		return;
	mmap(vprof_map.header, vprof_map.size, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}
