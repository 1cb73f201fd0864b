/*
 * kernels_saved.c - facts of kernels from the cubins that lie beside a ring.
 *
 * A file is read once, for all kernels of its module. Of a fatbin the cubin for the kernel's
 * device is taken: the same generation, the newest that the device can run. The reader of rings has seen
 * to it that no name leads out of the folder.
 */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/images.h"
#include "tools/kernels_inner.h"

struct reading {
	struct kernel_row *rows;
	size_t count;
	const struct vprof_def_module *module;
	uint32_t *sm;          /* of the cubin that a row's facts come from, by row; 0: none yet */
	int error;
	int damaged;
};

static char *beside(const char *path, const char *name)
{
	char *copy = strdup(path), *result = NULL;

	if (!copy || asprintf(&result, "%s/%s", dirname(copy), name) < 0)
		result = NULL;
	free(copy);
	if (result && access(result, R_OK)) {
		free(result);
		return NULL;
	}
	return result;
}

/* NULL: no such file, or no memory. */
static char *saved_path(const struct trace_process *process, const char *name)
{
	char *path = beside(process->path, name);

	if (!path && process->ring->header.link[0])
		path = beside(process->ring->header.link, name);
	return path;
}

/* Can the row's device run this cubin, and is it better than what there is? */
static int is_better(const struct kernel_row *row, uint32_t sm, uint32_t before)
{
	uint32_t device = row->device ? row->device->major * 10u + row->device->minor : 0;

	if (device && (sm / 10 != device / 10 || sm > device))
		return 0;
	return sm > before;
}

static int take_params(struct kernel_row *row, const struct cubin_kernel *kernel)
{
	struct cubin_param *params = malloc((kernel->param_count + 1) * sizeof(*params));

	if (!params)
		return -ENOMEM;
	if (kernel->param_count)
		memcpy(params, kernel->params, kernel->param_count * sizeof(*params));
	free(row->params);
	row->params = params;
	row->params_known = row->facts.param_count = kernel->param_count;
	row->facts.param_bytes = kernel->param_bytes;
	return 0;
}

/* What the driver did not say. Without a limit of its own a kernel has the device's. */
static int take_kernel(struct kernel_row *row, const struct cubin *cubin, const struct cubin_kernel *kernel)
{
	struct vprof_def_facts *facts = &row->facts;
	uint64_t threads = 1;

	if (facts->param_count == UINT32_MAX || row->source == KERNEL_FROM_CUBIN)
		if (take_params(row, kernel))
			return -ENOMEM;
	if (row->source == KERNEL_FROM_DRIVER)
		return 0;
	for (int i = 0; i < 3; i++)
		threads *= kernel->threads[i] && threads < UINT32_MAX ? kernel->threads[i] : 1;
	if (!kernel->threads[0])
		threads = row->device ? row->device->threads_per_block : 0;
	facts->registers = kernel->registers;
	facts->shared_static = kernel->shared;
	facts->local = kernel->local;
	facts->constant = cubin->constant;
	facts->threads_most = threads < UINT32_MAX ? (uint32_t)threads : UINT32_MAX;
	facts->ptx = 0;
	facts->binary = (uint16_t)cubin->sm;
	facts->valid = 1;
	row->source = KERNEL_FROM_CUBIN;
	return 0;
}

static int see_image(void *context, const struct image *image)
{
	struct reading *reading = context;
	struct cubin cubin;
	char why[160];

	if (image->kind != IMAGE_CUBIN)
		return 0;
	if (!image->bytes || cubin_read(&cubin, image->bytes, image->size, why, sizeof(why))) {
		reading->damaged = 1;
		return 0;
	}
	for (size_t i = 0; i < reading->count && !reading->error; i++) {
		struct kernel_row *row = &reading->rows[i];
		const struct cubin_kernel *kernel;

		if (row->module != reading->module || !is_better(row, cubin.sm, reading->sm[i]))
			continue;
		kernel = cubin_find(&cubin, row->def->name);
		if (!kernel)
			continue;
		reading->sm[i] = cubin.sm;
		reading->error = take_kernel(row, &cubin, kernel);
	}
	cubin_free(&cubin);
	return reading->error;
}

/* Is there a kernel of this module of which something is missing, and can the file have it? */
static int wants_saved(const struct kernel_row *rows, size_t count, const struct vprof_def_module *module)
{
	if (!module || (module->image != VPROF_IMAGE_CUBIN && module->image != VPROF_IMAGE_FATBIN))
		return 0;
	for (size_t i = 0; i < count; i++)
		if (rows[i].module == module &&
		    (rows[i].source != KERNEL_FROM_DRIVER || rows[i].facts.param_count == UINT32_MAX))
			return 1;
	return 0;
}

static int read_file(struct kernels *kernels, struct reading *reading, const char *name)
{
	char *path = saved_path(reading->rows->process, name);
	char why[160];

	memset(reading->sm, 0, reading->count * sizeof(*reading->sm));
	reading->damaged = !path;
	if (path && images_each(path, see_image, reading, why, sizeof(why)))
		reading->damaged = 1;
	kernels->saved_failed += (uint64_t)reading->damaged;
	free(path);
	return reading->error;
}

int kernels_read_saved(struct kernels *kernels, struct kernel_row *rows, size_t count)
{
	const struct ring *ring = rows->process->ring;
	struct reading reading = { .rows = rows, .count = count };
	const struct vprof_def *def = NULL;
	int error = 0;

	reading.sm = calloc(count, sizeof(*reading.sm));
	if (!reading.sm)
		return -ENOMEM;
	while (!error && (def = ring_def_next(ring, def))) {
		const struct vprof_def_saved *saved = (const void *)def;

		if (def->type != VPROF_DEF_SAVED)
			continue;
		reading.module = ring_def(ring, saved->module, VPROF_DEF_MODULE);
		if (wants_saved(rows, count, reading.module))
			error = read_file(kernels, &reading, saved->name);
	}
	free(reading.sm);
	return error;
}
