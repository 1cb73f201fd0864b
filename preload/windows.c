/*
 * windows.c - the control word of our own ring, and the windows in which something was recorded.
 *
 * Who switches says why, stores the word, and writes the window if nobody else is writing one: threads
 * of the program only ever try the lock. What they could not write, and what somebody outside stored,
 * housekeeping finds by comparing the word with the last window. Housekeeping itself, whose windows have
 * serials and limits, waits for the lock; not for ever, since a handler that never returns may have it.
 *
 * The live page is written and never read back: any process that may write the file could have
 * changed it.
 */
#include "preload/control.h"
#include "preload/process.h"
#include "preload/record.h"

enum {
	LOCK_TRIES = 2000, /* of LOCK_NS each: 200 ms, in which any thread gets a processor once */
	LOCK_NS = 100000,
};

#define KNOWN_GROUPS (VPROF_GROUP_BIT(VPROF_GROUP_COUNT) - 1)

static uint32_t lock;    /* 1 while somebody writes a window */
static uint32_t open_groups; /* of the window that is open; 0: none. Writers hold the lock. */
static uint64_t count;   /* windows so far; likewise */
static uint64_t open_serial; /* of the request that opened it; likewise */
static uint32_t why;     /* enum vprof_window_reason of a switch whose window is not yet written */

static int lock_try(void)
{
	uint32_t free = 0;

	/* Pairs with lock_give(). */
	return __atomic_compare_exchange_n(&lock, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Housekeeping only. */
static int lock_wait(void)
{
	struct timespec little = { .tv_nsec = LOCK_NS };

	for (int i = 0; !lock_try(); i++) {
		if (i == LOCK_TRIES)
			return 0;
		nanosleep(&little, NULL);
	}
	return 1;
}

static void lock_give(void)
{
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

static struct vprof_window *window_at(uint64_t number)
{
	return &vprof_map.live->served.window[(number - 1) % VPROF_WINDOWS];
}

static void window_close(enum vprof_window_reason reason, uint64_t now)
{
	struct vprof_window *window = window_at(count);

	window->stopped = (uint16_t)reason;
	window->launches = open_serial ? vprof_launches_made() : 0;
	window->steps = open_serial ? vprof_steps_made() : 0;
	/* Last: pairs with the readers' acquire load, who then have the rest. */
	__atomic_store_n(&window->stop_ticks, now, __ATOMIC_RELEASE);
	__atomic_store_n(&open_groups, 0, __ATOMIC_RELAXED);
}

static void window_begin(uint32_t groups, enum vprof_window_reason reason, uint64_t serial, uint64_t now)
{
	struct vprof_window *window = window_at(count + 1);

	/* A reader that is looking at what it held before sees that it goes. */
	__atomic_store_n(&window->start_ticks, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	window->stop_ticks = 0;
	window->started = (uint16_t)reason;
	window->stopped = VPROF_WINDOW_NONE;
	window->groups = groups;
	window->serial = serial;
	window->launches = 0;
	window->steps = 0;
	__atomic_store_n(&window->start_ticks, now, __ATOMIC_RELEASE);
	open_serial = serial;
	__atomic_store_n(&open_groups, groups, __ATOMIC_RELAXED);
	__atomic_store_n(&count, count + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&vprof_map.live->served.window_count, count, __ATOMIC_RELEASE);
}

/* With the lock. */
static void window_change(uint32_t groups, enum vprof_window_reason reason, uint64_t serial)
{
	uint64_t now = vprof_ticks();

	/* First: whoever switches from now on has a reason of its own. */
	__atomic_store_n(&why, VPROF_WINDOW_NONE, __ATOMIC_RELAXED);
	TESTPOINT("window_held");
	if (open_groups)
		window_close(reason, now);
	if (groups)
		window_begin(groups, reason, serial, now);
}

void vprof_windows_begin(uint32_t groups, enum vprof_window_reason reason)
{
	lock = 0;
	open_groups = 0;
	count = 0;
	why = VPROF_WINDOW_NONE;
	groups &= KNOWN_GROUPS;
	__atomic_store_n(&vprof_map.control->word, groups, __ATOMIC_RELAXED);
	if (groups)
		window_begin(groups, reason, 0, vprof_ticks());
}

void vprof_switch(uint32_t groups, enum vprof_window_reason reason, uint64_t serial)
{
	groups &= KNOWN_GROUPS;
	/* For housekeeping, should it see the word before the window. */
	__atomic_store_n(&why, reason, __ATOMIC_RELAXED);
	/* What was prepared for those who record from now on is seen with the word. */
	__atomic_store_n(&vprof_map.control->word, groups, __ATOMIC_RELEASE);
	if (!lock_try())
		return;
	/* Unless housekeeping has written it in the meantime. */
	if (groups != open_groups || __atomic_load_n(&why, __ATOMIC_RELAXED) != VPROF_WINDOW_NONE)
		window_change(groups, reason, serial);
	lock_give();
}

uint64_t vprof_switch_surely(uint32_t groups, enum vprof_window_reason reason, uint64_t serial)
{
	uint64_t number;

	groups &= KNOWN_GROUPS;
	/* What ends does so at once. What begins has its window first, so that its limits hold for all of it. */
	if (!groups)
		__atomic_store_n(&vprof_map.control->word, 0, __ATOMIC_RELEASE);
	if (!lock_wait()) {
		vprof_switch(groups, reason, serial);
		return 0;
	}
	window_change(groups, reason, serial);
	number = vprof_window_open();
	/* As in vprof_switch(). What somebody else has stored meanwhile came before. */
	if (groups)
		__atomic_store_n(&vprof_map.control->word, groups, __ATOMIC_RELEASE);
	lock_give();
	return number;
}

void vprof_windows_settle(void)
{
	uint32_t groups = __atomic_load_n(&vprof_map.control->word, __ATOMIC_RELAXED) & KNOWN_GROUPS;
	uint32_t reason;

	if (groups == __atomic_load_n(&open_groups, __ATOMIC_RELAXED) || !lock_try())
		return;
	reason = __atomic_load_n(&why, __ATOMIC_RELAXED);
	/* Again: whoever had the lock may have written it. */
	groups = __atomic_load_n(&vprof_map.control->word, __ATOMIC_RELAXED) & KNOWN_GROUPS;
	if (groups != open_groups)
		window_change(groups, reason ? (enum vprof_window_reason)reason : VPROF_WINDOW_WORD, 0);
	lock_give();
}

uint64_t vprof_window_open(void)
{
	return __atomic_load_n(&open_groups, __ATOMIC_RELAXED) ? __atomic_load_n(&count, __ATOMIC_RELAXED) : 0;
}
