/*
 * wrap_array.c - arrays: memory in the driver's own layout, known by a handle.
 *
 * Their size is computed from the descriptor; the driver's padding is not in it. A sparse array and
 * one that is mapped later have no memory of their own.
 */
#include "shim/wrap_memory.h"

enum { ARRAY = VPROF_KIND_BIT(VPROF_MEMORY_ARRAY) };

/* Bits of an element, 0: a format that is not known here. */
static unsigned element_bits(int format, unsigned channels)
{
	switch (format) {
	case 0x01: case 0x08:                       /* 8 bits, unsigned and signed */
	case 0xc0: case 0xc1: case 0xc2: case 0xc6: case 0xc7: case 0xc8: /* and normalized */
		return 8 * channels;
	case 0x02: case 0x09: case 0x10:            /* 16 bits, and half floats */
	case 0xc3: case 0xc4: case 0xc5: case 0xc9: case 0xca: case 0xcb:
		return 16 * channels;
	case 0x03: case 0x0a: case 0x20:            /* 32 bits, and floats */
		return 32 * channels;
	case 0x50:                                  /* 10, 10, 10 and 2 */
		return 32;
	case 0xb0:                                  /* NV12 */
		return 12;
	case 0x91: case 0x92: case 0x97: case 0x98: /* block compression 1 and 4 */
		return 4;
	case 0x93: case 0x94: case 0x95: case 0x96: case 0x99: case 0x9a: case 0x9b: case 0x9c: case 0x9d: case 0x9e:
		return 8;
	default:
		return 0;
	}
}

static size_t half(size_t extent)
{
	return extent > 1 ? extent / 2 : 1;
}

static uint64_t bytes_3d(const CUDA_ARRAY3D_DESCRIPTOR_v2 *d, unsigned levels)
{
	enum { LAYERS = CUDA_ARRAY3D_LAYERED | CUDA_ARRAY3D_CUBEMAP };
	size_t w = d->Width, h = d->Height ? d->Height : 1, depth = d->Depth ? d->Depth : 1;
	uint64_t elements = 0;

	if (d->Flags & (CUDA_ARRAY3D_SPARSE | CUDA_ARRAY3D_DEFERRED_MAPPING))
		return 0;
	for (unsigned level = 0; level < levels && level < 64; level++) {
		elements += (uint64_t)w * h * depth;
		w = half(w);
		h = half(h);
		depth = d->Flags & LAYERS ? depth : half(depth);
	}
	return elements * element_bits(d->Format, d->NumChannels) / 8;
}

static uint64_t bytes_2d(const CUDA_ARRAY_DESCRIPTOR_v2 *d)
{
	CUDA_ARRAY3D_DESCRIPTOR_v2 whole = { d->Width, d->Height, 0, d->Format, d->NumChannels, 0 };

	return bytes_3d(&whole, 1);
}

/* The descriptors of before CUDA 3.2 have narrower extents. */
static uint64_t bytes_2d_old(const CUDA_ARRAY_DESCRIPTOR_v1 *d)
{
	CUDA_ARRAY3D_DESCRIPTOR_v2 whole = { d->Width, d->Height, 0, d->Format, d->NumChannels, 0 };

	return bytes_3d(&whole, 1);
}

static uint64_t bytes_3d_old(const CUDA_ARRAY3D_DESCRIPTOR_v1 *d)
{
	CUDA_ARRAY3D_DESCRIPTOR_v2 whole = { d->Width, d->Height, d->Depth, d->Format, d->NumChannels, d->Flags };

	return bytes_3d(&whole, 1);
}

#define CREATE(name, params, args, size) \
	TAKE_SIZED(name, params, args, ARRAY, VPROF_ARRAY_KEY(WORD(*out)), 0, size, 0)
#define DESTROY(name, type) \
	GIVE(name, (type array), (array), ARRAY, ARRAY, VPROF_ARRAY_KEY(WORD(array)))

CREATE(cuArrayCreate, (CUarray *out, const CUDA_ARRAY_DESCRIPTOR_v1 *d), (out, d), bytes_2d_old(d));
CREATE(cuArrayCreate_v2, (CUarray *out, const CUDA_ARRAY_DESCRIPTOR_v2 *d), (out, d), bytes_2d(d));
CREATE(cuArray3DCreate, (CUarray *out, const CUDA_ARRAY3D_DESCRIPTOR_v1 *d), (out, d), bytes_3d_old(d));
CREATE(cuArray3DCreate_v2, (CUarray *out, const CUDA_ARRAY3D_DESCRIPTOR_v2 *d), (out, d), bytes_3d(d, 1));
CREATE(cuMipmappedArrayCreate, (CUmipmappedArray *out, const CUDA_ARRAY3D_DESCRIPTOR_v2 *d, unsigned levels),
       (out, d, levels), bytes_3d(d, levels));
DESTROY(cuArrayDestroy, CUarray);
DESTROY(cuMipmappedArrayDestroy, CUmipmappedArray);
