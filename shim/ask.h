/*
 * ask.h - calls to the driver of our own.
 *
 * RULES. What we ask must not show: it is asked between vprof_ask_begin() and
 * vprof_ask_end(), in relaxed capture mode, since a call in any other mode may invalidate a
 * capture that the program has begun in another thread. It goes to the driver and not
 * through a wrapper, is not recorded, leaves the current context as it is, and errno too.
 * A function that this driver lacks is not asked.
 *
 * STREAMS. Relaxed mode does not cover the stream itself: some questions about a stream that is
 * being captured fail and invalidate its capture, and so does any about the legacy stream while
 * a blocking one is captured. So whatever is asked about a stream goes through this file, which
 * asks first whether it is captured, and nothing more about one that is. (A program whose one
 * thread begins to capture a stream while another allocates on it has that race of its own.)
 */
#ifndef VPROF_SHIM_ASK_H
#define VPROF_SHIM_ASK_H

#include <errno.h>
#include "preload/compiler.h"
#include "preload/inner.h"
#include "shim/cuda_abi.h"

struct vprof_ask {
#define ASK(function, symbol, params) CUresult (*function) params;
#include "shim/ask.def"
};
extern struct vprof_ask vprof_ask HIDDEN;

/* Fills vprof_ask. Threads may do so at once: they write the same. */
void vprof_ask_learn(const struct vprof_object *driver) HIDDEN;

struct vprof_asking {
	CUstreamCaptureMode mode; /* the thread's own */
	int saved;                /* errno */
};

/* May we ask? 0 when the driver has no such mode, or is in a state in which it answers nothing. */
static inline int vprof_ask_begin(struct vprof_asking *asking)
{
	asking->saved = errno;
	asking->mode = CU_STREAM_CAPTURE_MODE_RELAXED;
	if (vprof_ask.exchange_capture_mode && !vprof_ask.exchange_capture_mode(&asking->mode))
		return 1;
	errno = asking->saved;
	return 0;
}

static inline void vprof_ask_end(struct vprof_asking *asking)
{
	vprof_ask.exchange_capture_mode(&asking->mode);
	errno = asking->saved;
}

/* ---- streams; between begin and end ---- */

enum vprof_stream_state {
	VPROF_STREAM_SHUT,     /* may not be asked; the legacy stream is one, and cannot be captured */
	VPROF_STREAM_CAPTURED, /* may not be asked either */
	VPROF_STREAM_OPEN,
};

static inline enum vprof_stream_state vprof_ask_stream_state(CUstream stream)
{
	CUstreamCaptureStatus status;

	if (!stream || stream == CU_STREAM_LEGACY || !vprof_ask.stream_is_capturing ||
	    vprof_ask.stream_is_capturing(stream, &status))
		return VPROF_STREAM_SHUT;
	return status == CU_STREAM_CAPTURE_STATUS_NONE ? VPROF_STREAM_OPEN : VPROF_STREAM_CAPTURED;
}

/* 1: answered. `state`: the stream's, asked just before. */
#define VPROF_ASK_STREAM(state, question, stream, answer) \
	((state) == VPROF_STREAM_OPEN && vprof_ask.question && !vprof_ask.question(stream, answer))

/* Streams of our own are captured by nobody. CUDA_ERROR_NOT_FOUND: this driver cannot. */
static inline CUresult vprof_ask_own_stream(CUstream *out)
{
	return vprof_ask.stream_create && vprof_ask.stream_query ?
	       vprof_ask.stream_create(out, CU_STREAM_NON_BLOCKING) :
								   CUDA_ERROR_NOT_FOUND;
}

static inline CUresult vprof_ask_own_state(CUstream own)
{
	return vprof_ask.stream_query(own);
}

#endif
