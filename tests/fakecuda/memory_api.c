/*
 * memory_api.c - cuMemAlloc*, cuMemFree*, host memory, pools, pointer queries.
 *
 * The forms without _v2 take 32-bit device pointers: they get memory below
 * 4 GiB, where the machine can give it.
 */
#include <string.h>

#include "tests/fakecuda/fake.h"

static CUresult alloc_low(CUdeviceptr_v1 *out, unsigned int size)
{
	CUdeviceptr address;
	CUresult result = out ? fk_memory_alloc(&address, size, FK_DEVICE_MEMORY, true) :
		CUDA_ERROR_INVALID_VALUE;

	if (!result)
		*out = (CUdeviceptr_v1)address;
	return result;
}

static CUresult alloc_pitch(CUdeviceptr *out, size_t *pitch, size_t width, size_t height)
{
	if (!pitch || !width || !height)
		return CUDA_ERROR_INVALID_VALUE;
	*pitch = (width + 511) / 512 * 512;
	return fk_memory_alloc(out, *pitch * height, FK_DEVICE_MEMORY, false);
}

static CUresult alloc_host(void **out, size_t size)
{
	CUdeviceptr address;
	CUresult result = out ? fk_memory_alloc(&address, size, FK_HOST_MEMORY, false) :
		CUDA_ERROR_INVALID_VALUE;

	if (!result)
		*out = (void *)(uintptr_t)address;
	return result;
}

static CUresult free_checked(CUdeviceptr address, enum fk_memory_kind kind)
{
	fk_ctx_wait(fk_ctx()); /* as the real one does */
	return fk_memory_free(address, kind);
}

/*
 * In stream order: the memory is there at once, and gone when the stream gets
 * there. Captured, the two become nodes; the address of such memory is fixed, and the
 * memory itself stays for good here, however often the graph runs.
 */
static CUresult alloc_captured(CUdeviceptr *out, size_t size, CUstream stream)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_MEM_ALLOC };
	CUresult result = fk_memory_alloc_pool(out, size);

	return result ? result : fk_submit(stream, &work);
}

static CUresult alloc_async(CUdeviceptr *out, size_t size, CUstream stream)
{
	if (!stream)
		return CUDA_ERROR_INVALID_HANDLE;
	if (stream->capture)
		return alloc_captured(out, size, stream);
	if (fk_capture_forbids())
		return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	return fk_memory_alloc_pool(out, size);
}

static CUresult free_async(CUdeviceptr address, CUstream stream)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_MEM_FREE, .address = address };
	struct fk_range range;

	if (!stream)
		return CUDA_ERROR_INVALID_HANDLE;
	if (!stream->capture && fk_capture_forbids())
		return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	if (!fk_memory_find(address, 1, &range) || range.base != address || range.kind != FK_DEVICE_MEMORY)
		return CUDA_ERROR_INVALID_VALUE;
	if (stream->capture)
		work.address = 0;
	return fk_submit(stream, &work);
}

static CUresult host_register(void *p, size_t size)
{
	struct fk_range range = {
		.base = (CUdeviceptr)(uintptr_t)p, .size = size, .kind = FK_REGISTERED, .ctx = fk_ctx(),
	}, old;

	if (!p || !size)
		return CUDA_ERROR_INVALID_VALUE;
	if (fk_memory_find(range.base, 1, &old) && range.base < old.base + old.size)
		return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
	if (!fk_host_pinnable(p, size))
		return CUDA_ERROR_INVALID_VALUE;
	return fk_memory_add(&range);
}

static CUresult host_unregister(void *p)
{
	struct fk_range range;

	if (fk_memory_remove((CUdeviceptr)(uintptr_t)p, FK_REGISTERED, &range))
		return CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
	return CUDA_SUCCESS;
}

static CUresult host_pointer(CUdeviceptr *out, void *p)
{
	struct fk_range range;

	if (!out || !fk_memory_find((CUdeviceptr)(uintptr_t)p, 1, &range))
		return CUDA_ERROR_INVALID_VALUE;
	*out = (CUdeviceptr)(uintptr_t)p;
	return CUDA_SUCCESS;
}

static CUresult address_range(CUdeviceptr *base, size_t *size, CUdeviceptr address)
{
	struct fk_range range;

	if (!fk_memory_find(address, 1, &range))
		return CUDA_ERROR_NOT_FOUND;
	if (base)
		*base = range.base;
	if (size)
		*size = range.size;
	return CUDA_SUCCESS;
}

static CUresult pointer_attribute(void *out, int attribute, CUdeviceptr address)
{
	enum { ATTRIBUTE_CONTEXT = 1, ATTRIBUTE_MEMORY_TYPE = 2, ATTRIBUTE_DEVICE_POINTER = 3,
		ATTRIBUTE_HOST_POINTER = 4, ATTRIBUTE_DEVICE_ORDINAL = 9 };
	struct fk_range range;

	if (!out || !fk_memory_find(address, 1, &range))
		return CUDA_ERROR_INVALID_VALUE;
	switch (attribute) {
	case ATTRIBUTE_CONTEXT:
		*(CUcontext *)out = range.ctx;
		return CUDA_SUCCESS;
	case ATTRIBUTE_MEMORY_TYPE:
		*(unsigned int *)out = range.kind == FK_DEVICE_MEMORY || range.kind == FK_RESERVED ||
			range.kind == FK_MANAGED_MEMORY ? CU_MEMORYTYPE_DEVICE : CU_MEMORYTYPE_HOST;
		return CUDA_SUCCESS;
	case ATTRIBUTE_DEVICE_POINTER:
	case ATTRIBUTE_HOST_POINTER:
		*(CUdeviceptr *)out = address;
		return CUDA_SUCCESS;
	case ATTRIBUTE_DEVICE_ORDINAL:
		*(int *)out = range.ctx ? range.ctx->device : 0;
		return CUDA_SUCCESS;
	default:
		return CUDA_ERROR_NOT_SUPPORTED;
	}
}

static CUresult memory_info(size_t *free_bytes, size_t *total)
{
	if (!free_bytes || !total)
		return CUDA_ERROR_INVALID_VALUE;
	fk_memory_info(free_bytes, total);
	return CUDA_SUCCESS;
}

/* ---- pools: accounting only, the memory is everyone's --------------------- */

static CUresult pool_create(CUmemoryPool *out, const CUmemPoolProps *props)
{
	if (!out || !props)
		return CUDA_ERROR_INVALID_VALUE;
	*out = fk_new(FK_POOL, sizeof(**out));
	if (!*out)
		return CUDA_ERROR_OUT_OF_MEMORY;
	(*out)->device = props->location.id;
	return CUDA_SUCCESS;
}

static CUresult pool_default(CUmemoryPool *out, CUdevice device)
{
	static CUmemoryPool pools[64];
	CUmemPoolProps props = { .location = { CU_MEM_LOCATION_TYPE_DEVICE, device } };
	CUresult result = CUDA_SUCCESS;

	if (!out)
		return CUDA_ERROR_INVALID_VALUE;
	if (device < 0 || device >= fk_config.devices || device >= (CUdevice)FK_COUNT(pools))
		return CUDA_ERROR_INVALID_DEVICE;
	pthread_mutex_lock(&fk_lock);
	if (!pools[device])
		result = pool_create(&pools[device], &props);
	*out = pools[device];
	pthread_mutex_unlock(&fk_lock);
	return result;
}

static CUresult pool_destroy(CUmemoryPool pool)
{
	if (!fk_is(pool, FK_POOL))
		return CUDA_ERROR_INVALID_VALUE;
	fk_delete(pool);
	return CUDA_SUCCESS;
}

static CUresult pool_attribute(CUmemoryPool pool, int attribute, void *value, bool set)
{
	enum { RELEASE_THRESHOLD = 4 };

	if (!fk_is(pool, FK_POOL) || !value)
		return CUDA_ERROR_INVALID_VALUE;
	if (attribute != RELEASE_THRESHOLD)
		return CUDA_SUCCESS;
	if (set)
		pool->threshold = *(uint64_t *)value;
	else
		*(uint64_t *)value = pool->threshold;
	return CUDA_SUCCESS;
}

#define POOL_OK(pool) (fk_is(pool, FK_POOL) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE)

FK_API(FK_CTX | FK_UNSAFE, cuMemAlloc, (CUdeviceptr_v1 *out, unsigned int size),
	alloc_low(out, size))
FK_API(FK_CTX | FK_UNSAFE, cuMemAlloc_v2, (CUdeviceptr *out, size_t size),
	fk_memory_alloc(out, size, FK_DEVICE_MEMORY, false))
FK_API(FK_CTX | FK_UNSAFE, cuMemAllocPitch,
	(CUdeviceptr_v1 *out, unsigned int *pitch, unsigned int width, unsigned int height,
	 unsigned int element),
	(void)element, !pitch ? CUDA_ERROR_INVALID_VALUE :
	(*pitch = (width + 511) / 512 * 512, alloc_low(out, *pitch * height)))
FK_API(FK_CTX | FK_UNSAFE, cuMemAllocPitch_v2,
	(CUdeviceptr *out, size_t *pitch, size_t width, size_t height, unsigned int element),
	(void)element, alloc_pitch(out, pitch, width, height))
FK_API(FK_CTX | FK_UNSAFE, cuMemAllocManaged, (CUdeviceptr *out, size_t size, unsigned int flags),
	flags != CU_MEM_ATTACH_GLOBAL && flags != CU_MEM_ATTACH_HOST ? CUDA_ERROR_INVALID_VALUE :
	fk_memory_alloc(out, size, FK_MANAGED_MEMORY, false))
FK_API(FK_CTX | FK_UNSAFE, cuMemFree, (CUdeviceptr_v1 address),
	free_checked(address, FK_DEVICE_MEMORY))
FK_API(FK_CTX | FK_UNSAFE, cuMemFree_v2, (CUdeviceptr address),
	free_checked(address, FK_DEVICE_MEMORY))
FK_API(FK_CTX | FK_UNSAFE, cuMemAllocHost, (void **out, unsigned int size), alloc_host(out, size))
FK_API(FK_CTX | FK_UNSAFE, cuMemAllocHost_v2, (void **out, size_t size), alloc_host(out, size))
FK_API(FK_CTX | FK_UNSAFE, cuMemHostAlloc, (void **out, size_t size, unsigned int flags),
	flags > 7 ? CUDA_ERROR_INVALID_VALUE : alloc_host(out, size))
FK_API(FK_CTX | FK_UNSAFE, cuMemFreeHost, (void *p),
	free_checked((CUdeviceptr)(uintptr_t)p, FK_HOST_MEMORY))
FK_API(FK_CTX | FK_UNSAFE, cuMemHostRegister, (void *p, size_t size, unsigned int flags),
	(void)flags, host_register(p, size))
FK_API(FK_CTX | FK_UNSAFE, cuMemHostRegister_v2, (void *p, size_t size, unsigned int flags),
	(void)flags, host_register(p, size))
FK_API(FK_CTX | FK_UNSAFE, cuMemHostUnregister, (void *p), host_unregister(p))
FK_API(FK_CTX, cuMemHostGetDevicePointer_v2, (CUdeviceptr *out, void *p, unsigned int flags),
	flags ? CUDA_ERROR_INVALID_VALUE : host_pointer(out, p))
FK_API(FK_CTX, cuMemGetInfo_v2, (size_t *free_bytes, size_t *total),
	memory_info(free_bytes, total))
FK_API(FK_CTX, cuMemGetAddressRange_v2, (CUdeviceptr *base, size_t *size, CUdeviceptr address),
	address_range(base, size, address))
FK_API(FK_CTX, cuPointerGetAttribute, (void *out, int attribute, CUdeviceptr address),
	pointer_attribute(out, attribute, address))

FK_API_PT(FK_CTX, cuMemAllocAsync, _ptsz, (CUdeviceptr *out, size_t size, CUstream stream),
	alloc_async(out, size, fk_stream_get(stream, pts)))
FK_API_PT(FK_CTX, cuMemAllocFromPoolAsync, _ptsz,
	(CUdeviceptr *out, size_t size, CUmemoryPool pool, CUstream stream),
	POOL_OK(pool) ? POOL_OK(pool) : alloc_async(out, size, fk_stream_get(stream, pts)))
FK_API_PT(FK_CTX, cuMemFreeAsync, _ptsz, (CUdeviceptr address, CUstream stream),
	free_async(address, fk_stream_get(stream, pts)))
FK_API_PT(FK_CTX, cuMemPrefetchAsync, _ptsz,
	(CUdeviceptr address, size_t size, CUdevice device, CUstream stream),
	(void)address, (void)size, (void)device,
	fk_stream_get(stream, pts) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE)
FK_API_PT(FK_CTX, cuMemPrefetchAsync_v2, _ptsz,
	(CUdeviceptr address, size_t size, CUmemLocation location, unsigned int flags, CUstream stream),
	(void)address, (void)size, (void)location, (void)flags,
	fk_stream_get(stream, pts) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE)

FK_API(FK_INIT, cuMemPoolCreate, (CUmemoryPool *out, const CUmemPoolProps *props),
	pool_create(out, props))
FK_API(FK_INIT, cuMemPoolDestroy, (CUmemoryPool pool), pool_destroy(pool))
FK_API(FK_INIT, cuDeviceGetDefaultMemPool, (CUmemoryPool *out, CUdevice device),
	pool_default(out, device))
FK_API(FK_INIT, cuDeviceGetMemPool, (CUmemoryPool *out, CUdevice device),
	pool_default(out, device))
FK_API(FK_INIT, cuMemPoolTrimTo, (CUmemoryPool pool, size_t keep), (void)keep, POOL_OK(pool))
FK_API(FK_INIT, cuMemPoolSetAttribute, (CUmemoryPool pool, int attribute, void *value),
	pool_attribute(pool, attribute, value, true))
FK_API(FK_INIT, cuMemPoolGetAttribute, (CUmemoryPool pool, int attribute, void *value),
	pool_attribute(pool, attribute, value, false))
FK_API(FK_INIT, cuMemPoolSetAccess, (CUmemoryPool pool, const CUmemAccessDesc *map, size_t count),
	(void)map, (void)count, POOL_OK(pool))
