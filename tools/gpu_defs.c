/*
 * gpu_defs.c - twins and devices, from the definitions of a ring.
 */
#include "tools/gpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/list.h"

enum { DEVICES_MOST = 256 };

const struct gpu_device *gpu_device(const struct gpu *gpu, int32_t ordinal)
{
	for (uint32_t i = 0; i < gpu->device_count; i++)
		if (gpu->devices[i].ordinal == ordinal)
			return &gpu->devices[i];
	return NULL;
}

struct gpu_device *gpu_add_device(struct gpu *gpu, int32_t ordinal)
{
	struct gpu_device *device = (struct gpu_device *)gpu_device(gpu, ordinal);

	if (device)
		return device;
	if (gpu->device_count == DEVICES_MOST || list_grow(gpu->devices, gpu->device_count))
		return NULL;
	device = &gpu->devices[gpu->device_count++];
	*device = (struct gpu_device){ .ordinal = ordinal, .clock.error_ns = UINT64_MAX };
	return device;
}

static int add_costs(struct gpu *gpu, const struct vprof_def_gpu *def)
{
	struct gpu_device *device = gpu_add_device(gpu, def->device);

	if (!device)
		return gpu->device_count == DEVICES_MOST ? 0 : -ENOMEM;
	if (list_grow(device->costs, device->cost_count))
		return -ENOMEM;
	device->costs[device->cost_count++] = def;
	return 0;
}

const struct vprof_def_gpu *gpu_costs(const struct gpu_device *device, uint64_t ticks)
{
	const struct vprof_def_gpu *costs = NULL;

	for (uint32_t i = 0; device && i < device->cost_count; i++)
		if (!costs || device->costs[i]->ticks <= ticks)
			costs = device->costs[i];
	return costs;
}

/* The twin that this piece goes on with: the last of its graph that lacks just that. */
static struct gpu_twin *find_open(struct gpu *gpu, const struct vprof_def_twin *def)
{
	for (uint32_t i = gpu->twin_count; i-- > 0;) {
		struct gpu_twin *twin = &gpu->twins[i];

		if (twin->graph != def->graph)
			continue;
		return twin->have == def->first && twin->total == def->total && twin->def->device == def->device ?
		       twin : NULL;
	}
	return NULL;
}

static int add_stamps(struct gpu *gpu, struct gpu_twin *twin, const struct vprof_def_twin *def)
{
	if (!def->count)
		return 0;
	if (def->total > VPROF_TWIN_STAMPS || def->count > def->total - twin->have) {
		gpu->bad_twins++;
		return 0;
	}
	if (!twin->stamps)
		twin->stamps = calloc(def->total, sizeof(*twin->stamps));
	if (!twin->stamps)
		return -ENOMEM;
	for (uint32_t i = 0; i < def->count; i++, twin->have++) {
		twin->stamps[twin->have].node = def->stamps[i].node;
		twin->stamps[twin->have].type = def->stamps[i].type;
	}
	return 0;
}

static int add_twin(struct gpu *gpu, const struct vprof_def_twin *def)
{
	struct gpu_twin *twin;

	if (def->first) {
		twin = find_open(gpu, def);
		if (twin)
			return add_stamps(gpu, twin, def);
		gpu->bad_twins++;
		return 0;
	}
	if (list_grow(gpu->twins, gpu->twin_count))
		return -ENOMEM;
	twin = &gpu->twins[gpu->twin_count];
	*twin = (struct gpu_twin){
		.id = ring_def_id(gpu->ring, &def->head), .graph = def->graph, .total = def->total, .def = def,
	};
	if (idmap_put(&gpu->twin_ids, twin->id, gpu->twin_count++))
		return -ENOMEM;
	return add_stamps(gpu, twin, def);
}

const struct gpu_twin *gpu_twin(const struct gpu *gpu, uint32_t id)
{
	uint32_t index = idmap_get(&gpu->twin_ids, id);

	return index == IDMAP_NONE ? NULL : &gpu->twins[index];
}

const struct gpu_plan *gpu_plan(struct gpu *gpu, uint32_t graph)
{
	uint32_t index = graphs_index(&gpu->graphs, graph), list;

	list = index == IDMAP_NONE ? IDMAP_NONE : gpu->graphs.list[index].list;
	if (list == IDMAP_NONE)
		return NULL;
	if (!gpu->planned[list])
		gpu->planned[list] = gpu_plan_make(&gpu->plans[list], &gpu->graphs.lists[list]) ? 2 : 1;
	return gpu->planned[list] == 1 ? &gpu->plans[list] : NULL;
}

int gpu_read_defs(struct gpu *gpu)
{
	const struct vprof_def *def = NULL;
	int error = graphs_read(&gpu->graphs, gpu->ring);

	if (!error)
		error = objects_read(&gpu->objects, gpu->ring);
	gpu->plans = calloc((size_t)gpu->graphs.list_count + 1, sizeof(*gpu->plans));
	gpu->planned = calloc((size_t)gpu->graphs.list_count + 1, 1);
	if (!gpu->plans || !gpu->planned)
		error = -ENOMEM;
	while (!error && (def = ring_def_next(gpu->ring, def))) {
		if (def->type == VPROF_DEF_TWIN)
			error = add_twin(gpu, (const void *)def);
		else if (def->type == VPROF_DEF_GPU)
			error = add_costs(gpu, (const void *)def);
	}
	return error;
}

void gpu_free_defs(struct gpu *gpu)
{
	for (uint32_t i = 0; gpu->plans && i < gpu->graphs.list_count; i++)
		gpu_plan_free(&gpu->plans[i]);
	for (uint32_t i = 0; i < gpu->twin_count; i++)
		free(gpu->twins[i].stamps);
	for (uint32_t i = 0; i < gpu->device_count; i++) {
		gpu_clock_free(&gpu->devices[i].clock);
		free(gpu->devices[i].costs);
	}
	free(gpu->plans);
	free(gpu->planned);
	free(gpu->twins);
	free(gpu->devices);
	idmap_free(&gpu->twin_ids);
	graphs_free(&gpu->graphs);
	objects_free(&gpu->objects);
}

/* ---- launches ---- */

uint64_t gpu_launch_stream(const struct vprof_slot *slot)
{
	switch (slot->kind) {
	case VPROF_KIND_LAUNCH:
		return !slot->launch.stream && slot->launch.flags & VPROF_LAUNCH_PER_THREAD ? 2 : slot->launch.stream;
	case VPROF_KIND_GRAPH_LAUNCH:
		return !slot->graph_launch.stream && slot->graph_launch.flags & VPROF_LAUNCH_PER_THREAD ? 2 :
		       slot->graph_launch.stream;
	case VPROF_KIND_COPY:
		return !slot->copy.stream && slot->object & VPROF_COPY_PER_THREAD ? 2 : slot->copy.stream;
	default:
		return !slot->set.stream && slot->object & VPROF_COPY_PER_THREAD ? 2 : slot->set.stream;
	}
}

int32_t gpu_launch_device(const struct gpu *gpu, const struct vprof_slot *slot)
{
	return gpu_stream_device(gpu, gpu_launch_stream(slot), slot->t0);
}

int32_t gpu_stream_device(const struct gpu *gpu, uint64_t handle, uint64_t ticks)
{
	const struct vprof_def_stream *stream = objects_stream(&gpu->objects, handle, ticks);
	const struct vprof_def_context *context =
		stream ? objects_context(&gpu->objects, stream->context, ticks) : NULL;

	if (stream && stream->device >= 0)
		return stream->device;
	if (context)
		return context->device;
	return gpu->device_count == 1 ? gpu->devices[0].ordinal : -1;
}

/* ---- names ---- */

static const char *name_of(const char *const *names, unsigned int count, unsigned int i)
{
	return i < count && names[i] ? names[i] : "unknown";
}

#define NAME_OF(names, i) name_of(names, sizeof(names) / sizeof((names)[0]), i)

const char *gpu_class_name(unsigned int class)
{
	static const char *const names[] = {
		[VPROF_STAMP_NONE] = "none", [VPROF_STAMP_PROGRAMMATIC] = "programmatic", [VPROF_STAMP_PLAIN] = "plain",
		[VPROF_STAMP_INHERITED] = "inherited", [VPROF_STAMP_COPY] = "copy", [VPROF_STAMP_OTHER] = "other",
		[VPROF_STAMP_STREAM] = "stream", [VPROF_STAMP_GATED] = "gated",
		[VPROF_STAMP_STREAM_COPY] = "stream copy", [VPROF_STAMP_SPAN] = "span", [VPROF_STAMP_OWN] = "own",
		[VPROF_STAMP_LED] = "led", [VPROF_STAMP_FOLLOWING] = "following",
	};

	return NAME_OF(names, class);
}

const char *gpu_why_text(unsigned int why)
{
	static const char *const names[] = {
		[VPROF_TWIN_BUILT] = "built", [VPROF_TWIN_MEMORY_NODE] = "it allocates or frees memory",
		[VPROF_TWIN_CONDITIONAL] = "it has conditional nodes",
		[VPROF_TWIN_DEVICE] = "it is launched or updated from the device",
		[VPROF_TWIN_NO_CLONE] = "the driver did not copy it",
		[VPROF_TWIN_NO_STAMP] = "the driver did not take the stamps",
		[VPROF_TWIN_NO_EXEC] = "the driver did not instantiate it",
		[VPROF_TWIN_BUDGET] = "the budget of twins is used up", [VPROF_TWIN_LARGE] = "it has too many nodes",
		[VPROF_TWIN_UNSEEN] = "its making was not seen",
		[VPROF_TWIN_ORDERED] = "a kernel of it waits for another's beginning",
		[VPROF_TWIN_CHANGED] = "the program has changed it",
		[VPROF_TWIN_UPDATED] = "the program updates it too often for each to be looked at",
		[VPROF_TWIN_CLONES] = "too many graphs are remembered already",
		[VPROF_TWIN_FULL] = "the device has little free memory",
	};

	return NAME_OF(names, why);
}

const char *gpu_mode_name(unsigned int mode)
{
	static const char *const names[] = {
		[VPROF_STAMPS_NONE] = "none", [VPROF_STAMPS_PLAIN] = "plain",
		[VPROF_STAMPS_PROGRAMMATIC] = "programmatic",
	};

	return NAME_OF(names, mode);
}
