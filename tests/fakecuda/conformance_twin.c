/*
 * conformance_twin.c - what an instrumented copy of a graph is made with: edges with data,
 * attributes, clones, stamps between kernels.
 */
#include <stdio.h>
#include <string.h>

#include "tests/fakecuda/conformance_twin.h"

static const CUgraphEdgeData programmatic = {
	.from_port = CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC, .type = CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC,
};
struct twin_test tw;

static CUgraphNode add_kernel(CUgraph graph, CUfunction f, unsigned grid, unsigned block, void **args)
{
	CUDA_KERNEL_NODE_PARAMS_v2 p = { .func = f, .gridDimX = grid, .gridDimY = 1, .gridDimZ = 1,
		.blockDimX = block, .blockDimY = 1, .blockDimZ = 1, .kernelParams = args };
	CUgraphNode node = NULL;

	check_result("a kernel node", cu.cuGraphAddKernelNode_v2(&node, graph, NULL, 0, &p), CUDA_SUCCESS);
	return node;
}

CUgraphNode tw_add_data(CUgraph graph, CUfunction f, int value)
{
	int n = CONF_INTS;
	void *args[] = { &t.data, &n, &value };

	return add_kernel(graph, f, CONF_INTS / 128, 128, args);
}

CUgraphNode tw_add_stamp(CUgraph graph, int slot)
{
	uint64_t *at = &tw.slots[slot];

	return add_kernel(graph, tw.stamp, 1, 1, (void *[]){ &at });
}

CUgraphNode tw_add_gate(CUgraph graph)
{
	const volatile uint32_t *at = tw.go;
	uint32_t want = 1, most_ns = 4000000000u;
	uint64_t *slot = &tw.slots[63];

	return add_kernel(graph, tw.gate, 1, 1, (void *[]){ &at, &want, &slot, &most_ns });
}

void tw_edge(CUgraph graph, CUgraphNode from, CUgraphNode to, const CUgraphEdgeData *data)
{
	check_result("an edge", cu.cuGraphAddDependencies_v2(graph, &from, &to, data, 1), CUDA_SUCCESS);
}

void tw_run(const char *name, CUgraphExec exec, int want)
{
	CUresult result = cu.cuGraphLaunch(exec, t.stream);

	check_result(name, result ? result : cu.cuStreamSynchronize(t.stream), CUDA_SUCCESS);
	check_data("and its result is right", want);
}

/* set 20 -> add one -> double, over plain edges. */
CUgraph tw_chain(CUgraphNode node[3])
{
	CUgraph graph = NULL;

	check(CUDA_SUCCESS, cuGraphCreate(&graph, 0));
	node[0] = tw_add_data(graph, t.set_all, 20);
	node[1] = tw_add_data(graph, t.add_one, 0);
	node[2] = tw_add_data(graph, t.double_it, 0);
	tw_edge(graph, node[0], node[1], NULL);
	tw_edge(graph, node[1], node[2], NULL);
	return graph;
}

/* ---- edges ---------------------------------------------------------------------- */

static void edges(void)
{
	CUgraphNode node[3], from[4], to[4];
	CUgraphEdgeData data[4];
	CUgraph graph = tw_chain(node);
	size_t n = 4;

	conf_ok(cu.cuGraphAddDependencies_v2(graph, &node[0], &node[1], NULL, 1) != CUDA_SUCCESS,
		"an edge that is there cannot be added");
	check(CUDA_SUCCESS, cuGraphRemoveDependencies_v2(graph, &node[0], &node[1], NULL, 1));
	conf_ok(cu.cuGraphRemoveDependencies_v2(graph, &node[0], &node[1], NULL, 1) != CUDA_SUCCESS,
		"one that is not there cannot be removed");
	tw_edge(graph, node[0], node[1], &programmatic);
	check(CUDA_ERROR_LOSSY_QUERY, cuGraphGetEdges(graph, from, to, &n));
	n = 4;
	need(cuGraphGetEdges_v2(graph, from, to, data, &n));
	for (size_t i = 0; i < n; i++)
		if (from[i] == node[0])
			conf_ok(n == 2 && to[i] == node[1] && !memcmp(&data[i], &programmatic, sizeof(data[i])),
				"an edge keeps its data");
	conf_ok(!from[2] && !to[3], "more room than edges: NULL in the rest");
	check(CUDA_SUCCESS, cuGraphRemoveDependencies_v2(graph, &node[0], &node[1], NULL, 1));
	conf_ok(cu.cuGraphRemoveDependencies_v2(graph, &node[0], &node[1], &programmatic, 1) != CUDA_SUCCESS,
		"without data it is removed as well");
	tw_edge(graph, node[0], node[1], &programmatic);
	check(CUDA_SUCCESS, cuGraphRemoveDependencies_v2(graph, &node[0], &node[1], &programmatic, 1));
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
}

/* ---- a twin ------------------------------------------------------------------------ */

static void twin(void)
{
	CUgraphNode node[3], like, before, behind = NULL;
	CUgraph graph = tw_chain(node), clone = NULL;
	CUgraphExec plain = NULL, exec = NULL;
	bool ordered = true;

	need(cuGraphInstantiateWithFlags(&plain, graph, 0));
	need(cuGraphClone(&clone, graph));
	before = NULL;
	for (int i = 0; i < 3; i++) {
		need(cuGraphNodeFindInClone(&like, node[i], clone));
		if (before) {
			check(CUDA_SUCCESS, cuGraphRemoveDependencies_v2(clone, &before, &like, NULL, 1));
			tw_edge(clone, behind, like, &programmatic);
		}
		behind = tw_add_stamp(clone, i);
		tw_edge(clone, like, behind, &programmatic);
		before = like;
	}
	need(cuGraphInstantiateWithFlags(&exec, clone, 0));
	check(CUDA_SUCCESS, cuGraphUpload(exec, t.stream));
	memset(tw.slots, 0, 512);
	tw_run("a graph with stamps", exec, 42);
	for (int i = 0; i < 3; i++)
		ordered &= tw.slots[i] && (!i || tw.slots[i] >= tw.slots[i - 1]);
	conf_ok(ordered, "the stamps are in the order of the kernels");
	tw_run("the graph itself", plain, 42);
	check(CUDA_SUCCESS, cuGraphDestroy(clone));
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
	tw_run("its copy again", exec, 42);
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
	CUgraph graph = tw_chain(node), clone = NULL;

	conf_ok(!attribute(node[0], CU_LAUNCH_ATTRIBUTE_COOPERATIVE).cooperative, "a kernel is not cooperative by itself");
	check(CUDA_SUCCESS, cuGraphKernelNodeSetAttribute(node[0], CU_LAUNCH_ATTRIBUTE_PRIORITY, &priority));
	check(CUDA_SUCCESS, cuGraphKernelNodeSetAttribute(node[0], CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION, &cluster));
	check(CUDA_SUCCESS, cuGraphKernelNodeCopyAttributes(node[1], node[0]));
	need(cuGraphClone(&clone, graph));
	for (int i = 0; i < 2; i++) {
		need(cuGraphNodeFindInClone(&like, node[i], clone));
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
	CUgraph graph = NULL, small = tw_chain(node);
	CUgraphExec exec = NULL;
	uint64_t *slot = tw.slots;
	size_t n = 4;

	check(CUDA_SUCCESS, cuStreamBeginCapture_v2(t.stream, CU_STREAM_CAPTURE_MODE_RELAXED));
	check_result("a captured launch", conf_launch(t.add_one, t.stream, 0), CUDA_SUCCESS);
	check_result("and one that serializes programmatically",
		cu.cuLaunchKernelEx(&config, tw.stamp, (void *[]){ &slot }, NULL), CUDA_SUCCESS);
	need(cuStreamEndCapture(t.stream, &graph));
	need(cuGraphGetEdges_v2(graph, from, to, data, &n));
	conf_ok(n == 1 && !memcmp(data, &programmatic, sizeof(programmatic)), "are tied by a programmatic edge");
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
	need(cuGraphInstantiateWithFlags(&exec, small, 0));
	check(CUDA_SUCCESS, cuStreamBeginCapture_v2(t.stream, CU_STREAM_CAPTURE_MODE_RELAXED));
	check(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuGraphLaunch(exec, t.stream));
	check(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(t.stream, &graph));
	conf_ok(!graph, "a graph's launch cannot be captured");
	tw_run("but run behind that", exec, 42);
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	check(CUDA_SUCCESS, cuGraphDestroy(small));
}

/* A graph that owns memory: no clone, and one exec at a time. */
static void memory_nodes(void)
{
	CUgraph graph = NULL, clone = NULL, outer = NULL;
	CUgraphExec exec = NULL, second = NULL;
	CUgraphNode node = NULL;
	CUdeviceptr memory = 0;
	CUresult result;

	check(CUDA_SUCCESS, cuStreamBeginCapture_v2(t.stream, CU_STREAM_CAPTURE_MODE_RELAXED));
	check(CUDA_SUCCESS, cuMemAllocAsync(&memory, 4096, t.stream));
	check(CUDA_SUCCESS, cuMemFreeAsync(memory, t.stream));
	need(cuStreamEndCapture(t.stream, &graph));
	result = cu.cuGraphClone(&clone, graph);
	conf_ok(result != CUDA_SUCCESS, "a graph that allocates has no clone");
	printf("# refused with %d\n", result);
	check(CUDA_SUCCESS, cuGraphCreate(&outer, 0));
	conf_ok(cu.cuGraphAddChildGraphNode(&node, outer, NULL, 0, graph) != CUDA_SUCCESS, "nor is it a child");
	check(CUDA_SUCCESS, cuGraphDestroy(outer));
	need(cuGraphInstantiateWithFlags(&exec, graph, 0));
	result = cu.cuGraphInstantiateWithFlags(&second, graph, 0);
	conf_ok(result != CUDA_SUCCESS, "and one exec at a time");
	printf("# refused with %d\n", result);
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	need(cuGraphInstantiateWithFlags(&exec, graph, 0));
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
}

struct node_params { /* CUgraphNodeParams of a conditional node */
	CUgraphNodeType type;
	int reserved0[3];
	union {
		long long reserved1[29];
		struct { uint64_t handle; int type; unsigned int size; CUgraph *bodies; CUcontext ctx; } conditional;
	};
	long long reserved2;
};
_Static_assert(sizeof(struct node_params) == 256, "CUgraphNodeParams");

/* If 1: set all to 11. */
static void conditions(void)
{
	CUresult (*add)(CUgraphNode *, CUgraph, const CUgraphNode *, const CUgraphEdgeData *, size_t, struct node_params *);
	CUresult (*create)(uint64_t *, CUgraph, CUcontext, unsigned int, unsigned int);
	struct node_params p = { .type = CU_GRAPH_NODE_TYPE_CONDITIONAL, .conditional = { .size = 1, .ctx = t.ctx } };
	CUgraph graph = NULL, clone = NULL;
	CUgraphNode node = NULL;
	CUgraphExec exec = NULL;
	CUresult result;

	cu.gpa2("cuGraphConditionalHandleCreate", (void **)&create, 12030, 0, NULL);
	cu.gpa2("cuGraphAddNode", (void **)&add, 12030, 0, NULL);
	check(CUDA_SUCCESS, cuGraphCreate(&graph, 0));
	check_result("a handle", create(&p.conditional.handle, graph, t.ctx, 1, 1), CUDA_SUCCESS);
	check_result("a conditional node", add(&node, graph, NULL, NULL, 0, &p), CUDA_SUCCESS);
	tw_add_data(p.conditional.bodies[0], t.set_all, 11);
	result = cu.cuGraphClone(&clone, graph);
	conf_ok(result != CUDA_SUCCESS, "a graph with conditions has no clone");
	printf("# refused with %d\n", result);
	need(cuGraphInstantiateWithFlags(&exec, graph, 0));
	tw_run("a condition that holds", exec, 11);
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
}

void conf_twin(void)
{
	void *host = NULL;

	check(CUDA_SUCCESS, cuModuleLoadData(&tw.module, conformance_stamps));
	check(CUDA_SUCCESS, cuModuleGetFunction(&tw.stamp, tw.module, "vprof_stamp"));
	check(CUDA_SUCCESS, cuModuleGetFunction(&tw.gate, tw.module, "vprof_gate"));
	check(CUDA_SUCCESS, cuMemAllocHost_v2(&host, 4096));
	tw.slots = host;
	tw.go = (volatile uint32_t *)&tw.slots[64];
	edges();
	twin();
	attributes();
	captured();
	memory_nodes();
	conditions();
	conf_exec();
	check(CUDA_SUCCESS, cuMemFreeHost(host));
	check(CUDA_SUCCESS, cuModuleUnload(tw.module));
}
