/*
 * conformance_facts.c - what the driver says of devices and kernels, and when it may be asked.
 *
 * The questions are those of shim/facts.c and shim/objects.c.
 */
#include <string.h>

#include "tests/fakecuda/conformance.h"

static int device_is(CUdevice_attribute attribute, int least)
{
	int value = -1;

	check(CUDA_SUCCESS, cuDeviceGetAttribute(&value, attribute, 0));
	return value >= least;
}

static void devices(void)
{
	static const struct { CUdevice_attribute attribute; int least; } least[] = {
		{ CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 1 },
		{ CU_DEVICE_ATTRIBUTE_WARP_SIZE, 32 },
		{ CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 1024 },
		{ CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR, 1024 },
		{ CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR, 16 },
		{ CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR, 65536 },
		{ CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK, 32768 },
		{ CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR, 65536 },
		{ CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, 49152 },
		{ CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, 49152 },
		{ CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK, 0 },
		{ CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, 1 },
		{ CU_DEVICE_ATTRIBUTE_CLOCK_RATE, 0 },
		{ CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, 0 },
		{ CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH, 1 },
	};
	static const CUuuid none;
	CUuuid uuid = none;
	char name[256] = "";
	size_t bytes = 0;
	int too_small = 0;

	for (size_t i = 0; i < sizeof(least) / sizeof(least[0]); i++)
		too_small += !device_is(least[i].attribute, least[i].least);
	conf_ok(!too_small, "a device has its limits");
	check(CUDA_SUCCESS, cuDeviceGetName(name, sizeof(name), 0));
	check(CUDA_SUCCESS, cuDeviceGetUuid_v2(&uuid, 0));
	check(CUDA_SUCCESS, cuDeviceTotalMem_v2(&bytes, 0));
	conf_ok(name[0] && memcmp(&uuid, &none, sizeof(uuid)) && bytes, "its name, its UUID and its memory");
}

/* add_one takes an address and a number, and so do the others, which take one number more. */
static void functions(void)
{
	size_t offset = 99, size = 99;
	int registers = 0, threads = 0, shared = -1, binary = 0;

	conf_launch(t.add_one, t.stream, 0);
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	check(CUDA_SUCCESS, cuFuncGetAttribute(&registers, CU_FUNC_ATTRIBUTE_NUM_REGS, t.add_one));
	check(CUDA_SUCCESS, cuFuncGetAttribute(&threads, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, t.add_one));
	check(CUDA_SUCCESS, cuFuncGetAttribute(&shared, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, t.add_one));
	check(CUDA_SUCCESS, cuFuncGetAttribute(&binary, CU_FUNC_ATTRIBUTE_BINARY_VERSION, t.add_one));
	conf_ok(registers > 0 && registers < 256 && threads == 1024 && shared == 0 && binary >= 75,
		"what a small function needs");
	check(CUDA_SUCCESS, cuFuncGetParamInfo(t.add_one, 0, &offset, &size));
	conf_ok(offset == 0 && size == 8, "its first parameter");
	check(CUDA_SUCCESS, cuFuncGetParamInfo(t.add_one, 1, &offset, &size));
	conf_ok(offset == 8 && size == 4, "its second parameter");
	check(CUDA_ERROR_INVALID_VALUE, cuFuncGetParamInfo(t.add_one, 20, &offset, &size));
	check(CUDA_ERROR_INVALID_VALUE, cuFuncGetParamInfo(t.spin, 0, &offset, &size));
}

static void kernels(void)
{
	CUlibrary library = NULL;
	CUkernel kernel = NULL;
	const char *name;
	size_t offset = 99, size = 99;
	int registers = 0, of_function = 0;

	check(CUDA_SUCCESS, cuLibraryLoadData(&library, conformance_ptx, NULL, NULL, 0, NULL, NULL, 0));
	check(CUDA_SUCCESS, cuLibraryGetKernel(&kernel, library, "add_one"));
	conf_launch((CUfunction)(void *)kernel, t.stream, 0);
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	check(CUDA_SUCCESS, cuKernelGetAttribute(&registers, CU_FUNC_ATTRIBUTE_NUM_REGS, kernel, 0));
	check(CUDA_SUCCESS, cuFuncGetAttribute(&of_function, CU_FUNC_ATTRIBUTE_NUM_REGS, t.add_one));
	conf_ok(registers == of_function, "a kernel needs what its function does");
	check(CUDA_SUCCESS, cuKernelGetParamInfo(kernel, 1, &offset, &size));
	conf_ok(offset == 8 && size == 4, "a kernel's second parameter");
	check(CUDA_ERROR_INVALID_HANDLE, cuFuncGetName(&name, (CUfunction)(void *)kernel));
	check(CUDA_ERROR_INVALID_HANDLE, cuKernelGetName(&name, (CUkernel)(void *)t.add_one));
	check(CUDA_SUCCESS, cuLibraryUnload(library));
}

/* In relaxed mode all of it may be asked while this thread captures, and the capture goes on. */
static void while_capturing(void)
{
	CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED;
	CUcontext before = NULL, after = NULL, of_stream = NULL;
	CUstream stream = NULL;
	CUgraph graph = NULL;
	CUuuid uuid;
	CUdevice device = -1;
	size_t offset, size;
	int value, priority = 1;

	check(CUDA_SUCCESS, cuCtxGetCurrent(&before));
	check(CUDA_SUCCESS, cuStreamBeginCapture_v2(t.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
	check(CUDA_SUCCESS, cuThreadExchangeStreamCaptureMode(&mode));
	check(CUDA_SUCCESS, cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_NUM_REGS, t.add_one));
	check(CUDA_SUCCESS, cuFuncGetParamInfo(t.add_one, 0, &offset, &size));
	check(CUDA_SUCCESS, cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_WARP_SIZE, 0));
	check(CUDA_SUCCESS, cuDeviceGetUuid_v2(&uuid, 0));
	check(CUDA_SUCCESS, cuDeviceTotalMem_v2(&size, 0));
	check(CUDA_SUCCESS, cuCtxGetDevice(&device));
	check(CUDA_SUCCESS, cuStreamCreateWithPriority(&stream, CU_STREAM_NON_BLOCKING, -100));
	check(CUDA_SUCCESS, cuStreamGetCtx(stream, &of_stream));
	check(CUDA_SUCCESS, cuStreamGetPriority(stream, &priority));
	check(CUDA_SUCCESS, cuThreadExchangeStreamCaptureMode(&mode));
	conf_ok(mode == CU_STREAM_CAPTURE_MODE_RELAXED, "the mode was ours in between");
	need(cuStreamEndCapture(t.stream, &graph));
	check(CUDA_SUCCESS, cuCtxGetCurrent(&after));
	conf_ok(graph && before == after && device == 0, "a capture outlives all questions, and so does the context");
	conf_ok(of_stream == before && priority <= 0 && priority > -100, "a stream's context, and a priority in range");
	check(CUDA_SUCCESS, cuGraphDestroy(graph));
	check(CUDA_SUCCESS, cuStreamDestroy_v2(stream));
}

void conf_facts(void)
{
	devices();
	functions();
	kernels();
	while_capturing();
}
