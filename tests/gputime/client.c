/*
 * client.c - a program whose graphs are to be timed; on the fake driver or on a real one.
 *
 *	client chain N PAUSE      N launches of a graph of five nodes on a stream, so many µs between two
 *	client programmatic N PAUSE the same; the second node depends on the first programmatically
 *	client alternate N PAUSE  the same, each on the other of two streams
 *	client ordered N PAUSE    with a sixth node, which depends on the beginning of the first
 *	client pairs N PAUSE      two on each of them, each waited for; it halts at a quarter
 *	client heirs N PAUSE      by four threads, each when the one before it has ended
 *	client blocks N PAUSE     on one stream for twenty launches, then on the other, and so on
 *	client update N PAUSE     cuGraphExecUpdate to other kernels in the middle, and back at three quarters
 *	client often N PAUSE      in the middle updated and launched 200 times in turn, three times, 0.6 s between and behind
 *	client change N PAUSE     cuGraphExecKernelNodeSetParams in the middle
 *	client renew N PAUSE      destroyed and made again in the middle
 *	client capture N PAUSE    while another thread captures, in global mode, from beginning to end
 *	client captured N PAUSE   every tenth launch is tried on a stream that captures, which refuses it
 *	client many G N PAUSE     G graphs, N times in turn; the first twice each time
 *	client late G N PAUSE     the first of G 4 N times, then as many, then the last 40 N times
 *	client burst N NODES TIMES  N launches at once of a graph of so many kernels, and waited for; so many times
 *	client memory G NODES N   G graphs of so many kernels, launched N times in turn, twice each time; prints
 *	                          `taken BYTES`, of device memory since the first launch
 *	client crowd G NODES N    G graphs of so many kernels: all but the last N times in turn, then the last 40 N times; it
 *                          halts at three quarters of both
 *	client forever PAUSE      without end
 *	client long NODES PAUSE   without end, a graph of so many kernels
 *	client alloc N PAUSE      a graph that allocates
 *	client context N PAUSE    in a context of its own, which is destroyed before it ends, and again in another
 *
 * With a PAUSE it halts at three quarters of each of these rows of launches (client.h), and waits for its stream now and then.
 *
 * The graph adds one to x, to y, to x, to y, and copies x; what changes it has x and y change places. Prints
 * `x VALUE VALUE VALUE launches N` at the end (x, y, the copy), `current yes` when the context is still the
 * current one, and `error E CALL` for a call that failed.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/gputime/client.h"

static CUcontext context;
static CUfunction slow, fast, quick;
static CUdeviceptr cell; /* x, and 64 bytes on y, and as many on the copy */
static long launches;
static useconds_t between;

/* The second kernel of the graph is launched so. */
static int programmatic;
/* Another thread captures in global mode, in which nobody waits. */
static int beside_capture;

/* `other`: x is what y else is. */
static CUgraph capture(int other, int alloc)
{
	CUdeviceptr memory;
	CUstream stream;
	CUgraph graph = NULL;

	CALL(cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
	CALL(cuStreamBeginCapture_v2, stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
	if (alloc)
		CALL(cuMemAllocAsync, &memory, 4096, stream);
	for (int i = 0; i < 2; i++) {
		kernel(slow, cell + (other ? 64 : 0), stream);
		(programmatic && !i ? kernel_early : kernel)(fast, cell + (other ? 0 : 64), stream);
	}
	CALL(cuMemcpyDtoDAsync_v2, cell + 128, cell, 4, stream);
	if (alloc)
		CALL(cuMemFreeAsync, memory, stream);
	CALL(cuStreamEndCapture, stream, &graph);
	return graph;
}

/* The graph goes at once, as PyTorch has it. */
static CUgraphExec make(int other)
{
	CUgraph graph = capture(other, 0);
	CUgraphExec exec = NULL;

	CALL(cuGraphInstantiateWithFlags, &exec, graph, 0);
	CALL(cuGraphDestroy, graph);
	return exec;
}

static void launch(CUgraphExec exec, CUstream stream)
{
	CUresult result = cu.cuGraphLaunch(exec, stream);

	must("cuGraphLaunch", result);
	launches += !result;
	if (between)
		usleep(between);
}

/* What comes behind the i-th of n launches. */
static void rest(CUstream stream, long i, long n)
{
	if (!between)
		return;
	if (i % PACE == PACE - 1 && !beside_capture)
		CALL(cuStreamSynchronize, stream);
	if (i == n * 3 / 4)
		halt();
}

static void launch_some(CUgraphExec exec, CUstream stream, long n)
{
	for (long i = 0; i < n; i++) {
		launch(exec, stream);
		rest(stream, i, n);
	}
}

/* ---- verbs ---- */

static void add_ordered(CUgraph graph)
{
	CUgraphEdgeData begun = {
		.from_port = CU_GRAPH_KERNEL_NODE_PORT_LAUNCH_ORDER, .type = CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC,
	};
	CUDA_KERNEL_NODE_PARAMS_v2 params;
	CUgraphNode nodes[5], node;
	CUdeviceptr at = cell + 192;
	void *list[] = { &at, &one };
	size_t count = 5;

	memset(&params, 0, sizeof(params));
	CALL(cuGraphGetNodes, graph, nodes, &count);
	CALL(cuGraphKernelNodeGetParams_v2, nodes[0], &params);
	params.kernelParams = list;
	CALL(cuGraphAddKernelNode_v2, &node, graph, NULL, 0, &params);
	CALL(cuGraphAddDependencies_v2, graph, nodes, &node, &begun, 1);
}

struct heir {
	CUgraphExec exec;
	CUstream stream;
	long n;
};

static void *launch_as_heir(void *arg)
{
	const struct heir *heir = arg;

	CALL(cuCtxSetCurrent, context);
	launch_some(heir->exec, heir->stream, heir->n);
	return NULL;
}

/* Each has the place of the one before it. */
static void launch_by_heirs(CUgraphExec exec, long n, CUstream stream)
{
	struct heir heir = { exec, stream, n / 4 };
	pthread_t thread;

	for (int i = 0; i < 4; i++) {
		pthread_create(&thread, NULL, launch_as_heir, &heir);
		pthread_join(thread, NULL);
	}
}

static void update(CUgraphExec exec, int other)
{
	CUgraphExecUpdateResultInfo info;
	CUgraph graph = capture(other, 0);

	CALL(cuGraphExecUpdate_v2, exec, graph, &info);
	CALL(cuGraphDestroy, graph);
}

/* Its first kernel adds to y. */
static void change(CUgraphExec exec, CUgraph graph)
{
	CUDA_KERNEL_NODE_PARAMS_v2 params;
	CUdeviceptr at = cell + 64;
	void *list[] = { &at, &one };
	CUgraphNode nodes[5];
	size_t count = 5;

	memset(&params, 0, sizeof(params));
	CALL(cuGraphGetNodes, graph, nodes, &count);
	CALL(cuGraphKernelNodeGetParams_v2, nodes[0], &params);
	params.kernelParams = list;
	params.extra = NULL;
	CALL(cuGraphExecKernelNodeSetParams_v2, exec, nodes[0], &params);
}

static void run(const char *verb, long n, CUstream a, CUstream b)
{
	CUgraph graph = capture(0, !strcmp(verb, "alloc"));
	CUgraphExec exec = NULL;
	CUgraph captured = NULL;
	struct capturing other = {
		.context = context, .function = slow, .at = cell + 192, .flags = CU_STREAM_DEFAULT, .pause = 200,
	};
	pthread_t thread;

	if (!strcmp(verb, "ordered"))
		add_ordered(graph);
	CALL(cuGraphInstantiateWithFlags, &exec, graph, 0);
	if (!strcmp(verb, "alternate")) {
		for (long i = 0; i < n; i++)
			launch(exec, i & 1 ? b : a);
	} else if (!strcmp(verb, "blocks")) {
		for (long i = 0; i < n; i++) {
			launch(exec, i / 20 & 1 ? b : a);
			rest(i / 20 & 1 ? b : a, i, n);
		}
	} else if (!strcmp(verb, "update")) {
		launch_some(exec, a, n / 2);
		update(exec, 1);
		launch_some(exec, a, n / 4);
		update(exec, 0);
		launch_some(exec, a, n / 4);
	} else if (!strcmp(verb, "often")) {
		launch_some(exec, a, n / 2);
		for (int i = 0; i < 600; i++) {
			update(exec, i & 1);
			launch(exec, a);
			usleep(i % 200 == 199 ? 600000 : 0);
		}
		update(exec, 0);
		launch_some(exec, a, n / 2);
	} else if (!strcmp(verb, "change")) {
		launch_some(exec, a, n / 2);
		change(exec, graph);
		launch_some(exec, a, n / 2);
	} else if (!strcmp(verb, "renew")) {
		launch_some(exec, a, n / 2);
		CALL(cuGraphExecDestroy, exec);
		exec = make(1);
		launch_some(exec, a, n / 2);
	} else if (!strcmp(verb, "pairs")) {
		for (long i = 0; i < n; i++) {
			launch(exec, i / 2 % 2 ? b : a);
			CALL(cuCtxSynchronize);
			if (i == n / 4)
				halt();
		}
	} else if (!strcmp(verb, "heirs")) {
		launch_by_heirs(exec, n, a);
	} else if (!strcmp(verb, "capture")) {
		beside_capture = 1;
		pthread_create(&thread, NULL, capture_all_along, &other);
		launch_some(exec, a, n);
		other.stop = 1;
		pthread_join(thread, NULL);
	} else if (!strcmp(verb, "captured")) {
		for (long i = 0; i < n; i++) {
			if (i % 10 == 9)
				CALL(cuStreamBeginCapture_v2, a, CU_STREAM_CAPTURE_MODE_RELAXED);
			launch(exec, a);
			if (i % 10 == 9) {
				CALL(cuStreamEndCapture, a, &captured);
				if (captured)
					printf("error captured\n");
			}
			rest(a, i, n);
		}
	} else {
		launch_some(exec, a, n);
	}
	CALL(cuCtxSynchronize);
	CALL(cuGraphExecDestroy, exec);
	CALL(cuGraphDestroy, graph);
}

static void run_many(long graphs, long n, long late, CUstream stream)
{
	CUgraphExec *exec = calloc((size_t)graphs, sizeof(*exec));

	for (long g = 0; g < graphs; g++)
		exec[g] = make(0);
	launch_some(exec[0], stream, late / 10);
	for (long i = 0; i < n; i++) {
		launch(exec[0], stream);
		for (long g = 0; g < graphs; g++)
			launch(exec[g], stream);
		rest(stream, i, n);
	}
	launch_some(exec[graphs - 1], stream, late);
	CALL(cuCtxSynchronize);
	free(exec);
}

static CUgraphExec make_long(CUfunction function, long nodes, CUstream stream)
{
	CUgraphExec exec = NULL;
	CUgraph graph = NULL;

	CALL(cuStreamBeginCapture_v2, stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
	while (nodes-- > 0)
		kernel(function, cell, stream);
	CALL(cuStreamEndCapture, stream, &graph);
	CALL(cuGraphInstantiateWithFlags, &exec, graph, 0);
	CALL(cuGraphDestroy, graph);
	return exec;
}

/* After some launches one by one, for a twin to be there. */
static void run_burst(long n, long nodes, long times, CUstream stream)
{
	CUgraphExec exec = make_long(fast, nodes, stream);

	between = 2000;
	launch_some(exec, stream, 100);
	between = 0;
	while (times-- > 0) {
		CALL(cuStreamSynchronize, stream);
		launch_some(exec, stream, n);
	}
	CALL(cuCtxSynchronize);
	CALL(cuGraphExecDestroy, exec);
}

static void run_memory(long graphs, long nodes, long n, CUstream stream)
{
	CUgraphExec *exec = calloc((size_t)graphs, sizeof(*exec));
	size_t before = 0, after = 0, total;

	for (long g = 0; g < graphs; g++)
		exec[g] = make_long(quick, nodes, stream);
	CALL(cuMemGetInfo_v2, &before, &total);
	between = 0;
	while (n-- > 0) {
		for (long g = 0; g < graphs; g++)
			launch_some(exec[g], stream, 2);
		CALL(cuCtxSynchronize);
		usleep(10000); /* for twins to be made */
	}
	CALL(cuMemGetInfo_v2, &after, &total);
	printf("taken %zu\n", before - after);
	free(exec);
}

static void run_crowd(long graphs, long nodes, long n, CUstream stream)
{
	CUgraphExec *exec = calloc((size_t)graphs, sizeof(*exec));

	for (long g = 0; g < graphs; g++)
		exec[g] = make_long(quick, nodes, stream);
	between = 300;
	for (long i = 0; i < n; i++) {
		for (long g = 0; g < graphs - 1; g++)
			launch(exec[g], stream);
		CALL(cuStreamSynchronize, stream);
		rest(stream, i, n);
	}
	launch_some(exec[graphs - 1], stream, 40 * n);
	CALL(cuCtxSynchronize);
	free(exec);
}

static void begin(int own)
{
	CUmodule module;
	U zeroes[64] = { 0 };

	if (own)
		CALL(cuCtxCreate_v2, &context, 0, 0);
	else
		CALL(cuDevicePrimaryCtxRetain, &context, 0);
	CALL(cuCtxSetCurrent, context);
	CALL(cuModuleLoadData, &module, client_ptx);
	CALL(cuModuleGetFunction, &slow, module, "add_one_spin_20us");
	CALL(cuModuleGetFunction, &fast, module, "add_one_spin_10us");
	CALL(cuModuleGetFunction, &quick, module, "add_one_spin_1us");
	CALL(cuMemAlloc_v2, &cell, 256);
	CALL(cuMemcpyHtoD_v2, cell, zeroes, sizeof(zeroes));
}

static void end(void)
{
	CUcontext now = NULL;
	U x[64];

	CALL(cuMemcpyDtoH_v2, x, cell, sizeof(x));
	CALL(cuCtxGetCurrent, &now);
	printf("x %u %u %u launches %ld\ncurrent %s\n", x[0], x[16], x[32], launches, now == context ? "yes" : "no");
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	int own = !strcmp(verb, "context"), late = !strcmp(verb, "late"), many = late || !strcmp(verb, "many"), forever = !strcmp(verb, "forever");
	long n = forever ? 1L << 60 : argc > 2 ? atol(argv[2]) : 0;
	CUstream a, b;

	between = argc > 2 ? (useconds_t)atol(argv[argc - 1]) : 0;
	if (argc < 3 || !client_open())
		return 2;
	for (int turn = 0; turn <= own; turn++) {
		begin(own);
		programmatic = !strcmp(verb, "programmatic");
		CALL(cuStreamCreate, &a, CU_STREAM_NON_BLOCKING);
		CALL(cuStreamCreate, &b, CU_STREAM_NON_BLOCKING);
		if (!strcmp(verb, "burst") && argc > 4)
			run_burst(n, atol(argv[3]), atol(argv[4]), a);
		else if (!strcmp(verb, "memory") && argc > 4)
			run_memory(n, atol(argv[3]), atol(argv[4]), a);
		else if (!strcmp(verb, "crowd") && argc > 4)
			run_crowd(n, atol(argv[3]), atol(argv[4]), a);
		else if (!strcmp(verb, "long"))
			launch_some(make_long(quick, n, a), a, 1L << 60);
		else if (many)
			run_many(n, atol(argv[3]), late ? 40 * atol(argv[3]) : 0, a);
		else
			run(verb, n, a, b);
		end();
		if (own)
			CALL(cuCtxDestroy_v2, context);
	}
	return 0;
}
