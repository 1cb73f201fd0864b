/*
 * conformance_exec.c - execs that are changed, run and destroyed at once, and
 * files that the GPU writes into.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tests/fakecuda/conformance_twin.h"

static void changed(void)
{
	CUgraphNode node[3], other[3];
	CUgraph graph = tw_chain(node), another = tw_chain(other);
	CUgraphExec exec = NULL;
	CUDA_KERNEL_NODE_PARAMS_v2 p = { 0 };
	unsigned int on = 9;

	need(cuGraphInstantiateWithFlags(&exec, graph, 0));
	check(CUDA_SUCCESS, cuGraphNodeGetEnabled(exec, node[1], &on));
	conf_ok(on == 1, "a node is on");
	check(CUDA_SUCCESS, cuGraphNodeSetEnabled(exec, node[1], 0));
	tw_run("without a node", exec, 40);
	check(CUDA_SUCCESS, cuGraphNodeSetEnabled(exec, node[1], 1));
	tw_run("with it", exec, 42);
	check(CUDA_SUCCESS, cuGraphKernelNodeGetParams_v2(node[0], &p));
	conf_ok(cu.cuGraphExecKernelNodeSetParams_v2(exec, other[0], &p) != CUDA_SUCCESS,
		"a node of another graph is none of this exec's");
	conf_ok(cu.cuGraphNodeSetEnabled(exec, other[0], 0) != CUDA_SUCCESS, "nor can it be switched off there");
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
	check(CUDA_SUCCESS, cuGraphDestroy(another));
}

static CUDA_KERNEL_NODE_PARAMS_v2 set_to(int *value)
{
	static int n = CONF_INTS;
	static void *list[3];

	list[0] = &t.data;
	list[1] = &n;
	list[2] = value;
	return (CUDA_KERNEL_NODE_PARAMS_v2){ .func = t.set_all, .gridDimX = CONF_INTS / 128, .gridDimY = 1, .gridDimZ = 1,
		.blockDimX = 128, .blockDimY = 1, .blockDimZ = 1, .kernelParams = list };
}

/* A node of a graph is changed in its clone, and in the exec of the clone's clone, which has a stamp behind it. */
static void changed_clones(void)
{
	CUgraphEdgeData data = { .from_port = CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC, .type = CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC };
	CUgraphNode node[3], first = NULL, like = NULL, next = NULL, stamp, of_child, inner;
	CUgraph graph = tw_chain(node), clone = NULL, work = NULL, outer = NULL, child = NULL;
	CUgraphExec exec = NULL, of_clone = NULL;
	int thirty = 30;
	CUDA_KERNEL_NODE_PARAMS_v2 p = set_to(&thirty);

	need(cuGraphClone(&clone, graph));
	need(cuGraphClone(&work, clone));
	need(cuGraphNodeFindInClone(&first, node[0], clone));
	need(cuGraphNodeFindInClone(&like, first, work));
	need(cuGraphNodeFindInClone(&next, node[1], clone));
	need(cuGraphNodeFindInClone(&next, next, work));
	stamp = tw_add_stamp(work, 0);
	check(CUDA_SUCCESS, cuGraphRemoveDependencies_v2(work, &like, &next, NULL, 1));
	tw_edge(work, like, stamp, &data);
	tw_edge(work, stamp, next, &data);
	need(cuGraphInstantiateWithFlags(&exec, work, 0));
	check(CUDA_SUCCESS, cuGraphUpload(exec, t.stream));
	tw_run("a clone of a clone, with a stamp", exec, 42);
	check(CUDA_SUCCESS, cuGraphExecKernelNodeSetParams_v2(exec, like, &p));
	tw_run("its node set by way of the clones", exec, 62);
	check(CUDA_SUCCESS, cuGraphKernelNodeSetParams_v2(first, &p));
	need(cuGraphInstantiateWithFlags(&of_clone, clone, 0));
	tw_run("the clone's own node set", of_clone, 62);
	check(CUDA_SUCCESS, cuGraphCreate(&outer, 0));
	check(CUDA_SUCCESS, cuGraphAddChildGraphNode(&of_child, outer, NULL, 0, graph));
	check(CUDA_SUCCESS, cuGraphChildGraphNodeGetGraph(of_child, &child));
	inner = tw_add_stamp(child, 1);
	check(CUDA_SUCCESS, cuGraphDestroy(clone));
	need(cuGraphClone(&clone, outer));
	printf("# a child graph's node in a clone of the whole: %d\n", cu.cuGraphNodeFindInClone(&like, inner, clone));
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	check(CUDA_SUCCESS, cuGraphExecDestroy(of_clone));
	check(CUDA_SUCCESS, cuGraphDestroy(clone));
	check(CUDA_SUCCESS, cuGraphDestroy(work));
	check(CUDA_SUCCESS, cuGraphDestroy(outer));
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
}

/* A graph of the same nodes takes the exec's place; one whose kernel is cooperative does not. */
static void updated(void)
{
	CUlaunchAttributeValue cooperative = { .cooperative = 1 };
	CUgraphExecUpdateResultInfo info = { 0 };
	CUgraphNode node[3], other[3];
	CUgraph graph = tw_chain(node), another = tw_chain(other);
	CUgraphExec exec = NULL;

	need(cuGraphInstantiateWithFlags(&exec, graph, 0));
	check(CUDA_SUCCESS, cuGraphExecUpdate_v2(exec, another, &info));
	tw_run("a graph updated to an equal one", exec, 42);
	check(CUDA_SUCCESS, cuGraphNodeSetEnabled(exec, node[1], 0));
	tw_run("whose nodes are those of the first", exec, 40);
	check(CUDA_SUCCESS, cuGraphKernelNodeSetAttribute(other[0], CU_LAUNCH_ATTRIBUTE_COOPERATIVE, &cooperative));
	check(CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE, cuGraphExecUpdate_v2(exec, another, &info));
	conf_ok(info.errorNode == other[0], "a kernel does not become cooperative");
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
	CUgraph inner = tw_chain(node), outer = NULL;
	CUgraphExec exec = NULL;

	check(CUDA_SUCCESS, cuGraphCreate(&outer, 0));
	check(CUDA_SUCCESS, cuGraphAddChildGraphNode(&of_child, outer, NULL, 0, inner));
	check(CUDA_SUCCESS, cuGraphAddHostNode(&of_host, outer, &of_child, 1, &host));
	need(cuGraphInstantiateWithFlags(&exec, outer, 0));
	tw_run("a child graph and a host function", exec, 42);
	conf_ok(called == 7, "which is called");
	host.userData = &nine;
	check(CUDA_SUCCESS, cuGraphExecHostNodeSetParams(exec, of_host, &host));
	check(CUDA_SUCCESS, cuGraphDestroy(inner));
	inner = tw_chain(node);
	check(CUDA_SUCCESS, cuGraphKernelNodeSetParams_v2(node[0], &(CUDA_KERNEL_NODE_PARAMS_v2){
		.func = t.set_all, .gridDimX = CONF_INTS / 128, .gridDimY = 1, .gridDimZ = 1, .blockDimX = 128,
		.blockDimY = 1, .blockDimZ = 1, .kernelParams = (void *[]){ &t.data, &(int){ CONF_INTS }, &(int){ 30 } } }));
	check(CUDA_SUCCESS, cuGraphExecChildGraphNodeSetParams(exec, of_child, inner));
	tw_run("both with other parameters", exec, 62);
	conf_ok(called == 9, "the host function too");
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	check(CUDA_SUCCESS, cuGraphDestroy(outer));
	check(CUDA_SUCCESS, cuGraphDestroy(inner));
}

/* ---- execs that run --------------------------------------------------------------------- */

static void running(void)
{
	CUgraphNode node[3], first;
	CUgraph graph = tw_chain(node), free_one = NULL;
	CUgraphExec exec = NULL, other = NULL, same = NULL;
	CUDA_KERNEL_NODE_PARAMS_v2 p = { 0 };
	CUstream side = NULL;

	*tw.go = 0;
	check(CUDA_SUCCESS, cuStreamCreate(&side, CU_STREAM_NON_BLOCKING));
	check(CUDA_SUCCESS, cuGraphCreate(&free_one, 0));
	tw_add_stamp(free_one, 9);
	need(cuGraphInstantiateWithFlags(&other, free_one, 0));
	first = tw_add_gate(graph);
	tw_edge(graph, first, node[0], NULL);
	need(cuGraphInstantiateWithFlags(&exec, graph, 0));
	need(cuGraphInstantiateWithFlags(&same, graph, 0));
	check(CUDA_SUCCESS, cuGraphLaunch(exec, t.stream));
	check(CUDA_SUCCESS, cuGraphLaunch(exec, side));
	check(CUDA_ERROR_NOT_READY, cuStreamQuery(t.stream));
	check(CUDA_ERROR_NOT_READY, cuStreamQuery(side));
	check(CUDA_SUCCESS, cuGraphKernelNodeGetParams_v2(node[0], &p));
	p.kernelParams = (void *[]){ &t.data, &(int){ CONF_INTS }, &(int){ 1 } };
	check(CUDA_SUCCESS, cuGraphExecKernelNodeSetParams_v2(exec, node[0], &p));
	check(CUDA_SUCCESS, cuGraphExecDestroy(exec));
	*tw.go = 1;
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	check(CUDA_SUCCESS, cuStreamSynchronize(side));
	check_data("launches go on as they were when their exec is changed and destroyed", 42);
	*tw.go = 0;
	check(CUDA_SUCCESS, cuGraphLaunch(same, t.stream));
	check(CUDA_SUCCESS, cuGraphLaunch(other, side));
	check(CUDA_SUCCESS, cuStreamSynchronize(side));
	check(CUDA_ERROR_NOT_READY, cuStreamQuery(t.stream));
	*tw.go = 1;
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
	check_result("a stamp", cu.cuLaunchKernel(tw.stamp, 1, 1, 1, 1, 1, 1, 0, t.stream, (void *[]){ &at }, NULL),
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

void conf_exec(void)
{
	changed();
	changed_clones();
	updated();
	changed_host_and_child();
	running();
	files();
}
