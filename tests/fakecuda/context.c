/*
 * context.c - cuInit, devices, contexts.
 *
 * Each thread has a stack of current contexts, as in the real driver. A
 * context that is destroyed waits for its work; handles of objects made in it
 * stay readable (handles.c).
 */
#include <stdio.h>
#include <string.h>

#include "tests/fakecuda/fake.h"
#include "tests/fakecuda/gate.h"

enum { CTX_DEPTH = 32, MAX_DEVICES = 64 };

static __thread CUcontext ctx_stack[CTX_DEPTH];
static __thread int ctx_top;
static CUcontext primary[MAX_DEVICES]; /* under fk_lock */

CUcontext fk_ctx(void)
{
	return ctx_top ? ctx_stack[ctx_top - 1] : NULL;
}

static CUresult ctx_new(CUcontext *out, CUdevice device, unsigned int flags)
{
	CUcontext ctx = fk_new(FK_CONTEXT, sizeof(*ctx));

	if (!ctx)
		return CUDA_ERROR_OUT_OF_MEMORY;
	ctx->device = device;
	ctx->flags = flags;
	ctx->legacy = fk_stream_new(ctx, CU_STREAM_DEFAULT, 0);
	if (!ctx->legacy) {
		fk_delete(ctx);
		return CUDA_ERROR_OUT_OF_MEMORY;
	}
	ctx->legacy->legacy = true;
	*out = ctx;
	return CUDA_SUCCESS;
}

CUresult fk_ctx_wait(CUcontext ctx)
{
	pthread_mutex_lock(&fk_lock);
	for (CUstream s = ctx->streams; s;) {
		if (fk_idle(s)) {
			s = s->next;
			continue;
		}
		fk_wait_locked(s, s->submitted);
		s = ctx->streams; /* the list may have changed */
	}
	pthread_mutex_unlock(&fk_lock);
	return fk_sticky();
}

static CUresult ctx_push(CUcontext ctx)
{
	if (!fk_is(ctx, FK_CONTEXT))
		return CUDA_ERROR_INVALID_CONTEXT;
	if (ctx_top == CTX_DEPTH)
		return CUDA_ERROR_INVALID_VALUE;
	ctx_stack[ctx_top++] = ctx;
	return CUDA_SUCCESS;
}

static CUresult ctx_pop(CUcontext *out)
{
	if (!ctx_top)
		return CUDA_ERROR_INVALID_CONTEXT;
	ctx_top--;
	if (out)
		*out = ctx_stack[ctx_top];
	return CUDA_SUCCESS;
}

static CUresult ctx_set(CUcontext ctx)
{
	if (ctx && !fk_is(ctx, FK_CONTEXT))
		return CUDA_ERROR_INVALID_CONTEXT;
	if (ctx_top)
		ctx_top--;
	return ctx ? ctx_push(ctx) : CUDA_SUCCESS;
}

static bool device_ok(CUdevice device)
{
	return device >= 0 && device < fk_config.devices && device < MAX_DEVICES;
}

static CUresult ctx_create(CUcontext *out, CUdevice device, unsigned int flags)
{
	CUresult result;

	if (!out)
		return CUDA_ERROR_INVALID_VALUE;
	if (!device_ok(device))
		return CUDA_ERROR_INVALID_DEVICE;
	result = ctx_new(out, device, flags);
	return result ? result : ctx_push(*out);
}

/* What was made in a context ends with it. */
static void ctx_empty(CUcontext ctx)
{
	fk_memory_drop(ctx);
	fk_modules_drop(ctx);
	fk_streams_drop(ctx);
}

static CUresult ctx_destroy(CUcontext ctx)
{
	if (!fk_is(ctx, FK_CONTEXT) || ctx->primary)
		return CUDA_ERROR_INVALID_CONTEXT;
	fk_ctx_wait(ctx);
	ctx_empty(ctx);
	if (fk_ctx() == ctx)
		ctx_top--;
	fk_delete(ctx);
	return CUDA_SUCCESS;
}

static CUresult primary_retain(CUcontext *out, CUdevice device)
{
	CUcontext ctx;
	CUresult result = CUDA_SUCCESS;

	if (!out)
		return CUDA_ERROR_INVALID_VALUE;
	if (!device_ok(device))
		return CUDA_ERROR_INVALID_DEVICE;
	pthread_mutex_lock(&fk_lock);
	ctx = primary[device];
	pthread_mutex_unlock(&fk_lock);
	if (!ctx)
		result = ctx_new(&ctx, device, 0);
	if (result)
		return result;
	pthread_mutex_lock(&fk_lock);
	if (!primary[device])
		primary[device] = ctx;
	*out = primary[device];
	(*out)->primary = true;
	(*out)->retained++;
	pthread_mutex_unlock(&fk_lock);
	return CUDA_SUCCESS;
}

static CUresult primary_release(CUdevice device, bool reset)
{
	bool ended;
	CUcontext ctx;

	if (!device_ok(device))
		return CUDA_ERROR_INVALID_DEVICE;
	pthread_mutex_lock(&fk_lock);
	ctx = primary[device];
	if (ctx && ctx->retained && !reset)
		ctx->retained--;
	ended = ctx && (reset || !ctx->retained);
	pthread_mutex_unlock(&fk_lock);
	if (ctx)
		fk_ctx_wait(ctx);
	if (ended)
		ctx_empty(ctx);
	return ctx || reset ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

static CUresult primary_state(CUdevice device, unsigned int *flags, int *active)
{
	if (!device_ok(device))
		return CUDA_ERROR_INVALID_DEVICE;
	if (!flags || !active)
		return CUDA_ERROR_INVALID_VALUE;
	pthread_mutex_lock(&fk_lock);
	*flags = primary[device] ? primary[device]->flags : 0;
	*active = primary[device] && primary[device]->retained > 0;
	pthread_mutex_unlock(&fk_lock);
	return CUDA_SUCCESS;
}

static CUresult device_attribute(int *out, CUdevice_attribute attribute, CUdevice device)
{
	const struct { CUdevice_attribute attribute; int value; } table[] = {
		{ CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 1024 },
		{ CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, 49152 },
		{ CU_DEVICE_ATTRIBUTE_WARP_SIZE, 32 },
		{ CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK, 65536 },
		{ CU_DEVICE_ATTRIBUTE_CLOCK_RATE, 1980000 },
		{ CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, 3201000 },
		{ CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH, 6144 },
		{ CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, 62914560 },
		{ CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR, 2048 },
		{ CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR, 233472 },
		{ CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR, 65536 },
		{ CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, 232448 },
		{ CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR, 32 },
		{ CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK, 1024 },
		{ CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 132 },
		{ CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING, 1 },
		{ CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, fk_config.sm / 10 },
		{ CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, fk_config.sm % 10 },
	};

	if (!out || attribute <= 0)
		return CUDA_ERROR_INVALID_VALUE;
	if (!device_ok(device))
		return CUDA_ERROR_INVALID_DEVICE;
	*out = attribute == CU_DEVICE_ATTRIBUTE_PCI_BUS_ID ? device + 1 : 0;
	for (size_t i = 0; i < FK_COUNT(table); i++)
		if (table[i].attribute == attribute)
			*out = table[i].value;
	return CUDA_SUCCESS;
}

static CUresult device_name(char *name, int length, CUdevice device)
{
	if (!name || length <= 0)
		return CUDA_ERROR_INVALID_VALUE;
	if (!device_ok(device))
		return CUDA_ERROR_INVALID_DEVICE;
	snprintf(name, (size_t)length, "vprof fake GPU");
	return CUDA_SUCCESS;
}

static CUresult device_uuid(CUuuid *out, CUdevice device)
{
	if (!out)
		return CUDA_ERROR_INVALID_VALUE;
	if (!device_ok(device))
		return CUDA_ERROR_INVALID_DEVICE;
	memcpy(out->bytes, "fake GPU uuid \0", 16);
	out->bytes[15] = (char)device;
	return CUDA_SUCCESS;
}

static CUresult device_bus_id(char *out, int length, CUdevice device)
{
	if (!out || length <= 0)
		return CUDA_ERROR_INVALID_VALUE;
	if (!device_ok(device))
		return CUDA_ERROR_INVALID_DEVICE;
	snprintf(out, (size_t)length, "0000:%02X:00.0", (unsigned int)device + 1);
	return CUDA_SUCCESS;
}

/* The value of `expression` into *out, when the device exists. */
#define DEVICE_FACT(expression) \
	(!out ? CUDA_ERROR_INVALID_VALUE : !device_ok(device) ? CUDA_ERROR_INVALID_DEVICE : \
	 (*out = (expression), CUDA_SUCCESS))
#define STORE(out, value) (!(out) ? CUDA_ERROR_INVALID_VALUE : (*(out) = (value), CUDA_SUCCESS))

FK_API(FK_FREE, cuInit, (unsigned int flags),
	flags ? CUDA_ERROR_INVALID_VALUE : !fk_config.devices ? CUDA_ERROR_NO_DEVICE : fk_gate_init())
FK_API(FK_FREE, cuDriverGetVersion, (int *out), STORE(out, 13000))
FK_API(FK_INIT, cuDeviceGetCount, (int *out), STORE(out, fk_config.devices))
FK_API(FK_INIT, cuDeviceGet, (CUdevice *out, int device), DEVICE_FACT(device))
FK_API(FK_INIT, cuDeviceGetName, (char *name, int length, CUdevice device),
	device_name(name, length, device))
FK_API(FK_INIT, cuDeviceGetAttribute, (int *out, CUdevice_attribute attribute, CUdevice device),
	device_attribute(out, attribute, device))
FK_API(FK_INIT, cuDeviceTotalMem, (unsigned int *out, CUdevice device), DEVICE_FACT(0xffffffffu))
FK_API(FK_INIT, cuDeviceTotalMem_v2, (size_t *out, CUdevice device),
	DEVICE_FACT((fk_memory_info(NULL, out), *out)))
FK_API(FK_INIT, cuDeviceComputeCapability, (int *out, int *minor, CUdevice device),
	DEVICE_FACT((*minor = fk_config.sm % 10, fk_config.sm / 10)))
FK_API(FK_INIT, cuDeviceGetUuid, (CUuuid *out, CUdevice device), device_uuid(out, device))
FK_API(FK_INIT, cuDeviceGetUuid_v2, (CUuuid *out, CUdevice device), device_uuid(out, device))
FK_API(FK_INIT, cuDeviceGetPCIBusId, (char *out, int length, CUdevice device),
	device_bus_id(out, length, device))
FK_API(FK_INIT, cuDeviceCanAccessPeer, (int *out, CUdevice device, CUdevice peer),
	DEVICE_FACT(peer != device && device_ok(peer)))
FK_API(FK_INIT, cuDevicePrimaryCtxRetain, (CUcontext *out, CUdevice device),
	primary_retain(out, device))
FK_API(FK_INIT, cuDevicePrimaryCtxRelease, (CUdevice device), primary_release(device, false))
FK_API(FK_INIT, cuDevicePrimaryCtxRelease_v2, (CUdevice device), primary_release(device, false))
FK_API(FK_INIT, cuDevicePrimaryCtxReset, (CUdevice device), primary_release(device, true))
FK_API(FK_INIT, cuDevicePrimaryCtxReset_v2, (CUdevice device), primary_release(device, true))
FK_API(FK_INIT, cuDevicePrimaryCtxGetState, (CUdevice device, unsigned int *flags, int *active),
	primary_state(device, flags, active))
FK_API(FK_INIT, cuCtxCreate, (CUcontext *out, unsigned int flags, CUdevice device),
	ctx_create(out, device, flags))
FK_API(FK_INIT, cuCtxCreate_v2, (CUcontext *out, unsigned int flags, CUdevice device),
	ctx_create(out, device, flags))
FK_API(FK_INIT, cuCtxCreate_v3,
	(CUcontext *out, void *affinity, int count, unsigned int flags, CUdevice device),
	(void)affinity, count ? CUDA_ERROR_NOT_SUPPORTED : ctx_create(out, device, flags))
FK_API(FK_INIT, cuCtxCreate_v4,
	(CUcontext *out, void *params, unsigned int flags, CUdevice device),
	params ? CUDA_ERROR_NOT_SUPPORTED : ctx_create(out, device, flags))
FK_API(FK_INIT, cuCtxDestroy, (CUcontext ctx), ctx_destroy(ctx))
FK_API(FK_INIT, cuCtxDestroy_v2, (CUcontext ctx), ctx_destroy(ctx))
FK_API(FK_INIT, cuCtxDetach, (CUcontext ctx), ctx_destroy(ctx)) /* nobody attaches */
/* A green context is its own context here, of all of the device. */
FK_API(FK_INIT, cuGreenCtxCreate, (CUcontext *out, void *resources, CUdevice device, unsigned int flags),
	(void)flags, resources ? CUDA_ERROR_NOT_SUPPORTED : !out ? CUDA_ERROR_INVALID_VALUE :
	!device_ok(device) ? CUDA_ERROR_INVALID_DEVICE : ctx_new(out, device, 0))
FK_API(FK_INIT, cuCtxFromGreenCtx, (CUcontext *out, CUcontext green),
	fk_is(green, FK_CONTEXT) ? STORE(out, green) : CUDA_ERROR_INVALID_CONTEXT)
FK_API(FK_INIT, cuGreenCtxDestroy, (CUcontext green), ctx_destroy(green))
FK_API(FK_INIT, cuCtxSetCurrent, (CUcontext ctx), ctx_set(ctx))
FK_API(FK_INIT, cuCtxGetCurrent, (CUcontext *out), STORE(out, fk_ctx()))
FK_API(FK_INIT, cuCtxPushCurrent, (CUcontext ctx), ctx_push(ctx))
FK_API(FK_INIT, cuCtxPushCurrent_v2, (CUcontext ctx), ctx_push(ctx))
FK_API(FK_INIT, cuCtxPopCurrent, (CUcontext *out), ctx_pop(out))
FK_API(FK_INIT, cuCtxPopCurrent_v2, (CUcontext *out), ctx_pop(out))
FK_API(FK_CTX, cuCtxGetDevice, (CUdevice *out), STORE(out, fk_ctx()->device))
FK_API(FK_CTX, cuCtxGetDevice_v2, (CUdevice *out, CUcontext ctx),
	STORE(out, (fk_is(ctx, FK_CONTEXT) ? ctx : fk_ctx())->device))
FK_API(FK_CTX, cuCtxGetFlags, (unsigned int *out), STORE(out, fk_ctx()->flags))
FK_API(FK_INIT, cuCtxGetApiVersion, (CUcontext ctx, unsigned int *out),
	ctx && !fk_is(ctx, FK_CONTEXT) ? CUDA_ERROR_INVALID_CONTEXT : STORE(out, 3020))
FK_API(FK_CTX, cuCtxGetStreamPriorityRange, (int *least, int *greatest),
	(least ? *least = 0 : 0), (greatest ? *greatest = -5 : 0), CUDA_SUCCESS)
FK_API(FK_CTX | FK_UNSAFE, cuCtxSynchronize, (void), fk_ctx_wait(fk_ctx()))
FK_API(FK_CTX | FK_UNSAFE, cuCtxSynchronize_v2, (CUcontext ctx),
	ctx && !fk_is(ctx, FK_CONTEXT) ? CUDA_ERROR_INVALID_CONTEXT :
	fk_ctx_wait(ctx ? ctx : fk_ctx()))
