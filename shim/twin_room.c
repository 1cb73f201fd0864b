/*
 * twin_room.c - what a twin takes: device memory, blocks and a cell. By our thread.
 */
#include "preload/inner.h"
#include "shim/ask.h"
#include "shim/twin.h"

enum {
	BLOCKS_LEAST = 32,
	SPARE_PART = 4,
};

/* ---- device memory ---- */

uint64_t vprof_twins_bytes(int32_t device, uint32_t stamps)
{
	uint64_t bytes = 0, more = 0;

	for (const struct vprof_gpu *gpu = vprof_gpus; gpu < vprof_gpus + VPROF_GPUS; gpu++)
		if (gpu->device == device && vprof_gpu_state_of(gpu) == VPROF_GPU_READY)
			bytes += gpu->bytes;
	for (const struct vprof_twin *twin = vprof_twins; twin < vprof_twins + VPROF_TWINS_MOST; twin++) {
		uint64_t alike;

		if (__atomic_load_n(&twin->use, __ATOMIC_RELAXED) != VPROF_TWIN_USED || twin->gpu->device != device)
			continue;
		bytes += twin->bytes;
		alike = (uint64_t)twin->bytes * stamps / (twin->stamps + 1);
		more = alike > more ? alike : more;
	}
	return bytes + more;
}

int vprof_twin_fits(const struct vprof_twin *twin)
{
	return vprof_twins_bytes(twin->gpu->device, 0) + twin->bytes <= VPROF_GPU_MEMORY;
}

/* ---- blocks ---- */

/* An area in which so many blocks have room. */
static uint32_t log_of(uint32_t stride, uint32_t blocks)
{
	uint32_t log = VPROF_AREA_LOG_LEAST;

	while (log < VPROF_AREA_LOG_MOST && stride * 8ull * blocks > 1ull << log)
		log++;
	return log;
}

/* So many graphs have twins at most, if all are divided like one of so many parts. */
static uint32_t most_graphs(uint32_t parts)
{
	uint32_t most = vprof_gpu_twins(), places = VPROF_TWINS_MOST / parts;

	return !most ? 1 : most < places ? most : places;
}

/*
 * Bytes for one more: of its graph's share of the pages what is for one part, and part of what is left beside the
 * shares of those that may come, its graph's other parts among them.
 */
static uint32_t share_of(const struct vprof_twin *one)
{
	uint32_t most = most_graphs(one->parts), of_graph = VPROF_GPU_TWIN_PAGES / most, share = of_graph / one->parts;
	uint32_t graphs = 0;
	uint64_t kept = one->part ? (uint64_t)(one->parts - one->part) * share : 0;

	for (const struct vprof_twin *twin = vprof_twins; twin < vprof_twins + VPROF_TWINS_MOST; twin++) {
		/* Pairs with the releases of those who make and drop it. */
		uint32_t use = __atomic_load_n(&twin->use, __ATOMIC_ACQUIRE);

		if ((use == VPROF_TWIN_USED || use == VPROF_TWIN_DROPPED) && twin->gpu->device == one->gpu->device) {
			kept += 1ull << twin->area->log;
			graphs += !twin->part;
		}
	}
	if (graphs < most)
		kept += (uint64_t)(most - graphs) * of_graph;
	return share + (kept < VPROF_GPU_TWIN_PAGES ? (uint32_t)(VPROF_GPU_TWIN_PAGES - kept) / SPARE_PART : 0);
}

/* One of a large graph has what it needs at least. A free one that is larger is better than none. */
static struct vprof_area *area_for(const struct vprof_twin *twin, uint32_t stride)
{
	uint32_t least = log_of(stride, BLOCKS_LEAST), log = log_of(stride, VPROF_TWIN_LAUNCHES);
	uint32_t share = share_of(twin);
	struct vprof_area *area = NULL;

	while (log > least && 1u << log > share)
		log--;
	for (uint32_t at = log; !area && at >= least; at--)
		area = vprof_gpu_area(twin->gpu, at);
	for (uint32_t at = log + 1; !area && at <= VPROF_AREA_LOG_MOST; at++)
		area = vprof_gpu_area(twin->gpu, at);
	return area;
}

/* Blocks and a cell for so many stamps. */
struct vprof_refusal vprof_twin_room(struct vprof_twin *twin, uint32_t stamps)
{
	uint32_t stride = VPROF_BLOCK_HEAD + stamps, count;
	struct vprof_area *area = NULL;
	CUresult result;

	if (!twin->launches)
		twin->launches = vprof_table(VPROF_TWIN_LAUNCHES * sizeof(*twin->launches));
	if (twin->launches && vprof_twins_bytes(twin->gpu->device, stamps) <= VPROF_GPU_MEMORY)
		area = area_for(twin, stride);
	/* The area of the place's last twin stays: a launch of that may still be looked for, vprof_twin_has_ended(). */
	if (!area)
		return (struct vprof_refusal){ VPROF_TWIN_BUDGET, CUDA_SUCCESS };
	twin->area = area;
	count = (uint32_t)((1ull << twin->area->log) / (stride * 8ull));
	twin->block_count = count < VPROF_TWIN_LAUNCHES ? count : VPROF_TWIN_LAUNCHES;
	twin->stride = stride;
	twin->stamps = stamps;
	twin->launched = twin->taken = twin->awaited = twin->told = 0;
	twin->dropped_ns = 0;
	result = vprof_gpu_cell(twin->gpu, twin->area, twin->block_count, stride, &twin->cell);
	if (!result)
		return (struct vprof_refusal){ VPROF_TWIN_BUILT, CUDA_SUCCESS };
	vprof_gpu_area_drop(twin->area);
	return (struct vprof_refusal){ VPROF_TWIN_NO_STAMP, result };
}
