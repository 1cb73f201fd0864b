/*
 * groups.c - a client that makes known numbers of driver calls: groups [WORD:COUNT]...
 *
 *   ask      cuEventQuery          ask2   cuCtxGetCurrent         bad   cuEventQuery of no event
 *   near     cuCtxGetDevice, cuDevicePrimaryCtxGetState, cuPointerGetAttribute (which fails), cuCtxGetDevice_v2
 *   set      cuCtxSetCurrent, of the group context                alloc cuMemAlloc and cuMemFree
 *   launch   of a kernel of a module that is loaded for it
 *   lookup   launch of a kernel of a module that is loaded and unloaded for it
 *   new      a kernel of another name than the others
 *   release  cuDevicePrimaryCtxRelease
 *   thread   what follows is made by a new thread                 fork  by a forked child
 *   vfork    so many children of vfork(), which ask                 _Fork by a child that no handler is told of
 *   no_init  (first) neither context nor event, until there is
 *   init     both
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int cuInit(unsigned flags);
int cuDevicePrimaryCtxRetain(void **context, int device);
int cuDevicePrimaryCtxRelease_v2(int device);
int cuCtxSetCurrent(void *context);
int cuCtxGetCurrent(void **context);
int cuCtxGetDevice(int *device);
int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active);
int cuPointerGetAttribute(void *value, int attribute, unsigned long long address);
int cuCtxGetDevice_v2(int *device, void *context);
int cuEventCreate(void **event, unsigned flags);
int cuEventQuery(void *event);
int cuMemAlloc_v2(unsigned long long *address, size_t bytes);
int cuMemFree_v2(unsigned long long address);

int cuModuleLoadData(void **module, const void *image);
int cuModuleUnload(void *module);
int cuModuleGetFunction(void **function, void *module, const char *name);
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
		   unsigned shared, void *stream, void **params, void **extra);

static void *context, *event;

static void launch(long count)
{
	void *module, *function;

	if (cuModuleLoadData(&module, "fake") || cuModuleGetFunction(&function, module, "noop"))
		return;
	while (count--)
		cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
}

static void lookup(const char *name)
{
	void *module, *function;

	if (!cuModuleLoadData(&module, "fake")) {
		cuModuleGetFunction(&function, module, name);
		cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
		cuModuleUnload(module);
	}
}

static int init(void)
{
	return cuInit(0) || cuDevicePrimaryCtxRetain(&context, 0) || cuCtxSetCurrent(context) ||
	       cuEventCreate(&event, 0);
}

static void near(void)
{
	unsigned flags;
	int number;
	void *address;

	cuCtxGetDevice(&number);
	cuDevicePrimaryCtxGetState(0, &flags, &number);
	cuPointerGetAttribute(&address, 3, 1);
	cuCtxGetDevice_v2(&number, NULL);
}

static void vforked(void)
{
	pid_t pid = vfork();

	if (!pid) {
		near();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void make(const char *word, long count)
{
	unsigned long long address;
	void *now;

	if (!strcmp(word, "launch"))
		launch(count);
	for (long i = 0; i < count; i++)
		if (!strcmp(word, "ask"))
			cuEventQuery(event);
		else if (!strcmp(word, "ask2"))
			cuCtxGetCurrent(&now);
		else if (!strcmp(word, "near"))
			near();
		else if (!strcmp(word, "vfork"))
			vforked();
		else if (!strcmp(word, "bad"))
			cuEventQuery(NULL);
		else if (!strcmp(word, "set"))
			cuCtxSetCurrent(context);
		else if (!strcmp(word, "init") && init())
			fprintf(stderr, "groups: the driver does not work\n");
		else if (!strcmp(word, "release"))
			cuDevicePrimaryCtxRelease_v2(0);
		else if (!strcmp(word, "lookup"))
			lookup("noop");
		else if (!strcmp(word, "new"))
			lookup("newcomer");
		else if (!strcmp(word, "alloc") && !cuMemAlloc_v2(&address, 256))
			cuMemFree_v2(address);
}

static void *rest(void *args)
{
	for (char **arg = args; *arg; arg++) {
		char *count = strchr(*arg, ':');
		pthread_t thread;
		pid_t child;

		if (count)
			*count++ = 0;
		if (!strcmp(*arg, "thread")) {
			pthread_create(&thread, NULL, rest, arg + 1);
			pthread_join(thread, NULL);
			return NULL;
		}
		if (!strcmp(*arg, "fork") || !strcmp(*arg, "_Fork")) {
			pid_t (*call)(void) = (pid_t(*)(void))dlsym(RTLD_DEFAULT, *arg);

			child = call ? call() : -1;
			if (child) {
				waitpid(child, NULL, 0);
				return NULL;
			}
		} else if (count) {
			make(*arg, atol(count));
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 1;
	if (!strcmp(argv[1], "no_init")) {
		rest(argv + 2);
		return 0;
	}
	if (init()) {
		fprintf(stderr, "groups: the driver does not work\n");
		return 1;
	}
	rest(argv + 1);
	return 0;
}
