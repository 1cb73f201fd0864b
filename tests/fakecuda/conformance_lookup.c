/*
 * conformance_lookup.c - cuGetProcAddress, and the driver's first calls.
 */
#include <stdio.h>
#include <string.h>

#include "tests/fakecuda/conformance.h"

/* What names mean by version and flags: the exported symbol, or none. */
static const struct {
	const char *base;
	int version;
	uint64_t flags;
	const char *symbol;
} meanings[] = {
	{ "cuMemAlloc", 2000, 0, "cuMemAlloc" },
	{ "cuMemAlloc", 3010, 0, "cuMemAlloc" },
	{ "cuMemAlloc", 3020, 0, "cuMemAlloc_v2" },
	{ "cuMemAlloc", 13000, 0, "cuMemAlloc_v2" },
	{ "cuMemAlloc", 13000, 2, "cuMemAlloc_v2" },
	{ "cuMemcpyHtoD", 3020, 0, "cuMemcpyHtoD_v2" },
	{ "cuMemcpyHtoD", 12000, 1, "cuMemcpyHtoD_v2" },
	{ "cuMemcpyHtoD", 12000, 2, "cuMemcpyHtoD_v2_ptds" },
	{ "cuLaunchKernel", 12000, 0, "cuLaunchKernel" },
	{ "cuLaunchKernel", 12000, 2, "cuLaunchKernel_ptsz" },
	{ "cuLaunchKernelEx", 11060, 2, "cuLaunchKernelEx_ptsz" },
	{ "cuGraphLaunch", 10000, 2, "cuGraphLaunch_ptsz" },
	{ "cuGraphInstantiate", 10000, 0, "cuGraphInstantiate" },
	{ "cuGraphInstantiate", 11000, 0, "cuGraphInstantiate_v2" },
	{ "cuStreamBeginCapture", 10000, 0, "cuStreamBeginCapture" },
	{ "cuStreamBeginCapture", 10010, 2, "cuStreamBeginCapture_v2_ptsz" },
	{ "cuGetProcAddress", 11030, 0, "cuGetProcAddress" },
	{ "cuGetProcAddress", 12000, 0, "cuGetProcAddress_v2" },
	{ "cuGraphExecUpdate", 12000, 0, "cuGraphExecUpdate_v2" },
	{ "cuMemcpyBatchAsync", 12080, 0, "cuMemcpyBatchAsync" },
	{ "cuMemcpyBatchAsync", 13000, 0, "cuMemcpyBatchAsync_v2" },
};

/* Refusals: the result, and the status that comes with it. */
static const struct {
	const char *base;
	int version;
	uint64_t flags;
	CUresult result;
	int status;
	CUresult old;   /* of the first version of cuGetProcAddress */
	bool cleared;   /* the address is stored, as NULL */
} refusals[] = {
	{ "cuNoSuchThing", 13000, 0, 0, CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND,
	  CUDA_ERROR_NOT_FOUND, true },
	{ "", 13000, 0, 0, CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND, CUDA_ERROR_NOT_FOUND, true },
	{ "", 0, 0, 0, CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND, CUDA_ERROR_NOT_FOUND, true },
	{ "cuMemAlloc_v2", 13000, 0, 0, CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND,
	  CUDA_ERROR_NOT_FOUND, true },
	{ "cuLaunchKernelEx", 11000, 0, 0, CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT,
	  CUDA_ERROR_NOT_FOUND, true },
	{ "cuLaunchKernel", 13000, 4, CUDA_ERROR_INVALID_VALUE, -1, CUDA_ERROR_INVALID_VALUE, false },
};

void conf_lookup(void)
{
	void *address, *other;
	int status;

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		const char *base = meanings[i].base, *want = meanings[i].symbol;
		CUresult result;

		address = NULL;
		status = -1;
		result = cu.gpa2(base, &address, meanings[i].version, meanings[i].flags, &status);
		conf_ok(!result && !status && address && address == cu.symbol(want),
			"%s of %d, flags %d, is %s", base, meanings[i].version, (int)meanings[i].flags, want);
	}
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const char *base = refusals[i].base;
		CUresult result, blind, old;

		address = (void *)1;
		status = -1;
		result = cu.gpa2(base, &address, refusals[i].version, refusals[i].flags, &status);
		if (!conf_ok(result == refusals[i].result && status == refusals[i].status &&
			(address == NULL) == refusals[i].cleared,
			"\"%s\" of %d, flags %d: %d, status %d", base, refusals[i].version,
			(int)refusals[i].flags, refusals[i].result, refusals[i].status))
			printf("# got %d, status %d, %p\n", result, status, address);
		blind = cu.gpa2(base, &address, refusals[i].version, refusals[i].flags, NULL);
		old = cu.gpa1(base, &other, refusals[i].version, refusals[i].flags);
		if (!conf_ok(blind == refusals[i].result && old == refusals[i].old,
			"the same without a status; %d from the first version", refusals[i].old))
			printf("# got %d and %d\n", blind, old);
	}
	address = other = NULL;
	conf_ok(!cu.gpa2("cuLaunchKernel", &address, 12000, 3, NULL) &&
		!cu.gpa2("cuLaunchKernel", &other, 12000, 2, NULL) && address == other,
		"both flags at once mean the per-thread form");
	address = other = NULL;
	conf_ok(!cu.gpa2("cuCtxSynchronize", &address, 12000, 0, NULL) && address, "the status may be NULL");
	conf_ok(!cu.gpa1("cuCtxSynchronize", &other, 12000, 0) && other == address,
		"the first version of cuGetProcAddress answers the same");
	conf_ok(!cu.gpa2("cuGraphInstantiate", &address, 12000, 0, NULL) && address &&
		address != cu.symbol("cuGraphInstantiateWithFlags"),
		"cuGraphInstantiate of 12000 is not an exported symbol");
}

void conf_before_init(void)
{
	int n = 0;
	CUcontext ctx;
	const char *name = NULL;

	check(CUDA_ERROR_NOT_INITIALIZED, cuDeviceGetCount(&n));
	check(CUDA_ERROR_NOT_INITIALIZED, cuCtxGetCurrent(&ctx));
	check(CUDA_SUCCESS, cuDriverGetVersion(&n));
	conf_ok(n >= 13000, "the driver is of CUDA 13 or later");
	check(CUDA_SUCCESS, cuGetErrorName(700, &name));
	conf_ok(name && !strcmp(name, "CUDA_ERROR_ILLEGAL_ADDRESS"), "error 700 has its name");
	check(CUDA_ERROR_INVALID_VALUE, cuInit(1));
	check(CUDA_SUCCESS, cuInit(0));
	check(CUDA_SUCCESS, cuInit(0));
	check(CUDA_ERROR_INVALID_VALUE, cuDeviceGetCount(NULL));
	check(CUDA_ERROR_INVALID_DEVICE, cuDeviceGet(&n, 1000));
	check(CUDA_SUCCESS, cuDeviceGet(&n, 0));
	check(CUDA_SUCCESS, cuDeviceGetAttribute(&n, CU_DEVICE_ATTRIBUTE_WARP_SIZE, 0));
	conf_ok(n == 32, "a warp has 32 threads");
}

void conf_context(void)
{
	CUcontext own = NULL, current = NULL;

	check(CUDA_ERROR_INVALID_CONTEXT, cuCtxSynchronize());
	check(CUDA_ERROR_INVALID_CONTEXT, cuStreamCreate(&t.stream, 0));
	check(CUDA_SUCCESS, cuCtxGetCurrent(&current));
	conf_ok(!current, "no context is current");
	check(CUDA_ERROR_INVALID_DEVICE, cuDevicePrimaryCtxRetain(&t.ctx, 1000));
	check(CUDA_SUCCESS, cuDevicePrimaryCtxRetain(&t.ctx, 0));
	check(CUDA_SUCCESS, cuCtxSetCurrent(t.ctx));
	check(CUDA_SUCCESS, cuCtxCreate_v2(&own, 0, 0));
	check(CUDA_SUCCESS, cuCtxGetCurrent(&current));
	conf_ok(current == own && own != t.ctx, "a new context is current");
	check(CUDA_SUCCESS, cuCtxPopCurrent_v2(&current));
	conf_ok(current == own, "and popped");
	check(CUDA_SUCCESS, cuCtxGetCurrent(&current));
	conf_ok(current == t.ctx, "the one before is current again");
	check(CUDA_SUCCESS, cuCtxPushCurrent_v2(own));
	check(CUDA_SUCCESS, cuCtxDestroy_v2(own));
	check(CUDA_SUCCESS, cuCtxGetCurrent(&current));
	conf_ok(current == t.ctx, "destroying the current context pops it");
	check(CUDA_SUCCESS, cuCtxSynchronize());
}

void conf_end(void)
{
	check(CUDA_SUCCESS, cuMemFree_v2(t.data));
	check(CUDA_SUCCESS, cuStreamDestroy_v2(t.stream));
	check(CUDA_SUCCESS, cuModuleUnload(t.module));
	check(CUDA_SUCCESS, cuCtxSynchronize());
	check(CUDA_SUCCESS, cuDevicePrimaryCtxRelease_v2(0));
}
