/*
 * loops.c - programs with steps of all sorts, and without.
 *
 *	loops KIND TURNS [GAP_US]    a pause so long between two turns; TURNS 0: until it is killed
 *
 *	train      a batch in, 40 launches, a loss that the host waits for
 *	sparse     40 launches and a wait, a loss each tenth time
 *	plain      4 launches and a wait
 *	piecewise  graphs and launches in turn, a result that is waited for by an event
 *	serve      a graph; results are waited for by another thread, while the next step is under way
 *	look       as train, with a number that the host looks at in the middle
 *	two        train on two threads at once
 *	burst      1000 launches, one copy, one wait
 *	unwaited   launches, and no wait before the end
 *	tune       each turn other launches, then a wait
 *	idle       nothing
 */
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "tests/safety/driver.h"

#define MORE_FUNCTIONS(X)                                                                      \
	X(cuMemcpyHtoDAsync_v2, (CUdeviceptr to, const void *from, size_t bytes, CUstream s))  \
	X(cuMemcpyDtoHAsync_v2, (void *to, CUdeviceptr from, size_t bytes, CUstream s))        \
	X(cuStreamCreate, (CUstream *s, unsigned flags))                                       \
	X(cuStreamBeginCapture_v2, (CUstream s, int mode))                                     \
	X(cuStreamEndCapture, (CUstream s, CUgraph *graph))                                    \
	X(cuGraphInstantiateWithFlags, (CUgraphExec *exec, CUgraph graph, unsigned long long)) \
	X(cuGraphLaunch, (CUgraphExec exec, CUstream s))                                       \
	X(cuEventCreate, (CUevent *event, unsigned flags))                                     \
	X(cuEventRecord, (CUevent event, CUstream s))                                          \
	X(cuEventSynchronize, (CUevent event))

enum { KERNELS = 40, EVENTS = 4 };

static struct driver d;
#define MORE_POINTER(name, params) static CUresult (*name) params;
MORE_FUNCTIONS(MORE_POINTER)

static CUfunction kernels[KERNELS];
static long turns, gap_us;
static char host[4096];

/* What a thread works with. */
struct worker {
	CUdeviceptr memory;
	CUstream stream;
	CUgraphExec exec;
	CUevent events[EVENTS];
	long turn;
};

static void more_open(void)
{
	void *handle = dlopen("libcuda.so.1", RTLD_NOW);

#define MORE_LOOK(name, params) name = (CUresult(*) params)dlsym(handle, #name);
	MORE_FUNCTIONS(MORE_LOOK)
}

static void launch(struct worker *w, int from, int count)
{
	static unsigned n = 1;
	void *params[] = { &n };

	for (int i = 0; i < count; i++)
		d.cuLaunchKernel(kernels[(from + i) % KERNELS], 8, 1, 1, 32, 1, 1, 0, w->stream, params, NULL);
}

static void capture(struct worker *w, int count)
{
	CUgraph graph;

	cuStreamBeginCapture_v2(w->stream, 0);
	launch(w, 0, count);
	cuStreamEndCapture(w->stream, &graph);
	cuGraphInstantiateWithFlags(&w->exec, graph, 0);
	d.cuStreamSynchronize(w->stream);
}

static void batch(struct worker *w)
{
	cuMemcpyHtoDAsync_v2(w->memory, host, 1024, w->stream);
}

static void fetch(struct worker *w)
{
	cuMemcpyDtoHAsync_v2(host, w->memory, 4, w->stream);
	d.cuStreamSynchronize(w->stream);
}

static void turn_train(struct worker *w)
{
	batch(w);
	launch(w, 0, KERNELS);
	fetch(w);
}

static void turn_look(struct worker *w)
{
	batch(w);
	launch(w, 0, 2);
	fetch(w);
	launch(w, 2, KERNELS - 2);
	fetch(w);
}

static void turn_sparse(struct worker *w)
{
	launch(w, 0, KERNELS);
	if (w->turn % 10 == 9)
		cuMemcpyDtoHAsync_v2(host, w->memory, 4, w->stream);
	d.cuStreamSynchronize(w->stream);
}

static void turn_plain(struct worker *w)
{
	launch(w, 0, 4);
	d.cuCtxSynchronize();
}

static void turn_piecewise(struct worker *w)
{
	batch(w);
	for (int i = 0; i < 20; i++) {
		cuGraphLaunch(w->exec, w->stream);
		launch(w, i, 2);
	}
	cuMemcpyDtoHAsync_v2(host, w->memory, 4, w->stream);
	cuEventRecord(w->events[0], w->stream);
	cuEventSynchronize(w->events[0]);
}

static void turn_burst(struct worker *w)
{
	batch(w);
	launch(w, 0, 1000);
	fetch(w);
}

static void turn_unwaited(struct worker *w)
{
	launch(w, 0, 4);
}

static void turn_tune(struct worker *w)
{
	launch(w, (int)w->turn, (int)(1 + w->turn * 7 % 23));
	d.cuStreamSynchronize(w->stream);
}

/* ---- results that another thread waits for ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static long issued, fetched;

static void *waiter(void *argument)
{
	struct worker *w = argument;

	d.cuCtxSetCurrent(d.ctx);
	for (;;) {
		pthread_mutex_lock(&lock);
		while (fetched == issued)
			pthread_cond_wait(&moved, &lock);
		pthread_mutex_unlock(&lock);
		cuEventSynchronize(w->events[fetched % EVENTS]);
		pthread_mutex_lock(&lock);
		fetched++;
		pthread_cond_broadcast(&moved);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void turn_serve(struct worker *w)
{
	pthread_t thread;

	if (!w->turn)
		pthread_create(&thread, NULL, waiter, w);
	pthread_mutex_lock(&lock);
	while (issued - fetched > 1)
		pthread_cond_wait(&moved, &lock);
	pthread_mutex_unlock(&lock);
	batch(w);
	cuGraphLaunch(w->exec, w->stream);
	launch(w, 0, 9);
	cuMemcpyDtoHAsync_v2(host, w->memory, 4, w->stream);
	cuEventRecord(w->events[w->turn % EVENTS], w->stream);
	launch(w, 9, 1);
	pthread_mutex_lock(&lock);
	issued++;
	pthread_cond_broadcast(&moved);
	while (turns && w->turn + 1 == turns && fetched < issued)
		pthread_cond_wait(&moved, &lock);
	pthread_mutex_unlock(&lock);
}

static const struct kind {
	const char *name;
	void (*turn)(struct worker *w);
	int graph, threads;
} kinds[] = {
	{ "train", turn_train, 0, 1 }, { "look", turn_look, 0, 1 }, { "sparse", turn_sparse, 0, 1 },
	{ "plain", turn_plain, 0, 1 }, { "piecewise", turn_piecewise, 3, 1 }, { "serve", turn_serve, 30, 1 },
	{ "two", turn_train, 0, 2 }, { "burst", turn_burst, 0, 1 }, { "unwaited", turn_unwaited, 0, 1 },
	{ "tune", turn_tune, 0, 1 },
};
static const struct kind *kind;

static void *work(void *unused)
{
	struct worker w = { 0 };

	(void)unused;
	d.cuCtxSetCurrent(d.ctx);
	d.cuMemAlloc_v2(&w.memory, sizeof(host));
	cuStreamCreate(&w.stream, 1);
	for (int i = 0; i < EVENTS; i++)
		cuEventCreate(&w.events[i], 2);
	if (kind->graph)
		capture(&w, kind->graph);
	for (; !turns || w.turn < turns; w.turn++) {
		kind->turn(&w);
		if (gap_us)
			usleep((useconds_t)gap_us);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];
	char name[16];

	turns = argc > 2 ? atol(argv[2]) : 0;
	gap_us = argc > 3 ? atol(argv[3]) : 0;
	for (size_t i = 0; argc > 1 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(argv[1], kinds[i].name))
			kind = &kinds[i];
	driver_open(&d);
	more_open();
	if (driver_start(&d))
		return 1;
	for (int i = 0; i < KERNELS; i++) {
		snprintf(name, sizeof(name), "step_%d", i);
		d.cuModuleGetFunction(&kernels[i], d.module, name);
	}
	if (!kind)
		return argc > 1 && strcmp(argv[1], "idle");
	for (int i = 0; i < kind->threads; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (int i = 0; i < kind->threads; i++)
		pthread_join(threads[i], NULL);
	d.cuCtxSynchronize();
	return 0;
}
