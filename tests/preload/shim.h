/*
 * shim.h - the shim's side of the library, for a program without CUDA.
 */
#ifndef TESTS_PRELOAD_SHIM_H
#define TESTS_PRELOAD_SHIM_H

#include "preload/inner.h"

void *vprof_shim_swap(const char *name, void *real) { (void)name; return real; }
int vprof_shim_owns(const void *address) { (void)address; return 0; }
void vprof_shim_start(void) {}
int vprof_shim_has_driver(void) { return 1; }
void vprof_shim_ring_ready(void) {}
uint64_t vprof_shim_gpu_round(void) { return UINT64_MAX; }
void vprof_shim_leave(void) {}
void *(*vprof_real_dlsym)(void *, const char *);

#endif
