/*
 * eager.c - stamps around what is put onto streams: by the program's threads. See eager.h.
 */
#include <string.h>
#include <time.h>
#include "preload/clock.h"
#include "preload/inner.h"
#include "shim/ask.h"
#include "shim/cuda_api.h"
#include "shim/eager_stamps.h"

enum {
	SEQ_MOST = 16,      /* records between two operations that touch */
	PRIMARY_BITS = 12,
};

static uint32_t missed; /* calls without a record, and times without stamps */
static uint64_t primary[(1 << PRIMARY_BITS) / 64]; /* kernels that programmatic launches follow, by hash */

void vprof_eager_miss(void)
{
	__atomic_add_fetch(&missed, 1, __ATOMIC_RELAXED);
}

/* ---- what is to be done ---- */

struct operation {
	CUstream stream;
	uint32_t per_thread;
	int known;          /* onto which stream it goes is in its record */
	int plain;          /* it may have stamps, as far as it goes */
	int programmatic;
};

/* Does the call return when the work is queued? Copies from and to pageable memory may not. */
static int is_free(uint64_t address)
{
	CUmemorytype type;

	return vprof_ask.pointer_attribute &&
	       !vprof_ask.pointer_attribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, (CUdeviceptr)address);
}

static int copy_is_free(const struct vprof_slot *slot)
{
	switch (slot->object & VPROF_COPY_DIRECTION) {
	case VPROF_COPY_DTOD:
	case VPROF_COPY_DTOA:
	case VPROF_COPY_ATOD:
	case VPROF_COPY_ATOA:
	case VPROF_COPY_PEER:
		return 1;
	case VPROF_COPY_HTOD:
	case VPROF_COPY_HTOA:
		return is_free(slot->copy.src);
	case VPROF_COPY_DTOH:
	case VPROF_COPY_ATOH:
		return is_free(slot->copy.dst);
	case VPROF_COPY_UNKNOWN:
		return is_free(slot->copy.src) && is_free(slot->copy.dst);
	}
	return 0;
}

static struct operation operation_of(const struct vprof_slot *slot, unsigned call)
{
	struct operation op = { .known = 1, .plain = 1 };
	uint64_t stream = 0;

	switch (slot->kind) {
	case VPROF_KIND_LAUNCH:
		stream = slot->launch.stream;
		op.per_thread = slot->launch.flags & VPROF_LAUNCH_PER_THREAD;
		op.programmatic = (slot->launch.flags & VPROF_LAUNCH_PROGRAMMATIC) != 0;
		op.plain = call != CU_ID_cuLaunchCooperativeKernelMultiDevice;
		break;
	case VPROF_KIND_COPY:
		stream = slot->copy.stream;
		op.per_thread = slot->object & VPROF_COPY_PER_THREAD;
		op.plain = (slot->object & VPROF_COPY_ASYNC) != 0;
		break;
	case VPROF_KIND_SET:
		stream = slot->set.stream;
		op.per_thread = slot->object & VPROF_COPY_PER_THREAD;
		op.plain = (slot->object & VPROF_COPY_ASYNC) != 0;
		break;
	case VPROF_KIND_GRAPH_LAUNCH:
		stream = slot->graph_launch.stream;
		op.per_thread = slot->graph_launch.flags & VPROF_LAUNCH_PER_THREAD;
		op.plain = vprof_eager_has_spans() && !(slot->graph_launch.flags & VPROF_LAUNCH_TWIN);
		break;
	default: /* copies in batches */
		op.known = 0;
	}
	op.stream = (CUstream)(uintptr_t)stream;
	if (!op.stream && op.per_thread)
		op.stream = CU_STREAM_PER_THREAD;
	return op;
}

/* ---- what touches ---- */

/* All that puts work onto streams is recorded by these. */
static int all_is_seen(void)
{
	const uint32_t all = VPROF_GROUP_BIT(VPROF_GROUP_LAUNCH) | VPROF_GROUP_BIT(VPROF_GROUP_COPY) |
			     VPROF_GROUP_BIT(VPROF_GROUP_MEMORY) | VPROF_GROUP_BIT(VPROF_GROUP_EVENT) |
			     VPROF_GROUP_BIT(VPROF_GROUP_STREAM) | VPROF_GROUP_BIT(VPROF_GROUP_GRAPH) |
			     VPROF_GROUP_BIT(VPROF_GROUP_CONTEXT);

	return (vprof_groups() & all) == all;
}

static int puts_nothing(unsigned kind)
{
	switch (kind) {
	case VPROF_KIND_SYNC:
	case VPROF_KIND_MODULE:
	case VPROF_KIND_QUERIES:
	case VPROF_KIND_RANGE:
	case VPROF_KIND_RANGE_END:
	case VPROF_KIND_MARK:
	case VPROF_KIND_TEXT:
	case VPROF_KIND_COUNTER:
		return 1;
	}
	return 0;
}

/*
 * Has the calling thread, by what it has recorded since, put nothing onto any stream since the last
 * operation of this one? Records of one chunk are numbered one behind the other.
 */
static int touches(const struct vprof_track *track, struct vprof_record r)
{
	uint64_t between = r.seq - track->seq;

	if (!track->seq || (r.seq ^ track->seq) / VPROF_CHUNK_SLOTS || !between || between > SEQ_MOST ||
	    track->window != vprof_window_open() || track->missed != __atomic_load_n(&missed, __ATOMIC_RELAXED) ||
	    !all_is_seen())
		return 0;
	while (--between)
		if (!puts_nothing(r.slot[-(int64_t)between].kind))
			return 0;
	return 1;
}

/* ---- programmatic launches ---- */

/* The bit of a kernel by its definition. */
static uint64_t *primary_of(uint32_t object, uint64_t *bit)
{
	uint32_t at = object * 0x9e3779b1u >> (32 - PRIMARY_BITS);

	*bit = 1ull << at % 64;
	return &primary[at / 64];
}

static void primary_note(uint32_t object)
{
	uint64_t bit, *word = primary_of(object, &bit);

	if (object && !(__atomic_load_n(word, __ATOMIC_RELAXED) & bit))
		__atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
}

static int is_primary(uint32_t object)
{
	uint64_t bit;
	const uint64_t *word = primary_of(object, &bit);

	return object && (__atomic_load_n(word, __ATOMIC_RELAXED) & bit) != 0;
}

static enum vprof_stamp_class class_of(const struct vprof_slot *slot, int gated, int early)
{
	if (slot->kind != VPROF_KIND_LAUNCH)
		return VPROF_STAMP_STREAM_COPY;
	if (early)
		return VPROF_STAMP_LED;
	return gated ? VPROF_STAMP_GATED : VPROF_STAMP_STREAM;
}

/* ---- before and behind ---- */

/* What goes before the operation. Its class; NONE: it has no stamps. */
static enum vprof_stamp_class begin(struct vprof_track *track, struct vprof_record r, int programmatic)
{
	struct vprof_eager_slot *slot = vprof_eager_slot(track, track->put);
	struct vprof_eager_op *put = &track->ops[track->put % VPROF_EAGER_OPS];
	int busy;

	if (!vprof_track_is_alone(track))
		return VPROF_STAMP_NONE;
	busy = touches(track, r) && !vprof_eager_is_made(&vprof_eager_slot(track, track->put - 1)->end);
	track->missed = __atomic_load_n(&missed, __ATOMIC_RELAXED);
	if (programmatic && !(busy && track->ops[(track->put - 1) % VPROF_EAGER_OPS].early))
		return VPROF_STAMP_NONE;
	if (!vprof_eager_has_room(track, 1)) {
		vprof_lose(VPROF_LOSS_STAMPS);
		return VPROF_STAMP_NONE;
	}
	vprof_eager_clear(track, track->put);
	put->early = track->gpu->stamp_early && is_primary(track->object);
	put->begins = !programmatic;
	if (programmatic)
		return VPROF_STAMP_FOLLOWING;
	if (r.slot->kind == VPROF_KIND_GRAPH_LAUNCH)
		return vprof_eager_put_stamp(track, &slot->begin) ? VPROF_STAMP_NONE : VPROF_STAMP_SPAN;
	if (!busy || track->gates) {
		track->gates -= track->gates != 0;
		return vprof_eager_put_gate(track, &slot->begin) ? VPROF_STAMP_NONE : class_of(r.slot, 1, put->early);
	}
	put->begins = 0;
	return class_of(r.slot, 0, put->early);
}

/* A graph that has no stamps has to be seen all the same: of what other threads put it may be in between. */
static int is_wanted(const struct vprof_slot *slot, const struct operation *op)
{
	return vprof_eager_is_open() || (slot->kind == VPROF_KIND_GRAPH_LAUNCH && op->plain);
}

/* May it have stamps, on this track? By who has the track. */
static int may(struct vprof_track *track, const struct vprof_slot *slot, const struct operation *op)
{
	uint32_t before = track->object;

	track->object = slot->kind == VPROF_KIND_LAUNCH ? slot->object : 0;
	if (op->programmatic)
		primary_note(before);
	if ((op->programmatic || is_primary(track->object)) && !track->gpu->stamp_early)
		return 0;
	return op->plain && (slot->kind != VPROF_KIND_COPY || copy_is_free(slot));
}

struct vprof_eager vprof_eager_before_slow(struct vprof_record r, unsigned call)
{
	struct operation op = operation_of(r.slot, call);
	struct vprof_eager eager = { .track = NULL, .type = VPROF_STAMP_NONE };
	struct vprof_asking asking;

	if (!op.known)
		vprof_eager_miss();
	if (!op.known || !is_wanted(r.slot, &op) || !vprof_ask_begin(&asking))
		return eager;
	eager.track = vprof_track_here(op.stream);
	if (eager.track && !vprof_track_take(eager.track)) {
		eager.as = VPROF_EAGER_STRANGER;
	} else if (eager.track) {
		eager.track->stream = op.stream;
		if (may(eager.track, r.slot, &op))
			eager.type = begin(eager.track, r, op.programmatic);
		eager.as = eager.type != VPROF_STAMP_NONE ? VPROF_EAGER_STAMPED : VPROF_EAGER_PLAIN;
	}
	vprof_ask_end(&asking);
	return eager;
}

static void stamped(struct vprof_track *track, uint32_t type, struct vprof_record r, CUresult result)
{
	struct vprof_eager_op *op = &track->ops[track->put % VPROF_EAGER_OPS];
	uint64_t thread = vprof_thread_serial();
	struct vprof_asking asking;
	int told;

	op->stamped = 0;
	if (!result && vprof_ask_begin(&asking)) {
		op->stamped = !vprof_eager_put_behind(track, &vprof_eager_slot(track, track->put)->end, op->early);
		vprof_ask_end(&asking);
	}
	told = op->stamped && vprof_eager_holds(track, op, type);
	if (op->begins && type != VPROF_STAMP_SPAN)
		vprof_eager_open_gate(track);
	told &= track->missed == __atomic_load_n(&missed, __ATOMIC_RELAXED);
	told &= vprof_track_is_alone_still(track) && thread && __atomic_load_n(&r.slot->seq, __ATOMIC_RELAXED) == r.seq;
	op->type = (uint16_t)(told ? type : VPROF_STAMP_NONE);
	if (told) {
		op->t0 = r.slot->t0;
		op->object = r.slot->object;
		op->kind = r.slot->kind;
		op->stream = op->kind == VPROF_KIND_COPY ? r.slot->copy.stream :
			     op->kind == VPROF_KIND_SET ? r.slot->set.stream : r.slot->words[0];
		op->thread = (uint32_t)thread;
	}
	track->seq = op->stamped ? r.seq : 0;
	track->window = vprof_window_open();
	__atomic_store_n(&track->used_ns, vprof_clock_ns(CLOCK_MONOTONIC), __ATOMIC_RELAXED);
	track->missed = __atomic_load_n(&missed, __ATOMIC_RELAXED);
	/* Pairs with the acquire in harvest(). */
	__atomic_store_n(&track->put, track->put + 1, __ATOMIC_RELEASE);
	if (told)
		vprof_eager_gauge(track, op);
}

void vprof_eager_behind(struct vprof_eager eager, struct vprof_record r, CUresult result)
{
	if (eager.as == VPROF_EAGER_STRANGER) {
		vprof_track_stranger_leaves(eager.track);
		return;
	}
	if (eager.as == VPROF_EAGER_STAMPED)
		stamped(eager.track, eager.type, r, result);
	else
		eager.track->seq = 0;
	vprof_track_drop(eager.track);
}
