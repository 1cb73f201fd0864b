/*
 * record.h - the recording path: what every wrapper calls.
 *
 * A wrapper reads: guard, t0, real call, t1, record, return:
 *
 *	if (!vprof_recording(VPROF_GROUP_BIT(...)))
 *		return real(...);
 *	struct vprof_record r = vprof_begin();
 *	if (!r.slot)
 *		return real(...);
 *	r.slot->... = ...;                        // fill kind, call, object, payload
 *	vprof_publish(r);                         // sets t0; visible from here on
 *	result = real(...);
 *	r.slot->... = ...;                        // only fields valid "with done"
 *	vprof_end(r, result);
 *	return result;
 *
 * RULES below this line: no malloc, no stdio, no locks, no system calls but in
 * functions named _slow; errno is left as it was; nothing here can fail the
 * program's call.
 *
 * A signal handler may run between any two instructions, make a driver call and
 * so record in the same lane: reserving a slot is therefore one instruction, and
 * nothing that a handler could change is read again after it but to see that none has.
 *
 * CACHES. Between two calls a program does much else, and what a record touches has gone from the
 * nearer caches. So what it has to read first lies in few lines (the thread's cursor, not the chunk's
 * header), and the next slot is fetched ahead.
 */
#ifndef VPROF_PRELOAD_RECORD_H
#define VPROF_PRELOAD_RECORD_H

#include "preload/clock.h"
#include "preload/compiler.h"
#include "preload/state.h"
#include "preload/testpoint.h"
#include "vprof/ring.h"

/* One record being made. slot is NULL when nothing can be recorded (counted). */
struct vprof_record {
	struct vprof_slot *slot;
	uint64_t seq;
};

/*
 * Where the calling thread writes. Changed by that thread alone: chunk.c, lane.c, count.c, fork.c. In one cache line.
 * `at` is what the next record's seq will be, and says by its low byte whether there is a next slot:
 * 0 when the chunk is full (the base of the chunk behind it), and when there is no chunk.
 */
struct __attribute__((aligned(64))) vprof_cursor {
	struct vprof_chunk *chunk;   /* meaningless while `at` is 0 */
	uint64_t at;
	struct vprof_counts *counts; /* what it counts instead of recording; NULL before it has a lane */
	uint32_t life;               /* what vprof_state.life was when it was set */
	uint32_t zero;
	struct vprof_slot *near[VPROF_NEAR]; /* of `counts`, where it has counted for a while; else NULL */
};
extern __thread struct vprof_cursor vprof_cursor HIDDEN TLS_INITIAL_EXEC;

static inline uint64_t vprof_cursor_at(void)
{
	return __atomic_load_n(&vprof_cursor.at, __ATOMIC_RELAXED);
}

/* Its slot; 0: there is none. */
static inline uint32_t vprof_cursor_slot(uint64_t at)
{
	return at & 0xff;
}

/* The slot that is reserved next; VPROF_CHUNK_SLOTS: the chunk is full, or there is none. */
static inline uint32_t vprof_cursor_index(void)
{
	return (uint32_t)((vprof_cursor_at() - 1) & 0xff) + 1;
}

/* The thread has no chunk. A handler that comes in between finds none. */
static inline void vprof_cursor_void(void)
{
	__atomic_store_n(&vprof_cursor.at, 0, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	vprof_cursor.chunk = NULL;
}

/*
 * No chunk yet, chunk full, or a forked child: makes the ring, takes a lane or a
 * chunk. Keeps errno. Returns slot == NULL, counted, when that is not possible.
 */
struct vprof_record vprof_begin_slow(void) HIDDEN COLD;

/* A record of a thread of ours, which VPROF_THREADS does not concern. slot == NULL: there can be none. */
struct vprof_record vprof_begin_own(void) HIDDEN COLD;

/* The calling thread's serial, by which readers know it; 0: it has no records. Not the chunk's,
   which may be an heir's. */
uint64_t vprof_thread_serial(void) HIDDEN;

/* A call returned after its slot went to another record (a handler filled a whole lap). */
void vprof_end_late(void) HIDDEN COLD;

/* The groups that are recorded, a bit each. */
static inline uint32_t vprof_groups(void)
{
	return __atomic_load_n(&vprof_guard.control.word, __ATOMIC_RELAXED);
}

/* Is any of these groups recorded? */
static inline int vprof_recording(uint32_t groups)
{
	return (vprof_groups() & groups) != 0;
}

/* Is there a ring of this process? Relaxed: compared with what the thread has stored itself. */
static inline uint32_t vprof_is_alive(void)
{
	return __atomic_load_n(&vprof_state.life, __ATOMIC_RELAXED);
}

/* Is the cursor one of that ring? */
static inline int vprof_cursor_is_ours(void)
{
	return vprof_is_alive() == vprof_cursor.life;
}

/*
 * A thread that VPROF_THREADS leaves out, and how often it may come before its name is looked at again;
 * filter.c.
 */
struct vprof_passed {
	uint32_t life;  /* what vprof_state.life was then; 0: it has not been looked at */
	uint32_t calls; /* that are left until then */
	uint32_t pause; /* how many they were */
};
extern __thread struct vprof_passed vprof_passed HIDDEN TLS_INITIAL_EXEC;

/* Is it known that the calling thread is none of them? A few instructions. */
static ALWAYS_INLINE int vprof_thread_is_passed(void)
{
	struct vprof_passed *passed = &vprof_passed;

	if (likely(!passed->life) || passed->life != vprof_is_alive() || !passed->calls)
		return 0;
	passed->calls--;
	return 1;
}

/* Says in the header of the thread's chunk, or of one that it has left, how far it came. Keeps errno. */
void vprof_cursor_tell(struct vprof_chunk *chunk) HIDDEN COLD;

/* Stores `next` unless a handler has changed the word: one instruction, which none can split. */
static ALWAYS_INLINE int vprof_reserve(uint64_t *at, uint64_t seen, uint64_t next)
{
#if defined(__x86_64__)
	int done;

	__asm__ volatile("cmpxchgq %3, %1" : "=@ccz"(done), "+m"(*at), "+a"(seen) : "r"(next));
	return done;
#else
	return __atomic_compare_exchange_n(at, &seen, next, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
#endif
}

/* The line that the next record of this thread will be written to. */
static inline void vprof_fetch_ahead(const struct vprof_slot *slot)
{
#if defined(__x86_64__)
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)slot));
#else
	__builtin_prefetch(slot, 1);
#endif
}

/* Adds to a count of the calling thread: one instruction, which no handler can split. */
static inline void vprof_add(uint64_t *count, uint64_t n)
{
#if defined(__x86_64__)
	__asm__ volatile("addq %1, %0" : "+m"(*count) : "er"(n) : "cc");
#else
	__atomic_fetch_add(count, n, __ATOMIC_RELAXED);
#endif
}

/*
 * `count` slots of the thread's chunk, one behind the other, from `at` on, which is where the cursor was
 * when the caller looked: the first of them, and in `got` how many the chunk still had. Makes no call;
 * slot is NULL when vprof_begin_slow() is needed.
 *
 * A handler that comes in before the reservation has moved the cursor on, so that the reservation fails,
 * also when it has gone to another chunk; what was stored into the chunk's header is put right then.
 */
static ALWAYS_INLINE struct vprof_record vprof_begin_run(uint64_t at, uint32_t count, uint32_t *got)
{
	struct vprof_record none = { NULL, 0 };
	uint32_t index = vprof_cursor_slot(at);
	struct vprof_chunk *chunk;
	struct vprof_slot *slot;

	if (unlikely(!index || !vprof_cursor_is_ours()))
		return none;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	chunk = __atomic_load_n(&vprof_cursor.chunk, __ATOMIC_RELAXED);
	if (count > VPROF_CHUNK_SLOTS - index)
		count = VPROF_CHUNK_SLOTS - index;
	/* For readers. */
	__atomic_store_n(&chunk->head.used, index + count, __ATOMIC_RELAXED);
	if (unlikely(!vprof_reserve(&vprof_cursor.at, at, at + count))) {
		vprof_cursor_tell(chunk);
		return none;
	}
	slot = (struct vprof_slot *)(void *)chunk + index;
	/* One pointer from here on: the compiler would rather keep the chunk, the index and the sum. */
	__asm__("" : "+r"(slot));
	if (!slot)
		__builtin_unreachable();
	*got = count;
	return (struct vprof_record){ slot, at };
}

static ALWAYS_INLINE struct vprof_record vprof_begin_quick(uint64_t at)
{
	uint32_t got;

	return vprof_begin_run(at, 1, &got);
}

static ALWAYS_INLINE struct vprof_record vprof_begin(void)
{
	struct vprof_record record = vprof_begin_quick(vprof_cursor_at());

	return likely(record.slot) ? record : vprof_begin_slow();
}

/* Pairs with the readers' acquire load of seq (tools/ring_chunks.c, tools/gdb/vprof.py). */
static ALWAYS_INLINE void vprof_publish_at(struct vprof_record r, uint64_t ticks)
{
	r.slot->done = 0;
	TESTPOINT("publish_before");
	r.slot->t0 = ticks;
	__atomic_store_n(&r.slot->seq, r.seq, __ATOMIC_RELEASE);
	TESTPOINT("publish_after");
}

static ALWAYS_INLINE void vprof_publish(struct vprof_record r)
{
	vprof_publish_at(r, vprof_ticks());
}

/* Pairs with the readers' acquire load of done. */
static ALWAYS_INLINE void vprof_end_at(struct vprof_record r, uint32_t result, uint64_t now)
{
	uint64_t ticks = now - r.slot->t0;

	TESTPOINT("end_before");
	if (unlikely(__atomic_load_n(&r.slot->seq, __ATOMIC_RELAXED) != r.seq)) {
		vprof_end_late();
		return;
	}
	/* Never 0, which would be in flight: one tick at most is added. */
	__atomic_store_n(&r.slot->done, VPROF_DONE(ticks | 1, result), __ATOMIC_RELEASE);
	vprof_fetch_ahead(r.slot + 1);
	TESTPOINT("end_after");
}

static ALWAYS_INLINE void vprof_end(struct vprof_record r, uint32_t result)
{
	vprof_end_at(r, result, vprof_ticks());
}

/*
 * Calls that are counted and not recorded: one slot for each function in a chunk (VPROF_KIND_QUERIES).
 * A thread keeps where its slots of the present chunk are.
 */
enum { VPROF_QUERIES = 256 };

struct vprof_counts {
	struct vprof_lane *lane;               /* the thread's */
	struct vprof_slot *slot[VPROF_QUERIES]; /* NULL: none yet; wiped in a child of any kind of fork */
};

/* Counts a call that has returned, whatever that takes. Keeps errno. A question makes no ring. */
void vprof_count_slow(unsigned call, unsigned query, int failed) HIDDEN COLD;

/* What the calling thread counts of `query` is kept in its cursor from now on, once it has done so for a while. */
void vprof_count_near(unsigned near, unsigned query) HIDDEN COLD;

/* A call that was counted has failed. */
void vprof_count_error(unsigned query) HIDDEN COLD;

/*
 * The first calls of a slot, and then each VPROF_QUERIES_TIMED-th, say when they were; and tell the lane
 * of all since then, so that the others add to nothing but the slot. The rest is told when the thread
 * leaves the chunk.
 */
static inline int vprof_count_is_timed(uint64_t count)
{
	return count <= VPROF_QUERIES_TIMED || !(count % VPROF_QUERIES_TIMED);
}

/*
 * Counts a call that has returned and did not fail, when that takes one addition; 0 when not. Programs
 * ask hundreds of times in a step, and reading the clock for each would be most of the cost.
 */
static ALWAYS_INLINE int vprof_count_quick(unsigned query)
{
	struct vprof_counts *counts = vprof_cursor.counts;
	struct vprof_slot *slot;

	if (unlikely(!counts || !vprof_cursor_is_ours()))
		return 0;
	slot = counts->slot[query];
	if (unlikely(!slot || vprof_count_is_timed(slot->queries.count + 1)))
		return 0;
	vprof_add(&slot->queries.count, 1);
	return 1;
}

#endif
