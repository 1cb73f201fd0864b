/*
 * recent.c - threads that launch many kernels, each by another way through them: recent THREADS KERNELS ROUNDS.
 *
 * Kernel number N is named kN and launched with a grid of N + 1 blocks, so that each record says which it should
 * be. Then the module is unloaded and another is loaded, whose kernels have other names (lN) and come at the same
 * handles, and the same is done again.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

int cuInit(unsigned flags);
int cuDevicePrimaryCtxRetain(void **context, int device);
int cuCtxSetCurrent(void *context);
int cuModuleLoadData(void **module, const void *image);
int cuModuleUnload(void *module);
int cuModuleGetFunction(void **function, void *module, const char *name);
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
		   unsigned shared, void *stream, void **params, void **extra);

enum { KERNELS = 4096, THREADS = 16 };

static void *context, *functions[KERNELS];
static long kernels, rounds;

static void must(int result, const char *what)
{
	if (result) {
		fprintf(stderr, "recent: %s: %d\n", what, result);
		exit(1);
	}
}

static void *module_load(char first)
{
	char *text, name[16];
	size_t size;
	FILE *out = open_memstream(&text, &size);
	void *module;

	fprintf(out, ".version 7.0\n.target sm_75\n.address_size 64\n");
	for (long i = 0; i < kernels; i++)
		fprintf(out, ".visible .entry %c%ld()\n{\n\tret;\n}\n", first, i);
	fclose(out);
	must(cuModuleLoadData(&module, text), "module");
	free(text);
	for (long i = 0; i < kernels; i++) {
		void *before = functions[i];

		snprintf(name, sizeof(name), "%c%ld", first, i);
		must(cuModuleGetFunction(&functions[i], module, name), name);
		if (before && before != functions[i])
			must(1, "the driver gives other handles");
	}
	return module;
}

/* A few over and over, more than there is room for side by side, and now and then any. */
static void *work(void *thread)
{
	unsigned draw = (unsigned)(long)thread + 1;

	must(cuCtxSetCurrent(context), "context");
	for (long i = 0; i < rounds * kernels; i++) {
		long which = rand_r(&draw) % (i % 4 ? kernels / 4 : kernels);

		must(cuLaunchKernel(functions[which], (unsigned)which + 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL), "launch");
	}
	return NULL;
}

static void launch_all(long count)
{
	pthread_t threads[THREADS];

	for (long i = 0; i < count; i++)
		must(pthread_create(&threads[i], NULL, work, (void *)i), "thread");
	for (long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	long count = argc == 4 ? atol(argv[1]) : 0;
	void *module;

	kernels = argc == 4 ? atol(argv[2]) : 0;
	rounds = argc == 4 ? atol(argv[3]) : 0;
	if (count < 1 || count > THREADS || kernels < 4 || kernels > KERNELS || rounds < 1) {
		fprintf(stderr, "usage: recent THREADS KERNELS ROUNDS\n");
		return 2;
	}
	must(cuInit(0), "init");
	must(cuDevicePrimaryCtxRetain(&context, 0), "context");
	must(cuCtxSetCurrent(context), "context");
	module = module_load('k');
	launch_all(count);
	must(cuModuleUnload(module), "unload");
	module_load('l');
	launch_all(count);
	return 0;
}
