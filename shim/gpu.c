/*
 * gpu.c - the states of contexts, and what is made in one: module, stream, cells, pages.
 */
#include <string.h>
#include <sys/mman.h>
#include "preload/clock.h"
#include "preload/inner.h"
#include "shim/ask.h"
#include "shim/gpu.h"
#include "shim/stamp_ptx.h"

#ifndef MADV_DONTFORK
#define MADV_DONTFORK 10
#endif

enum {
	TIES_BYTES = 4096,
};

struct vprof_gpu vprof_gpus[VPROF_GPUS];

void vprof_gpus_forget(void)
{
	memset(vprof_gpus, 0, sizeof(vprof_gpus));
}

/* ---- which ---- */

/* A place is taken for good: a context of the same handle that comes after a dead one takes another. */
struct vprof_gpu *vprof_gpu_here(void)
{
	CUcontext context = NULL;

	if (!vprof_ask.ctx_get_current || vprof_ask.ctx_get_current(&context) || !context)
		return NULL;
	for (struct vprof_gpu *gpu = vprof_gpus; gpu < vprof_gpus + VPROF_GPUS; gpu++) {
		CUcontext found = __atomic_load_n(&gpu->context, __ATOMIC_ACQUIRE);

		if (!found && __atomic_compare_exchange_n(&gpu->context, &found, context, 0, __ATOMIC_ACQ_REL,
							  __ATOMIC_ACQUIRE)) {
			vprof_gpu_leave_at_exit();
			__atomic_store_n(&gpu->state, VPROF_GPU_WANTED, __ATOMIC_RELEASE);
			vprof_gpu_call();
			return gpu;
		}
		if (found == context && vprof_gpu_state_of(gpu) != VPROF_GPU_DEAD)
			return gpu;
	}
	return NULL;
}

void vprof_gpu_context_gone(CUcontext context, int32_t device)
{
	for (struct vprof_gpu *gpu = vprof_gpus; gpu < vprof_gpus + VPROF_GPUS; gpu++)
		if (gpu->context && (context ? gpu->context == context : gpu->device == device))
			/* Pairs with the load in work_begin(). */
			__atomic_store_n(&gpu->state, VPROF_GPU_DEAD, __ATOMIC_SEQ_CST);
	vprof_gpu_wait_idle();
}

void vprof_gpu_green_gone(void *green)
{
	struct vprof_asking asking;
	CUcontext context = NULL;

	if (!vprof_gpus[0].context || !green || !vprof_ask.ctx_from_green || !vprof_ask_begin(&asking))
		return;
	if (vprof_ask.ctx_from_green(&context, green))
		context = NULL;
	vprof_ask_end(&asking);
	if (context)
		vprof_gpu_context_gone(context, -1);
}

/* ---- pages ---- */

/* What other contexts of the device have counts. Those that have gone are not pinned any more. */
static uint32_t chunks_of(int32_t device)
{
	uint32_t count = 0;

	for (const struct vprof_gpu *gpu = vprof_gpus; gpu < vprof_gpus + VPROF_GPUS; gpu++)
		if (gpu->device == device && vprof_gpu_state_of(gpu) != VPROF_GPU_DEAD)
			count += gpu->chunk_count;
	return count;
}

static CUresult pages_make(struct vprof_gpu *gpu)
{
	struct vprof_gpu_chunk *chunk = &gpu->chunks[gpu->chunk_count];
	uint8_t *pages = chunks_of(gpu->device) < VPROF_GPU_CHUNKS ? vprof_table(VPROF_GPU_CHUNK) : NULL;
	CUresult result;

	if (!pages)
		return CUDA_ERROR_OUT_OF_MEMORY;
	/* The driver pins them: a forked child must not share them. */
	madvise(pages, VPROF_GPU_CHUNK, MADV_DONTFORK);
	result = vprof_ask.host_register(pages, VPROF_GPU_CHUNK,
					 CU_MEMHOSTREGISTER_PORTABLE | CU_MEMHOSTREGISTER_DEVICEMAP);
	if (!result)
		result = vprof_ask.host_device_pointer(&chunk->device, pages, 0);
	if (result) {
		munmap(pages, VPROF_GPU_CHUNK);
		return result;
	}
	chunk->host = pages;
	chunk->used = 0;
	gpu->chunk_count++;
	return CUDA_SUCCESS;
}

static struct vprof_gpu_chunk *chunk_with(struct vprof_gpu *gpu, uint32_t bytes)
{
	for (struct vprof_gpu_chunk *chunk = gpu->chunks; chunk < gpu->chunks + gpu->chunk_count; chunk++)
		if (chunk->used + bytes <= VPROF_GPU_CHUNK)
			return chunk;
	return pages_make(gpu) ? NULL : &gpu->chunks[gpu->chunk_count - 1];
}

/* `bytes` of a chunk that has them, or of a new one; NULL: none. */
static void *pages_take(struct vprof_gpu *gpu, uint32_t bytes, CUdeviceptr *device)
{
	struct vprof_gpu_chunk *chunk = chunk_with(gpu, bytes);
	void *at;

	if (!chunk)
		return NULL;
	at = chunk->host + chunk->used;
	*device = chunk->device + chunk->used;
	chunk->used += bytes;
	return at;
}

struct vprof_area *vprof_gpu_area(struct vprof_gpu *gpu, uint32_t log)
{
	if (vprof_gpu_is_ending())
		return NULL;
	for (struct vprof_area *area = gpu->areas; area < gpu->areas + VPROF_AREAS; area++) {
		if (!area->log) {
			area->host = pages_take(gpu, 1u << log, &area->device);
			if (!area->host)
				return NULL;
			area->log = log;
		}
		/* Pairs with the release in vprof_gpu_area_drop(). */
		if (area->log == log && !__atomic_load_n(&area->taken, __ATOMIC_ACQUIRE)) {
			area->taken = 1;
			memset(area->host, 0, (size_t)1 << log);
			return area;
		}
	}
	return NULL;
}

/* ---- device memory ---- */

uint64_t vprof_gpu_free(void)
{
	size_t left = 0, total;

	return vprof_ask.mem_get_info && !vprof_ask.mem_get_info(&left, &total) ? left : 0;
}

uint32_t vprof_gpu_taken(uint64_t before, uint32_t most)
{
	uint64_t left = vprof_gpu_free();

	return left && left < before && before - left <= most ? (uint32_t)(before - left) : 0;
}

/* ---- cells ---- */

/* Not before what is ahead on the stream lets it. */
static CUresult launch_early(CUfunction function, CUstream stream, void **params)
{
	CUlaunchAttribute attribute = { .id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION };
	CUlaunchConfig config = {
		.gridDimX = 1, .gridDimY = 1, .gridDimZ = 1, .blockDimX = 1, .blockDimY = 1, .blockDimZ = 1,
		.hStream = stream, .attrs = &attribute, .numAttrs = 1,
	};

	attribute.value.programmaticStreamSerializationAllowed = 1;
	return vprof_ask.launch_kernel_ex(&config, function, params, NULL);
}

CUresult vprof_gpu_stamp_behind(const struct vprof_gpu *gpu, CUstream stream, CUdeviceptr slot)
{
	void *params[] = { &slot };

	if (gpu->mode != VPROF_STAMPS_PROGRAMMATIC || !vprof_ask.launch_kernel_ex)
		return vprof_ask.launch_kernel(gpu->stamp_plain, 1, 1, 1, 1, 1, 1, 0, stream, params, NULL);
	return launch_early(gpu->stamp, stream, params);
}

CUresult vprof_gpu_stamp_early(const struct vprof_gpu *gpu, CUstream stream, CUdeviceptr slot)
{
	return launch_early(gpu->stamp_early, stream, (void *[]){ &slot });
}

CUresult vprof_gpu_follow(const struct vprof_gpu *gpu, CUstream stream)
{
	return launch_early(gpu->follower, stream, NULL);
}

CUresult vprof_gpu_settle(struct vprof_gpu *gpu)
{
	CUresult result = CUDA_ERROR_NOT_READY;

	/* Not cuStreamSynchronize: it may wait in a way that slows others. */
	while (!vprof_gpu_is_ending() && (result = vprof_ask_own_state(gpu->stream)) == CUDA_ERROR_NOT_READY)
		vprof_gpu_pause(50000);
	return result;
}

CUresult vprof_gpu_cell(struct vprof_gpu *gpu, const struct vprof_area *area, uint32_t block_count, uint32_t stride,
			CUdeviceptr *cell)
{
	uint32_t number = (uint32_t)(area - gpu->areas);
	struct vprof_cell *image = &gpu->images[number];
	CUresult result;

	*image = (struct vprof_cell){ .blocks = area->device, .block_count = block_count, .stride = stride };
	*cell = gpu->cells + number * sizeof(*image);
	result = vprof_ask.copy_to_device(*cell, image, sizeof(*image), gpu->stream);
	return result ? result : vprof_gpu_settle(gpu);
}

/* ---- all of it ---- */

static int driver_has_all(void)
{
	return vprof_ask.module_load && vprof_ask.module_function && vprof_ask.mem_alloc && vprof_ask.host_register &&
	       vprof_ask.host_device_pointer && vprof_ask.copy_to_device && vprof_ask.launch_kernel &&
	       vprof_ask.device_get_attribute;
}

static int is_programmatic(CUdevice device)
{
	int major = 0;

	return vprof_ask.graph_add_edges_v2 && vprof_ask.graph_cut_edges_v2 && vprof_ask.graph_edges_v2 &&
	       !vprof_ask.device_get_attribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device) &&
	       major >= 9;
}

/* Without them what is launched programmatically is not timed, nor what it follows. */
static void load_early(struct vprof_gpu *gpu)
{
	if (!vprof_ask.launch_kernel_ex ||
	    vprof_ask.module_function(&gpu->follower, gpu->module, "vprof_follower") ||
	    vprof_ask.module_function(&gpu->stamp_early, gpu->module, "vprof_stamp_early"))
		gpu->stamp_early = NULL;
}

static CUresult load(struct vprof_gpu *gpu)
{
	const struct { CUfunction *out; const char *name; int programmatic; } functions[] = {
		{ &gpu->stamp, "vprof_stamp", 1 },
		{ &gpu->twin_stamp, "vprof_twin_stamp", 1 },
		{ &gpu->twin_stamp_started, "vprof_twin_stamp_started", 1 },
		{ &gpu->stamp_plain, "vprof_stamp_plain", 0 },
		{ &gpu->twin_stamp_plain, "vprof_twin_stamp_plain", 0 },
		{ &gpu->twin_begin, "vprof_twin_begin", 0 },
		{ &gpu->twin_end, "vprof_twin_end", 0 },
		{ &gpu->timed, "vprof_timed", 0 },
		{ &gpu->gate, "vprof_gate", 0 },
		{ &gpu->gauge, "vprof_gauge", 0 },
		{ &gpu->nothing, "vprof_nothing", 0 },
	};
	int programmatic = gpu->mode == VPROF_STAMPS_PROGRAMMATIC;
	CUresult result = vprof_ask.module_load(&gpu->module, programmatic ? vprof_ptx_programmatic : vprof_ptx_plain);

	for (size_t i = 0; !result && i < ARRAY_SIZE(functions); i++)
		if (programmatic || !functions[i].programmatic)
			result = vprof_ask.module_function(functions[i].out, gpu->module, functions[i].name);
	if (!result && programmatic)
		load_early(gpu);
	return result;
}

/* A compiler that does not know the programmatic text may know the plain one. */
static CUresult load_either(struct vprof_gpu *gpu)
{
	CUresult result;

	gpu->mode = is_programmatic(gpu->device) ? VPROF_STAMPS_PROGRAMMATIC : VPROF_STAMPS_PLAIN;
	result = load(gpu);
	if (!result || gpu->mode == VPROF_STAMPS_PLAIN)
		return result;
	gpu->mode = VPROF_STAMPS_PLAIN;
	return load(gpu);
}

static CUresult make(struct vprof_gpu *gpu)
{
	CUdeviceptr images;
	CUresult result;

	if (!driver_has_all())
		return CUDA_ERROR_NOT_FOUND;
	result = vprof_ask.ctx_get_device(&gpu->device);
	if (!result)
		result = load_either(gpu);
	if (!result)
		result = vprof_ask_own_stream(&gpu->stream);
	if (!result)
		result = vprof_ask.mem_alloc(&gpu->cells, VPROF_AREAS * sizeof(struct vprof_cell));
	if (!result)
		result = pages_make(gpu);
	if (result)
		return result;
	gpu->images = pages_take(gpu, VPROF_AREAS * sizeof(struct vprof_cell), &images);
	gpu->ties = pages_take(gpu, TIES_BYTES, &gpu->ties_device);
	gpu->gates = pages_take(gpu, VPROF_GATES * VPROF_GATE_STRIDE, &gpu->gates_device);
	return CUDA_SUCCESS;
}

void vprof_gpu_prepare(struct vprof_gpu *gpu)
{
	uint32_t wanted = VPROF_GPU_WANTED, state;
	uint64_t before = vprof_gpu_free();

	gpu->is_short = !vprof_gpu_has_room(before);
	if (gpu->is_short)
		return;
	gpu->device = -1;
	gpu->error = make(gpu);
	gpu->bytes = vprof_gpu_taken(before, VPROF_GPU_MEMORY / 2);
	if (gpu->error)
		gpu->mode = VPROF_STAMPS_NONE;
	state = gpu->error ? VPROF_GPU_FAILED : VPROF_GPU_READY;
	/* Unless the context has gone meanwhile. Pairs with the acquire in vprof_gpu_state_of(). */
	__atomic_compare_exchange_n(&gpu->state, &wanted, state, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}
