/*
 * looper.c - a process to be controlled: launches kernels, one each so many microseconds.
 *
 *	looper [GAP_US]      (0: without a pause) until it is killed; SIGTERM ends it by exit()
 *	looper idle          initialises the driver and does nothing more
 *	looper wait          launches while a second thread waits for the context, first of all
 *
 * Prints "ready" when its ring is there and its first launch is made.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "tests/safety/driver.h"

static volatile sig_atomic_t over;

static void on_term(int number)
{
	(void)number;
	over = 1;
}

static void launch(struct driver *d, CUfunction kernel)
{
	static unsigned count = 1;
	void *params[] = { &count };

	d->cuLaunchKernel(kernel, 1, 1, 1, 32, 1, 1, 0, NULL, params, NULL);
}

static void *wait_for_context(void *driver)
{
	struct driver *d = driver;

	d->cuCtxSetCurrent(d->ctx);
	d->cuCtxSynchronize();
	return NULL;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "200";
	struct timespec gap = { 0, strtol(how, NULL, 10) % 1000000 * 1000 };
	struct driver d;
	CUfunction kernel;
	pthread_t waiter;

	signal(SIGTERM, on_term);
	driver_open(&d);
	if (!strcmp(how, "idle")) {
		d.cuInit(0);
		puts("ready");
		fflush(stdout);
		pause();
		return 0;
	}
	if (driver_start(&d) || d.cuModuleGetFunction(&kernel, d.module, "loop"))
		return 1;
	launch(&d, kernel);
	if (!strcmp(how, "wait")) {
		gap.tv_nsec = 1000000;
		pthread_create(&waiter, NULL, wait_for_context, &d);
		nanosleep(&gap, NULL);
	}
	puts("ready");
	fflush(stdout);
	while (!over) {
		launch(&d, kernel);
		if (gap.tv_nsec)
			nanosleep(&gap, NULL);
	}
	return 0;
}
