/*
 * lane.c - lanes: which thread writes where.
 *
 * A thread takes a lane at its first record and keeps it until it ends; whenever its chunk is full, the lane goes
 * on in another (chunk.c). Lock-free: a lane is taken by compare-and-swap on its state.
 *
 * A signal handler that makes a driver call while its thread is in here is not recorded, and
 * counted (VPROF_LOSS_REENTRANT): `busy` tells.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "preload/chunk.h"
#include "preload/inner.h"
#include "preload/libc.h"
#include "preload/process.h"
#include "preload/record.h"
#include "preload/text.h"

__thread struct vprof_lane *vprof_lane TLS_INITIAL_EXEC;
static __thread int busy TLS_INITIAL_EXEC;

static uint32_t lanes_used;  /* lanes ever taken in this ring */
static uint32_t lanes_idle;  /* of them, waiting for a thread: a hint */
AT_LOAD_DATA static pthread_key_t exit_key;
AT_LOAD_DATA static int exit_key_made;

void vprof_lanes_reset(void)
{
	lanes_used = 0;
	lanes_idle = 0;
	vprof_lane = NULL;
	vprof_cursor_void();
	vprof_counts_enter(NULL);
	busy = 0;
}

static int lane_is_ours(const struct vprof_lane *lane)
{
	return lane >= vprof_map.lanes && lane < vprof_map.lanes + vprof_map.lane_count;
}

static struct vprof_lane *lane_claim(uint32_t limit)
{
	for (uint32_t i = 0; i < limit; i++) {
		uint32_t idle = VPROF_LANE_IDLE;

		if (__atomic_load_n(&vprof_map.lanes[i].state, __ATOMIC_RELAXED) == VPROF_LANE_IDLE &&
		    __atomic_compare_exchange_n(&vprof_map.lanes[i].state, &idle, VPROF_LANE_LIVE, 0,
						__ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
			__atomic_sub_fetch(&lanes_idle, 1, __ATOMIC_RELAXED);
			return &vprof_map.lanes[i];
		}
	}
	return NULL;
}

/* An idle lane, else one never used. */
static struct vprof_lane *lane_find(void)
{
	struct vprof_lane *lane = NULL;
	uint32_t index;

	if ((int32_t)__atomic_load_n(&lanes_idle, __ATOMIC_RELAXED) > 0)
		lane = lane_claim(__atomic_load_n(&lanes_used, __ATOMIC_ACQUIRE));
	if (lane)
		return lane;
	index = __atomic_load_n(&lanes_used, __ATOMIC_RELAXED);
	do {
		if (index >= vprof_map.lane_count)
			return lane_claim(vprof_map.lane_count);
	} while (!__atomic_compare_exchange_n(&lanes_used, &index, index + 1, 0, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	return &vprof_map.lanes[index];
}

/* A slot of the chunk unless it is full, however many handlers come in between. */
static struct vprof_record lane_slot(void)
{
	struct vprof_record record;

	do
		record = vprof_begin_quick(vprof_cursor_at());
	while (!record.slot && vprof_cursor_index() < VPROF_CHUNK_SLOTS);
	return record;
}

/* Said in the lane, for the records of the thread before us and those of ours lie together. */
static void lane_record_takeover(const struct vprof_lane *lane)
{
	struct vprof_record r = lane_slot();
	struct vprof_slot *slot = r.slot;

	if (!slot)
		return;
	slot->t0 = lane->start_ticks;
	slot->done = VPROF_DONE(1, 0);
	slot->kind = VPROF_KIND_THREAD;
	slot->call = 0;
	slot->object = 0;
	slot->owner.thread = lane->thread;
	slot->owner.tid = lane->tid;
	slot->owner.zero = 0;
	vprof_comm_copy(slot->owner.comm, lane->comm);
	/* Pairs with the readers' acquire load of seq. */
	__atomic_store_n(&slot->seq, r.seq, __ATOMIC_RELEASE);
}

static void lane_own(struct vprof_lane *lane)
{
	char name[sizeof(lane->comm)] __attribute__((aligned(8))) = { 0 };

	/* Read by housekeeping, which may look a moment too early: it then finds no such thread. */
	__atomic_store_n(&lane->tid, (uint32_t)syscall(SYS_gettid), __ATOMIC_RELAXED);
	lane->thread = __atomic_add_fetch(&vprof_map.live->threads, 1, __ATOMIC_RELAXED);
	prctl(PR_GET_NAME, name);
	vprof_comm_copy(lane->comm, name);
	lane->start_ticks = vprof_ticks();
	lane->end_ticks = 0;
}

/* A lane for the calling thread, with room in its chunk. */
static int lane_enter(void)
{
	struct vprof_lane *lane = lane_find();
	struct vprof_chunk *chunk;

	if (!lane) {
		vprof_lose(VPROF_LOSS_NO_LANE);
		return -1;
	}
	lane_own(lane);
	chunk = lane->chunk ? &vprof_map.chunks[lane->chunk - 1] : NULL;
	if (!chunk || chunk->head.used >= VPROF_CHUNK_SLOTS) {
		if (vprof_chunk_next(lane, chunk)) {
			/* As if it had never been taken: the next thread tries again. */
			__atomic_store_n(&lane->state, VPROF_LANE_IDLE, __ATOMIC_RELEASE);
			__atomic_add_fetch(&lanes_idle, 1, __ATOMIC_RELAXED);
			return -1;
		}
		lane->owner_first = lane->sealed;
	} else {
		lane->owner_first = lane->sealed + vprof_chunk_filled(chunk);
		vprof_cursor_set(chunk);
		lane_record_takeover(lane);
	}
	__atomic_store_n(&lane->state, VPROF_LANE_LIVE, __ATOMIC_RELEASE);
	vprof_lane = lane;
	vprof_counts_enter(lane);
	if (exit_key_made)
		vprof_old_pthread_setspecific(exit_key, lane);
	return 0;
}

struct vprof_record vprof_lane_begin(void)
{
	struct vprof_record record = { NULL, 0 };

	if (busy) {
		vprof_lose(VPROF_LOSS_REENTRANT);
		return record;
	}
	busy = 1;
	if (!vprof_lane || !lane_is_ours(vprof_lane) || !vprof_cursor.chunk || !vprof_cursor_is_ours()) {
		vprof_lane = NULL;
		vprof_cursor_void();
		if (lane_enter())
			goto out;
		vprof_ranges_tell_again();
	}
	while (!(record = lane_slot()).slot) {
		if (vprof_chunk_next(vprof_lane, vprof_cursor_leave()))
			goto out;
		vprof_ranges_tell_again();
	}
out:
	busy = 0;
	return record;
}

/* The next thread may have it. */
static void lane_give(struct vprof_lane *lane, const struct vprof_chunk *chunk)
{
	lane->end_ticks = vprof_ticks();
	__atomic_fetch_add(&vprof_map.live->retired,
			   lane->sealed + (chunk ? vprof_chunk_filled(chunk) : 0) - lane->owner_first,
			   __ATOMIC_RELAXED);
	/* Pairs with the acquire in lane_claim(): the next owner sees all that we wrote. */
	__atomic_store_n(&lane->state, VPROF_LANE_IDLE, __ATOMIC_RELEASE);
	__atomic_add_fetch(&lanes_idle, 1, __ATOMIC_RELAXED);
}

uint64_t vprof_thread_serial(void)
{
	const struct vprof_lane *lane = vprof_lane;

	return lane && lane_is_ours(lane) && vprof_cursor.chunk && vprof_cursor_is_ours() ? lane->thread : 0;
}

void vprof_lane_leave(void)
{
	struct vprof_lane *lane = vprof_lane;
	int alive = vprof_cursor_is_ours();
	struct vprof_chunk *chunk;

	/* A handler must not take a lane that we would then forget. */
	busy = 1;
	chunk = alive ? vprof_cursor_leave() : NULL;
	vprof_lane = NULL;
	vprof_cursor_void();
	vprof_counts_enter(NULL);
	if (lane && lane_is_ours(lane) && alive)
		lane_give(lane, chunk);
	busy = 0;
}

/* ---- names ---- */

/* Threads are named after they start, and some while they run. */
static void lane_refresh_name(struct vprof_lane *lane)
{
	char name[sizeof(lane->comm) + 8] __attribute__((aligned(8)));
	char path[64];
	struct vprof_text text = VPROF_TEXT(path);
	int fd;
	ssize_t n;

	vprof_text_put(&text, "/proc/self/task/");
	vprof_text_number(&text, __atomic_load_n(&lane->tid, __ATOMIC_RELAXED));
	vprof_text_put(&text, "/comm");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, name, sizeof(lane->comm));
	close(fd);
	if (n <= 0)
		return;
	memset(name + n, 0, sizeof(name) - (size_t)n);
	if (name[n - 1] == '\n')
		name[n - 1] = 0;
	vprof_comm_copy(lane->comm, name);
}

void vprof_lanes_refresh(void)
{
	uint32_t limit = __atomic_load_n(&lanes_used, __ATOMIC_ACQUIRE);

	for (uint32_t i = 0; i < limit && i < vprof_map.lane_count; i++)
		if (__atomic_load_n(&vprof_map.lanes[i].state, __ATOMIC_ACQUIRE) == VPROF_LANE_LIVE)
			lane_refresh_name(&vprof_map.lanes[i]);
}

/* ---- thread exit ---- */

static void thread_exits(void *lane)
{
	(void)lane;
	vprof_lane_leave();
	vprof_ranges_leave();
}

void vprof_lane_watch_exit(void)
{
	static const char anything; /* the key's function is called for threads with a value */

	if (exit_key_made && !vprof_lane)
		vprof_old_pthread_setspecific(exit_key, &anything);
}

/*
 * The key is made at load: among the first 32 of a process, setting its value
 * needs no memory.
 */
AT_LOAD __attribute__((constructor)) static void make_exit_key(void)
{
	exit_key_made = vprof_old_pthread_key_create && vprof_old_pthread_setspecific &&
			!vprof_old_pthread_key_create(&exit_key, thread_exits);
}
