/*
 * conformance_stream.c - launches, streams, events.
 */
#include <pthread.h>

#include "tests/fakecuda/conformance.h"

static int called; /* by the host functions, in stream order */

static void host_add(void *user)
{
	called = called * 10 + (int)(intptr_t)user;
}

static void launches(void)
{
	int n = CONF_INTS, value = 5;
	struct { CUdeviceptr p; int n, value; } packed = { t.data, CONF_INTS, 9 };
	size_t size = sizeof(packed);
	void *params[] = { &t.data, &n, &value };
	void *extra[] = { CU_LAUNCH_PARAM_BUFFER_POINTER, &packed, CU_LAUNCH_PARAM_BUFFER_SIZE, &size,
		CU_LAUNCH_PARAM_END };
	CUlaunchConfig config = { CONF_INTS / 128, 1, 1, 128, 1, 1, 0, t.stream, NULL, 0 };

	check(CUDA_SUCCESS, cuLaunchKernelEx(&config, t.set_all, params, NULL));
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	check_data("a kernel gets its parameters", 5);
	check(CUDA_SUCCESS, cuLaunchKernelEx(&config, t.set_all, NULL, extra));
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	check_data("and in one packed buffer", 9);
	for (int i = 0; i < 20; i++)
		conf_launch(t.add_one, t.stream, 0);
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	check_data("twenty launches add twenty", 29);
	check(CUDA_ERROR_INVALID_VALUE,
		cuLaunchKernel(t.add_one, 0, 1, 1, 1, 1, 1, 0, t.stream, params, NULL));
	check(CUDA_ERROR_INVALID_VALUE,
		cuLaunchKernel(t.add_one, 1, 1, 1, 2048, 1, 1, 0, t.stream, params, NULL));
	check(CUDA_ERROR_INVALID_HANDLE,
		cuLaunchKernel(NULL, 1, 1, 1, 1, 1, 1, 0, t.stream, params, NULL));
	called = 0;
	check(CUDA_SUCCESS, cuLaunchHostFunc(t.stream, host_add, (void *)1));
	check(CUDA_SUCCESS, cuLaunchHostFunc(t.stream, host_add, (void *)2));
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	conf_ok(called == 12, "host functions run in order");
}

static CUresult spin(CUstream stream)
{
	return cu.cuLaunchKernel(t.spin, 1, 1, 1, 1, 1, 1, 0, stream, NULL, NULL);
}

static void asynchrony(void)
{
	CUstream other = NULL, blocking = NULL;
	CUevent start = NULL, end = NULL, untimed = NULL;
	float ms = 0;
	int priority = 1;

	check(CUDA_ERROR_INVALID_VALUE, cuStreamCreate(NULL, 0));
	check(CUDA_SUCCESS, cuStreamCreateWithPriority(&other, CU_STREAM_NON_BLOCKING, -1));
	check(CUDA_SUCCESS, cuStreamGetPriority(other, &priority));
	conf_ok(priority == -1, "a stream keeps its priority");
	check(CUDA_SUCCESS, cuStreamCreate(&blocking, CU_STREAM_DEFAULT));
	check(CUDA_SUCCESS, cuEventCreate(&start, CU_EVENT_DEFAULT));
	check(CUDA_SUCCESS, cuEventCreate(&end, CU_EVENT_DEFAULT));
	check(CUDA_SUCCESS, cuEventCreate(&untimed, CU_EVENT_DISABLE_TIMING));
	check(CUDA_SUCCESS, cuEventQuery(end)); /* never recorded */
	check(CUDA_SUCCESS, cuMemsetD32Async(t.data, 3, CONF_INTS, t.stream));
	conf_hold(t.stream);
	check(CUDA_SUCCESS, cuEventRecord(start, t.stream));
	check_result("a kernel that takes 20 ms", spin(t.stream), CUDA_SUCCESS);
	check_result("then one that adds", conf_launch(t.add_one, t.stream, 0), CUDA_SUCCESS);
	check(CUDA_SUCCESS, cuEventRecord(end, t.stream));
	check(CUDA_ERROR_NOT_READY, cuStreamQuery(t.stream));
	check(CUDA_ERROR_NOT_READY, cuEventQuery(end));
	check(CUDA_ERROR_NOT_READY, cuEventElapsedTime(&ms, start, end));
	check(CUDA_SUCCESS, cuStreamQuery(other));
	check(CUDA_SUCCESS, cuStreamWaitEvent(other, end, 0));
	check_result("one that doubles, on another stream", conf_launch(t.double_it, other, 0), CUDA_SUCCESS);
	check(CUDA_ERROR_NOT_READY, cuStreamQuery(other));
	conf_let_go();
	check(CUDA_SUCCESS, cuEventSynchronize(end));
	check(CUDA_SUCCESS, cuStreamSynchronize(other));
	check_data("a stream that waits for an event comes after it", 8);
	check(CUDA_SUCCESS, cuEventElapsedTime(&ms, start, end));
	conf_ok(ms >= 19.9 && ms < 200, "the events are the kernel's time apart");
	check(CUDA_SUCCESS, cuEventRecord(untimed, t.stream));
	check(CUDA_ERROR_INVALID_HANDLE, cuEventElapsedTime(&ms, start, untimed));
	conf_hold(blocking);
	check_result("20 ms on a blocking stream", spin(blocking), CUDA_SUCCESS);
	check(CUDA_SUCCESS, cuStreamQuery(other));
	check_result("then the legacy stream", conf_launch(t.add_one, CU_STREAM_LEGACY, 0), CUDA_SUCCESS);
	check(CUDA_ERROR_NOT_READY, cuStreamQuery(CU_STREAM_LEGACY));
	conf_let_go();
	check(CUDA_SUCCESS, cuStreamSynchronize(CU_STREAM_LEGACY));
	check(CUDA_SUCCESS, cuStreamQuery(blocking));
	check_result("20 ms, then the stream is destroyed", spin(blocking), CUDA_SUCCESS);
	check(CUDA_SUCCESS, cuStreamDestroy_v2(blocking));
	check(CUDA_SUCCESS, cuStreamDestroy_v2(other));
	check(CUDA_SUCCESS, cuCtxSynchronize());
	check(CUDA_SUCCESS, cuEventDestroy_v2(start));
	check(CUDA_SUCCESS, cuEventDestroy_v2(end));
	check(CUDA_SUCCESS, cuEventDestroy_v2(untimed));
}

void conf_stream(void)
{
	launches();
	asynchrony();
}
