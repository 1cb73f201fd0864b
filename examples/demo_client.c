/*
 * demo_client.c - a program to be traced: a toy inference server with three workers.
 *
 *	demo_client [STEPS]
 *	demo_client --probe        exit code 0 where there is a driver with a GPU
 *
 * Each worker is a process of its own with one prefill thread, which launches kernels one by
 * one, and two decode threads, which launch a captured graph per step. Half way through, the last
 * worker's main thread waits for a collective whose peer never comes: its launches pile up behind
 * that kernel until one no longer returns. The parent sees that the worker makes no more progress
 * and kills it with SIGKILL.
 *
 * Needs no CUDA header and no GPU compiler: the driver is opened with dlopen(), kernels
 * are PTX text. With the fake driver of the tests a launch call hangs where a real one would.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 3, DOOMED = 2, DECODERS = 2, LAYERS = 4, ELEMENTS = 1 << 16, BLOCK = 256, TOKENS = 4096 };
enum { TICK_MS = 50, STUCK_TICKS = 20, TICKS_MAX = 1200 };
enum { PROGRESS_FD = 9 };

/* ---- the little of the driver's interface that is needed ---- */

typedef int CUresult;
typedef void *CUhandle; /* context, module, function, stream, event, graph, … */
typedef unsigned long long CUaddress;

struct launch_config {
	unsigned int grid[3], block[3], shared;
	CUhandle stream;
	void *attributes;
	unsigned int attribute_count;
};

#define DRIVER(X) \
	X(cuInit, cuInit, (unsigned int flags)) \
	X(retain, cuDevicePrimaryCtxRetain, (CUhandle *context, int device)) \
	X(set_current, cuCtxSetCurrent, (CUhandle context)) \
	X(load, cuModuleLoadData, (CUhandle *module, const void *image)) \
	X(function, cuModuleGetFunction, (CUhandle *function, CUhandle module, const char *name)) \
	X(alloc, cuMemAlloc_v2, (CUaddress *address, size_t bytes)) \
	X(alloc_host, cuMemHostAlloc, (void **address, size_t bytes, unsigned int flags)) \
	X(htod, cuMemcpyHtoDAsync_v2, (CUaddress to, const void *from, size_t bytes, CUhandle stream)) \
	X(dtoh, cuMemcpyDtoHAsync_v2, (void *to, CUaddress from, size_t bytes, CUhandle stream)) \
	X(clear, cuMemsetD8Async, (CUaddress to, unsigned char value, size_t bytes, CUhandle stream)) \
	X(stream, cuStreamCreate, (CUhandle *stream, unsigned int flags)) \
	X(wait_for, cuStreamSynchronize, (CUhandle stream)) \
	X(event, cuEventCreate, (CUhandle *event, unsigned int flags)) \
	X(record, cuEventRecord, (CUhandle event, CUhandle stream)) \
	X(launch, cuLaunchKernel, (CUhandle f, unsigned int gx, unsigned int gy, unsigned int gz, unsigned int bx, \
		unsigned int by, unsigned int bz, unsigned int shared, CUhandle stream, void **args, void **extra)) \
	X(launch_ex, cuLaunchKernelEx, (const struct launch_config *config, CUhandle f, void **args, void **extra)) \
	X(capture, cuStreamBeginCapture_v2, (CUhandle stream, int mode)) \
	X(capture_end, cuStreamEndCapture, (CUhandle stream, CUhandle *graph)) \
	X(instantiate, cuGraphInstantiateWithFlags, (CUhandle *exec, CUhandle graph, unsigned long long flags)) \
	X(launch_graph, cuGraphLaunch, (CUhandle exec, CUhandle stream))

#define X(name, symbol, params) static CUresult (*name) params;
DRIVER(X)
#undef X

#define TRY(call) try((call), #call)
static void try(CUresult result, const char *what)
{
	if (!result)
		return;
	fprintf(stderr, "demo_client: %s: error %d\n", what, result);
	exit(1);
}

static void driver_open(void)
{
	void *library = dlopen("libcuda.so.1", RTLD_NOW);

	if (!library) {
		fprintf(stderr, "demo_client: no CUDA driver: %s\n", dlerror());
		exit(77);
	}
#define X(name, symbol, params) \
	name = (CUresult (*) params)dlsym(library, #symbol); \
	if (!name) { \
		fprintf(stderr, "demo_client: the driver has no " #symbol "\n"); \
		exit(1); \
	}
	DRIVER(X)
#undef X
}

/* ---- kernels: demo::NAME(float *, unsigned int) ---- */

#define ENTRY(name, body) \
	".visible .entry " name "(.param .u64 data, .param .u32 count)\n{\n" \
	"\t.reg .pred %p<3>;\n\t.reg .b32 %r<6>;\n\t.reg .f32 %f<3>;\n\t.reg .b64 %rd<6>;\n" \
	"\tld.param.u64 %rd1, [data];\n\tld.param.u32 %r1, [count];\n" body "done:\n\tret;\n}\n"
/* data[i] = 1.001 data[i] + 1 */
#define SCALE \
	"\tmov.u32 %r2, %ctaid.x;\n\tmov.u32 %r3, %ntid.x;\n\tmov.u32 %r4, %tid.x;\n" \
	"\tmad.lo.s32 %r5, %r2, %r3, %r4;\n\tsetp.ge.u32 %p1, %r5, %r1;\n\t@%p1 bra done;\n" \
	"\tmul.wide.u32 %rd2, %r5, 4;\n\tadd.s64 %rd3, %rd1, %rd2;\n\tld.global.f32 %f1, [%rd3];\n" \
	"\tfma.rn.f32 %f2, %f1, 0f3F8020C5, 0f3F800000;\n\tst.global.f32 [%rd3], %f2;\n"
/* Until *data changes, at most 60 s. */
#define WAIT \
	"\tmov.u64 %rd2, %globaltimer;\n\tadd.s64 %rd2, %rd2, 60000000000;\n" \
	"again:\n\tld.volatile.global.u32 %r2, [%rd1];\n\tsetp.ne.u32 %p1, %r2, 0;\n\t@%p1 bra done;\n" \
	"\tmov.u64 %rd4, %globaltimer;\n\tsetp.lt.u64 %p2, %rd4, %rd2;\n\t@%p2 bra again;\n"

#define EMBED      "_ZN4demo5embedEPfj"
#define ATTENTION  "_ZN4demo9attentionEPfj"
#define MLP        "_ZN4demo3mlpEPfj"
#define SAMPLE     "_ZN4demo6sampleEPfj"
#define ALL_REDUCE "_ZN4demo10all_reduceEPfj"

static const char image[] =
	".version 6.3\n.target sm_70\n.address_size 64\n"
	ENTRY(EMBED, SCALE) ENTRY(ATTENTION, SCALE) ENTRY(MLP, SCALE) ENTRY(SAMPLE, SCALE) ENTRY(ALL_REDUCE, WAIT);

/* ---- a worker ---- */

static atomic_ulong *progress; /* workers -> parent: steps and launches made, one counter each */
static CUhandle context, embed, attention, mlp, sample, all_reduce;
static int steps, number;

struct lane {
	CUhandle stream;
	CUaddress data;
	void *host;
};

static struct lane lane_make(void)
{
	struct lane lane;

	TRY(set_current(context));
	TRY(stream(&lane.stream, 1)); /* does not wait for the default stream */
	TRY(alloc(&lane.data, ELEMENTS * sizeof(float)));
	TRY(alloc_host(&lane.host, TOKENS, 0));
	return lane;
}

static void run(CUhandle f, struct lane *lane)
{
	unsigned int count = ELEMENTS;
	void *args[] = { &lane->data, &count };

	TRY(launch(f, ELEMENTS / BLOCK, 1, 1, BLOCK, 1, 1, 0, lane->stream, args, NULL));
}

static void run_layers(struct lane *lane)
{
	for (int i = 0; i < LAYERS; i++) {
		run(attention, lane);
		run(mlp, lane);
	}
}

static void *prefill(void *unused)
{
	struct lane lane;

	prctl(PR_SET_NAME, "prefill");
	lane = lane_make();
	for (int i = 0; i < steps; i++) {
		TRY(htod(lane.data, lane.host, TOKENS, lane.stream));
		run(embed, &lane);
		run_layers(&lane);
		TRY(wait_for(lane.stream));
		atomic_fetch_add(&progress[number], 1);
	}
	return unused;
}

static void *decode(void *name)
{
	CUhandle graph, exec, done;
	struct lane lane;

	prctl(PR_SET_NAME, name);
	lane = lane_make();
	TRY(event(&done, 2)); /* without timing */
	TRY(capture(lane.stream, 1)); /* of this thread only */
	run_layers(&lane);
	TRY(capture_end(lane.stream, &graph));
	TRY(instantiate(&exec, graph, 0));
	for (int i = 0; i < steps; i++) {
		TRY(launch_graph(exec, lane.stream));
		run(sample, &lane);
		TRY(record(done, lane.stream));
		TRY(dtoh(lane.host, lane.data, 64, lane.stream));
		TRY(wait_for(lane.stream));
		atomic_fetch_add(&progress[number], 1);
	}
	return NULL;
}

/* The peer of this collective never comes: the queue fills up until a launch does not return. */
static void wait_for_peer(void)
{
	unsigned long half = (unsigned long)steps * (1 + DECODERS) / 2;
	struct lane lane = lane_make();
	struct launch_config config = { .grid = { 1, 1, 1 }, .block = { 1, 1, 1 }, .stream = lane.stream };
	unsigned int count = 1;
	void *args[] = { &lane.data, &count };

	while (atomic_load(&progress[number]) < half)
		usleep(1000);
	TRY(clear(lane.data, 0, ELEMENTS * sizeof(float), lane.stream));
	for (;;) {
		TRY(launch_ex(&config, all_reduce, args, NULL));
		atomic_fetch_add(&progress[number], 1);
	}
}

static int worker(void)
{
	static char names[DECODERS][16];
	pthread_t threads[1 + DECODERS];
	CUhandle module;

	driver_open();
	TRY(cuInit(0));
	TRY(retain(&context, 0));
	TRY(set_current(context));
	TRY(load(&module, image));
	TRY(function(&embed, module, EMBED));
	TRY(function(&attention, module, ATTENTION));
	TRY(function(&mlp, module, MLP));
	TRY(function(&sample, module, SAMPLE));
	TRY(function(&all_reduce, module, ALL_REDUCE));
	for (int i = 0; i < 1 + DECODERS; i++) {
		if (i)
			snprintf(names[i - 1], sizeof(names[0]), "decode-%d", i);
		if (pthread_create(&threads[i], NULL, i ? decode : prefill, i ? names[i - 1] : NULL))
			return 1;
	}
	if (number == DOOMED)
		wait_for_peer();
	for (int i = 0; i < 1 + DECODERS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static int probe(void)
{
	driver_open();
	return cuInit(0) || retain(&context, 0) ? 77 : 0;
}

/* ---- the parent ---- */

extern char **environ;

static pid_t start(const char *self, int n)
{
	char text[16];
	char *argv[] = { (char *)self, (char *)"--worker", text, NULL, NULL };
	char count[16];
	pid_t pid;

	snprintf(text, sizeof(text), "%d", n);
	snprintf(count, sizeof(count), "%d", steps);
	argv[3] = count;
	/* Where a real driver's queue would be full; a real driver does not look at this. */
	if (n == DOOMED)
		setenv("FAKECUDA_HANG", ALL_REDUCE ":200", 1);
	if (posix_spawnp(&pid, self, NULL, NULL, argv, environ)) {
		perror("demo_client: posix_spawn");
		exit(1);
	}
	return pid;
}

/* Kills `pid` once its counter has stood still for a second: 0, or 1 when it ended before. */
static int kill_when_stuck(pid_t pid)
{
	siginfo_t ended = { 0 };
	unsigned long last = 0;
	int still = 0;

	for (int tick = 0; tick < TICKS_MAX && still < STUCK_TICKS; tick++) {
		unsigned long now = atomic_load(&progress[DOOMED]);

		still = now && now == last ? still + 1 : 0;
		last = now;
		usleep(TICK_MS * 1000);
		if (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) || ended.si_pid)
			return 1;
	}
	kill(pid, SIGKILL);
	printf("killed %d\n", (int)pid);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	pid_t pids[WORKERS];
	int failed, status;

	if (argc == 4 && !strcmp(argv[1], "--worker")) {
		number = atoi(argv[2]);
		steps = atoi(argv[3]);
		progress = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, PROGRESS_FD, 0);
		return progress == MAP_FAILED ? 1 : worker();
	}
	if (argc == 2 && !strcmp(argv[1], "--probe"))
		return probe();
	steps = argc > 1 ? atoi(argv[1]) : 100;
	if (argc > 2 || steps < 1) {
		fprintf(stderr, "Usage: %s [STEPS]      a number from 1 up; 100 when not given\n", argv[0]);
		return 2;
	}
	status = memfd_create("progress", 0);
	if (status < 0 || ftruncate(status, 4096) || dup2(status, PROGRESS_FD) < 0)
		return 1;
	progress = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, PROGRESS_FD, 0);
	if (progress == MAP_FAILED)
		return 1;
	for (int i = 0; i < WORKERS; i++)
		pids[i] = start(argv[0], i);
	failed = kill_when_stuck(pids[DOOMED]);
	for (int i = 0; i < WORKERS; i++)
		if (waitpid(pids[i], &status, 0) < 0 || (i != DOOMED && status))
			failed = 1;
	return failed;
}
