/*
 * memory.c - what the fake driver knows about memory: ranges sorted by address.
 *
 * Device memory is host memory; what differs is who may name it in which call.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/fakecuda/fake.h"

static pthread_mutex_t memory_lock = PTHREAD_MUTEX_INITIALIZER;
static struct fk_range *ranges; /* sorted by base */
static size_t range_count, range_room;
static size_t device_used;

/* Index of the first range that begins above the address. */
static size_t range_above(CUdeviceptr address)
{
	size_t low = 0, high = range_count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (ranges[mid].base <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

CUresult fk_memory_add(const struct fk_range *range)
{
	CUresult result = CUDA_ERROR_OUT_OF_MEMORY;
	size_t at;

	pthread_mutex_lock(&memory_lock);
	if (range_count == range_room) {
		size_t room = range_room ? range_room * 2 : 256;
		struct fk_range *more = realloc(ranges, room * sizeof(*more));

		if (!more)
			goto out;
		ranges = more;
		range_room = room;
	}
	at = range_above(range->base);
	memmove(&ranges[at + 1], &ranges[at], (range_count - at) * sizeof(*ranges));
	ranges[at] = *range;
	range_count++;
	if (range->kind == FK_DEVICE_MEMORY)
		device_used += range->size;
	result = CUDA_SUCCESS;
out:
	pthread_mutex_unlock(&memory_lock);
	return result;
}

CUresult fk_memory_remove(CUdeviceptr base, enum fk_memory_kind kind, struct fk_range *out)
{
	CUresult result = CUDA_ERROR_INVALID_VALUE;
	size_t at;

	pthread_mutex_lock(&memory_lock);
	at = range_above(base);
	if (at && ranges[at - 1].base == base && ranges[at - 1].kind == kind) {
		*out = ranges[--at];
		memmove(&ranges[at], &ranges[at + 1], (--range_count - at) * sizeof(*ranges));
		if (kind == FK_DEVICE_MEMORY)
			device_used -= out->size;
		result = CUDA_SUCCESS;
	}
	pthread_mutex_unlock(&memory_lock);
	return result;
}

bool fk_memory_find(CUdeviceptr address, size_t size, struct fk_range *out)
{
	size_t at;
	bool found = false;

	pthread_mutex_lock(&memory_lock);
	at = range_above(address);
	if (at) {
		*out = ranges[at - 1];
		found = address - out->base <= out->size && size <= out->size - (address - out->base);
	}
	pthread_mutex_unlock(&memory_lock);
	return found;
}

void fk_memory_use(ssize_t bytes)
{
	pthread_mutex_lock(&memory_lock);
	device_used += (size_t)bytes;
	pthread_mutex_unlock(&memory_lock);
}

void fk_memory_info(size_t *free_bytes, size_t *total)
{
	pthread_mutex_lock(&memory_lock);
	if (free_bytes)
		*free_bytes = fk_config.memory - device_used;
	if (total)
		*total = fk_config.memory;
	pthread_mutex_unlock(&memory_lock);
}

static void *low_map(size_t size)
{
#ifdef MAP_32BIT
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	return p == MAP_FAILED ? NULL : p;
#else
	(void)size;
	return NULL; /* no way to ask for an address below 4 GiB */
#endif
}

static CUresult alloc(CUdeviceptr *out, size_t size, enum fk_memory_kind kind, bool low, bool pool)
{
	struct fk_range range = { .size = size, .kind = kind, .low = low, .pool = pool, .ctx = fk_ctx() };
	size_t available;
	void *memory;
	CUresult result;

	if (!out || !size)
		return CUDA_ERROR_INVALID_VALUE;
	fk_memory_info(&available, NULL);
	if (size > available)
		return CUDA_ERROR_OUT_OF_MEMORY;
	memory = low ? low_map(size) : aligned_alloc(512, (size + 511) / 512 * 512);
	if (!memory)
		return CUDA_ERROR_OUT_OF_MEMORY;
	range.base = (CUdeviceptr)(uintptr_t)memory;
	result = fk_memory_add(&range);
	if (!result)
		*out = range.base;
	else if (low)
		munmap(memory, size);
	else
		free(memory);
	return result;
}

CUresult fk_memory_alloc(CUdeviceptr *out, size_t size, enum fk_memory_kind kind, bool low)
{
	return alloc(out, size, kind, low, false);
}

CUresult fk_memory_alloc_pool(CUdeviceptr *out, size_t size)
{
	return alloc(out, size, FK_DEVICE_MEMORY, false, true);
}

void fk_memory_drop(CUcontext ctx)
{
	struct fk_range range;
	size_t i = 0;

	pthread_mutex_lock(&memory_lock);
	while (i < range_count) {
		range = ranges[i++];
		if (range.ctx != ctx || range.kind == FK_RESERVED || range.pool)
			continue;
		pthread_mutex_unlock(&memory_lock);
		if (range.kind == FK_REGISTERED)
			fk_memory_remove(range.base, FK_REGISTERED, &range);
		else
			fk_memory_free(range.base, range.kind);
		i = 0;
		pthread_mutex_lock(&memory_lock);
	}
	pthread_mutex_unlock(&memory_lock);
}

CUresult fk_memory_free(CUdeviceptr address, enum fk_memory_kind kind)
{
	struct fk_range range;
	CUresult result;

	if (!address)
		return CUDA_SUCCESS;
	result = fk_memory_remove(address, kind, &range);
	if (result && kind == FK_DEVICE_MEMORY) /* cuMemFree takes managed memory too */
		result = fk_memory_remove(address, FK_MANAGED_MEMORY, &range);
	if (result)
		return result;
	if (range.low)
		munmap((void *)(uintptr_t)address, range.size);
	else
		free((void *)(uintptr_t)address);
	return CUDA_SUCCESS;
}
