/*
 * steps.h - a program's steps, found in the calls of the thread that launches.
 *
 * A step is one turn of the loop that a program is: an iteration of an inference server, a batch of a
 * training. Nothing says where one begins, but the calls show it:
 *   RESULTS  The work of a step ends with a copy to the host, for which the host waits: at once, or
 *            later by an event that was recorded behind the copy, perhaps on another thread and when the
 *            next step is under way already. A copy that nobody waits for ends no step.
 *   WAITS    Without such copies: the same launches over and over, each time with a wait behind them.
 * After a step's end the next one begins with the next copy to the device, launch of a graph, or launch
 * behind a wait; launches that follow the end directly still belong to it.
 *
 * WHAT IS BELIEVED. One copy that is waited for makes no loop: RESULTS are believed from the fourth on
 * that follow each other within VPROF_STEPS_APART, WAITS from the 24th of the same shape, and never where
 * a graph is captured. The steps up to there are told then. Small pieces, a sixteenth of what is
 * usual, count with the step after them: a program may look at a number in the middle of a step.
 *
 * USE. A struct vprof_steps for each thread; its calls in order of time to vprof_steps_feed(), those
 * of other threads to vprof_steps_elsewhere(), vprof_steps_end() when there are no more. Each step is
 * told by the callback when it is known where the next one begins. Times are in any unit; no memory is
 * taken, each call costs a bounded time.
 */
#ifndef VPROF_STEPS_H
#define VPROF_STEPS_H

#include <string.h>
#include "vprof/ring.h"
#include "vprof/step.h"

typedef void vprof_steps_tell(void *to, const struct vprof_step *step);

enum {
	VPROF_STEPS_PROOF = 4,     /* RESULTS */
	VPROF_STEPS_TURNS = 24,    /* WAITS */
	VPROF_STEPS_PENDING = 8,   /* steps whose results are under way */
	VPROF_STEPS_EVENTS = 16,
	VPROF_STEPS_TAIL = 16,     /* launches behind a step's end that may still be its own */
	VPROF_STEPS_STRANGE = 64,  /* waits behind work without results, or turns of another shape: the loop is over */
	VPROF_STEPS_SMALL = 16,
	VPROF_STEPS_GRAPH = 256,   /* nodes of a graph of which the number is not known */
};
#define VPROF_STEPS_APART 10000000000ull /* ns */
#define VPROF_STEPS_IDLE    250000000ull /* ns without a call: what comes then is something else */

struct vprof_steps_event {
	uint64_t event;            /* 0: free */
	uint64_t serial;           /* of the piece whose results it stands behind */
};

struct vprof_steps {
	vprof_steps_tell *tell;
	void *to;
	uint64_t second;           /* in units of time */
	uint16_t wait_all[2];      /* calls (vprof_slot.call) that wait for all streams, whatever their handle;
	                              0: none */
	/* The piece that goes on, and what came after its results. */
	struct vprof_step open, tail;
	uint64_t serial;           /* of the open piece, from 1 */
	uint64_t out_stream;
	uint8_t out;               /* a copy to the host is the last thing on that stream */
	uint8_t fetched, confirmed, waited; /* the open piece */
	uint8_t mode;              /* enum vprof_step_source: what is believed; 0: nothing yet */
	uint8_t proof_wanted;      /* RESULTS to be believed, VPROF_STEPS_PROOF at most */
	uint8_t proof_count, pending_count;
	uint16_t turns;            /* pieces of one shape in a row */
	uint16_t strange;          /* what did not fit since the last step */
	uint32_t usual;            /* weight of a step */
	uint32_t event_next;
	uint64_t steps;            /* told so far */
	struct vprof_steps_event events[VPROF_STEPS_EVENTS];
	struct vprof_step pending[VPROF_STEPS_PENDING]; /* closed, results not waited for yet */
	uint64_t pending_serial[VPROF_STEPS_PENDING];
	struct vprof_step proof[VPROF_STEPS_PROOF];
	struct vprof_step turn[VPROF_STEPS_TURNS];
};

/* `second`: one second in the unit in which times will be given. */
static inline void vprof_steps_begin(struct vprof_steps *s, uint64_t second, vprof_steps_tell *tell, void *to)
{
	memset(s, 0, sizeof(*s));
	s->second = second;
	s->tell = tell;
	s->to = to;
	s->proof_wanted = VPROF_STEPS_PROOF;
	s->serial = 1;
}

static inline uint64_t vprof_steps_span(const struct vprof_steps *s, uint64_t ns)
{
	return ns / 1000000 * (s->second / 1000);
}

static inline void vprof_steps_give(struct vprof_steps *s, struct vprof_step *step, uint16_t source)
{
	uint32_t weight = vprof_step_weight(step);

	s->usual = s->usual ? s->usual - s->usual / 8 + weight / 8 : weight;
	step->source = source;
	s->steps++;
	s->tell(s->to, step);
}

/* Small pieces are no steps, nor proof of any. */
static inline int vprof_steps_small(const struct vprof_step *step, uint32_t usual)
{
	return !vprof_step_weight(step) || vprof_step_weight(step) < usual / VPROF_STEPS_SMALL;
}

/* Keeps what proves a loop of results: pieces that follow each other, and none that is small beside the new one. */
static inline void vprof_steps_prove(struct vprof_steps *s, const struct vprof_step *step)
{
	uint64_t apart = vprof_steps_span(s, VPROF_STEPS_APART);
	uint32_t kept = 0;

	if (s->proof_count && step->begin > s->proof[s->proof_count - 1].end + apart)
		s->proof_count = 0;
	for (uint32_t i = 0; i < s->proof_count; i++) {
		if (vprof_steps_small(step, vprof_step_weight(&s->proof[i])))
			return;
		if (!vprof_steps_small(&s->proof[i], vprof_step_weight(step)))
			s->proof[kept++] = s->proof[i];
	}
	s->proof[kept] = *step;
	s->proof_count = kept + 1;
}

/* A piece with results that the host has waited for. */
static inline void vprof_steps_result(struct vprof_steps *s, struct vprof_step *step)
{
	if (vprof_steps_small(step, s->usual))
		return;
	if (s->mode == VPROF_STEP_RESULTS) {
		s->strange = 0;
		vprof_steps_give(s, step, VPROF_STEP_RESULTS);
		return;
	}
	vprof_steps_prove(s, step);
	if (s->proof_count < s->proof_wanted)
		return;
	s->mode = VPROF_STEP_RESULTS;
	s->strange = s->proof_count = s->turns = 0;
	for (int i = 0; i < s->proof_wanted; i++)
		vprof_steps_give(s, &s->proof[i], VPROF_STEP_RESULTS);
}

/* The turn before this one, NULL: none. */
static inline const struct vprof_step *vprof_steps_before(const struct vprof_steps *s)
{
	return s->turns ? &s->turn[s->turns - 1] : NULL;
}

/* A piece that a wait ended. */
static inline void vprof_steps_turn(struct vprof_steps *s, struct vprof_step *step)
{
	const struct vprof_step *before = vprof_steps_before(s);

	if (before && (step->captures || !vprof_step_alike(step, before))) {
		if (s->mode == VPROF_STEP_WAITS && !step->captures && ++s->strange < VPROF_STEPS_STRANGE)
			return;
		s->turns = s->mode = 0;
	}
	if (step->captures)
		return;
	s->strange = 0;
	if (s->mode == VPROF_STEP_WAITS) {
		s->turn[s->turns - 1] = *step;
		vprof_steps_give(s, step, VPROF_STEP_WAITS);
		return;
	}
	s->turn[s->turns++] = *step;
	if (s->turns < VPROF_STEPS_TURNS)
		return;
	s->mode = VPROF_STEP_WAITS;
	s->usual = s->proof_count = 0;
	for (int i = 0; i < VPROF_STEPS_TURNS; i++)
		vprof_steps_give(s, &s->turn[i], VPROF_STEP_WAITS);
}

/* Is a piece with results a turn of a loop that mostly waits? */
static inline int vprof_steps_is_turn(const struct vprof_steps *s, const struct vprof_step *step)
{
	const struct vprof_step *before = vprof_steps_before(s);

	return before && s->turns > 2 && vprof_step_alike(step, before);
}

/* ---- the open piece ---- */

/* A new piece begins; `with`: what it has already, or NULL. */
static inline void vprof_steps_open(struct vprof_steps *s, const struct vprof_step *with)
{
	struct vprof_step start = { 0 };

	if (with)
		start = *with;
	s->open = start;
	memset(&s->tail, 0, sizeof(s->tail));
	s->fetched = s->confirmed = s->waited = s->out = 0;
	s->serial++;
}

static inline void vprof_steps_pend(struct vprof_steps *s, const struct vprof_step *step)
{
	if (s->pending_count == VPROF_STEPS_PENDING) {
		memmove(s->pending, s->pending + 1, sizeof(s->pending) - sizeof(s->pending[0]));
		memmove(s->pending_serial, s->pending_serial + 1,
			sizeof(s->pending_serial) - sizeof(s->pending_serial[0]));
		s->pending_count--;
	}
	s->pending[s->pending_count] = *step;
	s->pending_serial[s->pending_count++] = s->serial;
}

/* The open piece has an end. Returns whether it is only a part of the one that begins now. */
static inline int vprof_steps_settle(struct vprof_steps *s)
{
	struct vprof_step *open = &s->open;

	if (!vprof_step_weight(open))
		return 0;
	open->fetched = s->fetched;
	if (s->mode != VPROF_STEP_RESULTS && s->waited && (!s->fetched || vprof_steps_is_turn(s, open))) {
		vprof_steps_turn(s, open);
	} else if (s->mode == VPROF_STEP_WAITS) {
		return s->fetched;
	} else if (s->fetched && !s->confirmed) {
		vprof_steps_pend(s, open);
	} else if (s->fetched) {
		if (s->mode == VPROF_STEP_RESULTS && vprof_steps_small(open, s->usual))
			return 1;
		vprof_steps_result(s, open);
	}
	return 0;
}

/* The piece is over. `split`: what came after its results is the beginning of the next. */
static inline void vprof_steps_close(struct vprof_steps *s, int split)
{
	struct vprof_step next = { 0 };

	if (split)
		next = s->tail;
	else
		vprof_step_join(&s->open, &s->tail);
	if (vprof_steps_settle(s)) {
		struct vprof_step part = s->open;

		vprof_step_join(&part, &next);
		next = part;
	}
	vprof_steps_open(s, &next);
}

/* A wait that ends no step: in the middle of one where results are what counts. */
static inline int vprof_steps_passes(struct vprof_steps *s)
{
	if (s->mode != VPROF_STEP_RESULTS)
		return 0;
	if (++s->strange < VPROF_STEPS_STRANGE)
		return 1;
	s->mode = 0;
	return 0;
}

/* Whatever a program does after a long rest, it does not belong to what it did before. */
static inline void vprof_steps_rest(struct vprof_steps *s, uint64_t begin)
{
	const struct vprof_step *last = s->tail.begin ? &s->tail : &s->open;

	if (!s->open.begin || begin <= last->end || begin - last->end <= vprof_steps_span(s, VPROF_STEPS_IDLE))
		return;
	vprof_steps_close(s, 0);
	vprof_steps_open(s, NULL);
}

/* Does this call, which is no wait, begin a new piece? */
static inline void vprof_steps_divide(struct vprof_steps *s, uint64_t begin, int starts, int launch)
{
	vprof_steps_rest(s, begin);
	if (!s->open.begin)
		return;
	if (s->fetched) {
		if (starts || (launch && s->waited))
			vprof_steps_close(s, 0);
		else if (s->tail.launches >= VPROF_STEPS_TAIL)
			vprof_steps_close(s, 1);
	} else if (s->waited && (starts || launch)) {
		s->waited = 0;
		if (vprof_steps_passes(s))
			return;
		s->waited = 1;
		vprof_steps_close(s, 0);
	}
}

static inline struct vprof_step *vprof_steps_now(struct vprof_steps *s, uint64_t begin, uint64_t end)
{
	struct vprof_step *now = s->fetched ? &s->tail : &s->open;

	if (!now->begin)
		now->begin = begin;
	if (end > now->end)
		now->end = end;
	return now;
}

/* The host has the results of a piece; those before it that nobody waited for were none. */
static inline void vprof_steps_confirm(struct vprof_steps *s, uint64_t serial)
{
	int i = 0;

	if (serial == s->serial)
		s->fetched = s->confirmed = 1;
	while (i < s->pending_count && s->pending_serial[i] <= serial) {
		if (s->pending_serial[i] == serial)
			vprof_steps_result(s, &s->pending[i]);
		i++;
	}
	s->pending_count -= i;
	memmove(s->pending, s->pending + i, s->pending_count * sizeof(s->pending[0]));
	memmove(s->pending_serial, s->pending_serial + i, s->pending_count * sizeof(s->pending_serial[0]));
}

static inline struct vprof_steps_event *vprof_steps_find(struct vprof_steps *s, uint64_t event)
{
	for (int i = 0; i < VPROF_STEPS_EVENTS; i++)
		if (event && s->events[i].event == event)
			return &s->events[i];
	return NULL;
}

/* ---- the calls ---- */

static inline void vprof_steps_record(struct vprof_steps *s, uint64_t event, uint64_t stream)
{
	struct vprof_steps_event *known = vprof_steps_find(s, event);

	if (known)
		known->event = 0;
	if (!s->out || stream != s->out_stream)
		return;
	s->events[s->event_next++ % VPROF_STEPS_EVENTS] = (struct vprof_steps_event){ event, s->serial };
	s->fetched = 1;
}

/* Does the wait tell that the results of a step are there? Of which: its serial, else 0. */
static inline uint64_t vprof_steps_waits_for(struct vprof_steps *s, uint64_t handle, int all)
{
	struct vprof_steps_event *known = vprof_steps_find(s, handle);

	if (known) {
		known->event = 0;
		return known->serial;
	}
	/* Who records an event behind the copy will wait for that, and waits for all for another reason. */
	if (s->out && !s->fetched && (all || handle == s->out_stream))
		return s->serial;
	return s->fetched && !s->confirmed && !all && handle == s->out_stream ? s->serial : 0;
}

/* `all`: whatever the handle, for every stream. */
static inline void vprof_steps_wait(struct vprof_steps *s, uint64_t handle, int all, uint64_t begin, uint64_t end)
{
	uint64_t serial = vprof_steps_waits_for(s, handle, all);

	if (serial)
		vprof_steps_confirm(s, serial);
	vprof_steps_rest(s, begin);
	if (!s->open.begin)
		return;
	vprof_steps_now(s, begin, end)->waited += end - begin;
	/* One that is for an earlier step divides nothing, unless this one is over too. */
	if ((s->open.launches || s->open.graphs) && (!serial || serial == s->serial || s->fetched))
		s->waited = 1;
	s->out = 0;
}

static inline void vprof_steps_launch(struct vprof_steps *s, const struct vprof_slot *slot, uint64_t begin,
				      uint64_t end, uint32_t nodes)
{
	int graph = slot->kind == VPROF_KIND_GRAPH_LAUNCH;
	struct vprof_step *now;

	vprof_steps_divide(s, begin, graph, 1);
	now = vprof_steps_now(s, begin, end);
	now->hash = vprof_step_mix(now->hash, slot->object);
	if (graph) {
		now->graphs++;
		now->nodes += nodes ? nodes : VPROF_STEPS_GRAPH;
	} else {
		now->launches++;
		now->blocks += (uint64_t)slot->launch.grid[0] * slot->launch.grid[1] * slot->launch.grid[2];
	}
	s->out = 0;
}

static inline void vprof_steps_copy(struct vprof_steps *s, const struct vprof_slot *slot, uint64_t begin, uint64_t end)
{
	uint32_t direction = slot->object & VPROF_COPY_DIRECTION;
	int in = direction == VPROF_COPY_HTOD || direction == VPROF_COPY_HTOA;
	int out = direction == VPROF_COPY_DTOH || direction == VPROF_COPY_ATOH;
	struct vprof_step *now;

	vprof_steps_divide(s, begin, in, 0);
	now = vprof_steps_now(s, begin, end);
	now->copies_in += in;
	now->copies_out += out;
	now->copies += !in && !out;
	now->bytes_in += in ? slot->copy.bytes : 0;
	now->bytes_out += out ? slot->copy.bytes : 0;
	if (!out)
		return;
	s->out = 1;
	s->out_stream = slot->copy.stream;
	if (!(slot->object & VPROF_COPY_ASYNC))
		vprof_steps_wait(s, s->out_stream, 0, end, end);
}

/*
 * A call of the thread, from `begin` to `end`; it has returned. `nodes`: of a launch of a graph,
 * how many it has; 0: not known.
 */
static inline void vprof_steps_feed(struct vprof_steps *s, const struct vprof_slot *slot, uint64_t begin, uint64_t end,
				    uint32_t nodes)
{
	switch (slot->kind) {
	case VPROF_KIND_LAUNCH:
	case VPROF_KIND_GRAPH_LAUNCH:
		vprof_steps_launch(s, slot, begin, end, nodes);
		break;
	case VPROF_KIND_COPY:
		vprof_steps_copy(s, slot, begin, end);
		break;
	case VPROF_KIND_SET:
		vprof_steps_divide(s, begin, 0, 0);
		vprof_steps_now(s, begin, end)->copies++;
		break;
	case VPROF_KIND_EVENT:
		vprof_steps_record(s, slot->event.event, slot->event.stream);
		break;
	case VPROF_KIND_SYNC:
		vprof_steps_wait(s, slot->sync.handle, !slot->sync.handle || slot->call == s->wait_all[0] ||
				 slot->call == s->wait_all[1], begin, end);
		break;
	case VPROF_KIND_GRAPH:
		if (s->open.begin)
			vprof_steps_now(s, begin, end)->captures = 1;
		break;
	}
}

/* Of the launch of a graph that was just fed: the blocks of its kernels, where they are known. */
static inline void vprof_steps_work(struct vprof_steps *s, uint64_t blocks)
{
	(s->fetched ? &s->tail : &s->open)->blocks += blocks;
}

/* A call of another thread of the process: it may wait for this one's results by their event. */
static inline void vprof_steps_elsewhere(struct vprof_steps *s, const struct vprof_slot *slot)
{
	struct vprof_steps_event *known;

	if (slot->kind != VPROF_KIND_SYNC)
		return;
	known = vprof_steps_find(s, slot->sync.handle);
	if (!known)
		return;
	known->event = 0;
	vprof_steps_confirm(s, known->serial);
}

/* Nothing more comes, or nothing has for a while: a step whose results are there is over. */
static inline void vprof_steps_end(struct vprof_steps *s)
{
	if (s->open.begin && (s->confirmed || s->waited))
		vprof_steps_close(s, 0);
}

#endif
