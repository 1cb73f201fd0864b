/*
 * loop.c - a program whose every launch can be told from all others: grid x counts the launches of a
 * thread from 1, the shared memory is the thread's number from 0.
 *
 *	loop THREADS LAUNCHES BURST PAUSE_US [fork | turns N]
 *
 * Each thread pauses after each BURST of launches. `fork`: a child does the same at the same time.
 * `turns`: not all threads at once, but N generations of them. Prints `done PID NS`, the processor time that the
 * spill's thread has taken, and reads a line before it ends.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int (*launch_fn)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *,
			 void **, void **);

static launch_fn launch;
static int (*set_current)(void *);
static void *function, *context;
static long threads, launches, burst, pause_us;

static void *find(void *driver, const char *name)
{
	void *found = dlsym(driver, name);

	if (!found)
		exit(3);
	return found;
}

static void begin(void)
{
	void *driver = dlopen("libcuda.so.1", RTLD_NOW), *module;

	if (!driver)
		exit(2);
	launch = (launch_fn)find(driver, "cuLaunchKernel");
	set_current = (int (*)(void *))find(driver, "cuCtxSetCurrent");
	if (((int (*)(unsigned))find(driver, "cuInit"))(0) ||
	    ((int (*)(void **, int))find(driver, "cuDevicePrimaryCtxRetain"))(&context, 0) || set_current(context) ||
	    ((int (*)(void **, const void *))find(driver, "cuModuleLoadData"))(&module, "fake") ||
	    ((int (*)(void **, void *, const char *))find(driver, "cuModuleGetFunction"))(&function, module, "noop"))
		exit(4);
}

static void *work(void *number)
{
	set_current(context);
	for (long i = 1; i <= launches; i++) {
		launch(function, (unsigned)i, 1, 1, 32, 1, 1, (unsigned)(intptr_t)number, NULL, NULL, NULL);
		if (pause_us && i % burst == 0)
			usleep((useconds_t)pause_us);
	}
	return NULL;
}

static void generation(long first)
{
	pthread_t id[64];

	for (long i = 0; i < threads; i++)
		if (pthread_create(&id[i], NULL, work, (void *)(intptr_t)(first + i)))
			exit(5);
	for (long i = 0; i < threads; i++)
		pthread_join(id[i], NULL);
}

/* Of the thread by that name; 0: there is none. */
static unsigned long thread_ns(const char *wanted)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	unsigned long ns = 0;

	while (tasks && (task = readdir(tasks))) {
		char path[300], name[32] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task->d_name);
		file = fopen(path, "r");
		if (!file || !fgets(name, sizeof(name), file))
			name[0] = 0;
		if (file)
			fclose(file);
		snprintf(path, sizeof(path), "/proc/self/task/%s/schedstat", task->d_name);
		file = strncmp(name, wanted, strlen(wanted)) ? NULL : fopen(path, "r");
		if (file && fscanf(file, "%lu", &ns) != 1)
			ns = 0;
		if (file)
			fclose(file);
	}
	if (tasks)
		closedir(tasks);
	return ns;
}

int main(int argc, char **argv)
{
	long turns = argc > 6 && !strcmp(argv[5], "turns") ? atol(argv[6]) : 1;
	int forks = argc > 5 && !strcmp(argv[5], "fork");
	pid_t child;
	char line[16];

	if (argc < 5)
		return 1;
	threads = atol(argv[1]);
	launches = atol(argv[2]);
	burst = atol(argv[3]);
	pause_us = atol(argv[4]);
	child = forks ? fork() : -1;
	begin();
	for (long i = 0; i < turns; i++)
		generation(i * threads);
	if (!child)
		return 0;
	if (child > 0)
		waitpid(child, NULL, 0);
	printf("done %d %lu\n", (int)getpid(), thread_ns("vprof-spill"));
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) ? 0 : 0;
}
