/*
 * kineto_made.c - rings and made-up work of GPUs in, files in the torch profiler's layout out.
 *
 *	kineto_made FOLDER RING...
 *
 * Beside each RING lies RING.gpu, a line for each piece of work, in order of begin, after a word that says
 * what it is (kernel, copy, set, graph):
 *
 *	kernel begin=1000 dur=50 device=0 stream=0x7f00 number=1 corr=257 kernel=3 graph=0 node=0
 *	       grid=132 block=128 shared=0 raw=60 off=10 estimated=0
 *	copy begin=2000 dur=10 bytes=4096 direction=2 ...      set ... bytes=64       graph ... object=1
 *
 * begin is in ns after the epoch of the ring's clock; kernel=, graph= and object= count the ring's
 * definitions of their type, from 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "tools/gpu_event.h"
#include "tools/produce.h"
#include "tools/ranks.h"
#include "tools/steps.h"

static void die(const char *what)
{
	fprintf(stderr, "kineto_made: %s\n", what);
	exit(2);
}

static uint64_t number_of(const char *line, const char *key, uint64_t other)
{
	size_t size = strlen(key);

	for (const char *at = strchr(line, ' '); at; at = strchr(at, ' '))
		if (!strncmp(++at, key, size) && at[size] == '=')
			return strtoull(at + size + 1, NULL, 0);
	return other;
}

/* Id of the ring's definition number `count` of a type; 0: none. */
static uint32_t def_number(const struct ring *ring, uint16_t type, uint64_t count)
{
	const struct vprof_def *def = NULL;

	while (count && (def = ring_def_next(ring, def)))
		if (def->type == type && !--count)
			return ring_def_id(ring, def);
	return 0;
}

static struct gpu_event read_event(const struct ring *ring, const char *line)
{
	struct gpu_event event = {
		.begin_ns = number_of(line, "begin", 0), .device = (int)number_of(line, "device", 0),
		.raw_ns = (uint32_t)number_of(line, "raw", 0), .correction_ns = (uint32_t)number_of(line, "off", 0),
		.stream = number_of(line, "stream", 0), .stream_number = (uint32_t)number_of(line, "number", 0),
		.correlation = number_of(line, "corr", 0), .node = (uint32_t)number_of(line, "node", 0),
		.graph = def_number(ring, VPROF_DEF_GRAPH, number_of(line, "graph", 0)),
		.grid = { (uint32_t)number_of(line, "grid", 1), 1, 1 },
		.block = { (uint16_t)number_of(line, "block", 128), 1, 1 },
		.shared = (uint32_t)number_of(line, "shared", 0), .bytes = number_of(line, "bytes", 0),
		.copy_kind = (int)number_of(line, "direction", 0), .estimated = (unsigned int)number_of(line, "estimated", 0),
	};

	event.end_ns = event.begin_ns + number_of(line, "dur", 0);
	event.kind = !strncmp(line, "copy", 4) ? GPU_COPY : !strncmp(line, "set", 3) ? GPU_SET :
		     !strncmp(line, "graph", 5) ? GPU_GRAPH : GPU_KERNEL;
	if (event.kind == GPU_KERNEL)
		event.object = def_number(ring, VPROF_DEF_KERNEL, number_of(line, "kernel", 0));
	if (event.kind == GPU_GRAPH)
		event.object = def_number(ring, VPROF_DEF_GRAPH, number_of(line, "object", 0));
	return event;
}

static void read_work(struct trace_process *process)
{
	struct gpu_event *events = NULL;
	char path[4096], line[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s.gpu", process->path);
	file = fopen(path, "r");
	if (!file)
		die("a ring without a .gpu beside it");
	while (fgets(line, sizeof(line), file)) {
		events = realloc(events, (process->gpu_count + 1) * sizeof(*events));
		if (!events)
			die("no memory");
		events[process->gpu_count++] = read_event(process->ring, line);
	}
	fclose(file);
	process->gpu = events;
}

static void write_rank(struct trace *trace, const struct rank *rank, const char *folder)
{
	struct steps steps = { 0 };
	struct sink sink;
	char why[512], *path = rank_path(rank, folder, "");

	for (size_t i = 0; i < trace->count; i++)
		trace->processes[i].chosen = &trace->processes[i] == rank->process;
	trace->rank = rank->number;
	if (steps_open(&steps, trace, NULL))
		die("no memory");
	trace->steps = &steps;
	if (!path || sink_open(&sink, path, SINK_PLAIN, why, sizeof(why)))
		die("the file cannot be made");
	if (produce(trace, &output_kineto, &sink, 1) || sink_close(&sink))
		die("the file cannot be written");
	steps_close(&steps);
	free(path);
}

int main(int argc, char **argv)
{
	struct trace_filter filter = { 0 };
	struct inputs inputs = { 0 };
	struct trace trace;
	struct ranks ranks;

	if (argc < 3 || inputs_collect(&inputs, "kineto_made", argc - 2, argv + 2) || inputs_open_all(&inputs) ||
	    trace_open(&trace, &inputs, &filter))
		die("usage: kineto_made FOLDER RING...");
	for (size_t i = 0; i < trace.count; i++)
		read_work(&trace.processes[i]);
	if (ranks_make(&ranks, &trace))
		die("no memory");
	trace.chosen_only = 1;
	trace.world = (uint32_t)ranks.count;
	mkdir(argv[1], 0777);
	for (size_t i = 0; i < ranks.count; i++)
		write_rank(&trace, &ranks.list[i], argv[1]);
	return 0;
}
