/*
 * images.h - the GPU code in a file: a cubin, a fatbin, or a program or library with fatbins in it.
 *
 * A fatbin holds a cubin or a PTX text for each of several architectures, each by itself plain or
 * packed with zstd or LZ4. They are read and unpacked one at a time, so that a library of a
 * gigabyte takes no more memory than its largest image. No image of more than 256 MiB is read.
 */
#ifndef VPROF_TOOLS_IMAGES_H
#define VPROF_TOOLS_IMAGES_H

#include <stddef.h>
#include <stdint.h>

enum image_kind { IMAGE_CUBIN, IMAGE_PTX, IMAGE_OTHER };

struct image {
	enum image_kind kind;
	uint32_t number;       /* 1, 2, ... in the file */
	uint32_t sm;           /* as the fatbin says; 0: it is the file itself */
	const char *packing;   /* "none", "zstd", "LZ4" */
	uint64_t packed, size; /* bytes in the file; bytes unpacked */
	void *bytes;           /* NULL: cannot be had, see `why`. The callee may use it until it returns */
	const char *why;
};

/*
 * Calls see() for each image in the file, in their order, until it returns other than 0. Returns
 * what it returned, 0 at the end, or a negative errno with a sentence in `why`.
 */
int images_each(const char *path, int (*see)(void *context, const struct image *image), void *context,
		char *why, size_t why_size);

#endif
