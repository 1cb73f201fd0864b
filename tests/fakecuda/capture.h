/* capture.h - a capture in progress (capture.c). All fields are under fk_lock. */
#ifndef FAKECUDA_CAPTURE_H
#define FAKECUDA_CAPTURE_H

#include <sys/types.h>

#include "tests/fakecuda/fake.h"

struct fk_capture {
	struct fk_capture *next; /* of all captures in progress */
	CUstreamCaptureStatus status;
	CUstreamCaptureMode mode;
	pid_t thread;        /* that began it */
	unsigned long long id;
	CUgraph graph;
	bool to_graph;       /* the caller's graph: not ours to free */
	CUstream origin;
	int streams;         /* that capture into it */
};

#endif
