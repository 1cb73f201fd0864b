/*
 * wrap_object.c - streams, events and contexts: made and destroyed.
 *
 * Recorded as other calls are, by their arguments; of what they make, the record has the
 * definition as well.
 */
#include "shim/gpu.h"
#include "shim/memory.h"
#include "shim/objects.h"
#include "shim/twin.h"
#include "shim/wrap.h"

#define FILL(a, b, c, d) \
	fill_head(r.slot, VPROF_KIND_CALL, call, object); fill_words(r.slot, WORD(a), WORD(b), WORD(c), WORD(d))
#define MAKE(name, params, args, fill, learn) \
	WRAP_KEEP(EXPORT, name, params, args, , fill, object = learn, r.slot->object = object)
#define END(name, params, args, before, fill, learn) \
	WRAP_KEEP(EXPORT, name, params, args, before, fill, learn, )

/* ---- streams ---- */

MAKE(cuStreamCreate, (CUstream *out, unsigned flags), (out, flags), FILL(out, flags, 0, 0),
     vprof_stream_made(*out, flags, 0));
MAKE(cuStreamCreateWithPriority, (CUstream *out, unsigned flags, int priority), (out, flags, priority),
     FILL(out, flags, (unsigned)priority, 0), vprof_stream_made(*out, flags, priority));
MAKE(cuGreenCtxStreamCreate, (CUstream *out, void *green, unsigned flags, int priority),
     (out, green, flags, priority), FILL(out, green, flags, (unsigned)priority),
     vprof_stream_made(*out, flags, priority));

#define STREAM_END(name) \
	END(name, (CUstream stream), (stream), (vprof_eager_stream_gone(stream), vprof_twin_stream_gone(stream)), \
	    FILL(stream, 0, 0, 0), )
STREAM_END(cuStreamDestroy);
STREAM_END(cuStreamDestroy_v2);

/* ---- events ---- */

MAKE(cuEventCreate, (CUevent *out, unsigned flags), (out, flags), FILL(out, flags, 0, 0),
     vprof_event_made(*out, flags));

/* ---- contexts ---- */

#define CREATED vprof_context_made(*out, device, flags, VPROF_CONTEXT_CREATED)

MAKE(cuCtxCreate, (CUcontext *out, unsigned flags, CUdevice device), (out, flags, device),
     FILL(out, flags, (unsigned)device, 0), CREATED);
MAKE(cuCtxCreate_v2, (CUcontext *out, unsigned flags, CUdevice device), (out, flags, device),
     FILL(out, flags, (unsigned)device, 0), CREATED);
MAKE(cuCtxCreate_v3, (CUcontext *out, void *affinity, int count, unsigned flags, CUdevice device),
     (out, affinity, count, flags, device), FILL(out, affinity, (unsigned)count, flags), CREATED);
MAKE(cuCtxCreate_v4, (CUcontext *out, void *made_with, unsigned flags, CUdevice device),
     (out, made_with, flags, device), FILL(out, made_with, flags, (unsigned)device), CREATED);
MAKE(cuCtxFromGreenCtx, (CUcontext *out, void *green), (out, green), FILL(out, green, 0, 0),
     vprof_context_made(*out, -1, 0, VPROF_CONTEXT_GREEN));
MAKE(cuDevicePrimaryCtxRetain, (CUcontext *out, CUdevice device), (out, device),
     FILL(out, (unsigned)device, 0, 0), vprof_primary_retained(*out, device));

/* What was taken in a context goes with it. */
#define CONTEXT_END(name) \
	END(name, (CUcontext context), (context), vprof_gpu_context_gone(context, -1), \
	    FILL(context, 0, 0, 0), \
	    vprof_context_gone(context); vprof_memory_context_gone(call, context))
CONTEXT_END(cuCtxDestroy);
CONTEXT_END(cuCtxDestroy_v2);

/* It may go: what it holds is not given back here, for whoever attached it has it still. */
END(cuCtxDetach, (CUcontext context), (context), vprof_gpu_context_gone(context, -1), FILL(context, 0, 0, 0),
    vprof_kernels_recheck());
END(cuGreenCtxDestroy, (void *green), (green), vprof_gpu_green_gone(green), FILL(green, 0, 0, 0),
    vprof_kernels_recheck());

/* A primary context ends with its last user, or when it is reset. */
#define PRIMARY_END(name, before, learn, ended) \
	END(name, (CUdevice device), (device), CUcontext primary = vprof_primary_context(device); before, \
	    FILL((unsigned)device, 0, 0, 0), \
	    learn; if (ended) { vprof_gpu_context_gone(primary, device); vprof_memory_context_gone(call, primary); })
#define RELEASE(name) \
	PRIMARY_END(name, vprof_gpu_hold(), vprof_primary_released(device), !vprof_primary_is_active(device))
#define RESET(name) PRIMARY_END(name, vprof_gpu_context_gone(primary, device), vprof_kernels_recheck(), 1)
RELEASE(cuDevicePrimaryCtxRelease);
RELEASE(cuDevicePrimaryCtxRelease_v2);
RESET(cuDevicePrimaryCtxReset);
RESET(cuDevicePrimaryCtxReset_v2);
