/*
 * cold_ask.c - what a counted question costs in a program that runs much other code between two of them.
 *
 * An interpreter runs hundreds of KiB of code between one question to the driver and the next, and
 * what of ours had been in the nearest caches, and in the processor's memory of jumps, has
 * gone. Here so much code is run before each call: blocks of 64 bytes, each of which jumps to
 * another. The call alone is timed, one of each arm in turn; figures are differences of medians.
 */
#include <string.h>
#include "tests/bench/launch.h"
#include "tests/bench/row.h"

enum { CALLS = 3000, BLOCK = 64, ADDS = 3 };
enum arm { NOTHING, DIRECT, COUNTED, DISABLED, ARMS };

static double samples[ARMS][CALLS];

#if defined(__x86_64__)
/* A walk over `count` blocks, in an order of its own. */
static void (*code_make(size_t count))(void)
{
	static const unsigned char add[] = { 0x48, 0x83, 0xc0, 0x01 };
	unsigned char *code = mmap(NULL, count * BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t *order = calloc(count, sizeof(*order));

	if (code == MAP_FAILED || !order)
		die("no memory");
	srand(1);
	for (size_t i = 0; i < count; i++)
		order[i] = i;
	for (size_t i = count - 1; i > 1; i--) {
		size_t j = 1 + (size_t)rand() % i, other = order[i];

		order[i] = order[j];
		order[j] = other;
	}
	for (size_t i = 0; i < count; i++) {
		unsigned char *p = code + order[i] * BLOCK;
		int32_t distance;

		for (int k = 0; k < ADDS; k++, p += sizeof(add))
			memcpy(p, add, sizeof(add));
		if (i + 1 == count) {
			*p = 0xc3; /* ret */
			break;
		}
		*p++ = 0xe9; /* jmp */
		distance = (int32_t)(code + order[i + 1] * BLOCK - (p + sizeof(distance)));
		memcpy(p, &distance, sizeof(distance));
	}
	free(order);
	if (mprotect(code, count * BLOCK, PROT_READ | PROT_EXEC))
		die("code may not be made here");
	return (void (*)(void))(uintptr_t)code;
}

static uint64_t one(void (*code)(void), ask_fn ask)
{
	uint64_t start;
	int device;

	code();
	start = bench_ticks_fenced();
	if (ask)
		ask(&device);
	return bench_ticks_fenced() - start;
}

static void measure(size_t kib, const ask_fn ask[ARMS], double scale)
{
	void (*code)(void) = code_make((kib << 10) / BLOCK);
	double median[ARMS];
	char text[80];

	for (size_t i = 0; i < CALLS; i++)
		for (int arm = 0; arm < ARMS; arm++) {
			set_control(arm != DISABLED);
			samples[arm][i] = (double)one(code, ask[arm]) * scale;
		}
	for (int arm = 0; arm < ARMS; arm++)
		median[arm] = bench_median(samples[arm], CALLS);
	snprintf(text, sizeof(text), "counted question, %zu KiB of code in between", kib);
	bench_info(text, median[COUNTED] - median[DIRECT], "ns", median[DIRECT] - median[NOTHING]);
	snprintf(text, sizeof(text), "question, recording off, %zu KiB of code in between", kib);
	bench_info(text, median[DISABLED] - median[DIRECT], "ns", median[DIRECT] - median[NOTHING]);
}

int main(void)
{
	ask_fn ask[ARMS] = { NULL };

	launch_setup();
	ask[DIRECT] = ask_find(&ask[COUNTED]);
	ask[DISABLED] = ask[COUNTED];
	measure(64, ask, bench_ns_per_tick());
	measure(256, ask, bench_ns_per_tick());
	return 0;
}
#else
int main(void)
{
	puts("# cold_ask: not on this processor");
	return 0;
}
#endif
