/*
 * kineto_gpu.c - what the GPUs did, in the torch profiler's layout: kernels, copies, sets.
 *
 * A device is a process of the trace, a stream one of its threads. The default stream is number 7,
 * as CUPTI has it, the one of each thread 8, and the others follow from 13 on by their numbers: no reader wants a
 * stream 0. Work of one stream that overlaps (branches of a graph, programmatic launches) goes to
 * further rows, for slices of one row must nest; `stream` in the arguments is the stream's all the same. A graph
 * of which only the whole was measured is work like a kernel; a bracket around kernels has a row apart.
 */
#include "tools/kineto.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include "tools/occupancy.h"

enum {
	STREAM_DEFAULT = 7, STREAM_PER_THREAD = 8, STREAM_FIRST = 12, /* before the first number */
	ROW_STRIDE = 1000000,  /* between the tids of a stream's rows */
	TRACKS_MOST = 4096,
};

static uint32_t stream_of(const struct gpu_event *event)
{
	if (event->stream_number)
		return STREAM_FIRST + event->stream_number % (ROW_STRIDE / 4);
	return event->stream == 2 ? STREAM_PER_THREAD : STREAM_DEFAULT;
}

static uint32_t tid_of(const struct kineto_track *track)
{
	if (track->row == KINETO_ROW_GRAPHS)
		return track->stream + ROW_STRIDE / 2;
	return track->stream + track->row * ROW_STRIDE;
}

/* The whole of a graph whose nodes were measured as well: it says nothing more of the GPU's time. */
static int is_bracket(const struct kineto *kineto, const struct gpu_event *event)
{
	return event->kind == GPU_GRAPH && idmap_get(&kineto->replays, kineto_launch(event)) != IDMAP_NONE;
}

static struct kineto_track *add_track(struct kineto *kineto, const struct gpu_event *event, uint32_t row)
{
	struct kineto_track *tracks = kineto->tracks;

	if (kineto->track_count == kineto->track_room) {
		size_t room = 2 * kineto->track_room + 16;

		tracks = realloc(tracks, room * sizeof(*tracks));
		if (!tracks)
			return NULL;
		kineto->tracks = tracks;
		kineto->track_room = room;
	}
	tracks += kineto->track_count++;
	*tracks = (struct kineto_track){ .device = event->device, .stream = stream_of(event), .row = row };
	return tracks;
}

/* The first row of its stream that is free; of too many the last. */
static struct kineto_track *find_track(struct kineto *kineto, const struct gpu_event *event)
{
	uint32_t stream = stream_of(event), row = 0;
	int bracket = is_bracket(kineto, event);

	for (uint32_t i = 0; i < kineto->track_count; i++) {
		struct kineto_track *track = &kineto->tracks[i];

		if (track->device != event->device || track->stream != stream ||
		    bracket != (track->row == KINETO_ROW_GRAPHS))
			continue;
		if (bracket || track->end_ns <= event->begin_ns || kineto->track_count == TRACKS_MOST)
			return track;
		row++;
	}
	if (kineto->track_count == TRACKS_MOST)
		return NULL;
	return add_track(kineto, event, bracket ? KINETO_ROW_GRAPHS : row);
}

static char *put_number(char *p, const char *name, size_t size, uint64_t number)
{
	p = put_text(p, name, size);
	p = put_u64(p, number);
	*p++ = ',';
	return p;
}

/* The literal has its quotes and its colon. */
#define NUMBER(p, literal, number) put_number(p, literal, sizeof(literal) - 1, number)

static uint64_t product(uint64_t a, uint64_t b, uint64_t c)
{
	return a && b > UINT64_MAX / a ? UINT64_MAX : c && a * b > UINT64_MAX / c ? UINT64_MAX : a * b * c;
}

/* "name":1.234, of a/b */
static char *put_ratio(char *p, const char *name, size_t size, uint64_t a, uint64_t b)
{
	p = put_text(p, name, size);
	p = put_us(p, b && a < UINT64_MAX / 1000 ? a * 1000 / b : 0);
	*p++ = ',';
	return p;
}

#define RATIO(p, literal, a, b) put_ratio(p, literal, sizeof(literal) - 1, a, b)

static uint64_t rounded(double percent)
{
	return percent > 0 && percent < 1e6 ? (uint64_t)(percent + 0.5) : 0;
}

static char *put_fill(char *p, const struct kineto *kineto, const struct gpu_event *event,
		      const struct vprof_def_facts *facts)
{
	const struct vprof_def_device *device = objects_device(&kineto->names.objects, event->device);
	uint64_t blocks = product(event->grid[0], event->grid[1], event->grid[2]);
	uint64_t threads = product(event->block[0], event->block[1], event->block[2]);
	struct occupancy occupancy;

	if (!device || !device->sm_count || !device->warp)
		return p;
	p = RATIO(p, "\"blocks per SM\":", blocks, device->sm_count);
	p = RATIO(p, "\"warps per SM\":", product(blocks, (threads + device->warp - 1) / device->warp, 1),
		  device->sm_count);
	if (!facts || occupancy_find(&occupancy, device, facts, threads, event->shared))
		return p;
	return NUMBER(p, "\"est. achieved occupancy %\":",
		      rounded(occupancy_of_grid(&occupancy, device, blocks, threads)));
}

static char *put_triple(char *p, uint32_t x, uint32_t y, uint32_t z)
{
	*p++ = '[';
	p = put_u64(p, x);
	*p++ = ',';
	p = put_u64(p, y);
	*p++ = ',';
	p = put_u64(p, z);
	return put_literal(p, "],");
}

static char *put_kernel(char *p, const struct kineto *kineto, const struct gpu_event *event,
			const struct chrome_text *kernel)
{
	p = put_padded(p, kernel->args, kernel->args_size);
	p = NUMBER(p, "\"shared memory\":",
		   event->shared +
		   (kernel->facts && kernel->facts->valid ? (uint64_t)kernel->facts->shared_static : 0));
	p = put_literal(p, "\"grid\":");
	p = put_triple(p, event->grid[0], event->grid[1], event->grid[2]);
	p = put_literal(p, "\"block\":");
	p = put_triple(p, event->block[0], event->block[1], event->block[2]);
	return put_fill(p, kineto, event, kernel->facts);
}

static char *put_bytes(char *p, const struct gpu_event *event)
{
	p = NUMBER(p, "\"bytes\":", event->bytes);
	return RATIO(p, "\"memory bandwidth (GB/s)\":", event->bytes, event->end_ns - event->begin_ns);
}

static char *put_graph(char *p, const struct kineto *kineto, uint32_t id, uint32_t node)
{
	const struct vprof_def_graph *graph = ring_def(kineto->process->ring, id, VPROF_DEF_GRAPH);

	if (!graph)
		return p;
	p = NUMBER(p, "\"graph id\":", graph->number);
	return node == UINT32_MAX ? p : NUMBER(p, "\"graph node id\":", node);
}

static char *put_parts(char *p, const struct gpu_event *event)
{
	if (!event->parts)
		return p;
	p = NUMBER(p, "\"part\":", event->part);
	return NUMBER(p, "\"parts\":", event->parts);
}

static char *put_head(char *p, const char *category, const char *name)
{
	p = put_literal(p, ",\n{\"ph\":\"X\",\"cat\":\"");
	p = put_text(p, category, strlen(category));
	p = put_literal(p, "\",\"name\":\"");
	p = put_text(p, name, strlen(name));
	return put_literal(p, "\",");
}

/* In the words that readers sort copies by; where the host's memory lies is not known. */
static const char *copy_name(int kind)
{
	switch (kind & VPROF_COPY_DIRECTION) {
	case VPROF_COPY_HTOD:
		return "Memcpy HtoD (Host -> Device)";
	case VPROF_COPY_DTOH:
		return "Memcpy DtoH (Device -> Host)";
	case VPROF_COPY_DTOD:
		return "Memcpy DtoD (Device -> Device)";
	case VPROF_COPY_HTOA:
		return "Memcpy HtoA (Host -> Array)";
	case VPROF_COPY_ATOH:
		return "Memcpy AtoH (Array -> Host)";
	case VPROF_COPY_DTOA:
		return "Memcpy DtoA (Device -> Array)";
	case VPROF_COPY_ATOD:
		return "Memcpy AtoD (Array -> Device)";
	case VPROF_COPY_ATOA:
		return "Memcpy AtoA (Array -> Array)";
	case VPROF_COPY_PEER:
		return "Memcpy PtoP (Device -> Device)";
	case VPROF_COPY_HTOH:
		return "Memcpy HtoH (Host -> Host)";
	default:
		return "Memcpy Unknown";
	}
}

static char *put_whole(char *p, const struct kineto *kineto, const struct gpu_event *event)
{
	const struct vprof_def_graph *graph = ring_def(kineto->process->ring, event->object, VPROF_DEF_GRAPH);
	char name[32] = "graph ?";

	if (graph)
		snprintf(name, sizeof(name), "graph %u", graph->number);
	return put_head(p, is_bracket(kineto, event) ? "gpu_user_annotation" : "kernel", name);
}

static char *put_name(char *p, const struct kineto *kineto, const struct gpu_event *event,
		      const struct chrome_text *kernel)
{
	switch (event->kind) {
	case GPU_COPY:
		return put_head(p, "gpu_memcpy", copy_name(event->copy_kind));
	case GPU_SET:
		return put_head(p, "gpu_memset", "Memset (Device)");
	case GPU_GRAPH:
		return put_whole(p, kineto, event);
	default:
		return put_text(p, kernel->head, kernel->head_size);
	}
}

static char *put_details(char *p, const struct kineto *kineto, const struct gpu_event *event,
			 const struct chrome_text *kernel)
{
	switch (event->kind) {
	case GPU_COPY:
	case GPU_SET:
		p = put_bytes(p, event);
		break;
	case GPU_GRAPH:
		p = put_parts(p, event);
		return put_graph(p, kineto, event->object, UINT32_MAX);
	default:
		p = put_kernel(p, kineto, event, kernel);
	}
	return event->graph ? put_graph(p, kineto, event->graph, event->node) : p;
}

static uint64_t context_of(const struct kineto *kineto, const struct gpu_event *event)
{
	const struct vprof_def_context *context =
		objects_context(&kineto->names.objects, event->context, UINT64_MAX);

	return context ? context->number : 1;
}

static void put_event(struct kineto *kineto, struct buffer *out, const struct gpu_event *event)
{
	const struct chrome_text *kernel = chrome_kernel(&kineto->names, event->kind == GPU_KERNEL ? event->object : 0);
	struct kineto_track *track = find_track(kineto, event);
	uint64_t start = kineto_since(kineto, event->begin_ns);
	uint64_t end = event->end_ns > event->begin_ns ? event->end_ns : event->begin_ns;
	int bracket = is_bracket(kineto, event);
	char *p = buffer_room(out, kernel->head_size + kernel->args_size + KINETO_LINE);

	if (!p || !track)
		return;
	if (track->end_ns < end)
		track->end_ns = end;
	p = put_name(p, kineto, event, kernel);
	p = kineto_put_place(p, (uint32_t)event->device, tid_of(track), start);
	p = put_literal(p, ",\"dur\":");
	p = put_us(p, end - event->begin_ns);
	p = put_literal(p, ",\"args\":{\"queued\":0,");
	p = put_details(p, kineto, event, kernel);
	p = NUMBER(p, "\"raw ns\":", event->raw_ns);
	p = event->correction_ns < 0 ? NUMBER(p, "\"correction ns\":-", (uint64_t)-event->correction_ns) :
				       NUMBER(p, "\"correction ns\":", (uint64_t)event->correction_ns);
	if (event->estimated)
		p = put_literal(p, "\"estimated\":true,");
	if (event->correlation && !bracket)
		p = NUMBER(p, "\"correlation\":", event->correlation);
	p = NUMBER(p, "\"device\":", (uint32_t)event->device);
	if (!bracket) /* readers add up what has a stream */
		p = NUMBER(p, "\"stream\":", track->stream);
	p = put_literal(p, "\"context\":");
	p = put_u64(p, context_of(kineto, event));
	p = put_literal(p, "}}");
	if (event->correlation && !bracket)
		p = kineto_put_arrow(p, 'f', event->correlation, (uint32_t)event->device, tid_of(track), start);
	buffer_end(out, p);
}

void kineto_gpu(void *state, struct buffer *out, const struct trace_process *process,
		const struct gpu_event *events, size_t count)
{
	struct kineto *kineto = state;

	(void)process;
	for (size_t i = 0; i < count; i++)
		if (events[i].kind <= GPU_GRAPH && events[i].device >= 0 && events[i].device < KINETO_DEVICES)
			put_event(kineto, out, &events[i]);
}

/* ---- the tracks' names ---- */

static void name_device(struct buffer *out, const struct kineto *kineto, int device)
{
	const struct vprof_def_device *def = objects_device(&kineto->names.objects, device);

	kineto_meta(out, "process_name", (uint32_t)device, 0);
	buffer_print(out, "\"name\":\"");
	buffer_add_json(out, def ? def->name : "GPU");
	buffer_print(out, "\"}}");
	kineto_meta(out, "process_labels", (uint32_t)device, 0);
	buffer_print(out, "\"labels\":\"GPU %d\"}}", device);
	kineto_meta(out, "process_sort_index", (uint32_t)device, 0);
	buffer_print(out, "\"sort_index\":%d}}", 5000000 + device);
}

static void name_track(struct buffer *out, const struct kineto_track *track)
{
	kineto_meta(out, "thread_name", (uint32_t)track->device, tid_of(track));
	buffer_print(out, "\"name\":\"stream %u", track->stream);
	if (track->row == KINETO_ROW_GRAPHS)
		buffer_print(out, " graphs");
	else if (track->row)
		buffer_print(out, " (%u)", track->row + 1);
	buffer_print(out, "\"}}");
	kineto_meta(out, "thread_sort_index", (uint32_t)track->device, tid_of(track));
	buffer_print(out, "\"sort_index\":%u}}",
		     (track->stream % (1u << 20)) * 64 + (track->row < 63 ? track->row : 63));
}

void kineto_name_tracks(const struct kineto *kineto, struct buffer *out)
{
	uint64_t named = 0;

	for (uint32_t i = 0; i < kineto->track_count; i++) {
		const struct kineto_track *track = &kineto->tracks[i];

		if (!(named >> track->device & 1))
			name_device(out, kineto, track->device);
		named |= 1ull << track->device;
		name_track(out, track);
	}
}
