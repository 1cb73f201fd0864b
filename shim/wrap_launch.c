/*
 * wrap_launch.c - kernel launches.
 *
 * The kernel's id is found in the handle table; a function launched for the first time, or
 * for the first time since a module was unloaded, takes the slow way (kernels.c).
 */
#include <string.h>
#include "shim/kernels.h"
#include "shim/wrap.h"

struct shape {
	unsigned x, y, z;
};

static ALWAYS_INLINE uint16_t narrow(unsigned n)
{
	return n < 0xffff ? (uint16_t)n : 0xffff;
}

/* Two 16-bit fields in one store: little-endian, as are both machines that this runs on. */
static ALWAYS_INLINE void store_pair(struct vprof_slot *slot, size_t offset, unsigned low, unsigned high)
{
	uint32_t pair = low | high << 16;

	memcpy((uint8_t *)slot + offset, &pair, sizeof(pair));
}

static ALWAYS_INLINE void fill_launch(struct vprof_slot *slot, unsigned call, uint32_t object, CUstream stream,
				      struct shape grid, struct shape block, unsigned shared, unsigned flags)
{
	fill_head(slot, VPROF_KIND_LAUNCH, call, object);
	slot->launch.stream = WORD(stream);
	slot->launch.grid[0] = grid.x;
	slot->launch.grid[1] = grid.y;
	slot->launch.grid[2] = grid.z;
	/* No device takes more than 1024 threads: one test for all three. */
	if (unlikely((block.x | block.y | block.z) > 0xffff))
		block = (struct shape){ narrow(block.x), narrow(block.y), narrow(block.z) };
	store_pair(slot, offsetof(struct vprof_slot, launch.block), block.x, block.y);
	store_pair(slot, offsetof(struct vprof_slot, launch.block) + 4, block.z, flags);
	slot->launch.shared = shared;
}

#define WRAP_LAUNCH(name, function, params, args, fill) \
	WRAP_COUNTED(EXPORT, name, params, args, vprof_kernel_find(function), object, \
		     vprof_kernel_launching(function), fill, 1)

/* ---- cuLaunchKernel and its cooperative form ---- */

#define SHAPE (struct shape){ gx, gy, gz }, (struct shape){ bx, by, bz }, shared
#define SHAPE_PARAMS \
	unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, CUstream stream
#define SHAPE_ARGS gx, gy, gz, bx, by, bz, shared, stream

/*
 * Of a launch's arguments those from the seventh on come on the stack. Told that they are in memory,
 * the compiler reads them there when it needs them; else it would read them all into
 * registers first, and save as many registers to have them free.
 */
#if defined(__x86_64__)
#define ON_STACK(arg) __asm__("" : "+m"(arg))
#else
#define ON_STACK(arg) ((void)0)
#endif
#define LAUNCHED(f, last) \
	({ ON_STACK(bz); ON_STACK(shared); ON_STACK(stream); ON_STACK(params); ON_STACK(last); f; })

#define LAUNCH_KERNEL(name, flags) \
	WRAP_LAUNCH(name, LAUNCHED(f, extra), (CUfunction f, SHAPE_PARAMS, void **params, void **extra), \
		    (f, SHAPE_ARGS, params, extra), \
		    fill_launch(r.slot, call, object, stream, SHAPE, (flags) | (extra ? VPROF_LAUNCH_EXTRA : 0)))

#define LAUNCH_COOPERATIVE(name, flags) \
	WRAP_LAUNCH(name, LAUNCHED(f, params), (CUfunction f, SHAPE_PARAMS, void **params), (f, SHAPE_ARGS, params), \
		    fill_launch(r.slot, call, object, stream, SHAPE, (flags) | VPROF_LAUNCH_COOPERATIVE))

LAUNCH_KERNEL(cuLaunchKernel,                      0);
LAUNCH_KERNEL(cuLaunchKernel_ptsz,                 VPROF_LAUNCH_PER_THREAD);
LAUNCH_COOPERATIVE(cuLaunchCooperativeKernel,      0);
LAUNCH_COOPERATIVE(cuLaunchCooperativeKernel_ptsz, VPROF_LAUNCH_PER_THREAD);

/* ---- cuLaunchKernelEx ---- */

static ALWAYS_INLINE unsigned attribute_flags(const CUlaunchAttribute *attribute)
{
	const CUlaunchAttributeValue *value = &attribute->value;

	switch (attribute->id) {
	case CU_LAUNCH_ATTRIBUTE_COOPERATIVE:
		return value->cooperative ? VPROF_LAUNCH_COOPERATIVE : 0;
	case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION:
		return VPROF_LAUNCH_CLUSTER;
	case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION:
		return value->programmaticStreamSerializationAllowed ? VPROF_LAUNCH_PROGRAMMATIC : 0;
	case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_EVENT:
		return VPROF_LAUNCH_PROGRAMMATIC;
	}
	return 0;
}

/* There are fewer attributes than that; a program's mistake must not cost us a long walk. */
enum { MOST_ATTRIBUTES = 32 };

static ALWAYS_INLINE unsigned config_flags(const CUlaunchConfig *config)
{
	const CUlaunchAttribute *attribute = config->attrs;
	unsigned n = config->numAttrs, flags = 0;

	if (!attribute || n > MOST_ATTRIBUTES)
		return 0;
	for (; n; n--, attribute++)
		flags |= attribute_flags(attribute);
	return flags;
}

static ALWAYS_INLINE void fill_config(struct vprof_slot *slot, unsigned call, uint32_t object,
				      const CUlaunchConfig *config, unsigned flags)
{
	static const CUlaunchConfig none;

	if (unlikely(!config))
		config = &none;
	fill_launch(slot, call, object, config->hStream,
		    (struct shape){ config->gridDimX, config->gridDimY, config->gridDimZ },
		    (struct shape){ config->blockDimX, config->blockDimY, config->blockDimZ },
		    config->sharedMemBytes, flags | config_flags(config));
}

#define LAUNCH_EX(name, flags) \
	WRAP_LAUNCH(name, f, (const CUlaunchConfig *config, CUfunction f, void **params, void **extra), \
		    (config, f, params, extra), \
		    fill_config(r.slot, call, object, config, (flags) | (extra ? VPROF_LAUNCH_EXTRA : 0)))

LAUNCH_EX(cuLaunchKernelEx,      0);
LAUNCH_EX(cuLaunchKernelEx_ptsz, VPROF_LAUNCH_PER_THREAD);

/* ---- the forms of CUDA 3 and before: the block is set beforehand, and not known here ---- */

#define FILL_OLD(w, h, stream) \
	fill_launch(r.slot, call, object, stream, (struct shape){ w, h, 1 }, (struct shape){ 0, 0, 0 }, 0, 0)

WRAP_LAUNCH(cuLaunch, f, (CUfunction f), (f), FILL_OLD(1, 1, NULL));
WRAP_LAUNCH(cuLaunchGrid, f, (CUfunction f, int w, int h), (f, w, h), FILL_OLD((unsigned)w, (unsigned)h, NULL));
WRAP_LAUNCH(cuLaunchGridAsync, f, (CUfunction f, int w, int h, CUstream stream), (f, w, h, stream),
	    FILL_OLD((unsigned)w, (unsigned)h, stream));

/* ---- one launch on several devices: recorded as the first of its list ---- */

typedef struct CUDA_LAUNCH_PARAMS_st {
	CUfunction function;
	unsigned gx, gy, gz, bx, by, bz, shared;
	CUstream stream;
	void **params;
} CUDA_LAUNCH_PARAMS;
CU_ABI_SIZE(CUDA_LAUNCH_PARAMS, 56);
CU_ABI_AT(CUDA_LAUNCH_PARAMS, stream, 40);

static ALWAYS_INLINE const CUDA_LAUNCH_PARAMS *first_of(const CUDA_LAUNCH_PARAMS *list, unsigned count)
{
	static const CUDA_LAUNCH_PARAMS none;

	return list && count ? list : &none;
}

static ALWAYS_INLINE void fill_multi(struct vprof_slot *slot, unsigned call, uint32_t object,
				     const CUDA_LAUNCH_PARAMS *p)
{
	fill_launch(slot, call, object, p->stream, (struct shape){ p->gx, p->gy, p->gz },
		    (struct shape){ p->bx, p->by, p->bz }, p->shared, VPROF_LAUNCH_COOPERATIVE);
}

WRAP_LAUNCH(cuLaunchCooperativeKernelMultiDevice, first_of(list, count)->function,
	    (CUDA_LAUNCH_PARAMS *list, unsigned count, unsigned flags), (list, count, flags),
	    fill_multi(r.slot, call, object, first_of(list, count)));
