/*
 * calls.c - a fixed series of driver calls, good and bad, and what came of each.
 *
 *	calls [eat-descriptors | one-thread] [rounds N] [then PROGRAM ARGUMENTS...]
 *
 * Prints, for each call, its name, its result and errno, which held another sentinel
 * before each call. Before each round it waits for a byte on stdin, or its end. What it prints
 * must not depend on the preload. On descriptor 3, when it is open, it says what does:
 *
 *	calls N unrecorded M     N calls went to a function of the preload's, which lost M
 *
 * eat-descriptors: no descriptor is free from the first driver call on. one-thread: no
 * other is made (its stack takes room). then: exec.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include "tests/safety/driver.h"

static struct driver d;
static unsigned sentinel = 4000;
static unsigned long hooked;
static int quiet, one_thread;

/* Does the function lie in the preload? */
static int is_hooked(const void *function)
{
	Dl_info info;

	return dladdr(function, &info) && info.dli_fname && strstr(info.dli_fname, "libvprof.so");
}

#define CALL(name, ...)                                                        \
	do {                                                                   \
		CUresult result_;                                              \
		int errno_;                                                    \
                                                                               \
		hooked += is_hooked((const void *)d.name);                     \
		errno = (int)++sentinel;                                       \
		result_ = d.name(__VA_ARGS__);                                 \
		errno_ = errno;                                                \
		if (!quiet || errno_ != (int)sentinel)                         \
			printf("%s %d errno %+d\n", #name, result_, errno_ - (int)sentinel); \
	} while (0)

static void *launch_many(void *function)
{
	CALL(cuCtxSetCurrent, d.ctx);
	quiet = 1;
	for (int i = 0; i < 600; i++)
		CALL(cuLaunchKernel, function, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	quiet = 0;
	return NULL;
}

static void calls_of_start(void)
{
	CUdevice device = 0;

	CALL(cuModuleLoadData, &d.module, "fake"); /* before cuInit: refused */
	CALL(cuInit, 0);
	CALL(cuDeviceGet, &device, 0);
	CALL(cuCtxCreate_v2, &d.ctx, 0, device);
	CALL(cuModuleLoadData, &d.module, "fake");
}

static void calls_of_round(void)
{
	CUfunction function = NULL, none = NULL;
	CUmodule module = NULL;
	CUdeviceptr memory = 0;
	unsigned in[4] = { 1, 2, 3, 4 }, out[4] = { 0 };
	pthread_t thread;

	CALL(cuModuleGetFunction, &function, d.module, "safety_calls");
	CALL(cuModuleGetFunction, &none, d.module, "");
	CALL(cuModuleGetFunction, &none, NULL, "safety_calls");
	CALL(cuModuleLoadData, &module, "fake");
	CALL(cuModuleLoadData, &module, NULL);
	CALL(cuLaunchKernel, function, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	CALL(cuLaunchKernel, function, 0, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	CALL(cuLaunchKernel, NULL, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	CALL(cuMemAlloc_v2, &memory, sizeof(in));
	CALL(cuMemAlloc_v2, NULL, 1);
	CALL(cuMemcpyHtoD_v2, memory, in, sizeof(in));
	CALL(cuMemsetD32Async, memory, 7, 2, NULL);
	CALL(cuCtxSynchronize);
	CALL(cuMemcpyDtoH_v2, out, memory, sizeof(out));
	printf("memory %u %u %u %u\n", out[0], out[1], out[2], out[3]);
	CALL(cuMemFree_v2, memory);
	CALL(cuMemFree_v2, memory + 12345);
	CALL(cuEventQuery, NULL);
	CALL(cuProfilerStart);
	CALL(cuModuleUnload, module);
	fflush(stdout);
	if (one_thread)
		launch_many(function);
	else if (pthread_create(&thread, NULL, launch_many, function))
		printf("no thread\n");
	else
		pthread_join(thread, NULL);
	CALL(cuStreamSynchronize, NULL);
}

static void say_what_was_lost(void)
{
	const uint64_t *loss = dlsym(RTLD_DEFAULT, "vprof_unrecorded");
	unsigned long lost = 0;

	for (int i = 0; loss && i < 16; i++)
		lost += loss[i];
	if (fcntl(3, F_GETFD) >= 0)
		dprintf(3, "calls %lu unrecorded %lu\n", hooked, lost);
}

int main(int argc, char **argv)
{
	int eat = argc > 1 && !strcmp(argv[1], "eat-descriptors"), rounds = 1;
	char byte;

	one_thread = argc > 1 && !strcmp(argv[1], "one-thread");
	argv += 1 + eat + one_thread;
	if (argv[0] && argv[1] && !strcmp(argv[0], "rounds")) {
		rounds = atoi(argv[1]);
		argv += 2;
	}
	driver_open(&d);
	while (eat && open("/dev/null", O_RDONLY) >= 0)
		;
	calls_of_start();
	for (int i = 0; i < rounds; i++) {
		printf("round %d\n", i + 1);
		fflush(stdout);
		if (read(0, &byte, 1) < 0)
			return 1;
		calls_of_round();
	}
	say_what_was_lost();
	fflush(stdout);
	if (argv[0] && argv[1] && !strcmp(argv[0], "then"))
		execvp(argv[1], argv + 1);
	return 7;
}
