/*
 * eager.c - a program whose work on streams is to be timed; on the fake driver or on a real one.
 *
 *	eager busy N PAUSE         N rounds, one behind the other: a kernel of 20 µs, a kernel of 10, a copy, a set
 *	eager idle N PAUSE         the same, waiting for each, and so many µs more
 *	eager cold N PAUSE         as idle, from the first moment on: the others launch and halt on each stream first (client.h)
 *	eager legacy N PAUSE       as busy, on the legacy stream
 *	eager own N PAUSE          as busy, on the thread's own stream
 *	eager host N PAUSE         as busy, from and to memory that is not pinned and memory that is, and without stream
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
 *	eager context N PAUSE      as busy, in a context of its own, which is destroyed with 100 ms of work on its way
 *	eager detach N PAUSE       the same, and it is detached
 *	eager green N PAUSE        the same in green contexts
 *	eager forever 0 PAUSE      as idle, without end
 *	eager hang N PAUSE         as idle, and then a kernel that never ends, and a thousand rounds behind it
 *	eager stuck N PAUSE        as idle, in a thread that may hang in a call; the stream is waited for in another
 *
 * A round adds one to x twice and to y twice, copies x and sets z. Between two rounds it waits for PAUSE µs. What it
 * prints is eager.h's.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/gputime/eager.h"

static CUfunction hang, slowest;
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
	const struct eager_function functions[] = { { &hang, "hang" }, { &slowest, "add_one_spin_100ms" } };

	if (own == GREEN) {
		CALL(cuGreenCtxCreate, &green, NULL, 0, 0);
		CALL(cuCtxFromGreenCtx, &context, green);
	} else if (own) {
		CALL(cuCtxCreate_v2, &context, 0, 0);
	} else {
		CALL(cuDevicePrimaryCtxRetain, &context, 0);
	}
	eager_begin(functions, 2);
	CALL(cuMemAllocHost_v2, (void **)&pinned, 64);
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
		eager_end();
		if (own) {
			kernel(slowest, cells, a);
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
