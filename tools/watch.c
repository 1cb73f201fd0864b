/*
 * watch.c - one process's new records, and what they say.
 */
#include "tools/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/list.h"
#include "tools/process.h"
#include "vprof/slow.h"

#define CHECK_NS 500000000ull

enum { BUSY_CALLS = 100 };   /* a process that has made fewer was not busy, and is not idle now */

struct watch_record {
	uint64_t thread;
	struct vprof_slot slot;
};

struct watch_thread {
	struct watch *watch;
	struct watch_process *process;
	uint64_t serial, last_ticks;
	uint64_t from_ticks;   /* steps that ended before are history */
	int settled;           /* nothing has come since the last step was closed */
	struct vprof_steps steps;
	struct vprof_slow slow;
};

const char *watch_reason_name(enum watch_reason reason)
{
	static const char *const names[] = {
		[WATCH_SLOW_STEP] = "slow_step", [WATCH_IDLE] = "idle", [WATCH_HANG] = "hang",
	};

	return names[reason];
}

/* What a damaged ring says may be longer than any time. */
static uint64_t ticks_to_ns(const struct watch_process *p, uint64_t ticks)
{
	double ns = (double)ticks * 1e9 / p->clock.hz;

	return ns < 1e18 ? (uint64_t)ns : 1000000000000000000ull;
}

static uint64_t ns_to_ticks(const struct watch_process *p, uint64_t ns)
{
	return (uint64_t)((double)ns * p->clock.hz / 1e9);
}

/* ---- steps ---- */

static void take_step(void *to, const struct vprof_step *step)
{
	struct watch_thread *thread = to;
	int slow = vprof_slow_judge(&thread->slow, step);
	struct watch_event event = {
		.reason = WATCH_SLOW_STEP, .ring = &thread->process->ring, .step = thread->slow.steps,
		.ns = ticks_to_ns(thread->process, step->end - step->begin),
		.usual_ns = ticks_to_ns(thread->process, thread->slow.usual),
	};

	if (slow && step->end > thread->from_ticks)
		thread->watch->tell(thread->watch->to, &event);
}

static struct watch_thread *thread_find(struct watch_process *p, uint64_t serial)
{
	for (size_t i = 0; i < p->thread_count; i++)
		if (p->threads[i]->serial == serial)
			return p->threads[i];
	return NULL;
}

/* The calls that wait for all streams, whatever their handle. */
static void find_waits(const struct ring *ring, struct vprof_steps *steps)
{
	int found = 0;

	for (uint32_t call = 0; call < ring->call_count && found < 2; call++)
		if (ring->calls[call] && !strncmp(ring->calls[call], "cuCtxSynchronize", 16))
			steps->wait_all[found++] = (uint16_t)call;
}

static struct watch_thread *thread_add(struct watch *watch, struct watch_process *p, uint64_t serial)
{
	struct watch_thread *thread = list_grow(p->threads, p->thread_count) ? NULL : calloc(1, sizeof(*thread));

	if (!thread)
		return NULL;
	*thread = (struct watch_thread){ .watch = watch, .process = p, .serial = serial, .from_ticks = p->from_ticks };
	vprof_steps_begin(&thread->steps, (uint64_t)p->clock.hz, take_step, thread);
	find_waits(&p->ring, &thread->steps);
	thread->slow.limit = ns_to_ticks(p, watch->rules.slow_ns);
	thread->slow.percent = watch->rules.slow_percent;
	return p->threads[p->thread_count++] = thread;
}

static int launches(const struct vprof_slot *slot)
{
	return slot->kind == VPROF_KIND_LAUNCH || slot->kind == VPROF_KIND_GRAPH_LAUNCH;
}

static int feed(struct watch *watch, struct watch_process *p, const struct watch_record *record)
{
	struct watch_thread *own = thread_find(p, record->thread);
	const struct vprof_slot *slot = &record->slot;
	uint64_t end = slot->t0 + VPROF_DONE_TICKS(slot->done);

	if (!own && launches(slot)) {
		own = thread_add(watch, p, record->thread);
		if (!own)
			return -ENOMEM;
	}
	for (size_t i = 0; i < p->thread_count; i++)
		if (p->threads[i] != own)
			vprof_steps_elsewhere(&p->threads[i]->steps, slot);
	if (!own)
		return 0;
	vprof_steps_feed(&own->steps, slot, slot->t0, end, 0);
	own->last_ticks = end;
	own->settled = 0;
	return 0;
}

static int compare_records(const void *a, const void *b)
{
	const struct watch_record *x = a, *y = b;

	return (x->slot.t0 > y->slot.t0) - (x->slot.t0 < y->slot.t0);
}

static int feed_all(struct watch *watch, struct watch_process *p, uint64_t now)
{
	uint64_t idle = ns_to_ticks(p, VPROF_STEPS_IDLE);
	int error = 0;

	if (p->record_count)
		qsort(p->records, p->record_count, sizeof(*p->records), compare_records);
	for (size_t i = 0; i < p->record_count && !error; i++)
		error = feed(watch, p, &p->records[i]);
	for (size_t i = 0; i < p->thread_count; i++) {
		struct watch_thread *thread = p->threads[i];

		if (thread->settled || now < thread->last_ticks + idle)
			continue;
		vprof_steps_end(&thread->steps);
		thread->settled = 1;
	}
	return error;
}

/* ---- a round ---- */

struct round {
	struct watch *watch;
	struct watch_process *process;
	int error;
};

static void see(void *to, uint64_t thread, const struct vprof_slot *slot)
{
	struct round *round = to;
	struct watch_process *p = round->process;
	uint64_t end = slot->t0 + VPROF_DONE_TICKS(slot->done);
	size_t room = p->record_room ? 2 * p->record_room : 256;
	struct watch_record *bigger;

	if (slot->kind >= VPROF_KIND_THREAD)
		return;
	p->calls++;
	p->last_ticks = end > p->last_ticks ? end : p->last_ticks;
	if (!round->watch->rules.slow_ns && !round->watch->rules.slow_percent)
		return;
	if (p->record_count == p->record_room) {
		bigger = reallocarray(p->records, room, sizeof(*bigger));
		if (!bigger) {
			round->error = -ENOMEM;
			return;
		}
		p->records = bigger;
		p->record_room = room;
	}
	p->records[p->record_count++] = (struct watch_record){ thread, *slot };
}

static void tell(struct watch *watch, struct watch_process *p, enum watch_reason reason, uint64_t ticks,
		 const char *call)
{
	struct watch_event event = {
		.reason = reason, .ring = &p->ring, .ns = ticks_to_ns(p, ticks), .call = call,
	};

	if (process_state(&p->ring) != PROCESS_STOPPED)
		watch->tell(watch->to, &event);
}

/* Is a call in flight? Tells of each that has been for too long. */
static int judge_open(struct watch *watch, struct watch_process *p, uint64_t now)
{
	uint64_t limit = ns_to_ticks(p, watch->rules.hang_ns);
	int open = 0;

	for (uint32_t i = 0; i < p->follow.lane_count; i++) {
		struct follow_lane *lane = &p->follow.lanes[i];

		if (!lane->open.seq)
			continue;
		open = 1;
		if (!limit || lane->told == lane->open.seq || now < lane->open.t0 + limit)
			continue;
		lane->told = lane->open.seq;
		tell(watch, p, WATCH_HANG, now - lane->open.t0, ring_call_name(&p->ring, lane->open.call));
	}
	return open;
}

static void judge_idle(struct watch *watch, struct watch_process *p, uint64_t now)
{
	uint64_t limit = ns_to_ticks(p, watch->rules.idle_ns);

	if (!limit || p->calls < BUSY_CALLS || now < p->last_ticks + limit)
		return;
	p->calls = 0;
	tell(watch, p, WATCH_IDLE, now - p->last_ticks, NULL);
}

static int process_round(struct watch *watch, struct watch_process *p, uint64_t now_ns)
{
	struct round round = { watch, p, 0 };
	uint64_t now = clock_ticks(&p->clock, now_ns);
	int error;

	p->record_count = 0;
	error = ring_follow_round(&p->follow, see, &round);
	if (!error)
		error = round.error;
	if (!error)
		error = feed_all(watch, p, now);
	watch->missed += p->follow.missed;
	p->follow.missed = 0;
	if (p->follow.asked) {
		p->calls += p->follow.asked;
		p->last_ticks = now;
	}
	/* What is not recorded says nothing. */
	if (!p->ring.control.word)
		p->last_ticks = now;
	if (!error && !judge_open(watch, p, now) && p->ring.control.word)
		judge_idle(watch, p, now);
	return error;
}

/* ---- processes ---- */

static void process_free(struct watch_process *p)
{
	for (size_t i = 0; i < p->thread_count; i++)
		free(p->threads[i]);
	free(p->threads);
	free(p->records);
	ring_follow_end(&p->follow);
	clock_free(&p->clock);
	ring_close(&p->ring);
	free(p);
}

static int is_watched(const struct watch *watch, const struct input *input)
{
	for (size_t i = 0; i < watch->count; i++)
		if (watch->list[i]->device == input->device && watch->list[i]->inode == input->inode)
			return 1;
	return 0;
}

/* 1: it lives and is ready to be watched; 0: there is nothing to watch. */
static int process_open(struct watch_process *p, const struct input *input, uint64_t now_ns)
{
	char why[1280];

	if (ring_open_parts(&p->ring, input->path, RING_LIVE | RING_ANCHORS | RING_DEFS, why, sizeof(why)))
		return 0;
	if (!p->ring.header.cut_ticks && process_same_boot(&p->ring) && process_lives(process_state(&p->ring)) &&
	    !clock_build(&p->clock, &p->ring) && !ring_follow_begin(&p->follow, &p->ring)) {
		p->device = input->device;
		p->inode = input->inode;
		p->checked_ns = now_ns;
		p->from_ticks = p->last_ticks = clock_ticks(&p->clock, now_ns);
		return 1;
	}
	clock_free(&p->clock);
	ring_close(&p->ring);
	return 0;
}

int watch_add(struct watch *watch, const struct inputs *inputs, uint64_t now_ns)
{
	for (size_t i = 0; i < inputs->count; i++) {
		struct watch_process *p;

		if (is_watched(watch, &inputs->list[i]))
			continue;
		if (list_grow(watch->list, watch->count))
			return -ENOMEM;
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		if (process_open(p, &inputs->list[i], now_ns)) {
			watch->list[watch->count++] = p;
			watch->came++;
		} else {
			free(p);
		}
	}
	return 0;
}

/* Anchors come once a second, and a process may end without a word. */
static int process_check(struct watch_process *p, uint64_t now_ns)
{
	struct clock clock;

	if (p->ring.live.state == VPROF_RING_CLOSED)
		return 0;
	if (now_ns - p->checked_ns < CHECK_NS)
		return 1;
	p->checked_ns = now_ns;
	if (ring_reread(&p->ring, RING_ANCHORS) || !process_lives(process_state(&p->ring)))
		return 0;
	if (!clock_build(&clock, &p->ring)) {
		clock_free(&p->clock);
		p->clock = clock;
	}
	return 1;
}

int watch_round(struct watch *watch, uint64_t now_ns)
{
	size_t kept = 0;
	int error = 0;

	for (size_t i = 0; i < watch->count; i++) {
		struct watch_process *p = watch->list[i];
		int failed = process_check(p, now_ns) ? process_round(watch, p, now_ns) : -ESRCH;

		if (failed == -ENOMEM)
			error = failed;
		if (failed && failed != -ENOMEM) {
			process_free(p);
			watch->went++;
		} else {
			watch->list[kept++] = p;
		}
	}
	watch->count = kept;
	return error;
}

void watch_close(struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++)
		process_free(watch->list[i]);
	free(watch->list);
	watch->list = NULL;
	watch->count = 0;
}
