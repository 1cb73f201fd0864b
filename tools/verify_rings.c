/*
 * verify_rings.c - reads what the library measured of the GPU in the run under vprof.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/gpu.h"
#include "tools/inputs.h"
#include "tools/recorded.h"
#include "tools/verify_read.h"

struct reading {
	struct verify *verify;
	struct verify_source *source;
	const struct ring *ring;
	uint32_t process;
};

static int name_of(struct reading *reading, const struct gpu_event *event, uint32_t *name)
{
	const struct vprof_def_kernel *kernel;
	char bytes[24];

	if (event->kind == GPU_KERNEL) {
		kernel = ring_def(reading->ring, event->object, VPROF_DEF_KERNEL);
		return verify_name(reading->verify, kernel && *kernel->name ? kernel->name : "?", name);
	}
	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)event->bytes);
	return verify_name(reading->verify, bytes, name);
}

static uint32_t graph_number(const struct reading *reading, const struct gpu_event *event)
{
	const struct vprof_def_graph *graph =
		event->graph ? ring_def(reading->ring, event->graph, VPROF_DEF_GRAPH) : NULL;

	return graph ? graph->number : 0;
}

static int add_event(struct reading *reading, const struct gpu_event *event)
{
	static const int kinds[] = { [GPU_KERNEL] = VERIFY_KERNEL, [GPU_COPY] = VERIFY_COPY, [GPU_SET] = VERIFY_SET };
	struct verify_op op = {
		.start_ns = event->begin_ns, .ns = event->end_ns - event->begin_ns, .taken_off = event->correction_ns,
		.class = (uint16_t)event->class, .process = reading->process,
	};
	int error;

	if ((size_t)event->kind >= sizeof(kinds) / sizeof(kinds[0]) || event->estimated)
		return 0;
	op.kind = (uint16_t)kinds[event->kind];
	op.graph = graph_number(reading, event);
	for (int i = 0; i < 3; i++) {
		op.shape.grid[i] = event->grid[i];
		op.shape.block[i] = event->block[i];
	}
	error = name_of(reading, event, &op.name);
	if (!error)
		error = verify_add(reading->verify, VERIFY_VPROF, &op);
	reading->source->executions += !error;
	return error;
}

/* Why there are no times, as far as the ring says; the first reason holds for all. */
static void note_reason(struct verify_source *source, const struct gpu *gpu)
{
	for (uint32_t i = 0; i < gpu->device_count && !*source->error; i++) {
		const struct gpu_device *device = &gpu->devices[i];

		for (uint32_t c = 0; c < device->cost_count; c++)
			if (device->costs[c]->mode == VPROF_STAMPS_NONE)
				snprintf(source->error, sizeof(source->error),
					 "GPU %d has no stamps, the driver's error being %u", device->ordinal,
					 device->costs[c]->error);
	}
	for (uint32_t i = 0; i < gpu->twin_count && !*source->error; i++)
		if (gpu->twins[i].def->why != VPROF_TWIN_BUILT)
			snprintf(source->error, sizeof(source->error), "a graph has no stamps: %s",
				 gpu_why_text(gpu->twins[i].def->why));
}

static int read_ring(struct reading *reading, const struct clock *clock)
{
	struct verify_ops *ops = &reading->verify->ops[VERIFY_VPROF];
	struct gpu_batch batch;
	struct gpu gpu;
	int error = gpu_open(&gpu, reading->ring, clock), more = 0;

	if (error)
		return error;
	while (!error && (more = gpu_next(&gpu, &batch)) > 0)
		for (uint32_t i = 0; i < batch.count && !error; i++)
			error = add_event(reading, &batch.events[i]);
	ops->lost += gpu.counts.no_stamp + gpu.counts.backwards + gpu.counts.untrue + reading->ring->live.loss[VPROF_LOSS_STAMPS];
	note_reason(reading->source, &gpu);
	gpu_close(&gpu);
	return error ? error : more;
}

/* How many there are, read or not, and what they launched. */
static int count_rings(struct verify_source *source, const char *folder)
{
	struct run_folder run = { .real = (char *)folder };
	struct recorded recorded;
	int error = recorded_count(&recorded, &run);

	if (error)
		return error;
	source->processes = recorded.processes + recorded.unreadable;
	source->launches = recorded.launches + recorded.graph_launches;
	return 0;
}

int verify_read_rings(struct verify *verify, struct verify_source *source, const char *folder, const char *program)
{
	struct reading reading = { .verify = verify, .source = source };
	struct inputs inputs = { 0 };
	char *word = (char *)folder;
	int error;

	*source = (struct verify_source){ 0 };
	error = count_rings(source, folder);
	if (error)
		fprintf(stderr, "%s: %s: %s\n", program, folder, strerror(-error));
	if (error || !source->processes)
		return error;
	error = inputs_collect(&inputs, verify->reread ? NULL : program, 1, &word);
	if (!error)
		error = inputs_open_all(&inputs);
	for (size_t i = 0; i < inputs.count && !error; i++) {
		reading.ring = &inputs.list[i].ring;
		reading.process = (uint32_t)i;
		error = read_ring(&reading, &inputs.list[i].clock);
		if (error)
			fprintf(stderr, "%s: %s: %s\n", program, inputs.list[i].path, strerror(-error));
	}
	inputs_close(&inputs);
	return error;
}
