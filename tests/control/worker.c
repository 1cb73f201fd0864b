/*
 * worker.c - a CUDA program that does what its input says, a line at a time, and answers "ok".
 *
 *	launch N               so many launches of the fake driver's empty kernel
 *	hammer T | rest        T threads launch without pause, from here to there
 *	idle T                 T threads wait, having launched once
 *	pstart | pstop         cuProfilerStart, cuProfilerStop
 *	push NAME | pop        a range of vprof.h
 *	nstart NAME | nend     a range of NVTX that has no thread
 *	mark NAME
 *	elsewhere LINE         in a thread of its own; "; " between what it does
 *	name NAME              of the thread
 *	fork LINE | _Fork LINE in a child, which then waits to be killed
 *	context                takes the context once more, as a new process would
 *	show                   launches that were made, and failed
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "preload/nvtx_abi.h"
#include "vprof/vprof.h"

enum { THREADS = 64 };

typedef int (*launch_fn)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **,
			 void **);

static launch_fn launch;
static int (*profiler_start)(void), (*profiler_stop)(void);
static void *function, *context;
static int (*set_current)(void *), (*retain)(void **, int);
static atomic_ulong made, failed;
static atomic_int hammering;
static pthread_t thread[THREADS];
static int threads;

static void fail(const char *what)
{
	fprintf(stderr, "worker: %s\n", what);
	exit(3);
}

static void setup(void)
{
	void *handle = dlopen("libcuda.so.1", RTLD_NOW), *module;
	int (*init)(unsigned) = (int (*)(unsigned))dlsym(handle, "cuInit");
	int (*load)(void **, const void *) = (int (*)(void **, const void *))dlsym(handle, "cuModuleLoadData");
	int (*get)(void **, void *, const char *) =
		(int (*)(void **, void *, const char *))dlsym(handle, "cuModuleGetFunction");

	retain = (int (*)(void **, int))dlsym(handle, "cuDevicePrimaryCtxRetain");
	set_current = (int (*)(void *))dlsym(handle, "cuCtxSetCurrent");
	launch = (launch_fn)dlsym(handle, "cuLaunchKernel");
	profiler_start = (int (*)(void))dlsym(handle, "cuProfilerStart");
	profiler_stop = (int (*)(void))dlsym(handle, "cuProfilerStop");
	if (init(0) || retain(&context, 0) || set_current(context) || load(&module, "fake") || get(&function, module, "noop"))
		fail("no kernel");
}

static void launch_one(void)
{
	void *params[1] = { NULL };

	if (launch(function, 1, 1, 1, 1, 1, 1, 0, NULL, params, NULL))
		atomic_fetch_add(&failed, 1);
	atomic_fetch_add(&made, 1);
}

static void launch_many(const char *count)
{
	for (long n = atol(count); n > 0; n--)
		launch_one();
}

static void *hammer(void *unused)
{
	while (atomic_load(&hammering))
		launch_one();
	return unused;
}

static void begin(const char *count)
{
	threads = atoi(count);
	if (threads > THREADS)
		fail("too many threads");
	atomic_store(&hammering, 1);
	for (int i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, hammer, NULL))
			fail("no thread");
}

static void rest(const char *unused)
{
	(void)unused;
	atomic_store(&hammering, 0);
	while (threads)
		pthread_join(thread[--threads], NULL);
}

static void act(char *line);

static void act_all(const char *line)
{
	char *copy = strdup(line), *at = copy, *part;

	while ((part = strsep(&at, ";")))
		act(part + strspn(part, " "));
	free(copy);
}

static void *elsewhere_run(void *line)
{
	set_current(context);
	act_all(line);
	return NULL;
}

static void elsewhere(const char *rest_of_line)
{
	pthread_t other;

	if (pthread_create(&other, NULL, elsewhere_run, (void *)(uintptr_t)rest_of_line) || pthread_join(other, NULL))
		fail("no thread");
}

static void child_acts(pid_t pid, const char *rest_of_line)
{
	if (pid < 0)
		fail("no child");
	if (pid) {
		printf("child %d\n", (int)pid);
		return;
	}
	act_all(rest_of_line);
	printf("done\n");
	fflush(stdout);
	pause();
	_exit(0);
}

static void fork_and(const char *rest_of_line) { child_acts(fork(), rest_of_line); }

static void _Fork_and(const char *rest_of_line)
{
	pid_t (*call)(void) = (pid_t(*)(void))dlsym(RTLD_DEFAULT, "_Fork");

	child_acts(call ? call() : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0), rest_of_line);
}

static void take_context(const char *unused)
{
	(void)unused;
	retain(&context, 0);
}

static void pstart(const char *unused) { (void)unused; profiler_start(); }
static void pstop(const char *unused) { (void)unused; profiler_stop(); }
static void pop(const char *unused) { (void)unused; vprof_range_end(); }
static void push(const char *name) { vprof_range_begin(name); }
static void mark(const char *name) { vprof_mark(name); }
static void name_thread(const char *name) { prctl(PR_SET_NAME, name); }

static void show(const char *unused)
{
	(void)unused;
	printf("made %lu failed %lu\n", atomic_load(&made), atomic_load(&failed));
}

/* ---- as much of NVTX as it takes: the library fills in where these point to ---- */

static nvtx_function range_start, range_end;

static int nvtx_module(int module, nvtx_function ***list, unsigned *size)
{
	static nvtx_function *functions[8] = { [5] = &range_start, [7] = &range_end };

	*list = functions;
	*size = 8;
	return module == NVTX_MODULE_CORE;
}

static const void *nvtx_table(uint32_t id)
{
	static const struct nvtx_callbacks callbacks = { sizeof(callbacks), nvtx_module };

	return id == NVTX_TABLE_CALLBACKS ? &callbacks : NULL;
}

static uint64_t range_id;

static void nstart(const char *name)
{
	int (*inject)(nvtx_get_table) = (int (*)(nvtx_get_table))dlsym(RTLD_DEFAULT, "InitializeInjectionNvtx2");

	if (!range_start && (!inject || !inject(nvtx_table)))
		fail("no NVTX");
	range_id = ((uint64_t(*)(const char *))range_start)(name);
}

static void nend(const char *unused)
{
	(void)unused;
	((void (*)(uint64_t))range_end)(range_id);
}

static const struct {
	const char *word;
	void (*run)(const char *argument);
} words[] = {
	{ "launch", launch_many }, { "hammer", begin }, { "rest", rest }, { "elsewhere", elsewhere },
	{ "fork", fork_and }, { "_Fork", _Fork_and }, { "context", take_context }, { "pstart", pstart }, { "pstop", pstop }, { "push", push }, { "pop", pop },
	{ "nstart", nstart }, { "nend", nend },
	{ "mark", mark }, { "name", name_thread }, { "show", show },
};

static void act(char *line)
{
	char *argument = strchr(line, ' ');

	if (argument)
		*argument++ = 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].word, line)) {
			words[i].run(argument ? argument : "");
			return;
		}
	fail(line);
}

int main(void)
{
	char line[256];

	setup();
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		act(line);
		printf("ok\n");
		fflush(stdout);
	}
	return 0;
}
