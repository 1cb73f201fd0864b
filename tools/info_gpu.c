/*
 * info_gpu.c - what `vprof info` says of time on the GPU: how well the clocks agree, what stamps cost,
 * how many launches have times, and which graphs can have none and why.
 */
#include <inttypes.h>
#include <string.h>
#include "tools/cli.h"
#include "tools/gpu.h"
#include "tools/gpu_parts.h"
#include "tools/gpu_untimed.h"
#include "tools/gpu_words.h"
#include "tools/info.h"

enum { WHYS = 32 };

struct gpu_sums {
	uint32_t twins, dropped, without[WHYS]; /* graphs with a twin; twins that were dropped;
	                                           by enum vprof_twin_why */
	uint64_t stamps, build_us;
	struct gpu_parts parts;
	uint64_t nodes, spans, streams; /* launches whose nodes were timed, that were as a whole;
	                                   operations of streams */
};

/* A graph counts by what was told of it last. */
static int sum_twins(const struct gpu *gpu, struct gpu_sums *sums)
{
	struct idmap last = { 0 };
	int error = 0;

	for (uint32_t i = 0; !error && i < gpu->twin_count; i++) {
		sums->dropped += gpu->twins[i].def->why == VPROF_TWIN_CHANGED;
		error = idmap_put(&last, gpu->twins[i].graph, i);
	}
	for (uint32_t i = 0; !error && i < gpu->twin_count; i++) {
		const struct gpu_twin *twin = &gpu->twins[i];

		if (idmap_get(&last, twin->graph) != i)
			continue;
		if (twin->stamps) {
			sums->twins++;
			sums->stamps += twin->total;
			sums->build_us += twin->def->build_us;
		} else {
			sums->without[twin->def->why < WHYS ? twin->def->why : WHYS - 1]++;
		}
	}
	idmap_free(&last);
	return error;
}

static int sum_batch(const struct gpu *gpu, struct gpu_sums *sums, const struct gpu_batch *batch)
{
	int is_stream = batch->twin == UINT32_MAX;
	int is_span = is_stream && batch->count && batch->events[0].kind == GPU_GRAPH;

	sums->nodes += !is_stream;
	sums->spans += is_span;
	sums->streams += is_stream && !is_span;
	return batch->parts < 2 ? 0 :
	       gpu_parts_add(&sums->parts, gpu->ring, 0, gpu->twins[batch->twin].graph, batch->parts);
}

static void close_all(struct gpu *gpu, struct gpu_sums *sums)
{
	gpu_parts_free(&sums->parts);
	gpu_close(gpu);
}

/* Reads all of it, so that the counts are whole. */
static int read_all(struct gpu *gpu, const struct input *input, struct gpu_sums *sums)
{
	struct gpu_batch batch;
	int more = 1, error;

	if (!gpu_has(&input->ring) || gpu_open(gpu, &input->ring, &input->clock))
		return 0;
	memset(sums, 0, sizeof(*sums));
	error = sum_twins(gpu, sums);
	while (!error && (more = gpu_next(gpu, &batch)) > 0)
		error = sum_batch(gpu, sums, &batch);
	if (error)
		close_all(gpu, sums);
	return !error;
}

/* ---- for people ---- */

/* What two decimals show as 0 has no sign. */
static double without_minus_zero(double value)
{
	return value < 0 && value > -0.005 ? 0 : value;
}

static void text_clock(struct cli_table *table, const struct gpu_device *device)
{
	if (device->clock.error_ns == UINT64_MAX)
		cli_table_pair(table, "GPU clock", "device %d: never compared with the host's, taken for the same",
			       device->ordinal);
	else
		cli_table_pair(table, "GPU clock", "device %d: within %" PRIu64
			       " ns of the host's, by %u %s; it gains %.2f us a second", device->ordinal,
			       device->clock.error_ns, device->clock.ties,
			       cli_word(device->clock.ties, "comparison", "comparisons"),
			       without_minus_zero(1e6 * device->clock.drift));
}

static void text_costs(struct cli_table *table, const struct gpu_device *device)
{
	const struct vprof_def_gpu *costs = gpu_costs(device, UINT64_MAX);
	int first = 1;

	if (!costs || costs->mode == VPROF_STAMPS_NONE) {
		if (costs)
			cli_table_pair(table, "stamps", "device %d: none, error %u", device->ordinal, costs->error);
		return;
	}
	for (uint32_t i = 0; i < VPROF_STAMP_CLASSES; i++) {
		if (costs->cost[i].error_ns == UINT32_MAX)
			continue;
		cli_table_pair(table, first ? "stamps" : "", "device %d, %s: %u ns more than the work takes, +- %u",
			       device->ordinal, gpu_class_name(i), costs->cost[i].ns, costs->cost[i].error_ns);
		first = 0;
	}
}

static void text_left_out(struct cli_table *table, const struct gpu_counts *n)
{
	if (n->no_nodes)
		cli_table_pair(table, "", "%" PRIu64
			       " %s only as a whole: nodes, edges or stamps of the graph are not in the ring",
			       n->no_nodes, cli_word(n->no_nodes, "replay", "replays"));
	if (n->no_stamp || n->backwards)
		cli_table_pair(table, "", "%" PRIu64
			       " %s left out: a stamp is missing, or earlier than one it waited for",
			       n->no_stamp + n->backwards, cli_word(n->no_stamp + n->backwards, "node", "nodes"));
	if (n->untrue)
		cli_table_pair(table, "", "%" PRIu64
			       " %s of streams left out: the stamp ahead tells of a begin before the launch",
			       n->untrue, cli_word(n->untrue, "operation", "operations"));
	if (n->early)
		cli_table_pair(table, "", "%" PRIu64
			       " %s before the launch by more than the clocks' error, by up to %" PRIu64
			       " ns", n->early, cli_word(n->early, "event begins", "events begin"), n->early_ns);
}

/* How long it had been at work when the process was last heard of. */
static uint64_t open_ns(const struct input *input, const struct gpu_event *event)
{
	const struct vprof_ring_live *live = &input->ring.live;
	uint32_t at = 0;
	uint64_t now = clock_realtime(&input->clock, &at,
				      live->state == VPROF_RING_CLOSED ? live->end_ticks : live->beat_ticks);

	return now > event->begin_ns ? now - event->begin_ns : 0;
}

static const char *open_name(const struct input *input, const struct gpu_event *event)
{
	const struct vprof_def_kernel *kernel = event->kind == GPU_KERNEL ?
		ring_def(&input->ring, event->object, VPROF_DEF_KERNEL) : NULL;

	return kernel ? kernel->name : event->kind == GPU_OTHER ? graph_node_kind(event->object) :
	       event->kind == GPU_COPY ? "copy" : event->kind == GPU_SET ? "set" : "kernel ?";
}

static uint32_t graph_number_of(const struct input *input, const struct gpu_event *event)
{
	const struct vprof_def_graph *graph = ring_def(&input->ring, event->graph, VPROF_DEF_GRAPH);

	return graph ? graph->number : 0;
}

static void text_open(struct cli_table *table, const struct input *input, const struct gpu *gpu)
{
	char took[32];

	for (size_t i = 0; i < gpu->open_count; i++) {
		const struct gpu_event *event = &gpu->open[i];

		cli_table_pair(table, i ? "" : "in flight", "device %d, graph %u, node %u, for %s: %s", event->device,
			       graph_number_of(input, event), event->node,
			       cli_time_text(took, sizeof(took), open_ns(input, event)), open_name(input, event));
	}
}

/* What gets stamps now, and what did and does not; of a process that has ended, at the end. NULL: never anything. */
static void text_asked(struct cli_table *table, const struct vprof_ring_control *c, const struct gpu_sums *sums)
{
	struct gpu_words words = {
		.has_gpu = 1, .has_spans = 1, .has_window = 1, .gpu = c->gpu, .spans = c->gpu_spans,
		.window_us = c->gpu_window_us, .period_us = c->gpu_period_us,
	};
	char on[GPU_WORDS_TEXT], off[GPU_WORDS_TEXT] = "";

	gpu_words_on(on, sizeof(on), &words);
	if (sums) {
		words.has_gpu = sums->nodes != 0;
		words.has_spans = sums->spans != 0;
		words.has_window = sums->streams != 0;
		gpu_words_off(off, sizeof(off), &words);
	}
	if (*on || sums)
		cli_table_pair(table, "timed", "%s%s%s", *on ? on : "nothing now", *off ? "; earlier " : "", off);
}

/* Why graphs that are timed have no times. */
static void text_untimed(struct cli_table *table, const struct ring *ring)
{
	struct gpu_untimed untimed = { 0 };
	char text[GPU_UNTIMED_TEXT];

	if (ring->control.gpu && !gpu_untimed_add(&untimed, ring) && *gpu_untimed_text(text, sizeof(text), &untimed))
		cli_table_pair(table, "", "%s", text);
}

static const char *have(uint32_t count)
{
	return cli_word(count, "graph has", "graphs have");
}

void info_gpu_text(struct cli_table *table, const struct input *input)
{
	char text[GPU_PARTS_TEXT], took[32];
	struct gpu_sums sums;
	struct gpu gpu;

	if (!read_all(&gpu, input, &sums)) {
		text_asked(table, &input->ring.control, NULL);
		text_untimed(table, &input->ring);
		return;
	}
	text_asked(table, &input->ring.control, &sums);
	for (uint32_t i = 0; i < gpu.device_count; i++) {
		text_clock(table, &gpu.devices[i]);
		text_costs(table, &gpu.devices[i]);
	}
	cli_table_pair(table, "GPU times", "%" PRIu64 " %s of work, from %" PRIu64 " %s of graphs and %" PRIu64
		       " %s of streams", gpu.counts.events, cli_word(gpu.counts.events, "piece", "pieces"),
		       gpu.counts.replays, cli_word(gpu.counts.replays, "replay", "replays"),
		       gpu.counts.timed, cli_word(gpu.counts.timed, "operation", "operations"));
	if (!gpu.counts.replays)
		text_untimed(table, &input->ring);
	if (sums.parts.launches)
		cli_table_pair(table, "", "%s", gpu_parts_text(text, sizeof(text), &sums.parts));
	text_left_out(table, &gpu.counts);
	text_open(table, input, &gpu);
	if (sums.twins)
		cli_table_pair(table, "twins", "%u %s one, %" PRIu64 " stamps, built in %s", sums.twins,
			       have(sums.twins), sums.stamps,
			       cli_time_text(took, sizeof(took), 1000 * sums.build_us));
	for (uint32_t i = 0; i < WHYS; i++)
		if (sums.without[i])
			cli_table_pair(table, sums.twins || i ? "" : "twins", "%u %s none: %s", sums.without[i],
				       have(sums.without[i]), gpu_why_text(i));
	close_all(&gpu, &sums);
}

/* ---- for programs ---- */

static void json_device(const struct gpu_device *device, FILE *out)
{
	const struct vprof_def_gpu *costs = gpu_costs(device, UINT64_MAX);
	int count = 0;

	fprintf(out, "{\"device\": %d, \"ties\": %u, \"clock_error_ns\": ", device->ordinal, device->clock.ties);
	if (device->clock.error_ns == UINT64_MAX)
		fputs("null", out);
	else
		fprintf(out, "%" PRIu64, device->clock.error_ns);
	fprintf(out, ", \"drift\": %.9f, \"mode\": \"%s\", \"step_ns\": %u, \"error\": %u, \"costs\": {",
		device->clock.drift, costs ? gpu_mode_name(costs->mode) : "unknown", costs ? costs->step_ns : 0,
		costs ? costs->error : 0);
	for (uint32_t i = 0; costs && i < VPROF_STAMP_CLASSES; i++)
		if (costs->cost[i].error_ns != UINT32_MAX)
			fprintf(out, "%s\"%s\": {\"ns\": %u, \"error_ns\": %u}", count++ ? ", " : "", gpu_class_name(i),
				costs->cost[i].ns, costs->cost[i].error_ns);
	fputs("}}", out);
}

void info_gpu_json(const struct input *input, FILE *out)
{
	const struct vprof_ring_control *c = &input->ring.control;
	const struct gpu_counts *n;
	struct gpu_sums sums;
	struct gpu gpu;
	int count = 0;

	if (!read_all(&gpu, input, &sums))
		return;
	n = &gpu.counts;
	fputs("  \"gpu\": {\"devices\": [", out);
	for (uint32_t i = 0; i < gpu.device_count; i++) {
		fputs(i ? ", " : "", out);
		json_device(&gpu.devices[i], out);
	}
	fprintf(out, "],\n    \"asked\": {\"graphs\": %u, \"spans\": %s, \"window_us\": %u, \"period_us\": %u},\n",
		c->gpu, c->gpu_spans ? "true" : "false", c->gpu_window_us, c->gpu_period_us);
	fprintf(out, "    \"replays\": %" PRIu64 ", \"timed\": %" PRIu64 ", \"events\": %" PRIu64
		", \"no_stamp\": %" PRIu64 ", \"backwards\": %" PRIu64 ", \"untrue\": %" PRIu64
		", \"no_nodes\": %" PRIu64
		", \"no_launch\": %" PRIu64 ", \"early\": %" PRIu64 ", \"early_ns\": %" PRIu64
		",\n    \"twins\": %u, \"dropped\": %u, \"stamps\": %" PRIu64 ", \"build_us\": %" PRIu64
		", \"without\": {", n->replays, n->timed, n->events, n->no_stamp, n->backwards, n->untrue, n->no_nodes,
		n->no_launch, n->early, n->early_ns, sums.twins, sums.dropped, sums.stamps, sums.build_us);
	for (uint32_t i = 0; i < WHYS; i++)
		if (sums.without[i])
			fprintf(out, "%s\"%s\": %u", count++ ? ", " : "", gpu_why_text(i), sums.without[i]);
	fputs("},\n    ", out);
	gpu_parts_json(&sums.parts, out);
	fputs(",\n    \"in_flight\": [", out);
	for (size_t i = 0; i < gpu.open_count; i++) {
		fprintf(out, "%s{\"device\": %d, \"graph\": %u, \"node\": %u, \"for_ns\": %" PRIu64 ", \"name\": ",
			i ? ", " : "", gpu.open[i].device, graph_number_of(input, &gpu.open[i]), gpu.open[i].node,
			open_ns(input, &gpu.open[i]));
		cli_json_string(out, open_name(input, &gpu.open[i]));
		fputc('}', out);
	}
	fputs("]},\n", out);
	close_all(&gpu, &sums);
}
