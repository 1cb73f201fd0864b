/*
 * launches.c - recording exactly so many launches.
 *
 * While there is a limit vprof_state.slow says so, and every launch comes by the slow way, where it
 * takes one of those that are left before it is recorded, and says so when it has been. The one that
 * was recorded last switches off. Who finds none left is not recorded.
 *
 * Both counts carry the number of the limit in their upper 16 bits, so that a launch that was under
 * way when one limit gave way to another counts for neither by mistake.
 *
 * In a process that records already, launches are under way when a limit is set, and would be recorded in
 * its window uncounted. So recording rests for a moment. Those on the slow way are counted, and waited for. Those on
 * the quick way are not, since that would cost every launch: they are given 1 ms, or as long as it is from the
 * request to its stamp. A thread that loses its processor for longer between its look at `slow` and its
 * record, some twenty instructions, adds one to the window.
 */
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "preload/control.h"
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/record.h"

#define COUNT    ((1ull << 48) - 1)
#define NUMBER   (~COUNT)
#define NO_LIMIT COUNT

enum {
	GRACE_NS = 50000000, /* between the last of a limit's launches and the quick way */
	ENDING_TRIES = 50,   /* of a ms each */
	WAY_TRIES = 100,     /* likewise */
};

static uint64_t left = NO_LIMIT;   /* to be taken */
static uint64_t unmade = NO_LIMIT; /* to be recorded */
static uint64_t most;              /* the limit; 0: none. Writer: housekeeping */
static uint32_t under_way;         /* launches on the slow way that are not recorded yet, while there is a limit */
static uint64_t free_ns;           /* when housekeeping saw that it had ended */

void vprof_launches_begin(void)
{
	left = unmade = NO_LIMIT;
	most = 0;
	under_way = 0;
	free_ns = 0;
	__atomic_store_n(&vprof_state.slow, vprof_clock_is_quick() ? 0 : VPROF_SLOW_CLOCK, __ATOMIC_RELAXED);
}

void vprof_launches_stamped(int operations, int graphs)
{
	const uint32_t all = VPROF_SLOW_GPU | VPROF_SLOW_SPANS;
	uint32_t ways = (operations ? VPROF_SLOW_GPU : 0) | (graphs ? VPROF_SLOW_SPANS : 0);

	/* Asked over and over, of a line that every call reads. */
	if ((__atomic_load_n(&vprof_state.slow, __ATOMIC_RELAXED) & all) == ways)
		return;
	__atomic_fetch_or(&vprof_state.slow, ways, __ATOMIC_RELAXED);
	__atomic_fetch_and(&vprof_state.slow, ~(all & ~ways), __ATOMIC_RELAXED);
}

static int is_limited(void)
{
	return (__atomic_load_n(&vprof_state.slow, __ATOMIC_RELAXED) & VPROF_SLOW_LIMIT) != 0;
}

/* Where the clock is no counter, every launch comes this way, and is not counted. */
static uint64_t enter(void)
{
	if (!vprof_clock_is_quick() || !is_limited())
		return VPROF_LAUNCH_FREE;
	/* Before the control word is read: pairs with the barrier in rest(). */
	__atomic_fetch_add(&under_way, 1, __ATOMIC_SEQ_CST);
	return VPROF_LAUNCH_SEEN;
}

static void leave(uint64_t launch)
{
	if (launch & VPROF_LAUNCH_SEEN)
		__atomic_fetch_sub(&under_way, 1, __ATOMIC_RELEASE);
}

uint64_t vprof_launch_take(void)
{
	uint64_t seen, way;

	/* The limit of a parent is none of ours. */
	if (!vprof_is_alive())
		return VPROF_LAUNCH_FREE;
	way = enter();
	seen = __atomic_load_n(&left, __ATOMIC_ACQUIRE);
	do {
		/* Pairs with the release in made_all(): then the word is 0, if nobody has switched since. */
		if ((seen & COUNT) == NO_LIMIT)
			return way;
		if (!(seen & COUNT)) {
			leave(way);
			return VPROF_LAUNCH_REFUSED;
		}
	} while (!__atomic_compare_exchange_n(&left, &seen, seen - 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	TESTPOINT("launch_taken");
	return (seen & NUMBER) | VPROF_LAUNCH_TAKEN | way;
}

void vprof_launch_drop(uint64_t launch)
{
	uint64_t seen = __atomic_load_n(&left, __ATOMIC_RELAXED);

	leave(launch);
	if (!(launch & VPROF_LAUNCH_TAKEN))
		return;
	do {
		if ((seen & NUMBER) != (launch & NUMBER) || (seen & COUNT) == NO_LIMIT)
			return;
	} while (!__atomic_compare_exchange_n(&left, &seen, seen + 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
}

/* Housekeeping waits for this thread as long as nothing is left and nothing is to be recorded. */
static void made_all(uint64_t number)
{
	uint64_t none = number;

	vprof_switch(0, VPROF_WINDOW_LAUNCHES, 0);
	__atomic_compare_exchange_n(&left, &none, number | NO_LIMIT, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

void vprof_launch_made(uint64_t launch)
{
	uint64_t seen = __atomic_load_n(&unmade, __ATOMIC_RELAXED);

	leave(launch);
	if (!(launch & VPROF_LAUNCH_TAKEN) || !vprof_is_alive())
		return;
	do {
		if ((seen & NUMBER) != (launch & NUMBER) || (seen & COUNT) == NO_LIMIT)
			return;
	} while (!__atomic_compare_exchange_n(&unmade, &seen, seen - 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	if ((seen & COUNT) == 1)
		made_all(seen & NUMBER);
}

uint64_t vprof_launches_made(void)
{
	uint64_t limit = __atomic_load_n(&most, __ATOMIC_RELAXED);
	uint64_t rest = __atomic_load_n(&unmade, __ATOMIC_RELAXED) & COUNT;

	return limit && rest <= limit ? limit - rest : 0;
}

uint64_t vprof_launches_number(void)
{
	return __atomic_load_n(&left, __ATOMIC_RELAXED) & NUMBER;
}

static void free_one(uint64_t *count, uint64_t number)
{
	uint64_t seen = __atomic_load_n(count, __ATOMIC_RELAXED);

	do {
		if ((seen & NUMBER) != number)
			return;
	} while (!__atomic_compare_exchange_n(count, &seen, seen | NO_LIMIT, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

void vprof_launches_free(uint64_t number)
{
	free_one(&unmade, number);
	free_one(&left, number);
}

/* Has a thread recorded the last one, and not yet switched? */
static int is_ending(void)
{
	return !(__atomic_load_n(&left, __ATOMIC_ACQUIRE) & COUNT) &&
	       !(__atomic_load_n(&unmade, __ATOMIC_RELAXED) & COUNT);
}

/*
 * All threads of the process pass a barrier: whoever sees the word that we store next sees `slow`
 * too, though it loads both without order. Where the kernel has no such call, x86-64 needs none.
 */
static void barrier_all(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0);
	syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0);
}

void vprof_launches_prepare(void)
{
	free_ns = 0;
	__atomic_fetch_or(&vprof_state.slow, VPROF_SLOW_LIMIT, __ATOMIC_SEQ_CST);
	barrier_all();
}

/* Nothing is recorded: until nothing is under way either, as far as that can be known. */
static void rest(void)
{
	struct timespec ms = { .tv_nsec = 1000000 };
	int limited = is_limited();

	vprof_launches_prepare();
	if (!limited)
		nanosleep(&ms, NULL);
	/* Whoever comes now sees the word, which is 0. Pairs with the release in leave(). */
	for (int i = 0; i < WAY_TRIES && __atomic_load_n(&under_way, __ATOMIC_ACQUIRE); i++)
		nanosleep(&ms, NULL);
}

void vprof_launches_limit(uint64_t limit)
{
	uint64_t number = (vprof_launches_number() + COUNT + 1) & NUMBER;
	struct timespec ms = { .tv_nsec = 1000000 };

	for (int i = 0; i < ENDING_TRIES && is_ending(); i++)
		nanosleep(&ms, NULL);
	if (limit >= NO_LIMIT)
		limit = 0;
	if (limit)
		rest();
	__atomic_store_n(&most, limit, __ATOMIC_RELAXED);
	__atomic_store_n(&unmade, number | (limit ? limit : NO_LIMIT), __ATOMIC_RELAXED);
	/* Pairs with the acquire in vprof_launch_take(). */
	__atomic_store_n(&left, number | (limit ? limit : NO_LIMIT), __ATOMIC_RELEASE);
}

int vprof_launches_watch(void)
{
	if (!is_limited() || !vprof_clock_is_quick())
		return 0;
	if ((__atomic_load_n(&left, __ATOMIC_RELAXED) & COUNT) != NO_LIMIT)
		return 1;
	if (!free_ns)
		free_ns = vprof_monotonic_ns();
	if (vprof_monotonic_ns() - free_ns < GRACE_NS)
		return 1;
	__atomic_fetch_and(&vprof_state.slow, ~(uint32_t)VPROF_SLOW_LIMIT, __ATOMIC_RELAXED);
	return 0;
}
