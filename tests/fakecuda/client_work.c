/*
 * client_work.c - what a client process does between cuInit and its end.
 *
 * The kernels are PTX text made from their names, so that the client runs on
 * a real GPU too: spin_<N>us spins that long, every other kernel does nothing.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fakecuda/client.h"

enum { COPY_BYTES = 4096 };

static CUcontext ctx;
static CUmodule module;
static CUfunction function[16];
static pthread_barrier_t all_done;

static const char empty_body[] = "{ ret; }\n";
static const char spin_body[] =
	"{ .reg .u64 %%t<3>; .reg .pred %%p;\n"
	"mov.u64 %%t0, %%globaltimer;\n"
	"LOOP: mov.u64 %%t1, %%globaltimer; sub.u64 %%t2, %%t1, %%t0;\n"
	"setp.lt.u64 %%p, %%t2, %llu; @%%p bra LOOP; ret; }\n";

static unsigned long long spin_ns(const char *name)
{
	const char *at = strstr(name, "spin_");
	char *unit;
	unsigned long long n = at ? strtoull(at + 5, &unit, 10) : 0;

	return !at ? 0 : !strncmp(unit, "ms", 2) ? n * 1000000 : !strncmp(unit, "us", 2) ? n * 1000 : n;
}

static char *ptx_make(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fprintf(out, ".version 7.0\n.target sm_75\n.address_size 64\n");
	for (int i = 0; i < client_options.kernels; i++) {
		unsigned long long ns = spin_ns(client_options.kernel[i]);

		fprintf(out, ".visible .entry %s()\n", client_options.kernel[i]);
		if (ns)
			fprintf(out, spin_body, ns);
		else
			fputs(empty_body, out);
	}
	fclose(out);
	return text;
}

static void setup(void)
{
	char *ptx = ptx_make();

	CALL(cuInit, 0);
	CALL(cuDevicePrimaryCtxRetain, &ctx, 0);
	CALL(cuCtxSetCurrent, ctx);
	CALL(cuModuleLoadData, &module, ptx);
	for (int i = 0; i < client_options.kernels; i++)
		CALL(cuModuleGetFunction, &function[i], module, client_options.kernel[i]);
	free(ptx);
}

static void launch(long i, CUstream stream)
{
	CUfunction f = function[i % client_options.kernels];
	CUlaunchAttribute serialize = { .id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION,
		.value = { .programmaticStreamSerializationAllowed = 1 } };
	CUlaunchConfig config = { 1, 1, 1, 32, 1, 1, 0, stream, &serialize, client_options.programmatic };

	if (client_options.ex)
		CALL(cuLaunchKernelEx, &config, f, NULL, NULL);
	else
		CALL(cuLaunchKernel, f, 1, 1, 1, 32, 1, 1, 0, stream, NULL, NULL);
	if (client_options.pause_us)
		usleep((useconds_t)client_options.pause_us);
}

static void copies(CUstream stream)
{
	char buffer[COPY_BYTES] = { 1 };
	CUdeviceptr memory = 0;

	CALL(cuMemAlloc_v2, &memory, sizeof(buffer));
	for (long i = 0; i < client_options.copies; i++) {
		CALL(cuMemcpyHtoD_v2, memory, buffer, sizeof(buffer));
		CALL(cuMemsetD8Async, memory, (unsigned char)i, sizeof(buffer), stream);
		CALL(cuMemcpyDtoHAsync_v2, buffer, memory, sizeof(buffer), stream);
		CALL(cuStreamSynchronize, stream);
	}
	CALL(cuMemFree_v2, memory);
}

static void graphs(CUstream stream)
{
	CUgraphExec exec = NULL;
	CUgraph graph = NULL;

	CALL(cuStreamBeginCapture_v2, stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
	for (long i = 0; i < client_options.per_graph; i++)
		launch(i, stream);
	CALL(cuStreamEndCapture, stream, &graph);
	CALL(cuGraphInstantiateWithFlags, &exec, graph, 0);
	CALL(cuGraphDestroy, graph);
	for (long i = 0; i < client_options.graphs; i++) {
		CALL(cuGraphLaunch, exec, stream);
		if (client_options.sync)
			CALL(cuStreamSynchronize, stream);
	}
	CALL(cuStreamSynchronize, stream);
	CALL(cuGraphExecDestroy, exec);
}

static void thread_work(void)
{
	CUstream stream[64] = { NULL };

	CALL(cuCtxSetCurrent, ctx);
	for (int i = 0; i < client_options.streams; i++)
		CALL(cuStreamCreate, &stream[i], CU_STREAM_NON_BLOCKING);
	for (long i = 0; i < client_options.launches || client_options.forever; i++)
		launch(i, stream[i % client_options.streams]);
	if (client_options.graphs)
		graphs(stream[0]);
	if (client_options.copies)
		copies(stream[0]);
	for (int i = 0; i < client_options.streams; i++) {
		CALL(cuStreamSynchronize, stream[i]);
		CALL(cuStreamDestroy_v2, stream[i]);
	}
}

static void *thread_main(void *arg)
{
	(void)arg;
	thread_work();
	if (client_options.hold)
		pthread_barrier_wait(&all_done);
	return NULL;
}

static void *short_main(void *arg)
{
	CALL(cuCtxSetCurrent, ctx);
	launch(0, CU_STREAM_LEGACY);
	return arg;
}

static pthread_t thread_start(void *(*main)(void *))
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	if (pthread_create(&thread, &attr, main, NULL)) {
		perror("client: thread");
		_exit(1);
	}
	pthread_attr_destroy(&attr);
	return thread;
}

static void threads_run(int count)
{
	pthread_t *thread = calloc((size_t)count, sizeof(*thread));

	pthread_barrier_init(&all_done, NULL, (unsigned int)count);
	for (int i = 0; i < count; i++)
		thread[i] = thread_start(thread_main);
	for (int i = 0; i < count; i++)
		pthread_join(thread[i], NULL);
	free(thread);
}

void client_raw_launches(long count)
{
	for (long i = 0; i < count; i++)
		client_api.cuLaunchKernel(function[0], 1, 1, 1, 32, 1, 1, 0, CU_STREAM_LEGACY, NULL, NULL);
}

void client_work(void)
{
	setup();
	if (client_options.profiler)
		CALL(cuProfilerStart);
	if (client_options.threads)
		threads_run(client_options.threads);
	else if (!client_options.short_threads || client_options.launches)
		thread_work();
	for (int i = 0; i < client_options.short_threads; i++)
		pthread_join(thread_start(short_main), NULL);
	CALL(cuCtxSynchronize);
	if (client_options.profiler)
		CALL(cuProfilerStop);
	if (client_options.unload)
		CALL(cuModuleUnload, module);
}
