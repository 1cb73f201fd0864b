/*
 * list.c - prints what a ring tells of the GPU, an event a line, in the form of made.py's truth, with
 * the class and the correlation behind it; then a line of counts.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "tools/gpu.h"

static void print_event(const struct gpu *gpu, const struct gpu_batch *batch, const struct gpu_event *event)
{
	static const char *const kinds[] = { "kernel", "copy", "set", "graph", "other" };
	const struct vprof_def_kernel *kernel = event->kind == GPU_KERNEL ?
		ring_def(gpu->ring, event->object, VPROF_DEF_KERNEL) : NULL;
	const struct vprof_def_graph *graph = ring_def(gpu->ring, event->graph, VPROF_DEF_GRAPH);

	printf("%s\t%s\t%u\t%d\t%" PRIu64 "\t%" PRIu64 "\t%u\t%" PRIu64 "\t%u\t%s\t%d\t%u\t%u\t%" PRIu64 "\n",
	       kinds[event->kind], kernel ? kernel->name : "", graph ? graph->number : 0, (int)event->node,
	       event->begin_ns, event->end_ns, event->raw_ns, batch->t0, event->overlapped, gpu_class_name(event->class),
	       event->correlation != 0, event->stream_number, event->grid[0], event->bytes);
}

static int list_all(struct gpu *gpu)
{
	struct gpu_batch batch;
	int more;

	while ((more = gpu_next(gpu, &batch)) > 0)
		for (uint32_t i = 0; i < batch.count; i++)
			print_event(gpu, &batch, &batch.events[i]);
	return more;
}

static void print_counts(const struct gpu *gpu)
{
	const struct gpu_counts *n = &gpu->counts;

	printf("counts replays=%" PRIu64 " timed=%" PRIu64 " ties=%" PRIu64 " events=%" PRIu64 " no_stamp=%" PRIu64
	       " backwards=%" PRIu64 " untrue=%" PRIu64 " no_nodes=%" PRIu64 " no_launch=%" PRIu64 " early=%" PRIu64 " early_ns=%" PRIu64
	       " bad=%" PRIu64 "\n", n->replays, n->timed, n->ties, n->events, n->no_stamp, n->backwards, n->untrue, n->no_nodes,
	       n->no_launch, n->early, n->early_ns, gpu->bad_twins);
	for (uint32_t i = 0; i < gpu->device_count; i++)
		printf("clock device=%d error=%" PRIu64 " lines=%u ties=%u drift=%.3f\n", gpu->devices[i].ordinal,
		       gpu->devices[i].clock.error_ns, gpu->devices[i].clock.lines, gpu->devices[i].clock.ties,
		       1e6 * gpu->devices[i].clock.drift);
}

int main(int argc, char **argv)
{
	struct clock clock;
	struct ring ring;
	struct gpu gpu;
	char why[256];
	int error;

	if (argc != 2 || ring_open(&ring, argv[1], why, sizeof(why))) {
		fprintf(stderr, "%s\n", argc == 2 ? why : "usage: list RING");
		return 2;
	}
	error = clock_build(&clock, &ring);
	if (!error)
		error = gpu_open(&gpu, &ring, &clock);
	if (!error) {
		error = list_all(&gpu);
		print_counts(&gpu);
		gpu_close(&gpu);
	}
	if (error)
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-error));
	clock_free(&clock);
	ring_close(&ring);
	return error != 0;
}
