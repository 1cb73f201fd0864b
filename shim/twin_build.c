/*
 * twin_build.c - a twin: a clone of a graph with stamps in it, made executable. By our thread.
 *
 * The clone is compared with what the graph consisted of when it was made, so that the
 * numbers of nodes are those of VPROF_DEF_NODES.
 */
#include <time.h>
#include "preload/clock.h"
#include "preload/inner.h"
#include "shim/ask.h"
#include "shim/twin_plan.h"

enum {
	DRIVER_STEP = 2 << 20,  /* bytes: the driver takes memory in steps, */
	NODE_MOST = 16 << 10,   /* and for a node and its stamp no more than this */
	BUILD_NS = 2000000000,  /* waited for a twin that is being made, at most: the GPU may hang */
};

struct vprof_plan *vprof_plan;

static const struct vprof_refusal fine = { VPROF_TWIN_BUILT, CUDA_SUCCESS };

/* On the device too, which its first launch would wait for. */
static CUresult exec_make(struct vprof_twin *twin, CUgraph work, uint64_t flags)
{
	CUresult result = vprof_ask.graph_instantiate(&twin->exec, work, flags);

	if (result || !vprof_ask.graph_upload)
		return result;
	result = vprof_ask.graph_upload(twin->exec, twin->gpu->stream);
	if (!result)
		result = vprof_gpu_settle(twin->gpu);
	if (result)
		vprof_ask.graph_exec_destroy(twin->exec);
	return result;
}

static struct vprof_refusal twin_instrument(struct vprof_twin *twin, const struct vprof_subject *as, CUgraph work)
{
	struct vprof_graph_nodes nodes;
	struct vprof_refusal refusal;
	uint32_t wanted;
	CUresult result;

	vprof_nodes_take(work, &nodes);
	if (!nodes.scratch || nodes.content != as->content) {
		vprof_nodes_drop(&nodes);
		return vprof_refuse(VPROF_TWIN_NO_CLONE, CUDA_SUCCESS);
	}
	vprof_plan->s = nodes.scratch;
	vprof_plan->gpu = twin->gpu;
	vprof_plan->flags = as->flags;
	wanted = vprof_part_choose(vprof_plan, twin->part, twin->parts) + GAUGES * GAUGE_STAMPS;
	/* Nothing to stamp: a begin and an end would stand for it, and have nothing to hang on. */
	if (!nodes.scratch->total)
		refusal = vprof_refuse(VPROF_TWIN_UNSEEN, CUDA_SUCCESS);
	else if (wanted >= VPROF_TWIN_STAMPS)
		refusal = vprof_refuse(VPROF_TWIN_LARGE, CUDA_SUCCESS);
	else
		refusal = vprof_twin_room(twin, wanted);
	if (refusal.why)
		goto out;
	vprof_plan->cell = twin->cell;
	refusal = vprof_plan_instrument(vprof_plan, work);
	twin->stamps = vprof_plan->stamps;
	if (!refusal.why) {
		result = exec_make(twin, work, as->flags & CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY);
		refusal = result ? vprof_refuse(VPROF_TWIN_NO_EXEC, result) : fine;
	}
	if (refusal.why)
		vprof_gpu_area_drop(twin->area);
out:
	vprof_nodes_drop(&nodes);
	return refusal;
}

/* Goes on in the state `to` while it is what it was; 0: it has changed or gone meanwhile. */
static int go_on(struct vprof_subject *subject, const struct vprof_subject *as, enum vprof_subject_state to)
{
	int same;

	vprof_subject_hold(subject);
	same = subject->version == as->version;
	if (same)
		subject->state = to;
	vprof_subject_drop(subject);
	return same;
}

/* The program's threads leave the clone alone meanwhile; if they are done with it, it is ours to destroy. */
static CUresult copy(struct vprof_subject *subject, const struct vprof_subject *as, CUgraph *work)
{
	CUresult result;

	if (!go_on(subject, as, VPROF_SUBJECT_CLONING))
		return CUDA_ERROR_INVALID_VALUE;
	result = vprof_ask.graph_clone(work, as->clone);
	if (go_on(subject, as, VPROF_SUBJECT_MAKING))
		return result;
	vprof_ask.graph_destroy(as->clone);
	if (!result)
		vprof_ask.graph_destroy(*work);
	return CUDA_ERROR_INVALID_VALUE;
}

static struct vprof_refusal twin_make(struct vprof_twin *twin, const struct vprof_subject *as)
{
	struct vprof_refusal refusal;
	CUgraph work;
	CUresult result = copy(as->self, as, &work);

	if (result)
		return vprof_refuse(VPROF_TWIN_NO_CLONE, result);
	refusal = twin_instrument(twin, as, work);
	if (!refusal.why && as->changes)
		twin->graph = work;
	else
		vprof_ask.graph_destroy(work);
	return refusal;
}

static uint16_t class_of(const struct vprof_plan *p, uint32_t stamp)
{
	uint32_t node = p->node[stamp];

	if (!stamp || node == VPROF_STAMP_STARTED)
		return VPROF_STAMP_NONE;
	if (stamp >= p->first_gauge && stamp < p->first_gauge + p->gauges * GAUGE_STAMPS)
		return p->gauge_class[(stamp - p->first_gauge) / GAUGE_STAMPS];
	return p->chosen[node] & VPROF_CHOSEN_TIMED ? p->class[node] : VPROF_STAMP_NONE;
}

static uint32_t define_piece(const struct vprof_twin *twin, uint32_t graph, uint32_t build_us, uint32_t first,
			     uint32_t *id)
{
	struct vprof_def_twin *def = &vprof_plan->piece.def;
	uint32_t count = twin->stamps + 1 - first < STAMPS_PIECE ? twin->stamps + 1 - first : STAMPS_PIECE, made;

	*def = (struct vprof_def_twin){
		.head.type = VPROF_DEF_TWIN, .graph = graph, .device = twin->gpu->device, .build_us = build_us,
		.first = first, .count = count, .total = twin->stamps + 1,
		.part = (uint16_t)twin->part, .parts = (uint16_t)twin->parts,
	};
	for (uint32_t i = 0; i < count; i++) {
		uint32_t node = vprof_plan->node[first + i];

		def->stamps[i].node = node;
		def->stamps[i].type = class_of(vprof_plan, first + i);
		def->stamps[i].zero = 0;
	}
	made = vprof_define_sparing(def, sizeof(*def) + count * sizeof(def->stamps[0]), NULL);
	if (!first)
		*id = made;
	return made ? count : 0;
}

static int twin_define(struct vprof_twin *twin, uint32_t graph, uint32_t build_us)
{
	uint32_t done;

	if (!vprof_define_spares((twin->stamps + 1) * 8ull + sizeof(struct vprof_def_twin) * 16))
		return 0;
	for (uint32_t first = 0; first <= twin->stamps; first += done)
		if (!(done = define_piece(twin, graph, build_us, first, &twin->id)))
			return 0;
	return 1;
}

static struct vprof_refusal part_build(const struct vprof_subject *as, uint32_t part, uint32_t parts,
				       struct vprof_twin **out)
{
	struct vprof_twin *twin;
	struct vprof_refusal refusal;
	uint64_t start = vprof_clock_ns(CLOCK_MONOTONIC), left;

	*out = NULL;
	if (!vprof_plan)
		vprof_plan = vprof_table(sizeof(*vprof_plan));
	if (!vprof_plan)
		return vprof_refuse(VPROF_TWIN_BUDGET, CUDA_SUCCESS);
	if (as->gpu->is_short || !vprof_gpu_has_room(vprof_gpu_free()))
		return vprof_refuse(VPROF_TWIN_FULL, CUDA_SUCCESS);
	if (vprof_gpu_state_of(as->gpu) != VPROF_GPU_READY)
		return vprof_refuse(VPROF_TWIN_NO_STAMP, as->gpu->error);
	refusal = vprof_twin_place(as, part, parts, &twin);
	if (!twin)
		return refusal;
	twin->use = VPROF_TWIN_MAKING;
	twin->gpu = as->gpu;
	twin->subject = as->self;
	twin->next = twin;
	twin->part = part;
	twin->parts = parts;
	twin->graph = NULL;
	left = vprof_gpu_free();
	refusal = twin_make(twin, as);
	twin->bytes = refusal.why ? 0 : vprof_gpu_taken(left, DRIVER_STEP + twin->stamps * NODE_MOST);
	if (!refusal.why && (!vprof_twin_fits(twin) ||
			     !twin_define(twin, as->graph,
					  (uint32_t)((vprof_clock_ns(CLOCK_MONOTONIC) - start) / 1000)))) {
		/* Housekeeping gives its place back. */
		vprof_twins_release(twin);
		return vprof_refuse(VPROF_TWIN_BUDGET, CUDA_SUCCESS);
	}
	/* Pairs with the acquires of the harvest. */
	__atomic_store_n(&twin->use, refusal.why ? VPROF_TWIN_FREE : VPROF_TWIN_USED, __ATOMIC_RELEASE);
	*out = refusal.why ? NULL : twin;
	return refusal;
}

/* All parts, or none: of as many as now, though launches may be timed at another rate before the last is made. */
static struct vprof_refusal build(const struct vprof_subject *as, struct vprof_twin **first)
{
	uint32_t parts = vprof_parts_of(as->timed);
	struct vprof_refusal refusal = part_build(as, 0, parts, first);
	struct vprof_twin *last = *first, *twin;

	for (uint32_t part = 1; last && part < parts; part++, last = twin) {
		refusal = part_build(as, part, parts, &twin);
		if (!twin) {
			vprof_twins_release(*first);
			*first = NULL;
			break;
		}
		twin->next = *first;
		last->next = twin;
	}
	return refusal;
}

/*
 * What has come of it: one for which there is no room now may have its turn later, one whose place is coming waits for
 * it. Twins of before stay when there are no others; else they are given back, to be released.
 */
static struct vprof_twin *settle(struct vprof_subject *subject, struct vprof_twin *twin, struct vprof_refusal refusal)
{
	struct vprof_twin *before = twin ? subject->twin : NULL;

	subject->why = (uint16_t)refusal.why;
	subject->error = (uint16_t)refusal.error;
	subject->twin = twin ? twin : subject->twin;
	subject->told = twin ? 0 : subject->told;
	subject->rebuilds += before != NULL;
	subject->state = subject->twin ? VPROF_SUBJECT_BUILT : !refusal.why ? VPROF_SUBJECT_QUEUED :
			 vprof_twin_is_later(refusal.why) ? VPROF_SUBJECT_KEPT : VPROF_SUBJECT_NONE;
	if (vprof_twin_is_later(refusal.why) && !subject->twin)
		vprof_subject_tell(subject);
	return before;
}

/* Twins of before of which a launch may have to be waited for stay, and have their turn. */
static struct vprof_subject begin(struct vprof_subject *subject)
{
	struct vprof_subject as;

	vprof_subject_hold(subject);
	subject->self = subject;
	if (subject->state == VPROF_SUBJECT_QUEUED && vprof_twins_may_go(subject)) {
		subject->on_twin = 0;
		subject->state = VPROF_SUBJECT_MAKING;
	} else if (subject->state == VPROF_SUBJECT_QUEUED) {
		subject->state = subject->twin ? VPROF_SUBJECT_BUILT : VPROF_SUBJECT_MAKING;
	}
	as = *subject;
	vprof_subject_drop(subject);
	return as;
}

static void build_and_settle(struct vprof_subject *subject)
{
	struct vprof_subject as = begin(subject);
	struct vprof_twin *twin, *goes;
	struct vprof_refusal refusal;

	if (as.state != VPROF_SUBJECT_MAKING)
		return;
	refusal = build(&as, &twin);
	vprof_subject_hold(subject);
	goes = subject->version == as.version ? settle(subject, twin, refusal) : twin;
	vprof_subject_drop(subject);
	if (goes)
		vprof_twins_release(goes);
}

/* ---- what goes while a twin is made ---- */

/* By our thread: the graph of which it makes twins, NULL: none; `choosing`: one of those that are queued, or none. */
static const struct vprof_subject *building;
static const struct vprof_subject choosing;
static uint32_t is_stuck; /* that was waited for in vain, and is not again: the GPU may hang */

/* Pairs with the loads below: who takes something away after this is waited for, and who has before is seen. */
static void say_building(const struct vprof_subject *subject)
{
	__atomic_store_n(&building, subject, __ATOMIC_SEQ_CST);
	__atomic_store_n(&is_stuck, 0, __ATOMIC_RELAXED);
}

struct vprof_subject *vprof_twin_next(void)
{
	struct vprof_subject *subject;

	say_building(&choosing);
	subject = vprof_twin_wanted();
	if (!subject)
		say_building(NULL);
	return subject;
}

void vprof_twin_build(struct vprof_subject *subject)
{
	say_building(subject);
	build_and_settle(subject);
	say_building(&choosing);
}

void vprof_twin_wait_built(const struct vprof_subject *subject)
{
	uint64_t start = vprof_clock_ns(CLOCK_MONOTONIC);
	const struct vprof_subject *now;

	while ((now = __atomic_load_n(&building, __ATOMIC_SEQ_CST)) && (!subject || now == subject) &&
	       !__atomic_load_n(&is_stuck, __ATOMIC_RELAXED)) {
		if (vprof_clock_ns(CLOCK_MONOTONIC) - start >= BUILD_NS)
			__atomic_store_n(&is_stuck, 1, __ATOMIC_RELAXED);
		vprof_gpu_pause(50000);
	}
}

void vprof_twins_functions_go(void)
{
	struct vprof_subject *subject;

	if (!vprof_twins_are_queued() && !__atomic_load_n(&building, __ATOMIC_SEQ_CST))
		return;
	for (uint32_t i = 0; (subject = vprof_subject_at(i)); i++)
		if (__atomic_load_n(&subject->state, __ATOMIC_RELAXED) == VPROF_SUBJECT_QUEUED)
			vprof_twin_unqueue(subject);
	vprof_twin_wait_built(NULL);
}
