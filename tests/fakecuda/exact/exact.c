/*
 * exact.c - what stamps between kernels of the fake driver read: one line each,
 * a name and a time in ns or a value. exact.t knows what each must be.
 *
 * A gate holds the stream until all has been launched, so that nothing depends
 * on how fast this machine launches.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/fakecuda/conformance.h"

#define D(name, base, version, ...) extern CUresult name(__VA_ARGS__);
DRIVER_API
#undef D

#define MUST(call) do { CUresult r_ = (call); if (r_) { fprintf(stderr, "%s: %d\n", #call, r_); exit(1); } } while (0)

static CUmodule module;
static CUstream stream;
static uint64_t *slots;
static uint32_t *go;
static int *data;

static CUfunction kernel(const char *name)
{
	CUfunction f;

	MUST(cuModuleGetFunction(&f, module, name));
	return f;
}

static void launch(const char *name, bool serialize, void **args)
{
	CUlaunchAttribute a = { .id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION,
		.value = { .programmaticStreamSerializationAllowed = 1 } };
	CUlaunchConfig c = { .gridDimX = 1, .gridDimY = 1, .gridDimZ = 1, .blockDimX = 1, .blockDimY = 1,
		.blockDimZ = 1, .hStream = stream, .attrs = &a, .numAttrs = serialize };

	MUST(cuLaunchKernelEx(&c, kernel(name), args, NULL));
}

static void **slot_args(int slot)
{
	static uint64_t *at;
	static void *args[] = { &at };

	at = &slots[slot];
	return args;
}

static void **gate_args(void)
{
	static uint32_t *at, want = 1, most_ns = 4000000000u;
	static uint64_t *slot;
	static void *args[] = { &at, &want, &slot, &most_ns };

	at = go;
	slot = &slots[63];
	*go = 0;
	return args;
}

static void **data_args(void)
{
	static uint32_t n = 1;
	static void *args[] = { &data, &n };

	return args;
}

static void open_and_wait(void)
{
	__atomic_store_n(go, 1, __ATOMIC_RELEASE); /* peer: the gate */
	MUST(cuStreamSynchronize(stream));
}

static void tell(const char *name)
{
	printf("%s %lld\n", name, (long long)(slots[1] - slots[0]));
}

static void timed(void)
{
	uint64_t *at = &slots[2];
	uint32_t ns = 7000;

	launch("vprof_gate", false, gate_args());
	launch("vprof_stamp_plain", false, slot_args(0));
	launch("vprof_timed", false, (void *[]){ &at, &ns });
	launch("vprof_stamp_plain", false, slot_args(1));
	open_and_wait();
	tell("timed");
	printf("timed_itself %lld\n", (long long)(slots[3] - slots[2]));
}

static void on_a_stream(bool serialize)
{
	launch("vprof_gate", false, gate_args());
	launch(serialize ? "vprof_stamp" : "vprof_stamp_plain", serialize, slot_args(0));
	launch("spin_5us", serialize, NULL);
	launch(serialize ? "vprof_stamp" : "vprof_stamp_plain", serialize, slot_args(1));
	open_and_wait();
	tell(serialize ? "stream_prog" : "stream_plain");
}

/* ---- graphs ---------------------------------------------------------------------- */

static CUgraph graph;
static CUgraphNode last;

static CUgraphNode add(const char *name, void **args, bool prog, CUgraphNode from)
{
	CUDA_KERNEL_NODE_PARAMS_v2 p = { .func = kernel(name), .gridDimX = 1, .gridDimY = 1, .gridDimZ = 1,
		.blockDimX = 1, .blockDimY = 1, .blockDimZ = 1, .kernelParams = args };
	CUgraphEdgeData way = { .from_port = prog, .type = prog };

	MUST(cuGraphAddKernelNode_v2(&last, graph, NULL, 0, &p));
	if (from)
		MUST(cuGraphAddDependencies_v2(graph, &from, &last, &way, 1));
	return last;
}

static void graph_run(void)
{
	CUgraphExec exec;

	MUST(cuGraphInstantiateWithFlags(&exec, graph, 0));
	MUST(cuGraphLaunch(exec, stream));
	MUST(cuStreamSynchronize(stream));
	MUST(cuGraphExecDestroy(exec));
	MUST(cuGraphDestroy(graph));
	MUST(cuGraphCreate(&graph, 0));
}

static void in_a_graph(bool prog)
{
	const char *name = prog ? "vprof_stamp" : "vprof_stamp_plain";

	add(name, slot_args(0), false, NULL);
	add("spin_5us", NULL, prog, last);
	add(name, slot_args(1), prog, last);
	graph_run();
	tell(prog ? "graph_prog" : "graph_plain");
}

/* What comes behind a kernel that triggers before its end. */
static void triggered(const char *name, const char *up, const char *down)
{
	CUgraphNode first = add("vprof_stamp_plain", slot_args(0), false, NULL);

	*data = 20;
	add(up, data_args(), false, first);
	add(down, data_args(), true, last);
	add("vprof_stamp_plain", slot_args(1), false, last);
	graph_run();
	tell(name);
	printf("%s_data %d\n", name, *data);
}

static void branches(void)
{
	CUgraphNode first = add("vprof_stamp_plain", slot_args(0), false, NULL), a, b, join;
	CUgraphEdgeData plain = { 0 };

	a = add("spin_5us", NULL, false, first);
	b = add("spin_9us", NULL, false, first);
	join = add("vprof_stamp_plain", slot_args(1), false, a);
	MUST(cuGraphAddDependencies_v2(graph, &b, &join, &plain, 1));
	graph_run();
	tell("branches");
}

static void clock_of_device(void)
{
	struct timespec ts;

	launch("vprof_stamp_plain", false, slot_args(0));
	MUST(cuStreamSynchronize(stream));
	clock_gettime(CLOCK_REALTIME, &ts);
	printf("ahead_ms %lld\n", ((long long)slots[0] - (ts.tv_sec * 1000000000ll + ts.tv_nsec)) / 1000000);
	launch("vprof_gate", false, gate_args());
	launch("vprof_stamp_plain", false, slot_args(0));
	launch("spin_20ms", false, NULL);
	launch("vprof_stamp_plain", false, slot_args(1));
	open_and_wait();
	tell("long");
}

/* An exec of two nodes: the memory it takes, and that making it takes time. */
static void instantiate(void)
{
	size_t before, with, after, total;
	struct timespec a, b;
	CUgraphExec exec;

	add("noop", NULL, false, NULL);
	add("noop", NULL, false, last);
	MUST(cuMemGetInfo_v2(&before, &total));
	clock_gettime(CLOCK_MONOTONIC, &a);
	MUST(cuGraphInstantiateWithFlags(&exec, graph, 0));
	clock_gettime(CLOCK_MONOTONIC, &b);
	MUST(cuMemGetInfo_v2(&with, &total));
	MUST(cuGraphExecDestroy(exec));
	MUST(cuMemGetInfo_v2(&after, &total));
	printf("exec_bytes %zu %zu\n", before - with, before - after);
	printf("exec_20ms %d\n", (b.tv_sec - a.tv_sec) * 1000000000ll + (b.tv_nsec - a.tv_nsec) >= 20000000);
}

/* A function and a stream of a context that has ended. */
static void ended(void)
{
	CUcontext ctx, primary;
	CUmodule own;
	CUfunction f;
	CUstream old;
	int result[3];

	MUST(cuCtxGetCurrent(&primary));
	MUST(cuCtxCreate_v2(&ctx, 0, 0));
	MUST(cuModuleLoadData(&own, "fake"));
	MUST(cuModuleGetFunction(&f, own, "noop"));
	MUST(cuStreamCreate(&old, CU_STREAM_NON_BLOCKING));
	MUST(cuCtxDestroy_v2(ctx));
	MUST(cuCtxSetCurrent(primary));
	result[0] = cuLaunchKernel(f, 1, 1, 1, 1, 1, 1, 0, stream, NULL, NULL);
	result[1] = cuStreamQuery(old);
	result[2] = cuLaunchKernel(kernel("noop"), 1, 1, 1, 1, 1, 1, 0, stream, NULL, NULL);
	printf("ended %d %d %d\n", result[0], result[1], result[2]);
}

static void stray(void)
{
	static uint64_t mine;
	uint64_t *at = &mine;
	CUresult result;

	launch("vprof_stamp_plain", false, (void *[]){ &at });
	result = cuStreamSynchronize(stream);
	printf("stray %d %d\n", result, mine == 0);
}

int main(void)
{
	CUcontext ctx;
	void *host;

	MUST(cuInit(0));
	MUST(cuDevicePrimaryCtxRetain(&ctx, 0));
	MUST(cuCtxSetCurrent(ctx));
	MUST(cuModuleLoadData(&module, "fake"));
	MUST(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
	MUST(cuMemAllocHost_v2(&host, 4096));
	slots = host;
	go = (uint32_t *)&slots[64];
	data = (int *)&slots[65];
	MUST(cuGraphCreate(&graph, 0));
	on_a_stream(false);
	on_a_stream(true);
	timed();
	in_a_graph(false);
	in_a_graph(true);
	triggered("overtaken", "add_one_spin_50us_trigger_10us", "double_it_spin_5us");
	triggered("awaited", "add_one_spin_50us_trigger_10us", "double_it_spin_5us_gridwait");
	triggered("untriggered", "add_one_spin_50us", "double_it_spin_5us");
	branches();
	clock_of_device();
	instantiate();
	ended();
	stray();
	return 0;
}
