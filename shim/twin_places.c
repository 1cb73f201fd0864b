/*
 * twin_places.c - which graphs have twins, and which give way to others. By our thread.
 *
 * There are so many graphs with twins at most, so many places for their parts, so many stamps, and so much memory on a
 * device. Where one of these is short, graphs give way to one that is launched far more often: as few as make
 * enough room for it, and none where all that may go would not. A graph that has twins, and is to have others, keeps
 * them until those are made where there is room beside them; else they go first, if that makes room, before any
 * other's.
 */
#include <string.h>
#include "preload/inner.h"
#include "shim/ask.h"
#include "shim/twin_plan.h"

enum {
	ALL_STAMPS_MOST = 65536, /* of all twins */
	FAR_MORE = 4,            /* times as often */
};

/* What becomes of each place's twin, as far as has been reckoned. */
static uint8_t fates[VPROF_TWINS_MOST];
enum fate { OPEN = 0, GOES = 1, STAYS = 2 };

/* What those are to have who wait in this round for places that will be given back: nobody else's meanwhile. */
static struct { uint32_t graphs, places, stamps; } awaited;
static uint32_t round_number; /* of the rounds in which our thread looks who wants twins */

/* ---- taken away ---- */

/* Nothing is to be kept in order when the program's own has been launched since, or the twin's launch has ended. */
int vprof_twins_may_go(const struct vprof_subject *subject)
{
	return !subject->on_twin || vprof_twin_has_ended(subject->last_twin, subject->last_number);
}

struct vprof_twin *vprof_twins_take(struct vprof_subject *subject)
{
	struct vprof_twin *twin = subject->twin;

	if (!vprof_twins_may_go(subject))
		return NULL;
	subject->on_twin = 0;
	subject->twin = NULL;
	return twin;
}

/* Takes its graph's twins away, and of `wanted` to make others. */
static void evict(const struct vprof_subject *wanted, const struct vprof_twin *twin)
{
	struct vprof_subject *subject = twin->subject;
	struct vprof_twin *goes;

	vprof_subject_hold(subject);
	goes = vprof_twin_is_of(twin, subject) ? vprof_twins_take(subject) : NULL;
	if (goes && subject == wanted->self) {
		subject->rebuilds++;
	} else if (goes) {
		subject->state = VPROF_SUBJECT_KEPT;
		subject->why = VPROF_TWIN_BUDGET;
	}
	vprof_subject_drop(subject);
	if (goes)
		vprof_twins_release(goes);
}

/* ---- what there is ---- */

struct room {
	struct vprof_twin *place;   /* one that is free */
	struct vprof_twin *least;   /* of the graph that is launched least, of those that may have to give way */
	uint32_t free, soon;        /* places that are, and will be when housekeeping has given them back */
	uint32_t graphs, stamps;    /* that have some, `wanted` not counted; of all,
	                               and about as many as it will have */
	uint64_t bytes;             /* of its device's memory, likewise */
};

/* About as many as they will have. */
static uint32_t stamps_of(const struct vprof_subject *wanted, uint32_t parts)
{
	return wanted->timed + parts * GAUGES * GAUGE_STAMPS;
}

/* Of places that are awaited those first that will be given back. */
static void set_aside(struct room *r)
{
	uint32_t soon = r->soon < awaited.places ? r->soon : awaited.places, free = awaited.places - soon;

	r->soon -= soon;
	r->free -= r->free < free ? r->free : free;
}

/* GOES: as if it had been dropped. */
static struct room look(const struct vprof_subject *wanted, uint32_t parts)
{
	uint32_t far_less = wanted->wants / FAR_MORE, stamps = stamps_of(wanted, parts) + awaited.stamps;
	struct room r = { .graphs = awaited.graphs, .stamps = stamps };

	r.bytes = vprof_twins_bytes(wanted->gpu->device, stamps);
	for (uint32_t i = 0; i < VPROF_TWINS_MOST; i++) {
		struct vprof_twin *twin = &vprof_twins[i];
		/* Pairs with the release of the harvest. */
		uint32_t use = __atomic_load_n(&twin->use, __ATOMIC_ACQUIRE);

		if (use == VPROF_TWIN_FREE && !r.free++)
			r.place = twin;
		r.soon += use == VPROF_TWIN_DROPPED || (use == VPROF_TWIN_USED && fates[i] == GOES);
		if (use == VPROF_TWIN_USED && fates[i] == GOES && twin->gpu->device == wanted->gpu->device)
			r.bytes -= twin->bytes < r.bytes ? twin->bytes : r.bytes;
		if (use != VPROF_TWIN_USED || fates[i] == GOES)
			continue;
		r.graphs += !twin->part && twin->subject != wanted->self;
		r.stamps += twin->stamps;
		if (fates[i] == OPEN && twin->subject != wanted->self && twin->subject->wants < far_less &&
		    (!r.least || twin->subject->wants < r.least->subject->wants))
			r.least = twin;
	}
	set_aside(&r);
	return r;
}

static int is_enough(const struct room *r, uint32_t parts)
{
	return r->graphs < vprof_gpu_twins() && r->free + r->soon >= parts && r->stamps <= ALL_STAMPS_MOST &&
	       r->bytes <= VPROF_GPU_MEMORY;
}

/* ---- who gives way ---- */

/* Of all parts. */
static void decide(struct vprof_twin *first, enum fate fate)
{
	struct vprof_twin *twin = first;

	do {
		fates[twin - vprof_twins] = (uint8_t)fate;
		twin = twin->next;
	} while (twin != first);
}

/* One that is just being launched stays. */
static int may_go(const struct vprof_twin *twin)
{
	struct vprof_subject *subject = twin->subject;
	int may;

	if (!vprof_subject_try(subject))
		return 0;
	may = vprof_twin_is_of(twin, subject) && vprof_twins_may_go(subject);
	vprof_subject_drop(subject);
	return may;
}

/* Of those that were to go the ones whose room is not needed, with those that came later. */
static void spare(const struct vprof_subject *wanted, uint32_t parts)
{
	for (uint32_t i = 0; i < VPROF_TWINS_MOST; i++) {
		struct room r;

		if (fates[i] != GOES || vprof_twins[i].part || vprof_twins[i].subject == wanted->self)
			continue;
		decide(&vprof_twins[i], STAYS);
		r = look(wanted, parts);
		if (!is_enough(&r, parts))
			decide(&vprof_twins[i], GOES);
	}
}

/* Who has to go for so many parts; 0: that cannot be. */
static int choose(const struct vprof_subject *wanted, uint32_t parts)
{
	struct room r;

	memset(fates, OPEN, sizeof(fates));
	r = look(wanted, parts);
	if (wanted->twin && !(is_enough(&r, parts) && r.free >= parts)) {
		decide(wanted->twin, GOES);
		r = look(wanted, parts);
	}
	while (!is_enough(&r, parts)) {
		if (!r.least)
			return 0;
		decide(r.least, may_go(r.least) ? GOES : STAYS);
		r = look(wanted, parts);
	}
	spare(wanted, parts);
	return 1;
}

/* Places for so many parts, now or soon. One that was to go may have been launched since. */
static int make_way(const struct vprof_subject *wanted, uint32_t parts)
{
	struct room r;

	if (!choose(wanted, parts))
		return 0;
	for (uint32_t i = 0; i < VPROF_TWINS_MOST; i++)
		if (fates[i] == GOES && !vprof_twins[i].part)
			evict(wanted, &vprof_twins[i]);
	memset(fates, OPEN, sizeof(fates));
	r = look(wanted, parts);
	return is_enough(&r, parts);
}

struct vprof_refusal vprof_twin_place(const struct vprof_subject *wanted, uint32_t part, uint32_t parts,
				      struct vprof_twin **place)
{
	int full = !part && !make_way(wanted, parts);
	struct room r = look(wanted, parts);

	*place = NULL;
	if (full || (part && !r.place))
		return vprof_refuse(VPROF_TWIN_BUDGET, CUDA_SUCCESS);
	*place = part || r.free >= parts ? r.place : NULL;
	if (!*place) {
		awaited.graphs++;
		awaited.places += parts;
		awaited.stamps += stamps_of(wanted, parts);
	}
	return vprof_refuse(VPROF_TWIN_BUILT, CUDA_SUCCESS);
}

/* ---- who wants one ---- */

static uint32_t queued; /* 1: some may be. Writers: who wants one; our thread */

void vprof_twin_queue(void)
{
	/* Pairs with the exchange below. */
	__atomic_store_n(&queued, 1, __ATOMIC_RELEASE);
	vprof_gpu_call();
}

int vprof_twins_are_queued(void)
{
	return __atomic_load_n(&queued, __ATOMIC_SEQ_CST) != 0;
}

void vprof_twin_unqueue(struct vprof_subject *subject)
{
	vprof_subject_hold(subject);
	if (subject->state == VPROF_SUBJECT_QUEUED)
		subject->state = subject->twin ? VPROF_SUBJECT_BUILT : VPROF_SUBJECT_KEPT;
	vprof_subject_drop(subject);
}

void vprof_twins_round(void)
{
	memset(&awaited, 0, sizeof(awaited));
	round_number++;
}

struct vprof_subject *vprof_twin_wanted(void)
{
	struct vprof_subject *most = NULL, *subject;
	uint32_t more = 0;

	if (!__atomic_exchange_n(&queued, 0, __ATOMIC_SEQ_CST))
		return NULL;
	for (uint32_t i = 0; (subject = vprof_subject_at(i)); i++) {
		if (__atomic_load_n(&subject->state, __ATOMIC_RELAXED) != VPROF_SUBJECT_QUEUED)
			continue;
		more = 1;
		if (subject->round != round_number && (!most || subject->wants > most->wants))
			most = subject;
	}
	/* There may be others, and those that wait. */
	if (more)
		__atomic_store_n(&queued, 1, __ATOMIC_RELAXED);
	if (most)
		most->round = round_number;
	return most;
}
