/*
 * wrap_value.c - functions that take by value what is no machine word: a float, or a
 * handle of 64 bytes.
 */
#include <string.h>
#include "shim/wrap.h"

static ALWAYS_INLINE uint64_t bits(float value)
{
	uint32_t word;

	memcpy(&word, &value, sizeof(word));
	return word;
}

#define CALL(...) fill_head(r.slot, VPROF_KIND_CALL, call, object); fill_words(r.slot, __VA_ARGS__)

/* Of a handle the record has the first eight bytes. */
static ALWAYS_INLINE uint64_t start_of(const char *handle)
{
	uint64_t word;

	memcpy(&word, handle, sizeof(word));
	return word;
}

#define OPEN_MEMORY(name)                                                            \
	WRAP(name, (CUdeviceptr *pointer, CUipcMemHandle handle, unsigned flags), (pointer, handle, flags), 0, \
	     CALL(WORD(pointer), start_of(handle.reserved), flags, 0))

OPEN_MEMORY(cuIpcOpenMemHandle);
OPEN_MEMORY(cuIpcOpenMemHandle_v2);
WRAP(cuIpcOpenEventHandle, (CUevent *event, CUipcEventHandle handle), (event, handle), 0,
     CALL(WORD(event), start_of(handle.reserved), 0, 0));

WRAP(cuParamSetf, (CUfunction function, int offset, float value), (function, offset, value), 0,
     CALL(WORD(function), (uint32_t)offset, bits(value), 0));
WRAP(cuTexRefSetMipmapLevelBias, (CUtexref texture, float bias), (texture, bias), 0,
     CALL(WORD(texture), bits(bias), 0, 0));
WRAP(cuTexRefSetMipmapLevelClamp, (CUtexref texture, float least, float most), (texture, least, most), 0,
     CALL(WORD(texture), bits(least), bits(most), 0));
