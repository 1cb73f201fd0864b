/*
 * function.c - what the driver tells of a function and of a kernel, which is one in a library.
 *
 * Most calls take a kernel in a function's place. Of parameters and attributes the driver tells by functions
 * that do not.
 */
#include "tests/fakecuda/fake.h"

CUfunction fk_function_of(const void *handle)
{
	if (fk_is(handle, FK_KERNEL))
		return ((const struct CUkern_st *)handle)->function;
	return fk_is(handle, FK_FUNC) ? (CUfunction)handle : NULL;
}

/* As FK_FACT(), of a function or of a kernel in its place. */
#define FUNC_FACT(handle, out, value) \
	(!(out) ? CUDA_ERROR_INVALID_VALUE : !fk_function_of(handle) ? CUDA_ERROR_INVALID_HANDLE : \
	 (*(out) = (value), CUDA_SUCCESS))

static CUresult param_info(CUfunction function, size_t index, size_t *offset, size_t *size)
{
	if (!function)
		return CUDA_ERROR_INVALID_HANDLE;
	if (!offset || index >= (size_t)function->layout.count)
		return CUDA_ERROR_INVALID_VALUE;
	*offset = function->layout.offset[index];
	if (size)
		*size = function->layout.size[index];
	return CUDA_SUCCESS;
}

static CUfunction function_only(const void *handle)
{
	return fk_is(handle, FK_FUNC) ? (CUfunction)handle : NULL;
}

static CUfunction function_of_kernel(const void *handle)
{
	return fk_is(handle, FK_KERNEL) ? fk_function_of(handle) : NULL;
}

/* A question about what was compiled loads the function. */
static CUresult attribute(int *out, int which, CUfunction function)
{
	const int values[] = {
		[CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK] = 1024,
		[CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES] = function ? function->shared : 0,
		[CU_FUNC_ATTRIBUTE_NUM_REGS] = function ? function->registers : 0,
		[CU_FUNC_ATTRIBUTE_PTX_VERSION] = fk_config.sm,
		[CU_FUNC_ATTRIBUTE_BINARY_VERSION] = fk_config.sm,
		[CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES] = 49152 - (function ? function->shared : 0),
	};

	if (!out || which < 0)
		return CUDA_ERROR_INVALID_VALUE;
	if (!function)
		return CUDA_ERROR_INVALID_HANDLE;
	function->loaded = true;
	*out = (size_t)which < FK_COUNT(values) ? values[which] : 0;
	return CUDA_SUCCESS;
}

static CUresult function_load(CUfunction function)
{
	if (!function)
		return CUDA_ERROR_INVALID_HANDLE;
	function->loaded = true;
	return CUDA_SUCCESS;
}

FK_API(FK_CTX, cuKernelGetFunction, (CUfunction *out, CUkernel kernel),
	FK_FACT(kernel, FK_KERNEL, out, kernel->function))
FK_API(FK_INIT, cuKernelGetLibrary, (CUlibrary *out, CUkernel kernel),
	FK_FACT(kernel, FK_KERNEL, out, kernel->library))
FK_API(FK_INIT, cuKernelGetName, (const char **out, CUkernel kernel),
	FK_FACT(kernel, FK_KERNEL, out, kernel->function->name))
FK_API(FK_INIT, cuFuncGetName, (const char **out, CUfunction function),
	FK_FACT(function, FK_FUNC, out, function->name))
FK_API(FK_CTX, cuFuncGetModule, (CUmodule *out, CUfunction function),
	FUNC_FACT(function, out, fk_function_of(function)->module))
FK_API(FK_CTX, cuFuncGetAttribute, (int *out, int which, CUfunction function),
	attribute(out, which, function_only(function)))
FK_API(FK_CTX, cuKernelGetAttribute, (int *out, int which, CUkernel kernel, CUdevice device),
	device < 0 || device >= fk_config.devices ? CUDA_ERROR_INVALID_DEVICE :
	attribute(out, which, function_of_kernel(kernel)))
FK_API(FK_CTX, cuFuncSetAttribute, (CUfunction function, int attribute, int value),
	(void)attribute, (void)value,
	fk_function_of(function) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE)
FK_API(FK_CTX, cuFuncSetCacheConfig, (CUfunction function, int config),
	(void)config, fk_function_of(function) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE)
FK_API(FK_CTX, cuFuncLoad, (CUfunction function), function_load(fk_function_of(function)))
FK_API(FK_CTX, cuFuncIsLoaded, (int *out, CUfunction function),
	FUNC_FACT(function, out, fk_function_of(function)->loaded))
FK_API(FK_INIT, cuFuncGetParamInfo,
	(CUfunction function, size_t index, size_t *offset, size_t *size),
	param_info(function_only(function), index, offset, size))
FK_API(FK_INIT, cuKernelGetParamInfo,
	(CUkernel kernel, size_t index, size_t *offset, size_t *size),
	param_info(function_of_kernel(kernel), index, offset, size))
