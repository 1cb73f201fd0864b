/*
 * kineto_calls.c - names of driver functions as the readers of the torch profiler's traces know them.
 *
 * They look for the functions of the CUDA runtime, which programs of torch call and which call the
 * driver's; vprof sees the latter. Where one stands for the other its slice has the runtime's
 * name, and the function that was called is an argument of it. Others keep their names.
 */
#include <string.h>
#include "tools/kineto.h"

/* By what the driver's name begins with; the first that fits. ASYNC: as the name ends. */
static const struct word {
	const char *driver, *runtime;
	int async;
} words[] = {
	{ "cuLaunchKernelEx", "cudaLaunchKernelExC" },
	{ "cuLaunchKernel", "cudaLaunchKernel" },
	{ "cuLaunchCooperativeKernel", "cudaLaunchCooperativeKernel" },
	{ "cuLaunchHostFunc", "cudaLaunchHostFunc" },
	{ "cuGraphLaunch", "cudaGraphLaunch" },
	{ "cuMemcpy2D", "cudaMemcpy2D", 1 },
	{ "cuMemcpy3D", "cudaMemcpy3D", 1 },
	{ "cuMemcpyPeer", "cudaMemcpyPeer", 1 },
	{ "cuMemcpyBatch", NULL },
	{ "cuMemcpy", "cudaMemcpy", 1 },
	{ "cuMemsetD2D", "cudaMemset2D", 1 },
	{ "cuMemsetD", "cudaMemset", 1 },
	{ "cuStreamSynchronize", "cudaStreamSynchronize" },
	{ "cuStreamWaitEvent", "cudaStreamWaitEvent" },
	{ "cuEventSynchronize", "cudaEventSynchronize" },
	{ "cuEventRecord", "cudaEventRecord" },
	{ "cuEventQuery", "cudaEventQuery" },
	{ "cuCtxSynchronize", "cudaDeviceSynchronize" },
	{ "cuMemAllocAsync", "cudaMallocAsync" },
	{ "cuMemFreeAsync", "cudaFreeAsync" },
	{ "cuMemAllocManaged", "cudaMallocManaged" },
	{ "cuMemAllocHost", "cudaMallocHost" },
	{ "cuMemHostAlloc", "cudaHostAlloc" },
	{ "cuMemFreeHost", "cudaFreeHost" },
	{ "cuMemAllocPitch", "cudaMallocPitch" },
	{ "cuMemAlloc", "cudaMalloc" },
	{ "cuMemFree", "cudaFree" },
	{ "cuStreamBeginCapture", "cudaStreamBeginCapture" },
	{ "cuStreamEndCapture", "cudaStreamEndCapture" },
	{ "cuGraphInstantiate", "cudaGraphInstantiate" },
};

/* The function without what tells its versions apart: _v2, _ptsz. */
static size_t bare_size(const char *name)
{
	return strcspn(name, "_");
}

static int ends_with(const char *name, size_t size, const char *end)
{
	size_t length = strlen(end);

	return size >= length && !strncmp(name + size - length, end, length);
}

/* Both names of a pair, so that no text has to be made. */
static const char *with_async(const char *runtime, int async)
{
	static const char *const pairs[][2] = {
		{ "cudaMemcpy", "cudaMemcpyAsync" }, { "cudaMemcpy2D", "cudaMemcpy2DAsync" },
		{ "cudaMemcpy3D", "cudaMemcpy3DAsync" }, { "cudaMemcpyPeer", "cudaMemcpyPeerAsync" },
		{ "cudaMemset", "cudaMemsetAsync" }, { "cudaMemset2D", "cudaMemset2DAsync" },
	};

	for (size_t i = 0; async && i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (!strcmp(pairs[i][0], runtime))
			return pairs[i][1];
	return runtime;
}

const char *kineto_call(const struct ring *ring, uint32_t call, const char *name, const char **category)
{
	size_t size = bare_size(name);

	(void)ring;
	(void)call;
	*category = "cuda_driver";
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strncmp(name, words[i].driver, strlen(words[i].driver)))
			continue;
		if (!words[i].runtime)
			return name;
		*category = "cuda_runtime";
		return with_async(words[i].runtime, words[i].async && ends_with(name, size, "Async"));
	}
	return name;
}
