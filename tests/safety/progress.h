/*
 * progress.h - the truth that launcher.c leaves behind and ring_check.c holds a ring against.
 */
#ifndef TESTS_SAFETY_PROGRESS_H
#define TESTS_SAFETY_PROGRESS_H

#include <stdint.h>

enum { PROGRESS_THREADS = 16, PROGRESS_KERNELS = 512 };

#define PROGRESS_NAME "safety_%u" /* of kernel K */

struct progress_thread {
	uint64_t begun, ended; /* number of the call made last, and of the one that returned last */
	uint64_t spare[6];     /* a cache line of its own */
};

struct progress {
	uint32_t pid, threads, kernels;
	uint32_t started;      /* 1: the threads are about to begin */
	uint64_t launches;     /* of each thread; 0: no end */
	uint64_t failures;
	struct progress_thread thread[PROGRESS_THREADS] __attribute__((aligned(64)));
};

#endif
