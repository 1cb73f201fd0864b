/*
 * changes.c - a program that changes nodes of its executable graph, while that is timed.
 *
 *	changes WHAT EVERY N PAUSE   N launches, so many µs between two; every so many of them WHAT is changed
 *
 * It halts (client.h) 30 launches behind the start, and behind each change where as many come before the next.
 *
 * WHAT: kernel (its arguments), kernel1 (by the call of an older version), any (by the call for all kinds), function
 * (another kernel), shape (another size of shared memory), copy, fill, host, event, child, off (and on again), none,
 * foreign (a kernel's arguments, when the whole has been updated to another graph).
 *
 * The graph: a kernel, a fill, a copy of what is filled to the host, a host function that sums it up, an event, a child
 * graph with a kernel; one after the other. What changes is one of two things, in turn, and each launch that had
 * the wrong one shows in what is printed. `error E CALL` is for a call that failed.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/gputime/client.h"

enum {
	WORDS = 64, HALF = WORDS / 2,
	HALT_AT = 30,
};

static struct {
	CUcontext context;
	CUfunction slow, fast;
	CUdeviceptr at;            /* words: 0 and HALF what kernels count, 8 the fill, 9 a seven, 12 and HALF + 12 the child's */
	CUevent event[2];
	CUgraph child[2], graph;
	CUgraphNode kernel, copy, fill, host, record, of_child;
	CUgraphExec exec;
} c;
static U *copied;                  /* the host's */
static U sums[2];                  /* of what was copied; by the driver's threads */

static CUdeviceptr word(int at)
{
	return c.at + (CUdeviceptr)at * 4;
}

static void called(void *user)
{
	*(U *)user += *copied;
}

/* ---- what nodes do: the first or the second of two ---- */

static CUDA_KERNEL_NODE_PARAMS_v2 kernel_of(CUfunction function, int at)
{
	static CUdeviceptr where;
	static void *list[] = { &where, &one };

	where = word(at);
	return (CUDA_KERNEL_NODE_PARAMS_v2){ .func = function, .gridDimX = 1, .gridDimY = 1, .gridDimZ = 1,
		.blockDimX = 1, .blockDimY = 1, .blockDimZ = 1, .kernelParams = list };
}

static CUDA_MEMCPY3D_v2 copy_of(int turn)
{
	return (CUDA_MEMCPY3D_v2){ .srcMemoryType = CU_MEMORYTYPE_DEVICE, .srcDevice = word(turn ? 9 : 8),
		.dstMemoryType = CU_MEMORYTYPE_HOST, .dstHost = copied, .WidthInBytes = 4, .Height = 1, .Depth = 1 };
}

static CUDA_MEMSET_NODE_PARAMS fill_of(int turn)
{
	return (CUDA_MEMSET_NODE_PARAMS){ .dst = word(8), .value = (U)turn + 1, .elementSize = 4, .width = 1, .height = 1 };
}

static CUDA_HOST_NODE_PARAMS host_of(int turn)
{
	return (CUDA_HOST_NODE_PARAMS){ called, &sums[turn] };
}

static CUgraph child_of(int turn)
{
	CUDA_KERNEL_NODE_PARAMS_v2 p = kernel_of(c.fast, turn ? HALF + 12 : 12);
	CUgraph graph = NULL;
	CUgraphNode node;

	CALL(cuGraphCreate, &graph, 0);
	CALL(cuGraphAddKernelNode_v2, &node, graph, NULL, 0, &p);
	return graph;
}

static void make(void)
{
	CUDA_KERNEL_NODE_PARAMS_v2 kernel = kernel_of(c.slow, 0);
	CUDA_MEMCPY3D_v2 copy = copy_of(0);
	CUDA_MEMSET_NODE_PARAMS fill = fill_of(0);
	CUDA_HOST_NODE_PARAMS host = host_of(0);

	CALL(cuGraphCreate, &c.graph, 0);
	CALL(cuGraphAddKernelNode_v2, &c.kernel, c.graph, NULL, 0, &kernel);
	CALL(cuGraphAddMemsetNode, &c.fill, c.graph, &c.kernel, 1, &fill, c.context);
	CALL(cuGraphAddMemcpyNode, &c.copy, c.graph, &c.fill, 1, &copy, c.context);
	CALL(cuGraphAddHostNode, &c.host, c.graph, &c.copy, 1, &host);
	for (int turn = 0; turn < 2; turn++) {
		CALL(cuEventCreate, &c.event[turn], 0);
		c.child[turn] = child_of(turn);
	}
	CALL(cuGraphAddEventRecordNode, &c.record, c.graph, &c.host, 1, c.event[0]);
	CALL(cuGraphAddChildGraphNode, &c.of_child, c.graph, &c.record, 1, c.child[0]);
}

/* The same once more takes its place; its nodes go by those that it was made of. */
static void update(void)
{
	__typeof__(c) made = c;
	CUgraphExecUpdateResultInfo info;

	make();
	CALL(cuGraphExecUpdate_v2, c.exec, c.graph, &info);
	c = made;
}

/* ---- changes ---- */

static void change(const char *what, int turn)
{
	CUDA_KERNEL_NODE_PARAMS_v2 kernel = kernel_of(!strcmp(what, "function") && turn ? c.fast : c.slow, turn ? HALF : 0);
	struct { CUgraphNodeType type; int zero[3]; CUDA_KERNEL_NODE_PARAMS_v2 kernel; char rest[168]; } any = {
		.type = CU_GRAPH_NODE_TYPE_KERNEL, .kernel = kernel,
	};
	CUDA_MEMCPY3D_v2 copy = copy_of(turn);
	CUDA_MEMSET_NODE_PARAMS fill = fill_of(turn);
	CUDA_HOST_NODE_PARAMS host = host_of(turn);

	_Static_assert(sizeof(any) == 256, "CUgraphNodeParams");
	kernel.sharedMemBytes = !strcmp(what, "shape") && turn ? 64 : 0;
	if (!strcmp(what, "foreign"))
		update();
	if (!strcmp(what, "kernel") || !strcmp(what, "foreign") || !strcmp(what, "function") || !strcmp(what, "shape"))
		CALL(cuGraphExecKernelNodeSetParams_v2, c.exec, c.kernel, &kernel);
	else if (!strcmp(what, "kernel1"))
		CALL(cuGraphExecKernelNodeSetParams, c.exec, c.kernel, &kernel);
	else if (!strcmp(what, "any"))
		CALL(cuGraphExecNodeSetParams, c.exec, c.kernel, &any);
	else if (!strcmp(what, "copy"))
		CALL(cuGraphExecMemcpyNodeSetParams, c.exec, c.copy, &copy, c.context);
	else if (!strcmp(what, "fill"))
		CALL(cuGraphExecMemsetNodeSetParams, c.exec, c.fill, &fill, c.context);
	else if (!strcmp(what, "host"))
		CALL(cuGraphExecHostNodeSetParams, c.exec, c.host, &host);
	else if (!strcmp(what, "event"))
		CALL(cuGraphExecEventRecordNodeSetEvent, c.exec, c.record, c.event[turn]);
	else if (!strcmp(what, "child"))
		CALL(cuGraphExecChildGraphNodeSetParams, c.exec, c.of_child, c.child[turn]);
	else if (!strcmp(what, "off"))
		CALL(cuGraphNodeSetEnabled, c.exec, c.kernel, !turn);
}

int main(int argc, char **argv)
{
	long every = argc > 2 ? atol(argv[2]) : 0, n = argc > 3 ? atol(argv[3]) : 0;
	U words[WORDS] = { [9] = 7 };
	CUmodule module;
	CUstream stream;

	if (argc < 5 || every < 1 || !client_open())
		return 2;
	CALL(cuDevicePrimaryCtxRetain, &c.context, 0);
	CALL(cuCtxSetCurrent, c.context);
	CALL(cuModuleLoadData, &module, client_ptx);
	CALL(cuModuleGetFunction, &c.slow, module, "add_one_spin_20us");
	CALL(cuModuleGetFunction, &c.fast, module, "add_one_spin_10us");
	CALL(cuMemAllocHost_v2, (void **)&copied, sizeof(*copied));
	CALL(cuMemAlloc_v2, &c.at, sizeof(words));
	CALL(cuMemcpyHtoD_v2, c.at, words, sizeof(words));
	CALL(cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
	make();
	CALL(cuGraphInstantiateWithFlags, &c.exec, c.graph, 0);
	for (long i = 0; i < n; i++) {
		if (i && i % every == 0)
			change(argv[1], i / every & 1);
		CALL(cuGraphLaunch, c.exec, stream);
		usleep((useconds_t)atol(argv[4]));
		if (i % PACE == PACE - 1)
			CALL(cuStreamSynchronize, stream);
		if ((every > HALT_AT ? i % every : i) == HALT_AT)
			halt();
	}
	CALL(cuCtxSynchronize);
	CALL(cuMemcpyDtoH_v2, words, c.at, sizeof(words));
	printf("kernels %u %u child %u %u sums %u %u\n", words[0], words[HALF], words[12], words[HALF + 12], sums[0],
	       sums[1]);
	return 0;
}
