/*
 * gpu_kernels.c - work on the GPU whose times are known: kernels that run for so long by its clock.
 *
 *	gpu_kernels eager WHAT ROUNDS         on streams
 *	gpu_kernels graph WHAT ROUNDS         captured once, replayed
 *	gpu_kernels bits ROUNDS               two graphs, replayed on two streams at once, with pauses in
 *	                                      which what was stamped can be collected
 *	gpu_kernels cost WHAT BLOCKS ROUNDS   under the preload: replays with GPU times off, of every
 *	                                      replay, and of one in 64, a block of each in turn
 *
 * WHAT is
 *	chain         each of the kernels, 1 us to 10 ms, of 1, 132 and 1056 blocks
 *	short         300 kernels of 1 to 5 us, as a step of a small language model has
 *	branches      four branches at once, joined, three times
 *	moves         kernels with copies and sets between them
 *	programmatic  kernels that depend on each other programmatically (needs sm_90)
 *
 * Each kernel also changes the data that it is given, so that the checksum tells of each that was
 * left out, done twice or in another order. Prints "wall WHAT ROUNDS NS NS-A-ROUND" and "checksum X";
 * of `cost` a line a block: arm, tab, ns a round. Exit code 77: nothing here can do it.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "tests/gpu/control_page.h"
#include "tests/gpu/driver.h"

typedef unsigned int U;
#define MORE_FUNCTIONS(X) \
	X(cuMemAlloc, cuMemAlloc_v2, (CUdeviceptr *p, size_t bytes)) \
	X(cuMemsetD8Async, cuMemsetD8Async, (CUdeviceptr p, unsigned char value, size_t bytes, CUstream s)) \
	X(cuMemsetD32Async, cuMemsetD32Async, (CUdeviceptr p, U value, size_t count, CUstream s)) \
	X(cuMemcpyDtoDAsync, cuMemcpyDtoDAsync_v2, (CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream s)) \
	X(cuMemcpyHtoDAsync, cuMemcpyHtoDAsync_v2, (CUdeviceptr to, const void *from, size_t bytes, CUstream s)) \
	X(cuMemcpyDtoHAsync, cuMemcpyDtoHAsync_v2, (void *to, CUdeviceptr from, size_t bytes, CUstream s)) \
	X(cuMemcpyDtoH, cuMemcpyDtoH_v2, (void *to, CUdeviceptr from, size_t bytes)) \
	X(cuStreamCreate, cuStreamCreate, (CUstream *s, U flags)) \
	X(cuStreamSynchronize, cuStreamSynchronize, (CUstream s)) \
	X(cuStreamWaitEvent, cuStreamWaitEvent, (CUstream s, CUevent e, U flags)) \
	X(cuEventCreate, cuEventCreate, (CUevent *e, U flags)) \
	X(cuEventRecord, cuEventRecord, (CUevent e, CUstream s)) \
	X(cuStreamBeginCapture, cuStreamBeginCapture_v2, (CUstream s, CUstreamCaptureMode mode)) \
	X(cuStreamEndCapture, cuStreamEndCapture, (CUstream s, CUgraph *graph)) \
	X(cuGraphInstantiateWithFlags, cuGraphInstantiateWithFlags, (CUgraphExec *e, CUgraph g, unsigned long long flags)) \
	X(cuGraphLaunch, cuGraphLaunch, (CUgraphExec e, CUstream s)) \
	X(cuLaunchKernelEx, cuLaunchKernelEx, (const CUlaunchConfig *config, CUfunction f, void **params, void **extra))

enum {
	THREADS = 256, LANES = 8, LANE_INTS = 1056 * THREADS, LANE_BYTES = 4 * LANE_INTS, BRANCHES = 4,
	KERNELS_MOST = 64, PTX_ROOM = 128 << 10, SAMPLED = 64, UNMEASURED = 4, SETTLING = 12,
	AT_ONCE = 8, PAUSE_US = 12000,
};

static struct driver d;
static struct {
#define X(name, symbol, params) CUresult (*name) params;
	MORE_FUNCTIONS(X)
#undef X
} m;

static CUstream streams[2 * BRANCHES]; /* of the first graph, then of the second */
static CUevent forks[2], joins[2 * BRANCHES];
static CUdeviceptr data;               /* LANES times LANE_INTS numbers */
static CUdeviceptr elsewhere;          /* as much again, for copies */
static void *pinned;

/* ---- kernels ---- */

static struct kernel {
	char name[40];
	uint64_t ns;
	U blocks;
	CUfunction f;
} kernels[KERNELS_MOST];
static int kernel_count;

/* Sets of them, by their first and how many. */
static struct { int first, count; } chain, branch[BRANCHES], join, programmatic;

/* The form spin_<N>us tells the fake driver how long the kernel takes. */
static void add_kernel(uint64_t us, U blocks, const char *what)
{
	struct kernel *k = &kernels[kernel_count++];

	snprintf(k->name, sizeof(k->name), "spin_%" PRIu64 "us_%u%s", us, blocks, what);
	k->ns = us * 1000;
	k->blocks = blocks;
}

static void add_kernels(void)
{
	static const U shapes[] = { 1, 132, 1056 }, short_us[] = { 1, 2, 5, 10, 20 };
	static const U long_us[] = { 50, 100, 200, 500, 1000, 2000, 5000, 10000 };
	char what[16];

	chain.first = kernel_count;
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
		for (size_t i = 0; i < sizeof(short_us) / sizeof(short_us[0]); i++)
			add_kernel(short_us[i], shapes[s], "");
	for (size_t i = 0; i < sizeof(long_us) / sizeof(long_us[0]); i++)
		add_kernel(long_us[i], 1, "");
	chain.count = kernel_count - chain.first;
	for (int b = 0; b < BRANCHES; b++) {
		snprintf(what, sizeof(what), "_branch%d", b);
		branch[b].first = kernel_count;
		add_kernel(2 + (U)b, 1, what);
		add_kernel(8 + (U)b, 16, what);
		add_kernel(30 + 5 * (U)b, 1, what);
		branch[b].count = kernel_count - branch[b].first;
	}
	join.first = kernel_count;
	add_kernel(4, 132, "_join");
	join.count = 1;
	programmatic.first = kernel_count;
	add_kernel(2, 1, "_programmatic");
	add_kernel(5, 132, "_programmatic");
	add_kernel(20, 16, "_programmatic");
	programmatic.count = kernel_count - programmatic.first;
}

/* x = 1664525 x + add, for the first n numbers; the first thread of each block waits for the time. */
static int put_ptx(char *ptx, size_t room, const struct kernel *k, const char *before, const char *after)
{
	return snprintf(ptx, room,
		".visible .entry %s(.param .u64 p_data, .param .u32 p_n, .param .u32 p_add)\n"
		"{\n"
		"\t.reg .pred %%p<3>;\n\t.reg .b32 %%r<8>;\n\t.reg .b64 %%rd<6>;\n"
		"\tmov.u64 %%rd1, %%globaltimer;\n"
		"\tld.param.u64 %%rd2, [p_data];\n\tld.param.u32 %%r1, [p_n];\n\tld.param.u32 %%r2, [p_add];\n"
		"\tmov.u32 %%r3, %%ctaid.x;\n\tmov.u32 %%r4, %%ntid.x;\n\tmov.u32 %%r5, %%tid.x;\n"
		"\tmad.lo.u32 %%r3, %%r3, %%r4, %%r5;\n"
		"%s"
		"\tsetp.ge.u32 %%p1, %%r3, %%r1;\n\t@%%p1 bra changed;\n"
		"\tmul.wide.u32 %%rd3, %%r3, 4;\n\tadd.u64 %%rd2, %%rd2, %%rd3;\n"
		"\tld.global.u32 %%r6, [%%rd2];\n\tmad.lo.u32 %%r6, %%r6, 1664525, %%r2;\n\tst.global.u32 [%%rd2], %%r6;\n"
		"changed:\n"
		"\tsetp.ne.u32 %%p2, %%r5, 0;\n\t@%%p2 bra done;\n"
		"\tadd.u64 %%rd4, %%rd1, %" PRIu64 ";\n"
		"again:\n"
		"\tmov.u64 %%rd5, %%globaltimer;\n\tsetp.lt.u64 %%p1, %%rd5, %%rd4;\n\t@%%p1 bra again;\n"
		"done:\n"
		"%s"
		"\tret;\n}\n", k->name, before, k->ns, after);
}

static CUresult load(int first, int count, const char *head, const char *before, const char *after)
{
	char *ptx = malloc(PTX_ROOM);
	size_t used = (size_t)snprintf(ptx, PTX_ROOM, "%s\n.address_size 64\n", head);
	CUmodule module;
	CUresult result;

	for (int i = first; i < first + count; i++)
		used += (size_t)put_ptx(ptx + used, PTX_ROOM - used, &kernels[i], before, after);
	result = d.cuModuleLoadData(&module, ptx);
	free(ptx);
	for (int i = first; i < first + count && !result; i++)
		result = d.cuModuleGetFunction(&kernels[i].f, module, kernels[i].name);
	return result;
}

static void load_kernels(int with_programmatic)
{
	add_kernels();
	DRIVER_TRY(load(0, programmatic.first, ".version 6.3\n.target sm_70", "", ""));
	if (with_programmatic && load(programmatic.first, programmatic.count, ".version 7.8\n.target sm_90",
				      "\tgriddepcontrol.wait;\n", "\tgriddepcontrol.launch_dependents;\n")) {
		fprintf(stderr, "gpu_kernels: no programmatic launches here\n");
		exit(77);
	}
}

/* ---- rounds of work: on streams, or into a capture of the first of them ---- */

/* Which of the two graphs: they share nothing. */
struct place {
	CUstream *streams;
	CUevent fork, *joins;
	int lane;              /* the first of its half */
};

static struct place place_of(int half)
{
	return (struct place){ streams + half * BRANCHES, forks[half], joins + half * BRANCHES, half * LANES / 2 };
}

static CUdeviceptr lane_data(int lane)
{
	return data + (CUdeviceptr)lane * LANE_BYTES;
}

static void launch(const struct kernel *k, int lane, CUstream stream)
{
	CUdeviceptr at = lane_data(lane);
	U n = k->blocks * THREADS, add = (U)(k - kernels) * 2 + 1;
	void *params[] = { &at, &n, &add };

	DRIVER_TRY(d.cuLaunchKernel(k->f, k->blocks, 1, 1, THREADS, 1, 1, 0, stream, params, NULL));
}

static void launch_programmatic(const struct kernel *k, int lane, CUstream stream)
{
	CUdeviceptr at = lane_data(lane);
	U n = k->blocks * THREADS, add = (U)(k - kernels) * 2 + 1;
	void *params[] = { &at, &n, &add };
	CUlaunchAttribute attribute = { .id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION };
	CUlaunchConfig config = {
		.gridDimX = k->blocks, .gridDimY = 1, .gridDimZ = 1, .blockDimX = THREADS, .blockDimY = 1, .blockDimZ = 1,
		.hStream = stream, .attrs = &attribute, .numAttrs = 1,
	};
	int allowed = 1;

	memcpy(&attribute.value, &allowed, sizeof(allowed));
	DRIVER_TRY(m.cuLaunchKernelEx(&config, k->f, params, NULL));
}

static void round_chain(const struct place *at)
{
	for (int i = 0; i < chain.count; i++)
		launch(&kernels[chain.first + i], at->lane, at->streams[0]);
}

static void round_short(const struct place *at)
{
	for (int i = 0; i < 300; i++) {
		int shape = i / 5 % 3, length = i % 3;

		launch(&kernels[chain.first + 5 * shape + length], at->lane, at->streams[0]);
	}
}

static void round_branches(const struct place *at)
{
	for (int turn = 0; turn < 3; turn++) {
		launch(&kernels[join.first], at->lane, at->streams[0]);
		DRIVER_TRY(m.cuEventRecord(at->fork, at->streams[0]));
		for (int b = 0; b < BRANCHES; b++) {
			if (b)
				DRIVER_TRY(m.cuStreamWaitEvent(at->streams[b], at->fork, 0));
			for (int i = 0; i < 2 * branch[b].count; i++)
				launch(&kernels[branch[b].first + i % branch[b].count], at->lane + b, at->streams[b]);
			if (!b)
				continue;
			DRIVER_TRY(m.cuEventRecord(at->joins[b], at->streams[b]));
			DRIVER_TRY(m.cuStreamWaitEvent(at->streams[0], at->joins[b], 0));
		}
	}
	launch(&kernels[join.first], at->lane, at->streams[0]);
}

static void round_moves(const struct place *at)
{
	static const size_t bytes[] = { 4 << 10, 64 << 10, LANE_BYTES };
	CUstream s = at->streams[0];

	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		CUdeviceptr from = lane_data(at->lane), to = elsewhere + (CUdeviceptr)(at->lane) * LANE_BYTES;

		launch(&kernels[chain.first + 1], at->lane, s);
		DRIVER_TRY(m.cuMemcpyDtoDAsync(to, from, bytes[i], s));
		launch(&kernels[chain.first + 6], at->lane, s);
		DRIVER_TRY(m.cuMemcpyDtoHAsync(pinned, from, bytes[i] / 2, s));
		DRIVER_TRY(m.cuMemcpyHtoDAsync(to, pinned, bytes[i] / 4, s));
		launch(&kernels[chain.first + 2], at->lane, s);
		DRIVER_TRY(m.cuMemsetD8Async(to, 7, bytes[i] / 8, s));
		DRIVER_TRY(m.cuMemcpyDtoDAsync(lane_data(at->lane + 1), to, bytes[i], s));
		launch(&kernels[chain.first + 7], at->lane + 1, s);
	}
}

static void round_programmatic(const struct place *at)
{
	for (int i = 0; i < 60; i++)
		launch_programmatic(&kernels[programmatic.first + i % programmatic.count], at->lane, at->streams[0]);
}

/* Forty short kernels and a fork. */
static void round_bits(const struct place *at)
{
	for (int i = 0; i < 40; i++)
		launch(&kernels[chain.first + 5 * (i % 3)], at->lane + i % 2, at->streams[0]);
	DRIVER_TRY(m.cuEventRecord(at->fork, at->streams[0]));
	DRIVER_TRY(m.cuStreamWaitEvent(at->streams[1], at->fork, 0));
	for (int i = 0; i < 10; i++)
		launch(&kernels[chain.first], at->lane + i % 2, at->streams[i % 2]);
	DRIVER_TRY(m.cuEventRecord(at->joins[1], at->streams[1]));
	DRIVER_TRY(m.cuStreamWaitEvent(at->streams[0], at->joins[1], 0));
	launch(&kernels[chain.first + 5], at->lane, at->streams[0]);
	launch(&kernels[chain.first + 10], at->lane + 1, at->streams[0]);
}

static const struct work {
	const char *name;
	void (*round)(const struct place *at);
} works[] = {
	{ "chain", round_chain }, { "short", round_short }, { "branches", round_branches }, { "moves", round_moves },
	{ "programmatic", round_programmatic }, { "bits", round_bits },
};

static CUgraphExec capture(const struct work *work, const struct place *at)
{
	CUgraphExec exec;
	CUgraph graph;

	DRIVER_TRY(m.cuStreamBeginCapture(at->streams[0], CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
	work->round(at);
	DRIVER_TRY(m.cuStreamEndCapture(at->streams[0], &graph));
	DRIVER_TRY(m.cuGraphInstantiateWithFlags(&exec, graph, 0));
	return exec;
}

/* ---- what is asked for ---- */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void put_checksum(void)
{
	uint64_t sum = 14695981039346656037ull;
	uint32_t *copy = malloc((size_t)LANES * LANE_BYTES);

	DRIVER_TRY(m.cuMemcpyDtoH(copy, data, (size_t)LANES * LANE_BYTES));
	for (size_t i = 0; i < (size_t)LANES * LANE_INTS; i++)
		sum = (sum ^ copy[i]) * 1099511628211ull;
	free(copy);
	printf("checksum %016" PRIx64 "\n", sum);
}

static void put_wall(const char *what, long rounds, uint64_t ns)
{
	printf("wall %s %ld %" PRIu64 " %" PRIu64 "\n", what, rounds, ns, ns / (uint64_t)rounds);
}

static void do_eager(const struct work *work, long rounds)
{
	struct place at = place_of(0);
	uint64_t start;

	/* What is prepared beside the launches has time to be. */
	for (int i = 0; i < SETTLING; i++) {
		work->round(&at);
		DRIVER_TRY(d.cuCtxSynchronize());
		usleep(50000);
	}
	start = now_ns();
	for (long i = 0; i < rounds; i++)
		work->round(&at);
	DRIVER_TRY(d.cuCtxSynchronize());
	put_wall(work->name, rounds, now_ns() - start);
	put_checksum();
}

/* As a program that looks at what came out: few are under way at a time. All of them can have stamps then. */
static uint64_t replay(CUgraphExec exec, CUstream stream, long rounds)
{
	uint64_t start = now_ns();

	for (long i = 1; i <= rounds; i++) {
		DRIVER_TRY(m.cuGraphLaunch(exec, stream));
		if (i % AT_ONCE == 0 || i == rounds)
			DRIVER_TRY(m.cuStreamSynchronize(stream));
	}
	return now_ns() - start;
}

/* What is prepared beside the launches has time to be, before they queue up. */
static void settle(CUgraphExec exec, CUstream stream)
{
	for (int i = 0; i < SETTLING; i++) {
		replay(exec, stream, 1);
		usleep(50000);
	}
}

static void do_graph(const struct work *work, long rounds)
{
	struct place at = place_of(0);
	CUgraphExec exec = capture(work, &at);

	settle(exec, at.streams[0]);
	put_wall(work->name, rounds, replay(exec, at.streams[0], rounds));
	put_checksum();
}

static void do_bits(const struct work *work, long rounds)
{
	struct place at[2] = { place_of(0), place_of(1) };
	CUgraphExec exec[2] = { capture(work, &at[0]), capture(work, &at[1]) };
	uint64_t start;

	for (int half = 0; half < 2; half++)
		settle(exec[half], at[half].streams[0]);
	start = now_ns();
	for (long i = 1; i <= rounds; i++) {
		for (int half = 0; half < 2; half++)
			DRIVER_TRY(m.cuGraphLaunch(exec[half], at[half].streams[0]));
		if (i % (2 * AT_ONCE) && i < rounds)
			continue;
		DRIVER_TRY(d.cuCtxSynchronize());
		usleep(PAUSE_US);
	}
	put_wall(work->name, rounds, now_ns() - start);
	put_checksum();
}

static void do_cost(const struct work *work, long blocks, long rounds)
{
	static const struct { const char *name; uint32_t gpu; } arms[] = {
		{ "off", VPROF_GPU_OFF }, { "all", VPROF_GPU_ALL }, { "sampled", SAMPLED },
	};
	enum { ARMS = sizeof(arms) / sizeof(arms[0]) };
	struct place at = place_of(0);
	CUgraphExec exec = capture(work, &at);
	volatile struct vprof_ring_control *control;

	replay(exec, at.streams[0], rounds);
	control = control_page("gpu_kernels");
	control_set_gpu(control, VPROF_GPU_ALL);
	settle(exec, at.streams[0]);
	for (long i = 0; i < blocks * ARMS; i++) {
		long turn = i / ARMS, place = i % ARMS, arm = turn % 2 ? ARMS - 1 - place : place;

		control_set_gpu(control, arms[arm].gpu);
		replay(exec, at.streams[0], UNMEASURED);
		printf("%s\t%.1f\n", arms[arm].name, (double)replay(exec, at.streams[0], rounds) / (double)rounds);
		fflush(stdout);
	}
}

static void prepare(int with_programmatic)
{
	d = driver_open();
#define X(name, symbol, params) \
	m.name = (CUresult (*) params)dlsym(d.opened, #symbol); \
	if (!m.name) { \
		fprintf(stderr, "the driver has no %s\n", #symbol); \
		exit(77); \
	}
	MORE_FUNCTIONS(X)
#undef X
	driver_context(&d);
	load_kernels(with_programmatic);
	for (int i = 0; i < 2 * BRANCHES; i++) {
		DRIVER_TRY(m.cuStreamCreate(&streams[i], CU_STREAM_NON_BLOCKING));
		DRIVER_TRY(m.cuEventCreate(&joins[i], CU_EVENT_DISABLE_TIMING));
	}
	for (int i = 0; i < 2; i++)
		DRIVER_TRY(m.cuEventCreate(&forks[i], CU_EVENT_DISABLE_TIMING));
	DRIVER_TRY(m.cuMemAlloc(&data, (size_t)LANES * LANE_BYTES));
	DRIVER_TRY(m.cuMemAlloc(&elsewhere, (size_t)LANES * LANE_BYTES));
	DRIVER_TRY(d.cuMemHostAlloc(&pinned, LANE_BYTES, 0));
	DRIVER_TRY(m.cuMemsetD32Async(data, 1, (size_t)LANES * LANE_INTS, streams[0]));
	DRIVER_TRY(m.cuMemsetD32Async(elsewhere, 2, (size_t)LANES * LANE_INTS, streams[0]));
	DRIVER_TRY(d.cuCtxSynchronize());
}

static const struct work *work_named(const char *name)
{
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		if (!strcmp(works[i].name, name))
			return &works[i];
	return NULL;
}

int main(int argc, char **argv)
{
	int bits = argc == 3 && !strcmp(argv[1], "bits"), cost = argc == 5 && !strcmp(argv[1], "cost");
	int eager = argc == 4 && !strcmp(argv[1], "eager"), graph = argc == 4 && !strcmp(argv[1], "graph");
	const struct work *work = argc > 2 ? work_named(bits ? "bits" : argv[2]) : NULL;
	long number = argc > 2 ? atol(argv[bits ? 2 : argc - 1]) : 0;

	if (!work || number < 1 || !(bits || cost || eager || graph)) {
		fprintf(stderr, "usage: gpu_kernels eager|graph WHAT ROUNDS | bits ROUNDS | cost WHAT BLOCKS ROUNDS\n");
		return 2;
	}
	prepare(work->round == round_programmatic);
	if (eager)
		do_eager(work, number);
	else if (graph)
		do_graph(work, number);
	else if (bits)
		do_bits(work, number);
	else
		do_cost(work, atol(argv[3]), number);
	return 0;
}
