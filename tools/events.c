/*
 * events.c - what events are called: categories, directions of copies, errors.
 */
#include "tools/events.h"

const char *event_category(const struct ring *ring, const struct vprof_slot *slot)
{
	static const char *const kinds[] = {
		[VPROF_KIND_LAUNCH] = "launch", [VPROF_KIND_GRAPH_LAUNCH] = "graph_launch",
		[VPROF_KIND_COPY] = "copy", [VPROF_KIND_SET] = "set", [VPROF_KIND_SYNC] = "sync",
		[VPROF_KIND_EVENT] = "event", [VPROF_KIND_MEMORY] = "memory",
		[VPROF_KIND_MODULE] = "module", [VPROF_KIND_GRAPH] = "graph",
		[VPROF_KIND_PROFILER] = "profiler",
		[VPROF_KIND_RANGE] = "user_annotation", [VPROF_KIND_RANGE_END] = "user_annotation",
		[VPROF_KIND_MARK] = "user_annotation", [VPROF_KIND_COUNTER] = "user_annotation",
	};
	static const char *const families[] = {
		[VPROF_FAMILY_LAUNCH] = "launch", [VPROF_FAMILY_GRAPH] = "graph",
		[VPROF_FAMILY_COPY] = "copy", [VPROF_FAMILY_SET] = "set",
		[VPROF_FAMILY_SYNC] = "sync", [VPROF_FAMILY_EVENT] = "event",
		[VPROF_FAMILY_STREAM] = "stream", [VPROF_FAMILY_MEMORY] = "memory",
		[VPROF_FAMILY_MODULE] = "module", [VPROF_FAMILY_CONTEXT] = "context",
		[VPROF_FAMILY_DEVICE] = "device", [VPROF_FAMILY_PROFILER] = "profiler",
		[VPROF_FAMILY_QUERY] = "query",
	};
	const char *category = NULL;
	uint8_t family;

	if (slot->kind < sizeof(kinds) / sizeof(kinds[0]))
		category = kinds[slot->kind];
	if (!category && slot->call < ring->call_count) {
		family = ring->call_family[slot->call];
		if (family < sizeof(families) / sizeof(families[0]))
			category = families[family];
	}
	return category ? category : "other";
}

const char *event_direction(uint32_t object)
{
	static const char *const names[] = {
		[VPROF_COPY_UNKNOWN] = "unified", [VPROF_COPY_HTOD] = "HtoD",
		[VPROF_COPY_DTOH] = "DtoH", [VPROF_COPY_DTOD] = "DtoD", [VPROF_COPY_HTOA] = "HtoA",
		[VPROF_COPY_ATOH] = "AtoH", [VPROF_COPY_DTOA] = "DtoA", [VPROF_COPY_ATOD] = "AtoD",
		[VPROF_COPY_ATOA] = "AtoA", [VPROF_COPY_PEER] = "PtoP", [VPROF_COPY_HTOH] = "HtoH",
	};
	uint32_t direction = object & VPROF_COPY_DIRECTION;

	return direction < sizeof(names) / sizeof(names[0]) ? names[direction] : "unknown";
}

const char *event_error_name(uint32_t result)
{
	switch (result) {
#define ERROR(number, name) case number: return "CUDA_ERROR_" #name;
#include "tools/cuda_errors.def"
#undef ERROR
	}
	return NULL;
}
