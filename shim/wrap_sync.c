/*
 * wrap_sync.c - waits of the host: for a stream, an event, a context.
 */
#include "shim/wrap.h"

#define FILL(handle) fill_head(r.slot, VPROF_KIND_SYNC, call, object); fill_words(r.slot, WORD(handle), 0, 0, 0)
#define WAIT(name, type) WRAP(name, (type handle), (handle), 0, FILL(handle))

WAIT(cuStreamSynchronize,      CUstream);
WAIT(cuStreamSynchronize_ptsz, CUstream);
WAIT(cuEventSynchronize,       CUevent);
WAIT(cuCtxSynchronize_v2,      CUcontext);
WRAP(cuCtxSynchronize, (void), (), 0, FILL(0));
