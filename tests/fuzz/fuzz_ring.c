/*
 * fuzz_ring.c - any bytes as a ring file, through all that the readers do with one.
 *
 * A libFuzzer target: built with clang -fsanitize=fuzzer,address,undefined. Each input
 * becomes a memory file that is opened like any other ring, and goes through dump, info, top,
 * merge and the Chrome output. To add the next layer, call it in use_ring().
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tools/clock.h"
#include "tools/memory_print.h"
#include "tools/merge.h"
#include "tools/dump.h"
#include "tools/gpu_busy.h"
#include "tools/gpu_estimate.h"
#include "tools/gpu_top.h"
#include "tools/graph_report.h"
#include "tools/info.h"
#include "tools/kernels.h"
#include "tools/produce.h"
#include "tools/ps.h"
#include "tools/records.h"
#include "tools/steps.h"
#include "tools/top.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file = -1;
static FILE *nowhere;
static char path[64];

static void prepare(void)
{
	if (file >= 0)
		return;
	file = memfd_create("fuzz", MFD_CLOEXEC);
	nowhere = fopen("/dev/null", "w");
	if (file < 0 || !nowhere)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
}

static void use_records(struct input *input)
{
	struct dump_ring dump = { &input->ring, &input->clock, 0, 0 };
	struct records *records = records_open(&input->ring);
	struct record record;

	while (records && records_next(records, &record) > 0) {
		dump_text(&dump, nowhere, &record, 0);
		dump_json(&dump, nowhere, &record, 0);
	}
	if (records)
		records_close(records);
	dump_lanes(&dump, nowhere, 0);
	dump_defs(&dump, nowhere, 1);
}

static void use_top(struct trace *trace)
{
	struct top top;

	for (int by_range = 0; by_range < 2; by_range++) {
		top_count(&top, trace, by_range);
		top_free(&top);
	}
}

static void use_graphs(struct trace *trace)
{
	struct graph_style style = { .nodes = 1 };
	struct graph_report report;

	if (graph_report_make(&report, trace, &trace->processes[0]))
		return;
	graph_report_text(&report, nowhere, &style);
	graph_report_json(&report, nowhere, &style);
	graph_report_free(&report);
}

/* What a GPU did ends after it began, as long as it is said to have taken. */
static void check_batch(const struct gpu_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++)
		if (batch->events[i].end_ns < batch->events[i].begin_ns ||
		    batch->events[i].correction_ns > (int64_t)batch->events[i].raw_ns)
			abort();
}

static void use_gpu(const struct input *input)
{
	struct gpu_estimate *estimate;
	struct gpu_batch batch;
	struct gpu gpu;

	if (gpu_open(&gpu, &input->ring, &input->clock))
		return;
	estimate = gpu_estimate_open(&gpu);
	while (gpu_next(&gpu, &batch) > 0) {
		check_batch(&batch);
		if (estimate)
			gpu_estimate_learn(estimate, &batch);
	}
	while (estimate && gpu_estimate_next(estimate, &batch) > 0)
		check_batch(&batch);
	if (estimate)
		gpu_estimate_close(estimate);
	gpu_close(&gpu);
}

static void use_gpu_sums(struct trace *trace)
{
	static const enum gpu_top_per pers[] = { GPU_TOP_ALL, GPU_TOP_STREAM, GPU_TOP_STEP };
	struct gpu_busy_list busy;
	struct gpu_top top;

	if (!gpu_top_has(trace))
		return;
	for (size_t i = 0; i < sizeof(pers) / sizeof(pers[0]); i++) {
		gpu_top_make(&top, trace, pers[i]);
		gpu_top_free(&top);
	}
	gpu_busy_make(&busy, trace, 7);
	gpu_busy_free(&busy);
}

static void use_kernels(struct trace *trace)
{
	static const struct kernels_style all = { .all = 1 };
	struct kernels kernels;

	kernels_count(&kernels, trace, &all);
	kernels_free(&kernels);
}

/* A step ends after it began, in a class that there is. */
static void use_steps(struct trace *trace)
{
	struct steps steps;

	if (!steps_find(&steps, trace, NULL))
		for (size_t i = 0; i < steps.count; i++)
			if (steps.list[i].found.end < steps.list[i].found.begin || steps.list[i].class >= steps.class_count)
				abort();
	steps_close(&steps);
}

static void use_memory(struct trace *trace)
{
	static const struct memory_options options[] = {
		{ .each = 1, .all = 1 }, { .rows = 3, .at = { .ns = 1000, .given = 1 } },
	};

	for (int i = 0; i < 2; i++) {
		struct memory_findings found = { 0 };
		struct memory_choice held = { .each = options[i].each, .all = options[i].all };
		struct memory_choice ended = { .by_context = 1 };
		struct memory_view view;

		memory_view_make(&view, trace, &trace->processes[0], &options[i]);
		held.ticks = view.ticks;
		if (!memory_past_make(&found.past, trace->processes[0].ring) &&
		    !memory_groups_make(&found.held, &found.past, &held) &&
		    !memory_groups_make(&found.ended, &found.past, &ended)) {
			memory_text(&view, &found, nowhere);
			memory_json(&view, &found, nowhere);
		}
		memory_groups_free(&found.ended);
		memory_groups_free(&found.held);
		memory_past_free(&found.past);
	}
}

/* The ring twice: two processes of one pid. Every event is given out once, and ends after it began. */
static void use_merge(struct trace *trace)
{
	struct event events[16];
	uint64_t given = 0, slices = 0;
	struct merge merge;
	int count;

	if (merge_open(&merge, trace))
		return;
	while ((count = merge_next(&merge, events, 16)) > 0) {
		given += (uint64_t)count;
		for (int i = 0; i < count; i++)
			if (events[i].end_ns < events[i].start_ns)
				abort();
	}
	for (size_t i = 0; i < trace->count; i++)
		slices += trace->processes[i].slices;
	if (given != slices)
		abort();
	merge_close(&merge);
}

static void use_trace(struct input *input, void (*use)(struct trace *))
{
	static const struct trace_filter everything;
	struct input twice[2] = { *input, *input };
	struct inputs inputs = { .list = twice, .count = 2 };
	struct trace trace;

	if (trace_open(&trace, &inputs, &everything))
		return;
	use(&trace);
	trace_close(&trace);
}

static void write_json(struct trace *trace)
{
	struct steps steps;
	struct sink sink;
	char why[256];

	if (sink_open(&sink, "/dev/null", SINK_PLAIN, why, sizeof(why)))
		abort();
	trace->expand_graphs = 1;
	trace->estimate = 1;
	if (!steps_open(&steps, trace, NULL))
		trace->steps = &steps;
	produce(trace, &output_chrome, &sink, 1);
	steps_close(&steps);
	sink_close(&sink);
}

/* As vprof ps and vprof start open a ring: parts of it, in another order. */
static void use_ps(void)
{
	struct target target = { .path = path };
	struct ps_row row;
	char why[256];

	if (ring_open_parts(&target.ring, path, RING_LIVE | RING_ANCHORS, why, sizeof(why)))
		return;
	role_make(&target.role, &target.ring, 0);
	target_is_idle(&target);
	for (int looks = 0; looks < 2; looks++) {
		if (!ps_look(&row, &target)) {
			ps_print_text(&row, 1, nowhere);
			ps_print_json(&row, 1, nowhere);
		}
		ps_forget(&row);
	}
	ring_close(&target.ring);
}

static void use_ring(struct input *input)
{
	struct ring_losses losses;
	struct info info;

	use_records(input);
	ring_count(&input->ring, &losses);
	if (!info_make(&info, &input->ring)) {
		/* Both count: they must agree. */
		if (info.losses.present != losses.present || info.losses.torn != losses.torn)
			abort();
		info_text(input, &info, nowhere);
		info_json(input, &info, nowhere);
		info_free(&info);
	}
	use_trace(input, use_top);
	use_trace(input, use_kernels);
	use_trace(input, use_steps);
	use_trace(input, use_memory);
	use_trace(input, use_merge);
	use_trace(input, use_graphs);
	use_gpu(input);
	use_trace(input, use_gpu_sums);
	use_trace(input, write_json);
	use_ps();
	ring_refresh(&input->ring);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { .path = path, .real = path };
	char why[256];

	prepare();
	if (ftruncate(file, 0) || pwrite(file, data, size, 0) != (ssize_t)size)
		return 0;
	if (ring_open(&input.ring, path, why, sizeof(why)))
		return 0;
	if (!clock_build(&input.clock, &input.ring)) {
		use_ring(&input);
		clock_free(&input.clock);
	}
	ring_close(&input.ring);
	return 0;
}
