/*
 * led.c - a program whose kernels begin before those ahead of them end; on the fake driver or on a real one.
 *
 *	led programmatic N PAUSE a kernel, and another that may begin before it ends, and a third
 *	led busy N PAUSE         one that lets another begin after 5 of its 20 µs, which takes 30; it again, and one that waits;
 *	                           and a third. Prints whether the other begins early, and how often the one that waits does
 *	led idle N PAUSE         the same, waiting for each round
 *	led apart N PAUSE        the same as busy, and an event between
 *	led unled N PAUSE        the same, and after a quarter of them the others are launched as any
 *	led short N PAUSE        one that lets another begin after 5 of its 20 µs, which takes 2 and never waits; and a third
 *	led gone N PAUSE         N streams, made and destroyed: one that has only what could be followed, two that have none
 *	led shared N PAUSE       long ones, and another thread's kernels now and then, on the same stream
 *
 * PAUSE: µs between two rounds. What it prints at the end is eager.h's.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/gputime/eager.h"

static CUfunction first, second;

static void programmatic(long n, CUstream stream)
{
	for (long i = 0; i < n; i++) {
		kernel(first, cells, stream);
		kernel_early(second, cells + 64, stream);
		kernel(slow, cells, stream);
		CALL(cuStreamSynchronize, stream);
		if (between)
			usleep(between);
	}
}

/* Runs for n ns, and stores from when to when; on the fake driver it does what its name says. */
#define TIMED(name, first) \
	".visible .entry " name "(.param .u64 s, .param .u32 n)\n{ .reg .u64 %s, %b, %t, %d, %m; .reg .u32 %n; .reg .pred %p;\n" \
	"ld.param.u64 %s, [s]; ld.param.u32 %n, [n]; cvt.u64.u32 %m, %n; " first "mov.u64 %b, %globaltimer; st.u64 [%s], %b;\n" \
	"AGAIN: mov.u64 %t, %globaltimer; sub.u64 %d, %t, %b; setp.lt.u64 %p, %d, %m; @%p bra AGAIN;\n" \
	"st.u64 [%s+8], %t; ret; }\n"
#define LED(head, release, wait) head ".address_size 64\n" \
	TIMED("vprof_timed_trigger_5us", release) TIMED("vprof_timed_behind", "") TIMED("vprof_timed_gridwait", wait)

static CUfunction leads, follows, waits;
struct span { unsigned long long begin, end; };

static void led_load(void)
{
	CUmodule module = NULL;

	if (cu.cuModuleLoadData(&module, LED(".version 8.0\n.target sm_90\n", "griddepcontrol.launch_dependents; ", "griddepcontrol.wait; ")))
		CALL(cuModuleLoadData, &module, LED(".version 7.0\n.target sm_50\n", "", ""));
	CALL(cuModuleGetFunction, &leads, module, "vprof_timed_trigger_5us");
	CALL(cuModuleGetFunction, &follows, module, "vprof_timed_behind");
	CALL(cuModuleGetFunction, &waits, module, "vprof_timed_gridwait");
}

/* A kernel of so many ns, launched programmatically or not. */
static void timed(CUfunction function, const struct span *span, U ns, CUstream stream, int early)
{
	CUlaunchAttribute attribute = { .id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION };
	CUlaunchConfig config = {
		.gridDimX = 1, .gridDimY = 1, .gridDimZ = 1, .blockDimX = 1, .blockDimY = 1, .blockDimZ = 1,
		.hStream = stream, .attrs = &attribute, .numAttrs = (U)early,
	};

	attribute.value.programmaticStreamSerializationAllowed = 1;
	CALL(cuLaunchKernelEx, &config, function, (void *[]){ &span, &ns }, NULL);
}

static void led(const char *verb, long n, CUstream stream)
{
	long early = 0, wrong = 0, followed = *verb == 'u' ? n / 4 : n;
	int idle = !strcmp(verb, "idle"), apart = !strcmp(verb, "apart");
	struct span (*at)[4];
	CUevent event;

	led_load();
	CALL(cuEventCreate, &event, CU_EVENT_DISABLE_TIMING);
	CALL(cuMemAllocHost_v2, (void **)&at, (size_t)n * sizeof(*at));
	for (long i = 0; i < n; i++) {
		timed(leads, &at[i][0], 20000, stream, 0);
		if (apart)
			CALL(cuEventRecord, event, stream);
		timed(follows, &at[i][1], 30000, stream, i < followed);
		timed(leads, &at[i][2], 20000, stream, 0);
		timed(waits, &at[i][3], 10000, stream, i < followed);
		kernel(slow, cells, stream);
		if (idle || i % DEEP == DEEP - 1)
			CALL(cuStreamSynchronize, stream);
		if (between)
			usleep(between);
	}
	CALL(cuStreamSynchronize, stream);
	for (long i = 0; i < n; i++) {
		early += at[i][1].begin < at[i][0].end;
		wrong += at[i][3].begin < at[i][2].end || at[i][2].begin < at[i][1].end;
	}
	printf("early %s wrong %ld\n", 10 * early > 9 * followed ? "yes" : "no", wrong);
}

static void gone(long n, CUstream busy)
{
	struct span *at;
	CUstream stream;

	led_load();
	CALL(cuMemAllocHost_v2, (void **)&at, sizeof(*at));
	timed(leads, at, 20000, busy, 0);
	timed(waits, at, 10000, busy, 1);
	CALL(cuStreamSynchronize, busy);
	for (long i = 0; i < n; i++) {
		CALL(cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
		for (int j = 0; j < 8; j++) {
			if (i % 3)
				kernel(slow, cells, stream);
			else
				timed(leads, at, 20000, stream, 0);
			CALL(cuStreamSynchronize, stream);
			usleep(1000);
		}
		CALL(cuStreamDestroy_v2, stream);
	}
}

/* n times one that leads, one that may begin before it ends, and `last`. */
static void rounds(long n, CUstream stream, U ns, CUfunction next, U next_ns, CUfunction last)
{
	struct span *at;

	CALL(cuMemAllocHost_v2, (void **)&at, sizeof(*at));
	for (long i = 0; i < n; i++) {
		timed(leads, at, ns, stream, 0);
		timed(next, at, next_ns, stream, 1);
		kernel(last, cells, stream);
		if (i % DEEP == DEEP - 1)
			CALL(cuStreamSynchronize, stream);
	}
}

static void overtaken(long n, CUstream stream)
{
	led_load();
	rounds(n, stream, 20000, follows, 2000, slow);
}

struct stranger {
	CUstream stream;
	volatile int stop;
};

/* At other times in each round. */
static void *come_between(void *arg)
{
	struct stranger *s = arg;

	CALL(cuCtxSetCurrent, context);
	for (useconds_t pause = 400; !s->stop; pause = 400 + (pause + 37) % 400) {
		kernel(slow, spare, s->stream);
		usleep(pause);
	}
	return NULL;
}

static void shared(long n, CUstream stream)
{
	struct stranger s = { .stream = stream };
	pthread_t thread;

	led_load();
	pthread_create(&thread, NULL, come_between, &s);
	rounds(n, stream, 500000, waits, 500000, fast);
	s.stop = 1;
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	const struct eager_function functions[] = {
		{ &first, "add_one_first_spin_20us" }, { &second, "add_one_second_spin_10us" },
	};
	const char *verb = argc > 1 ? argv[1] : "";
	long n = argc > 2 ? atol(argv[2]) : 0;
	CUstream stream;

	between = argc > 3 ? (useconds_t)atol(argv[3]) : 0;
	if (argc < 4 || !client_open())
		return 2;
	CALL(cuDevicePrimaryCtxRetain, &context, 0);
	eager_begin(functions, 2);
	CALL(cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
	warm_up(stream);
	if (!strcmp(verb, "programmatic"))
		programmatic(n, stream);
	else if (!strcmp(verb, "gone"))
		gone(n, stream);
	else if (!strcmp(verb, "short"))
		overtaken(n, stream);
	else if (!strcmp(verb, "shared"))
		shared(n, stream);
	else
		led(verb, n, stream);
	CALL(cuCtxSynchronize);
	eager_end();
	return 0;
}
