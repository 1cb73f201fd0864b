/*
 * trigger.c - slow steps, hangs and idleness, seen by housekeeping in the lanes.
 *
 * A round looks at the last call of each lane: has it returned, and when? A call that is in flight for too
 * long is a hang, told once; when all have returned for long enough, in a process that had been busy, it is
 * idle. Steps come from steps.c, and vprof/slow.h judges them. Copies are bounded in number
 * (VPROF_SNAP_MOST), and between two of them lies a time (cooldown). While recording is off nothing is judged.
 */
#include "preload/trigger.h"

#include <string.h>
#include "preload/config.h"
#include "preload/control.h"
#include "preload/inner.h"
#include "preload/libc.h"
#include "preload/process.h"
#include "preload/record.h"
#include "preload/snapshot.h"
#include "preload/steps.h"
#include "vprof/times.h"
#include "vprof/slow.h"

#define PACE_LEAST_NS 5000000ull
#define PACE_MOST_NS 100000000ull
#define COOLDOWN_NS (10 * VPROF_NS_A_SECOND)

enum {
	BUSY_SLOTS = 100,      /* a process with fewer records was not busy */
	LANES = 256,           /* that are watched for hangs */
};

/* What VPROF_SNAP_ON says; 0: not that. */
static struct {
	uint64_t slow_step_ns, slow_percent, idle_ns, hang_ns, cooldown_ns;
} rules;

static uint64_t told[LANES];   /* by lane: seq of the call in flight that a copy was made for */
static uint64_t slots;         /* records that the lanes had when they were last looked at, */
static uint64_t busy_from;     /* and when the process was last idle */
static struct vprof_slow slow;
static int watches_steps, slow_seen; /* a slow step since the last round */
static uint64_t last_round_ns, last_copy_ns;
static unsigned copies;
static int copying, said;

/* ---- VPROF_SNAP_ON ---- */

static const char *parse_slow_step(const char *text)
{
	uint64_t n;
	const char *end = vprof_parse_number(text, &n);

	if (!end || *end != 'x')
		return vprof_parse_time(text, &rules.slow_step_ns);
	rules.slow_percent = n / 10;
	return n > 1000 ? end + 1 : NULL;
}

/* One word; what stands behind it, NULL when it is not understood. */
static const char *parse_word(const char *text)
{
	static const struct { char name[12]; uint64_t *ns; } times[] = {
		{ "idle:", &rules.idle_ns }, { "hang:", &rules.hang_ns }, { "cooldown:", &rules.cooldown_ns },
	};

	if (!strncmp(text, "slow_step:", 10))
		return parse_slow_step(text + 10);
	for (unsigned i = 0; i < ARRAY_SIZE(times); i++) {
		size_t length = strlen(times[i].name);

		if (!strncmp(text, times[i].name, length))
			return vprof_parse_time(text + length, times[i].ns);
	}
	return NULL;
}

/* All of it is understood, or nothing holds. */
static void parse(void)
{
	const char *p = vprof_config.snap_on;

	memset(&rules, 0, sizeof(rules));
	if (!strcmp(p, "none"))
		return;
	rules.cooldown_ns = COOLDOWN_NS;
	while (p && *p) {
		p = parse_word(p);
		if (p && *p == ',' && p[1])
			p++;
		else if (p && *p)
			p = NULL;
	}
	if (p)
		return;
	memset(&rules, 0, sizeof(rules));
	if (!said)
		vprof_log("VPROF_SNAP_ON=%s is not understood; none holds", vprof_config.snap_on);
	said = 1;
}

/* ---- the copy ---- */

static void complain(int error)
{
	if (!said)
		vprof_log("no copy of the ring in %s: %s", vprof_out_folder(), vprof_strerror(error));
	said = 1;
}

/* The number in a name is that of the copy, unless the name was taken. */
static void copy(uint64_t now)
{
	int error = vprof_snapshot_start(++copies);

	last_copy_ns = now;
	copying = !error;
	if (error)
		complain(-error);
}

/* Does a copy go on? */
static int copy_goes_on(void)
{
	int made = copying ? vprof_snapshot_result() : 0;

	if (made)
		copying = 0;
	if (made < 0)
		complain(-made);
	return copying;
}

/* ---- the lanes ---- */

struct seen {
	uint64_t now;           /* ticks */
	uint64_t slots;
	uint64_t last;          /* when the last call returned */
	int open, hangs;
};

/* The last call of the chunk; 0 in kind: there is none. Said things, counts and names are none. */
static struct vprof_slot last_call(const struct vprof_chunk *chunk, uint32_t used)
{
	uint64_t base = __atomic_load_n(&chunk->head.base, __ATOMIC_ACQUIRE);
	struct vprof_slot slot = { 0 };

	for (uint32_t i = used < VPROF_CHUNK_SLOTS ? used - 1 : VPROF_CHUNK_SLOTS - 1; i; i--) {
		const struct vprof_slot *at = &chunk->slot[i - 1];

		/* Pairs with the release in vprof_publish_at(). */
		slot.seq = __atomic_load_n(&at->seq, __ATOMIC_ACQUIRE);
		slot.kind = __atomic_load_n(&at->kind, __ATOMIC_RELAXED);
		if (slot.seq != base + i || slot.kind >= VPROF_KIND_THREAD)
			continue;
		slot.t0 = __atomic_load_n(&at->t0, __ATOMIC_RELAXED);
		slot.done = __atomic_load_n(&at->done, __ATOMIC_RELAXED);
		/* Still that record? */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&at->seq, __ATOMIC_RELAXED) == slot.seq)
			return slot;
	}
	slot.kind = 0;
	return slot;
}

static void see_lane(struct seen *seen, uint32_t index, uint64_t hang_ticks)
{
	const struct vprof_lane *lane = &vprof_map.lanes[index];
	uint32_t place = __atomic_load_n(&lane->chunk, __ATOMIC_RELAXED), used;
	const struct vprof_chunk *chunk;
	struct vprof_slot call;

	if (!place || place > vprof_map.chunk_count)
		return;
	chunk = &vprof_map.chunks[place - 1];
	used = __atomic_load_n(&chunk->head.used, __ATOMIC_RELAXED);
	seen->slots += lane->sealed + used + __atomic_load_n(&lane->queries, __ATOMIC_RELAXED);
	call = last_call(chunk, used ? used : 1);
	if (!call.kind)
		return;
	if (call.done) {
		uint64_t end = call.t0 + VPROF_DONE_TICKS(call.done);

		seen->last = end > seen->last ? end : seen->last;
		return;
	}
	/* A thread that has ended returns no more. */
	if (__atomic_load_n(&lane->state, __ATOMIC_RELAXED) != VPROF_LANE_LIVE)
		return;
	seen->open = 1;
	if (!hang_ticks || seen->now < call.t0 + hang_ticks || index >= LANES || told[index] == call.seq)
		return;
	told[index] = call.seq;
	seen->hangs = 1;
}

static uint64_t ticks_of(uint64_t ns)
{
	return ns / 1000 * (vprof_map.header->tick_hz / 1000) / 1000;
}

static void see_lanes(struct seen *seen)
{
	uint64_t hang = ticks_of(rules.hang_ns);

	for (uint32_t i = 0; i < vprof_map.lane_count; i++) {
		/* Lanes are taken one after the other. */
		if (__atomic_load_n(&vprof_map.lanes[i].state, __ATOMIC_RELAXED) == VPROF_LANE_UNUSED)
			break;
		see_lane(seen, i, hang);
	}
}

static int is_idle(const struct seen *seen)
{
	if (!rules.idle_ns || seen->open || seen->slots != slots)
		return 0;
	return slots - busy_from >= BUSY_SLOTS && seen->last && seen->now > seen->last + ticks_of(rules.idle_ns);
}

/* ---- steps ---- */

static void see_step(const struct vprof_step *step)
{
	slow_seen |= vprof_slow_judge(&slow, step);
}

/* From the first round on, and no longer than copies are made. */
static void watch_steps(void)
{
	if (watches_steps || (!rules.slow_step_ns && !rules.slow_percent))
		return;
	memset(&slow, 0, sizeof(slow));
	slow.limit = ticks_of(rules.slow_step_ns);
	slow.percent = rules.slow_percent;
	watches_steps = !vprof_steps_watch(VPROF_STEPS_TRIGGER, see_step);
}

/* ---- a round ---- */

void vprof_trigger_begin(void)
{
	vprof_snapshot_reset();
	watches_steps = slow_seen = copying = 0;
	memset(told, 0, sizeof(told));
	slots = busy_from = last_round_ns = last_copy_ns = 0;
	copies = 0;
	parse();
}

uint64_t vprof_trigger_pace_ns(void)
{
	uint64_t pace = PACE_MOST_NS;

	int steps = rules.slow_step_ns || rules.slow_percent;

	if ((copies >= vprof_config.snap_most && !copying) || (!rules.idle_ns && !rules.hang_ns && !steps))
		return UINT64_MAX;
	if (steps)
		return PACE_LEAST_NS;
	if (rules.idle_ns && rules.idle_ns / 8 < pace)
		pace = rules.idle_ns / 8;
	if (rules.hang_ns && rules.hang_ns / 8 < pace)
		pace = rules.hang_ns / 8;
	return pace > PACE_LEAST_NS ? pace : PACE_LEAST_NS;
}

void vprof_trigger_round(void)
{
	uint64_t pace = vprof_trigger_pace_ns(), now;
	struct seen seen = { 0 };
	int idle, step;

	if (pace == UINT64_MAX)
		return;
	watch_steps();
	now = vprof_monotonic_ns();
	if (now - last_round_ns < pace)
		return;
	last_round_ns = now;
	step = slow_seen;
	slow_seen = 0;
	if (copy_goes_on() || !vprof_groups() || (last_copy_ns && now - last_copy_ns < rules.cooldown_ns))
		return;
	seen.now = vprof_ticks();
	see_lanes(&seen);
	idle = is_idle(&seen);
	slots = seen.slots;
	if (idle)
		busy_from = slots;
	if ((idle || step || seen.hangs) && copies < vprof_config.snap_most)
		copy(now);
	if (copies >= vprof_config.snap_most)
		vprof_steps_unwatch(VPROF_STEPS_TRIGGER);
}
