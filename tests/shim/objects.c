/*
 * objects.c - makes streams, events, contexts and kernels, for objects.t.
 *
 *	objects make       one of each, and says on stdout what a program can see of it
 *	objects capture    launches kernels for the first time while another thread captures
 *	objects contexts   destroys and resets contexts; a handle comes back as another kernel's
 *	objects reload     a module is replaced by another, whose kernel has the same name
 *	objects events N   makes and destroys N events
 *	objects load FILE  loads the file, its bytes, and the other kinds of images twice
 *
 * The output must be the same with and without the preload.
 */
#include <dlfcn.h>
#include <elf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shim/cuda_abi.h"

#define SHAPE_PARAMS unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned

#define FUNCTIONS(X) \
	X(cuInit, (unsigned)) \
	X(cuDevicePrimaryCtxRetain, (CUcontext *, CUdevice)) \
	X(cuDevicePrimaryCtxRelease_v2, (CUdevice)) \
	X(cuDevicePrimaryCtxReset_v2, (CUdevice)) \
	X(cuCtxCreate_v2, (CUcontext *, unsigned, CUdevice)) \
	X(cuCtxDestroy_v2, (CUcontext)) \
	X(cuCtxSetCurrent, (CUcontext)) \
	X(cuCtxGetCurrent, (CUcontext *)) \
	X(cuCtxSynchronize, (void)) \
	X(cuStreamCreate, (CUstream *, unsigned)) \
	X(cuStreamCreateWithPriority, (CUstream *, unsigned, int)) \
	X(cuStreamDestroy_v2, (CUstream)) \
	X(cuStreamWaitEvent, (CUstream, CUevent, unsigned)) \
	X(cuStreamBeginCapture_v2, (CUstream, CUstreamCaptureMode)) \
	X(cuStreamEndCapture, (CUstream, CUgraph *)) \
	X(cuThreadExchangeStreamCaptureMode, (CUstreamCaptureMode *)) \
	X(cuEventCreate, (CUevent *, unsigned)) \
	X(cuEventDestroy_v2, (CUevent)) \
	X(cuModuleLoadData, (CUmodule *, const void *)) \
	X(cuModuleLoad, (CUmodule *, const char *)) \
	X(cuModuleUnload, (CUmodule)) \
	X(cuLibraryLoadFromFile, (CUlibrary *, const char *, void *, void **, unsigned, void *, void **, unsigned)) \
	X(cuModuleGetFunction, (CUfunction *, CUmodule, const char *)) \
	X(cuLibraryLoadData, (CUlibrary *, const void *, void *, void **, unsigned, void *, void **, unsigned)) \
	X(cuLibraryGetKernel, (CUkernel *, CUlibrary, const char *)) \
	X(cuKernelGetFunction, (CUfunction *, CUkernel)) \
	X(cuFuncIsLoaded, (int *, CUfunction)) \
	X(cuLaunchKernel, (CUfunction, SHAPE_PARAMS, CUstream, void **, void **))

static struct {
#define FIELD(name, params) CUresult (*name) params;
	FUNCTIONS(FIELD)
} d;

static void check(CUresult result, const char *what)
{
	if (!result)
		return;
	printf("%s: %d\n", what, result);
	exit(1);
}
#define TRY(name, ...) check(d.name(__VA_ARGS__), #name)

static void driver_open(void)
{
	void *library = dlopen("libcuda.so.1", RTLD_NOW);

#define LOOK(name, params) \
	if (!library || !(d.name = (CUresult(*) params)dlsym(library, #name))) { \
		printf("%s\n", dlerror()); \
		exit(99); \
	}
	FUNCTIONS(LOOK)
}

static CUresult launch(void *function, CUstream stream)
{
	static uint64_t word;
	void *params[] = { &word, &word, &word };

	return d.cuLaunchKernel(function, 132, 1, 1, 256, 1, 1, 0, stream, params, NULL);
}

static void show_loaded(const char *when, CUfunction function)
{
	int loaded = -1;

	TRY(cuFuncIsLoaded, &loaded, function);
	printf("%s: %s\n", when, loaded ? "loaded" : "not loaded");
}

/* ---- make ---- */

static const char image[] =
	".version 7.0\n.target sm_75\n.address_size 64\n"
	".visible .entry regs_64_smem_1024(.param .u64 a, .param .u32 b, .param .align 8 .b8 c[24]) { ret; }\n"
	".visible .entry never_launched() { ret; }\n";

static void make(void)
{
	CUcontext primary, again, current;
	CUstream stream[2];
	CUevent event;
	CUmodule module;
	CUlibrary library;
	CUkernel kernel;
	CUfunction function, never, of_kernel;

	TRY(cuDevicePrimaryCtxRetain, &primary, 0);
	TRY(cuDevicePrimaryCtxRetain, &again, 0);
	TRY(cuCtxSetCurrent, primary);
	TRY(cuStreamCreate, &stream[0], CU_STREAM_NON_BLOCKING);
	TRY(cuStreamCreateWithPriority, &stream[1], 0, -99);
	TRY(cuEventCreate, &event, CU_EVENT_DISABLE_TIMING);
	TRY(cuModuleLoadData, &module, image);
	TRY(cuModuleGetFunction, &function, module, "regs_64_smem_1024");
	TRY(cuModuleGetFunction, &never, module, "never_launched");
	show_loaded("looked up", function);
	TRY(cuLibraryLoadData, &library, "fake", NULL, NULL, 0, NULL, NULL, 0);
	TRY(cuLibraryGetKernel, &kernel, library, "in_library_regs_40");
	TRY(cuKernelGetFunction, &of_kernel, kernel);
	for (int i = 0; i < 3; i++) {
		check(launch(function, stream[0]), "launch");
		check(launch(kernel, stream[1]), "launch of a CUkernel");
	}
	printf("too many threads: %d\n",
	       d.cuLaunchKernel(never, 1, 1, 1, 4096, 1, 1, 0, stream[0], NULL, NULL));
	show_loaded("launched", function);
	show_loaded("launched as a CUkernel", of_kernel);
	show_loaded("launched in vain", never);
	TRY(cuCtxGetCurrent, &current);
	printf("current context: %s\n", current == primary ? "the same" : "another");
	TRY(cuStreamWaitEvent, stream[1], event, 0);
	TRY(cuCtxSynchronize);
	TRY(cuEventDestroy_v2, event);
	TRY(cuStreamDestroy_v2, stream[0]);
}

/* ---- capture ---- */

static pthread_barrier_t turn;
static CUcontext shared;

static void *capture_here(void *unused)
{
	CUstream stream;
	CUgraph graph;
	CUresult result;

	(void)unused;
	TRY(cuCtxSetCurrent, shared);
	TRY(cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
	TRY(cuStreamBeginCapture_v2, stream, CU_STREAM_CAPTURE_MODE_GLOBAL);
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	result = d.cuStreamEndCapture(stream, &graph);
	printf("capture in another thread: %d\n", result);
	return NULL;
}

static void capture(void)
{
	CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
	CUstream stream, own;
	CUmodule module;
	CUfunction function[4];
	CUevent event;
	CUgraph graph;
	pthread_t thread;

	TRY(cuDevicePrimaryCtxRetain, &shared, 0);
	TRY(cuCtxSetCurrent, shared);
	TRY(cuModuleLoadData, &module, "fake");
	TRY(cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
	for (int i = 0; i < 4; i++) {
		char name[] = "kernel_0";

		name[7] += (char)i;
		TRY(cuModuleGetFunction, &function[i], module, name);
	}
	pthread_barrier_init(&turn, NULL, 2);
	pthread_create(&thread, NULL, capture_here, NULL);
	pthread_barrier_wait(&turn);
	for (int i = 0; i < 4; i++)
		printf("launch beside a capture: %d\n", launch(function[i], stream));
	printf("stream beside a capture: %d\n", d.cuStreamCreate(&own, CU_STREAM_NON_BLOCKING));
	printf("event beside a capture: %d\n", d.cuEventCreate(&event, 0));
	pthread_barrier_wait(&turn);
	pthread_join(thread, NULL);
	TRY(cuModuleGetFunction, &function[0], module, "captured");
	TRY(cuStreamBeginCapture_v2, own, CU_STREAM_CAPTURE_MODE_GLOBAL);
	printf("launch in a capture: %d\n", launch(function[0], own));
	printf("capture: %d\n", d.cuStreamEndCapture(own, &graph));
	TRY(cuThreadExchangeStreamCaptureMode, &mode);
	printf("the thread's mode was %d\n", mode);
}

/* ---- contexts ---- */

static void contexts(void)
{
	CUcontext ctx;
	CUmodule module;
	CUfunction function;

	for (int i = 0; i < 2; i++) {
		TRY(cuCtxCreate_v2, &ctx, 4, 0);
		TRY(cuModuleLoadData, &module, "fake");
		TRY(cuModuleGetFunction, &function, module, i ? "second_regs_80" : "first_regs_48");
		check(launch(function, NULL), "launch");
		TRY(cuCtxSynchronize);
		TRY(cuCtxDestroy_v2, ctx);
	}
	TRY(cuDevicePrimaryCtxRetain, &ctx, 0);
	TRY(cuDevicePrimaryCtxRelease_v2, 0);
	TRY(cuDevicePrimaryCtxReset_v2, 0);
	printf("done\n");
}

static void reload(void)
{
	static const char *const images[] = {
		".version 7.0\n.visible .entry same(.param .u64 a) { ret; }\n",
		".version 7.0\n.visible .entry same(.param .u64 a, .param .u64 b) { ret; }\n",
	};
	CUcontext ctx;
	CUmodule module, before = NULL;
	CUfunction function = NULL, again;

	TRY(cuCtxCreate_v2, &ctx, 0, 0);
	for (int i = 0; i < 2; i++) {
		TRY(cuModuleLoadData, &module, images[i]);
		for (int k = 0; k < 3; k++) {
			TRY(cuModuleGetFunction, &again, module, "same");
			check(launch(again, NULL), "launch");
		}
		TRY(cuCtxSynchronize);
		TRY(cuModuleUnload, module);
		if (i)
			printf("handles: %s\n", module == before && again == function ? "the same" : "others");
		before = module;
		function = again;
	}
}

static void events(int count)
{
	CUcontext ctx;
	CUevent event, other;

	TRY(cuCtxCreate_v2, &ctx, 0, 0);
	TRY(cuEventCreate, &other, 1);
	for (int i = 0; i < count; i++) {
		TRY(cuEventCreate, &event, 2);
		TRY(cuEventDestroy_v2, event);
	}
	printf("done\n");
}

/* ---- load ---- */

/* Headers alone: what the driver loads of them is nothing. */
static void load(const char *path)
{
	/* Two sections, the last of which ends behind the table. */
	static struct {
		Elf64_Ehdr head;
		Elf64_Shdr section[3];
		char text[72];
	} cubin = {
		.head = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB }, .e_machine = 190,
			  .e_shoff = sizeof(Elf64_Ehdr), .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 3 },
		.section = { [1] = { .sh_type = SHT_PROGBITS, .sh_offset = offsetof(__typeof__(cubin), text), .sh_size = 72 },
			     [2] = { .sh_type = SHT_NOBITS, .sh_offset = 4096, .sh_size = 1 << 20 } },
	};
	/* The same, as one of 65280 sections or more says how many it has. */
	static __typeof__(cubin) counted;
	static const struct { uint32_t magic; uint16_t version, head; uint64_t size; char rest[48]; } fatbin = {
		0xba55ed50, 1, 16, 48, "" };
	static const struct { uint32_t magic, version; const void *data, *more; } wrapper = {
		0x466243b1, 1, &fatbin, NULL };
	CUcontext ctx;
	CUmodule module;
	CUlibrary library;

	TRY(cuCtxCreate_v2, &ctx, 0, 0);
	for (int i = 0; i < 2; i++) {
		TRY(cuModuleLoadData, &module, image);
		TRY(cuModuleLoadData, &module, &cubin);
		TRY(cuModuleLoadData, &module, &wrapper);
		TRY(cuLibraryLoadData, &library, &fatbin, NULL, NULL, 0, NULL, NULL, 0);
		TRY(cuModuleLoadData, &module, "fake");
		TRY(cuModuleLoad, &module, path);
		TRY(cuLibraryLoadFromFile, &library, path, NULL, NULL, 0, NULL, NULL, 0);
	}
	counted = cubin;
	counted.head.e_shnum = 0;
	counted.section[0].sh_size = 3;
	TRY(cuModuleLoadData, &module, &counted);
	printf("no such file: %d\n", d.cuModuleLoad(&module, "/nowhere/at/all"));
	printf("no image: %d\n", d.cuModuleLoadData(&module, "what is this"));
}

int main(int argc, char **argv)
{
	driver_open();
	TRY(cuInit, 0);
	if (argc > 1 && !strcmp(argv[1], "make"))
		make();
	else if (argc > 1 && !strcmp(argv[1], "capture"))
		capture();
	else if (argc > 1 && !strcmp(argv[1], "contexts"))
		contexts();
	else if (argc > 1 && !strcmp(argv[1], "reload"))
		reload();
	else if (argc > 2 && !strcmp(argv[1], "events"))
		events(atoi(argv[2]));
	else if (argc > 2 && !strcmp(argv[1], "load"))
		load(argv[2]);
	else
		return 2;
	return 0;
}
