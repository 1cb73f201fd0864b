/*
 * wrap_event.c - recording and querying events.
 */
#include "shim/wrap.h"

#define FILL(stream, flags) \
	fill_head(r.slot, VPROF_KIND_EVENT, call, object); fill_words(r.slot, WORD(event), WORD(stream), flags, 0)
#define RECORD(name) WRAP(name, (CUevent event, CUstream stream), (event, stream), 0, FILL(stream, 0))
#define RECORD_FLAGS(name) \
	WRAP(name, (CUevent event, CUstream stream, unsigned flags), (event, stream, flags), 0, FILL(stream, flags))

RECORD(cuEventRecord);
RECORD(cuEventRecord_ptsz);
RECORD_FLAGS(cuEventRecordWithFlags);
RECORD_FLAGS(cuEventRecordWithFlags_ptsz);
WRAP(cuEventQuery, (CUevent event), (event), 0, FILL(0, 0));
