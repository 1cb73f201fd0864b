/*
 * cuda_abi_memory.h - copies, arrays, virtual memory and pools.
 *
 * Part of cuda_abi.h, by its rules, and included by it alone.
 */
#ifndef VPROF_SHIM_CUDA_ABI_MEMORY_H
#define VPROF_SHIM_CUDA_ABI_MEMORY_H

#include "shim/cuda_abi.h"

/* ---- copies ------------------------------------------------------------- */

typedef struct CUDA_MEMCPY2D_st {
	size_t srcXInBytes, srcY;
	CUmemorytype srcMemoryType;
	const void *srcHost;
	CUdeviceptr srcDevice;
	CUarray srcArray;
	size_t srcPitch;
	size_t dstXInBytes, dstY;
	CUmemorytype dstMemoryType;
	void *dstHost;
	CUdeviceptr dstDevice;
	CUarray dstArray;
	size_t dstPitch;
	size_t WidthInBytes, Height;
} CUDA_MEMCPY2D_v2;

typedef struct CUDA_MEMCPY3D_st {
	size_t srcXInBytes, srcY, srcZ, srcLOD;
	CUmemorytype srcMemoryType;
	const void *srcHost;
	CUdeviceptr srcDevice;
	CUarray srcArray;
	void *reserved0;
	size_t srcPitch, srcHeight;
	size_t dstXInBytes, dstY, dstZ, dstLOD;
	CUmemorytype dstMemoryType;
	void *dstHost;
	CUdeviceptr dstDevice;
	CUarray dstArray;
	void *reserved1;
	size_t dstPitch, dstHeight;
	size_t WidthInBytes, Height, Depth;
} CUDA_MEMCPY3D_v2;

/* CUDA_MEMCPY3D_v2 with contexts where that has its reserved pointers. */
typedef struct CUDA_MEMCPY3D_PEER_st {
	size_t srcXInBytes, srcY, srcZ, srcLOD;
	CUmemorytype srcMemoryType;
	const void *srcHost;
	CUdeviceptr srcDevice;
	CUarray srcArray;
	CUcontext srcContext;
	size_t srcPitch, srcHeight;
	size_t dstXInBytes, dstY, dstZ, dstLOD;
	CUmemorytype dstMemoryType;
	void *dstHost;
	CUdeviceptr dstDevice;
	CUarray dstArray;
	CUcontext dstContext;
	size_t dstPitch, dstHeight;
	size_t WidthInBytes, Height, Depth;
} CUDA_MEMCPY3D_PEER;

/* ---- arrays ------------------------------------------------------------- */

enum {
	CUDA_ARRAY3D_LAYERED = 0x01,
	CUDA_ARRAY3D_CUBEMAP = 0x04,
	CUDA_ARRAY3D_SPARSE = 0x40,
	CUDA_ARRAY3D_DEFERRED_MAPPING = 0x80,
};

typedef struct CUDA_ARRAY_DESCRIPTOR_v1_st {
	unsigned int Width, Height;
	int Format;
	unsigned int NumChannels;
} CUDA_ARRAY_DESCRIPTOR_v1;

typedef struct CUDA_ARRAY_DESCRIPTOR_st {
	size_t Width, Height;
	int Format;
	unsigned int NumChannels;
} CUDA_ARRAY_DESCRIPTOR_v2;

typedef struct CUDA_ARRAY3D_DESCRIPTOR_v1_st {
	unsigned int Width, Height, Depth;
	int Format;
	unsigned int NumChannels, Flags;
} CUDA_ARRAY3D_DESCRIPTOR_v1;

typedef struct CUDA_ARRAY3D_DESCRIPTOR_st {
	size_t Width, Height, Depth;
	int Format;
	unsigned int NumChannels, Flags;
} CUDA_ARRAY3D_DESCRIPTOR_v2;

/* ---- virtual memory and pools ------------------------------------------- */

typedef struct CUmemLocation_st {
	int type;
	int id;
} CUmemLocation;
enum {
	CU_MEM_LOCATION_TYPE_DEVICE = 1,
	CU_MEM_LOCATION_TYPE_HOST = 2,
	CU_MEM_ALLOCATION_TYPE_PINNED = 1,
	CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR = 1,
	CU_MEM_ACCESS_FLAGS_PROT_READWRITE = 3,
};

typedef struct CUmemAllocationProp_st {
	int type;
	int requestedHandleTypes;
	CUmemLocation location;
	void *win32HandleMetaData;
	struct {
		unsigned char compressionType;
		unsigned char gpuDirectRDMACapable;
		unsigned short usage;
		unsigned char reserved[4];
	} allocFlags;
} CUmemAllocationProp;

typedef struct CUmemAccessDesc_st {
	CUmemLocation location;
	int flags;
} CUmemAccessDesc;

typedef struct CUmemPoolProps_st {
	int allocType;
	int handleTypes;
	CUmemLocation location;
	void *win32SecurityAttributes;
	size_t maxSize;
	unsigned short usage;
	unsigned char reserved[54];
} CUmemPoolProps;

/* ---- the layouts -------------------------------------------------------- */

CU_ABI_SIZE(CUDA_MEMCPY2D_v2, 128);
CU_ABI_AT(CUDA_MEMCPY2D_v2, srcDevice, 32);
CU_ABI_AT(CUDA_MEMCPY2D_v2, srcPitch, 48);
CU_ABI_AT(CUDA_MEMCPY2D_v2, dstDevice, 88);
CU_ABI_AT(CUDA_MEMCPY2D_v2, WidthInBytes, 112);
CU_ABI_SIZE(CUDA_MEMCPY3D_v2, 200);
CU_ABI_AT(CUDA_MEMCPY3D_v2, srcDevice, 48);
CU_ABI_AT(CUDA_MEMCPY3D_v2, srcHeight, 80);
CU_ABI_AT(CUDA_MEMCPY3D_v2, dstDevice, 136);
CU_ABI_AT(CUDA_MEMCPY3D_v2, WidthInBytes, 176);
CU_ABI_SIZE(CUDA_MEMCPY3D_PEER, 200);
CU_ABI_AT(CUDA_MEMCPY3D_PEER, srcContext, 64);
CU_ABI_AT(CUDA_MEMCPY3D_PEER, dstContext, 152);
CU_ABI_AT(CUDA_MEMCPY3D_PEER, Depth, 192);
CU_ABI_SIZE(CUDA_ARRAY_DESCRIPTOR_v1, 16);
CU_ABI_SIZE(CUDA_ARRAY_DESCRIPTOR_v2, 24);
CU_ABI_SIZE(CUDA_ARRAY3D_DESCRIPTOR_v1, 24);
CU_ABI_SIZE(CUDA_ARRAY3D_DESCRIPTOR_v2, 40);
CU_ABI_AT(CUDA_ARRAY3D_DESCRIPTOR_v2, Flags, 32);
CU_ABI_SIZE(CUmemLocation, 8);
CU_ABI_SIZE(CUmemAllocationProp, 32);
CU_ABI_AT(CUmemAllocationProp, location, 8);
CU_ABI_SIZE(CUmemAccessDesc, 12);
CU_ABI_SIZE(CUmemPoolProps, 88);
CU_ABI_AT(CUmemPoolProps, maxSize, 24);

#endif
