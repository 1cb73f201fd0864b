/*
 * stale_reads.c - does a kernel see what the kernel before it has written, through every cache there is?
 *
 *	stale_reads graph ROUNDS    eight writers and readers in turn, captured and replayed
 *	stale_reads stream ROUNDS   the same, launched one by one
 *	stale_reads early ROUNDS    a graph whose readers may begin before their writer has written, and do not
 *	                            wait for it: to see that this program sees such a thing. Needs sm_90
 *
 * A writer stores another number into each of 1024 words and of as many constants; the reader behind it, on all
 * multiprocessors, reads them by the caches that hold what the last reader read there: L1 (ld.ca), the one for read-only
 * data (ld.nc) and that of constants. Between two kernels these are made to forget, by whom is not written down
 * anywhere; with stamps between them, on programmatic edges, it has to be so as well. Prints "reads N" and "stale L1
 * READ-ONLY CONSTANT". Exit code 77: nothing here can do it.
 */
#include <string.h>
#include "tests/gpu/driver.h"

typedef unsigned int U;
#define MORE_FUNCTIONS(X) \
	X(cuMemAlloc, cuMemAlloc_v2, (CUdeviceptr *p, size_t bytes)) \
	X(cuMemsetD8Async, cuMemsetD8Async, (CUdeviceptr p, unsigned char value, size_t bytes, CUstream s)) \
	X(cuMemcpyDtoH, cuMemcpyDtoH_v2, (void *to, CUdeviceptr from, size_t bytes)) \
	X(cuModuleGetGlobal, cuModuleGetGlobal_v2, (CUdeviceptr *p, size_t *bytes, CUmodule module, const char *name)) \
	X(cuStreamCreate, cuStreamCreate, (CUstream *s, U flags)) \
	X(cuStreamSynchronize, cuStreamSynchronize, (CUstream s)) \
	X(cuStreamBeginCapture, cuStreamBeginCapture_v2, (CUstream s, CUstreamCaptureMode mode)) \
	X(cuStreamEndCapture, cuStreamEndCapture, (CUstream s, CUgraph *graph)) \
	X(cuGraphInstantiateWithFlags, cuGraphInstantiateWithFlags, (CUgraphExec *e, CUgraph g, unsigned long long flags)) \
	X(cuGraphLaunch, cuGraphLaunch, (CUgraphExec e, CUstream s)) \
	X(cuLaunchKernelEx, cuLaunchKernelEx, (const CUlaunchConfig *config, CUfunction f, void **params, void **extra))

#define X(name, symbol, params) static CUresult (*name) params;
MORE_FUNCTIONS(X)
#undef X

enum { WORDS = 1024, PAIRS = 8, READERS = 528, THREADS = 256, PAUSE_EVERY = 64 };

/* What follows is the same in all; the writer that lets others begin early spins for 20 us before it writes. */
#define HEAD(target) ".version 8.0\n.target " target "\n.address_size 64\n.visible .const .align 4 .b32 constants[1024];\n"
#define BUMP \
	".visible .entry bump(.param .u64 base) { .reg .b64 %b; .reg .b32 %v;\n" \
	"ld.param.u64 %b, [base]; ld.volatile.global.u32 %v, [%b]; add.u32 %v, %v, 8; st.volatile.global.u32 [%b], %v; ret; }\n"
#define WRITE(early) \
	".visible .entry write(.param .u64 base, .param .u32 k, .param .u64 words, .param .u64 constants_at)\n" \
	"{ .reg .b64 %a, %p, %c, %o, %t, %n; .reg .b32 %i, %j, %v, %k, %s; .reg .pred %q;\n" early \
	"ld.param.u64 %a, [base]; ld.param.u32 %k, [k]; ld.param.u64 %p, [words]; ld.param.u64 %c, [constants_at];\n" \
	"ld.volatile.global.u32 %v, [%a]; add.u32 %v, %v, %k;\n" \
	"mov.u32 %i, %tid.x; mov.u32 %j, %ctaid.x; mov.u32 %s, %ntid.x; mad.lo.u32 %i, %j, %s, %i;\n" \
	"mul.wide.u32 %o, %i, 4; add.u64 %p, %p, %o; add.u64 %c, %c, %o; st.global.u32 [%p], %v; st.global.u32 [%c], %v; ret; }\n"
#define EARLY \
	"griddepcontrol.launch_dependents; mov.u64 %t, %globaltimer; add.u64 %t, %t, 20000;\n" \
	"SPIN: mov.u64 %n, %globaltimer; setp.lt.u64 %q, %n, %t; @%q bra SPIN;\n"
#define COMPARE(load, counter) \
	load " setp.ne.u32 %q, %x, %v; @%q red.global.add.u32 [%w+" counter "], 1;\n"
#define READ \
	".visible .entry read(.param .u64 base, .param .u32 k, .param .u64 words, .param .u64 wrong)\n" \
	"{ .reg .b64 %a, %p, %w, %o, %c; .reg .b32 %i, %v, %k, %x; .reg .pred %q, %r;\n" \
	"ld.param.u64 %a, [base]; ld.param.u32 %k, [k]; ld.param.u64 %p, [words]; ld.param.u64 %w, [wrong];\n" \
	"ld.volatile.global.u32 %v, [%a]; add.u32 %v, %v, %k; mov.u32 %i, %tid.x; mul.wide.u32 %o, %i, 4;\n" \
	"add.u64 %p, %p, %o; mov.u64 %c, constants; add.u64 %c, %c, %o; mov.u32 %i, 0;\n" \
	"NEXT:\n" \
	COMPARE("ld.global.ca.u32 %x, [%p];", "0") COMPARE("ld.global.nc.u32 %x, [%p];", "4") \
	COMPARE("ld.const.u32 %x, [%c];", "8") \
	"add.u64 %p, %p, 1024; add.u64 %c, %c, 1024; add.u32 %i, %i, 1; setp.lt.u32 %r, %i, 4; @%r bra NEXT; ret; }\n"

static const char plain_ptx[] = HEAD("sm_50") BUMP WRITE("") READ;
static const char early_ptx[] = HEAD("sm_90") BUMP WRITE(EARLY) READ;

static CUstream stream;
static CUfunction bump, write_all, read_all;
static CUdeviceptr base, words, constants, wrong;

static void launch(CUfunction function, U blocks, U threads, void **params, int is_early)
{
	CUlaunchAttribute attribute = { .id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION };
	CUlaunchConfig config = {
		.gridDimX = blocks, .gridDimY = 1, .gridDimZ = 1, .blockDimX = threads, .blockDimY = 1, .blockDimZ = 1,
		.hStream = stream, .attrs = &attribute, .numAttrs = (U)is_early,
	};

	attribute.value.programmaticStreamSerializationAllowed = 1;
	DRIVER_TRY(cuLaunchKernelEx(&config, function, params, NULL));
}

static void launch_all(int is_early)
{
	launch(bump, 1, 1, (void *[]){ &base }, 0);
	for (U k = 0; k < PAIRS; k++) {
		launch(write_all, WORDS / THREADS, THREADS, (void *[]){ &base, &k, &words, &constants }, 0);
		launch(read_all, READERS, THREADS, (void *[]){ &base, &k, &words, &wrong }, is_early);
	}
}

static CUgraphExec capture(int is_early)
{
	CUgraph graph;
	CUgraphExec exec;

	DRIVER_TRY(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
	launch_all(is_early);
	DRIVER_TRY(cuStreamEndCapture(stream, &graph));
	DRIVER_TRY(cuGraphInstantiateWithFlags(&exec, graph, 0));
	return exec;
}

static void begin(const struct driver *d, int is_early)
{
	CUcontext context;
	CUmodule module;
	size_t bytes;

#define X(name, symbol, params) \
	name = (CUresult (*) params)dlsym(d->opened, #symbol); \
	if (!name) \
		exit(77);
	MORE_FUNCTIONS(X)
#undef X
	DRIVER_TRY(d->cuDevicePrimaryCtxRetain(&context, 0));
	DRIVER_TRY(d->cuCtxSetCurrent(context));
	if (d->cuModuleLoadData(&module, is_early ? early_ptx : plain_ptx))
		exit(77);
	DRIVER_TRY(d->cuModuleGetFunction(&bump, module, "bump"));
	DRIVER_TRY(d->cuModuleGetFunction(&write_all, module, "write"));
	DRIVER_TRY(d->cuModuleGetFunction(&read_all, module, "read"));
	DRIVER_TRY(cuModuleGetGlobal(&constants, &bytes, module, "constants"));
	DRIVER_TRY(cuMemAlloc(&base, 256));
	DRIVER_TRY(cuMemAlloc(&wrong, 256));
	DRIVER_TRY(cuMemAlloc(&words, 4 * WORDS));
	DRIVER_TRY(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
	DRIVER_TRY(cuMemsetD8Async(base, 0, 256, stream));
	DRIVER_TRY(cuMemsetD8Async(wrong, 0, 256, stream));
}

int main(int argc, char **argv)
{
	const char *mode = argc == 3 ? argv[1] : "";
	int is_early = !strcmp(mode, "early");
	long rounds = argc == 3 ? atol(argv[2]) : 0;
	struct driver d = driver_open();
	CUgraphExec exec = NULL;
	U stale[3];

	if (rounds < 1 || (!is_early && strcmp(mode, "graph") && strcmp(mode, "stream")))
		return 1;
	begin(&d, is_early);
	if (strcmp(mode, "stream"))
		exec = capture(is_early);
	for (long i = 0; i < rounds; i++) {
		if (exec)
			DRIVER_TRY(cuGraphLaunch(exec, stream));
		else
			launch_all(0);
		if (i % PAUSE_EVERY == 0)
			DRIVER_TRY(cuStreamSynchronize(stream));
	}
	DRIVER_TRY(d.cuCtxSynchronize());
	DRIVER_TRY(cuMemcpyDtoH(stale, wrong, sizeof(stale)));
	printf("reads %ld\nstale %u %u %u\n", rounds * PAIRS * READERS * WORDS, stale[0], stale[1], stale[2]);
	return 0;
}
