/*
 * kernel_facts.c - launches kernels that need different things, and prints what the driver says of each.
 *
 *	kernel_facts        launches and prints
 *	kernel_facts ptx    prints the kernels
 *
 * One JSON object a line: kernel, block, dynamic, registers, shared_static, local (from
 * cuFuncGetAttribute) and blocks (from cuOccupancyMaxActiveBlocksPerMultiprocessor). Each is
 * launched once, in the shape that it is asked about. `vprof kernels --json` must say the same.
 */
#include <string.h>
#include "tests/gpu/driver.h"

enum { LIVE = 96, PTX_ROOM = 1 << 16, DYNAMIC_MOST = CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES };

/* Bodies; each gets the address of 4 KiB in %p and its thread number in %t and, times 4, in %o. */
#define NOTHING "\tst.volatile.global.u32 [%p], %t;\n"
#define SHARED(bytes) \
	"\t.shared .align 4 .b8 part[" #bytes "];\n" \
	"\tmov.u32 %s, part; add.u32 %s, %s, %o; st.volatile.shared.u32 [%s], %t;\n"
#define EXTERN "\tmov.u32 %s, dynamic; add.u32 %s, %s, %o; st.volatile.shared.u32 [%s], %t;\n"
#define LOCAL \
	"\t.local .align 4 .b8 own[400];\n" \
	"\tand.b32 %s, %o, 252; cvt.u64.u32 %q, %s; mov.u64 %l, own; add.u64 %l, %l, %q; st.local.u32 [%l], %t;\n" \
	"\tld.volatile.global.u32 %s, [%p]; and.b32 %s, %s, 252; cvt.u64.u32 %q, %s; mov.u64 %l, own;\n" \
	"\tadd.u64 %l, %l, %q; ld.local.u32 %s, [%l]; st.volatile.global.u32 [%p], %s;\n"
#define MANY NULL /* LIVE values at a time */

static const struct shape {
	const char *name, *body;
	unsigned block, dynamic;
} shapes[] = {
	{ "plain_32", NOTHING, 32, 0 },
	{ "plain_100", NOTHING, 100, 0 },
	{ "plain_256", NOTHING, 256, 0 },
	{ "plain_768", NOTHING, 768, 0 },
	{ "plain_1024", NOTHING, 1024, 0 },
	{ "static_8000", SHARED(8000), 128, 0 },
	{ "static_40000", SHARED(40000), 128, 0 },
	{ "dynamic_1000", EXTERN, 128, 1000 },
	{ "dynamic_48k", EXTERN, 128, 48 << 10 },
	{ "dynamic_60k", EXTERN, 256, 60 << 10 },
	{ "local_400", LOCAL, 256, 0 },
	{ "many_64", MANY, 64, 0 },
	{ "many_256", MANY, 256, 0 },
	{ "many_384", MANY, 384, 0 },
};
enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

#define FACTS_FUNCTIONS(X) \
	X(cuFuncGetAttribute, (int *value, int attribute, CUfunction f)) \
	X(cuFuncSetAttribute, (CUfunction f, int attribute, int value)) \
	X(cuOccupancyMaxActiveBlocksPerMultiprocessor, (int *blocks, CUfunction f, int block, size_t dynamic))
#define X(name, params) static CUresult (*name) params;
FACTS_FUNCTIONS(X)
#undef X

static size_t put_many(char *ptx, size_t room)
{
	size_t at = (size_t)snprintf(ptx, room, "\t.reg .b32 %%v<%d>;\n", LIVE);

	for (int i = 0; i < LIVE; i++)
		at += (size_t)snprintf(ptx + at, room - at, "\tld.volatile.global.u32 %%v%d, [%%p+%d];\n", i, 4 * i);
	for (int i = LIVE - 1; i >= 0; i--)
		at += (size_t)snprintf(ptx + at, room - at, "\tst.volatile.global.u32 [%%p+%d], %%v%d;\n", 4 * i, i);
	return at;
}

static const char *make_ptx(void)
{
	static char ptx[PTX_ROOM];
	size_t at = (size_t)snprintf(ptx, sizeof(ptx), ".version 6.3\n.target sm_70\n.address_size 64\n"
						       ".extern .shared .align 4 .b8 dynamic[];\n");

	for (int i = 0; i < SHAPES; i++) {
		at += (size_t)snprintf(ptx + at, sizeof(ptx) - at,
				       ".visible .entry %s(.param .u64 memory)\n{\n"
				       "\t.reg .b32 %%t, %%o, %%s;\n\t.reg .b64 %%p, %%q, %%l;\n"
				       "\tld.param.u64 %%p, [memory]; mov.u32 %%t, %%tid.x; shl.b32 %%o, %%t, 2;\n",
				       shapes[i].name);
		if (shapes[i].body)
			at += (size_t)snprintf(ptx + at, sizeof(ptx) - at, "%s", shapes[i].body);
		else
			at += put_many(ptx + at, sizeof(ptx) - at);
		at += (size_t)snprintf(ptx + at, sizeof(ptx) - at, "\tret;\n}\n");
	}
	return ptx;
}

static int attribute_of(CUfunction f, int attribute)
{
	int value = -1;

	DRIVER_TRY(cuFuncGetAttribute(&value, attribute, f));
	return value;
}

static void run(const struct driver *d, CUmodule module, const struct shape *shape, void *memory)
{
	void *params[] = { &memory };
	CUfunction f;
	int blocks = -1;

	DRIVER_TRY(d->cuModuleGetFunction(&f, module, shape->name));
	if (shape->dynamic)
		DRIVER_TRY(cuFuncSetAttribute(f, DYNAMIC_MOST, (int)shape->dynamic));
	DRIVER_TRY(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, f, (int)shape->block, shape->dynamic));
	DRIVER_TRY(d->cuLaunchKernel(f, 1, 1, 1, shape->block, 1, 1, shape->dynamic, NULL, params, NULL));
	printf("{\"kernel\": \"%s\", \"block\": %u, \"dynamic\": %u, \"registers\": %d, \"shared_static\": %d, "
	       "\"local\": %d, \"blocks\": %d}\n",
	       shape->name, shape->block, shape->dynamic, attribute_of(f, CU_FUNC_ATTRIBUTE_NUM_REGS),
	       attribute_of(f, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES), attribute_of(f, CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES),
	       blocks);
}

int main(int argc, char **argv)
{
	const char *ptx = make_ptx();
	struct driver d;
	CUmodule module;
	void *memory;

	if (argc > 1 && !strcmp(argv[1], "ptx"))
		return fputs(ptx, stdout) < 0;
	d = driver_open();
#define X(name, params) \
	name = (CUresult (*) params)dlsym(d.opened, #name); \
	if (!name) \
		driver_try(CUDA_ERROR_NOT_FOUND, #name);
	FACTS_FUNCTIONS(X)
#undef X
	driver_context(&d);
	DRIVER_TRY(d.cuModuleLoadData(&module, ptx));
	DRIVER_TRY(d.cuMemHostAlloc(&memory, 4096, 0));
	for (int i = 0; i < SHAPES; i++)
		run(&d, module, &shapes[i], memory);
	DRIVER_TRY(d.cuCtxSynchronize());
	return 0;
}
