/*
 * control.c - what is asked of the process from outside: requests, stamps, limits.
 *
 * The housekeeping thread sleeps on the doorbell of the control page, a futex that lies in the file,
 * so whoever rings wakes it within a fraction of a millisecond, and until then it costs nothing. It
 * takes requests up in the order of their serials; what was overwritten before it came is passed
 * over and counted.
 *
 * RULES. Any process that may write the file may write anything, at any time: each word of a request
 * is read once, into a copy, and the copy is checked. Nothing that the page says is used as an index
 * or a size. Bells that no request stands behind are answered at most once in BARREN_NS. Nothing
 * here is ever waited for by a thread of the program.
 */
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "preload/config.h"
#include "preload/control.h"
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/record.h"
#include "preload/spill.h"
#include "preload/steps.h"
#include "preload/tell.h"

#define NEVER UINT64_MAX

enum {
	SPIN_NS = 100000,      /* the last of the way to a stamp is not slept */
	POLL_NS = 1000000,     /* between two looks at a limit that has no time */
	BARREN_NS = 1000000,
	NO_FUTEX_NS = 10000000, /* between two looks at the bell where futexes are refused */
};

/* What has been taken up. */
static uint32_t bell;                               /* up to this serial */
static struct { uint64_t serial; uint32_t check; } taken[VPROF_REQUESTS]; /* by place: not a second time */
static int barren;                                  /* the last bell had no request behind it */

/* What is yet to come. */
static struct vprof_request later;                  /* a START; verb 0: none */
static uint64_t stop_ns, stop_serial;               /* a STOP; 0: none */

/* What goes on, and its limits; 0: none. */
static struct period {
	uint64_t window;  /* its number; 0: nothing that a limit ends */
	uint64_t until_ns;
	uint64_t tickets; /* chunks handed out by then */
	uint64_t steps;   /* to be made */
} period;
static uint64_t steps_made; /* in the window, where there is a limit to them */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t add_up(uint64_t a, uint64_t b)
{
	return a + b < a ? NEVER : a + b;
}

/* ---- carrying out ---- */

static void period_forget(void)
{
	memset(&period, 0, sizeof(period));
	vprof_steps_unwatch(VPROF_STEPS_LIMIT);
}

static void period_end(enum vprof_window_reason reason, uint64_t serial)
{
	period_forget();
	vprof_switch_surely(0, reason, serial);
	vprof_launches_free(vprof_launches_number());
}

uint64_t vprof_steps_made(void)
{
	return __atomic_load_n(&steps_made, __ATOMIC_RELAXED);
}

static void count_step(const struct vprof_step *step)
{
	(void)step;
	__atomic_store_n(&steps_made, steps_made + 1, __ATOMIC_RELAXED);
	if (period.steps && steps_made >= period.steps)
		period_end(VPROF_WINDOW_STEPS, 0);
}

static void period_start(const struct vprof_request *request, uint64_t now)
{
	uint32_t groups = request->groups ? request->groups : (uint32_t)vprof_config.trace;

	/* A limit is of no use where what it counts is not recorded. */
	if (request->launches)
		groups |= VPROF_GROUP_BIT(VPROF_GROUP_LAUNCH) | VPROF_GROUP_BIT(VPROF_GROUP_GRAPH);
	if (request->steps)
		groups |= VPROF_STEPS_GROUPS;
	/* So that none is counted that the window before this one had. */
	if ((request->launches || request->steps) && (vprof_window_open() || vprof_groups()))
		vprof_switch_surely(0, VPROF_WINDOW_REQUEST, request->serial);
	vprof_launches_limit(request->launches);
	period.until_ns = request->for_ns ? add_up(now, request->for_ns) : 0;
	period.tickets = 0;
	if (request->bytes)
		period.tickets = add_up(__atomic_load_n(&vprof_map.live->ticket, __ATOMIC_RELAXED),
					 (request->bytes - 1) / VPROF_CHUNK_SIZE + 1);
	__atomic_store_n(&steps_made, 0, __ATOMIC_RELAXED);
	period.steps = request->steps;
	vprof_steps_unwatch(VPROF_STEPS_LIMIT);
	/* Without memory for it the limit is none that is ever reached. */
	if (request->steps && vprof_steps_watch(VPROF_STEPS_LIMIT, count_step))
		vprof_lose(VPROF_LOSS_REQUEST);
	period.window = vprof_switch_surely(groups, VPROF_WINDOW_REQUEST, request->serial);
	/* Records, and may do so beyond its limits. */
	if (!period.window)
		vprof_lose(VPROF_LOSS_REQUEST);
}

static void tell_pending(void)
{
	uint64_t next = least(later.verb ? later.at_ns : NEVER, stop_ns ? stop_ns : NEVER);

	__atomic_store_n(&vprof_map.live->served.pending_ns, next == NEVER ? 0 : next, __ATOMIC_RELAXED);
}

static void spin_until(uint64_t ns)
{
	while (vprof_monotonic_ns() < ns)
		;
}

static uint64_t start_ns(void)
{
	return later.verb ? later.at_ns : NEVER;
}

static uint64_t end_ns(void)
{
	return least(stop_ns ? stop_ns : NEVER, period.until_ns ? period.until_ns : NEVER);
}

/* What is due before `until`, in the order of its stamps; an end before a start of the same. */
static void due(uint64_t until)
{
	for (;;) {
		uint64_t start = start_ns(), end = end_ns(), at = least(start, end);

		if (at == NEVER || at > until)
			return;
		spin_until(at);
		if (at == end && at == stop_ns) {
			stop_ns = 0;
			period_end(VPROF_WINDOW_REQUEST, stop_serial);
		} else if (at == end) {
			period_end(VPROF_WINDOW_TIME, 0);
		} else {
			later.verb = 0;
			period_start(&later, at);
		}
		tell_pending();
	}
}

/* ---- the verbs ---- */

static int take_start(const struct vprof_request *request, uint64_t now)
{
	if (request->groups && !(request->groups & (VPROF_GROUP_BIT(VPROF_GROUP_COUNT) - 1)))
		return -EINVAL;
	later.verb = 0;
	if (request->at_ns > now) {
		later = *request;
		if (request->launches)
			vprof_launches_prepare();
	} else {
		period_start(request, now);
	}
	return 0;
}

static int take_stop(const struct vprof_request *request, uint64_t now)
{
	/* One that comes first has nothing to do with it. */
	if (later.verb && later.at_ns >= request->at_ns)
		later.verb = 0;
	stop_ns = 0;
	if (request->at_ns > now) {
		stop_ns = request->at_ns;
		stop_serial = request->serial;
	} else {
		period_end(VPROF_WINDOW_REQUEST, request->serial);
	}
	return 0;
}

static int take_mark(const struct vprof_request *request, uint64_t now)
{
	struct vprof_said said = { .text = request->text, .length = strnlen(request->text, sizeof(request->text)) };

	(void)now;
	vprof_tell_mark(&said);
	return 0;
}

/* What becomes of it, files tell; a request that cannot be met is no garbage. */
static int take_spill(const struct vprof_request *request, uint64_t now)
{
	(void)now;
	vprof_spill_set(request->count != 0);
	return 0;
}

static const struct {
	uint32_t verb;
	int (*take)(const struct vprof_request *request, uint64_t now);
} verbs[] = {
	{ VPROF_REQUEST_START, take_start },
	{ VPROF_REQUEST_STOP, take_stop },
	{ VPROF_REQUEST_MARK, take_mark },
	{ VPROF_REQUEST_SPILL, take_spill },
};

/* ---- taking up ---- */

/* 0, or -EINVAL: garbage, or torn. */
static int request_copy(struct vprof_request *request, uint32_t serial)
{
	const uint64_t *from = (const uint64_t *)&vprof_map.control->request[serial % VPROF_REQUESTS];
	uint64_t words[sizeof(*request) / sizeof(*from)];

	/* Pairs with the controller's release of serial, and of the bell. */
	words[0] = __atomic_load_n(&from[0], __ATOMIC_ACQUIRE);
	for (unsigned i = 1; i < ARRAY_SIZE(words); i++)
		words[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	memcpy(request, words, sizeof(*request));
	return (uint32_t)request->serial == serial && vprof_request_check(request) == request->check ? 0 : -EINVAL;
}

/* Garbage in the bell may lead back to requests that have been carried out. */
static int is_known(const struct vprof_request *request)
{
	unsigned place = request->serial % VPROF_REQUESTS;

	if (taken[place].serial == request->serial && taken[place].check == request->check)
		return 1;
	taken[place].serial = request->serial;
	taken[place].check = request->check;
	return 0;
}

static int request_take(uint32_t serial)
{
	struct vprof_request request;

	if (request_copy(&request, serial))
		return -EINVAL;
	if (is_known(&request))
		return -EALREADY;
	for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++)
		if (verbs[i].verb == request.verb)
			return verbs[i].take(&request, vprof_monotonic_ns());
	return -EINVAL;
}

static void take_up(void)
{
	struct vprof_served *served = &vprof_map.live->served;
	/* Pairs with the controller's release. */
	uint32_t newest = __atomic_load_n(&vprof_map.control->doorbell, __ATOMIC_ACQUIRE);
	uint32_t rings = newest - bell;

	barren = rings != 0;
	if (rings > VPROF_REQUESTS) {
		vprof_lose(VPROF_LOSS_REQUEST);
		bell = newest - VPROF_REQUESTS;
	}
	while (bell != newest) {
		int error = request_take(++bell);

		if (error == -EINVAL)
			vprof_lose(VPROF_LOSS_REQUEST);
		else if (!error)
			barren = 0;
	}
	if (!rings)
		return;
	tell_pending();
	__atomic_store_n(&served->ns, vprof_monotonic_ns(), __ATOMIC_RELAXED);
	/* Pairs with the controllers' acquire load: what a request did at once has been done. */
	__atomic_store_n(&served->serial, newest, __ATOMIC_RELEASE);
}

/* ---- the round ---- */

/* Has something else switched in the meantime? Then its limits are void. 1 while a limit has to be looked at. */
static int period_watch(void)
{
	if (!period.window)
		return 0;
	if (vprof_window_open() != period.window) {
		period_forget();
		vprof_launches_free(vprof_launches_number());
		return 0;
	}
	if (period.tickets && __atomic_load_n(&vprof_map.live->ticket, __ATOMIC_RELAXED) >= period.tickets) {
		period_end(VPROF_WINDOW_BYTES, 0);
		return 0;
	}
	return period.tickets || period.steps;
}

/* The next moment at which there is something to do. */
static uint64_t next_ns(uint64_t now)
{
	uint64_t at = least(start_ns(), end_ns());
	int watched = period_watch();

	if (vprof_launches_watch() || watched)
		at = least(at, now + POLL_NS);
	return at;
}

void vprof_control_round(void)
{
	take_up();
	/* What others have switched comes first: it makes limits void. */
	vprof_windows_settle();
	vprof_steps_poll();
	period_watch();
	due(vprof_monotonic_ns() + SPIN_NS);
}

static void sleep_until(uint64_t ns)
{
	struct timespec until = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* Until then, or until somebody rings. */
static void bell_wait(uint64_t until_ns, uint64_t now)
{
	struct timespec until = { (time_t)(until_ns / 1000000000), (long)(until_ns % 1000000000) };

	/* FUTEX_WAIT_BITSET takes a moment of CLOCK_MONOTONIC, and the file is shared with whoever rings. */
	if (!syscall(SYS_futex, &vprof_map.control->doorbell, FUTEX_WAIT_BITSET, bell, &until, NULL,
		     FUTEX_BITSET_MATCH_ANY))
		return;
	if (errno != EAGAIN && errno != EINTR && errno != ETIMEDOUT)
		sleep_until(least(until_ns, now + NO_FUTEX_NS));
}

void vprof_control_wait(uint64_t until_ns)
{
	uint64_t now = vprof_monotonic_ns(), next = next_ns(now);

	if (barren)
		sleep_until(now + BARREN_NS);
	else if (least(until_ns, next) > now + SPIN_NS || next > until_ns)
		bell_wait(next > until_ns ? until_ns : next - SPIN_NS, now);
	vprof_control_round();
}

void vprof_control_begin(void)
{
	/* Nobody can have asked anything yet, but the ring's name may be known already. */
	bell = 0;
	barren = 0;
	memset(taken, 0, sizeof(taken));
	later.verb = 0;
	stop_ns = 0;
	memset(&period, 0, sizeof(period));
	vprof_steps_forget();
	vprof_launches_begin();
}
