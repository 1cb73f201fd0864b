/*
 * cold_cost.c - what a launch costs in a program that does much else between two of them.
 *
 * record_cost.c calls in a loop, where all of ours is in the nearest cache. Here so many bytes are
 * read before each call, and as many of code are run where a row says so, and the call alone is timed, one of each
 * arm in turn:
 *   nothing   what timing itself takes
 *   anchor    two reads of the tick counter and one 64-byte store to the next line of a large buffer
 *   direct    the driver's own cuLaunchKernel
 *   recorded  the wrapper, control word on
 *   disabled  the wrapper, control word off
 * Figures are differences of medians: anchor - nothing, recorded - direct, disabled - direct.
 */
#include <string.h>
#include "tests/bench/launch.h"
#include "tests/bench/row.h"

enum { CALLS = 3000, ANCHOR_BYTES = 64 << 20, CODE_BYTES = 1 << 20 };
enum arm { NOTHING, ANCHOR, DIRECT, RECORDED, DISABLED, ARMS };

static double samples[ARMS][CALLS];
static uint64_t *anchor_buffer;
static char *walked;
static void (*run)(void);

/* A function that goes through so many bytes, a jump in each line. */
static void (*make_code(size_t bytes))(void)
{
	unsigned char *code = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (code == MAP_FAILED)
		die("no memory for code");
#if defined(__x86_64__)
	for (size_t k = 0; k < bytes; k += 64)
		memcpy(code + k, "\xeb\x3e", 2);
	code[bytes - 64] = 0xc3;
#else
	for (size_t k = 0; k < bytes; k += 64)
		*(uint32_t *)(void *)(code + k) = 0x14000010;
	*(uint32_t *)(void *)(code + bytes - 64) = 0xd65f03c0;
#endif
	__builtin___clear_cache((char *)code, (char *)code + bytes);
	if (mprotect(code, bytes, PROT_READ | PROT_EXEC))
		die("code cannot be made executable");
	return (void (*)(void))code;
}

static uint64_t one(enum arm arm, size_t i, size_t bytes)
{
	void *params[1] = { NULL };
	launch_fn launch = arm == DIRECT ? direct : wrapped;
	volatile char sum = 0;
	uint64_t start;

	set_control(arm == RECORDED);
	for (size_t k = 0; k < bytes; k += 64)
		sum += walked[k];
	(void)sum;
	if (run)
		run();
	start = bench_ticks_fenced();
	if (arm == ANCHOR)
		bench_anchor(anchor_buffer, ANCHOR_BYTES / 64, i);
	else if (arm != NOTHING)
		launch(function, 1, 2, 3, 4, 5, 6, 0, NULL, params, NULL);
	return bench_ticks_fenced() - start;
}

static void measure(size_t bytes, const char *name, double scale)
{
	char text[80];
	double median[ARMS];

	for (size_t i = 0; i < CALLS; i++)
		for (int arm = 0; arm < ARMS; arm++)
			samples[arm][i] = (double)one((enum arm)arm, i, bytes) * scale;
	for (int arm = 0; arm < ARMS; arm++)
		median[arm] = bench_median(samples[arm], CALLS);
	snprintf(text, sizeof(text), "recorded launch, %s in between", name);
	bench_info(text, median[RECORDED] - median[DIRECT], "ns", median[ANCHOR] - median[NOTHING]);
	snprintf(text, sizeof(text), "disabled hook, %s in between", name);
	bench_info(text, median[DISABLED] - median[DIRECT], "ns", median[ANCHOR] - median[NOTHING]);
}

int main(void)
{
	launch_setup();
	anchor_buffer = aligned_alloc(64, ANCHOR_BYTES);
	memset(anchor_buffer, 1, ANCHOR_BYTES);
	walked = aligned_alloc(64, 4 << 20);
	memset(walked, 1, 4 << 20);
	measure(1 << 20, "1 MiB read", bench_ns_per_tick());
	measure(3 << 20, "3 MiB read", bench_ns_per_tick());
	run = make_code(CODE_BYTES);
	measure(1 << 20, "1 MiB read, 1 MiB of code run", bench_ns_per_tick());
	measure(3 << 20, "3 MiB read, 1 MiB of code run", bench_ns_per_tick());
	return 0;
}
