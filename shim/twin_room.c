/*
 * twin_room.c - how many twins there are, and of which graphs. By our thread.
 *
 * When there are as many as there may be, a graph that is launched far more often than one that has a twin
 * takes its place.
 */
#include "preload/inner.h"
#include "shim/ask.h"
#include "shim/twin.h"

enum {
	ALL_STAMPS_MOST = 65536, /* of all twins */
	BLOCKS_LEAST = 32,
	FAR_MORE = 4,            /* times as often */
};

/* An area in which so many blocks have room. */
static uint32_t log_of(uint32_t stride, uint32_t blocks)
{
	uint32_t log = VPROF_AREA_LOG_LEAST;

	while (log < VPROF_AREA_LOG_MOST && stride * 8ull * blocks > 1ull << log)
		log++;
	return log;
}

/* Each of the twins there may be has its share of the pages, one of a large graph what it needs at least. */
static struct vprof_area *area_for(const struct vprof_twin *twin, uint32_t stride)
{
	uint32_t most = vprof_gpu_twins() ? vprof_gpu_twins() : 1, least = log_of(stride, BLOCKS_LEAST);
	uint32_t log = log_of(stride, VPROF_TWIN_LAUNCHES);
	struct vprof_area *area;

	while (log > least && 1u << log > VPROF_GPU_PAGES / most)
		log--;
	while (!(area = vprof_gpu_area(twin->gpu, log)) && log > least)
		log--;
	return area;
}

/* Blocks and a cell for so many stamps. */
struct vprof_refusal vprof_twin_room(struct vprof_twin *twin, uint32_t stamps)
{
	uint32_t stride = VPROF_BLOCK_HEAD + stamps, count;
	CUresult result;

	twin->area = area_for(twin, stride);
	if (!twin->area)
		return (struct vprof_refusal){ VPROF_TWIN_BUDGET, CUDA_SUCCESS };
	count = (uint32_t)((1ull << twin->area->log) / (stride * 8ull));
	twin->block_count = count < VPROF_TWIN_LAUNCHES ? count : VPROF_TWIN_LAUNCHES;
	twin->stride = stride;
	twin->stamps = stamps;
	twin->launched = twin->taken = 0;
	twin->dropped_ns = 0;
	result = vprof_gpu_cell(twin->gpu, twin->area, twin->block_count, stride, &twin->cell);
	if (!result)
		return (struct vprof_refusal){ VPROF_TWIN_BUILT, CUDA_SUCCESS };
	vprof_gpu_area_drop(twin->area);
	return (struct vprof_refusal){ VPROF_TWIN_NO_STAMP, result };
}

/* Nothing is to be kept in order when the program's own has been launched since, or the twin's launch has ended. */
static int may_go(const struct vprof_subject *subject, const struct vprof_twin *twin)
{
	return subject->twin == twin && (!subject->on_twin || vprof_twin_has_ended(twin, twin->launched));
}

/* 0: it stays. */
static int evict(struct vprof_twin *twin)
{
	struct vprof_subject *subject = twin->subject;
	int goes;

	vprof_subject_hold(subject);
	goes = may_go(subject, twin);
	if (goes) {
		subject->twin = NULL;
		subject->state = VPROF_SUBJECT_KEPT;
		subject->why = VPROF_TWIN_BUDGET;
	}
	vprof_subject_drop(subject);
	if (!goes)
		return 0;
	vprof_twin_release(twin);
	return 1;
}

struct vprof_twin *vprof_twin_place(const struct vprof_subject *wanted)
{
	struct vprof_twin *place = NULL, *least = NULL;
	uint32_t used = 0, stamps = 0, most = vprof_gpu_twins();

	for (struct vprof_twin *twin = vprof_twins; twin < vprof_twins + VPROF_TWINS_MOST; twin++) {
		/* Pairs with the release of the harvest. */
		uint32_t use = __atomic_load_n(&twin->use, __ATOMIC_ACQUIRE);

		if (use == VPROF_TWIN_FREE && !place)
			place = twin;
		if (use != VPROF_TWIN_USED)
			continue;
		used++;
		stamps += twin->stamps;
		if (!least || twin->subject->wants < least->subject->wants)
			least = twin;
	}
	if (used < most && stamps < ALL_STAMPS_MOST)
		return place;
	return least && least->subject->wants < wanted->wants / FAR_MORE && evict(least) ? place : NULL;
}

static uint32_t queued; /* 1: some may be. Writers: who wants one; our thread */

void vprof_twin_queue(void)
{
	/* Pairs with the exchange below. */
	__atomic_store_n(&queued, 1, __ATOMIC_RELEASE);
	vprof_gpu_call();
}

void vprof_twin_unqueue(struct vprof_subject *subject)
{
	vprof_subject_hold(subject);
	if (subject->state == VPROF_SUBJECT_QUEUED)
		subject->state = VPROF_SUBJECT_KEPT;
	vprof_subject_drop(subject);
}

struct vprof_subject *vprof_twin_wanted(void)
{
	struct vprof_subject *most = NULL, *subject;

	if (!__atomic_exchange_n(&queued, 0, __ATOMIC_ACQUIRE))
		return NULL;
	for (uint32_t i = 0; (subject = vprof_subject_at(i)); i++)
		if (__atomic_load_n(&subject->state, __ATOMIC_RELAXED) == VPROF_SUBJECT_QUEUED &&
		    (!most || subject->wants > most->wants))
			most = subject;
	/* There may be others. */
	if (most)
		__atomic_store_n(&queued, 1, __ATOMIC_RELAXED);
	return most;
}
