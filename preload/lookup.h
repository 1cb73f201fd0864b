/*
 * lookup.h - the C half of dlsym and dlvsym (dlsym_ARCH.S is the other).
 */
#ifndef VPROF_PRELOAD_LOOKUP_H
#define VPROF_PRELOAD_LOOKUP_H

#include "preload/compiler.h"

/* Finds the dlsym and dlvsym behind ours. Any thread, any time; idempotent. */
void vprof_lookup_init(void) HIDDEN;

/*
 * Called by the trampoline for names that look like the driver's: 1 when the lookup goes
 * to the C functions below, 0 when it leaves with the caller's own identity. `caller`: an
 * address in its code.
 */
int vprof_lookup_takes(void *handle, const char *name, const void *caller) HIDDEN;

void *vprof_lookup_dlsym(void *handle, const char *name) HIDDEN;
void *vprof_lookup_dlvsym(void *handle, const char *name, const char *version) HIDDEN;

extern void *(*vprof_real_dlvsym)(void *handle, const char *name, const char *version) HIDDEN;

#endif
