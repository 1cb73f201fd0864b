/*
 * conformance_stamp.c - kernels that read the GPU's clock, and PTX that a device refuses.
 *
 * The PTX is what a profiler loads: stamps, plain and with programmatic launch
 * control, one that lets what follows begin before it waits, a gate that waits for the host, and
 * a cell that picks the next of a row of blocks. The fake driver goes by their names and parameters.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/fakecuda/conformance.h"

#define STAMP(name, wait, release) \
	".visible .entry " name "(.param .u64 s)\n{ .reg .u64 %a, %t;\n" \
	"ld.param.u64 %a, [s]; " wait "mov.u64 %t, %globaltimer; " release "st.u64 [%a], %t; ret; }\n"
#define CELL_STAMP(name, wait, release) \
	".visible .entry " name "(.param .u64 c, .param .u32 i)\n{ .reg .u64 %a, %o, %t; .reg .u32 %i;\n" \
	"ld.param.u64 %a, [c]; ld.param.u32 %i, [i]; " wait "mov.u64 %t, %globaltimer; " release \
	"ld.u64 %a, [%a+8]; mul.wide.u32 %o, %i, 8; add.u64 %a, %a, %o; st.u64 [%a+16], %t; ret; }\n"
#define WAIT "griddepcontrol.wait; "
#define RELEASE "griddepcontrol.launch_dependents; "
#define TIMED(name, first) \
	".visible .entry " name "(.param .u64 s, .param .u32 n)\n{ .reg .u64 %s, %b, %t, %d, %m; .reg .u32 %n; .reg .pred %p;\n" \
	"ld.param.u64 %s, [s]; ld.param.u32 %n, [n]; cvt.u64.u32 %m, %n; " first "mov.u64 %b, %globaltimer; st.u64 [%s], %b;\n" \
	"AGAIN: mov.u64 %t, %globaltimer; sub.u64 %d, %t, %b; setp.lt.u64 %p, %d, %m; @%p bra AGAIN;\n" \
	"st.u64 [%s+8], %t; ret; }\n"
#define HEAD(version, target) ".version " version "\n.target " target "\n.address_size 64\n"

const char conformance_stamps[] =
	HEAD("8.0", "sm_90")
	STAMP("vprof_stamp", WAIT, RELEASE)
	STAMP("vprof_stamp_plain", "", "")
	STAMP("vprof_stamp_early", RELEASE WAIT, "")
	TIMED("vprof_timed_trigger_0us", RELEASE)
	TIMED("vprof_timed_behind", "")
	TIMED("vprof_timed_gridwait", WAIT)
	CELL_STAMP("vprof_twin_stamp", WAIT, RELEASE)
	CELL_STAMP("vprof_twin_stamp_plain", "", "")
	".visible .entry vprof_gate(.param .u64 g, .param .u32 w, .param .u64 s, .param .u32 m)\n"
	"{ .reg .u64 %g, %s, %b, %t, %d, %m; .reg .u32 %w, %v; .reg .pred %p;\n"
	"ld.param.u64 %g, [g]; ld.param.u32 %w, [w]; ld.param.u64 %s, [s]; ld.param.u32 %v, [m];\n"
	"cvt.u64.u32 %m, %v; mov.u64 %b, %globaltimer;\n"
	"AGAIN: ld.volatile.u32 %v, [%g]; sub.s32 %v, %v, %w; setp.ge.s32 %p, %v, 0; @%p bra OPEN;\n"
	"mov.u64 %t, %globaltimer; sub.u64 %d, %t, %b; setp.lt.u64 %p, %d, %m; @%p bra AGAIN;\n"
	"OPEN: mov.u64 %t, %globaltimer; st.u64 [%s], %t; ret; }\n"
	".visible .entry vprof_twin_begin(.param .u64 c)\n"
	"{ .reg .u64 %c, %a, %b, %t, %z; .reg .u32 %n, %k, %s, %m;\n"
	"ld.param.u64 %c, [c]; mov.u64 %t, %globaltimer; mov.u64 %z, 0; ld.u64 %b, [%c];\n"
	"ld.u32 %n, [%c+16]; ld.u32 %k, [%c+20]; ld.u32 %s, [%c+24];\n"
	"rem.u32 %m, %n, %k; mul.lo.u32 %m, %m, %s; mul.wide.u32 %a, %m, 8; add.u64 %a, %b, %a;\n"
	"add.u32 %n, %n, 1; st.u32 [%c+16], %n; st.u64 [%c+8], %a; st.u64 [%a], %z; st.u64 [%a+8], %t;\n"
	"membar.gl; ret; }\n"
	".visible .entry vprof_twin_end(.param .u64 c)\n"
	"{ .reg .u64 %c, %a, %n; .reg .u32 %k;\n"
	"ld.param.u64 %c, [c]; membar.sys; ld.u64 %a, [%c+8]; ld.u32 %k, [%c+16]; cvt.u64.u32 %n, %k;\n"
	"st.u64 [%a], %n; ret; }\n";

struct cell { /* in device memory; its blocks are the host's */
	CUdeviceptr blocks, at;
	uint32_t count, block_count, stride, zero;
};
enum { BLOCKS = 2, STRIDE = 8 };

static struct {
	CUmodule module;
	CUfunction stamp, plain, early, timed, behind, waiting, gate, begin, cell_stamp, cell_plain, end;
	uint64_t *host; /* pinned, and what the device calls it */
	CUdeviceptr seen;
} s;

static CUresult run1(CUfunction f, CUdeviceptr address, uint32_t index)
{
	void *params[] = { &address, &index };

	return cu.cuLaunchKernel(f, 1, 1, 1, 1, 1, 1, 0, t.stream, params, NULL);
}

static int64_t realtime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void on_a_stream(void)
{
	int64_t apart;

	memset(s.host, 0, 4096);
	check_result("a stamp", run1(s.plain, s.seen, 0), CUDA_SUCCESS);
	check_result("20 ms", cu.cuLaunchKernel(t.spin, 1, 1, 1, 1, 1, 1, 0, t.stream, NULL, NULL), CUDA_SUCCESS);
	check_result("a stamp that waits", run1(s.stamp, s.seen + 8, 0), CUDA_SUCCESS);
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	conf_ok(s.host[0] && s.host[0] % 32 == 0 && s.host[1] % 32 == 0, "the clock has steps of 32 ns");
	conf_ok(s.host[1] - s.host[0] >= 20000000 && s.host[1] - s.host[0] < 200000000,
		"the stamps are the kernel's time apart");
	apart = (int64_t)s.host[1] - realtime();
	conf_ok(apart < 1000000000 && apart > -1000000000, "the clock is about the host's");
}

/* Programmatically: it may begin when what is before it on the stream lets it. */
static CUresult run_early(CUfunction f, CUdeviceptr address, uint32_t ns)
{
	CUlaunchAttribute attribute = { .id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION };
	CUlaunchConfig config = {
		.gridDimX = 1, .gridDimY = 1, .gridDimZ = 1, .blockDimX = 1, .blockDimY = 1, .blockDimZ = 1,
		.hStream = t.stream, .attrs = &attribute, .numAttrs = 1,
	};
	void *params[] = { &address, &ns };

	attribute.value.programmaticStreamSerializationAllowed = 1;
	return cu.cuLaunchKernelEx(&config, f, params, NULL);
}

/* A kernel of 20 ms that lets what follows begin, a stamp, and what follows: from when to when is in host[0], [1] and [3], [4]. */
static void early_with(CUfunction stamp, CUfunction behind)
{
	memset(s.host, 0, 4096);
	conf_hold(t.stream);
	check_result("a kernel that lets what follows begin", run1(s.timed, s.seen, 20000000), CUDA_SUCCESS);
	check_result("a stamp behind it", run_early(stamp, s.seen + 16, 0), CUDA_SUCCESS);
	check_result("and what follows", run_early(behind, s.seen + 24, 1000), CUDA_SUCCESS);
	conf_let_go();
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	conf_ok(s.host[1] >= s.host[0] + 20000000 && s.host[2] >= s.host[1] && s.host[2] - s.host[1] < 10000000,
		"the stamp is made when the kernel is over");
}

static void early(void)
{
	/* A profiler that stands between knows only from the second time on which kernels others follow so. */
	early_with(s.early, s.waiting);
	conf_ok(s.host[3] >= s.host[1], "one that waits does so for what the stamp waits for");
	early_with(s.early, s.behind);
	conf_ok(s.host[3] >= s.host[0] && s.host[3] < s.host[1], "behind an early stamp a kernel begins before the one ahead is over");
	conf_ok(s.host[4] < s.host[1], "and is over before it");
	early_with(s.stamp, s.behind);
	conf_ok(s.host[3] >= s.host[1], "behind another stamp it begins when that is made");
}

static CUresult gate(uint32_t want, uint32_t most_ns)
{
	CUdeviceptr go = s.seen + 64, slot = s.seen + 8;
	void *params[] = { &go, &want, &slot, &most_ns };

	return cu.cuLaunchKernel(s.gate, 1, 1, 1, 1, 1, 1, 0, t.stream, params, NULL);
}

static void gates(void)
{
	volatile uint32_t *go = (volatile uint32_t *)&s.host[8];

	*go = 0;
	conf_hold(t.stream);
	check_result("a stamp", run1(s.plain, s.seen, 0), CUDA_SUCCESS);
	check_result("a gate for at most 10 ms", gate(1, 10000000), CUDA_SUCCESS);
	check(CUDA_ERROR_NOT_READY, cuStreamQuery(t.stream));
	conf_let_go();
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	conf_ok(s.host[1] - s.host[0] >= 10000000 && s.host[1] - s.host[0] < 1000000000, "it takes that long");
	check_result("a gate for at most 4 s", gate(1, 4000000000u), CUDA_SUCCESS);
	check(CUDA_ERROR_NOT_READY, cuStreamQuery(t.stream));
	s.host[0] = (uint64_t)realtime();
	*go = 1;
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	conf_ok((int64_t)(s.host[1] - s.host[0]) < 1000000000, "the host opens it");
	check_result("an open gate", gate(1, 4000000000u), CUDA_SUCCESS);
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
}

static void cells(void)
{
	struct cell cell = { .blocks = s.seen, .block_count = BLOCKS, .stride = STRIDE };
	CUdeviceptr at = 0;
	bool whole = true;

	memset(s.host, 0, 4096);
	check(CUDA_SUCCESS, cuMemAlloc_v2(&at, sizeof(cell)));
	check(CUDA_SUCCESS, cuMemcpyHtoD_v2(at, &cell, sizeof(cell)));
	for (int i = 0; i < 3; i++) {
		run1(s.begin, at, 0);
		run1(s.cell_stamp, at, 0);
		run1(s.cell_plain, at, 1);
		run1(s.end, at, 0);
	}
	check(CUDA_SUCCESS, cuStreamSynchronize(t.stream));
	for (int i = 0; i < BLOCKS; i++) {
		const uint64_t *b = s.host + i * STRIDE;

		whole &= b[1] && b[1] <= b[2] && b[2] <= b[3] && !b[4];
	}
	conf_ok(whole, "each block of a cell has its stamps in order");
	conf_ok(s.host[0] == 3 && s.host[STRIDE] == 2, "and its number, the oldest block used again");
	check(CUDA_SUCCESS, cuMemFree_v2(at));
}

/* What the compiler in the driver refuses; how it says so for another GPU's is not ours to know. */
static void refused(void)
{
	CUmodule module = NULL;
	CUresult result;

	result = cu.cuModuleLoadData(&module, HEAD("9.0", "sm_120") STAMP("s", "", ""));
	conf_ok(result != CUDA_SUCCESS, "PTX for a newer GPU is refused");
	printf("# with %d\n", result);
	result = cu.cuModuleLoadData(&module, HEAD("99.0", "sm_75") STAMP("s", "", ""));
	conf_ok(result != CUDA_SUCCESS, "PTX of a newer version is refused");
	printf("# with %d\n", result);
	check_result("programmatic control below sm_90",
		cu.cuModuleLoadData(&module, HEAD("8.0", "sm_80") STAMP("s", WAIT, "")), CUDA_ERROR_INVALID_PTX);
	check_result("an older GPU's",
		cu.cuModuleLoadData(&module, HEAD("7.0", "sm_75") STAMP("s", "", "")), CUDA_SUCCESS);
	check(CUDA_SUCCESS, cuModuleUnload(module));
}

void conf_stamp(void)
{
	void *host = NULL;

	refused();
	check(CUDA_SUCCESS, cuModuleLoadData(&s.module, conformance_stamps));
	check(CUDA_SUCCESS, cuModuleGetFunction(&s.stamp, s.module, "vprof_stamp"));
	check(CUDA_SUCCESS, cuModuleGetFunction(&s.plain, s.module, "vprof_stamp_plain"));
	check(CUDA_SUCCESS, cuModuleGetFunction(&s.early, s.module, "vprof_stamp_early"));
	check(CUDA_SUCCESS, cuModuleGetFunction(&s.timed, s.module, "vprof_timed_trigger_0us"));
	check(CUDA_SUCCESS, cuModuleGetFunction(&s.behind, s.module, "vprof_timed_behind"));
	check(CUDA_SUCCESS, cuModuleGetFunction(&s.waiting, s.module, "vprof_timed_gridwait"));
	check(CUDA_SUCCESS, cuModuleGetFunction(&s.gate, s.module, "vprof_gate"));
	check(CUDA_SUCCESS, cuModuleGetFunction(&s.begin, s.module, "vprof_twin_begin"));
	check(CUDA_SUCCESS, cuModuleGetFunction(&s.cell_stamp, s.module, "vprof_twin_stamp"));
	check(CUDA_SUCCESS, cuModuleGetFunction(&s.cell_plain, s.module, "vprof_twin_stamp_plain"));
	check(CUDA_SUCCESS, cuModuleGetFunction(&s.end, s.module, "vprof_twin_end"));
	check(CUDA_SUCCESS, cuMemHostAlloc(&host, 4096, CU_MEMHOSTALLOC_DEVICEMAP | CU_MEMHOSTALLOC_PORTABLE));
	s.host = host;
	check(CUDA_SUCCESS, cuMemHostGetDevicePointer_v2(&s.seen, host, 0));
	on_a_stream();
	early();
	gates();
	cells();
	check(CUDA_SUCCESS, cuMemFreeHost(host));
	check(CUDA_SUCCESS, cuModuleUnload(s.module));
}
