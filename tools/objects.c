/*
 * objects.c - reads the definitions of objects; each handle has a chain of them, the newest first.
 */
#include "tools/objects.h"

#include <errno.h>
#include <string.h>

enum { CHAIN_MOST = 4096 }; /* what a ring without end would have us walk */

/* The map and the fields of a type of which a handle is an object; NULL: no such type. */
static struct idmap *map_of(struct objects *objects, const struct vprof_def *def, uint64_t *handle, uint64_t *ticks)
{
	const struct vprof_def_stream *stream = (const void *)def;
	const struct vprof_def_event *event = (const void *)def;
	const struct vprof_def_context *context = (const void *)def;
	const struct vprof_def_module *module = (const void *)def;

	switch (def->type) {
	case VPROF_DEF_STREAM:
		*handle = stream->handle;
		*ticks = stream->ticks;
		return &objects->streams;
	case VPROF_DEF_EVENT:
		*handle = event->handle;
		*ticks = event->ticks;
		return &objects->events;
	case VPROF_DEF_CONTEXT:
		*handle = context->handle;
		*ticks = context->ticks;
		return &objects->contexts;
	case VPROF_DEF_MODULE:
		*handle = module->handle;
		*ticks = module->ticks;
		return &objects->modules;
	default:
		return NULL;
	}
}

static int take_object(struct objects *objects, const struct vprof_def *def)
{
	uint64_t handle, ticks;
	struct idmap *map = map_of(objects, def, &handle, &ticks);

	if (!map)
		return 0;
	objects->list[objects->count] = (struct object){ def, ticks, idmap_get(map, handle) };
	return idmap_put(map, handle, objects->count++);
}

static int take(struct objects *objects, const struct vprof_def *def)
{
	const struct vprof_def_facts *facts = (const void *)def;
	const struct vprof_def_device *device = (const void *)def;

	if (def->type == VPROF_DEF_DEVICE && device->ordinal >= 0 && device->ordinal < OBJECTS_DEVICES)
		objects->devices[device->ordinal] = device;
	if (def->type == VPROF_DEF_FACTS)
		return idmap_put(&objects->facts, facts->kernel, ring_def_id(objects->ring, def));
	return take_object(objects, def);
}

int objects_read(struct objects *objects, const struct ring *ring)
{
	const struct vprof_def *def;
	uint64_t handle, ticks;
	uint32_t count = 0;
	int error = 0;

	*objects = (struct objects){ .ring = ring };
	for (def = ring_def_next(ring, NULL); def; def = ring_def_next(ring, def))
		count += map_of(objects, def, &handle, &ticks) != NULL;
	objects->list = calloc((size_t)count + 1, sizeof(*objects->list));
	if (!objects->list)
		return -ENOMEM;
	for (def = ring_def_next(ring, NULL); def && !error; def = ring_def_next(ring, def))
		error = take(objects, def);
	return error;
}

void objects_free(struct objects *objects)
{
	free(objects->list);
	idmap_free(&objects->streams);
	idmap_free(&objects->events);
	idmap_free(&objects->contexts);
	idmap_free(&objects->modules);
	idmap_free(&objects->facts);
}

static const void *find(const struct objects *objects, const struct idmap *map, uint64_t handle, uint64_t ticks)
{
	uint32_t at = handle ? idmap_get(map, handle) : IDMAP_NONE;

	for (int i = 0; at != IDMAP_NONE && i < CHAIN_MOST; i++, at = objects->list[at].earlier)
		if (objects->list[at].ticks <= ticks)
			return objects->list[at].def;
	return NULL;
}

const struct vprof_def_stream *objects_stream(const struct objects *objects, uint64_t handle, uint64_t ticks)
{
	return find(objects, &objects->streams, handle, ticks);
}

const struct vprof_def_event *objects_event(const struct objects *objects, uint64_t handle, uint64_t ticks)
{
	return find(objects, &objects->events, handle, ticks);
}

const struct vprof_def_context *objects_context(const struct objects *objects, uint64_t handle, uint64_t ticks)
{
	return find(objects, &objects->contexts, handle, ticks);
}

const struct vprof_def_module *objects_module(const struct objects *objects, uint64_t handle, uint64_t ticks)
{
	return find(objects, &objects->modules, handle, ticks);
}

const struct vprof_def_module *objects_loaded(const struct objects *objects, uint64_t handle, uint64_t ticks)
{
	uint32_t at = handle ? idmap_get(&objects->modules, handle) : IDMAP_NONE;
	const struct vprof_def *first = NULL;

	for (int i = 0; at != IDMAP_NONE && i < CHAIN_MOST; i++, at = objects->list[at].earlier) {
		if (objects->list[at].ticks < ticks)
			break;
		first = objects->list[at].def;
	}
	return (const void *)first;
}

const struct vprof_def_facts *objects_facts(const struct objects *objects, uint32_t kernel)
{
	uint32_t id = idmap_get(&objects->facts, kernel);

	return id == IDMAP_NONE ? NULL : ring_def(objects->ring, id, VPROF_DEF_FACTS);
}

const struct vprof_def_device *objects_device(const struct objects *objects, int32_t ordinal)
{
	return ordinal >= 0 && ordinal < OBJECTS_DEVICES ? objects->devices[ordinal] : NULL;
}

const char *image_name(uint32_t image)
{
	static const char *const names[] = {
		[VPROF_IMAGE_CUBIN] = "cubin",
		[VPROF_IMAGE_FATBIN] = "fatbin",
		[VPROF_IMAGE_PTX] = "PTX",
		[VPROF_IMAGE_LTOIR] = "LTO-IR",
	};

	return image < sizeof(names) / sizeof(names[0]) && names[image] ? names[image] : "unknown";
}
