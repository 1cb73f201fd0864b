/*
 * spill_codec.c - zstd for the spill, where the library was built with it.
 *
 * It is linked in, with all of its names hidden, so that the program's own libzstd and ours never
 * meet, and works in memory that we give it: it makes no call but memcpy(). Without it frames are
 * written as they are, which takes two to three times the room.
 */
#include "preload/inner.h"
#include "preload/spill_pack.h"

#ifdef VPROF_ZSTD
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

enum { LEVEL = 1 };

/* Weak in libzstd: another library's must not be called. */
unsigned long long ZSTD_trace_compress_begin(const struct ZSTD_CCtx_s *context) HIDDEN;
void ZSTD_trace_compress_end(unsigned long long trace, const void *what) HIDDEN;

unsigned long long ZSTD_trace_compress_begin(const struct ZSTD_CCtx_s *context)
{
	(void)context;
	return 0;
}

void ZSTD_trace_compress_end(unsigned long long trace, const void *what)
{
	(void)trace;
	(void)what;
}

void *vprof_spill_codec_open(void)
{
	size_t size = ZSTD_estimateCCtxSize(LEVEL);
	void *memory = vprof_table(size);

	return memory ? ZSTD_initStaticCCtx(memory, size) : NULL;
}

uint32_t vprof_spill_codec_pack(void *codec, void *to, uint32_t room, const void *from, uint32_t size)
{
	size_t packed = ZSTD_compressCCtx(codec, to, room, from, size, LEVEL);

	return ZSTD_isError(packed) ? 0 : (uint32_t)packed;
}

#else

void *vprof_spill_codec_open(void)
{
	return NULL;
}

uint32_t vprof_spill_codec_pack(void *codec, void *to, uint32_t room, const void *from, uint32_t size)
{
	(void)codec, (void)to, (void)room, (void)from, (void)size;
	return 0;
}

#endif
