/*
 * wrap_memory.h - the forms of the wrappers of wrap_memory.c, wrap_vmm.c and wrap_array.c.
 */
#ifndef VPROF_SHIM_WRAP_MEMORY_H
#define VPROF_SHIM_WRAP_MEMORY_H

#include "shim/memory.h"
#include "shim/wrap.h"

#define FILL_MEMORY(where, size, what, on) \
	fill_head(r.slot, VPROF_KIND_MEMORY, call, object); \
	fill_words(r.slot, WORD(where), size, what, WORD(on))

#define MEMORY(which, where, size, what, on) \
	((struct vprof_memory){ call, VPROF_MEMORY_##which, where, size, what, on })

/* A call that takes memory; `where` and `size` may look at what the driver returned. */
#define TAKE_SIZED(name, params, args, which, where, asked, size, what) \
	WRAP_KEEP(EXPORT, name, params, args, , FILL_MEMORY(0, asked, what, 0), \
		  object = vprof_memory_take(&MEMORY(which, where, size, what, 0)), \
		  r.slot->object = object; r.slot->memory.address = where; r.slot->memory.bytes = size)
#define TAKE(name, params, args, which, where, asked, what) \
	TAKE_SIZED(name, params, args, which, where, asked, asked, what)

#define DONE_GIVEN(found) \
	r.slot->object = object; r.slot->memory.bytes = (object & VPROF_MEMORY_GIVE) ? (found).was.bytes : 0

/* A call that gives back what is held by one of `kinds`, `which` when it is not known. */
#define GIVE(name, params, args, which, kinds, where) \
	WRAP_KEEP(EXPORT, name, params, args, struct vprof_found found = vprof_memory_find(where, kinds), \
		  FILL_MEMORY(where, 0, 0, 0), \
		  object = vprof_memory_give(&found, VPROF_MEMORY_##which, where), DONE_GIVEN(found))

#endif
