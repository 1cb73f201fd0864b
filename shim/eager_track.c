/*
 * eager_track.c - streams that get stamps: which track is whose, and who may use it. See eager.h.
 */
#include <string.h>
#include <time.h>
#include "preload/clock.h"
#include "preload/inner.h"
#include "shim/ask.h"
#include "shim/captures.h"
#include "shim/eager.h"
#include "shim/graphs.h"

enum {
	IDLE_NS = 1000000000, /* a stream that has been so for so long leaves its track to another that has none */
};

struct vprof_track vprof_tracks[VPROF_TRACKS];

/*
 * It is never captured, and may not be asked; nor may anything be put onto it while a stream that waits for it is
 * captured, whichever that is.
 */
static int is_legacy(CUstream stream)
{
	return !stream || stream == CU_STREAM_LEGACY;
}

/* Addresses leave the upper byte free. */
static uint64_t key_of(const struct vprof_gpu *gpu, CUstream stream)
{
	return vprof_stream_key(stream, 0) | (uint64_t)(gpu - vprof_gpus + 1) << 56;
}

static struct vprof_track *track_find(uint64_t key)
{
	for (struct vprof_track *track = vprof_tracks; track < vprof_tracks + VPROF_TRACKS; track++)
		if (__atomic_load_n(&track->key, __ATOMIC_RELAXED) == key)
			return track;
	return NULL;
}

/* Is it the context's, or one of another, onto which nothing of ours may be put? It is open, if it may be asked. */
static int is_of(CUstream stream, CUcontext context)
{
	CUcontext its = NULL;

	if (is_legacy(stream) || stream == CU_STREAM_PER_THREAD)
		return 1;
	return VPROF_ASK_STREAM(VPROF_STREAM_OPEN, stream_get_ctx, stream, &its) && its == context;
}

static int track_own(struct vprof_track *track)
{
	uint64_t none = 0;

	return __atomic_compare_exchange_n(&track->owner, &none, (uintptr_t)&vprof_cursor, 0, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

/*
 * All tracks are taken. One that is idle ends, as if its stream had gone: it is owned until it is another's, so
 * that nobody is in a call with it. Threads' own streams end without a word, and programs may have many.
 */
static void track_end_idle(void)
{
	uint64_t now = vprof_clock_ns(CLOCK_MONOTONIC);

	for (struct vprof_track *track = vprof_tracks; track < vprof_tracks + VPROF_TRACKS; track++)
		if (__atomic_load_n(&track->state, __ATOMIC_ACQUIRE) == VPROF_TRACK_READY &&
		    now - __atomic_load_n(&track->used_ns, __ATOMIC_RELAXED) > IDLE_NS && track_own(track)) {
			/* Pairs with the acquire in harvest_track(). */
			__atomic_store_n(&track->state, VPROF_TRACK_ENDED, __ATOMIC_RELEASE);
			return;
		}
}

/* Two threads that come first at once may take two: the first of them holds. */
static void track_claim(struct vprof_gpu *gpu, CUstream stream, uint64_t key)
{
	if (!is_of(stream, gpu->context))
		return;
	for (struct vprof_track *track = vprof_tracks; track < vprof_tracks + VPROF_TRACKS; track++) {
		uint64_t none = 0;

		if (!__atomic_compare_exchange_n(&track->key, &none, key, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		if (track_find(key) != track) {
			__atomic_store_n(&track->key, 0, __ATOMIC_RELEASE);
			return;
		}
		track->gpu = gpu;
		track->seq = 0;
		track->gates = 0;
		track->kernels = track->led = track->led_owed = 0;
		track->object = 0;
		track->ended_ns = 0;
		track->used_ns = vprof_clock_ns(CLOCK_MONOTONIC);
		__atomic_store_n(&track->owner, 0, __ATOMIC_RELAXED);
		/* Pairs with the acquire in vprof_track_wanted(). */
		__atomic_store_n(&track->state, VPROF_TRACK_WANTED, __ATOMIC_RELEASE);
		vprof_gpu_call();
		return;
	}
	track_end_idle();
	vprof_lose(VPROF_LOSS_STAMPS);
}

/* The track of a stream that may have stamps now; NULL: it may not, or not yet. */
struct vprof_track *vprof_track_here(CUstream stream)
{
	struct vprof_gpu *gpu = vprof_gpu_here();
	struct vprof_track *track;
	uint64_t key;

	if (!gpu || vprof_gpu_state_of(gpu) != VPROF_GPU_READY || gpu->mode == VPROF_STAMPS_NONE)
		return NULL;
	if (is_legacy(stream) ? vprof_captures_any() : vprof_ask_stream_state(stream) != VPROF_STREAM_OPEN)
		return NULL;
	key = key_of(gpu, stream);
	track = track_find(key);
	if (!track)
		track_claim(gpu, stream, key);
	if (!track)
		return NULL;
	/* Pairs with the release in vprof_track_prepare(). */
	switch (__atomic_load_n(&track->state, __ATOMIC_ACQUIRE)) {
	case VPROF_TRACK_READY:
		return track->area_gpu == gpu ? track : NULL;
	case VPROF_TRACK_NONE:
		vprof_lose(VPROF_LOSS_STAMPS);
	}
	return NULL;
}

int vprof_track_take(struct vprof_track *track)
{
	if (track_own(track))
		return 1;
	/* Pairs with vprof_track_is_alone(), vprof_track_is_alone_still(). */
	__atomic_add_fetch(&track->strangers_now, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&track->strangers, 1, __ATOMIC_SEQ_CST);
	return 0;
}

void vprof_track_stranger_leaves(struct vprof_track *track)
{
	__atomic_sub_fetch(&track->strangers_now, 1, __ATOMIC_SEQ_CST);
}

/* Nobody else is in a call that puts something onto the stream: from here on whoever comes is seen. By the owner. */
int vprof_track_is_alone(struct vprof_track *track)
{
	uint32_t seen = __atomic_load_n(&track->strangers, __ATOMIC_SEQ_CST), before = track->seen;

	track->seen = seen;
	if (__atomic_load_n(&track->strangers_now, __ATOMIC_SEQ_CST))
		return 0;
	if (seen != before)
		track->seq = 0;
	return 1;
}

int vprof_track_is_alone_still(const struct vprof_track *track)
{
	return __atomic_load_n(&track->strangers, __ATOMIC_SEQ_CST) == track->seen;
}

void vprof_track_drop(struct vprof_track *track)
{
	__atomic_store_n(&track->owner, 0, __ATOMIC_RELEASE);
}

void vprof_eager_stream_gone(CUstream stream)
{
	uint64_t handle = (uintptr_t)stream;

	if (is_legacy(stream) || stream == CU_STREAM_PER_THREAD)
		return;
	for (struct vprof_track *track = vprof_tracks; track < vprof_tracks + VPROF_TRACKS; track++)
		if ((__atomic_load_n(&track->key, __ATOMIC_RELAXED) & ~0ull >> 8) == handle &&
		    __atomic_load_n(&track->state, __ATOMIC_RELAXED) != VPROF_TRACK_FREE)
			/* Pairs with the acquire in harvest_track(). */
			__atomic_store_n(&track->state, VPROF_TRACK_ENDED, __ATOMIC_RELEASE);
}
