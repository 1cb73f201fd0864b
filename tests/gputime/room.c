/*
 * room.c - a program whose graphs and launches are told to it line by line, on stdin. For the fake driver.
 *
 *	make A B NODES      graphs number A to B, of so many kernels one behind the other
 *	launch A B S N      each of the graphs A to B, by turns, N times on stream S
 *	wait S              for stream S
 *	hold S              stream S is at work until `go`
 *	go                  which waits for all
 *	update G            by one that does the same
 *	destroy G
 *	take BYTES          of device memory
 *	give                it back
 *	ran                 says how many kernels have run
 *	unload              a module that nothing uses
 *	waits G S           launches it once, and says how often its thread has slept or waited meanwhile
 *
 * It answers each line with `done`, and at the end of stdin it ends, and says whether as many kernels have run as were
 * launched; `error E CALL` is for a call that failed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "tests/gputime/client.h"

enum { GRAPHS = 300, STREAMS = 3 };

static const char hang_ptx[] = ".version 7.0\n.target sm_50\n.address_size 64\n.visible .entry hang_while(.param .u64 p)\n{ ret; }\n";

static CUfunction quick, hang;
static CUdeviceptr cell, taken;
static CUstream streams[STREAMS], spare;
static struct { CUgraphExec exec; long nodes; } graphs[GRAPHS];
static volatile U *held;
static U launched; /* kernels */

static CUgraph capture(long nodes)
{
	CUgraph graph = NULL;

	CALL(cuStreamBeginCapture_v2, spare, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
	while (nodes-- > 0)
		kernel(quick, cell, spare);
	CALL(cuStreamEndCapture, spare, &graph);
	return graph;
}

static void make(long g, long nodes)
{
	CUgraph graph = capture(nodes);

	graphs[g].nodes = nodes;
	CALL(cuGraphInstantiateWithFlags, &graphs[g].exec, graph, 0);
	CALL(cuGraphDestroy, graph);
}

static void update(long g)
{
	CUgraphExecUpdateResultInfo info;
	CUgraph graph = capture(graphs[g].nodes);

	CALL(cuGraphExecUpdate_v2, graphs[g].exec, graph, &info);
	CALL(cuGraphDestroy, graph);
}

static void launch_one(long g, long s)
{
	CALL(cuGraphLaunch, graphs[g].exec, streams[s]);
	launched += (U)graphs[g].nodes;
}

static void launch(long first, long last, long s, long n)
{
	while (n-- > 0)
		for (long g = first; g <= last; g++)
			launch_one(g, s);
}

static void hold(long s)
{
	CUdeviceptr at = (CUdeviceptr)(uintptr_t)held;

	*held = 1;
	CALL(cuLaunchKernel, hang, 1, 1, 1, 1, 1, 1, 0, streams[s], (void *[]){ &at }, NULL);
}

static void waits(long g, long s)
{
	struct rusage before, now;

	getrusage(RUSAGE_THREAD, &before);
	launch_one(g, s);
	getrusage(RUSAGE_THREAD, &now);
	printf("waited %ld\n", now.ru_nvcsw - before.ru_nvcsw);
}

static void ran(void)
{
	U word = 0;

	CALL(cuMemcpyDtoHAsync_v2, &word, cell, 4, spare);
	CALL(cuStreamSynchronize, spare);
	printf("%u\n", word);
}

static void unload(void)
{
	CUmodule module;

	CALL(cuModuleLoadData, &module, hang_ptx);
	CALL(cuModuleUnload, module);
}

static void obey(const char *what, const long *n)
{
	if (!strcmp(what, "make")) {
		for (long g = n[0]; g <= n[1]; g++)
			make(g, n[2]);
	} else if (!strcmp(what, "launch")) {
		launch(n[0], n[1], n[2], n[3]);
	} else if (!strcmp(what, "wait")) {
		CALL(cuStreamSynchronize, streams[n[0]]);
	} else if (!strcmp(what, "hold")) {
		hold(n[0]);
	} else if (!strcmp(what, "go")) {
		*held = 0;
		CALL(cuCtxSynchronize);
	} else if (!strcmp(what, "update")) {
		update(n[0]);
	} else if (!strcmp(what, "destroy")) {
		CALL(cuGraphExecDestroy, graphs[n[0]].exec);
	} else if (!strcmp(what, "take")) {
		CALL(cuMemAlloc_v2, &taken, (size_t)n[0]);
	} else if (!strcmp(what, "give")) {
		CALL(cuMemFree_v2, taken);
	} else if (!strcmp(what, "ran")) {
		ran();
	} else if (!strcmp(what, "unload")) {
		unload();
	} else if (!strcmp(what, "waits")) {
		waits(n[0], n[1]);
	} else {
		printf("error %s\n", what);
	}
	printf("done\n");
}

int main(void)
{
	char line[80], what[16];
	CUmodule module, of_hang;
	CUcontext context;
	U word = 0;

	if (!client_open())
		return 2;
	CALL(cuDevicePrimaryCtxRetain, &context, 0);
	CALL(cuCtxSetCurrent, context);
	CALL(cuModuleLoadData, &module, client_ptx);
	CALL(cuModuleGetFunction, &quick, module, "add_one_spin_1us");
	CALL(cuModuleLoadData, &of_hang, hang_ptx);
	CALL(cuModuleGetFunction, &hang, of_hang, "hang_while");
	CALL(cuMemAlloc_v2, &cell, 4);
	CALL(cuMemcpyHtoD_v2, cell, &word, 4);
	CALL(cuMemAllocHost_v2, (void **)&held, 4);
	CALL(cuStreamCreate, &spare, CU_STREAM_NON_BLOCKING);
	for (int s = 0; s < STREAMS; s++)
		CALL(cuStreamCreate, &streams[s], CU_STREAM_NON_BLOCKING);
	while (fgets(line, sizeof(line), stdin)) {
		long n[4] = { 0 };

		if (sscanf(line, "%15s %ld %ld %ld %ld", what, &n[0], &n[1], &n[2], &n[3]) > 0)
			obey(what, n);
	}
	CALL(cuCtxSynchronize);
	CALL(cuMemcpyDtoH_v2, &word, cell, 4);
	if (word == launched)
		printf("all have run\n");
	else
		printf("%u of %u have run\n", word, launched);
	return 0;
}
