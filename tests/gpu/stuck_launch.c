/*
 * stuck_launch.c - a program that hangs inside a launch, as a worker behind a hung kernel does.
 *
 *	stuck_launch [SECONDS]      hangs
 *	stuck_launch busy SECONDS   the same launches with nothing in their way, without end
 *
 * One kernel spins; the launches behind it fill the stream's queue (about 1024 deep)
 * until cuLaunchKernel no longer returns. A second thread sees that no launch has returned
 * for a second, prints "STUCK pid=P launches=N", and lets go when stdin ends or SECONDS
 * (default 120, the spinning kernel's own limit too) have passed. Exit code 0 when the
 * stuck call came back then, 1 when nothing ever got stuck. `busy` prints "BUSY pid=P" once it
 * has launched for a tenth of a second, "LAUNCHED" at the end, and exits with 0.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include "tests/gpu/driver.h"

enum { LAUNCHES_MAX = 1000000, TICK_MS = 100, STILL_TICKS = 10 };

static atomic_long launched;  /* main thread -> watcher: launches that returned */
static atomic_int released;   /* watcher -> main thread: stop launching */
static atomic_int was_stuck;  /* likewise: it did get stuck */
static volatile uint32_t *spin_flag; /* watcher -> GPU */
static int seconds = 120;
static int busy;

static int input_ended(int wait_ms)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char c;

	return poll(&in, 1, wait_ms) > 0 && read(STDIN_FILENO, &c, 1) <= 0;
}

static void *watch(void *unused)
{
	long last = -1;
	int still = 0;

	for (int ticks = 0; ticks < seconds * 1000 / TICK_MS; ticks++) {
		long now = atomic_load(&launched);

		still = now == last ? still + 1 : 0;
		last = now;
		if (busy && ticks == 1) {
			printf("BUSY pid=%d\n", (int)getpid());
			fflush(stdout);
		}
		if (still == STILL_TICKS && now) {
			atomic_store(&was_stuck, 1);
			printf("STUCK pid=%d launches=%ld\n", (int)getpid(), now);
			fflush(stdout);
		}
		if ((busy || atomic_load(&was_stuck)) && input_ended(0))
			break;
		usleep(TICK_MS * 1000);
	}
	atomic_store(&released, 1);
	*spin_flag = 1;
	return unused;
}

int main(int argc, char **argv)
{
	struct driver d = driver_open();
	CUfunction spin, waiting;
	CUmodule module;
	pthread_t watcher;
	uint64_t flag, limit_ns;
	void *params[] = { &flag, &limit_ns }, *page;

	busy = argc > 2 && !strcmp(argv[1], "busy");
	if (argc > 1)
		seconds = atoi(argv[argc - 1]);
	driver_context(&d);
	DRIVER_TRY(d.cuModuleLoadData(&module, driver_ptx));
	DRIVER_TRY(d.cuModuleGetFunction(&spin, module, "vprof_test_spin"));
	DRIVER_TRY(d.cuModuleGetFunction(&waiting, module, "vprof_test_waiting"));
	DRIVER_TRY(d.cuMemHostAlloc(&page, 4096, 0));
	spin_flag = page;
	*spin_flag = 0;
	flag = (uintptr_t)page;
	limit_ns = (uint64_t)seconds * 1000000000u;
	if (!busy)
		DRIVER_TRY(d.cuLaunchKernel(spin, 1, 1, 1, 1, 1, 1, 0, NULL, params, NULL));
	if (pthread_create(&watcher, NULL, watch, NULL))
		return 2;
	while (!atomic_load(&released) && (busy || atomic_load(&launched) < LAUNCHES_MAX)) {
		DRIVER_TRY(d.cuLaunchKernel(waiting, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL));
		atomic_fetch_add(&launched, 1);
	}
	*spin_flag = 1;
	DRIVER_TRY(d.cuCtxSynchronize());
	printf("%s after %ld launches\n", busy ? "LAUNCHED" : atomic_load(&was_stuck) ? "RELEASED" : "NEVER STUCK",
	       atomic_load(&launched));
	return !busy && !atomic_load(&was_stuck);
}
