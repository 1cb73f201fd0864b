/*
 * eager_stamps.c - what is put around an operation of a stream: stamps, gates, gauges, and their slots. See eager.h.
 */
#include "shim/ask.h"
#include "shim/eager_stamps.h"

enum {
	GATES_AFTER = 16,   /* operations that get a gate when one was queued too late */
	GAUGE_EVERY = 16,   /* kernels; the second has the first */
};

int vprof_eager_is_made(const uint64_t *stamp)
{
	return __atomic_load_n(stamp, __ATOMIC_ACQUIRE) != 0;
}

/* ---- stamps ---- */

static CUresult launch(CUfunction function, CUstream stream, void **params)
{
	return vprof_ask.launch_kernel(function, 1, 1, 1, 1, 1, 1, 0, stream, params, NULL);
}

static CUdeviceptr on_device(const struct vprof_track *track, const uint64_t *stamp)
{
	return track->area->device + (CUdeviceptr)((const char *)stamp - (const char *)track->area->host);
}

CUresult vprof_eager_put_stamp(const struct vprof_track *track, const uint64_t *where)
{
	CUdeviceptr slot = on_device(track, where);

	return launch(track->gpu->stamp_plain, track->stream, (void *[]){ &slot });
}

CUresult vprof_eager_put_behind(const struct vprof_track *track, const uint64_t *where, int early)
{
	return (early ? vprof_gpu_stamp_early : vprof_gpu_stamp_behind)(track->gpu, track->stream,
									on_device(track, where));
}

void vprof_eager_open_gate(const struct vprof_track *track)
{
	/* Pairs with the gate's load. */
	__atomic_store_n(&track->gpu->gates[(size_t)(track - vprof_tracks) * VPROF_GATE_STRIDE / sizeof(uint32_t)],
			 track->put + 1, __ATOMIC_SEQ_CST);
}

/* The stamp behind a gate was refused: there is nothing to wait for, and the gate's number is not to be used again. */
static void give_up(struct vprof_track *track)
{
	struct vprof_eager_op *op = &track->ops[track->put % VPROF_EAGER_OPS];

	vprof_eager_open_gate(track);
	op->stamped = 0;
	op->type = VPROF_STAMP_NONE;
	/* Pairs with the acquire in harvest(). */
	__atomic_store_n(&track->put, track->put + 1, __ATOMIC_RELEASE);
}

CUresult vprof_eager_put_gate(struct vprof_track *track, const uint64_t *where)
{
	uint32_t most = VPROF_GATE_MOST_NS, want = track->put + 1;
	CUdeviceptr slot = on_device(track, where), go = track->gpu->gates_device +
		(CUdeviceptr)(track - vprof_tracks) * VPROF_GATE_STRIDE;
	CUresult result = launch(track->gpu->gate, track->stream, (void *[]){ &go, &want, &slot, &most });

	if (result)
		return result;
	result = vprof_eager_put_stamp(track, where);
	if (result)
		give_up(track);
	return result;
}

/* ---- slots ---- */

int vprof_eager_has_room(const struct vprof_track *track, uint32_t count)
{
	/* Pairs with the release in take(). */
	return track->put + count - __atomic_load_n(&track->taken, __ATOMIC_ACQUIRE) < VPROF_EAGER_OPS;
}

void vprof_eager_clear(const struct vprof_track *track, uint32_t number)
{
	struct vprof_eager_slot *slot = vprof_eager_slot(track, number);

	__atomic_store_n(&slot->begin, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->end, 0, __ATOMIC_RELEASE);
}

int vprof_eager_holds(struct vprof_track *track, const struct vprof_eager_op *op, uint32_t type)
{
	const struct vprof_eager_slot *slot = vprof_eager_slot(track, track->put);

	if (type == VPROF_STAMP_SPAN)
		return 1;
	if (op->begins)
		return !vprof_eager_is_made(&slot->begin);
	if (!vprof_eager_is_made(&vprof_eager_slot(track, track->put - 1)->end))
		return 1;
	/* What follows has no gate. */
	if (type != VPROF_STAMP_FOLLOWING)
		track->gates = GATES_AFTER;
	return 0;
}

/* What is measured, and the stamp behind it. */
static CUresult put_nothing(const struct vprof_track *track, const uint64_t *where, int led)
{
	CUresult result = launch(track->gpu->nothing, track->stream, NULL);

	if (!result)
		result = vprof_eager_put_behind(track, where, led);
	return result || !led ? result : vprof_gpu_follow(track->gpu, track->stream);
}

/*
 * Behind a gauge of class LED stands a kernel that could begin early, and one more stamp: what that costs a
 * kernel that follows.
 */
static void put_following(struct vprof_track *track, const struct vprof_eager_op *led, uint32_t number, int told)
{
	struct vprof_eager_op *op = &track->ops[number % VPROF_EAGER_OPS];

	vprof_eager_clear(track, number);
	*op = *led;
	op->begins = op->early = 0;
	op->stamped = !vprof_eager_put_behind(track, &vprof_eager_slot(track, number)->end, 0);
	told = told && op->stamped && !vprof_eager_is_made(&vprof_eager_slot(track, number - 1)->end) &&
	       vprof_track_is_alone_still(track);
	op->type = told ? VPROF_STAMP_FOLLOWING : VPROF_STAMP_NONE;
}

/* Behind an operation that has been put: in the next slot. Between begin and end. */
static void put_gauge(struct vprof_track *track, const struct vprof_eager_op *like, enum vprof_stamp_class class)
{
	uint32_t number = track->put, led = class == VPROF_STAMP_LED;
	struct vprof_eager_op *op = &track->ops[number % VPROF_EAGER_OPS];
	int told;

	vprof_eager_clear(track, number);
	*op = *like;
	if (op->begins && vprof_eager_put_gate(track, &vprof_eager_slot(track, number)->begin))
		return;
	op->kind = 0;
	op->object = 0;
	op->type = (uint16_t)class;
	op->stamped = !put_nothing(track, &vprof_eager_slot(track, number)->end, led);
	told = op->stamped && vprof_eager_holds(track, op, op->type) && vprof_track_is_alone_still(track);
	if (led)
		put_following(track, op, number + 1, told);
	if (op->begins)
		vprof_eager_open_gate(track);
	if (!told)
		op->type = VPROF_STAMP_NONE;
	/* What comes next is not to stand behind a gauge. */
	track->seq = 0;
	/* Pairs with the acquire in harvest(). */
	__atomic_store_n(&track->put, number + 1 + led, __ATOMIC_RELEASE);
}

/*
 * Of which class a gauge is to be behind an operation whose time is told; NONE: it is not time for any. Nothing comes
 * between a kernel and what may follow it early.
 */
static enum vprof_stamp_class gauge_due(struct vprof_track *track, const struct vprof_eager_op *op)
{
	if (op->type == VPROF_STAMP_LED && track->led++ % GAUGE_EVERY == 1)
		track->led_owed = 1;
	if (op->early || op->type == VPROF_STAMP_SPAN || !vprof_eager_has_room(track, 3))
		return VPROF_STAMP_NONE;
	if (track->led_owed) {
		track->led_owed = 0;
		return VPROF_STAMP_LED;
	}
	if (op->type != VPROF_STAMP_STREAM && op->type != VPROF_STAMP_GATED)
		return VPROF_STAMP_NONE;
	return track->kernels++ % GAUGE_EVERY == 1 ? (enum vprof_stamp_class)op->type : VPROF_STAMP_NONE;
}

void vprof_eager_gauge(struct vprof_track *track, const struct vprof_eager_op *behind)
{
	enum vprof_stamp_class class = gauge_due(track, behind);
	struct vprof_asking asking;

	if (class == VPROF_STAMP_NONE || !vprof_ask_begin(&asking))
		return;
	put_gauge(track, behind, class);
	vprof_ask_end(&asking);
}
