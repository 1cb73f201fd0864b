/*
 * cold_step.c - what a step of inference costs whose calls are far apart.
 *
 * cold_cost.c makes one call over and over. A decode step of vLLM's makes some 35 of a dozen functions, with
 * eighteen launches of as many kernels among them, and 450 questions, and so much else in between that what of ours
 * one call needed has gone from the nearer caches when the next comes, and much of it when the next step does. Here
 * those calls are made; so many blocks of 4 KiB of code, and as many of data, are gone through ahead of each record,
 * and one ahead of each question. The calls alone are timed.
 *
 *   direct    the driver's own functions
 *   recorded  the wrappers, control word on
 *   disabled  the wrappers, control word off
 * Figures are differences of medians of steps, by the number of records.
 */
#include <string.h>
#include "shim/cuda_abi.h"
#include "tests/bench/launch.h"
#include "tests/bench/row.h"

enum { STEPS = 300, LINE = 64, BLOCK = 4096, BLOCKS = 4096, ASKED = 13, KERNELS = 18 };
enum arm { DIRECT, RECORDED, DISABLED, ARMS };
enum call { LAUNCH, LAUNCH_EX, EVENT, HTOD, DTOH, DTOD, GRAPH, SYNC, WAIT, ASK, STATE, CALLS };

static const char *const names[CALLS] = {
	"cuLaunchKernel", "cuLaunchKernelEx", "cuEventRecordWithFlags", "cuMemcpyHtoDAsync_v2", "cuMemcpyDtoHAsync_v2",
	"cuMemcpyDtoDAsync_v2", "cuGraphLaunch", "cuEventSynchronize", "cuStreamWaitEvent", "cuCtxGetDevice_v2",
	"cuDevicePrimaryCtxGetState",
};

/* What is recorded in a step. */
static const uint8_t order[] = {
	HTOD, LAUNCH_EX, LAUNCH, LAUNCH_EX, LAUNCH_EX, EVENT, LAUNCH_EX, LAUNCH, LAUNCH_EX, HTOD, DTOD, EVENT, GRAPH,
	EVENT, LAUNCH, LAUNCH, LAUNCH_EX, EVENT, LAUNCH, LAUNCH_EX, LAUNCH, LAUNCH, LAUNCH, WAIT, DTOH, DTOH, EVENT,
	LAUNCH, LAUNCH, LAUNCH_EX, EVENT, SYNC, LAUNCH,
};

static void *real[2][CALLS]; /* [1]: the wrappers */
static void *kernels[KERNELS], *event, *stream, *graph;
static uint64_t device, host[4];
static char *walked, *code;
static size_t blocks; /* ahead of each record */
static double samples[ARMS][STEPS], asked[ARMS][STEPS]; /* ticks a step: recorded calls, questions */

typedef CUresult (*one_fn)(void *);
typedef CUresult (*two_fn)(void *, void *);
typedef CUresult (*three_fn)(void *, void *, unsigned);
typedef CUresult (*copy_fn)(uint64_t, uint64_t, size_t, void *);
typedef CUresult (*config_fn)(const CUlaunchConfig *, void *, void **, void **);

static CUresult call(enum call which, void *to, unsigned *kernel)
{
	void *params[1] = { NULL };
	uint64_t there = (uintptr_t)host;
	CUlaunchConfig config = { 1, 2, 3, 4, 5, 6, 0, stream, NULL, 0 };
	int answer[2];

	switch (which) {
	case LAUNCH:
		return ((launch_fn)to)(kernels[(*kernel)++], 1, 2, 3, 4, 5, 6, 0, stream, params, NULL);
	case LAUNCH_EX:
		return ((config_fn)to)(&config, kernels[(*kernel)++], params, NULL);
	case EVENT:
		return ((three_fn)to)(event, stream, 0);
	case HTOD:
		return ((copy_fn)to)(device, there, 8, stream);
	case DTOH:
		return ((copy_fn)to)(there, device, 8, stream);
	case DTOD:
		return ((copy_fn)to)(device, device + 8, 8, stream);
	case GRAPH:
		return ((two_fn)to)(graph, stream);
	case SYNC:
		return ((one_fn)to)(event);
	case WAIT:
		return ((three_fn)to)(stream, event, 0);
	case STATE:
		return ((CUresult (*)(int, void *, void *))to)(0, &answer[0], &answer[1]);
	default:
		return ((two_fn)to)(answer, NULL);
	}
}

/* Blocks of code, a jump in each line. */
static void make_work(void)
{
	size_t size = (size_t)BLOCKS * BLOCK;

	walked = aligned_alloc(BLOCK, size);
	code = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!walked || code == MAP_FAILED)
		die("no memory");
	memset(walked, 1, size);
	for (size_t k = 0; k < size; k += LINE)
#if defined(__x86_64__)
		memcpy(code + k, k % BLOCK == BLOCK - LINE ? "\xc3" : "\xeb\x3e", k % BLOCK == BLOCK - LINE ? 1 : 2);
#else
		*(uint32_t *)(void *)(code + k) = k % BLOCK == BLOCK - LINE ? 0xd65f03c0 : 0x14000010;
#endif
	__builtin___clear_cache(code, code + size);
	if (mprotect(code, size, PROT_READ | PROT_EXEC))
		die("code cannot be made executable");
}

/* What a program does of its own. */
static void work(size_t count)
{
	static size_t at;
	volatile char sum = 0;

	for (; count; count--, at = (at + 1) % BLOCKS) {
		for (size_t k = 0; k < BLOCK; k += LINE)
			sum += walked[at * BLOCK + k];
		((void (*)(void))(void *)(code + at * BLOCK))();
	}
	(void)sum;
}

static uint64_t timed(enum call which, int side, unsigned *kernel)
{
	uint64_t start = bench_ticks_fenced();

	if (call(which, real[side][which], kernel))
		die(names[which]);
	return bench_ticks_fenced() - start;
}

static void step(enum arm arm, size_t i, double scale)
{
	uint64_t recorded = 0, questions = 0;
	unsigned kernel = 0;

	set_control(arm == RECORDED);
	for (size_t k = 0; k < sizeof(order); k++) {
		work(blocks);
		recorded += timed(order[k], arm != DIRECT, &kernel);
		for (unsigned a = 0; a < ASKED; a++) {
			work(1);
			questions += timed(a % 4 ? ASK : STATE, arm != DIRECT, &kernel);
		}
	}
	samples[arm][i] = (double)recorded * scale / sizeof(order);
	asked[arm][i] = (double)questions * scale / (sizeof(order) * ASKED);
}

static void row(const char *what, double values[ARMS][STEPS], enum arm arm)
{
	char text[80];

	snprintf(text, sizeof(text), "%s, a step of calls %zu KiB apart", what, blocks * BLOCK >> 10);
	bench_info(text, bench_median(values[arm], STEPS) - bench_median(values[DIRECT], STEPS), "ns",
		   bench_median(values[DIRECT], STEPS));
}

static void measure(size_t count, double scale)
{
	blocks = count;
	for (size_t i = 0; i < STEPS; i++)
		for (int arm = 0; arm < ARMS; arm++)
			step((enum arm)arm, i, scale);
	row("record", samples, RECORDED);
	row("counted question", asked, RECORDED);
	row("disabled hook", samples, DISABLED);
	row("disabled question", asked, DISABLED);
}

/* ---- what is called, with what ---- */

static void *found(void *handle, const char *name)
{
	void *function_at = dlsym(handle, name);

	if (!function_at)
		die(name);
	return function_at;
}

static void must(CUresult result, const char *what)
{
	if (result)
		die(what);
}

static void make_objects(void *handle)
{
	CUresult (*capture)(void *, int) = (CUresult (*)(void *, int))found(handle, "cuStreamBeginCapture_v2");
	two_fn end = (two_fn)found(handle, "cuStreamEndCapture");
	three_fn instantiate = (three_fn)found(handle, "cuGraphInstantiateWithFlags");
	two_fn load = (two_fn)found(handle, "cuModuleLoadData");
	void *module, *made;

	must(((three_fn)found(handle, "cuStreamCreate"))(&stream, NULL, 0), "no stream");
	must(((three_fn)found(handle, "cuEventCreate"))(&event, NULL, 0), "no event");
	must(((CUresult (*)(uint64_t *, size_t))found(handle, "cuMemAlloc_v2"))(&device, 4096), "no memory");
	for (unsigned i = 0; i < KERNELS; i++) {
		must(load(&module, (void *)"fake"), "no module");
		must(((CUresult (*)(void **, void *, const char *))found(handle, "cuModuleGetFunction"))(&kernels[i], module,
												      "noop"), "no kernel");
	}
	must(capture(stream, 2), "no capture");
	must(((launch_fn)real[1][LAUNCH])(kernels[0], 1, 1, 1, 1, 1, 1, 0, stream, NULL, NULL), "no node");
	must(end(stream, (void *)&made), "no graph");
	must(((CUresult (*)(void **, void *, unsigned long long))(void *)instantiate)(&graph, made, 0), "no graph");
}

int main(void)
{
	struct vprof_object driver;
	void *handle;

	launch_setup();
	handle = dlopen("libcuda.so.1", RTLD_NOW);
	if (!handle || vprof_object_find("libcuda.so", &driver))
		die("no driver");
	for (int i = 0; i < CALLS; i++) {
		real[0][i] = vprof_object_symbol(&driver, names[i]);
		real[1][i] = found(handle, names[i]);
		if (!real[0][i] || real[0][i] == real[1][i])
			die(names[i]);
	}
	make_objects(handle);
	make_work();
	measure(16, bench_ns_per_tick());
	measure(32, bench_ns_per_tick());
	return 0;
}
