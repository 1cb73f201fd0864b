/*
 * wrap_copy.c - copies.
 *
 * One macro for each shape of argument list; the functions below are rows of
 *
 *	SHAPE(function, types of its arguments, direction and form)
 *
 * Functions without _v2 are those of CUDA 3.1, whose device addresses and sizes have 32
 * bits. Their 2D and 3D descriptors have another layout, so they are PLAIN rows.
 */
#include "shim/copy_kind.h"
#include "shim/wrap.h"

/* Row arguments for the types of CUDA 3.1 and of today: device address, size. */
#define OLD CUdeviceptr_v1, unsigned
#define NOW CUdeviceptr, size_t

#define FORM(direction, form) (VPROF_COPY_##direction | (form))
#define PTDS VPROF_COPY_PER_THREAD
#define ASYNC VPROF_COPY_ASYNC
#define PTSZ (VPROF_COPY_ASYNC | VPROF_COPY_PER_THREAD)

#define FILL(dst, src, bytes, stream) \
	fill_head(r.slot, VPROF_KIND_COPY, call, object); fill_words(r.slot, WORD(dst), WORD(src), bytes, WORD(stream))

/* ---- from address to address ---- */

#define COPY(name, to, from, size, form) \
	WRAP(name, (to dst, from src, size bytes), (dst, src, bytes), form, FILL(dst, src, bytes, 0))
#define COPY_ON(name, to, from, size, form) \
	WRAP(name, (to dst, from src, size bytes, CUstream stream), (dst, src, bytes, stream), form, \
	     FILL(dst, src, bytes, stream))

/* The types are OLD or NOW, taken apart here. */
#define HTOD(name, types, form)    HTOD_(name, types, form)
#define HTOD_(name, dev, size, form)    COPY(name, dev, const void *, size, form)
#define HTOD_ON(name, types, form) HTOD_ON_(name, types, form)
#define HTOD_ON_(name, dev, size, form) COPY_ON(name, dev, const void *, size, form)
#define DTOH(name, types, form)    DTOH_(name, types, form)
#define DTOH_(name, dev, size, form)    COPY(name, void *, dev, size, form)
#define DTOH_ON(name, types, form) DTOH_ON_(name, types, form)
#define DTOH_ON_(name, dev, size, form) COPY_ON(name, void *, dev, size, form)
#define DTOD(name, types, form)    DTOD_(name, types, form)
#define DTOD_(name, dev, size, form)    COPY(name, dev, dev, size, form)
#define DTOD_ON(name, types, form) DTOD_ON_(name, types, form)
#define DTOD_ON_(name, dev, size, form) COPY_ON(name, dev, dev, size, form)

DTOD(cuMemcpy,                     NOW, FORM(UNKNOWN, 0));
DTOD(cuMemcpy_ptds,                NOW, FORM(UNKNOWN, PTDS));
DTOD_ON(cuMemcpyAsync,             NOW, FORM(UNKNOWN, ASYNC));
DTOD_ON(cuMemcpyAsync_ptsz,        NOW, FORM(UNKNOWN, PTSZ));
HTOD(cuMemcpyHtoD,                 OLD, FORM(HTOD, 0));
HTOD(cuMemcpyHtoD_v2,              NOW, FORM(HTOD, 0));
HTOD(cuMemcpyHtoD_v2_ptds,         NOW, FORM(HTOD, PTDS));
HTOD_ON(cuMemcpyHtoDAsync,         OLD, FORM(HTOD, ASYNC));
HTOD_ON(cuMemcpyHtoDAsync_v2,      NOW, FORM(HTOD, ASYNC));
HTOD_ON(cuMemcpyHtoDAsync_v2_ptsz, NOW, FORM(HTOD, PTSZ));
DTOH(cuMemcpyDtoH,                 OLD, FORM(DTOH, 0));
DTOH(cuMemcpyDtoH_v2,              NOW, FORM(DTOH, 0));
DTOH(cuMemcpyDtoH_v2_ptds,         NOW, FORM(DTOH, PTDS));
DTOH_ON(cuMemcpyDtoHAsync,         OLD, FORM(DTOH, ASYNC));
DTOH_ON(cuMemcpyDtoHAsync_v2,      NOW, FORM(DTOH, ASYNC));
DTOH_ON(cuMemcpyDtoHAsync_v2_ptsz, NOW, FORM(DTOH, PTSZ));
DTOD(cuMemcpyDtoD,                 OLD, FORM(DTOD, 0));
DTOD(cuMemcpyDtoD_v2,              NOW, FORM(DTOD, 0));
DTOD(cuMemcpyDtoD_v2_ptds,         NOW, FORM(DTOD, PTDS));
DTOD_ON(cuMemcpyDtoDAsync,         OLD, FORM(DTOD, ASYNC));
DTOD_ON(cuMemcpyDtoDAsync_v2,      NOW, FORM(DTOD, ASYNC));
DTOD_ON(cuMemcpyDtoDAsync_v2_ptsz, NOW, FORM(DTOD, PTSZ));

/* ---- between contexts ---- */

#define PEER(name, form) \
	WRAP(name, (CUdeviceptr dst, CUcontext to, CUdeviceptr src, CUcontext from, size_t bytes), \
	     (dst, to, src, from, bytes), form, FILL(dst, src, bytes, 0))
#define PEER_ON(name, form) \
	WRAP(name, (CUdeviceptr dst, CUcontext to, CUdeviceptr src, CUcontext from, size_t bytes, CUstream stream), \
	     (dst, to, src, from, bytes, stream), form, FILL(dst, src, bytes, stream))

PEER(cuMemcpyPeer,              FORM(PEER, 0));
PEER(cuMemcpyPeer_ptds,         FORM(PEER, PTDS));
PEER_ON(cuMemcpyPeerAsync,      FORM(PEER, ASYNC));
PEER_ON(cuMemcpyPeerAsync_ptsz, FORM(PEER, PTSZ));

/* ---- to and from arrays: recorded by their handles, without the offset ---- */

#define ATOA(name, size, form) \
	WRAP(name, (CUarray dst, size to, CUarray src, size from, size bytes), (dst, to, src, from, bytes), form, \
	     FILL(dst, src, bytes, 0))
#define FROM_ARRAY(name, type, size, form) \
	WRAP(name, (type dst, CUarray src, size from, size bytes), (dst, src, from, bytes), form, \
	     FILL(dst, src, bytes, 0))
#define FROM_ARRAY_ON(name, type, size, form) \
	WRAP(name, (type dst, CUarray src, size from, size bytes, CUstream stream), (dst, src, from, bytes, stream), \
	     form, FILL(dst, src, bytes, stream))
#define TO_ARRAY(name, type, size, form) \
	WRAP(name, (CUarray dst, size to, type src, size bytes), (dst, to, src, bytes), form, \
	     FILL(dst, src, bytes, 0))
#define TO_ARRAY_ON(name, type, size, form) \
	WRAP(name, (CUarray dst, size to, type src, size bytes, CUstream stream), (dst, to, src, bytes, stream), \
	     form, FILL(dst, src, bytes, stream))

ATOA(cuMemcpyAtoA,                       unsigned,               FORM(ATOA, 0));
ATOA(cuMemcpyAtoA_v2,                    size_t,                 FORM(ATOA, 0));
ATOA(cuMemcpyAtoA_v2_ptds,               size_t,                 FORM(ATOA, PTDS));
FROM_ARRAY(cuMemcpyAtoD,                 CUdeviceptr_v1, unsigned, FORM(ATOD, 0));
FROM_ARRAY(cuMemcpyAtoD_v2,              CUdeviceptr, size_t,    FORM(ATOD, 0));
FROM_ARRAY(cuMemcpyAtoD_v2_ptds,         CUdeviceptr, size_t,    FORM(ATOD, PTDS));
FROM_ARRAY(cuMemcpyAtoH,                 void *, unsigned,       FORM(ATOH, 0));
FROM_ARRAY(cuMemcpyAtoH_v2,              void *, size_t,         FORM(ATOH, 0));
FROM_ARRAY(cuMemcpyAtoH_v2_ptds,         void *, size_t,         FORM(ATOH, PTDS));
FROM_ARRAY_ON(cuMemcpyAtoHAsync,         void *, unsigned,       FORM(ATOH, ASYNC));
FROM_ARRAY_ON(cuMemcpyAtoHAsync_v2,      void *, size_t,         FORM(ATOH, ASYNC));
FROM_ARRAY_ON(cuMemcpyAtoHAsync_v2_ptsz, void *, size_t,         FORM(ATOH, PTSZ));
TO_ARRAY(cuMemcpyDtoA,                   CUdeviceptr_v1, unsigned, FORM(DTOA, 0));
TO_ARRAY(cuMemcpyDtoA_v2,                CUdeviceptr, size_t,    FORM(DTOA, 0));
TO_ARRAY(cuMemcpyDtoA_v2_ptds,           CUdeviceptr, size_t,    FORM(DTOA, PTDS));
TO_ARRAY(cuMemcpyHtoA,                   const void *, unsigned, FORM(HTOA, 0));
TO_ARRAY(cuMemcpyHtoA_v2,                const void *, size_t,   FORM(HTOA, 0));
TO_ARRAY(cuMemcpyHtoA_v2_ptds,           const void *, size_t,   FORM(HTOA, PTDS));
TO_ARRAY_ON(cuMemcpyHtoAAsync,           const void *, unsigned, FORM(HTOA, ASYNC));
TO_ARRAY_ON(cuMemcpyHtoAAsync_v2,        const void *, size_t,   FORM(HTOA, ASYNC));
TO_ARRAY_ON(cuMemcpyHtoAAsync_v2_ptsz,   const void *, size_t,   FORM(HTOA, PTSZ));

/* ---- 2D and 3D: a descriptor says from where to where ---- */

static uint64_t place(CUmemorytype type, const void *host, CUdeviceptr device, CUarray array)
{
	if (type == CU_MEMORYTYPE_HOST)
		return WORD(host);
	return type == CU_MEMORYTYPE_ARRAY ? WORD(array) : device;
}

/* The descriptor's part of a record, for either type of descriptor. */
#define FILL_FROM(p, object, volume, stream) \
	do { \
		fill_head(slot, VPROF_KIND_COPY, call, (object) | ((object) & VPROF_COPY_DIRECTION ? 0 : \
			  vprof_copy_direction((p)->srcMemoryType, (p)->dstMemoryType))); \
		fill_words(slot, place((p)->dstMemoryType, (p)->dstHost, (p)->dstDevice, (p)->dstArray), \
			   place((p)->srcMemoryType, (p)->srcHost, (p)->srcDevice, (p)->srcArray), volume, \
			   WORD(stream)); \
	} while (0)

static void fill_2d(struct vprof_slot *slot, unsigned call, uint32_t object, const CUDA_MEMCPY2D_v2 *p,
		    CUstream stream)
{
	static const CUDA_MEMCPY2D_v2 none;

	p = p ? p : &none;
	FILL_FROM(p, object, p->WidthInBytes * p->Height, stream);
}

static void fill_3d(struct vprof_slot *slot, unsigned call, uint32_t object, const CUDA_MEMCPY3D_v2 *p,
		    CUstream stream)
{
	static const CUDA_MEMCPY3D_v2 none;

	p = p ? p : &none;
	FILL_FROM(p, object, p->WidthInBytes * p->Height * p->Depth, stream);
}

static void fill_3d_peer(struct vprof_slot *slot, unsigned call, uint32_t object, const CUDA_MEMCPY3D_PEER *p,
			 CUstream stream)
{
	static const CUDA_MEMCPY3D_PEER none;

	p = p ? p : &none;
	FILL_FROM(p, object, p->WidthInBytes * p->Height * p->Depth, stream);
}

#define SHAPED(name, type, fill, form) \
	WRAP(name, (const type *copy), (copy), form, fill(r.slot, call, object, copy, NULL))
#define SHAPED_ON(name, type, fill, form) \
	WRAP(name, (const type *copy, CUstream stream), (copy, stream), form, \
	     fill(r.slot, call, object, copy, stream))

#define FORM_2D(form)  (VPROF_COPY_2D | (form))
#define FORM_3D(form)  (VPROF_COPY_3D | (form))
#define FORM_3DP(form) (VPROF_COPY_PEER | VPROF_COPY_3D | (form))

SHAPED(cuMemcpy2D_v2,               CUDA_MEMCPY2D_v2,   fill_2d,      FORM_2D(0));
SHAPED(cuMemcpy2D_v2_ptds,          CUDA_MEMCPY2D_v2,   fill_2d,      FORM_2D(PTDS));
SHAPED(cuMemcpy2DUnaligned_v2,      CUDA_MEMCPY2D_v2,   fill_2d,      FORM_2D(0));
SHAPED(cuMemcpy2DUnaligned_v2_ptds, CUDA_MEMCPY2D_v2,   fill_2d,      FORM_2D(PTDS));
SHAPED_ON(cuMemcpy2DAsync_v2,       CUDA_MEMCPY2D_v2,   fill_2d,      FORM_2D(ASYNC));
SHAPED_ON(cuMemcpy2DAsync_v2_ptsz,  CUDA_MEMCPY2D_v2,   fill_2d,      FORM_2D(PTSZ));
SHAPED(cuMemcpy3D_v2,               CUDA_MEMCPY3D_v2,   fill_3d,      FORM_3D(0));
SHAPED(cuMemcpy3D_v2_ptds,          CUDA_MEMCPY3D_v2,   fill_3d,      FORM_3D(PTDS));
SHAPED_ON(cuMemcpy3DAsync_v2,       CUDA_MEMCPY3D_v2,   fill_3d,      FORM_3D(ASYNC));
SHAPED_ON(cuMemcpy3DAsync_v2_ptsz,  CUDA_MEMCPY3D_v2,   fill_3d,      FORM_3D(PTSZ));
SHAPED(cuMemcpy3DPeer,              CUDA_MEMCPY3D_PEER, fill_3d_peer, FORM_3DP(0));
SHAPED(cuMemcpy3DPeer_ptds,         CUDA_MEMCPY3D_PEER, fill_3d_peer, FORM_3DP(PTDS));
SHAPED_ON(cuMemcpy3DPeerAsync,      CUDA_MEMCPY3D_PEER, fill_3d_peer, FORM_3DP(ASYNC));
SHAPED_ON(cuMemcpy3DPeerAsync_ptsz, CUDA_MEMCPY3D_PEER, fill_3d_peer, FORM_3DP(PTSZ));
