/*
 * elf.h - loaded objects and their symbols, without the dl* functions.
 *
 * Safe from any thread, before any constructor, and with no effect on dlerror().
 * Not for signal handlers: dl_iterate_phdr() takes the loader's lock.
 */
#ifndef VPROF_PRELOAD_ELF_H
#define VPROF_PRELOAD_ELF_H

#include "preload/inner.h"

/* The loaded object that holds `address`: 0 or -ENOENT. */
int vprof_object_at(const void *address, struct vprof_object *object) HIDDEN;

/* The first definition of `symbol` behind the object that holds `address`; NULL: none. */
void *vprof_symbol_behind(const void *address, const char *symbol) HIDDEN;

/*
 * Our own file's name, as the loader was given it; NULL when we were not loaded with the program,
 * before its libc, but by a dlopen() of somebody's. Stays where it is.
 */
const char *vprof_own_path(void) HIDDEN;

#endif
