/*
 * eager.h - what the programs whose work on streams is timed have in common: a context, kernels, and the words to which
 * they add. At the end they print what these are, `current yes` when the context is still the current one, and
 * `error E CALL` for a call that failed.
 */
#ifndef GPUTIME_EAGER_H
#define GPUTIME_EAGER_H

#include "tests/gputime/client.h"

enum {
	THREADS = 4,
	STEP = 256,
	DEEP = 100, /* rounds that are queued before they are waited for: as deep as real queues are, and not more */
};

static CUcontext context;
static CUfunction slow, fast;
static CUdeviceptr cells; /* of each thread x, and 64 bytes on y, and as many on the copy, and z */
static CUdeviceptr spare; /* the same, of what is done before it counts */
static useconds_t between;

/*
 * Until what the library prepares for the context and the stream has been: until a launch has been timed, if any is to
 * be, client.h.
 */
static void warm_up(CUstream stream)
{
	do {
		kernel(fast, spare, stream);
		CALL(cuStreamSynchronize, stream);
	} while (!told(2));
}

struct eager_function {
	CUfunction *out;
	const char *name;
};

/* In the context: all kernels, those of the program alone behind the others, and words that are 0. */
static void eager_begin(const struct eager_function *more, size_t count)
{
	U zeroes[THREADS * STEP / 4] = { 0 };
	CUmodule module;

	CALL(cuCtxSetCurrent, context);
	CALL(cuModuleLoadData, &module, client_ptx);
	CALL(cuModuleGetFunction, &slow, module, "add_one_spin_20us");
	CALL(cuModuleGetFunction, &fast, module, "add_one_spin_10us");
	for (size_t i = 0; i < count; i++)
		CALL(cuModuleGetFunction, more[i].out, module, more[i].name);
	CALL(cuMemAlloc_v2, &cells, sizeof(zeroes) + STEP);
	spare = cells + sizeof(zeroes);
	CALL(cuMemcpyHtoD_v2, cells, zeroes, sizeof(zeroes));
}

static void eager_end(void)
{
	CUcontext now = NULL;
	U x[THREADS * STEP / 4];

	CALL(cuMemcpyDtoH_v2, x, cells, sizeof(x));
	CALL(cuCtxGetCurrent, &now);
	for (int i = 0; i < THREADS; i++)
		printf("x %u %u %u %u\n", x[64 * i], x[64 * i + 16], x[64 * i + 32], x[64 * i + 48]);
	printf("current %s\n", now == context ? "yes" : "no");
}

#endif
