/*
 * cupti.h - what is known of CUPTI's activities: functions found at run time, and where records have their fields.
 *
 * For tests only: the library that is tested uses no CUPTI. No header of CUPTI is needed: records
 * are read at the offsets below, which are the same from CUDA 12.0 to 13.0.
 */
#ifndef TESTS_GPU_CUPTI_H
#define TESTS_GPU_CUPTI_H

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	CUPTI_COPY = 1, CUPTI_SET = 2, CUPTI_KERNEL = 3, CUPTI_DRIVER = 4, CUPTI_RUNTIME = 5, CUPTI_CONCURRENT_KERNEL = 10,
	CUPTI_PEER_COPY = 22,
};
enum { CUPTI_BUFFER_SIZE = 8 << 20, CUPTI_FLUSH_FORCED = 1 };

/* Calls of the driver and the runtime have other places than executions. */
enum { CUPTI_API_CBID = 4, CUPTI_API_START = 8, CUPTI_API_CORRELATION = 32 };
enum { CUPTI_START = 16, CUPTI_END = 24 };
/* Of kernels: gridX, gridY, gridZ, blockX, blockY, blockZ, an int32_t each, from CUpti_ActivityKernel7 to 10. */
enum { CUPTI_KERNEL_SHAPE = 52, CUPTI_SHAPE_NUMBERS = 6 };

/* Where a kind of execution has its other fields. */
struct cupti_shape {
	int kind;
	const char *word;
	int name;              /* a kernel's; else -1: the bytes are its name */
	int bytes, device, stream, correlation, graph, node;
};

static inline const struct cupti_shape *cupti_shape_of(int kind)
{
	static const struct cupti_shape shapes[] = {
		{ CUPTI_KERNEL, "kernel", 104, -1, 40, 48, 92, 156, 144 },
		{ CUPTI_CONCURRENT_KERNEL, "kernel", 104, -1, 40, 48, 92, 156, 144 },
		{ CUPTI_COPY, "copy", -1, 8, 32, 40, 44, 72, 64 },
		{ CUPTI_PEER_COPY, "copy", -1, 8, 32, 40, 60, 80, 72 },
		{ CUPTI_SET, "set", -1, 8, 32, 40, 44, 72, 64 },
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (shapes[i].kind == kind)
			return &shapes[i];
	return NULL;
}

static inline uint32_t u32_at(const void *record, int offset)
{
	uint32_t value;

	memcpy(&value, (const char *)record + offset, sizeof(value));
	return value;
}

static inline uint64_t u64_at(const void *record, int offset)
{
	uint64_t value;

	memcpy(&value, (const char *)record + offset, sizeof(value));
	return value;
}

/* NULL: it has none. */
static inline const char *cupti_name_of(const void *record, const struct cupti_shape *shape)
{
	return (const char *)(uintptr_t)u64_at(record, shape->name);
}

typedef int cupti_result;
static struct cupti {
	cupti_result (*cuptiActivityRegisterCallbacks)(void (*request)(uint8_t **, size_t *, size_t *),
						       void (*complete)(void *, uint32_t, uint8_t *, size_t, size_t));
	cupti_result (*cuptiActivityEnable)(int kind);
	cupti_result (*cuptiActivityFlushAll)(uint32_t flag);
	cupti_result (*cuptiActivityGetNextRecord)(uint8_t *buffer, size_t valid, void **record);
	cupti_result (*cuptiActivityGetNumDroppedRecords)(void *context, uint32_t stream, size_t *dropped);
	/* Not needed by everyone. */
	cupti_result (*cuptiGetResultString)(cupti_result code, const char **text);
	cupti_result (*cuptiGetCallbackName)(int domain, uint32_t cbid, const char **name);
	cupti_result (*cuptiGetTimestamp)(uint64_t *ns);
} cupti;

/* A function that is needed: its name, and where it goes in the table. */
struct cupti_need {
	const char *name;
	size_t offset;
};

#define CUPTI_NEED(function) { #function, offsetof(struct cupti, function) }
#define CUPTI_NEED_ACTIVITIES \
	CUPTI_NEED(cuptiActivityRegisterCallbacks), CUPTI_NEED(cuptiActivityEnable), CUPTI_NEED(cuptiActivityFlushAll), \
	CUPTI_NEED(cuptiActivityGetNextRecord), CUPTI_NEED(cuptiActivityGetNumDroppedRecords)

/* Finds them in the library; `needs` ends with a row without a name. Returns the name of what is missing, or NULL. */
static inline const char *cupti_find(void *library, const struct cupti_need *needs)
{
	for (; needs->name; needs++) {
		void *function = dlsym(library, needs->name);

		if (!function)
			return needs->name;
		memcpy((char *)&cupti + needs->offset, &function, sizeof(function));
	}
	return NULL;
}

/* Where CUPTI gets a buffer for records from; complete() frees it. */
static inline void cupti_request(uint8_t **buffer, size_t *size, size_t *records)
{
	*buffer = aligned_alloc(64, CUPTI_BUFFER_SIZE);
	*size = *buffer ? CUPTI_BUFFER_SIZE : 0;
	*records = 0;
}

#endif
