/*
 * control_page.h - the control page of the ring of the process that asks, found as an outsider finds
 * it: through the file, whose path is that of the mapping that begins with the ring's magic.
 */
#ifndef TESTS_GPU_CONTROL_PAGE_H
#define TESTS_GPU_CONTROL_PAGE_H

#include <fcntl.h>
#include <linux/futex.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "vprof/ring.h"

static inline int control_is_ring(const char *path)
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
static inline int control_ring_open(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[4096], *path;
	int fd = -1;

	while (maps && fd < 0 && fgets(line, sizeof(line), maps)) {
		line[strcspn(line, "\n")] = 0;
		path = strchr(line, '/');
		if (strstr(line, " rw-s ") && path && strncmp(path, "/dev/nvidia", 11) && control_is_ring(path))
			fd = open(path, O_RDWR | O_CLOEXEC);
	}
	if (maps)
		fclose(maps);
	return fd;
}

/* Ends the program, with a message, where there is no ring. */
static inline volatile struct vprof_ring_control *control_page(const char *program)
{
	struct vprof_ring_control *control;
	int fd = control_ring_open();

	if (fd < 0) {
		fprintf(stderr, "%s: no ring: is libvprof.so preloaded?\n", program);
		exit(2);
	}
	control = mmap(NULL, VPROF_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, VPROF_CONTROL_OFFSET);
	close(fd);
	if (control == MAP_FAILED) {
		perror("control page");
		exit(2);
	}
	return control;
}

/* How many launches get stamps. Housekeeping, which may sleep for a second, is woken. */
static inline void control_set_gpu(volatile struct vprof_ring_control *control, uint32_t gpu)
{
	control->gpu = gpu;
	syscall(SYS_futex, &control->doorbell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

#endif
