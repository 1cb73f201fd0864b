/*
 * client.c - a program with graphs of every kind, for the fake driver and for a real one.
 *
 *	client kinds     captured and built graphs, a clone, updates; prints as JSON what the driver
 *	                 itself says of each, and how often each was launched
 *	client chain N   a graph of N kernels in a row, made executable twice and launched ten times
 *	client same N    N equal graphs of four kernels
 *	client again N   N instantiations of one graph, each launched and destroyed; then a new kernel
 *	client updates N a graph that is updated to other kernels and back, N times, launched each time
 *	client threads   a capture that goes on while another thread instantiates
 *	client cost N R  R instantiations of a chain of N, each of another list of nodes: their times
 *	                 in ns, one a line
 *	client many R    R times the 96 graphs of a language model (84 of 11 nodes, 4 of 8, 4 of 4, 4 of 310):
 *	                 the time of all their instantiations in ns, one a line
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "shim/cuda_abi.h"

typedef unsigned int U;
#define API \
	A(cuInit, U) \
	A(cuDevicePrimaryCtxRetain, CUcontext *, CUdevice) \
	A(cuCtxSetCurrent, CUcontext) \
	A(cuCtxSynchronize, void) \
	A(cuModuleLoadData, CUmodule *, const void *) \
	A(cuModuleGetFunction, CUfunction *, CUmodule, const char *) \
	A(cuFuncGetName, const char **, CUfunction) \
	A(cuLaunchKernel, CUfunction, U, U, U, U, U, U, U, CUstream, void **, void **) \
	A(cuMemAlloc_v2, CUdeviceptr *, size_t) \
	A(cuMemcpyDtoDAsync_v2, CUdeviceptr, CUdeviceptr, size_t, CUstream) \
	A(cuMemsetD32Async, CUdeviceptr, U, size_t, CUstream) \
	A(cuStreamCreate, CUstream *, U) \
	A(cuStreamSynchronize, CUstream) \
	A(cuStreamWaitEvent, CUstream, CUevent, U) \
	A(cuStreamBeginCapture_v2, CUstream, CUstreamCaptureMode) \
	A(cuStreamEndCapture, CUstream, CUgraph *) \
	A(cuThreadExchangeStreamCaptureMode, CUstreamCaptureMode *) \
	A(cuEventCreate, CUevent *, U) \
	A(cuEventRecord, CUevent, CUstream) \
	A(cuGraphCreate, CUgraph *, U) \
	A(cuGraphClone, CUgraph *, CUgraph) \
	A(cuGraphDestroy, CUgraph) \
	A(cuGraphAddKernelNode_v2, CUgraphNode *, CUgraph, const CUgraphNode *, size_t, const CUDA_KERNEL_NODE_PARAMS_v2 *) \
	A(cuGraphAddMemsetNode, CUgraphNode *, CUgraph, const CUgraphNode *, size_t, const CUDA_MEMSET_NODE_PARAMS *, \
	  CUcontext) \
	A(cuGraphAddMemcpyNode, CUgraphNode *, CUgraph, const CUgraphNode *, size_t, const CUDA_MEMCPY3D_v2 *, CUcontext) \
	A(cuGraphAddEmptyNode, CUgraphNode *, CUgraph, const CUgraphNode *, size_t) \
	A(cuGraphAddChildGraphNode, CUgraphNode *, CUgraph, const CUgraphNode *, size_t, CUgraph) \
	A(cuGraphAddDependencies_v2, CUgraph, const CUgraphNode *, const CUgraphNode *, const CUgraphEdgeData *, size_t) \
	A(cuGraphChildGraphNodeGetGraph, CUgraphNode, CUgraph *) \
	A(cuGraphGetNodes, CUgraph, CUgraphNode *, size_t *) \
	A(cuGraphGetEdges_v2, CUgraph, CUgraphNode *, CUgraphNode *, CUgraphEdgeData *, size_t *) \
	A(cuGraphNodeGetType, CUgraphNode, CUgraphNodeType *) \
	A(cuGraphKernelNodeGetParams_v2, CUgraphNode, CUDA_KERNEL_NODE_PARAMS_v2 *) \
	A(cuGraphMemcpyNodeGetParams, CUgraphNode, CUDA_MEMCPY3D_v2 *) \
	A(cuGraphMemsetNodeGetParams, CUgraphNode, CUDA_MEMSET_NODE_PARAMS *) \
	A(cuGraphInstantiateWithFlags, CUgraphExec *, CUgraph, unsigned long long) \
	A(cuGraphExecUpdate_v2, CUgraphExec, CUgraph, CUgraphExecUpdateResultInfo *) \
	A(cuGraphExecKernelNodeSetParams_v2, CUgraphExec, CUgraphNode, const CUDA_KERNEL_NODE_PARAMS_v2 *) \
	A(cuGraphLaunch, CUgraphExec, CUstream) \
	A(cuGraphExecDestroy, CUgraphExec)

static struct {
#define A(name, ...) CUresult (*name)(__VA_ARGS__);
	API
#undef A
} cu;

#define CALL(name, ...) \
	do { \
		CUresult result_ = cu.name(__VA_ARGS__); \
		if (result_) { \
			fprintf(stderr, "client: %s returned %d\n", #name, result_); \
			exit(1); \
		} \
	} while (0)

#define KERNEL(name) \
	".visible .entry " name "(.param .u64 p)\n{ .reg .u64 %d<2>; .reg .u32 %r<2>;\n" \
	"ld.param.u64 %d0, [p]; ld.global.u32 %r0, [%d0]; add.u32 %r0, %r0, 1; st.global.u32 [%d0], %r0; ret; }\n"
static const char image[] = ".version 7.0\n.target sm_75\n.address_size 64\n"
			    KERNEL("_Z4gemmIfEvPT_") KERNEL("_Z8rms_normPi") KERNEL("_Z4siluPi");
static const char *const names[] = { "_Z4gemmIfEvPT_", "_Z8rms_normPi", "_Z4siluPi" };
enum { GEMM, NORM, SILU, KERNELS };

static CUcontext ctx;
static CUfunction kernels[KERNELS];
static CUstream stream, side;
static CUdeviceptr memory;
enum { BYTES = 1 << 20 };

static void open_driver(void)
{
	void *driver = dlopen("libcuda.so.1", RTLD_NOW);

	if (!driver) {
		fprintf(stderr, "client: %s\n", dlerror());
		exit(1);
	}
#define A(name, ...) \
	cu.name = (__typeof__(cu.name))dlsym(driver, #name); \
	if (!cu.name) \
		fprintf(stderr, "client: no %s\n", #name);
	API
#undef A
}

static void begin(void)
{
	CUmodule module;

	open_driver();
	CALL(cuInit, 0);
	CALL(cuDevicePrimaryCtxRetain, &ctx, 0);
	CALL(cuCtxSetCurrent, ctx);
	CALL(cuModuleLoadData, &module, image);
	for (int i = 0; i < KERNELS; i++)
		CALL(cuModuleGetFunction, &kernels[i], module, names[i]);
	CALL(cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
	CALL(cuStreamCreate, &side, CU_STREAM_NON_BLOCKING);
	CALL(cuMemAlloc_v2, &memory, BYTES);
}

static void launch(int kernel, U grid, U block, U shared, CUstream on)
{
	void *params[] = { &memory };

	CALL(cuLaunchKernel, kernels[kernel], grid, 1, 1, block, 1, 1, shared, on, params, NULL);
}

/* ---- what the driver says of a graph ---- */

static size_t index_of(CUgraphNode *list, size_t count, CUgraphNode node)
{
	size_t i = 0;

	while (i < count && list[i] != node)
		i++;
	return i;
}

static void tell_node(CUgraphNode node)
{
	CUDA_KERNEL_NODE_PARAMS_v2 kernel;
	CUDA_MEMCPY3D_v2 copy;
	CUDA_MEMSET_NODE_PARAMS set;
	CUgraphNodeType type;
	const char *name;
	CUgraph child;
	size_t count;

	CALL(cuGraphNodeGetType, node, &type);
	printf("{\"type\": %d", type);
	switch (type) {
	case CU_GRAPH_NODE_TYPE_KERNEL:
		CALL(cuGraphKernelNodeGetParams_v2, node, &kernel);
		CALL(cuFuncGetName, &name, kernel.func);
		printf(", \"kernel\": \"%s\", \"grid\": [%u, %u, %u], \"block\": [%u, %u, %u], \"shared\": %u", name,
		       kernel.gridDimX, kernel.gridDimY, kernel.gridDimZ, kernel.blockDimX, kernel.blockDimY,
		       kernel.blockDimZ, kernel.sharedMemBytes);
		break;
	case CU_GRAPH_NODE_TYPE_MEMCPY:
		CALL(cuGraphMemcpyNodeGetParams, node, &copy);
		printf(", \"bytes\": %zu", copy.WidthInBytes * (copy.Height ? copy.Height : 1) * (copy.Depth ? copy.Depth : 1));
		break;
	case CU_GRAPH_NODE_TYPE_MEMSET:
		CALL(cuGraphMemsetNodeGetParams, node, &set);
		printf(", \"bytes\": %zu", set.elementSize * set.width * set.height);
		break;
	case CU_GRAPH_NODE_TYPE_GRAPH:
		CALL(cuGraphChildGraphNodeGetGraph, node, &child);
		CALL(cuGraphGetNodes, child, NULL, &count);
		printf(", \"nodes\": %zu", count);
		break;
	}
	printf("}");
}

/* Nodes and edges of the graph itself. */
static void tell_graph(const char *name, CUgraph graph, int launches)
{
	static int told;
	CUgraphNode nodes[1024], from[1024], to[1024];
	CUgraphEdgeData data[1024];
	size_t count = 0, edges = 0;

	CALL(cuGraphGetNodes, graph, NULL, &count);
	CALL(cuGraphGetNodes, graph, nodes, &count);
	CALL(cuGraphGetEdges_v2, graph, NULL, NULL, NULL, &edges);
	CALL(cuGraphGetEdges_v2, graph, from, to, data, &edges);
	printf("%s\n{\"name\": \"%s\", \"launches\": %d, \"nodes\": [", told++ ? "," : "[", name, launches);
	for (size_t i = 0; i < count; i++) {
		printf("%s", i ? ", " : "");
		tell_node(nodes[i]);
	}
	printf("], \"edges\": [");
	for (size_t i = 0; i < edges; i++)
		printf("%s[%zu, %zu, %d]", i ? ", " : "", index_of(nodes, count, from[i]), index_of(nodes, count, to[i]),
		       data[i].type);
	printf("]}");
}

/* ---- graphs ---- */

/* A set, two branches of kernels, a copy behind both. */
static CUgraph captured_branches(int kernel)
{
	CUevent fork, join;
	CUgraph graph;

	CALL(cuEventCreate, &fork, CU_EVENT_DISABLE_TIMING);
	CALL(cuEventCreate, &join, CU_EVENT_DISABLE_TIMING);
	CALL(cuStreamBeginCapture_v2, stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
	CALL(cuMemsetD32Async, memory, 7, 256, stream);
	CALL(cuEventRecord, fork, stream);
	CALL(cuStreamWaitEvent, side, fork, 0);
	launch(GEMM, 8, 128, 1024, stream);
	launch(kernel, 4, 256, 0, side);
	CALL(cuEventRecord, join, side);
	CALL(cuStreamWaitEvent, stream, join, 0);
	CALL(cuMemcpyDtoDAsync_v2, memory, memory + 4096, 4096, stream);
	launch(GEMM, 8, 128, 1024, stream);
	launch(SILU, 2, 64, 0, stream);
	CALL(cuStreamEndCapture, stream, &graph);
	return graph;
}

/* `salt`: another list of nodes for each. */
static CUgraph chain(long count, long salt)
{
	CUgraph graph;

	CALL(cuStreamBeginCapture_v2, stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
	for (long i = 0; i < count; i++)
		launch(i % KERNELS, (U)(1 + i % 7 + salt), 128, 0, stream);
	CALL(cuStreamEndCapture, stream, &graph);
	return graph;
}

static CUgraph built(CUgraph child)
{
	void *params[] = { &memory };
	CUDA_KERNEL_NODE_PARAMS_v2 kernel = { .func = kernels[NORM], 3, 2, 1, 32, 4, 1, 512, params, NULL, NULL, NULL };
	CUDA_MEMSET_NODE_PARAMS set = { .dst = memory, .value = 1, .elementSize = 4, .width = 100, .height = 1 };
	CUDA_MEMCPY3D_v2 copy = { .srcMemoryType = CU_MEMORYTYPE_DEVICE, .srcDevice = memory, .srcPitch = 64,
				  .srcHeight = 4, .dstMemoryType = CU_MEMORYTYPE_DEVICE, .dstDevice = memory + 8192,
				  .dstPitch = 64, .dstHeight = 4, .WidthInBytes = 64, .Height = 4, .Depth = 2 };
	CUgraphNode node[5];
	CUgraph graph;

	CALL(cuGraphCreate, &graph, 0);
	CALL(cuGraphAddMemsetNode, &node[0], graph, NULL, 0, &set, ctx);
	CALL(cuGraphAddKernelNode_v2, &node[1], graph, NULL, 0, &kernel);
	CALL(cuGraphAddChildGraphNode, &node[2], graph, node, 2, child);
	CALL(cuGraphAddMemcpyNode, &node[3], graph, &node[2], 1, &copy, ctx);
	CALL(cuGraphAddEmptyNode, &node[4], graph, &node[3], 1);
	return graph;
}

/* Kernels of which the second may begin before the first has ended. */
static CUgraph programmatic(void)
{
	void *params[] = { &memory };
	CUDA_KERNEL_NODE_PARAMS_v2 kernel = { .func = kernels[NORM], 1, 1, 1, 32, 1, 1, 0, params, NULL, NULL, NULL };
	CUgraphEdgeData data = { .type = CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC,
				 .from_port = CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC };
	CUgraphNode node[3];
	CUgraph graph;

	CALL(cuGraphCreate, &graph, 0);
	for (int i = 0; i < 3; i++)
		CALL(cuGraphAddKernelNode_v2, &node[i], graph, NULL, 0, &kernel);
	CALL(cuGraphAddDependencies_v2, graph, &node[0], &node[1], &data, 1);
	data = (CUgraphEdgeData){ 0 };
	CALL(cuGraphAddDependencies_v2, graph, &node[1], &node[2], &data, 1);
	return graph;
}

static CUgraphExec instantiate(CUgraph graph, unsigned long long flags)
{
	CUgraphExec exec;

	CALL(cuGraphInstantiateWithFlags, &exec, graph, flags);
	return exec;
}

static void run(CUgraphExec exec, int times)
{
	for (int i = 0; i < times; i++)
		CALL(cuGraphLaunch, exec, stream);
	CALL(cuStreamSynchronize, stream);
}

/* Its second node gets a larger grid. */
static void change_node(CUgraphExec exec, CUgraph graph)
{
	CUDA_KERNEL_NODE_PARAMS_v2 params;
	CUgraphNode nodes[8];
	size_t count = 8;

	CALL(cuGraphGetNodes, graph, nodes, &count);
	CALL(cuGraphKernelNodeGetParams_v2, nodes[1], &params);
	params.gridDimX++;
	CALL(cuGraphExecKernelNodeSetParams_v2, exec, nodes[1], &params);
}

static void kinds(void)
{
	CUgraphExecUpdateResultInfo info;
	CUgraph first = captured_branches(NORM), again = captured_branches(NORM), other = captured_branches(SILU);
	CUgraph tall = built(first), quick = programmatic(), clone;
	CUgraphExec exec = instantiate(first, 0), tall_exec = instantiate(tall, 8), clone_exec, quick_exec;

	CALL(cuGraphClone, &clone, first);
	clone_exec = instantiate(clone, 0);
	quick_exec = instantiate(quick, 0);
	run(exec, 3);
	run(tall_exec, 2);
	run(clone_exec, 1);
	run(quick_exec, 1);
	change_node(quick_exec, quick);
	tell_graph("captured", first, 7);
	tell_graph("built", tall, 2);
	tell_graph("clone", clone, 1);
	tell_graph("programmatic", quick, 1);
	CALL(cuGraphExecUpdate_v2, exec, again, &info);
	run(exec, 4);
	CALL(cuGraphExecUpdate_v2, exec, other, &info);
	run(exec, 5);
	tell_graph("updated", other, 5);
	printf("]\n");
	CALL(cuGraphExecDestroy, exec);
	CALL(cuGraphExecDestroy, tall_exec);
	CALL(cuGraphDestroy, first);
}

static void updates(long count)
{
	CUgraphExecUpdateResultInfo info;
	CUgraph graphs[] = { captured_branches(NORM), captured_branches(SILU) };
	CUgraphExec exec = instantiate(graphs[0], 0);

	for (long i = 1; i <= count; i++) {
		CALL(cuGraphExecUpdate_v2, exec, graphs[i % 2], &info);
		run(exec, 1);
	}
}

static void same(long count)
{
	for (long i = 0; i < count; i++)
		run(instantiate(chain(4, 0), 0), 1);
}

static void again(long count)
{
	CUgraph graph = chain(4, 0);
	CUmodule module;
	CUfunction kernel;

	for (long i = 0; i < count; i++) {
		CUgraphExec exec = instantiate(graph, 0);

		run(exec, 1);
		CALL(cuCtxSynchronize);
		CALL(cuGraphExecDestroy, exec);
	}
	run(instantiate(chain(5, 0), 0), 3);
	CALL(cuModuleLoadData, &module,
	     ".version 7.0\n.target sm_75\n.address_size 64\n" KERNEL("newcomer"));
	CALL(cuModuleGetFunction, &kernel, module, "newcomer");
}

/* ---- a capture elsewhere ---- */

static CUgraph elsewhere;
static CUstreamCaptureMode mode_after = -1;

static void *instantiate_elsewhere(void *arg)
{
	CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;

	(void)arg;
	CALL(cuCtxSetCurrent, ctx);
	CALL(cuThreadExchangeStreamCaptureMode, &mode);
	instantiate(elsewhere, 0);
	mode_after = CU_STREAM_CAPTURE_MODE_GLOBAL;
	CALL(cuThreadExchangeStreamCaptureMode, &mode_after);
	return NULL;
}

static void threads(void)
{
	pthread_t thread;
	CUgraph graph;

	elsewhere = captured_branches(NORM);
	CALL(cuStreamBeginCapture_v2, stream, CU_STREAM_CAPTURE_MODE_GLOBAL);
	launch(GEMM, 1, 32, 0, stream);
	pthread_create(&thread, NULL, instantiate_elsewhere, NULL);
	pthread_join(thread, NULL);
	launch(GEMM, 1, 32, 0, stream);
	CALL(cuStreamEndCapture, stream, &graph);
	printf("captured; mode %d\n", mode_after);
}

/* ---- what instantiation costs ---- */

static long timed_instantiation(long nodes)
{
	static long salt;
	CUgraph graph = chain(nodes, salt++);
	struct timespec from, to;
	CUgraphExec exec;

	clock_gettime(CLOCK_MONOTONIC, &from);
	exec = instantiate(graph, 0);
	clock_gettime(CLOCK_MONOTONIC, &to);
	run(exec, 1);
	CALL(cuGraphExecDestroy, exec);
	CALL(cuGraphDestroy, graph);
	return (to.tv_sec - from.tv_sec) * 1000000000L + to.tv_nsec - from.tv_nsec;
}

static void cost(long nodes, long rounds)
{
	while (rounds-- > 0)
		printf("%ld\n", timed_instantiation(nodes));
}

static void many(long rounds)
{
	static const struct { int graphs, nodes; } model[] = { { 84, 11 }, { 4, 8 }, { 4, 4 }, { 4, 310 } };

	while (rounds-- > 0) {
		long sum = 0;

		for (int i = 0; i < 4; i++)
			for (int k = 0; k < model[i].graphs; k++)
				sum += timed_instantiation(model[i].nodes);
		printf("%ld\n", sum);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	long n = argc > 2 ? atol(argv[2]) : 10;

	begin();
	if (!strcmp(what, "kinds"))
		kinds();
	else if (!strcmp(what, "chain"))
		for (int i = 0; i < 2; i++)
			run(instantiate(chain(n, 0), 0), 10);
	else if (!strcmp(what, "updates"))
		updates(n);
	else if (!strcmp(what, "same"))
		same(n);
	else if (!strcmp(what, "again"))
		again(n);
	else if (!strcmp(what, "threads"))
		threads();
	else if (!strcmp(what, "cost"))
		cost(n, argc > 3 ? atol(argv[3]) : 20);
	else if (!strcmp(what, "many"))
		many(n);
	else
		return fprintf(stderr, "usage: client kinds|chain N|same N|again N|updates N|threads|cost N R|many R\n"), 2;
	CALL(cuCtxSynchronize);
	return 0;
}
