/*
 * launch.c - kernels and host functions onto streams.
 *
 * Arguments are gathered by the function's parameter layout into a buffer on
 * the stack; only a launch that has to wait copies it to the heap.
 */
#include <string.h>

#include "tests/fakecuda/fake.h"
#include "tests/fakecuda/rules.h"

enum { ARGS_ROOM = 4096 }; /* what the real driver takes at most */

/* The list `extra`: a buffer that already has the layout. */
static CUresult args_extra(void *args, const struct fk_layout *layout, void **extra)
{
	const void *from = NULL;
	size_t size = 0;

	for (; extra && *extra != CU_LAUNCH_PARAM_END; extra += 2) {
		if (*extra == CU_LAUNCH_PARAM_BUFFER_POINTER)
			from = extra[1];
		else if (*extra == CU_LAUNCH_PARAM_BUFFER_SIZE)
			size = *(size_t *)extra[1];
		else
			return CUDA_ERROR_INVALID_VALUE;
	}
	if (!layout->bytes)
		return CUDA_SUCCESS;
	if (!from || size < layout->bytes)
		return CUDA_ERROR_INVALID_VALUE;
	memcpy(args, from, layout->bytes);
	return CUDA_SUCCESS;
}

static CUresult args_gather(void *args, size_t room, const struct fk_layout *layout,
	void **params, void **extra)
{
	if (layout->bytes > room || (params && extra))
		return CUDA_ERROR_INVALID_VALUE;
	if (!params)
		return args_extra(args, layout, extra);
	for (int i = 0; i < layout->count; i++)
		memcpy((char *)args + layout->offset[i], params[i], layout->size[i]);
	return CUDA_SUCCESS;
}

static bool shape_ok(const unsigned int grid[3], const unsigned int block[3])
{
	return grid[0] && grid[1] && grid[2] && block[0] && block[1] && block[2] &&
		(uint64_t)block[0] * block[1] * block[2] <= 1024;
}

/* Fills `work` from a launch's or a node's parameters; args has `room` bytes. */
CUresult fk_kernel_work(struct fk_work *work, const CUDA_KERNEL_NODE_PARAMS_v2 *p, void *args,
	size_t room)
{
	CUfunction function = fk_function_of(p->func ? (void *)p->func : (void *)p->kern);

	if (!function)
		return CUDA_ERROR_INVALID_HANDLE;
	__atomic_store_n(&function->loaded, true, __ATOMIC_RELAXED);
	*work = (struct fk_work){
		.type = CU_GRAPH_NODE_TYPE_KERNEL,
		.kernel = {
			.func = function,
			.kern = p->kern,
			.ctx = p->ctx ? p->ctx : fk_ctx(),
			.grid = { p->gridDimX, p->gridDimY, p->gridDimZ },
			.block = { p->blockDimX, p->blockDimY, p->blockDimZ },
			.shared = p->sharedMemBytes,
			.args = args,
		},
	};
	if (!shape_ok(work->kernel.grid, work->kernel.block) || p->sharedMemBytes > 227 * 1024)
		return CUDA_ERROR_INVALID_VALUE;
	return args_gather(args, room, &function->layout, p->kernelParams, p->extra);
}

static CUresult launch_with(const CUDA_KERNEL_NODE_PARAMS_v2 *params, struct fk_attributes *attributes,
	CUstream stream)
{
	_Alignas(16) char args[ARGS_ROOM];
	struct fk_work work;
	CUresult result;

	result = fk_kernel_work(&work, params, args, sizeof(args));
	if (!result && fk_gate & FK_GATE_RULES)
		result = fk_rules_apply(work.kernel.func->name);
	if (result)
		return result;
	work.kernel.attributes = attributes;
	return stream ? fk_submit(stream, &work) : CUDA_ERROR_INVALID_HANDLE;
}

static CUresult launch(const CUDA_KERNEL_NODE_PARAMS_v2 *params, CUstream stream)
{
	return launch_with(params, NULL, stream);
}

static CUresult launch_cooperative(const CUDA_KERNEL_NODE_PARAMS_v2 *params, CUstream stream)
{
	struct fk_attributes attributes = { .given = 0 };

	fk_attributes_set(&attributes, CU_LAUNCH_ATTRIBUTE_COOPERATIVE, &(CUlaunchAttributeValue){ .cooperative = 1 });
	return launch_with(params, &attributes, stream);
}

/* Events of a launch: recorded when it has ended, which is later than they might be. */
static CUresult launch_event(const struct fk_attributes *a, CUlaunchAttributeID id, CUstream stream)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_EVENT_RECORD };

	if (!(a->given & 1u << id))
		return CUDA_SUCCESS;
	work.event = id == CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_EVENT ? a->value[id].programmaticEvent.event :
		a->value[id].launchCompletionEvent.event;
	if (!fk_is(work.event, FK_EVENT) || !(work.event->flags & CU_EVENT_DISABLE_TIMING))
		return CUDA_ERROR_INVALID_VALUE;
	return stream ? fk_submit(stream, &work) : CUDA_SUCCESS;
}

static CUresult launch_config(const CUlaunchConfig *c, CUfunction function, void **params,
	void **extra, int pts)
{
	struct fk_attributes attributes;
	CUDA_KERNEL_NODE_PARAMS_v2 p;
	CUstream stream;
	CUresult result;

	if (!c || (c->numAttrs && !c->attrs))
		return CUDA_ERROR_INVALID_VALUE;
	p = (CUDA_KERNEL_NODE_PARAMS_v2){
		.func = function,
		.gridDimX = c->gridDimX, .gridDimY = c->gridDimY, .gridDimZ = c->gridDimZ,
		.blockDimX = c->blockDimX, .blockDimY = c->blockDimY, .blockDimZ = c->blockDimZ,
		.sharedMemBytes = c->sharedMemBytes,
		.kernelParams = params, .extra = extra,
	};
	stream = fk_stream_get(c->hStream, pts);
	result = fk_attributes_take(&attributes, c->attrs, c->numAttrs);
	if (!result)
		result = launch_with(&p, attributes.given ? &attributes : NULL, stream);
	if (!result)
		result = launch_event(&attributes, CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_EVENT, stream);
	return result ? result : launch_event(&attributes, CU_LAUNCH_ATTRIBUTE_LAUNCH_COMPLETION_EVENT, stream);
}

static CUresult launch_host(CUstream stream, CUhostFn fn, void *user)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_HOST, .host = { fn, user } };

	if (!fn)
		return CUDA_ERROR_INVALID_VALUE;
	return stream ? fk_submit(stream, &work) : CUDA_ERROR_INVALID_HANDLE;
}

/* The legacy calls set block shape and parameters on the function beforehand. */
static CUresult launch_legacy(CUfunction function, int width, int height, CUstream stream)
{
	static _Alignas(16) const char zeros[ARGS_ROOM];
	size_t size = sizeof(zeros);
	void *extra[] = { CU_LAUNCH_PARAM_BUFFER_POINTER, (void *)zeros,
		CU_LAUNCH_PARAM_BUFFER_SIZE, &size, CU_LAUNCH_PARAM_END };
	CUDA_KERNEL_NODE_PARAMS_v2 p = {
		.func = function, .gridDimX = (unsigned int)width, .gridDimY = (unsigned int)height,
		.gridDimZ = 1, .blockDimX = 1, .blockDimY = 1, .blockDimZ = 1, .extra = extra,
	};

	return launch(&p, stream);
}

#define SHAPE_ARGS unsigned int gx, unsigned int gy, unsigned int gz, \
	unsigned int bx, unsigned int by, unsigned int bz, unsigned int shared
#define SHAPE(f, params, extra) \
	(&(CUDA_KERNEL_NODE_PARAMS_v2){ f, gx, gy, gz, bx, by, bz, shared, params, extra, NULL, NULL })

FK_API_PT(FK_CTX | FK_WORK, cuLaunchKernel, _ptsz,
	(CUfunction f, SHAPE_ARGS, CUstream stream, void **params, void **extra),
	launch(SHAPE(f, params, extra), fk_stream_get(stream, pts)))
FK_API_PT(FK_CTX | FK_WORK, cuLaunchKernelEx, _ptsz,
	(const CUlaunchConfig *config, CUfunction f, void **params, void **extra),
	launch_config(config, f, params, extra, pts))
FK_API_PT(FK_CTX | FK_WORK, cuLaunchCooperativeKernel, _ptsz,
	(CUfunction f, SHAPE_ARGS, CUstream stream, void **params),
	launch_cooperative(SHAPE(f, params, NULL), fk_stream_get(stream, pts)))
FK_API_PT(FK_CTX | FK_WORK, cuLaunchHostFunc, _ptsz, (CUstream stream, CUhostFn fn, void *user),
	launch_host(fk_stream_get(stream, pts), fn, user))
FK_API(FK_CTX | FK_WORK, cuLaunch, (CUfunction f), launch_legacy(f, 1, 1, fk_stream_get(NULL, 0)))
FK_API(FK_CTX | FK_WORK, cuLaunchGrid, (CUfunction f, int width, int height),
	launch_legacy(f, width, height, fk_stream_get(NULL, 0)))
FK_API(FK_CTX | FK_WORK, cuLaunchGridAsync, (CUfunction f, int width, int height, CUstream stream),
	launch_legacy(f, width, height, fk_stream_get(stream, 0)))

struct launch_params { /* CUDA_LAUNCH_PARAMS */
	CUfunction function;
	unsigned int gx, gy, gz, bx, by, bz, shared;
	CUstream stream;
	void **params;
};

static CUresult launch_multi(const struct launch_params *list, unsigned int count)
{
	CUresult result = count && list ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;

	for (unsigned int i = 0; i < count && !result; i++) {
		const struct launch_params *l = &list[i];
		CUDA_KERNEL_NODE_PARAMS_v2 p = { l->function, l->gx, l->gy, l->gz, l->bx, l->by, l->bz,
			l->shared, l->params, NULL, NULL, NULL };

		result = launch(&p, fk_stream_get(l->stream, 0));
	}
	return result;
}

FK_API(FK_CTX | FK_WORK, cuLaunchCooperativeKernelMultiDevice,
	(struct launch_params *list, unsigned int count, unsigned int flags),
	(void)flags, launch_multi(list, count))
