/*
 * nvtx_abi.h - the part of NVTX 3's binary interface that an injected library meets.
 *
 * A program that uses NVTX looks for NVTX_INJECTION64_PATH at its first NVTX call, opens that library
 * and calls its InitializeInjectionNvtx2() with a function that gives tables. Table 1 leads
 * to one list for each module: addresses of the pointers through which the program's NVTX calls go.
 * Every library that embeds NVTX has pointers of its own, and calls us of its own.
 *
 * Indices and layouts are those of the NVTX 3 headers; tests/nvtx compiles a program with them.
 */
#ifndef VPROF_PRELOAD_NVTX_ABI_H
#define VPROF_PRELOAD_NVTX_ABI_H

#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

typedef void (*nvtx_function)(void);

enum { NVTX_TABLE_CALLBACKS = 1 };

struct nvtx_callbacks {
	size_t size;             /* of this struct, as the program knows it */
	/* 1 and the list with its length; entry 0 is not used, an entry may be NULL. */
	int (*module)(int module, nvtx_function ***list, unsigned *size);
};

typedef const void *(*nvtx_get_table)(uint32_t table);

enum nvtx_module {
	NVTX_MODULE_CORE = 1,
	NVTX_MODULE_CUDA = 2,
	NVTX_MODULE_OPENCL = 3,
	NVTX_MODULE_CUDART = 4,
	NVTX_MODULE_CORE2 = 5,
	NVTX_MODULE_SYNC = 6,
};

enum { NVTX_COLOR_ARGB = 1 };
enum { NVTX_MESSAGE_NONE = 0, NVTX_MESSAGE_ASCII = 1, NVTX_MESSAGE_WIDE = 2, NVTX_MESSAGE_REGISTERED = 3 };

union nvtx_message {
	const char *ascii;
	const wchar_t *wide;
	const void *registered;
};

struct nvtx_attributes {
	uint16_t version, size;
	uint32_t category;
	int32_t color_type;
	uint32_t color;
	int32_t payload_type;    /* as enum vprof_payload */
	int32_t reserved;
	uint64_t payload;        /* of 32 bits: the lower half */
	int32_t message_type;
	union nvtx_message message;
};
_Static_assert(sizeof(struct nvtx_attributes) == 48, "nvtxEventAttributes_t");
_Static_assert(offsetof(struct nvtx_attributes, payload) == 24, "payload");
_Static_assert(offsetof(struct nvtx_attributes, message) == 40, "message");

/* Kinds of resources: class << 16 | index. */
enum nvtx_resource {
	NVTX_RESOURCE_THREAD_NATIVE = 0x10003,
	NVTX_RESOURCE_CUDA_DEVICE = 0x40001,
	NVTX_RESOURCE_CUDA_CONTEXT = 0x40002,
	NVTX_RESOURCE_CUDA_STREAM = 0x40003,
	NVTX_RESOURCE_CUDA_EVENT = 0x40004,
	NVTX_RESOURCE_CUDART_DEVICE = 0x50000,
	NVTX_RESOURCE_CUDART_STREAM = 0x50001,
	NVTX_RESOURCE_CUDART_EVENT = 0x50002,
};

struct nvtx_resource_attributes {
	uint16_t version, size;
	int32_t type;            /* enum nvtx_resource */
	uint64_t handle;
	int32_t message_type;
	union nvtx_message message;
};
_Static_assert(sizeof(struct nvtx_resource_attributes) == 32, "nvtxResourceAttributes_t");

#endif
