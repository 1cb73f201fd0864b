/*
 * unfinished.c - a graph whose third kernel does not end while a word of the host's is not 0. For the fake driver.
 *
 *	unfinished N SECONDS
 *
 * Launches it N times, then with the word set, prints "waits", and sets it to 0 after so many seconds; 0: never. The graph:
 * two kernels, that one, and another, one behind the other.
 */
#include <stdlib.h>
#include "tests/gputime/client.h"

static const char ptx[] = ".version 7.0\n.target sm_50\n.address_size 64\n"
	ADD_ONE("add_one_spin_20us") ".visible .entry hang_while(.param .u64 p)\n{ ret; }\n";

static CUgraphNode add(CUgraph graph, CUfunction function, CUdeviceptr at, const CUgraphNode *after, size_t count)
{
	void *list[] = { &at, &one };
	CUDA_KERNEL_NODE_PARAMS_v2 params = {
		.func = function, .gridDimX = 1, .gridDimY = 1, .gridDimZ = 1,
		.blockDimX = 1, .blockDimY = 1, .blockDimZ = 1, .kernelParams = list,
	};
	CUgraphNode node;

	CALL(cuGraphAddKernelNode_v2, &node, graph, after, count, &params);
	return node;
}

int main(int argc, char **argv)
{
	CUgraphNode nodes[3];
	CUfunction work, hang;
	CUdeviceptr cells;
	CUcontext context;
	CUgraphExec exec;
	CUmodule module;
	CUstream stream;
	CUgraph graph;
	volatile U *word;
	unsigned seconds;

	if (argc != 3 || !client_open())
		return 2;
	seconds = (unsigned)atoi(argv[2]);
	CALL(cuDevicePrimaryCtxRetain, &context, 0);
	CALL(cuCtxSetCurrent, context);
	CALL(cuModuleLoadData, &module, ptx);
	CALL(cuModuleGetFunction, &work, module, "add_one_spin_20us");
	CALL(cuModuleGetFunction, &hang, module, "hang_while");
	CALL(cuMemAlloc_v2, &cells, 256);
	CALL(cuMemAllocHost_v2, (void **)&word, 4);
	CALL(cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
	*word = 0;
	CALL(cuGraphCreate, &graph, 0);
	nodes[0] = add(graph, work, cells, NULL, 0);
	nodes[1] = add(graph, work, cells, &nodes[0], 1);
	nodes[2] = add(graph, hang, (CUdeviceptr)(uintptr_t)word, &nodes[1], 1);
	add(graph, work, cells, &nodes[2], 1);
	CALL(cuGraphInstantiateWithFlags, &exec, graph, 0);
	for (long n = atol(argv[1]); n >= 0; n--) {
		*word = !n;
		CALL(cuGraphLaunch, exec, stream);
		usleep(500);
		if (n)
			CALL(cuStreamSynchronize, stream);
	}
	printf("waits\n");
	while (!seconds)
		pause();
	sleep(seconds);
	*word = 0;
	CALL(cuStreamSynchronize, stream);
	printf("ended\n");
	return 0;
}
