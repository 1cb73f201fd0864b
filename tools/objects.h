/*
 * objects.h - what handles of a ring stood for: streams, events, contexts, modules; devices; and
 * what kernels need.
 *
 * A handle is given out again when its object has gone, so it is looked up together with
 * the moment at which it was used.
 *
 * OWNERSHIP. Definitions belong to the ring. THREADS. Several may look up while none reads.
 */
#ifndef VPROF_TOOLS_OBJECTS_H
#define VPROF_TOOLS_OBJECTS_H

#include "tools/idmap.h"
#include "tools/ring.h"

enum { OBJECTS_DEVICES = 64 };

struct object {
	const struct vprof_def *def;
	uint64_t ticks;          /* from when on */
	uint32_t earlier;        /* index of what the handle stood for before; IDMAP_NONE: nothing */
};

struct objects {
	struct object *list;
	uint32_t count;
	struct idmap streams, events, contexts, modules; /* handle: index of the last */
	struct idmap facts;      /* of a kernel's id: id of the definition */
	const struct ring *ring;
	const struct vprof_def_device *devices[OBJECTS_DEVICES]; /* by ordinal; NULL: not known */
};

/* 0 or -ENOMEM; to be freed in both cases. */
int objects_read(struct objects *objects, const struct ring *ring);
void objects_free(struct objects *objects);

/* What the handle stood for at that moment; NULL: not known. */
const struct vprof_def_stream *objects_stream(const struct objects *objects, uint64_t handle, uint64_t ticks);
const struct vprof_def_event *objects_event(const struct objects *objects, uint64_t handle, uint64_t ticks);
const struct vprof_def_context *objects_context(const struct objects *objects, uint64_t handle, uint64_t ticks);
const struct vprof_def_module *objects_module(const struct objects *objects, uint64_t handle, uint64_t ticks);

/* What a call that returned at that moment had loaded. */
const struct vprof_def_module *objects_loaded(const struct objects *objects, uint64_t handle, uint64_t ticks);

/* Of a kernel, by its definition's id. */
const struct vprof_def_facts *objects_facts(const struct objects *objects, uint32_t kernel);
const struct vprof_def_device *objects_device(const struct objects *objects, int32_t ordinal);

/* "cubin", "fatbin", ... */
const char *image_name(uint32_t image);

#endif
