/*
 * launch_cost.c - what recording adds to one cuLaunchKernel of the real driver.
 *
 *	launch_cost toggle PAIRS LAUNCHES   under the preload: recording off and on in turn
 *	launch_cost plain PAIRS LAUNCHES    whatever is loaded: no toggling
 *
 * Blocks of LAUNCHES empty kernels (fewer than the stream's queue holds, or a full
 * queue would be timed) with the GPU idle before each. Order ABBA ABBA …, so that what drifts
 * slowly cancels. Prints a line a block: arm, tab, ns a launch. The statistics are made by
 * overhead.py.
 *
 * The control word is found as an outsider finds it, through the file; its path
 * is that of the mapping that begins with the ring's magic.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "tests/gpu/driver.h"
#include "vprof/ring.h"

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int is_ring(const char *path)
{
	uint64_t magic = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, &magic, sizeof(magic)) != sizeof(magic))
		magic = 0;
	close(fd);
	return magic == VPROF_RING_MAGIC;
}

/* This process's ring, opened for writing; -1 when it has none. */
static int ring_open(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[4096], *path;
	int fd = -1;

	while (maps && fd < 0 && fgets(line, sizeof(line), maps)) {
		line[strcspn(line, "\n")] = 0;
		path = strchr(line, '/');
		if (strstr(line, " rw-s ") && path && strncmp(path, "/dev/nvidia", 11) && is_ring(path))
			fd = open(path, O_RDWR | O_CLOEXEC);
	}
	if (maps)
		fclose(maps);
	return fd;
}

static volatile struct vprof_ring_control *control_page(void)
{
	int fd = ring_open();
	struct vprof_ring_control *control;

	if (fd < 0) {
		fprintf(stderr, "launch_cost: no ring: is libvprof.so preloaded?\n");
		exit(2);
	}
	control = mmap(NULL, VPROF_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, VPROF_CONTROL_OFFSET);
	if (control == MAP_FAILED) {
		perror("launch_cost: control page");
		exit(2);
	}
	close(fd);
	return control;
}

static double block(const struct driver *d, CUfunction f, int launches)
{
	uint64_t start, end;

	DRIVER_TRY(d->cuCtxSynchronize());
	start = now_ns();
	for (int i = 0; i < launches; i++)
		DRIVER_TRY(d->cuLaunchKernel(f, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL));
	end = now_ns();
	DRIVER_TRY(d->cuCtxSynchronize());
	return (double)(end - start) / launches;
}

int main(int argc, char **argv)
{
	struct driver d;
	CUmodule module;
	CUfunction f;
	volatile struct vprof_ring_control *control = NULL;
	int pairs, launches;

	if (argc != 4 || (strcmp(argv[1], "toggle") && strcmp(argv[1], "plain"))) {
		fprintf(stderr, "usage: launch_cost toggle|plain PAIRS LAUNCHES\n");
		return 2;
	}
	pairs = atoi(argv[2]);
	launches = atoi(argv[3]);
	d = driver_open();
	driver_context(&d);
	DRIVER_TRY(d.cuModuleLoadData(&module, driver_ptx));
	DRIVER_TRY(d.cuModuleGetFunction(&f, module, "vprof_test_empty"));
	block(&d, f, launches);
	if (!strcmp(argv[1], "toggle"))
		control = control_page();
	for (int i = 0; i < 20; i++)
		block(&d, f, launches);
	for (int i = 0; i < 2 * pairs; i++) {
		int on = i % 4 == 1 || i % 4 == 2;

		if (control)
			control->word = on ? control->groups : 0;
		printf("%s\t%.2f\n", control ? (on ? "on" : "off") : "plain", block(&d, f, launches));
	}
	return 0;
}
