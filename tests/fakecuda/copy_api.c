/*
 * copy_api.c - cuMemcpy* and cuMemset* in all their forms.
 *
 * Four forms of each: 32-bit (no suffix, where _v2 exists), 64-bit, and of the
 * 64-bit one the form for the per-thread default stream: _ptds when it takes no
 * stream, _ptsz when it does.
 */
#include <stdlib.h>

#include "tests/fakecuda/fake.h"

enum { H = CU_MEMORYTYPE_HOST, D = CU_MEMORYTYPE_DEVICE, A = CU_MEMORYTYPE_ARRAY,
	U = CU_MEMORYTYPE_UNIFIED };
typedef unsigned int u32;

/* One end of a linear copy: an address, or an array and an offset in it. */
struct end {
	CUmemorytype type;
	const void *host;
	CUdeviceptr device;
	CUarray array;
	size_t offset;
};

static struct end end_h(const void *p) { return (struct end){ .type = H, .host = p }; }
static struct end end_d(CUdeviceptr p) { return (struct end){ .type = D, .device = p }; }
static struct end end_u(CUdeviceptr p) { return (struct end){ .type = U, .device = p }; }
static struct end end_a(CUarray array, size_t at)
{
	return (struct end){ .type = A, .array = array, .offset = at };
}

static CUresult copy_submit(const CUDA_MEMCPY3D_v2 *copy, CUstream stream, bool wait)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_MEMCPY };
	CUresult result;

	if (!copy)
		return CUDA_ERROR_INVALID_VALUE;
	if (!stream)
		return CUDA_ERROR_INVALID_HANDLE;
	work.copy = *copy;
	result = fk_copy_check(copy);
	if (result)
		return result;
	if (!copy->WidthInBytes || !copy->Height || !copy->Depth)
		return CUDA_SUCCESS;
	result = fk_submit(stream, &work);
	if (result || stream->capture)
		return result;
	return wait || fk_copy_is_pageable(copy) ? fk_stream_wait(stream) : CUDA_SUCCESS;
}

static CUresult linear(struct end dst, struct end src, size_t bytes, CUstream stream, bool wait)
{
	CUDA_MEMCPY3D_v2 copy = {
		.srcMemoryType = src.type, .srcHost = src.host, .srcDevice = src.device,
		.srcArray = src.array, .srcXInBytes = src.offset,
		.dstMemoryType = dst.type, .dstHost = (void *)dst.host, .dstDevice = dst.device,
		.dstArray = dst.array, .dstXInBytes = dst.offset,
		.WidthInBytes = bytes, .Height = 1, .Depth = 1,
	};

	return copy_submit(&copy, stream, wait);
}

#define LINEAR(dst, src, bytes, stream, wait) \
	linear(dst, src, bytes, fk_stream_get(stream, pts), wait)

/* A kind of copy: its name, how each end is declared in 32 and 64 bits, and what it is. */
#define COPY_SYNC(name, d32, d64, dst, s32, s64, src) \
	FK_API(FK_CTX | FK_WORK, name, (d32, s32, u32 n), LINEAR(dst, src, n, NULL, true)) \
	FK_API_PT(FK_CTX | FK_WORK, name##_v2, _ptds, (d64, s64, size_t n), \
		LINEAR(dst, src, n, NULL, true))
#define COPY_ASYNC(name, d32, d64, dst, s32, s64, src) \
	FK_API(FK_CTX | FK_WORK, name, (d32, s32, u32 n, CUstream st), LINEAR(dst, src, n, st, false)) \
	FK_API_PT(FK_CTX | FK_WORK, name##_v2, _ptsz, (d64, s64, size_t n, CUstream st), \
		LINEAR(dst, src, n, st, false))
#define DEV32_D CUdeviceptr_v1 dst
#define DEV64_D CUdeviceptr dst
#define DEV32_S CUdeviceptr_v1 src
#define DEV64_S CUdeviceptr src
#define HOST_D void *dst
#define HOST_S const void *src
#define ARR32_D CUarray dst, u32 dst_at
#define ARR64_D CUarray dst, size_t dst_at
#define ARR32_S CUarray src, u32 src_at
#define ARR64_S CUarray src, size_t src_at

COPY_SYNC(cuMemcpyHtoD, DEV32_D, DEV64_D, end_d(dst), HOST_S, HOST_S, end_h(src))
COPY_SYNC(cuMemcpyDtoH, HOST_D, HOST_D, end_h(dst), DEV32_S, DEV64_S, end_d(src))
COPY_SYNC(cuMemcpyDtoD, DEV32_D, DEV64_D, end_d(dst), DEV32_S, DEV64_S, end_d(src))
COPY_SYNC(cuMemcpyDtoA, ARR32_D, ARR64_D, end_a(dst, dst_at), DEV32_S, DEV64_S, end_d(src))
COPY_SYNC(cuMemcpyAtoD, DEV32_D, DEV64_D, end_d(dst), ARR32_S, ARR64_S, end_a(src, src_at))
COPY_SYNC(cuMemcpyHtoA, ARR32_D, ARR64_D, end_a(dst, dst_at), HOST_S, HOST_S, end_h(src))
COPY_SYNC(cuMemcpyAtoH, HOST_D, HOST_D, end_h(dst), ARR32_S, ARR64_S, end_a(src, src_at))
COPY_SYNC(cuMemcpyAtoA, ARR32_D, ARR64_D, end_a(dst, dst_at), ARR32_S, ARR64_S, end_a(src, src_at))
COPY_ASYNC(cuMemcpyHtoDAsync, DEV32_D, DEV64_D, end_d(dst), HOST_S, HOST_S, end_h(src))
COPY_ASYNC(cuMemcpyDtoHAsync, HOST_D, HOST_D, end_h(dst), DEV32_S, DEV64_S, end_d(src))
COPY_ASYNC(cuMemcpyDtoDAsync, DEV32_D, DEV64_D, end_d(dst), DEV32_S, DEV64_S, end_d(src))
COPY_ASYNC(cuMemcpyHtoAAsync, ARR32_D, ARR64_D, end_a(dst, dst_at), HOST_S, HOST_S, end_h(src))
COPY_ASYNC(cuMemcpyAtoHAsync, HOST_D, HOST_D, end_h(dst), ARR32_S, ARR64_S, end_a(src, src_at))

/* Those without a 32-bit form. */
FK_API_PT(FK_CTX | FK_WORK, cuMemcpy, _ptds,
	(CUdeviceptr dst, CUdeviceptr src, size_t n), LINEAR(end_u(dst), end_u(src), n, NULL, true))
FK_API_PT(FK_CTX | FK_WORK, cuMemcpyAsync, _ptsz,
	(CUdeviceptr dst, CUdeviceptr src, size_t n, CUstream st),
	LINEAR(end_u(dst), end_u(src), n, st, false))
FK_API_PT(FK_CTX | FK_WORK, cuMemcpyPeer, _ptds,
	(CUdeviceptr dst, CUcontext to, CUdeviceptr src, CUcontext from, size_t n),
	(void)to, (void)from, LINEAR(end_d(dst), end_d(src), n, NULL, true))
FK_API_PT(FK_CTX | FK_WORK, cuMemcpyPeerAsync, _ptsz,
	(CUdeviceptr dst, CUcontext to, CUdeviceptr src, CUcontext from, size_t n, CUstream st),
	(void)to, (void)from, LINEAR(end_d(dst), end_d(src), n, st, false))

/* ---- copies by descriptor -------------------------------------------------- */

struct copy2d_v1 { /* CUDA_MEMCPY2D_v1 */
	u32 srcXInBytes, srcY; CUmemorytype srcMemoryType; const void *srcHost;
	CUdeviceptr_v1 srcDevice; CUarray srcArray; u32 srcPitch;
	u32 dstXInBytes, dstY; CUmemorytype dstMemoryType; void *dstHost;
	CUdeviceptr_v1 dstDevice; CUarray dstArray; u32 dstPitch;
	u32 WidthInBytes, Height;
};
_Static_assert(sizeof(struct copy2d_v1) == 96, "CUDA_MEMCPY2D_v1");

struct copy3d_v1 { /* CUDA_MEMCPY3D_v1 */
	u32 srcXInBytes, srcY, srcZ, srcLOD; CUmemorytype srcMemoryType; const void *srcHost;
	CUdeviceptr_v1 srcDevice; CUarray srcArray; void *reserved0; u32 srcPitch, srcHeight;
	u32 dstXInBytes, dstY, dstZ, dstLOD; CUmemorytype dstMemoryType; void *dstHost;
	CUdeviceptr_v1 dstDevice; CUarray dstArray; void *reserved1; u32 dstPitch, dstHeight;
	u32 WidthInBytes, Height, Depth;
};
_Static_assert(sizeof(struct copy3d_v1) == 144, "CUDA_MEMCPY3D_v1");

#define FROM_2D(p) \
	.srcXInBytes = (p)->srcXInBytes, .srcY = (p)->srcY, .srcMemoryType = (p)->srcMemoryType, \
	.srcHost = (p)->srcHost, .srcDevice = (p)->srcDevice, .srcArray = (p)->srcArray, \
	.srcPitch = (p)->srcPitch, .dstXInBytes = (p)->dstXInBytes, .dstY = (p)->dstY, \
	.dstMemoryType = (p)->dstMemoryType, .dstHost = (p)->dstHost, .dstDevice = (p)->dstDevice, \
	.dstArray = (p)->dstArray, .dstPitch = (p)->dstPitch, .WidthInBytes = (p)->WidthInBytes, \
	.Height = (p)->Height
#define TO_3D(p) (!(p) ? NULL : &(CUDA_MEMCPY3D_v2){ FROM_2D(p), .Depth = 1 })
#define FROM_3D(p) (!(p) ? NULL : &(CUDA_MEMCPY3D_v2){ FROM_2D(p), \
	.srcZ = (p)->srcZ, .srcHeight = (p)->srcHeight, .dstZ = (p)->dstZ, \
	.dstHeight = (p)->dstHeight, .Depth = (p)->Depth })

#define BLOCK(type, convert) \
	(const type *p), copy_submit(convert(p), fk_stream_get(NULL, pts), true)
#define BLOCK_ASYNC(type, convert) \
	(const type *p, CUstream st), copy_submit(convert(p), fk_stream_get(st, pts), false)
#define FLAGS (FK_CTX | FK_WORK)
/* The descriptor's macros are arguments of FK_API only once expanded. */
#define ROW(...) FK_API(__VA_ARGS__)
#define ROW_PT(...) FK_API_PT(__VA_ARGS__)

ROW(FLAGS, cuMemcpy2D, BLOCK(struct copy2d_v1, TO_3D))
ROW_PT(FLAGS, cuMemcpy2D_v2, _ptds, BLOCK(CUDA_MEMCPY2D_v2, TO_3D))
ROW(FLAGS, cuMemcpy2DUnaligned, BLOCK(struct copy2d_v1, TO_3D))
ROW_PT(FLAGS, cuMemcpy2DUnaligned_v2, _ptds, BLOCK(CUDA_MEMCPY2D_v2, TO_3D))
ROW(FLAGS, cuMemcpy3D, BLOCK(struct copy3d_v1, FROM_3D))
ROW_PT(FLAGS, cuMemcpy3D_v2, _ptds, BLOCK(CUDA_MEMCPY3D_v2, FROM_3D))
ROW_PT(FLAGS, cuMemcpy3DPeer, _ptds, BLOCK(CUDA_MEMCPY3D_PEER, FROM_3D))
ROW(FLAGS, cuMemcpy2DAsync, BLOCK_ASYNC(struct copy2d_v1, TO_3D))
ROW_PT(FLAGS, cuMemcpy2DAsync_v2, _ptsz, BLOCK_ASYNC(CUDA_MEMCPY2D_v2, TO_3D))
ROW(FLAGS, cuMemcpy3DAsync, BLOCK_ASYNC(struct copy3d_v1, FROM_3D))
ROW_PT(FLAGS, cuMemcpy3DAsync_v2, _ptsz, BLOCK_ASYNC(CUDA_MEMCPY3D_v2, FROM_3D))
ROW_PT(FLAGS, cuMemcpy3DPeerAsync, _ptsz, BLOCK_ASYNC(CUDA_MEMCPY3D_PEER, FROM_3D))

/* ---- batches --------------------------------------------------------------- */

static CUresult batch(const CUdeviceptr *dsts, const CUdeviceptr *srcs, const size_t *sizes,
	size_t count, size_t *failed, CUstream stream)
{
	CUresult result = count && dsts && srcs && sizes ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;

	for (size_t i = 0; i < count && !result; i++) {
		result = linear(end_u(dsts[i]), end_u(srcs[i]), sizes[i], stream, false);
		if (result && failed)
			*failed = i;
	}
	return result;
}

#define BATCH_ARGS CUdeviceptr *dsts, CUdeviceptr *srcs, size_t *sizes, size_t count, \
	void *attrs, size_t *attr_at, size_t attr_count
FK_API_PT(FLAGS, cuMemcpyBatchAsync, _ptsz, (BATCH_ARGS, size_t *failed, CUstream st),
	(void)attrs, (void)attr_at, (void)attr_count,
	batch(dsts, srcs, sizes, count, failed, fk_stream_get(st, pts)))
FK_API_PT(FLAGS, cuMemcpyBatchAsync_v2, _ptsz, (BATCH_ARGS, CUstream st),
	(void)attrs, (void)attr_at, (void)attr_count,
	batch(dsts, srcs, sizes, count, NULL, fk_stream_get(st, pts)))

struct operand { /* CUmemcpy3DOperand */
	int type; /* 1: pointer, 2: array */
	union {
		struct { CUdeviceptr address; size_t row, layer; CUmemLocation hint; } pointer;
		struct { CUarray array; size_t x, y, z; } array;
	};
};
struct batch_op { /* CUDA_MEMCPY3D_BATCH_OP */
	struct operand src, dst;
	size_t width, height, depth;
	int order;
	unsigned int flags;
};
_Static_assert(sizeof(struct batch_op) == 112, "CUDA_MEMCPY3D_BATCH_OP");

static CUresult batch_3d(const struct batch_op *ops, size_t count, size_t *failed, CUstream stream)
{
	CUresult result = count && ops ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;

	for (size_t i = 0; i < count && !result; i++) {
		const struct batch_op *op = &ops[i];
		CUDA_MEMCPY3D_v2 copy = {
			.srcMemoryType = U, .srcDevice = op->src.pointer.address,
			.srcPitch = op->src.pointer.row, .srcHeight = op->src.pointer.layer,
			.dstMemoryType = U, .dstDevice = op->dst.pointer.address,
			.dstPitch = op->dst.pointer.row, .dstHeight = op->dst.pointer.layer,
			.WidthInBytes = op->width, .Height = op->height, .Depth = op->depth,
		};

		result = op->src.type == 1 && op->dst.type == 1 ? copy_submit(&copy, stream, false) :
			CUDA_ERROR_NOT_SUPPORTED;
		if (result && failed)
			*failed = i;
	}
	return result;
}

FK_API_PT(FLAGS, cuMemcpy3DBatchAsync, _ptsz,
	(size_t count, struct batch_op *ops, size_t *failed, unsigned long long flags, CUstream st),
	(void)flags, batch_3d(ops, count, failed, fk_stream_get(st, pts)))
FK_API_PT(FLAGS, cuMemcpy3DBatchAsync_v2, _ptsz,
	(size_t count, struct batch_op *ops, unsigned long long flags, CUstream st),
	(void)flags, batch_3d(ops, count, NULL, fk_stream_get(st, pts)))

/* ---- fills ----------------------------------------------------------------- */

static CUresult fill(CUdeviceptr dst, size_t pitch, u32 value, u32 size, size_t width, size_t height,
	CUstream stream)
{
	struct fk_work work = {
		.type = CU_GRAPH_NODE_TYPE_MEMSET, .set = { dst, pitch, value, size, width, height },
	};
	CUresult result = stream ? fk_set_check(&work.set) : CUDA_ERROR_INVALID_HANDLE;

	return result ? result : fk_submit(stream, &work);
}

#define FILL(bits, type) \
	FK_API(FLAGS, cuMemsetD##bits, (CUdeviceptr_v1 dst, type value, u32 n), \
		fill(dst, 0, value, bits / 8, n, 1, fk_stream_get(NULL, pts))) \
	FK_API_PT(FLAGS, cuMemsetD##bits##_v2, _ptds, (CUdeviceptr dst, type value, size_t n), \
		fill(dst, 0, value, bits / 8, n, 1, fk_stream_get(NULL, pts))) \
	FK_API_PT(FLAGS, cuMemsetD##bits##Async, _ptsz, \
		(CUdeviceptr dst, type value, size_t n, CUstream st), \
		fill(dst, 0, value, bits / 8, n, 1, fk_stream_get(st, pts))) \
	FK_API(FLAGS, cuMemsetD2D##bits, (CUdeviceptr_v1 dst, u32 pitch, type value, u32 w, u32 h), \
		fill(dst, pitch, value, bits / 8, w, h, fk_stream_get(NULL, pts))) \
	FK_API_PT(FLAGS, cuMemsetD2D##bits##_v2, _ptds, \
		(CUdeviceptr dst, size_t pitch, type value, size_t w, size_t h), \
		fill(dst, pitch, value, bits / 8, w, h, fk_stream_get(NULL, pts))) \
	FK_API_PT(FLAGS, cuMemsetD2D##bits##Async, _ptsz, \
		(CUdeviceptr dst, size_t pitch, type value, size_t w, size_t h, CUstream st), \
		fill(dst, pitch, value, bits / 8, w, h, fk_stream_get(st, pts)))

FILL(8, unsigned char)
FILL(16, unsigned short)
FILL(32, unsigned int)

/* ---- arrays ---------------------------------------------------------------- */

struct array_desc { /* CUDA_ARRAY_DESCRIPTOR_v2 */
	size_t width, height;
	int format;
	unsigned int channels;
};

static CUresult array_create(CUarray *out, const struct array_desc *desc)
{
	static const unsigned char bytes[] = { [1] = 1, [2] = 2, [3] = 4, [8] = 1, [9] = 2, [10] = 4,
		[16] = 2, [32] = 4 };
	CUarray array;

	if (!out || !desc || !desc->width || !desc->channels || desc->format < 0 ||
	    desc->format >= (int)sizeof(bytes) || !bytes[desc->format])
		return CUDA_ERROR_INVALID_VALUE;
	array = fk_new(FK_ARRAY, sizeof(*array));
	if (!array)
		return CUDA_ERROR_OUT_OF_MEMORY;
	array->width = desc->width * desc->channels * bytes[desc->format];
	array->height = desc->height ? desc->height : 1;
	array->depth = 1;
	array->data = calloc(array->height, array->width);
	if (!array->data) {
		fk_delete(array);
		return CUDA_ERROR_OUT_OF_MEMORY;
	}
	*out = array;
	return CUDA_SUCCESS;
}

static CUresult array_destroy(CUarray array)
{
	if (!fk_is(array, FK_ARRAY))
		return CUDA_ERROR_INVALID_HANDLE;
	fk_ctx_wait(fk_ctx());
	free(array->data);
	fk_delete(array);
	return CUDA_SUCCESS;
}

FK_API(FK_CTX | FK_UNSAFE, cuArrayCreate_v2, (CUarray *out, const struct array_desc *desc),
	array_create(out, desc))
FK_API(FK_CTX | FK_UNSAFE, cuArrayDestroy, (CUarray array), array_destroy(array))
