/*
 * closes.c - a program that closes the driver's library while its graph is timed, or is to be.
 *
 *	closes N MS   N launches, and so many ms from then on to the end
 */
#include <stdlib.h>
#include <unistd.h>
#include "tests/gputime/client.h"

int main(int argc, char **argv)
{
	void *driver;
	CUcontext context;
	CUmodule module;
	CUfunction function;
	CUdeviceptr at;
	CUstream stream;
	CUgraph graph;
	CUgraphExec exec;
	U count = 0;

	if (argc < 3 || !client_open())
		return 2;
	CALL(cuDevicePrimaryCtxRetain, &context, 0);
	CALL(cuCtxSetCurrent, context);
	CALL(cuModuleLoadData, &module, client_ptx);
	CALL(cuModuleGetFunction, &function, module, "add_one_spin_10us");
	CALL(cuMemAlloc_v2, &at, sizeof(count));
	CALL(cuMemcpyHtoD_v2, at, &count, sizeof(count));
	CALL(cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
	CALL(cuStreamBeginCapture_v2, stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
	for (int i = 0; i < 4; i++)
		kernel(function, at, stream);
	CALL(cuStreamEndCapture, stream, &graph);
	CALL(cuGraphInstantiateWithFlags, &exec, graph, 0);
	for (int i = 0; i < atoi(argv[1]); i++) {
		CALL(cuGraphLaunch, exec, stream);
		CALL(cuStreamSynchronize, stream);
	}
	CALL(cuMemcpyDtoH_v2, &count, at, sizeof(count));
	CALL(cuGraphExecDestroy, exec);
	driver = dlopen("libcuda.so.1", RTLD_NOW);
	dlclose(driver);
	dlclose(driver); /* client_open()'s */
	usleep((useconds_t)atol(argv[2]) * 1000);
	printf("counted %u\n", count);
	return 0;
}
