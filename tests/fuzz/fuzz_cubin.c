/*
 * fuzz_cubin.c - any bytes as a cubin, a fatbin or a program, through all that reads one.
 *
 * A libFuzzer target, as fuzz_ring.c. What a kernel names must be a string, and its parameters in
 * order.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tools/cubin.h"
#include "tools/images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile size_t seen;

static void use_kernel(const struct cubin *cubin, const struct cubin_kernel *kernel)
{
	seen += strlen(kernel->name);
	for (uint32_t i = 1; i < kernel->param_count; i++)
		if (kernel->params[i].ordinal <= kernel->params[i - 1].ordinal)
			abort();
	if (!cubin_find(cubin, kernel->name))
		abort();
}

static void use_strings(const struct cubin *cubin)
{
	const char *const strings[] = { cubin->tool, cubin->version, cubin->build, cubin->options };
	char version[32];

	for (size_t i = 0; i < 4; i++)
		seen += strings[i] ? strlen(strings[i]) : 0;
	for (size_t i = 0; i < cubin->section_count; i++)
		seen += strlen(cubin->sections[i].name);
	cubin_tool_version(cubin, version, sizeof(version));
}

static int see(void *context, const struct image *image)
{
	struct cubin cubin;
	char why[160];

	(void)context;
	if (!image->bytes || cubin_read(&cubin, image->bytes, image->size, why, sizeof(why)))
		return 0;
	for (size_t i = 0; i < cubin.kernel_count; i++)
		use_kernel(&cubin, &cubin.kernels[i]);
	use_strings(&cubin);
	cubin_free(&cubin);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[64];
	static int file = -1;
	char why[160];

	if (file < 0) {
		file = memfd_create("fuzz", MFD_CLOEXEC);
		if (file < 0)
			abort();
		snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	}
	if (ftruncate(file, 0) || pwrite(file, data, size, 0) != (ssize_t)size)
		return 0;
	images_each(path, see, NULL, why, sizeof(why));
	return 0;
}
