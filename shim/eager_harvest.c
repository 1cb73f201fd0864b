/*
 * eager_harvest.c - stamps of streams: windows, slots, and what has come, into records. By housekeeping, and slots
 * by our thread.
 *
 * Operations of a track are taken in order, each when the stamp behind it has been made. The time of a window
 * within its period is drawn: programs have periods of their own.
 */
#include <string.h>
#include <time.h>
#include "preload/clock.h"
#include "preload/inner.h"
#include "preload/record.h"
#include "shim/eager.h"

enum {
	WAIT_NS = 1000000000, /* for the next of the last operations of a stream that has gone, or whose context has */
	FIRST_NS = 2000000000,
};

/* When the window that is open ends; 0: none is. Peers: threads of the program's. */
static uint64_t open_until;
static uint64_t next_open; /* 0: at once */
static uint32_t ended;     /* the process ends: no stamps any more. Peers: likewise */

/* ---- slots, by our thread ---- */

struct vprof_track *vprof_track_wanted(void)
{
	for (struct vprof_track *track = vprof_tracks; track < vprof_tracks + VPROF_TRACKS; track++)
		/* Pairs with the release in track_claim(). */
		if (__atomic_load_n(&track->state, __ATOMIC_ACQUIRE) == VPROF_TRACK_WANTED &&
		    vprof_gpu_state_of(track->gpu) == VPROF_GPU_READY)
			return track;
	return NULL;
}

void vprof_track_prepare(struct vprof_track *track)
{
	uint32_t wanted = VPROF_TRACK_WANTED, state;
	struct vprof_gpu *gpu = track->gpu;

	if (track->area && track->area_gpu != gpu) {
		vprof_gpu_area_drop(track->area);
		track->area = NULL;
	}
	if (!track->area)
		track->area = vprof_gpu_area(gpu, VPROF_EAGER_LOG);
	if (!track->ops)
		track->ops = vprof_table(VPROF_EAGER_OPS * sizeof(*track->ops));
	track->area_gpu = gpu;
	state = track->area && track->ops ? VPROF_TRACK_READY : VPROF_TRACK_NONE;
	/* Pairs with the acquire in track_here(). */
	__atomic_compare_exchange_n(&track->state, &wanted, state, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

/* ---- windows ---- */

static uint64_t now_ns(void)
{
	return vprof_clock_ns(CLOCK_MONOTONIC);
}

int vprof_eager_is_open(void)
{
	uint64_t until = __atomic_load_n(&open_until, __ATOMIC_RELAXED);

	/* Housekeeping may close it late. */
	return until && (until == UINT64_MAX || now_ns() < until) && !__atomic_load_n(&ended, __ATOMIC_RELAXED);
}

int vprof_eager_has_spans(void)
{
	return vprof_gpu_spans_now() && !__atomic_load_n(&ended, __ATOMIC_RELAXED);
}

void vprof_eager_forget(void)
{
	for (int i = 0; i < VPROF_TRACKS; i++)
		if (vprof_tracks[i].key || vprof_tracks[i].area)
			memset(&vprof_tracks[i], 0, sizeof(vprof_tracks[i]));
	/* The parent may have forked in a handler of its end. */
	ended = 0;
	open_until = next_open = 0;
}

void vprof_eager_end(void)
{
	__atomic_store_n(&ended, 1, __ATOMIC_RELAXED);
	vprof_launches_stamped(0, 0);
}

static uint64_t draw(uint64_t most)
{
	static uint64_t x = 0x9e3779b97f4a7c15u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return most ? x % most : 0;
}

static void window_set(uint64_t until)
{
	/* What other threads put onto streams before it has not been seen. */
	if (until && until != open_until)
		vprof_eager_miss();
	__atomic_store_n(&open_until, until, __ATOMIC_RELAXED);
	vprof_launches_stamped(until != 0, vprof_eager_has_spans());
}

/* Before the first window there is a wait for a track, which takes our thread a while: not for long, though. */
static int is_waiting(uint64_t now)
{
	static uint64_t until;

	until = until ? until : now + FIRST_NS;
	for (const struct vprof_track *track = vprof_tracks; track < vprof_tracks + VPROF_TRACKS; track++)
		if (__atomic_load_n(&track->state, __ATOMIC_RELAXED) == VPROF_TRACK_READY)
			until = 1;
	return now < until;
}

uint64_t vprof_eager_round(uint64_t now)
{
	struct vprof_gpu_window window = vprof_gpu_window_now();
	uint64_t open = window.open_us * 1000ull, period = window.period_us * 1000ull;
	static uint64_t period_end;

	if (!open || !period) {
		window_set(0);
		next_open = period_end = 0;
		return UINT64_MAX;
	}
	if (open >= period || is_waiting(now)) {
		window_set(UINT64_MAX);
		return open < period ? open : UINT64_MAX;
	}
	if (open_until > now && open_until != UINT64_MAX)
		return open_until - now;
	if (next_open > now) {
		window_set(0);
		return next_open - now;
	}
	/* It opens, and the next one is drawn. */
	period_end = (period_end > now ? period_end : now) + period;
	next_open = period_end + draw(period - open);
	window_set(now + open);
	return open;
}

/* ---- what has come ---- */

static int tell(const struct vprof_track *track, const struct vprof_eager_op *op, uint64_t begin, uint64_t end)
{
	struct vprof_record r = vprof_begin_own();
	uint64_t ns = end > begin ? end - begin : 0;

	if (!r.slot)
		return 0;
	r.slot->kind = VPROF_KIND_TIMED;
	r.slot->call = 0;
	r.slot->object = op->object;
	r.slot->timed.end = end;
	r.slot->timed.stream = op->stream;
	r.slot->timed.ns = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
	r.slot->timed.device = (uint16_t)track->gpu->device;
	r.slot->timed.of = op->kind;
	r.slot->timed.thread = op->thread;
	r.slot->timed.type = op->type;
	r.slot->timed.zero = 0;
	r.slot->t0 = op->t0;
	r.slot->done = VPROF_DONE(1, 0);
	/* Pairs with the readers' acquire load of seq. */
	__atomic_store_n(&r.slot->seq, r.seq, __ATOMIC_RELEASE);
	return 1;
}

/* 0: the stamp behind it has not been made. `last`: it will not be. */
static int take(struct vprof_track *track, int last)
{
	const struct vprof_eager_op *op = &track->ops[track->taken % VPROF_EAGER_OPS];
	const struct vprof_eager_slot *slot = vprof_eager_slot(track, track->taken);
	/* The GPU stores both, the begin first. */
	uint64_t end = op->stamped ? __atomic_load_n(&slot->end, __ATOMIC_ACQUIRE) : 0, begin;

	if (op->stamped && !end && !last)
		return 0;
	begin = op->begins ? __atomic_load_n(&slot->begin, __ATOMIC_RELAXED) : track->last_end;
	/* What follows, and never waits, may be over before what it follows: it has no time of its own then. */
	if (op->type != VPROF_STAMP_NONE && (!end || !begin || (end < begin && op->type != VPROF_STAMP_FOLLOWING) ||
					     !tell(track, op, begin, end)))
		vprof_lose(VPROF_LOSS_STAMPS);
	/* What comes next waits for both. */
	track->last_end = end && end < track->last_end ? track->last_end : end;
	/* Pairs with the acquire in begin(). */
	__atomic_store_n(&track->taken, track->taken + 1, __ATOMIC_RELEASE);
	return 1;
}

/* Returns how many are still to come. */
static uint32_t harvest(struct vprof_track *track, int last)
{
	uint32_t put = __atomic_load_n(&track->put, __ATOMIC_ACQUIRE);

	while (track->taken != put && take(track, last))
		;
	return put - track->taken;
}

/*
 * A stream that has gone leaves its slots to another when nothing is to come any more; if that takes too long, to none.
 * What is on its way when a context is about to go still comes: the driver waits for it.
 */
static void settle(struct vprof_track *track, uint32_t came, uint32_t to_come)
{
	uint64_t now = now_ns();

	if (!track->ended_ns || came)
		track->ended_ns = now;
	if (to_come && now - track->ended_ns < WAIT_NS)
		return;
	if (to_come) {
		harvest(track, 1);
		track->area = NULL;
	}
	track->last_end = 0;
	__atomic_store_n(&track->state, VPROF_TRACK_FREE, __ATOMIC_RELAXED);
	/* Pairs with the acquire in track_claim(). */
	__atomic_store_n(&track->key, 0, __ATOMIC_RELEASE);
}

static uint32_t harvest_track(struct vprof_track *track, int last)
{
	/* Pairs with the releases of those who make it and end it. */
	uint32_t state = __atomic_load_n(&track->state, __ATOMIC_ACQUIRE), before = track->taken, to_come;

	if (state == VPROF_TRACK_FREE)
		return 0;
	to_come = state == VPROF_TRACK_READY || state == VPROF_TRACK_ENDED ? harvest(track, last) : 0;
	if (state == VPROF_TRACK_ENDED || vprof_gpu_state_of(track->gpu) == VPROF_GPU_DEAD)
		settle(track, track->taken - before, to_come);
	return to_come;
}

int vprof_eager_harvest(int last)
{
	int to_come = 0;

	for (struct vprof_track *track = vprof_tracks; track < vprof_tracks + VPROF_TRACKS; track++)
		to_come |= harvest_track(track, last) != 0;
	return to_come;
}
