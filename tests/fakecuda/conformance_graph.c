/*
 * conformance_graph.c - capture and graphs.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/fakecuda/conformance.h"

/* ---- which calls a capture in another thread forbids ------------------------- */

static CUevent idle_event;
static CUstream idle_stream;
static struct { /* what a call made, or is about to destroy */
	CUdeviceptr memory;
	CUmodule module;
	CUlibrary code;
	CUevent event;
	CUstream stream;
	CUgraphExec exec;
	void *host;
} made;
static CUgraph idle_graph;
static _Alignas(4096) char page[4096];

#define CALL_OF(name, expression) static CUresult call_##name(void) { return cu.expression; }
CALL_OF(alloc, cuMemAlloc_v2(&made.memory, 4096))
CALL_OF(free, cuMemFree_v2(made.memory))
CALL_OF(alloc_host, cuMemAllocHost_v2(&made.host, 4096))
CALL_OF(free_host, cuMemFreeHost(made.host))
CALL_OF(alloc_managed, cuMemAllocManaged(&made.memory, 4096, CU_MEM_ATTACH_GLOBAL))
CALL_OF(host_register, cuMemHostRegister_v2(page, sizeof(page), 0))
CALL_OF(host_unregister, cuMemHostUnregister(page))
CALL_OF(alloc_async, cuMemAllocAsync(&made.memory, 4096, idle_stream))
CALL_OF(free_async, cuMemFreeAsync(made.memory, idle_stream))
CALL_OF(reserve, cuMemAddressReserve(&made.memory, (size_t)2 << 20, 0, 0, 0))
CALL_OF(unreserve, cuMemAddressFree(made.memory, (size_t)2 << 20))
CALL_OF(copy, cuMemcpyHtoD_v2(t.data, &(int){ 0 }, sizeof(int)))
CALL_OF(fill, cuMemsetD8_v2(t.data, 0, 4))
CALL_OF(copy_async, cuMemcpyDtoDAsync_v2(t.data, t.data + 64, 4, idle_stream))
CALL_OF(event_query, cuEventQuery(idle_event))
CALL_OF(event_sync, cuEventSynchronize(idle_event))
CALL_OF(event_create, cuEventCreate(&made.event, 0))
CALL_OF(event_record, cuEventRecord(made.event, idle_stream))
CALL_OF(event_destroy, cuEventDestroy_v2(made.event))
CALL_OF(stream_create, cuStreamCreate(&made.stream, CU_STREAM_NON_BLOCKING))
CALL_OF(stream_destroy, cuStreamDestroy_v2(made.stream))
CALL_OF(stream_query, cuStreamQuery(idle_stream))
CALL_OF(stream_sync, cuStreamSynchronize(idle_stream))
CALL_OF(ctx_sync, cuCtxSynchronize())
CALL_OF(module_load, cuModuleLoadData(&made.module, conformance_ptx))
CALL_OF(module_unload, cuModuleUnload(made.module))
CALL_OF(library_load, cuLibraryLoadData(&made.code, conformance_ptx, NULL, NULL, 0, NULL, NULL, 0))
CALL_OF(library_unload, cuLibraryUnload(made.code))
CALL_OF(instantiate, cuGraphInstantiateWithFlags(&made.exec, idle_graph, 0))
CALL_OF(graph_launch, cuGraphLaunch(made.exec, idle_stream))
CALL_OF(exec_destroy, cuGraphExecDestroy(made.exec))
static CUresult call_launch(void) { return conf_launch(t.add_one, idle_stream, 0); }

/* In an order in which each finds what it destroys; a call that fails is made again afterwards. */
static const struct {
	const char *name;
	CUresult (*call)(void);
	bool unsafe;
} calls[] = {
	{ "cuMemAlloc", call_alloc, true },
	{ "cuMemFree", call_free, true },
	{ "cuMemAllocManaged", call_alloc_managed, true },
	{ "cuMemFree of managed memory", call_free, true },
	{ "cuMemAllocHost", call_alloc_host, true },
	{ "cuMemFreeHost", call_free_host, true },
	{ "cuMemHostRegister", call_host_register, true },
	{ "cuMemHostUnregister", call_host_unregister, true },
	{ "cuMemAllocAsync", call_alloc_async, true },
	{ "cuMemFreeAsync", call_free_async, true },
	{ "cuMemAddressReserve", call_reserve, false },
	{ "cuMemAddressFree", call_unreserve, false },
	{ "cuMemcpyHtoD", call_copy, false },
	{ "cuMemsetD8", call_fill, false },
	{ "cuMemcpyDtoDAsync", call_copy_async, false },
	{ "cuEventQuery", call_event_query, true },
	{ "cuEventSynchronize", call_event_sync, true },
	{ "cuEventCreate", call_event_create, false },
	{ "cuEventRecord", call_event_record, false },
	{ "cuEventDestroy", call_event_destroy, false },
	{ "cuStreamCreate", call_stream_create, false },
	{ "cuStreamDestroy", call_stream_destroy, false },
	{ "cuStreamQuery", call_stream_query, true },
	{ "cuStreamSynchronize", call_stream_sync, true },
	{ "cuCtxSynchronize", call_ctx_sync, true },
	{ "cuModuleLoadData", call_module_load, false },
	{ "cuModuleUnload", call_module_unload, true },
	{ "cuLibraryLoadData", call_library_load, false },
	{ "cuLibraryUnload", call_library_unload, true },
	{ "cuGraphInstantiateWithFlags", call_instantiate, true },
	{ "cuGraphLaunch", call_graph_launch, false },
	{ "cuGraphExecDestroy", call_exec_destroy, true },
	{ "cuLaunchKernel", call_launch, false },
};

struct intruder {
	CUresult (*call)(void);
	CUstreamCaptureMode mode;
	CUresult result;
};

static void *intrude(void *arg)
{
	struct intruder *in = arg;
	CUstreamCaptureMode mode = in->mode;

	cu.cuCtxSetCurrent(t.ctx);
	cu.cuThreadExchangeStreamCaptureMode(&mode);
	in->result = in->call();
	return NULL;
}

/* The other thread's call during a capture; returns what ending the capture returns. */
static CUresult intrusion(struct intruder *in, CUstreamCaptureMode mode)
{
	pthread_t thread;
	CUgraph graph = NULL;
	CUresult result;

	cu.cuStreamBeginCapture_v2(t.stream, mode);
	conf_launch(t.add_one, t.stream, 0);
	pthread_create(&thread, NULL, intrude, in);
	pthread_join(thread, NULL);
	result = cu.cuStreamEndCapture(t.stream, &graph);
	if (graph)
		cu.cuGraphDestroy(graph);
	return result;
}

static void capture_rule(void)
{
	struct intruder in;
	CUresult end;

	cu.cuEventCreate(&idle_event, 0);
	cu.cuStreamCreate(&idle_stream, CU_STREAM_NON_BLOCKING);
	cu.cuEventRecord(idle_event, idle_stream);
	cu.cuStreamSynchronize(idle_stream);
	cu.cuGraphCreate(&idle_graph, 0);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		in = (struct intruder){ calls[i].call, CU_STREAM_CAPTURE_MODE_GLOBAL, 0 };
		end = intrusion(&in, CU_STREAM_CAPTURE_MODE_GLOBAL);
		if (!conf_ok(in.result == (calls[i].unsafe ? CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED : 0) &&
			end == (calls[i].unsafe ? CUDA_ERROR_STREAM_CAPTURE_INVALIDATED : 0),
			"%s in another thread %s a global capture", calls[i].name,
			calls[i].unsafe ? "fails and invalidates" : "leaves alone"))
			printf("# call %d, end of capture %d\n", in.result, end);
		if (in.result == CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED)
			calls[i].call();
		cu.cuCtxSynchronize();
	}
	in = (struct intruder){ call_alloc, CU_STREAM_CAPTURE_MODE_RELAXED, 0 };
	end = intrusion(&in, CU_STREAM_CAPTURE_MODE_GLOBAL);
	conf_ok(!in.result && !end, "a thread in relaxed mode may allocate during a global capture");
	in = (struct intruder){ call_alloc, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL, 0 };
	end = intrusion(&in, CU_STREAM_CAPTURE_MODE_GLOBAL);
	conf_ok(!in.result && !end, "and so may one in thread-local mode");
	in = (struct intruder){ call_alloc, CU_STREAM_CAPTURE_MODE_GLOBAL, 0 };
	end = intrusion(&in, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
	conf_ok(!in.result && !end, "a thread-local capture does not forbid it to others");
	end = intrusion(&in, CU_STREAM_CAPTURE_MODE_RELAXED);
	conf_ok(!in.result && !end, "nor does a relaxed one");
	cu.cuGraphDestroy(idle_graph);
	cu.cuStreamDestroy_v2(idle_stream);
	cu.cuEventDestroy_v2(idle_event);
}

/* ---- capture --------------------------------------------------------------------- */

static CUgraph capture_fork_join(void)
{
	CUstream side = NULL;
	CUevent fork = NULL, join = NULL;
	CUgraph graph = NULL;

	cu.cuStreamCreate(&side, CU_STREAM_NON_BLOCKING);
	cu.cuEventCreate(&fork, CU_EVENT_DISABLE_TIMING);
	cu.cuEventCreate(&join, CU_EVENT_DISABLE_TIMING);
	check(CUDA_SUCCESS, cuStreamBeginCapture_v2(t.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
	check(CUDA_SUCCESS, cuMemsetD32Async(t.data, 20, CONF_INTS, t.stream));
	check(CUDA_SUCCESS, cuEventRecord(fork, t.stream));
	check(CUDA_SUCCESS, cuStreamWaitEvent(side, fork, 0));
	check_result("a captured launch", conf_launch(t.add_one, side, 0), CUDA_SUCCESS);
	check(CUDA_SUCCESS, cuEventRecord(join, side));
	check(CUDA_SUCCESS, cuStreamWaitEvent(t.stream, join, 0));
	check_result("another", conf_launch(t.double_it, t.stream, 0), CUDA_SUCCESS);
	check(CUDA_SUCCESS, cuStreamEndCapture(t.stream, &graph));
	cu.cuStreamDestroy_v2(side);
	cu.cuEventDestroy_v2(fork);
	cu.cuEventDestroy_v2(join);
	return graph;
}

void conf_capture(void)
{
	CUstreamCaptureStatus status = 9;
	CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED;
	CUgraph graph = NULL;

	check(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
		cuStreamBeginCapture_v2(CU_STREAM_LEGACY, CU_STREAM_CAPTURE_MODE_GLOBAL));
	check(CUDA_ERROR_INVALID_VALUE, cuStreamBeginCapture_v2(t.stream, 9));
	check(CUDA_ERROR_ILLEGAL_STATE, cuStreamEndCapture(t.stream, &graph));
	check(CUDA_SUCCESS, cuThreadExchangeStreamCaptureMode(&mode));
	conf_ok(mode == CU_STREAM_CAPTURE_MODE_GLOBAL, "threads begin in global mode");
	check(CUDA_SUCCESS, cuThreadExchangeStreamCaptureMode(&mode));
	conf_ok(mode == CU_STREAM_CAPTURE_MODE_RELAXED, "and get back what they exchanged");
	check(CUDA_SUCCESS, cuStreamIsCapturing(t.stream, &status));
	conf_ok(status == CU_STREAM_CAPTURE_STATUS_NONE, "the stream does not capture");
	check(CUDA_SUCCESS, cuStreamBeginCapture_v2(t.stream, CU_STREAM_CAPTURE_MODE_RELAXED));
	check(CUDA_ERROR_ILLEGAL_STATE,
		cuStreamBeginCapture_v2(t.stream, CU_STREAM_CAPTURE_MODE_RELAXED));
	check(CUDA_SUCCESS, cuStreamIsCapturing(t.stream, &status));
	conf_ok(status == CU_STREAM_CAPTURE_STATUS_ACTIVE, "now it does");
	check(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuStreamSynchronize(t.stream));
	check(CUDA_SUCCESS, cuStreamIsCapturing(t.stream, &status));
	conf_ok(status == CU_STREAM_CAPTURE_STATUS_INVALIDATED, "synchronizing it has invalidated the capture");
	check(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(t.stream, &graph));
	capture_rule();
}

/* ---- graphs ------------------------------------------------------------------------ */

/* Launches the exec and expects t.data to be `want` everywhere. */
static void check_exec(const char *name, CUgraphExec exec, int want)
{
	CUresult result = cu.cuGraphLaunch(exec, t.stream);

	if (!result)
		result = cu.cuStreamSynchronize(t.stream);
	check_result(name, result, CUDA_SUCCESS);
	check_data("and its result is right", want);
}

static int count_type(CUgraph graph, CUgraphNodeType type)
{
	CUgraphNode nodes[16];
	size_t n = 16;
	int found = 0;
	CUgraphNodeType got;

	cu.cuGraphGetNodes(graph, nodes, &n);
	for (size_t i = 0; i < n && nodes[i]; i++)
		found += !cu.cuGraphNodeGetType(nodes[i], &got) && got == type;
	return found;
}

static void captured_graph(void)
{
	CUgraph graph = capture_fork_join(), clone = NULL;
	CUgraphExec exec = NULL, five[4] = { NULL };
	CUDA_GRAPH_INSTANTIATE_PARAMS params = { .hUploadStream = t.stream };
	CUgraphNode nodes[16] = { NULL }, twin = NULL, error = NULL;
	CUDA_KERNEL_NODE_PARAMS_v2 kernel = { 0 };
	CUgraphNodeType type = -1;
	size_t n = 0;
	CUresult (*old)(CUgraphExec *, CUgraph, unsigned long long) = NULL;

	need(cuGraphGetNodes(graph, NULL, &n));
	conf_ok(n == 3, "three nodes were captured");
	conf_ok(count_type(graph, CU_GRAPH_NODE_TYPE_KERNEL) == 2 &&
		count_type(graph, CU_GRAPH_NODE_TYPE_MEMSET) == 1, "two kernels and a fill");
	check(CUDA_SUCCESS, cuGraphGetEdges(graph, NULL, NULL, &n));
	conf_ok(n >= 2, "with edges between them");
	need(cuGraphInstantiateWithFlags(&exec, graph, 0));
	check_exec("a captured graph runs", exec, 42);
	check_exec("and again", exec, 42);
	need(cuGraphClone(&clone, graph));
	n = 16;
	need(cuGraphGetNodes(graph, nodes, &n));
	for (size_t i = 0; i < n && type != CU_GRAPH_NODE_TYPE_KERNEL; i++) {
		cu.cuGraphNodeGetType(nodes[i], &type);
		nodes[0] = nodes[i];
	}
	need(cuGraphNodeFindInClone(&twin, nodes[0], clone));
	conf_ok(twin && twin != nodes[0], "a node has its like in the clone");
	check(CUDA_SUCCESS, cuGraphKernelNodeGetParams_v2(twin, &kernel));
	conf_ok(kernel.gridDimX == CONF_INTS / 128 && kernel.blockDimX == 128 && kernel.kernelParams &&
		*(CUdeviceptr *)kernel.kernelParams[0] == t.data, "with the same parameters");
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
	need(cuGraphInstantiate_v2(&five[0], clone, &error, NULL, 0));
	need(cuGraphInstantiateWithParams(&five[1], clone, &params));
	conf_ok(params.result_out == CUDA_GRAPH_INSTANTIATE_SUCCESS, "the parameters say so too");
	cu.gpa2("cuGraphInstantiate", (void **)&old, 12000, 0, NULL);
	check_result("cuGraphInstantiate of 12000", old(&five[2], clone, 0), CUDA_SUCCESS);
	check(CUDA_SUCCESS, cuGraphDestroy(clone));
	check(CUDA_SUCCESS, cuGraphUpload(five[0], t.stream));
	for (int i = 0; i < 3; i++) {
		check_exec("an exec outlives its graph", five[i], 42);
		cu.cuGraphExecDestroy(five[i]);
	}
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
}

/* What can be asked of the nodes of built_graph(): fill, kernel, kernel, empty, copy, host function. */
static void node_params(CUgraph graph, CUgraphNode *node, void *host)
{
	CUDA_KERNEL_NODE_PARAMS_v1 old = { 0 };
	CUDA_KERNEL_NODE_PARAMS_v2 kernel = { 0 };
	CUDA_MEMSET_NODE_PARAMS fill = { 0 };
	CUDA_MEMCPY3D_v2 copy = { 0 };
	CUgraphNode nodes[9], last = node[0];
	CUgraph child = NULL;
	size_t count = 9;

	check(CUDA_SUCCESS, cuGraphMemsetNodeGetParams(node[0], &fill));
	conf_ok(fill.dst == t.data && fill.value == 4 && fill.elementSize == 4 && fill.width == CONF_INTS &&
		fill.height == 1, "a fill says what it fills");
	check(CUDA_SUCCESS, cuGraphKernelNodeGetParams(node[1], &old));
	check(CUDA_SUCCESS, cuGraphKernelNodeGetParams_v2(node[1], &kernel));
	conf_ok(old.func == t.add_one && kernel.func == t.add_one && old.gridDimX == CONF_INTS / 128 &&
		old.blockDimX == 128 && !old.sharedMemBytes, "a kernel says so in both forms");
	check(CUDA_SUCCESS, cuGraphMemcpyNodeGetParams(node[4], &copy));
	conf_ok(copy.srcMemoryType == CU_MEMORYTYPE_DEVICE && copy.srcDevice == t.data &&
		copy.dstMemoryType == CU_MEMORYTYPE_HOST && copy.dstHost == host &&
		copy.WidthInBytes == CONF_INTS * sizeof(int) && copy.Height == 1 && copy.Depth == 1,
		"a copy says from where to where");
	check(CUDA_ERROR_INVALID_VALUE, cuGraphKernelNodeGetParams_v2(node[0], &kernel));
	check(CUDA_ERROR_INVALID_VALUE, cuGraphMemsetNodeGetParams(node[1], &fill));
	check(CUDA_ERROR_INVALID_VALUE, cuGraphMemcpyNodeGetParams(node[1], &copy));
	check(CUDA_ERROR_INVALID_VALUE, cuGraphChildGraphNodeGetGraph(node[1], &child));
	for (size_t i = 0; i < 9; i++)
		nodes[i] = last;
	need(cuGraphGetNodes(graph, nodes, &count));
	conf_ok(count == 6 && !nodes[6] && !nodes[8], "more room than nodes: NULL in the rest");
	count = 2;
	nodes[2] = last;
	need(cuGraphGetNodes(graph, nodes, &count));
	conf_ok(count == 2 && nodes[2] == last, "less room than nodes: as many as fit");
}

static int host_value;
static void host_set(void *user) { host_value = *(int *)user; }

/* fill -> kernel -> kernel -> copy to the host -> host function, and a child graph */
static void built_graph(void)
{
	static int out[CONF_INTS], seven = 7;
	int n = CONF_INTS, value = 100;
	void *args[] = { &t.data, &n, &value };
	CUDA_KERNEL_NODE_PARAMS_v2 kernel = { .func = t.add_one, .gridDimX = CONF_INTS / 128,
		.gridDimY = 1, .gridDimZ = 1, .blockDimX = 128, .blockDimY = 1, .blockDimZ = 1,
		.kernelParams = args };
	CUDA_MEMSET_NODE_PARAMS fill = { t.data, 0, 4, 4, CONF_INTS, 1 };
	CUDA_MEMCPY3D_v2 copy = { .srcMemoryType = CU_MEMORYTYPE_DEVICE, .srcDevice = t.data,
		.dstMemoryType = CU_MEMORYTYPE_HOST, .dstHost = out, .WidthInBytes = sizeof(out),
		.Height = 1, .Depth = 1, .srcPitch = sizeof(out), .dstPitch = sizeof(out) };
	CUDA_HOST_NODE_PARAMS host = { host_set, &seven };
	CUgraphEdgeData programmatic = { CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC, 0,
		CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC, { 0 } };
	CUgraphEdgeData data[8];
	CUgraphNode node[7] = { NULL }, from[8], to[8];
	CUgraph graph = NULL, child = NULL;
	CUgraphExec exec = NULL;
	CUgraphExecUpdateResultInfo info = { 0 };
	size_t count = 0;

	check(CUDA_ERROR_INVALID_VALUE, cuGraphCreate(&graph, 1));
	check(CUDA_SUCCESS, cuGraphCreate(&graph, 0));
	check(CUDA_SUCCESS, cuGraphAddMemsetNode(&node[0], graph, NULL, 0, &fill, t.ctx));
	check(CUDA_SUCCESS, cuGraphAddKernelNode_v2(&node[1], graph, &node[0], 1, &kernel));
	kernel.func = t.double_it;
	check(CUDA_SUCCESS, cuGraphAddKernelNode_v2(&node[2], graph, NULL, 0, &kernel));
	check(CUDA_SUCCESS, cuGraphAddDependencies_v2(graph, &node[1], &node[2], &programmatic, 1));
	check(CUDA_SUCCESS, cuGraphAddEmptyNode(&node[3], graph, &node[2], 1));
	check(CUDA_SUCCESS, cuGraphAddMemcpyNode(&node[4], graph, &node[3], 1, &copy, t.ctx));
	check(CUDA_SUCCESS, cuGraphAddHostNode(&node[5], graph, &node[4], 1, &host));
	need(cuGraphGetEdges_v2(graph, NULL, NULL, NULL, &count));
	conf_ok(count == 5, "five edges");
	count = 8;
	check(CUDA_ERROR_LOSSY_QUERY, cuGraphGetEdges(graph, from, to, &count));
	count = 8;
	need(cuGraphGetEdges_v2(graph, from, to, data, &count));
	node_params(graph, node, out);
	int kept = 0;
	for (size_t i = 0; i < count; i++)
		kept += from[i] == node[1] && to[i] == node[2] &&
			data[i].type == CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC;
	conf_ok(kept == 1, "the programmatic edge is kept as such");
	need(cuGraphInstantiateWithFlags(&exec, graph, 0));
	check_exec("a built graph runs", exec, 10);
	conf_ok(out[0] == 10 && out[CONF_INTS - 1] == 10, "its copy has copied");
	conf_ok(host_value == 7, "its host function was called");

	kernel.func = t.set_all;
	check(CUDA_SUCCESS, cuGraphExecKernelNodeSetParams_v2(exec, node[1], &kernel));
	check_exec("a node of the exec has other parameters now", exec, 200);
	check(CUDA_SUCCESS, cuGraphExecUpdate_v2(exec, graph, &info));
	conf_ok(info.result == CU_GRAPH_EXEC_UPDATE_SUCCESS, "the update says so too");
	check_exec("an update restores the graph's", exec, 10);
	check(CUDA_SUCCESS, cuGraphCreate(&child, 0));
	check(CUDA_SUCCESS, cuGraphAddMemsetNode(&node[6], child, NULL, 0, &fill, t.ctx));
	check(CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE, cuGraphExecUpdate_v2(exec, child, &info));
	conf_ok(info.result == CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED, "another shape is refused");
	check_exec("and leaves the exec as it was", exec, 10);
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));

	check(CUDA_SUCCESS, cuGraphAddChildGraphNode(&node[6], graph, &node[5], 1, child));
	need(cuGraphInstantiateWithFlags(&exec, graph, 0));
	check_exec("a child graph runs in its place", exec, 4);
	CUgraph inside = NULL;
	check(CUDA_SUCCESS, cuGraphChildGraphNodeGetGraph(node[6], &inside));
	need(cuGraphGetNodes(inside, NULL, &count));
	conf_ok(inside != child && count == 1, "a child graph is a copy that can be looked into");
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	check(CUDA_SUCCESS, cuGraphDestroy(child));
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
}

void conf_graph(void)
{
	captured_graph();
	built_graph();
}
