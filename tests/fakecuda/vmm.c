/*
 * vmm.c - virtual memory management: reserve an address range, create memory,
 * map it there, give access.
 *
 * Created memory is a memfd and mapping it is mmap, so mapping one handle
 * twice aliases, and touching a range without access faults, as on a GPU. A
 * handle is the descriptor with FK_MAGIC above it. The descriptor lives until
 * cuMemRelease; the kernel keeps mapped pages beyond that.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fakecuda/fake.h"

#define GRANULE ((size_t)2 << 20)

static CUmemGenericAllocationHandle handle_of(int fd)
{
	return (CUmemGenericAllocationHandle)FK_MAGIC << 32 | (unsigned int)fd;
}

static int handle_fd(CUmemGenericAllocationHandle handle)
{
	return handle >> 32 == FK_MAGIC ? (int)(handle & 0xffffffffu) : -1;
}

static bool granular(size_t size)
{
	return size && size % GRANULE == 0;
}

static CUresult reserve(CUdeviceptr *out, size_t size)
{
	struct fk_range range = { .size = size, .kind = FK_RESERVED, .ctx = fk_ctx() };
	void *p;

	if (!out || !granular(size))
		return CUDA_ERROR_INVALID_VALUE;
	p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return CUDA_ERROR_OUT_OF_MEMORY;
	range.base = (CUdeviceptr)(uintptr_t)p;
	*out = range.base;
	return fk_memory_add(&range);
}

static CUresult unreserve(CUdeviceptr address, size_t size)
{
	struct fk_range range;

	if (!fk_memory_find(address, size, &range) || range.kind != FK_RESERVED ||
	    range.base != address || range.size != size)
		return CUDA_ERROR_INVALID_VALUE;
	fk_memory_remove(address, FK_RESERVED, &range);
	munmap((void *)(uintptr_t)address, size);
	return CUDA_SUCCESS;
}

static CUresult create(CUmemGenericAllocationHandle *out, size_t size, const CUmemAllocationProp *prop)
{
	int fd;

	if (!out || !prop || !granular(size) || prop->type != CU_MEM_ALLOCATION_TYPE_PINNED)
		return CUDA_ERROR_INVALID_VALUE;
	fd = memfd_create("fakecuda", MFD_CLOEXEC);
	if (fd < 0)
		return CUDA_ERROR_OUT_OF_MEMORY;
	if (ftruncate(fd, (off_t)size)) {
		close(fd);
		return CUDA_ERROR_OUT_OF_MEMORY;
	}
	*out = handle_of(fd);
	return CUDA_SUCCESS;
}

static CUresult release(CUmemGenericAllocationHandle handle)
{
	return handle_fd(handle) >= 0 && !close(handle_fd(handle)) ? CUDA_SUCCESS :
		CUDA_ERROR_INVALID_VALUE;
}

/* To another process, or to this one: a descriptor of its own for the same memory. */
static CUresult export(void *out, CUmemGenericAllocationHandle handle)
{
	int fd = handle_fd(handle) >= 0 ? dup(handle_fd(handle)) : -1;

	if (!out || fd < 0)
		return CUDA_ERROR_INVALID_VALUE;
	*(int *)out = fd;
	return CUDA_SUCCESS;
}

static CUresult import(CUmemGenericAllocationHandle *out, void *from)
{
	int fd = dup((int)(intptr_t)from);

	if (!out || fd < 0)
		return CUDA_ERROR_INVALID_VALUE;
	*out = handle_of(fd);
	return CUDA_SUCCESS;
}

/* A part of one reservation. */
static bool reserved(CUdeviceptr address, size_t size)
{
	struct fk_range range;

	return granular(size) && fk_memory_find(address, size, &range) && range.kind == FK_RESERVED;
}

static CUresult map(CUdeviceptr address, size_t size, size_t offset,
	CUmemGenericAllocationHandle handle)
{
	if (!reserved(address, size) || handle_fd(handle) < 0)
		return CUDA_ERROR_INVALID_VALUE;
	if (mmap((void *)(uintptr_t)address, size, PROT_NONE, MAP_SHARED | MAP_FIXED,
		 handle_fd(handle), (off_t)offset) == MAP_FAILED)
		return CUDA_ERROR_INVALID_VALUE;
	return CUDA_SUCCESS;
}

static CUresult unmap(CUdeviceptr address, size_t size)
{
	if (!reserved(address, size))
		return CUDA_ERROR_INVALID_VALUE;
	if (mmap((void *)(uintptr_t)address, size, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
		return CUDA_ERROR_UNMAP_FAILED;
	return CUDA_SUCCESS;
}

static CUresult set_access(CUdeviceptr address, size_t size, const CUmemAccessDesc *desc, size_t count)
{
	int prot;

	if (!reserved(address, size) || !desc || !count)
		return CUDA_ERROR_INVALID_VALUE;
	prot = desc->flags == CU_MEM_ACCESS_FLAGS_PROT_READWRITE ? PROT_READ | PROT_WRITE :
		desc->flags ? PROT_READ : PROT_NONE;
	return mprotect((void *)(uintptr_t)address, size, prot) ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

FK_API(FK_CTX, cuMemAddressReserve,
	(CUdeviceptr *out, size_t size, size_t alignment, CUdeviceptr hint, unsigned long long flags),
	(void)alignment, (void)hint, flags ? CUDA_ERROR_INVALID_VALUE : reserve(out, size))
FK_API(FK_CTX, cuMemAddressFree, (CUdeviceptr address, size_t size), unreserve(address, size))
FK_API(FK_CTX, cuMemCreate,
	(CUmemGenericAllocationHandle *out, size_t size, const CUmemAllocationProp *prop,
	 unsigned long long flags),
	flags ? CUDA_ERROR_INVALID_VALUE : create(out, size, prop))
FK_API(FK_CTX, cuMemRelease, (CUmemGenericAllocationHandle handle), release(handle))
FK_API(FK_INIT, cuMemExportToShareableHandle,
	(void *out, CUmemGenericAllocationHandle handle, int type, unsigned long long flags),
	flags || type != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR ? CUDA_ERROR_INVALID_VALUE : export(out, handle))
FK_API(FK_INIT, cuMemImportFromShareableHandle, (CUmemGenericAllocationHandle *out, void *from, int type),
	type != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR ? CUDA_ERROR_INVALID_VALUE : import(out, from))
FK_API(FK_CTX, cuMemMap,
	(CUdeviceptr address, size_t size, size_t offset, CUmemGenericAllocationHandle handle,
	 unsigned long long flags),
	flags ? CUDA_ERROR_INVALID_VALUE : map(address, size, offset, handle))
FK_API(FK_CTX, cuMemUnmap, (CUdeviceptr address, size_t size), unmap(address, size))
FK_API(FK_CTX, cuMemSetAccess,
	(CUdeviceptr address, size_t size, const CUmemAccessDesc *desc, size_t count),
	set_access(address, size, desc, count))
FK_API(FK_INIT, cuMemGetAllocationGranularity,
	(size_t *out, const CUmemAllocationProp *prop, int option),
	(void)option, !out || !prop ? CUDA_ERROR_INVALID_VALUE : (*out = GRANULE, CUDA_SUCCESS))
