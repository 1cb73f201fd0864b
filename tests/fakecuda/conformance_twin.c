/*
 * conformance_twin.c - what an instrumented copy of a graph is made with: edges with data,
 * attributes, clones, stamps between kernels, and changes of an exec that runs.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tests/fakecuda/conformance.h"

static const CUgraphEdgeData programmatic = {
	.from_port = CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC, .type = CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC,
};
static CUmodule module;
static CUfunction stamp, gate;
static volatile uint32_t *go; /* 0: the gate is closed */
static uint64_t *slots;

static CUgraphNode add_kernel(CUgraph graph, CUfunction f, unsigned grid, unsigned block, void **args)
{
	CUDA_KERNEL_NODE_PARAMS_v2 p = { .func = f, .gridDimX = grid, .gridDimY = 1, .gridDimZ = 1,
		.blockDimX = block, .blockDimY = 1, .blockDimZ = 1, .kernelParams = args };
	CUgraphNode node = NULL;

	check_result("a kernel node", cu.cuGraphAddKernelNode_v2(&node, graph, NULL, 0, &p), CUDA_SUCCESS);
	return node;
}

static CUgraphNode add_data(CUgraph graph, CUfunction f, int value)
{
	int n = CONF_INTS;
	void *args[] = { &t.data, &n, &value };

	return add_kernel(graph, f, CONF_INTS / 128, 128, args);
}

static CUgraphNode add_stamp(CUgraph graph, int slot)
{
	uint64_t *at = &slots[slot];

	return add_kernel(graph, stamp, 1, 1, (void *[]){ &at });
}

static CUgraphNode add_gate(CUgraph graph)
{
	const volatile uint32_t *at = go;
	uint32_t want = 1, most_ns = 4000000000u;
	uint64_t *slot = &slots[63];

	return add_kernel(graph, gate, 1, 1, (void *[]){ &at, &want, &slot, &most_ns });
}

static void edge(CUgraph graph, CUgraphNode from, CUgraphNode to, const CUgraphEdgeData *data)
{
	check_result("an edge", cu.cuGraphAddDependencies_v2(graph, &from, &to, data, 1), CUDA_SUCCESS);
}

static void run(const char *name, CUgraphExec exec, int want)
{
	CUresult result = cu.cuGraphLaunch(exec, t.stream);

	check_result(name, result ? result : cu.cuStreamSynchronize(t.stream), CUDA_SUCCESS);
	check_data("and its result is right", want);
}

/* set 20 -> add one -> double, over plain edges. */
static CUgraph chain(CUgraphNode node[3])
{
	CUgraph graph = NULL;

	check(CUDA_SUCCESS, cuGraphCreate(&graph, 0));
	node[0] = add_data(graph, t.set_all, 20);
	node[1] = add_data(graph, t.add_one, 0);
	node[2] = add_data(graph, t.double_it, 0);
	edge(graph, node[0], node[1], NULL);
	edge(graph, node[1], node[2], NULL);
	return graph;
}

/* ---- edges ---------------------------------------------------------------------- */

static void edges(void)
{
	CUgraphNode node[3], from[4], to[4];
	CUgraphEdgeData data[4];
	CUgraph graph = chain(node);
	size_t n = 4;

	conf_ok(cu.cuGraphAddDependencies_v2(graph, &node[0], &node[1], NULL, 1) != CUDA_SUCCESS,
		"an edge that is there cannot be added");
	check(CUDA_SUCCESS, cuGraphRemoveDependencies_v2(graph, &node[0], &node[1], NULL, 1));
	conf_ok(cu.cuGraphRemoveDependencies_v2(graph, &node[0], &node[1], NULL, 1) != CUDA_SUCCESS,
		"one that is not there cannot be removed");
	edge(graph, node[0], node[1], &programmatic);
	check(CUDA_ERROR_LOSSY_QUERY, cuGraphGetEdges(graph, from, to, &n));
	n = 4;
	check(CUDA_SUCCESS, cuGraphGetEdges_v2(graph, from, to, data, &n));
	for (size_t i = 0; i < n; i++)
		if (from[i] == node[0])
			conf_ok(n == 2 && to[i] == node[1] && !memcmp(&data[i], &programmatic, sizeof(data[i])),
				"an edge keeps its data");
	check(CUDA_SUCCESS, cuGraphRemoveDependencies_v2(graph, &node[0], &node[1], &programmatic, 1));
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
}

/* ---- a twin ------------------------------------------------------------------------ */

static void twin(void)
{
	CUgraphNode node[3], like, before, behind = NULL;
	CUgraph graph = chain(node), clone = NULL;
	CUgraphExec plain = NULL, exec = NULL;
	bool ordered = true;

	check(CUDA_SUCCESS, cuGraphInstantiateWithFlags(&plain, graph, 0));
	check(CUDA_SUCCESS, cuGraphClone(&clone, graph));
	before = NULL;
	for (int i = 0; i < 3; i++) {
		check(CUDA_SUCCESS, cuGraphNodeFindInClone(&like, node[i], clone));
		if (before) {
			check(CUDA_SUCCESS, cuGraphRemoveDependencies_v2(clone, &before, &like, NULL, 1));
			edge(clone, behind, like, &programmatic);
		}
		behind = add_stamp(clone, i);
		edge(clone, like, behind, &programmatic);
		before = like;
	}
	check(CUDA_SUCCESS, cuGraphInstantiateWithFlags(&exec, clone, 0));
	check(CUDA_SUCCESS, cuGraphUpload(exec, t.stream));
	memset(slots, 0, 512);
	run("a graph with stamps", exec, 42);
	for (int i = 0; i < 3; i++)
		ordered &= slots[i] && (!i || slots[i] >= slots[i - 1]);
	conf_ok(ordered, "the stamps are in the order of the kernels");
	run("the graph itself", plain, 42);
	check(CUDA_SUCCESS, cuGraphDestroy(clone));
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
	run("its copy again", exec, 42);
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	check(CUDA_SUCCESS, cuGraphExecDestroy(plain));
}

static CUlaunchAttributeValue attribute(CUgraphNode node, CUlaunchAttributeID id)
{
	CUlaunchAttributeValue value = { .pad = { 0 } };

	check(CUDA_SUCCESS, cuGraphKernelNodeGetAttribute(node, id, &value));
	return value;
}

static void attributes(void)
{
	CUlaunchAttributeValue cluster = { .clusterDim = { 2, 1, 1 } }, priority = { .priority = -1 };
	CUgraphNode node[3], like = NULL;
	CUgraph graph = chain(node), clone = NULL;

	conf_ok(!attribute(node[0], CU_LAUNCH_ATTRIBUTE_COOPERATIVE).cooperative, "a kernel is not cooperative by itself");
	check(CUDA_SUCCESS, cuGraphKernelNodeSetAttribute(node[0], CU_LAUNCH_ATTRIBUTE_PRIORITY, &priority));
	check(CUDA_SUCCESS, cuGraphKernelNodeSetAttribute(node[0], CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION, &cluster));
	check(CUDA_SUCCESS, cuGraphKernelNodeCopyAttributes(node[1], node[0]));
	check(CUDA_SUCCESS, cuGraphClone(&clone, graph));
	for (int i = 0; i < 2; i++) {
		check(CUDA_SUCCESS, cuGraphNodeFindInClone(&like, node[i], clone));
		conf_ok(attribute(like, CU_LAUNCH_ATTRIBUTE_PRIORITY).priority == -1 &&
			attribute(like, CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION).clusterDim.x == 2,
			"a clone keeps priority and cluster");
	}
	check(CUDA_SUCCESS, cuGraphDestroy(clone));
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
}

/* ---- capture -------------------------------------------------------------------------- */

static void captured(void)
{
	CUlaunchAttribute serialize = { .id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION,
		.value = { .programmaticStreamSerializationAllowed = 1 } };
	CUlaunchConfig config = { .gridDimX = 1, .gridDimY = 1, .gridDimZ = 1, .blockDimX = 1, .blockDimY = 1,
		.blockDimZ = 1, .hStream = t.stream, .attrs = &serialize, .numAttrs = 1 };
	CUgraphNode from[4], to[4], node[3];
	CUgraphEdgeData data[4];
	CUgraph graph = NULL, small = chain(node);
	CUgraphNodeType type = CU_GRAPH_NODE_TYPE_EMPTY;
	CUgraphExec exec = NULL;
	uint64_t *slot = slots;
	size_t n = 4;

	check(CUDA_SUCCESS, cuStreamBeginCapture_v2(t.stream, CU_STREAM_CAPTURE_MODE_RELAXED));
	check_result("a captured launch", conf_launch(t.add_one, t.stream, 0), CUDA_SUCCESS);
	check_result("and one that serializes programmatically",
		cu.cuLaunchKernelEx(&config, stamp, (void *[]){ &slot }, NULL), CUDA_SUCCESS);
	check(CUDA_SUCCESS, cuStreamEndCapture(t.stream, &graph));
	check(CUDA_SUCCESS, cuGraphGetEdges_v2(graph, from, to, data, &n));
	conf_ok(n == 1 && !memcmp(data, &programmatic, sizeof(programmatic)), "are tied by a programmatic edge");
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
	check(CUDA_SUCCESS, cuGraphInstantiateWithFlags(&exec, small, 0));
	check(CUDA_SUCCESS, cuStreamBeginCapture_v2(t.stream, CU_STREAM_CAPTURE_MODE_RELAXED));
	check(CUDA_SUCCESS, cuGraphLaunch(exec, t.stream));
	check(CUDA_SUCCESS, cuStreamEndCapture(t.stream, &graph));
	n = 4;
	check(CUDA_SUCCESS, cuGraphGetNodes(graph, to, &n));
	check(CUDA_SUCCESS, cuGraphNodeGetType(to[0], &type));
	conf_ok(n == 1 && type == CU_GRAPH_NODE_TYPE_GRAPH, "a captured graph launch is a child graph");
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	check(CUDA_SUCCESS, cuGraphInstantiateWithFlags(&exec, graph, 0));
	run("which runs", exec, 42);
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
	check(CUDA_SUCCESS, cuGraphDestroy(small));
}

/* A graph that owns memory: no clone, and one exec at a time. */
static void memory_nodes(void)
{
	CUgraph graph = NULL, clone = NULL;
	CUgraphExec exec = NULL, second = NULL;
	CUdeviceptr memory = 0;
	CUresult result;

	check(CUDA_SUCCESS, cuStreamBeginCapture_v2(t.stream, CU_STREAM_CAPTURE_MODE_RELAXED));
	check(CUDA_SUCCESS, cuMemAllocAsync(&memory, 4096, t.stream));
	check(CUDA_SUCCESS, cuMemFreeAsync(memory, t.stream));
	check(CUDA_SUCCESS, cuStreamEndCapture(t.stream, &graph));
	result = cu.cuGraphClone(&clone, graph);
	conf_ok(result != CUDA_SUCCESS, "a graph that allocates has no clone");
	printf("# refused with %d\n", result);
	check(CUDA_SUCCESS, cuGraphInstantiateWithFlags(&exec, graph, 0));
	result = cu.cuGraphInstantiateWithFlags(&second, graph, 0);
	conf_ok(result != CUDA_SUCCESS, "and one exec at a time");
	printf("# refused with %d\n", result);
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	check(CUDA_SUCCESS, cuGraphInstantiateWithFlags(&exec, graph, 0));
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
}

/* ---- changes of an exec ---------------------------------------------------------------- */

static void changed(void)
{
	CUgraphNode node[3], other[3];
	CUgraph graph = chain(node), another = chain(other);
	CUgraphExec exec = NULL;
	CUDA_KERNEL_NODE_PARAMS_v2 p = { 0 };
	unsigned int on = 9;

	check(CUDA_SUCCESS, cuGraphInstantiateWithFlags(&exec, graph, 0));
	check(CUDA_SUCCESS, cuGraphNodeGetEnabled(exec, node[1], &on));
	conf_ok(on == 1, "a node is on");
	check(CUDA_SUCCESS, cuGraphNodeSetEnabled(exec, node[1], 0));
	run("without a node", exec, 40);
	check(CUDA_SUCCESS, cuGraphNodeSetEnabled(exec, node[1], 1));
	run("with it", exec, 42);
	check(CUDA_SUCCESS, cuGraphKernelNodeGetParams_v2(node[0], &p));
	conf_ok(cu.cuGraphExecKernelNodeSetParams_v2(exec, other[0], &p) != CUDA_SUCCESS,
		"a node of another graph is none of this exec's");
	conf_ok(cu.cuGraphNodeSetEnabled(exec, other[0], 0) != CUDA_SUCCESS, "nor can it be switched off there");
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
	check(CUDA_SUCCESS, cuGraphDestroy(another));
}

static int called;
static void call(void *user) { called = *(int *)user; }

static void changed_host_and_child(void)
{
	static int seven = 7, nine = 9;
	CUDA_HOST_NODE_PARAMS host = { call, &seven };
	CUgraphNode node[3], of_child, of_host;
	CUgraph inner = chain(node), outer = NULL;
	CUgraphExec exec = NULL;

	check(CUDA_SUCCESS, cuGraphCreate(&outer, 0));
	check(CUDA_SUCCESS, cuGraphAddChildGraphNode(&of_child, outer, NULL, 0, inner));
	check(CUDA_SUCCESS, cuGraphAddHostNode(&of_host, outer, &of_child, 1, &host));
	check(CUDA_SUCCESS, cuGraphInstantiateWithFlags(&exec, outer, 0));
	run("a child graph and a host function", exec, 42);
	conf_ok(called == 7, "which is called");
	host.userData = &nine;
	check(CUDA_SUCCESS, cuGraphExecHostNodeSetParams(exec, of_host, &host));
	check(CUDA_SUCCESS, cuGraphDestroy(inner));
	inner = chain(node);
	check(CUDA_SUCCESS, cuGraphKernelNodeSetParams_v2(node[0], &(CUDA_KERNEL_NODE_PARAMS_v2){
		.func = t.set_all, .gridDimX = CONF_INTS / 128, .gridDimY = 1, .gridDimZ = 1, .blockDimX = 128,
		.blockDimY = 1, .blockDimZ = 1, .kernelParams = (void *[]){ &t.data, &(int){ CONF_INTS }, &(int){ 30 } } }));
	check(CUDA_SUCCESS, cuGraphExecChildGraphNodeSetParams(exec, of_child, inner));
	run("both with other parameters", exec, 62);
	conf_ok(called == 9, "the host function too");
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	check(CUDA_SUCCESS, cuGraphDestroy(outer));
	check(CUDA_SUCCESS, cuGraphDestroy(inner));
}

/* ---- execs that run --------------------------------------------------------------------- */

static void running(void)
{
	CUgraphNode node[3], first;
	CUgraph graph = chain(node), free_one = NULL;
	CUgraphExec exec = NULL, other = NULL, same = NULL;
	CUDA_KERNEL_NODE_PARAMS_v2 p = { 0 };
	CUstream side = NULL;

	*go = 0;
	check(CUDA_SUCCESS, cuStreamCreate(&side, CU_STREAM_NON_BLOCKING));
	check(CUDA_SUCCESS, cuGraphCreate(&free_one, 0));
	add_stamp(free_one, 9);
	check(CUDA_SUCCESS, cuGraphInstantiateWithFlags(&other, free_one, 0));
	first = add_gate(graph);
	edge(graph, first, node[0], NULL);
	check(CUDA_SUCCESS, cuGraphInstantiateWithFlags(&exec, graph, 0));
	check(CUDA_SUCCESS, cuGraphInstantiateWithFlags(&same, graph, 0));
	check(CUDA_SUCCESS, cuGraphLaunch(exec, t.stream));
	check(CUDA_SUCCESS, cuGraphLaunch(exec, side));
	check(CUDA_ERROR_NOT_READY, cuStreamQuery(t.stream));
	check(CUDA_ERROR_NOT_READY, cuStreamQuery(side));
	check(CUDA_SUCCESS, cuGraphKernelNodeGetParams_v2(node[0], &p));
	p.kernelParams = (void *[]){ &t.data, &(int){ CONF_INTS }, &(int){ 1 } };
	check(CUDA_SUCCESS, cuGraphExecKernelNodeSetParams_v2(exec, node[0], &p));
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	*go = 1;
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	check(CUDA_SUCCESS, cuStreamSynchronize(side));
	check_data("launches go on as they were when their exec is changed and destroyed", 42);
	*go = 0;
	check(CUDA_SUCCESS, cuGraphLaunch(same, t.stream));
	check(CUDA_SUCCESS, cuGraphLaunch(other, side));
	check(CUDA_SUCCESS, cuStreamSynchronize(side));
	check(CUDA_ERROR_NOT_READY, cuStreamQuery(t.stream));
	*go = 1;
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	check(CUDA_SUCCESS, cuGraphExecDestroy(same));
	check(CUDA_SUCCESS, cuGraphExecDestroy(other));
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
	check(CUDA_SUCCESS, cuGraphDestroy(free_one));
	check(CUDA_SUCCESS, cuStreamDestroy_v2(side));
}

/* ---- files the GPU writes into ------------------------------------------------------------ */

static void *map_file(const char *path, int *fd)
{
	void *p = MAP_FAILED;

	*fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	unlink(path);
	if (*fd >= 0 && !ftruncate(*fd, 65536))
		p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static void files(void)
{
	enum { EXT4 = 0xef53 };
	char path[64];
	CUdeviceptr seen = 0;
	uint64_t *at, value = 0;
	struct statfs fs;
	void *p;
	int fd;

	snprintf(path, sizeof(path), "/dev/shm/conformance-%d", (int)getpid());
	p = map_file(path, &fd);
	check(CUDA_SUCCESS, cuMemHostRegister_v2(p, 65536, CU_MEMHOSTREGISTER_DEVICEMAP | CU_MEMHOSTREGISTER_PORTABLE));
	check(CUDA_SUCCESS, cuMemHostGetDevicePointer_v2(&seen, p, 0));
	at = (uint64_t *)(uintptr_t)seen + 5;
	check_result("a stamp", cu.cuLaunchKernel(stamp, 1, 1, 1, 1, 1, 1, 0, t.stream, (void *[]){ &at }, NULL),
		CUDA_SUCCESS);
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	conf_ok(pread(fd, &value, 8, 40) == 8 && value, "is seen in the file");
	check(CUDA_SUCCESS, cuMemHostUnregister(p));
	munmap(p, 65536);
	close(fd);
	snprintf(path, sizeof(path), "/var/tmp/conformance-%d", (int)getpid());
	p = map_file(path, &fd);
	if (p && !fstatfs(fd, &fs) && fs.f_type == EXT4)
		check(CUDA_ERROR_INVALID_VALUE, cuMemHostRegister_v2(p, 65536, CU_MEMHOSTREGISTER_DEVICEMAP));
	if (p)
		munmap(p, 65536);
	close(fd);
}

void conf_twin(void)
{
	void *host = NULL;

	check(CUDA_SUCCESS, cuModuleLoadData(&module, conformance_stamps));
	check(CUDA_SUCCESS, cuModuleGetFunction(&stamp, module, "vprof_stamp"));
	check(CUDA_SUCCESS, cuModuleGetFunction(&gate, module, "vprof_gate"));
	check(CUDA_SUCCESS, cuMemAllocHost_v2(&host, 4096));
	slots = host;
	go = (volatile uint32_t *)&slots[64];
	edges();
	twin();
	attributes();
	captured();
	memory_nodes();
	changed();
	changed_host_and_child();
	running();
	files();
	check(CUDA_SUCCESS, cuMemFreeHost(host));
	check(CUDA_SUCCESS, cuModuleUnload(module));
}
