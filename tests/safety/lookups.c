/*
 * lookups.c - asks for symbols in every way, and says what it gets in words that must be
 * the same with and without the preload.
 *
 *	lookups driver | none      with libcuda.so.1 loaded, or without
 *	lookups threads            many threads look up and call at once
 *	lookups hooked             calls what another preload has as cuLaunchKernel
 *	lookups local FILE         asks from a library that has the driver in its own scope
 *
 * An answer is "null" with the text of dlerror(), or the object that the address lies in:
 * the preload's wrapper of a driver function counts as the driver, and what it puts in front of
 * libc as libc. While the driver is loaded with RTLD_LOCAL its functions are not asked for
 * through the global scope: a library that has the driver in a scope of its own finds
 * them there, which the preload cannot tell, so it answers everyone.
 */
#include <ctype.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include "tests/safety/driver.h"

static void *driver;
static int is_global;

static int is_cuda(const char *name)
{
	return name[0] == 'c' && name[1] == 'u' && isupper(name[2]);
}

static const char *where(const char *name, void *address)
{
	const char *file;
	Dl_info info;

	if (!dladdr(address, &info))
		return "?";
	file = strrchr(info.dli_fname, '/');
	file = file ? file + 1 : info.dli_fname;
	if (!strcmp(file, "libvprof.so") && (!strcmp(name, "dlsym") || !strcmp(name, "dlvsym") || !strcmp(name, "vfork")))
		return "libc.so.6";
	/* Handing out our wrapper is right only where the driver could have answered. */
	if (driver && !strcmp(file, "libvprof.so") && is_cuda(name))
		return "libcuda.so.1";
	return file;
}

static void say(const char *how, const char *name, void *address)
{
	const char *error = dlerror();

	printf("%s %s: %s, error %s\n", how, name, address ? where(name, address) : "null", error ? error : "none");
	if (dlerror())
		printf("%s %s: dlerror() twice\n", how, name);
}

static void ask(const char *name)
{
	void *self = dlopen(NULL, RTLD_NOW), *math = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);

	dlerror();
	say("libm", name, dlsym(math, name));
	if (driver) {
		say("driver", name, dlsym(driver, name));
		say("driver, version", name, dlvsym(driver, name, "GLIBC_2.2.5"));
		if (is_cuda(name) && !is_global)
			return;
	}
	say("default", name, dlsym(RTLD_DEFAULT, name));
	say("next", name, dlsym(RTLD_NEXT, name));
	say("self", name, dlsym(self, name));
	say("default, version", name, dlvsym(RTLD_DEFAULT, name, "GLIBC_2.2.5"));
	say("next, version", name, dlvsym(RTLD_NEXT, name, "GLIBC_2.2.5"));
	say("default, no version", name, dlvsym(RTLD_DEFAULT, name, "NOT_A_VERSION"));
	/* An error that is pending, and a lookup that succeeds or not. */
	dlsym(self, "no_such_thing");
	say("after an error", name, dlsym(RTLD_DEFAULT, name));
}

static void *ask_often(void *number)
{
	char name[64];

	for (int i = 0; i < 2000; i++) {
		int (*init)(unsigned) = (int (*)(unsigned))dlsym(driver, "cuInit");
		void *launch = dlsym(driver, i % 2 ? "cuLaunchKernel" : "cuMemcpyHtoD_v2");

		if (!init || !launch || dlerror())
			return number;
		if (i % 50 == 0 && init(0))
			return number;
		snprintf(name, sizeof(name), "cuNoSuchThing%d", i);
		if (dlsym(driver, name) || !dlerror() || dlerror() || !dlsym(RTLD_DEFAULT, "malloc"))
			return number;
	}
	return NULL;
}

static int many_threads(void)
{
	pthread_t threads[16];
	void *wrong;
	int failed = 0;

	for (unsigned i = 0; i < 16; i++)
		if (pthread_create(&threads[i], NULL, ask_often, (void *)(uintptr_t)(i + 1)))
			return 2;
	for (unsigned i = 0; i < 16; i++) {
		pthread_join(threads[i], &wrong);
		failed += wrong != NULL;
	}
	printf("%d threads got wrong answers\n", failed);
	return failed != 0;
}

static int call_hooked(void)
{
	CUresult (*launch)(CUfunction, SHAPE_PARAMS, CUstream, void **, void **);

	launch = (CUresult(*)(CUfunction, SHAPE_PARAMS, CUstream, void **, void **))dlsym(RTLD_DEFAULT, "cuLaunchKernel");
	printf("result %d\n", launch ? (int)launch(NULL, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL) : -1);
	return 0;
}

static int ask_locally(const char *file)
{
	static const char *const names[] = { "cuInit", "cuDriverGetVersion", "cuLaunchKernel", "cuNoSuchThing" };
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	void *(*ask_default)(const char *) = library ? (void *(*)(const char *))dlsym(library, "ask_default") : NULL;

	for (unsigned i = 0; ask_default && i < sizeof(names) / sizeof(*names); i++)
		printf("%s: %s\n", names[i], ask_default(names[i]) ? "found" : "null");
	return ask_default ? 0 : 99;
}

int main(int argc, char **argv)
{
	static const char *const names[] = {
		"cuInit", "cuLaunchKernel", "cuMemcpyHtoD", "cuMemcpyHtoD_v2", "cuDeviceGet", "cuDriverGetVersion",
		"cuGetExportTable", "cuGetProcAddress", "cuGetProcAddress_v2", "cuNoSuchThing", "cuLaunchKernel_v99",
		"cuda", "cu", "c", "", "CuInit", "cuckoo", "curl_easy_init", "cublasCreate_v2", "cudaMalloc", "cudnnCreate",
		"dlsym", "dlvsym", "vfork", "malloc", "cos", "vprof_unknown", "main",
	};

	if (argc > 1 && !strcmp(argv[1], "hooked"))
		return call_hooked();
	if (argc > 2 && !strcmp(argv[1], "local"))
		return ask_locally(argv[2]);
	if (argc > 1 && strcmp(argv[1], "none")) {
		driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
		if (!driver)
			return 99;
	}
	if (argc > 1 && !strcmp(argv[1], "threads"))
		return many_threads();
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		ask(names[i]);
	if (driver) {
		dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
		is_global = 1;
		printf("the driver is global from here on\n");
		for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
			ask(names[i]);
	}
	return 0;
}
