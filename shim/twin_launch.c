/*
 * twin_launch.c - launches of graphs that may be stamped: whose turn it is, and which exec they go to. See twin.h.
 */
#include <time.h>
#include "preload/clock.h"
#include "preload/inner.h"
#include "shim/ask.h"
#include "shim/captures.h"
#include "shim/graphs.h"
#include "shim/twin.h"

enum {
	END_S = 30,           /* waited for a launch that another must not overtake, at most */
	REBUILDS = 16,
	TRIES = 3,
	FIRST_TURNS = 3,      /* of a graph come after so few launches: the second has a twin made, the third is stamped */
	FIRST_TURN = 8,
};

/* ---- counted ---- */

static uint32_t uncounted; /* some graph was launched while nothing was to be stamped, and is not looked at any more */

void vprof_subject_count(struct vprof_handle *entry, struct vprof_subject *subject, uint32_t left)
{
	__atomic_store_n(&entry->token, subject->token, __ATOMIC_RELAXED);
	__atomic_store_n(&entry->left, left, __ATOMIC_RELAXED);
	subject->armed = left;
}

int vprof_twins_uncounted(void)
{
	/* Pairs with the release in choose_held(). */
	return __atomic_load_n(&uncounted, __ATOMIC_RELAXED) && __atomic_exchange_n(&uncounted, 0, __ATOMIC_ACQUIRE);
}

/*
 * One that is not counted is from now on: nothing is known of where it was launched meanwhile. One that is counted is
 * nobody's now, so that its next launch is looked at, whosever it is: see vprof_graph_launching(). A launch that is
 * under way writes how many are left, but not whose they are.
 */
void vprof_twins_count_all(int again)
{
	struct vprof_handle *entry;

	for (uint32_t i = 0; vprof_subject_at(0) && (entry = vprof_graph_at(i)); i++) {
		if (!__atomic_load_n(&entry->word, __ATOMIC_RELAXED))
			continue;
		if (!__atomic_load_n(&entry->left, __ATOMIC_RELAXED))
			__atomic_store_n(&entry->left, 1, __ATOMIC_RELAXED);
		else if (again)
			/* Behind the load of the rate. Pairs with the fence in count_down(). */
			__atomic_store_n(&entry->token, 0, __ATOMIC_RELEASE);
	}
}

/* So many launches from its last turn to the next. A graph that is not launched often has its first ones early. */
static uint32_t turn_of(const struct vprof_subject *subject, uint32_t every)
{
	return subject->wants < FIRST_TURNS && every > FIRST_TURN ? FIRST_TURN : every;
}

/* To its next turn at that rate. Housekeeping may have seen another one meanwhile,
   and what it set be overwritten here. */
static void count_down(struct vprof_handle *entry, struct vprof_subject *subject, uint32_t every)
{
	uint32_t turn = turn_of(subject, every);
	uint32_t left = subject->on_twin || (turn && subject->since >= turn) ? 1 : turn ? turn - subject->since : 0;

	vprof_subject_count(entry, subject, left);
	if (left <= 1)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (vprof_gpu_now() != every)
		vprof_subject_count(entry, subject, 1);
}

/* ---- where to ---- */

uint32_t vprof_twins_out;

/* What a launch goes to. */
struct target {
	CUstream stream;
	uint64_t key, token, thread;
	CUcontext context;
	uint32_t gone;
};

static uint32_t streams_gone[64]; /* by handle; several share one */

static uint32_t *gone_of(CUstream stream)
{
	return &streams_gone[((uintptr_t)stream * 0x9e3779b97f4a7c15u) >> 58];
}

void vprof_twin_stream_gone(CUstream stream)
{
	__atomic_add_fetch(gone_of(stream), 1, __ATOMIC_RELAXED);
}

static struct target target_of(CUstream stream, uint32_t per_thread, const struct vprof_subject *subject)
{
	struct target to = { .stream = !stream && per_thread ? CU_STREAM_PER_THREAD : stream,
			     .context = subject->context };

	to.key = vprof_stream_key(stream, per_thread);
	to.token = vprof_stream_token(to.key);
	to.thread = vprof_thread_serial();
	to.gone = __atomic_load_n(gone_of(stream), __ATOMIC_RELAXED);
	return to;
}

static int is_implicit(CUstream stream)
{
	return !stream || stream == CU_STREAM_LEGACY || stream == CU_STREAM_PER_THREAD;
}

/* Is it captured? Which context has it, where the handle does not say so? */
static int is_captured(struct target *to)
{
	struct vprof_asking asking;
	enum vprof_stream_state state;

	if (!vprof_ask_begin(&asking))
		return 1;
	state = vprof_ask_stream_state(to->stream);
	to->context = NULL;
	if (is_implicit(to->stream) && vprof_ask.ctx_get_current && vprof_ask.ctx_get_current(&to->context))
		to->context = NULL;
	vprof_ask_end(&asking);
	return state == VPROF_STREAM_CAPTURED;
}

/* Is that where its last launch went? */
static int is_same_stream(const struct vprof_subject *subject, const struct target *to)
{
	return subject->stream == to->key && subject->context == to->context && subject->gone == to->gone &&
	       (to->stream != CU_STREAM_PER_THREAD || (to->thread && subject->thread == to->thread));
}

static int is_same_thread(const struct vprof_subject *subject, const struct target *to)
{
	return subject->token == to->token && to->thread && subject->thread == to->thread;
}

/*
 * The program's own is launched on another stream than its twin was, which was dropped meanwhile: nothing
 * but waiting keeps the order. Not for ever: the GPU may be stuck, or what is ahead of the twin wait for what this
 * thread does next.
 */
static void wait_end(const struct vprof_subject *subject)
{
	uint64_t start = vprof_clock_ns(CLOCK_MONOTONIC);

	while (!vprof_twin_has_ended(subject->last_twin, subject->last_number) &&
	       vprof_clock_ns(CLOCK_MONOTONIC) - start < END_S * 1000000000ull)
		vprof_gpu_pause(20000);
}

/* Has it no twin, or in more or fewer parts than one that is made now? */
static int may_want(const struct vprof_subject *subject)
{
	if (subject->state == VPROF_SUBJECT_BUILT)
		return subject->twin->parts != vprof_parts_of(subject->timed);
	return subject->state == VPROF_SUBJECT_KEPT && subject->wants >= 2 && !subject->off_count;
}

static void want_twin(struct vprof_subject *subject)
{
	struct vprof_asking asking;

	if (!may_want(subject))
		return;
	/* Where there was no room, others could not be, or changes leave it none for long:
	   asked for ever more seldom. */
	if ((vprof_twin_is_later(subject->why) || (subject->why && subject->twin) || subject->rebuilds > REBUILDS) &&
	    subject->wants & (subject->wants - 1))
		return;
	if (!vprof_ask_begin(&asking))
		return;
	subject->gpu = vprof_gpu_here();
	vprof_ask_end(&asking);
	if (!subject->gpu)
		return;
	__atomic_store_n(&subject->state, VPROF_SUBJECT_QUEUED, __ATOMIC_RELAXED);
	vprof_twin_queue();
}

static int is_ready(const struct vprof_twin *twin)
{
	return twin && vprof_gpu_state_of(twin->gpu) == VPROF_GPU_READY;
}

/* May one more launch wait to be collected? Where none may, this one is lost. */
static int has_room(const struct vprof_twin *twin)
{
	if (twin->launched - __atomic_load_n(&twin->taken, __ATOMIC_RELAXED) < VPROF_TWIN_LAUNCHES)
		return 1;
	vprof_lose(VPROF_LOSS_STAMPS);
	return 0;
}

/* The exec that was launched last, if it still is there. */
static struct vprof_twin *last_twin(const struct vprof_subject *subject)
{
	struct vprof_twin *last = subject->last_twin;

	return vprof_twin_is_of(last, subject) && last->launched == subject->last_number && is_ready(last) ?
	       last : NULL;
}

/* On another stream than its twin. */
static struct vprof_twin *follow_twin(const struct vprof_subject *subject)
{
	struct vprof_twin *twin = last_twin(subject);

	if (vprof_twin_has_ended(subject->last_twin, subject->last_number))
		return NULL;
	if (twin && has_room(twin))
		return twin;
	wait_end(subject);
	return NULL;
}

/* Which of its twins; NULL: the program's. `due`: it is its turn to be stamped. */
static struct vprof_twin *choose_twin(struct vprof_subject *subject, int due, const struct target *to)
{
	int known = subject->window && subject->window == vprof_window_open(), same = is_same_stream(subject, to);
	struct vprof_twin *twin = subject->twin;

	/* No launch has gone by unseen since: see vprof_twins_out. */
	if (subject->on_twin && !same)
		return follow_twin(subject);
	/* Those of one that is queued may be about to go. */
	if (!due || !known || !same || !is_same_thread(subject, to) || subject->state != VPROF_SUBJECT_BUILT ||
	    !is_ready(twin) || !has_room(twin))
		return NULL;
	subject->twin = twin->next;
	return twin;
}

/* So many launches from one that is stamped to the next, this one counted. */
static int is_due(struct vprof_subject *subject, const struct vprof_handle *entry, uint32_t every)
{
	uint32_t left = __atomic_load_n(&entry->left, __ATOMIC_RELAXED);

	subject->since += left && left <= subject->armed ? subject->armed - left + 1 : 1;
	return every && subject->since >= turn_of(subject, every);
}

/* The next launch may be on the stream of this one: streams by turns would else never have their turn together. */
static void try_again(struct vprof_subject *subject, uint32_t every, int is_stamped)
{
	if (is_stamped || !is_ready(subject->twin) || subject->tries++ >= TRIES)
		subject->tries = 0;
	else
		subject->since = turn_of(subject, every) - 1;
}

static struct vprof_twin_choice choose_held(struct vprof_subject *subject, struct vprof_handle *entry, CUstream stream,
					    uint32_t per_thread, int stampable)
{
	struct vprof_twin_choice own = { NULL, NULL }, choice = { subject, NULL };
	struct target to = target_of(stream, per_thread, subject);
	uint32_t every = vprof_gpu_now();
	int due;

	if (subject->state == VPROF_SUBJECT_NONE && !subject->on_twin) {
		if (every)
			vprof_subject_tell(subject);
		vprof_subject_count(entry, subject, 0);
		return own;
	}
	due = stampable && is_due(subject, entry, every);
	if ((due || subject->on_twin || subject->stream != to.key) && is_captured(&to)) {
		vprof_subject_count(entry, subject, 1);
		return own;
	}
	if (due) {
		subject->since = 0;
		subject->wants++;
		want_twin(subject);
	}
	choice.twin = choose_twin(subject, due && stampable, &to);
	if (due)
		try_again(subject, every, choice.twin != NULL);
	subject->on_twin = choice.twin != NULL;
	subject->stream = to.key;
	subject->token = to.token;
	subject->thread = to.thread;
	subject->context = to.context;
	subject->gone = to.gone;
	subject->window = every ? vprof_window_open() : 0;
	count_down(entry, subject, every);
	/* Pairs with the acquire in vprof_twins_uncounted(). */
	if (!every && !subject->on_twin)
		__atomic_store_n(&uncounted, 1, __ATOMIC_RELEASE);
	return choice;
}

struct vprof_twin_choice vprof_twin_choose(CUgraphExec exec, CUstream stream, uint32_t per_thread, int stampable)
{
	struct vprof_twin_choice own = { NULL, NULL }, choice;
	struct vprof_handle *entry = vprof_twins && exec ? vprof_handle_entry(&vprof_graphs, exec) : NULL;
	struct vprof_subject *subject = vprof_subject_of(entry);

	if (!subject || (!vprof_gpu_now() && !__atomic_load_n(&entry->left, __ATOMIC_RELAXED)) ||
	    !vprof_subject_hold(subject))
		return own;
	if (!vprof_subject_is_known(subject)) {
		/* Made before recording, or while nothing was to be stamped. */
		subject->version = 1;
		subject->why = VPROF_TWIN_UNSEEN;
		subject->graph = vprof_handle_id(&vprof_graphs, __atomic_load_n(&entry->word, __ATOMIC_RELAXED));
	}
	choice = choose_held(subject, entry, stream, per_thread, stampable);
	if (!choice.subject)
		vprof_subject_drop(subject);
	return choice;
}

void vprof_twin_launching(const struct vprof_twin_choice *choice, struct vprof_record r, CUstream stream)
{
	struct vprof_twin *twin = choice->twin;
	struct vprof_twin_launch *launch = &twin->launches[twin->launched % VPROF_TWIN_LAUNCHES];

	launch->t0 = r.slot ? r.slot->t0 : 0;
	launch->stream = (uintptr_t)stream;
	launch->thread = r.slot ? vprof_thread_serial() : 0;
	if (!__atomic_load_n(&vprof_twins_out, __ATOMIC_RELAXED))
		__atomic_store_n(&vprof_twins_out, 1, __ATOMIC_SEQ_CST);
	/* Pairs with the acquire in vprof_twins_harvest(). */
	__atomic_store_n(&twin->launched, twin->launched + 1, __ATOMIC_RELEASE);
	choice->subject->last_twin = twin;
	choice->subject->last_number = twin->launched;
}

int vprof_twin_launched(const struct vprof_twin_choice *choice, CUresult result)
{
	struct vprof_subject *subject = choice->subject;
	int done = !choice->twin || result == CUDA_SUCCESS;

	if (!done) {
		/* It never ran. */
		__atomic_sub_fetch(&choice->twin->launched, 1, __ATOMIC_RELAXED);
		vprof_subject_forget(subject);
		subject->why = VPROF_TWIN_NO_EXEC;
		subject->error = (uint16_t)result;
		subject->on_twin = 0;
		vprof_lose(VPROF_LOSS_STAMPS);
	}
	vprof_subject_drop(subject);
	return done;
}
