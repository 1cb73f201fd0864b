/*
 * ask.h - calls to the driver of our own.
 *
 * RULES. What we ask must not show: it is asked between vprof_ask_begin() and
 * vprof_ask_end(), in relaxed capture mode, since a call in any other mode may invalidate a
 * capture that the program has begun in another thread. It goes to the driver and not
 * through a wrapper, is not recorded, leaves the current context as it is, and errno too.
 * A function that this driver lacks is not asked.
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

#endif
