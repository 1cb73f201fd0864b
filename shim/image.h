/*
 * image.h - what a program gives the driver to load: which kind, how large.
 */
#ifndef VPROF_SHIM_IMAGE_H
#define VPROF_SHIM_IMAGE_H

#include <stdint.h>
#include "preload/compiler.h"
#include "vprof/ring.h"

struct vprof_image_bytes {
	const void *bytes;       /* where it begins: behind a fatbin's wrapper */
	uint64_t size;           /* 0: not known */
	enum vprof_image kind;
};

/* Of an image that the driver has loaded, and so has read itself. */
struct vprof_image_bytes vprof_image_find(const void *image) HIDDEN COLD;

/* The kind that a file begins as, from its first bytes (zeroes behind its end). */
enum { VPROF_IMAGE_HEAD = 16 };
enum vprof_image vprof_image_kind(const uint8_t head[VPROF_IMAGE_HEAD]) HIDDEN COLD;

/*
 * A module or library has been loaded from an image in memory, or from a file: defines it, and
 * saves it when that is asked for. Returns its size, 0 when it is not known.
 */
uint64_t vprof_module_loaded(const void *handle, const void *image, const char *file) HIDDEN COLD;

/* When the module or library that now has this handle was loaded; 0: not known. */
uint64_t vprof_module_ticks(const void *handle) HIDDEN COLD;

/* Makes the table; modules of a new ring are counted from 1. */
void vprof_modules_init(void) HIDDEN;
void vprof_modules_forget(void) HIDDEN;

#endif
