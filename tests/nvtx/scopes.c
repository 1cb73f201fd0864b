/*
 * scopes.c - a CUDA program that says what it does, by real NVTX headers (-DWITH_NVTX) and vprof.h.
 *
 * Each argument is something to do; the functions below are named like them.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vprof/vprof.h>
#ifdef WITH_NVTX
#include <nvtx3/nvToolsExt.h>
typedef int CUdevice;
typedef struct CUctx_st *CUcontext;
typedef struct CUstream_st *CUstream;
typedef struct CUevent_st *CUevent;
#define __cuda_cuda_h__
#include <nvtx3/nvToolsExtCuda.h>
#endif

static int (*launch)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **,
		     void **);
static int (*set_current)(void *);
static void *function, *context;

static void *symbol(void *driver, const char *name)
{
	void *found = dlsym(driver, name);

	if (!found) {
		fprintf(stderr, "scopes: no %s\n", name);
		exit(2);
	}
	return found;
}

/* The first driver call: from here on there is a ring. */
static void cuda(void)
{
	void *driver = dlopen("libcuda.so.1", RTLD_NOW), *module;

	if (!driver) {
		fprintf(stderr, "scopes: %s\n", dlerror());
		exit(2);
	}
	launch = (__typeof__(launch))symbol(driver, "cuLaunchKernel");
	set_current = (int (*)(void *))symbol(driver, "cuCtxSetCurrent");
	if (((int (*)(unsigned))symbol(driver, "cuInit"))(0) ||
	    ((int (*)(void **, int))symbol(driver, "cuDevicePrimaryCtxRetain"))(&context, 0) ||
	    set_current(context) ||
	    ((int (*)(void **, const void *))symbol(driver, "cuModuleLoadData"))(&module, "fake") ||
	    ((int (*)(void **, void *, const char *))symbol(driver, "cuModuleGetFunction"))(&function, module, "noop"))
		exit(3);
}

static void kernels(int count)
{
	void *params[1] = { NULL };

	for (int i = 0; i < count; i++)
		if (launch(function, 1, 1, 1, 1, 1, 1, 0, NULL, params, NULL))
			exit(4);
}

/* ---- by vprof.h ---- */

static void marks(void)
{
	vprof_name_thread("the boss");
	vprof_name_stream((void *)0x1234, "copies");
	vprof_range_begin("outer");
	vprof_range_begin("inner");
	kernels(1);
	vprof_mark("now");
	vprof_counter("queue", 2.5);
	vprof_counter("queue", -1);
	vprof_range_end();
	kernels(1);
	vprof_range_end();
	kernels(1);
}

static void extra(void)
{
	vprof_range_end();
	vprof_range_end(); /* one too many */
}

/* A stream with a name, and memory that is taken in a range. */
static void objects(void)
{
	void *driver = dlopen("libcuda.so.1", RTLD_NOW), *stream;
	unsigned long long memory;

	if (((int (*)(void **, unsigned))symbol(driver, "cuStreamCreate"))(&stream, 0))
		exit(5);
	vprof_name_stream(stream, "the \"copy\" stream");
	launch(function, 1, 1, 1, 1, 1, 1, 0, stream, (void *[]){ NULL }, NULL);
	vprof_range_begin("load");
	vprof_range_begin("allocate weights");
	((int (*)(unsigned long long *, size_t))symbol(driver, "cuMemAlloc_v2"))(&memory, 4096);
	vprof_range_end();
	vprof_range_end();
}

/* Begun before there is a ring; and open for longer than the ring lasts. */
static void early(void)
{
	vprof_range_begin("from the start");
}

static void longer(void)
{
	vprof_range_begin("a long range with a name that is given once and takes more than two texts");
	vprof_range_begin("second");
	kernels(60000);
	vprof_range_end();
	vprof_range_end();
	kernels(1);
}

/* Open across the ends of chunks. */
static void chunks(void)
{
	char name[64];

	vprof_range_begin("spans chunks");
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "step %d of a loop with dynamic names", i);
		vprof_range_begin(name);
		kernels(1);
		vprof_range_end();
	}
	vprof_range_end();
}

static void deep(void)
{
	for (int i = 0; i < 80; i++)
		vprof_range_begin("deep");
	for (int i = 0; i < 80; i++)
		vprof_range_end();
	vprof_range_begin("after");
	kernels(1);
	vprof_range_end();
}

/* Names without end, then a kernel. */
static void many_names(void)
{
	void *module, *driver = dlopen("libcuda.so.1", RTLD_NOW);
	char name[32];

	for (int i = 1; i <= 90000; i++) {
		snprintf(name, sizeof(name), "stream %d", i);
		vprof_name_stream((void *)(intptr_t)i, name);
	}
	if (((int (*)(void **, const void *))symbol(driver, "cuModuleLoadData"))(&module, "fake") ||
	    ((int (*)(void **, void *, const char *))symbol(driver, "cuModuleGetFunction"))(&function, module, "newcomer"))
		exit(3);
}

/* A child that makes no driver call goes deep. */
static void deep_child(void)
{
	pid_t child = fork();

	if (!child) {
		for (int i = 0; i < 80; i++)
			vprof_range_begin("deep");
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void forks(void)
{
	pid_t child;

	vprof_range_begin("parent");
	kernels(1);
	child = fork();
	if (!child) {
		vprof_range_begin("child");
		launch(function, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL); /* refused, and recorded */
		vprof_range_end();
		vprof_range_end();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	vprof_range_end();
}

/* To be killed. */
static void hangs(void)
{
	vprof_range_begin("never ends");
	kernels(600);
	vprof_range_begin("nor this");
	printf("ready\n");
	fflush(stdout);
	pause();
}

static void *scopes_of_thread(void *index)
{
	char name[32];

	snprintf(name, sizeof(name), "worker %d", (int)(intptr_t)index);
	vprof_name_thread(name);
	set_current(context);
	for (int i = 0; i < 100; i++) {
		vprof_range_begin(name);
		kernels(3);
		vprof_range_end();
	}
	return NULL;
}

static void threads(void)
{
	pthread_t threads[4];

	for (intptr_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, scopes_of_thread, (void *)i);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

/* ---- by NVTX ---- */

#ifdef WITH_NVTX
static nvtxEventAttributes_t attributes(const char *name)
{
	nvtxEventAttributes_t a = { 0 };

	a.version = NVTX_VERSION;
	a.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
	a.messageType = NVTX_MESSAGE_TYPE_ASCII;
	a.message.ascii = name;
	return a;
}

static void payloads(nvtxDomainHandle_t domain)
{
	nvtxEventAttributes_t a = attributes("u64");

	a.payloadType = NVTX_PAYLOAD_TYPE_UNSIGNED_INT64;
	a.payload.ullValue = UINT64_MAX;
	nvtxDomainMarkEx(domain, &a);
	a = attributes("i64");
	a.payloadType = NVTX_PAYLOAD_TYPE_INT64;
	a.payload.llValue = -5;
	nvtxDomainMarkEx(domain, &a);
	a = attributes("f64");
	a.payloadType = NVTX_PAYLOAD_TYPE_DOUBLE;
	a.payload.dValue = 0.25;
	nvtxDomainMarkEx(domain, &a);
	a = attributes("u32");
	a.payloadType = NVTX_PAYLOAD_TYPE_UNSIGNED_INT32;
	a.payload.uiValue = 4000000000u;
	nvtxDomainMarkEx(domain, &a);
	a = attributes("i32");
	a.payloadType = NVTX_PAYLOAD_TYPE_INT32;
	a.payload.iValue = -7;
	nvtxDomainMarkEx(domain, &a);
	a = attributes("f32");
	a.payloadType = NVTX_PAYLOAD_TYPE_FLOAT;
	a.payload.fValue = 1.5f;
	nvtxDomainMarkEx(domain, &a);
}

static void domains(void)
{
	nvtxDomainHandle_t domain = nvtxDomainCreateA("lib.one"), other = nvtxDomainCreateW(L"lib\u00e9");
	nvtxStringHandle_t string = nvtxDomainRegisterStringA(domain, "registered");
	nvtxEventAttributes_t a = attributes(NULL);

	nvtxDomainNameCategoryA(domain, 7, "seven");
	a.messageType = NVTX_MESSAGE_TYPE_REGISTERED;
	a.message.registered = string;
	a.category = 7;
	a.colorType = NVTX_COLOR_ARGB;
	a.color = 0xff8000ff;
	printf("levels %d", nvtxDomainRangePushEx(domain, &a));
	printf(" %d", nvtxDomainRangePushEx(domain, &a));
	a = attributes("other");
	printf(" %d", nvtxDomainRangePushEx(other, &a));
	kernels(1);
	/* Not in the order in which they were pushed: each domain has a stack of its own. */
	printf(" %d", nvtxDomainRangePop(domain));
	printf(" %d", nvtxDomainRangePop(domain));
	printf(" %d", nvtxDomainRangePop(other));
	printf(" %s\n", nvtxDomainRangePop(other) < 0 ? "none" : "one more");
	payloads(domain);
	nvtxDomainDestroy(other);
}

static void names(void)
{
	nvtxResourceAttributes_t r = { 0 };

	nvtxNameOsThreadA((uint32_t)getpid(), "named by nvtx");
	nvtxNameCuStreamA((CUstream)0x77, "stream of nvtx");
	nvtxNameCuEventW((CUevent)0x78, L"event \u4e8b");
	nvtxNameCuContextA((CUcontext)0x79, "context of nvtx");
	nvtxNameCuDeviceA(0, "device of nvtx");
	r.version = NVTX_VERSION;
	r.size = NVTX_RESOURCE_ATTRIB_STRUCT_SIZE;
	r.identifierType = NVTX_RESOURCE_TYPE_CUDA_STREAM;
	r.identifier.ullValue = 0x7a;
	r.messageType = NVTX_MESSAGE_TYPE_ASCII;
	r.message.ascii = "resource";
	printf("resource %s\n", nvtxDomainResourceCreate(NULL, &r) ? "made" : "refused");
}

static nvtxRangeId_t started;

static void *end_it(void *unused)
{
	(void)unused;
	set_current(context);
	kernels(1);
	nvtxRangeEnd(started);
	return NULL;
}

static void nvtx(void)
{
	pthread_t thread;

	printf("push %d", nvtxRangePushA("plain"));
	printf(" %d", nvtxRangePushW(L"wide \u00fc\u4e2d\U0001f600"));
	kernels(2);
	nvtxMarkA("quote \" and \\ and \n");
	nvtxMarkW(L"wide mark");
	printf(" %d", nvtxRangePop());
	printf(" %d\n", nvtxRangePop());
	started = nvtxRangeStartA("ends elsewhere");
	pthread_create(&thread, NULL, end_it, NULL);
	pthread_join(thread, NULL);
	started = nvtxRangeStartA("ends here");
	nvtxRangeEnd(started);
	nvtxRangeEnd(started); /* no such range any more */
	nvtxRangeEnd(12345);
	domains();
	names();
}

/* The scopes of an inference engine: a step with its batch in the name, and what is in it. */
static void engine(void)
{
	char step[64];

	for (int i = 0; i < 50; i++) {
		snprintf(step, sizeof(step), "execute_context_%d(%d)_generation_%d(%d)", i % 3, 100 + i, i, i);
		nvtxRangePushA(step);
		nvtxRangePushA("gpu_model_runner: forward");
		kernels(2);
		nvtxRangePop();
		nvtxRangePushA("gpu_model_runner: sample");
		kernels(1);
		nvtxRangePop();
		nvtxRangePop();
	}
}

/* Names without end, none of which comes again. */
static void flood(void)
{
	char name[64];

	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "request %d", i);
		nvtxRangePushA(name);
		nvtxRangePushA(name);
		nvtxRangePop();
		nvtxRangePop();
	}
}
#endif

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} things[] = {
		{ "cuda", cuda }, { "marks", marks }, { "objects", objects }, { "early", early }, { "longer", longer }, { "chunks", chunks },
		{ "deep", deep }, { "deep_child", deep_child }, { "many_names", many_names }, { "extra", extra },
		{ "forks", forks }, { "hangs", hangs }, { "threads", threads },
#ifdef WITH_NVTX
		{ "nvtx", nvtx }, { "engine", engine }, { "flood", flood },
#endif
	};

	for (int i = 1; i < argc; i++)
		for (size_t t = 0; t < sizeof(things) / sizeof(things[0]); t++)
			if (!strcmp(argv[i], things[t].name))
				things[t].run();
	return 0;
}
