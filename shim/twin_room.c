/*
 * twin_room.c - how many twins there are, and of which graphs. By our thread.
 *
 * When there are as many as there may be, of graphs or of places for their parts, a graph that is launched far more often
 * than one that has a twin takes its place, or those of several.
 */
#include "preload/inner.h"
#include "shim/ask.h"
#include "shim/twin.h"

enum {
	ALL_STAMPS_MOST = 65536, /* of all twins */
	BLOCKS_LEAST = 32,
	SPARE_PART = 4,
	FAR_MORE = 4,            /* times as often */
};

/* ---- device memory ---- */

/* Bytes of it that we have there, and as much more as one of so many stamps may take, by what others did. */
static uint64_t taken_with(int32_t device, uint32_t stamps)
{
	uint64_t bytes = 0, more = 0;

	for (const struct vprof_gpu *gpu = vprof_gpus; gpu < vprof_gpus + VPROF_GPUS; gpu++)
		if (gpu->device == device && vprof_gpu_state_of(gpu) == VPROF_GPU_READY)
			bytes += gpu->bytes;
	for (const struct vprof_twin *twin = vprof_twins; twin < vprof_twins + VPROF_TWINS_MOST; twin++) {
		uint64_t alike;

		if (__atomic_load_n(&twin->use, __ATOMIC_RELAXED) != VPROF_TWIN_USED || twin->gpu->device != device)
			continue;
		bytes += twin->bytes;
		alike = (uint64_t)twin->bytes * stamps / (twin->stamps + 1);
		more = alike > more ? alike : more;
	}
	return bytes + more;
}

int vprof_twin_fits(const struct vprof_twin *twin)
{
	return taken_with(twin->gpu->device, 0) + twin->bytes <= VPROF_GPU_MEMORY;
}

/* ---- blocks ---- */

/* An area in which so many blocks have room. */
static uint32_t log_of(uint32_t stride, uint32_t blocks)
{
	uint32_t log = VPROF_AREA_LOG_LEAST;

	while (log < VPROF_AREA_LOG_MOST && stride * 8ull * blocks > 1ull << log)
		log++;
	return log;
}

/* So many graphs have twins at most, if all are divided like one of so many parts. */
static uint32_t most_graphs(uint32_t parts)
{
	uint32_t most = vprof_gpu_twins(), places = VPROF_TWINS_MOST / parts;

	return !most ? 1 : most < places ? most : places;
}

/*
 * Bytes for one more: of its graph's share of the pages what is for one part, and part of what is left beside the shares
 * of those that may come, its graph's other parts among them.
 */
static uint32_t share_of(const struct vprof_twin *one)
{
	uint32_t most = most_graphs(one->parts), of_graph = VPROF_GPU_TWIN_PAGES / most, share = of_graph / one->parts;
	uint32_t graphs = 0;
	uint64_t kept = one->part ? (uint64_t)(one->parts - one->part) * share : 0;

	for (const struct vprof_twin *twin = vprof_twins; twin < vprof_twins + VPROF_TWINS_MOST; twin++) {
		/* Pairs with the releases of those who make and drop it. */
		uint32_t use = __atomic_load_n(&twin->use, __ATOMIC_ACQUIRE);

		if ((use == VPROF_TWIN_USED || use == VPROF_TWIN_DROPPED) && twin->gpu->device == one->gpu->device) {
			kept += 1ull << twin->area->log;
			graphs += !twin->part;
		}
	}
	if (graphs < most)
		kept += (uint64_t)(most - graphs) * of_graph;
	return share + (kept < VPROF_GPU_TWIN_PAGES ? (uint32_t)(VPROF_GPU_TWIN_PAGES - kept) / SPARE_PART : 0);
}

/* One of a large graph has what it needs at least. A free one that is larger is better than none. */
static struct vprof_area *area_for(const struct vprof_twin *twin, uint32_t stride)
{
	uint32_t least = log_of(stride, BLOCKS_LEAST), log = log_of(stride, VPROF_TWIN_LAUNCHES);
	uint32_t share = share_of(twin);
	struct vprof_area *area = NULL;

	while (log > least && 1u << log > share)
		log--;
	for (uint32_t at = log; !area && at >= least; at--)
		area = vprof_gpu_area(twin->gpu, at);
	for (uint32_t at = log + 1; !area && at <= VPROF_AREA_LOG_MOST; at++)
		area = vprof_gpu_area(twin->gpu, at);
	return area;
}

/* Blocks and a cell for so many stamps. */
struct vprof_refusal vprof_twin_room(struct vprof_twin *twin, uint32_t stamps)
{
	uint32_t stride = VPROF_BLOCK_HEAD + stamps, count;
	struct vprof_area *area = NULL;
	CUresult result;

	if (!twin->launches)
		twin->launches = vprof_table(VPROF_TWIN_LAUNCHES * sizeof(*twin->launches));
	if (twin->launches && taken_with(twin->gpu->device, stamps) <= VPROF_GPU_MEMORY)
		area = area_for(twin, stride);
	/* The area of the place's last twin stays: a launch of that may still be looked for, vprof_twin_has_ended(). */
	if (!area)
		return (struct vprof_refusal){ VPROF_TWIN_BUDGET, CUDA_SUCCESS };
	twin->area = area;
	count = (uint32_t)((1ull << twin->area->log) / (stride * 8ull));
	twin->block_count = count < VPROF_TWIN_LAUNCHES ? count : VPROF_TWIN_LAUNCHES;
	twin->stride = stride;
	twin->stamps = stamps;
	twin->launched = twin->taken = twin->awaited = twin->told = 0;
	twin->dropped_ns = 0;
	result = vprof_gpu_cell(twin->gpu, twin->area, twin->block_count, stride, &twin->cell);
	if (!result)
		return (struct vprof_refusal){ VPROF_TWIN_BUILT, CUDA_SUCCESS };
	vprof_gpu_area_drop(twin->area);
	return (struct vprof_refusal){ VPROF_TWIN_NO_STAMP, result };
}

/* ---- places ---- */

/* Nothing is to be kept in order when the program's own has been launched since, or the twin's launch has ended. */
struct vprof_twin *vprof_twins_take(struct vprof_subject *subject)
{
	struct vprof_twin *twin = subject->twin;

	if (subject->on_twin && !vprof_twin_has_ended(subject->last_twin, subject->last_number))
		return NULL;
	subject->on_twin = 0;
	subject->twin = NULL;
	return twin;
}

/* 0: it stays. */
static int evict(struct vprof_twin *twin)
{
	struct vprof_subject *subject = twin->subject;
	struct vprof_twin *goes;

	vprof_subject_hold(subject);
	goes = vprof_twin_is_of(twin, subject) ? vprof_twins_take(subject) : NULL;
	if (goes) {
		subject->state = VPROF_SUBJECT_KEPT;
		subject->why = VPROF_TWIN_BUDGET;
	}
	vprof_subject_drop(subject);
	if (!goes)
		return 0;
	vprof_twins_release(goes);
	return 1;
}

/* What there is of places, and what would give way to a graph that is launched so often. */
struct places {
	struct vprof_twin *place;   /* one that is free */
	struct vprof_twin *least;   /* of the graph that is launched least, if that is far less */
	uint32_t free, soon;        /* those that are, and will be when housekeeping has given them back */
	uint32_t less;              /* of graphs that are launched far less */
	uint32_t graphs, stamps;    /* that have some; of all */
};

static struct places look(const struct vprof_subject *wanted)
{
	uint32_t far_less = wanted->wants / FAR_MORE;
	struct places p = { 0 };

	for (struct vprof_twin *twin = vprof_twins; twin < vprof_twins + VPROF_TWINS_MOST; twin++) {
		/* Pairs with the release of the harvest. */
		uint32_t use = __atomic_load_n(&twin->use, __ATOMIC_ACQUIRE);

		if (use == VPROF_TWIN_FREE && !p.free++)
			p.place = twin;
		p.soon += use == VPROF_TWIN_DROPPED;
		if (use != VPROF_TWIN_USED)
			continue;
		p.graphs += !twin->part;
		p.stamps += twin->stamps;
		if (twin->subject->wants >= far_less)
			continue;
		p.less++;
		if (!p.least || twin->subject->wants < p.least->subject->wants)
			p.least = twin;
	}
	return p;
}

/* Places for so many parts, now or soon; `full`: some graph has to give way in any case. 0: none does, or too few would. */
static int make_way(const struct vprof_subject *wanted, uint32_t parts, int full)
{
	struct places p = look(wanted);

	if (p.free + p.soon + p.less < parts)
		return 0;
	while (full || p.free + p.soon < parts) {
		if (!p.least || !evict(p.least))
			return 0;
		full = 0;
		p = look(wanted);
	}
	return 1;
}

struct vprof_refusal vprof_twin_place(const struct vprof_subject *wanted, uint32_t part, uint32_t parts,
				      struct vprof_twin **place)
{
	struct places p = look(wanted);
	int full = p.stamps >= ALL_STAMPS_MOST || taken_with(wanted->gpu->device, 0) >= VPROF_GPU_MEMORY;

	*place = NULL;
	/* Of as many graphs as there may be; this one has been counted behind its first part. */
	if (part ? full || !p.place : !make_way(wanted, parts, full || p.graphs >= vprof_gpu_twins()))
		return (struct vprof_refusal){ VPROF_TWIN_BUDGET, CUDA_SUCCESS };
	p = look(wanted);
	*place = part || p.free >= parts ? p.place : NULL;
	return (struct vprof_refusal){ VPROF_TWIN_BUILT, CUDA_SUCCESS };
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
		subject->state = subject->twin ? VPROF_SUBJECT_BUILT : VPROF_SUBJECT_KEPT;
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
