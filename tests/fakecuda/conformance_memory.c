/*
 * conformance_memory.c - modules, launches, memory, copies and fills.
 */
#include <string.h>

#include "tests/fakecuda/conformance.h"

void conf_module(void)
{
	CUlibrary library = NULL;
	CUkernel kernel = NULL;
	CUfunction f = NULL;
	CUmodule owner = NULL;
	const char *name = "";

	check(CUDA_ERROR_INVALID_VALUE, cuModuleLoadData(NULL, conformance_ptx));
	check(CUDA_SUCCESS, cuModuleLoadData(&t.module, conformance_ptx));
	check(CUDA_SUCCESS, cuModuleGetFunction(&t.add_one, t.module, "add_one"));
	check(CUDA_SUCCESS, cuModuleGetFunction(&t.double_it, t.module, "double_it"));
	check(CUDA_SUCCESS, cuModuleGetFunction(&t.set_all, t.module, "set_all"));
	check(CUDA_SUCCESS, cuModuleGetFunction(&t.spin, t.module, "spin_20ms"));
	check(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(&f, t.module, "no_such_kernel"));
	check(CUDA_SUCCESS, cuFuncGetName(&name, t.add_one));
	conf_ok(!strcmp(name, "add_one"), "a function tells its name");
	check(CUDA_SUCCESS, cuFuncGetModule(&owner, t.add_one));
	conf_ok(owner == t.module, "and its module");
	check(CUDA_SUCCESS, cuLibraryLoadData(&library, conformance_ptx, NULL, NULL, 0, NULL, NULL, 0));
	check(CUDA_SUCCESS, cuLibraryGetKernel(&kernel, library, "double_it"));
	check(CUDA_ERROR_NOT_FOUND, cuLibraryGetKernel(&kernel, library, "no_such_kernel"));
	check(CUDA_SUCCESS, cuKernelGetName(&name, kernel));
	conf_ok(!strcmp(name, "double_it"), "a kernel tells its name");
	check(CUDA_SUCCESS, cuKernelGetFunction(&f, kernel));
	check(CUDA_SUCCESS, cuFuncGetName(&name, f));
	conf_ok(!strcmp(name, "double_it"), "and its function too");
	check(CUDA_SUCCESS, cuLibraryUnload(library));
}

static void vmm(void)
{
	const size_t size = (size_t)2 << 20;
	CUmemAllocationProp prop = { .type = CU_MEM_ALLOCATION_TYPE_PINNED,
		.location = { CU_MEM_LOCATION_TYPE_DEVICE, 0 } };
	CUmemAccessDesc access = { { CU_MEM_LOCATION_TYPE_DEVICE, 0 },
		CU_MEM_ACCESS_FLAGS_PROT_READWRITE };
	CUmemGenericAllocationHandle handle = 0;
	CUdeviceptr a = 0, b = 0;
	unsigned char byte = 0;

	check(CUDA_SUCCESS, cuMemAddressReserve(&a, size, 0, 0, 0));
	check(CUDA_SUCCESS, cuMemAddressReserve(&b, size, 0, 0, 0));
	check(CUDA_SUCCESS, cuMemCreate(&handle, size, &prop, 0));
	check(CUDA_ERROR_INVALID_VALUE, cuMemCreate(&handle, size + 1, &prop, 0));
	check(CUDA_SUCCESS, cuMemMap(a, size, 0, handle, 0));
	check(CUDA_SUCCESS, cuMemMap(b, size, 0, handle, 0));
	check(CUDA_SUCCESS, cuMemSetAccess(a, size, &access, 1));
	check(CUDA_SUCCESS, cuMemSetAccess(b, size, &access, 1));
	check(CUDA_SUCCESS, cuMemRelease(handle));
	check(CUDA_SUCCESS, cuMemsetD8_v2(a, 0x5a, size));
	check(CUDA_SUCCESS, cuMemcpyDtoH_v2(&byte, b + size - 1, 1));
	conf_ok(byte == 0x5a, "two mappings of one memory alias");
	check(CUDA_SUCCESS, cuMemUnmap(a, size));
	check(CUDA_SUCCESS, cuMemUnmap(b, size));
	check(CUDA_SUCCESS, cuMemAddressFree(a, size));
	check(CUDA_SUCCESS, cuMemAddressFree(b, size));
}

void conf_memory(void)
{
	static _Alignas(4096) char page[8192];
	size_t free_bytes = 0, total = 0, size = 0;
	CUdeviceptr base = 0, other = 0;
	void *host = NULL;

	check(CUDA_ERROR_INVALID_VALUE, cuMemAlloc_v2(NULL, 4));
	check(CUDA_ERROR_INVALID_VALUE, cuMemAlloc_v2(&base, 0));
	check(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&base, (size_t)1 << 45));
	check(CUDA_SUCCESS, cuMemAlloc_v2(&t.data, CONF_INTS * sizeof(int)));
	check(CUDA_SUCCESS, cuMemGetAddressRange_v2(&base, &size, t.data + 100));
	conf_ok(base == t.data && size >= CONF_INTS * sizeof(int), "an address leads to its allocation");
	check(CUDA_SUCCESS, cuMemGetInfo_v2(&free_bytes, &total));
	conf_ok(free_bytes < total, "some memory is in use");
	check(CUDA_ERROR_INVALID_VALUE, cuMemFree_v2(t.data + 4));
	check(CUDA_SUCCESS, cuMemFree_v2(0));
	check(CUDA_SUCCESS, cuMemAllocHost_v2(&host, 4096));
	check(CUDA_SUCCESS, cuMemFreeHost(host));
	check(CUDA_SUCCESS, cuMemAllocManaged(&other, 4096, CU_MEM_ATTACH_GLOBAL));
	check(CUDA_SUCCESS, cuMemFree_v2(other));
	check(CUDA_SUCCESS, cuMemAllocAsync(&other, 4096, NULL));
	check(CUDA_SUCCESS, cuMemFreeAsync(other, NULL));
	check(CUDA_SUCCESS, cuMemHostRegister_v2(page, sizeof(page), 0));
	check(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, cuMemHostRegister_v2(page, sizeof(page), 0));
	check(CUDA_SUCCESS, cuMemHostUnregister(page));
	check(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, cuMemHostUnregister(page));
	vmm();
}

static void copy_blocks(void)
{
	unsigned char from[64], to[64] = { 0 };
	CUDA_MEMCPY2D_v2 in = {
		.srcMemoryType = CU_MEMORYTYPE_HOST, .srcHost = from, .srcPitch = 8,
		.dstMemoryType = CU_MEMORYTYPE_DEVICE, .dstDevice = t.data, .dstPitch = 64,
		.WidthInBytes = 8, .Height = 8,
	};
	CUDA_MEMCPY3D_v2 out = {
		.srcMemoryType = CU_MEMORYTYPE_DEVICE, .srcDevice = t.data, .srcPitch = 64, .srcHeight = 4,
		.dstMemoryType = CU_MEMORYTYPE_HOST, .dstHost = to, .dstPitch = 8, .dstHeight = 4,
		.WidthInBytes = 8, .Height = 4, .Depth = 2,
	};

	for (int i = 0; i < 64; i++)
		from[i] = (unsigned char)i;
	check(CUDA_SUCCESS, cuMemcpy2D_v2(&in));
	check(CUDA_SUCCESS, cuMemcpy3DAsync_v2(&out, t.stream));
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	conf_ok(!memcmp(from, to, 64), "a block copied in by rows comes out by slices");
	in.dstPitch = 4;
	check(CUDA_ERROR_INVALID_VALUE, cuMemcpy2D_v2(&in));
}

static void fills(void)
{
	unsigned char bytes[64] = { 0 };

	check(CUDA_SUCCESS, cuMemsetD8_v2(t.data, 0, 64));
	check(CUDA_SUCCESS, cuMemsetD16_v2(t.data + 2, 0x0102, 2));
	check(CUDA_ERROR_INVALID_VALUE, cuMemsetD16_v2(t.data + 1, 0x0102, 2));
	check(CUDA_SUCCESS, cuMemsetD2D8_v2(t.data + 32, 16, 7, 3, 2));
	check(CUDA_SUCCESS, cuMemcpyDtoH_v2(bytes, t.data, 64));
	conf_ok(bytes[1] == 0 && bytes[2] == 2 && bytes[3] == 1 && bytes[5] == 1 && bytes[6] == 0,
		"two 16-bit values are where they should be");
	conf_ok(bytes[34] == 7 && bytes[35] == 0 && bytes[48] == 7 && bytes[50] == 7 && bytes[51] == 0,
		"and two rows of bytes");
	check(CUDA_SUCCESS, cuMemsetD32Async(t.data, 11, CONF_INTS, t.stream));
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	check_data("a fill fills everything", 11);
}

void conf_copy(void)
{
	int from[CONF_INTS], to[CONF_INTS] = { 0 };
	CUdeviceptr copy = 0;

	check(CUDA_SUCCESS, cuStreamCreate(&t.stream, CU_STREAM_NON_BLOCKING));
	for (int i = 0; i < CONF_INTS; i++)
		from[i] = i * 3;
	check(CUDA_SUCCESS, cuMemAlloc_v2(&copy, sizeof(from)));
	check(CUDA_SUCCESS, cuMemcpyHtoD_v2(t.data, from, sizeof(from)));
	check(CUDA_SUCCESS, cuMemcpyDtoD_v2(copy, t.data, sizeof(from)));
	check(CUDA_SUCCESS, cuMemcpyDtoHAsync_v2(to, copy, sizeof(to), t.stream));
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	conf_ok(!memcmp(from, to, sizeof(from)), "what goes in comes out");
	check(CUDA_SUCCESS, cuMemcpyHtoDAsync_v2(t.data, to + 1, sizeof(int), t.stream));
	check(CUDA_SUCCESS, cuMemcpyDtoDAsync_v2(copy, t.data, sizeof(int), t.stream));
	check(CUDA_SUCCESS, cuMemcpyAsync((CUdeviceptr)(uintptr_t)to, copy, sizeof(int), t.stream));
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	conf_ok(to[0] == 3, "copies of one stream happen in order");
	check(CUDA_SUCCESS, cuMemcpy(copy, t.data, sizeof(from)));
	check(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(0, from, sizeof(from)));
	check(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(t.data, NULL, sizeof(from)));
	check(CUDA_SUCCESS, cuMemcpyHtoD_v2(t.data, from, 0));
	check(CUDA_SUCCESS, cuMemFree_v2(copy));
	copy_blocks();
	fills();
}
