/*
 * facts.c - asks the driver what a kernel needs, once for each kernel.
 *
 * A CUfunction and a CUkernel are launched alike and not asked alike: of one that we have
 * not seen being looked up the second way is tried when the driver refuses the first. A
 * CUkernel has its facts for each device; the current context's is asked, on which it has
 * just been launched.
 */
#include <string.h>
#include "shim/ask.h"
#include "shim/facts.h"
#include "shim/objects.h"

enum { PARAMS_MOST = 4096 }; /* a kernel has at most 32 KiB of them */

struct subject {
	void *handle;
	int library;
	CUdevice device;
};

static CUresult ask_attribute(const struct subject *of, int attribute, int *value)
{
	if (of->library)
		return vprof_ask.kernel_get_attribute(value, attribute, of->handle, of->device);
	return vprof_ask.func_get_attribute(value, attribute, of->handle);
}

static CUresult ask_param(const struct subject *of, size_t index, size_t *offset, size_t *size)
{
	if (of->library)
		return vprof_ask.kernel_get_param(of->handle, index, offset, size);
	return vprof_ask.func_get_param(of->handle, index, offset, size);
}

/* Which of the two kinds is it? 0: the driver knows neither, or cannot say. */
static int subject_find(struct subject *of)
{
	int value;

	if (!of->library && vprof_ask.func_get_attribute &&
	    !ask_attribute(of, CU_FUNC_ATTRIBUTE_NUM_REGS, &value))
		return 1;
	of->library = 1;
	return vprof_ask.kernel_get_attribute && of->device >= 0 &&
	       !ask_attribute(of, CU_FUNC_ATTRIBUTE_NUM_REGS, &value);
}

static int take_attributes(const struct subject *of, struct vprof_def_facts *facts)
{
	int threads, registers, shared, most, constant, local, ptx, binary;
	const struct { int attribute, *value; } asked[] = {
		{ CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, &threads },
		{ CU_FUNC_ATTRIBUTE_NUM_REGS, &registers },
		{ CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, &shared },
		{ CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, &most },
		{ CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES, &constant },
		{ CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES, &local },
		{ CU_FUNC_ATTRIBUTE_PTX_VERSION, &ptx },
		{ CU_FUNC_ATTRIBUTE_BINARY_VERSION, &binary },
	};

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
		if (ask_attribute(of, asked[i].attribute, asked[i].value))
			return 0;
	facts->threads_most = (uint32_t)threads;
	facts->registers = (uint32_t)registers;
	facts->shared_static = (uint32_t)shared;
	facts->shared_most = (uint32_t)most;
	facts->constant = (uint32_t)constant;
	facts->local = (uint32_t)local;
	facts->ptx = (uint16_t)ptx;
	facts->binary = (uint16_t)binary;
	return 1;
}

/* The driver refuses the index behind the last parameter. */
static void take_params(const struct subject *of, struct vprof_def_facts *facts)
{
	size_t offset, size;
	uint32_t count = 0;

	facts->param_count = UINT32_MAX;
	if (of->library ? !vprof_ask.kernel_get_param : !vprof_ask.func_get_param)
		return;
	for (; count < PARAMS_MOST && !ask_param(of, count, &offset, &size); count++) {
		if (offset + size > facts->param_bytes)
			facts->param_bytes = (uint32_t)(offset + size);
		if (count < VPROF_FACTS_PARAMS) {
			facts->params[count].offset = (uint16_t)offset;
			facts->params[count].size = (uint16_t)size;
		}
	}
	facts->param_count = count;
}

static size_t facts_size(const struct vprof_def_facts *facts)
{
	uint32_t params = facts->param_count == UINT32_MAX ? 0 : facts->param_count;

	if (params > VPROF_FACTS_PARAMS)
		params = VPROF_FACTS_PARAMS;
	return sizeof(*facts) + params * sizeof(facts->params[0]);
}

void vprof_facts_take(uint32_t kernel, void *handle, int library)
{
	union {
		struct vprof_def_facts facts;
		uint8_t room[sizeof(struct vprof_def_facts) + VPROF_FACTS_PARAMS * 4];
	} def;
	struct vprof_def_facts *facts = &def.facts;
	struct subject of = { handle, library, -1 };
	struct vprof_asking asking;

	memset(&def, 0, sizeof(def));
	facts->head.type = VPROF_DEF_FACTS;
	facts->kernel = kernel;
	facts->param_count = UINT32_MAX;
	if (!vprof_ask_begin(&asking)) {
		vprof_lose(VPROF_LOSS_FACTS);
		return;
	}
	if (!vprof_ask.ctx_get_device || vprof_ask.ctx_get_device(&of.device))
		of.device = -1;
	if (subject_find(&of)) {
		facts->valid = (uint32_t)take_attributes(&of, facts);
		take_params(&of, facts);
	}
	vprof_ask_end(&asking);
	facts->device = of.device;
	if (of.device >= 0)
		vprof_device_seen(of.device);
	if (!facts->valid)
		vprof_lose(VPROF_LOSS_FACTS);
	vprof_define_sparing(facts, facts_size(facts), NULL);
}
