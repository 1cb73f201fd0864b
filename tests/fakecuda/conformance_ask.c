/*
 * conformance_ask.c - what a capture does not survive being asked, in relaxed mode.
 *
 * Of the stream itself: each question about streams in shim/ask.def, in a capture of its own.
 * What comes of it is printed and not checked: the library asks none of these of a stream that
 * is captured but whether it is, and the fake driver (stream.c) assumes the worst.
 *
 * Of other things: those that conformance_facts.c leaves out.
 */
#include <stdio.h>
#include <string.h>

#include "tests/fakecuda/conformance.h"

static const char *const questions[] = {
#define ASK(function, symbol, params) symbol,
#include "shim/ask.def"
};

/* What each of them looks like: one answer, of 8 bytes at most. */
typedef CUresult question(CUstream stream, void *answer);

/* A capture with a launch before and behind what is asked. */
struct capture {
	CUstream stream;
	CUstreamCaptureMode mode; /* this thread's own */
	CUgraph graph;
	CUresult next, end;
};

static void capture_begin(struct capture *c)
{
	*c = (struct capture){ .mode = CU_STREAM_CAPTURE_MODE_RELAXED };
	cu.cuStreamCreate(&c->stream, CU_STREAM_NON_BLOCKING);
	cu.cuStreamBeginCapture_v2(c->stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
	conf_launch(t.add_one, c->stream, 0);
	cu.cuThreadExchangeStreamCaptureMode(&c->mode);
}

static void capture_end(struct capture *c)
{
	cu.cuThreadExchangeStreamCaptureMode(&c->mode);
	c->next = conf_launch(t.add_one, c->stream, 0);
	c->end = cu.cuStreamEndCapture(c->stream, &c->graph);
	if (c->graph)
		cu.cuGraphDestroy(c->graph);
	cu.cuStreamDestroy_v2(c->stream);
}

static void ask_stream(const char *symbol)
{
	CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
	uint64_t answer[2] = { 0 };
	struct capture c;
	question *ask;
	CUresult result;

	*(void **)&ask = cu.symbol(symbol);
	if (!ask) {
		printf("# asked of a captured stream, %s: not there\n", symbol);
		return;
	}
	capture_begin(&c);
	result = ask(c.stream, answer);
	cu.cuStreamIsCapturing(c.stream, &status);
	capture_end(&c);
	printf("# asked of a captured stream, %s: %d; the capture is %s; the next launch: %d; its end: %d\n", symbol,
		result, status == CU_STREAM_CAPTURE_STATUS_ACTIVE ? "active" : "invalidated", c.next, c.end);
}

static void ask_others(void)
{
	CUresult (*state)(CUdevice, unsigned *, int *);
	CUgraphNodeType type;
	CUgraphNode node = NULL;
	struct capture c;
	CUgraph graph = NULL;
	CUcontext ctx = NULL;
	const char *name;
	size_t count = 1;
	unsigned flags;
	int active = 0;

	*(void **)&state = cu.symbol("cuDevicePrimaryCtxGetState");
	check(CUDA_SUCCESS, cuGraphCreate(&graph, 0));
	check(CUDA_SUCCESS, cuGraphAddEmptyNode(&node, graph, NULL, 0));
	capture_begin(&c);
	conf_ok(!state(0, &flags, &active) && active, "the state of a primary context, while a stream is captured");
	check(CUDA_SUCCESS, cuDevicePrimaryCtxRetain(&ctx, 0));
	check(CUDA_SUCCESS, cuDevicePrimaryCtxRelease_v2(0));
	check(CUDA_SUCCESS, cuCtxGetCurrent(&ctx));
	check(CUDA_SUCCESS, cuFuncGetName(&name, t.add_one));
	if (check(CUDA_SUCCESS, cuGraphGetNodes(graph, &node, &count)))
		check(CUDA_SUCCESS, cuGraphNodeGetType(node, &type));
	capture_end(&c);
	conf_ok(!c.next && !c.end, "the capture outlives these questions");
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
}

void conf_ask(void)
{
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (!strncmp(questions[i], "cuStream", strlen("cuStream")))
			ask_stream(questions[i]);
	ask_others();
}
