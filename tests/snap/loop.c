/*
 * loop.c - a program with steps: results are copied to the host and waited for in each.
 *
 *	loop STEPS STEP_MS SLOW_AT SLOW_MS PAUSE_MS
 *
 * Each step copies to the device, launches 8 kernels, waits STEP_MS (step SLOW_AT and every SLOW_AT steps behind it:
 * SLOW_MS; 0: none is slow), copies a result to the host. After all steps it pauses, and does one more.
 */
#include <time.h>
#include "tests/safety/driver.h"

static struct driver driver;
static CUfunction kernel;
static CUdeviceptr memory;

static int pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	return nanosleep(&t, NULL);
}

static void step(long ms)
{
	int value = 0;

	driver.cuMemcpyHtoD_v2(memory, &value, sizeof(value));
	for (unsigned i = 0; i < 8; i++)
		driver_launch(&driver, kernel, i + 1, 1);
	pause_ms(ms);
	driver.cuMemcpyDtoH_v2(&value, memory, sizeof(value));
}

int main(int argc, char **argv)
{
	long arg[5];

	if (argc != 6) {
		fprintf(stderr, "usage: loop STEPS STEP_MS SLOW_AT SLOW_MS PAUSE_MS\n");
		return 2;
	}
	for (int i = 0; i < 5; i++)
		arg[i] = atol(argv[i + 1]);
	driver_open(&driver);
	if (driver_start(&driver) || driver.cuModuleGetFunction(&kernel, driver.module, "step_kernel") ||
	    driver.cuMemAlloc_v2(&memory, 4096))
		return 3;
	for (long n = 1; n <= arg[0]; n++)
		step(arg[2] && n % arg[2] == 0 ? arg[3] : arg[1]);
	pause_ms(arg[4]);
	step(arg[1]);
	return 0;
}
