/*
 * launcher.c - launches kernels from several threads and keeps the truth about it.
 *
 *	launcher PROGRESS THREADS LAUNCHES KERNELS
 *
 * Launch number n (from 1) of thread t (from 1) is kernel "safety_K" with K = n % KERNELS,
 * grid (n, t, 1): every record says which call it is. PROGRESS is a file that is mapped
 * and outlives a kill; a thread stores n in `begun` before call n and in `ended` after
 * it has returned. LAUNCHES 0: until killed. Before the first, some memory is taken and
 * given back, and the profiler started, with which recording begins where VPROF_CAPTURE says so.
 *
 * The threads begin together, and none ends before all are done: each keeps its lane.
 * Exit status 0: every call succeeded. It dies by itself after ten minutes.
 */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tests/safety/driver.h"
#include "tests/safety/progress.h"

static struct driver driver;
static struct progress *progress;
static CUfunction functions[PROGRESS_KERNELS];
static pthread_barrier_t together;

static void *work(void *number)
{
	unsigned t = (unsigned)(uintptr_t)number;
	struct progress_thread *mine = &progress->thread[t - 1];

	driver.cuCtxSetCurrent(driver.ctx);
	pthread_barrier_wait(&together);
	for (uint64_t n = 1; !progress->launches || n <= progress->launches; n++) {
		__atomic_store_n(&mine->begun, n, __ATOMIC_RELEASE);
		if (driver_launch(&driver, functions[n % progress->kernels], (unsigned)n, t))
			__atomic_add_fetch(&progress->failures, 1, __ATOMIC_RELAXED);
		/* Pairs with the reader in ring_check.c, after this process is dead. */
		__atomic_store_n(&mine->ended, n, __ATOMIC_RELEASE);
	}
	pthread_barrier_wait(&together);
	return NULL;
}

static struct progress *progress_map(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct progress *p;

	if (fd < 0 || ftruncate(fd, sizeof(*p)))
		return NULL;
	p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

int main(int argc, char **argv)
{
	pthread_t threads[PROGRESS_THREADS];
	CUdeviceptr memory;
	char name[32];

	if (argc != 5 || !(progress = progress_map(argv[1]))) {
		fprintf(stderr, "usage: launcher PROGRESS THREADS LAUNCHES KERNELS\n");
		return 2;
	}
	alarm(600);
	progress->pid = (uint32_t)getpid();
	progress->threads = (uint32_t)atoi(argv[2]);
	progress->launches = (uint64_t)atoll(argv[3]);
	progress->kernels = (uint32_t)atoi(argv[4]);
	driver_open(&driver);
	if (progress->threads > PROGRESS_THREADS || progress->kernels > PROGRESS_KERNELS || driver_start(&driver))
		return 3;
	for (unsigned i = 0; i < progress->kernels; i++) {
		snprintf(name, sizeof(name), PROGRESS_NAME, i);
		if (driver.cuModuleGetFunction(&functions[i], driver.module, name))
			return 4;
	}
	if (driver.cuMemAlloc_v2(&memory, 4096) || driver.cuMemFree_v2(memory) || driver.cuProfilerStart())
		return 6;
	pthread_barrier_init(&together, NULL, progress->threads);
	__atomic_store_n(&progress->started, 1, __ATOMIC_RELEASE);
	for (unsigned t = 0; t < progress->threads; t++)
		if (pthread_create(&threads[t], NULL, work, (void *)(uintptr_t)(t + 1)))
			return 5;
	for (unsigned t = 0; t < progress->threads; t++)
		pthread_join(threads[t], NULL);
	return progress->failures ? 1 : 0;
}
