/*
 * copy.c - copies and fills: checking them and doing them.
 *
 * Every copy of the API becomes a CUDA_MEMCPY3D_v2 and every fill a
 * CUDA_MEMSET_NODE_PARAMS, the forms in which graph nodes hold them.
 */
#include <string.h>

#include "tests/fakecuda/fake.h"

struct place { /* one end of a copy */
	uint8_t *base;
	size_t pitch, slice;
};

static struct place place_of(CUmemorytype type, const void *host, CUdeviceptr device,
	CUarray array, size_t pitch, size_t height, const size_t at[3], const CUDA_MEMCPY3D_v2 *c)
{
	struct place p = { .pitch = pitch ? pitch : c->WidthInBytes };

	if (type == CU_MEMORYTYPE_ARRAY) {
		p.base = array->data;
		p.pitch = array->width;
		height = array->height;
	} else {
		p.base = type == CU_MEMORYTYPE_HOST ? (uint8_t *)host : (uint8_t *)(uintptr_t)device;
	}
	p.slice = p.pitch * (height ? height : c->Height);
	p.base += at[2] * p.slice + at[1] * p.pitch + at[0];
	return p;
}

static struct place place_src(const CUDA_MEMCPY3D_v2 *c)
{
	return place_of(c->srcMemoryType, c->srcHost, c->srcDevice, c->srcArray, c->srcPitch,
		c->srcHeight, (const size_t[]){ c->srcXInBytes, c->srcY, c->srcZ }, c);
}

static struct place place_dst(const CUDA_MEMCPY3D_v2 *c)
{
	return place_of(c->dstMemoryType, c->dstHost, c->dstDevice, c->dstArray, c->dstPitch,
		c->dstHeight, (const size_t[]){ c->dstXInBytes, c->dstY, c->dstZ }, c);
}

void fk_copy_run(const CUDA_MEMCPY3D_v2 *c)
{
	struct place src = place_src(c), dst = place_dst(c);

	for (size_t z = 0; z < c->Depth; z++)
		for (size_t y = 0; y < c->Height; y++)
			memmove(dst.base + z * dst.slice + y * dst.pitch,
				src.base + z * src.slice + y * src.pitch, c->WidthInBytes);
}

/* Bytes from the first to the last one that the copy touches. */
static size_t extent(const struct place *p, const CUDA_MEMCPY3D_v2 *c)
{
	return (c->Depth - 1) * p->slice + (c->Height - 1) * p->pitch + c->WidthInBytes;
}

static CUresult place_check(const struct place *p, CUmemorytype type, CUarray array,
	const CUDA_MEMCPY3D_v2 *c)
{
	struct fk_range range;

	switch (type) {
	case CU_MEMORYTYPE_HOST:
		return p->base ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
	case CU_MEMORYTYPE_ARRAY:
		return fk_is(array, FK_ARRAY) && p->base + extent(p, c) <=
			array->data + array->width * array->height * array->depth ?
			CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
	case CU_MEMORYTYPE_UNIFIED: /* any host address will do too */
		return p->base ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
	case CU_MEMORYTYPE_DEVICE:
		return fk_memory_find((CUdeviceptr)(uintptr_t)p->base, extent(p, c), &range) ?
			CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
	default:
		return CUDA_ERROR_INVALID_VALUE;
	}
}

CUresult fk_copy_check(const CUDA_MEMCPY3D_v2 *c)
{
	struct place src, dst;
	CUresult result;

	if ((c->srcMemoryType == CU_MEMORYTYPE_ARRAY && !fk_is(c->srcArray, FK_ARRAY)) ||
	    (c->dstMemoryType == CU_MEMORYTYPE_ARRAY && !fk_is(c->dstArray, FK_ARRAY)))
		return CUDA_ERROR_INVALID_HANDLE;
	if (!c->WidthInBytes || !c->Height || !c->Depth)
		return CUDA_SUCCESS;
	src = place_src(c);
	dst = place_dst(c);
	if (src.pitch < c->WidthInBytes || dst.pitch < c->WidthInBytes)
		return CUDA_ERROR_INVALID_VALUE;
	result = place_check(&src, c->srcMemoryType, c->srcArray, c);
	return result ? result : place_check(&dst, c->dstMemoryType, c->dstArray, c);
}

static bool pageable(CUmemorytype type, const void *host, CUdeviceptr device)
{
	CUdeviceptr address = type == CU_MEMORYTYPE_HOST ? (CUdeviceptr)(uintptr_t)host : device;
	struct fk_range range;

	return (type == CU_MEMORYTYPE_HOST || type == CU_MEMORYTYPE_UNIFIED) &&
		!fk_memory_find(address, 1, &range);
}

/* An "asynchronous" copy of such memory is done when the call returns. */
bool fk_copy_is_pageable(const CUDA_MEMCPY3D_v2 *c)
{
	return pageable(c->srcMemoryType, c->srcHost, c->srcDevice) ||
		pageable(c->dstMemoryType, c->dstHost, c->dstDevice);
}

void fk_set_run(const CUDA_MEMSET_NODE_PARAMS *s)
{
	for (size_t y = 0; y < s->height; y++) {
		uint8_t *row = (uint8_t *)(uintptr_t)s->dst + y * s->pitch;

		for (size_t x = 0; x < s->width; x++)
			memcpy(row + x * s->elementSize, &s->value, s->elementSize); /* little-endian */
	}
}

CUresult fk_set_check(const CUDA_MEMSET_NODE_PARAMS *s)
{
	struct fk_range range;
	size_t row = s->width * s->elementSize;

	if (s->elementSize != 1 && s->elementSize != 2 && s->elementSize != 4)
		return CUDA_ERROR_INVALID_VALUE;
	if (!row || !s->height)
		return CUDA_SUCCESS;
	if (s->dst % s->elementSize || (s->height > 1 && s->pitch < row))
		return CUDA_ERROR_INVALID_VALUE;
	return fk_memory_find(s->dst, (s->height - 1) * s->pitch + row, &range) ? CUDA_SUCCESS :
		CUDA_ERROR_INVALID_VALUE;
}
