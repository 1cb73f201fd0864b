/*
 * eager.c - a program whose work on streams is to be timed; on the fake driver or on a real one.
 *
 *	eager busy N PAUSE         N rounds, one behind the other: a kernel of 20 µs, a kernel of 10, a copy, a set
 *	eager idle N PAUSE         the same, waiting for each, and so many µs more
 *	eager cold N PAUSE         as idle, from the first moment on: the others launch and halt on each stream first (client.h)
 *	eager legacy N PAUSE       as busy, on the legacy stream
 *	eager own N PAUSE          as busy, on the thread's own stream
 *	eager host N PAUSE         as busy, from and to memory that is not pinned and memory that is, and without stream
 *	eager programmatic N PAUSE a kernel, and another that may begin before it ends, and a third
 *	eager led N PAUSE          one that lets another begin after 5 of its 20 µs, which takes 30; it again, and one that waits;
 *	                           and a third. Prints whether the other begins early, and how often the one that waits does
 *	eager led_idle N PAUSE     the same, waiting for each round
 *	eager led_apart N PAUSE    the same as led, and an event between
 *	eager unled N PAUSE        the same, and after a quarter of them the others are launched as any
 *	eager gone_led N PAUSE     N streams, made and destroyed: one that has only what could be followed, two that have none
 *	eager events N PAUSE       as busy, with events and waits for another stream between
 *	eager streams N PAUSE      four threads, a stream each, as busy
 *	eager owns N PAUSE         the same, on each thread's own stream
 *	eager batch N PAUSE        as busy, with copies in batches between
 *	eager beside N PAUSE       kernels on one stream, and between each two of them another thread's graph
 *	eager shared N PAUSE       four threads on one stream, which come at the same time: two rounds, and wait
 *	eager many N PAUSE         N streams, made and destroyed, four rounds each
 *	eager kept N PAUSE         the same, and none is destroyed
 *	eager capture N PAUSE      as busy, while another thread captures, in global mode, from beginning to end
 *	eager captured N PAUSE     as idle, and each second round into a capture
 *	eager graphs N PAUSE       a graph of the round, one that allocates, and a round between two launches
 *	eager context N PAUSE      as busy, in a context of its own, which is destroyed with work on its way
 *	eager detach N PAUSE       the same, and it is detached
 *	eager green N PAUSE        the same in green contexts
 *	eager forever 0 PAUSE      as idle, without end
 *	eager hang N PAUSE         as idle, and then a kernel that never ends, and a thousand rounds behind it
 *	eager stuck N PAUSE        as idle, in a thread that may hang in a call; the stream is waited for in another
 *
 * A round adds one to x twice and to y twice, copies x and sets z. Between two rounds it waits for PAUSE µs. Prints
 * what they are at the end, `current yes` when the context is still the current one, and `error E CALL` for a
 * call that failed.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/gputime/client.h"

enum {
	THREADS = 4,
	STEP = 256,
	DEEP = 100, /* rounds that are queued before they are waited for: as deep as real queues are, and not more */
};

static CUcontext context;
static CUfunction slow, fast, first, second, hang;
static CUdeviceptr cells; /* of each thread x, and 64 bytes on y, and as many on the copy, and z */
static CUdeviceptr spare; /* the same, of what is done before it counts */
static useconds_t between;
static U *pinned, pageable[2];

static void wait_for(CUstream stream, int idle)
{
	if (idle)
		CALL(cuStreamSynchronize, stream);
}

static void round_of(CUdeviceptr cell, CUstream stream, int idle)
{
	kernel(slow, cell, stream);
	wait_for(stream, idle);
	kernel(fast, cell + 64, stream);
	wait_for(stream, idle);
	kernel(slow, cell, stream);
	wait_for(stream, idle);
	kernel(fast, cell + 64, stream);
	wait_for(stream, idle);
	CALL(cuMemcpyDtoDAsync_v2, cell + 128, cell, 4, stream);
	wait_for(stream, idle);
	CALL(cuMemsetD32Async, cell + 192, 7, 1, stream);
	wait_for(stream, idle);
	if (between)
		usleep(between);
}

/*
 * Until what the library prepares for the context and the stream has been: until a launch has been timed, if any is to
 * be, client.h.
 */
static void warm_up(CUstream stream)
{
	do {
		kernel(fast, spare, stream);
		CALL(cuStreamSynchronize, stream);
	} while (!told(2));
}

/* `deep`: so many rounds are queued before they are waited for; 0: none is. */
static void rounds(CUdeviceptr cell, CUstream stream, long n, int idle, long deep)
{
	for (long i = 0; i < n; i++) {
		round_of(cell, stream, idle);
		if (deep && i % deep == deep - 1)
			CALL(cuStreamSynchronize, stream);
	}
	if (deep)
		CALL(cuStreamSynchronize, stream);
}

/* ---- verbs ---- */

static void host(long n, CUstream stream)
{
	for (long i = 0; i < n; i++) {
		kernel(slow, cells, stream);
		CALL(cuMemcpyDtoHAsync_v2, pinned, cells, 4, stream);
		CALL(cuMemcpyHtoDAsync_v2, cells + 128, pinned, 4, stream);
		CALL(cuMemcpyDtoHAsync_v2, pageable, cells, 4, stream);
		CALL(cuMemcpyHtoDAsync_v2, cells + 128, pageable, 4, stream);
		CALL(cuMemsetD32_v2, cells + 192, 7, 1);
		CALL(cuStreamSynchronize, stream);
	}
}

static void programmatic(long n, CUstream stream)
{
	for (long i = 0; i < n; i++) {
		kernel(first, cells, stream);
		kernel_early(second, cells + 64, stream);
		kernel(slow, cells, stream);
		CALL(cuStreamSynchronize, stream);
		if (between)
			usleep(between);
	}
}

/* Runs for n ns, and stores from when to when; on the fake driver it does what its name says. */
#define TIMED(name, first) \
	".visible .entry " name "(.param .u64 s, .param .u32 n)\n{ .reg .u64 %s, %b, %t, %d, %m; .reg .u32 %n; .reg .pred %p;\n" \
	"ld.param.u64 %s, [s]; ld.param.u32 %n, [n]; cvt.u64.u32 %m, %n; " first "mov.u64 %b, %globaltimer; st.u64 [%s], %b;\n" \
	"AGAIN: mov.u64 %t, %globaltimer; sub.u64 %d, %t, %b; setp.lt.u64 %p, %d, %m; @%p bra AGAIN;\n" \
	"st.u64 [%s+8], %t; ret; }\n"
#define LED(head, release, wait) head ".address_size 64\n" \
	TIMED("vprof_timed_trigger_5us", release) TIMED("vprof_timed_behind", "") TIMED("vprof_timed_gridwait", wait)

static CUfunction leads, follows, waits;
struct span { unsigned long long begin, end; };

static void led_load(void)
{
	CUmodule module = NULL;

	if (cu.cuModuleLoadData(&module, LED(".version 8.0\n.target sm_90\n", "griddepcontrol.launch_dependents; ", "griddepcontrol.wait; ")))
		CALL(cuModuleLoadData, &module, LED(".version 7.0\n.target sm_50\n", "", ""));
	CALL(cuModuleGetFunction, &leads, module, "vprof_timed_trigger_5us");
	CALL(cuModuleGetFunction, &follows, module, "vprof_timed_behind");
	CALL(cuModuleGetFunction, &waits, module, "vprof_timed_gridwait");
}

/* A kernel of so many ns, launched programmatically or not. */
static void timed(CUfunction function, const struct span *span, U ns, CUstream stream, int early)
{
	CUlaunchAttribute attribute = { .id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION };
	CUlaunchConfig config = {
		.gridDimX = 1, .gridDimY = 1, .gridDimZ = 1, .blockDimX = 1, .blockDimY = 1, .blockDimZ = 1,
		.hStream = stream, .attrs = &attribute, .numAttrs = (U)early,
	};

	attribute.value.programmaticStreamSerializationAllowed = 1;
	CALL(cuLaunchKernelEx, &config, function, (void *[]){ &span, &ns }, NULL);
}

static void led(const char *verb, long n, CUstream stream)
{
	long early = 0, wrong = 0, followed = *verb == 'u' ? n / 4 : n;
	int idle = !strcmp(verb, "led_idle"), apart = !strcmp(verb, "led_apart");
	struct span (*at)[4];
	CUevent event;

	led_load();
	CALL(cuEventCreate, &event, CU_EVENT_DISABLE_TIMING);
	CALL(cuMemAllocHost_v2, (void **)&at, (size_t)n * sizeof(*at));
	for (long i = 0; i < n; i++) {
		timed(leads, &at[i][0], 20000, stream, 0);
		if (apart)
			CALL(cuEventRecord, event, stream);
		timed(follows, &at[i][1], 30000, stream, i < followed);
		timed(leads, &at[i][2], 20000, stream, 0);
		timed(waits, &at[i][3], 10000, stream, i < followed);
		kernel(slow, cells, stream);
		if (idle || i % DEEP == DEEP - 1)
			CALL(cuStreamSynchronize, stream);
		if (between)
			usleep(between);
	}
	CALL(cuStreamSynchronize, stream);
	for (long i = 0; i < n; i++) {
		early += at[i][1].begin < at[i][0].end;
		wrong += at[i][3].begin < at[i][2].end || at[i][2].begin < at[i][1].end;
	}
	printf("early %s wrong %ld\n", 10 * early > 9 * followed ? "yes" : "no", wrong);
}

static void events(long n, CUstream stream, CUstream other)
{
	CUevent event, back;

	CALL(cuEventCreate, &event, CU_EVENT_DISABLE_TIMING);
	CALL(cuEventCreate, &back, CU_EVENT_DISABLE_TIMING);
	for (long i = 0; i < n; i++) {
		kernel(fast, cells + 64, stream);
		CALL(cuEventRecord, event, stream);
		CALL(cuStreamWaitEvent, other, event, 0);
		kernel(slow, cells, other);
		kernel(slow, cells, other);
		CALL(cuEventRecord, back, other);
		CALL(cuStreamWaitEvent, stream, back, 0);
		kernel(fast, cells + 64, stream);
		if (i % 100 == 99)
			CALL(cuStreamSynchronize, stream);
	}
}

static void batches(long n, CUstream stream)
{
	CUdeviceptr from = cells, to = cells + 128;
	size_t bytes = 4;

	for (long i = 0; i < n; i++) {
		CALL(cuMemcpyBatchAsync_v2, &to, &from, &bytes, 1, NULL, NULL, 0, stream);
		round_of(cells, stream, 0);
		if (i % DEEP == DEEP - 1)
			CALL(cuStreamSynchronize, stream);
	}
}

struct worker {
	pthread_t thread;
	CUstream stream;
	CUdeviceptr cell;
	long n, deep;
	int warms_up;
};
static pthread_mutex_t one_by_one = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t together_then;

static void *work(void *arg)
{
	struct worker *w = arg;

	CALL(cuCtxSetCurrent, context);
	pthread_mutex_lock(&one_by_one);
	if (w->warms_up)
		warm_up(w->stream);
	pthread_mutex_unlock(&one_by_one);
	pthread_barrier_wait(&together_then);
	rounds(w->cell, w->stream, w->n, 0, w->deep);
	return NULL;
}

/* `shared`: the stream of all, or CU_STREAM_PER_THREAD. */
static void threads(long n, CUstream shared)
{
	struct worker workers[THREADS];
	int together = shared && shared != CU_STREAM_PER_THREAD;

	for (int i = 0; i < THREADS; i++) {
		struct worker *w = &workers[i];

		*w = (struct worker){
			.stream = shared, .cell = cells + (CUdeviceptr)i * STEP, .n = n, .deep = together ? 2 : DEEP, .warms_up = !together,
		};
		if (!shared)
			CALL(cuStreamCreate, &w->stream, CU_STREAM_NON_BLOCKING);
	}
	pthread_barrier_init(&together_then, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	for (int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
}

static void *work_idle(void *arg)
{
	struct worker *w = arg;

	CALL(cuCtxSetCurrent, context);
	rounds(w->cell, w->stream, w->n, 1, 0);
	return NULL;
}

static void stuck(long n, CUstream stream)
{
	struct worker w = { .stream = stream, .cell = cells, .n = n };

	pthread_create(&w.thread, NULL, work_idle, &w);
	sleep(2);
	CALL(cuStreamSynchronize, stream);
	printf("the stream has ended\n");
	fflush(stdout);
	_exit(0);
}

static void many(long n, int keep)
{
	CUstream stream;

	for (long i = 0; i < n; i++) {
		CALL(cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
		rounds(cells, stream, 4, 0, 1);
		if (!keep)
			CALL(cuStreamDestroy_v2, stream);
	}
}

static void gone_led(long n, CUstream busy)
{
	struct span *at;
	CUstream stream;

	led_load();
	CALL(cuMemAllocHost_v2, (void **)&at, sizeof(*at));
	timed(leads, at, 20000, busy, 0);
	timed(waits, at, 10000, busy, 1);
	CALL(cuStreamSynchronize, busy);
	for (long i = 0; i < n; i++) {
		CALL(cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
		for (int j = 0; j < 8; j++) {
			if (i % 3)
				kernel(slow, cells, stream);
			else
				timed(leads, at, 20000, stream, 0);
			CALL(cuStreamSynchronize, stream);
			usleep(1000);
		}
		CALL(cuStreamDestroy_v2, stream);
	}
}

static void beside_captures(long n, CUstream stream)
{
	struct capturing other = {
		.context = context, .function = slow, .at = cells + STEP, .flags = CU_STREAM_NON_BLOCKING, .pause = 100,
	};
	pthread_t thread;

	pthread_create(&thread, NULL, capture_all_along, &other);
	rounds(cells, stream, n, 0, 0);
	other.stop = 1;
	pthread_join(thread, NULL);
}

static CUgraph capture(CUdeviceptr cell, CUstream stream, int alloc)
{
	CUdeviceptr memory;
	CUgraph graph = NULL;

	CALL(cuStreamBeginCapture_v2, stream, CU_STREAM_CAPTURE_MODE_RELAXED);
	if (alloc)
		CALL(cuMemAllocAsync, &memory, 4096, stream);
	round_of(cell, stream, 0);
	if (alloc)
		CALL(cuMemFreeAsync, memory, stream);
	CALL(cuStreamEndCapture, stream, &graph);
	return graph;
}

static void captured(long n, CUstream stream)
{
	for (long i = 0; i < n; i++) {
		round_of(cells, stream, 1);
		CALL(cuGraphDestroy, capture(cells, stream, 0));
	}
}

static void graphs(long n, CUstream stream)
{
	CUgraphExec exec[2] = { NULL, NULL }, first_of_all = NULL;

	for (int i = 0; i < 2; i++)
		CALL(cuGraphInstantiateWithFlags, &exec[i], capture(cells, stream, i), 0);
	CALL(cuGraphInstantiateWithFlags, &first_of_all, capture(spare, stream, 0), 0);
	do {
		CALL(cuGraphLaunch, first_of_all, stream);
		CALL(cuStreamSynchronize, stream);
	} while (!told(2));
	for (long i = 0; i < n; i++) {
		CALL(cuGraphLaunch, exec[0], stream);
		round_of(cells, stream, 0);
		CALL(cuGraphLaunch, exec[1], stream);
		CALL(cuStreamSynchronize, stream);
	}
}

struct beside {
	CUstream stream;
	CUgraphExec exec;
	long n;
	sem_t go, gone;
};

static void *launch_graphs(void *arg)
{
	struct beside *b = arg;

	CALL(cuCtxSetCurrent, context);
	for (long i = 0; i < b->n; i++) {
		sem_wait(&b->go);
		CALL(cuGraphLaunch, b->exec, b->stream);
		sem_post(&b->gone);
	}
	return NULL;
}

static void beside(long n, CUstream stream)
{
	struct beside b = { .stream = stream, .n = n };
	pthread_t thread;

	CALL(cuGraphInstantiateWithFlags, &b.exec, capture(cells, stream, 0), 0);
	sem_init(&b.go, 0, 0);
	sem_init(&b.gone, 0, 0);
	pthread_create(&thread, NULL, launch_graphs, &b);
	for (long i = 0; i < n; i++) {
		kernel(fast, cells + 64, stream);
		sem_post(&b.go);
		sem_wait(&b.gone);
		if (i % DEEP == DEEP - 1)
			CALL(cuStreamSynchronize, stream);
	}
	pthread_join(thread, NULL);
}

static void run(const char *verb, long n, CUstream a, CUstream b)
{
	if (strcmp(verb, "cold"))
		warm_up(!strcmp(verb, "legacy") ? NULL : !strcmp(verb, "own") ? CU_STREAM_PER_THREAD : a);
	if (!strcmp(verb, "events"))
		warm_up(b);

	if (!strcmp(verb, "legacy")) {
		rounds(cells, NULL, n, 0, DEEP);
	} else if (!strcmp(verb, "own")) {
		rounds(cells, CU_STREAM_PER_THREAD, n, 0, DEEP);
	} else if (!strcmp(verb, "host")) {
		host(n, a);
	} else if (!strcmp(verb, "programmatic")) {
		programmatic(n, a);
	} else if (!strncmp(verb, "led", 3) || !strcmp(verb, "unled")) {
		led(verb, n, a);
	} else if (!strcmp(verb, "gone_led")) {
		gone_led(n, a);
	} else if (!strcmp(verb, "events")) {
		events(n, a, b);
	} else if (!strcmp(verb, "batch")) {
		batches(n, a);
	} else if (!strcmp(verb, "beside")) {
		beside(n, a);
	} else if (!strcmp(verb, "streams")) {
		threads(n, NULL);
	} else if (!strcmp(verb, "owns")) {
		threads(n, CU_STREAM_PER_THREAD);
	} else if (!strcmp(verb, "shared")) {
		threads(n, a);
	} else if (!strcmp(verb, "stuck")) {
		stuck(n, a);
	} else if (!strcmp(verb, "many") || !strcmp(verb, "kept")) {
		many(n, *verb == 'k');
	} else if (!strcmp(verb, "capture")) {
		beside_captures(n, a);
	} else if (!strcmp(verb, "captured")) {
		captured(n, a);
	} else if (!strcmp(verb, "graphs")) {
		graphs(n, a);
	} else {
		rounds(cells, a, n, !strcmp(verb, "idle") || !strcmp(verb, "cold") || !strcmp(verb, "forever") || !strcmp(verb, "hang"), DEEP);
	}
	if (!strcmp(verb, "hang")) {
		CALL(cuLaunchKernel, hang, 1, 1, 1, 1, 1, 1, 0, a, (void *[]){ &cells }, NULL);
		rounds(cells, a, 1000, 0, 0);
		printf("hanging\n");
		pause();
	}
	CALL(cuCtxSynchronize);
}

/* The context: the device's, or one of the program's own, and what becomes of it. */
enum own { PRIMARY, OWN, DETACHED, GREEN };

static enum own own_of(const char *verb)
{
	return !strcmp(verb, "context") ? OWN : !strcmp(verb, "detach") ? DETACHED : !strcmp(verb, "green") ? GREEN : PRIMARY;
}

static CUcontext green;

static void begin(enum own own)
{
	const struct { CUfunction *out; const char *name; } functions[] = {
		{ &slow, "add_one_spin_20us" }, { &fast, "add_one_spin_10us" }, { &first, "add_one_first_spin_20us" },
		{ &second, "add_one_second_spin_10us" }, { &hang, "hang" },
	};
	U zeroes[THREADS * STEP / 4] = { 0 };
	CUmodule module;

	if (own == GREEN) {
		CALL(cuGreenCtxCreate, &green, NULL, 0, 0);
		CALL(cuCtxFromGreenCtx, &context, green);
	} else if (own) {
		CALL(cuCtxCreate_v2, &context, 0, 0);
	} else {
		CALL(cuDevicePrimaryCtxRetain, &context, 0);
	}
	CALL(cuCtxSetCurrent, context);
	CALL(cuModuleLoadData, &module, client_ptx);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		CALL(cuModuleGetFunction, functions[i].out, module, functions[i].name);
	CALL(cuMemAlloc_v2, &cells, sizeof(zeroes) + STEP);
	spare = cells + sizeof(zeroes);
	CALL(cuMemAllocHost_v2, (void **)&pinned, 64);
	CALL(cuMemcpyHtoD_v2, cells, zeroes, sizeof(zeroes));
}

static void end(void)
{
	CUcontext now = NULL;
	U x[THREADS * STEP / 4];

	CALL(cuMemcpyDtoH_v2, x, cells, sizeof(x));
	CALL(cuCtxGetCurrent, &now);
	for (int i = 0; i < THREADS; i++)
		printf("x %u %u %u %u\n", x[64 * i], x[64 * i + 16], x[64 * i + 32], x[64 * i + 48]);
	printf("current %s\n", now == context ? "yes" : "no");
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	enum own own = own_of(verb);
	long n = !strcmp(verb, "forever") ? 1L << 60 : argc > 2 ? atol(argv[2]) : 0;
	CUstream a, b;

	between = argc > 3 ? (useconds_t)atol(argv[3]) : 0;
	if (argc < 4 || !client_open())
		return 2;
	for (int turn = 0; turn <= (own != PRIMARY); turn++) {
		begin(own);
		CALL(cuStreamCreate, &a, CU_STREAM_NON_BLOCKING);
		CALL(cuStreamCreate, &b, CU_STREAM_NON_BLOCKING);
		run(verb, n, a, b);
		end();
		if (own) {
			round_of(cells, a, 0);
			if (own == GREEN)
				CALL(cuGreenCtxDestroy, green);
			else if (own == DETACHED)
				CALL(cuCtxDetach, context);
			else
				CALL(cuCtxDestroy_v2, context);
		}
	}
	return 0;
}
