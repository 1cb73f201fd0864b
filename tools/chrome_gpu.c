/*
 * chrome_gpu.c - what the GPUs did, as processes and threads of the trace.
 *
 * A device that a process used is a process of its own, a stream one of its threads; the ids are those of
 * the kineto layout, but for the process, since several processes of a trace can have a device 0. Slices of one
 * track must nest: a whole graph holds its nodes, and nodes that run beside others go to further tracks. What comes
 * here is in order of time for each stream and not for all, so the stream that each thread has of its own is a track of
 * each thread's.
 */
#include "tools/chrome.h"

#include <inttypes.h>
#include <stdlib.h>
#include "tools/gpu.h"
#include "tools/list.h"

enum {
	PID_FIRST = 1 << 24, DEVICES = 256, /* far above what Linux gives out, and what we make up for others */
	STREAM_DEFAULT = 7, STREAM_PER_THREAD = 8, STREAM_FIRST = 12,
	ROW_STRIDE = 1000000, TRACKS_MOST = 65536, ESTIMATED_FIRST = 500000,
	SORT_FIRST = 5000000,               /* GPUs below all processes, as readers of such traces know it */
	LINE_REST = 1024,
};

struct chrome_track {
	uint32_t process, device, stream, row, beside, number, estimated; /* beside: which of its stream's */
	uint64_t thread;                    /* serial, of a thread's own stream; else 0 */
	uint64_t handle, begin_ns, end_ns;  /* of the last slice on it */
};

static uint32_t stream_of(const struct gpu_event *event)
{
	if (event->stream_number)
		return STREAM_FIRST + event->stream_number % (ESTIMATED_FIRST - STREAM_FIRST);
	return event->stream == 2 ? STREAM_PER_THREAD : STREAM_DEFAULT;
}

static uint32_t device_of(const struct gpu_event *event)
{
	return (uint32_t)event->device % DEVICES;
}

static uint32_t pid_of(uint32_t process, uint32_t device)
{
	return PID_FIRST + process * DEVICES + device;
}

static uint32_t tid_of(const struct chrome_track *track)
{
	return track->stream + track->row * ROW_STRIDE + (track->estimated ? ESTIMATED_FIRST : 0);
}

static int is_free(const struct chrome_track *track, const struct gpu_event *event)
{
	return track->end_ns <= event->begin_ns || event->end_ns <= track->begin_ns;
}

/* The first of its stream's tracks that has room; a whole graph lies on the first. NULL: no memory, or too many. */
static struct chrome_track *find_track(struct chrome *chrome, const struct trace_process *process,
				       const struct gpu_event *event)
{
	uint32_t stream = stream_of(event), row = 0, beside = 0;
	uint64_t thread = stream == STREAM_PER_THREAD ? event->thread : 0;

	for (uint32_t i = 0; i < chrome->track_count; i++) {
		struct chrome_track *track = &chrome->tracks[i];

		if (track->process != process->index || track->device != device_of(event) || track->stream != stream ||
		    track->estimated != event->estimated)
			continue;
		row++;
		if (track->thread != thread)
			continue;
		if (event->kind == GPU_GRAPH || is_free(track, event))
			return track;
		beside++;
	}
	if (chrome->track_count == TRACKS_MOST || list_grow(chrome->tracks, chrome->track_count))
		return NULL;
	chrome->tracks[chrome->track_count] = (struct chrome_track){
		.process = process->index, .device = device_of(event), .stream = stream, .row = row, .beside = beside,
		.thread = thread,
		.number = event->stream_number, .handle = event->stream, .estimated = event->estimated,
	};
	return &chrome->tracks[chrome->track_count++];
}

/* ---- slices ---- */

static char *put_ids(char *p, uint32_t pid, uint32_t tid)
{
	p = put_literal(p, "\"pid\":");
	p = put_u64(p, pid);
	p = put_literal(p, ",\"tid\":");
	p = put_u64(p, tid);
	*p++ = ',';
	return p;
}

static char *put_ts(char *p, const struct chrome *chrome, uint64_t ns)
{
	p = put_literal(p, "\"ts\":");
	return put_us(p, ns > chrome->trace->base_ns ? ns - chrome->trace->base_ns : 0);
}

static char *put_key(char *p, const char *key)
{
	*p++ = '"';
	p = put_text(p, key, strlen(key));
	return put_literal(p, "\":");
}

static char *put_number(char *p, const char *key, uint64_t number)
{
	p = put_u64(put_key(p, key), number);
	*p++ = ',';
	return p;
}

static char *put_signed(char *p, const char *key, int64_t number)
{
	p = put_key(p, key);
	if (number < 0)
		*p++ = '-';
	p = put_u64(p, (uint64_t)(number < 0 ? -number : number));
	*p++ = ',';
	return p;
}

static char *put_word(char *p, const char *key, const char *text)
{
	*p++ = '"';
	p = put_text(p, key, strlen(key));
	p = put_literal(p, "\":\"");
	p = put_text(p, text, strlen(text));
	return put_literal(p, "\",");
}

static char *put_shape(char *p, const struct gpu_event *event)
{
	for (int i = 0; i < 3; i++) {
		p = i ? put_literal(p, ",") : put_literal(p, "\"grid\":[");
		p = put_u64(p, event->grid[i]);
	}
	for (int i = 0; i < 3; i++) {
		p = i ? put_literal(p, ",") : put_literal(p, "],\"block\":[");
		p = put_u64(p, event->block[i]);
	}
	p = put_literal(p, "],");
	return put_number(p, "shared memory", event->shared);
}

static char *put_head(char *p, const struct gpu_event *event, const struct chrome_text *text)
{
	static const char *const categories[] = {
		[GPU_KERNEL] = "kernel", [GPU_COPY] = "gpu_memcpy", [GPU_SET] = "gpu_memset",
		[GPU_GRAPH] = "gpu_graph", [GPU_OTHER] = "gpu_other",
	};
	const char *category = event->estimated ? "gpu_estimated" : categories[event->kind];
	char name[64];

	p = put_literal(p, ",\n{\"ph\":\"X\",\"cat\":\"");
	p = put_text(p, category, strlen(category));
	p = put_literal(p, "\",\"name\":\"");
	if (event->unfinished)
		p = put_literal(p, "[in flight] ");
	if (text)
		return put_text(p, text->head + text->name_at, text->head_size - text->name_at);
	if (event->kind == GPU_COPY)
		snprintf(name, sizeof(name), "copy %s\",", event_direction((uint32_t)event->copy_kind));
	else
		snprintf(name, sizeof(name), "%s\",", event->kind == GPU_SET ? "set" : graph_node_kind(event->object));
	return put_text(p, name, strlen(name));
}

static char *put_args(char *p, const struct trace_process *process, const struct gpu_event *event,
		      const struct chrome_text *text)
{
	const struct vprof_def_graph *graph = ring_def(process->ring, event->graph, VPROF_DEF_GRAPH);

	p = put_literal(p, "\"args\":{");
	if (text)
		p = put_padded(p, text->args, text->args_size);
	if (event->kind == GPU_KERNEL)
		p = put_shape(p, event);
	if (event->kind == GPU_COPY || event->kind == GPU_SET) {
		p = put_number(p, "bytes", event->bytes);
		if (event->bytes && event->end_ns > event->begin_ns) {
			p = put_literal(p, "\"GB/s\":");
			p = put_us(p, event->bytes < UINT64_MAX / 1000 ?
				   event->bytes * 1000 / (event->end_ns - event->begin_ns) : 0);
			*p++ = ',';
		}
	}
	if (graph && event->kind != GPU_GRAPH) {
		p = put_number(p, "graph", graph->number);
		p = put_number(p, "node", event->node);
	}
	p = put_number(p, "device", device_of(event));
	if (event->stream_number)
		p = put_number(p, "stream number", event->stream_number);
	if (event->parts) {
		p = put_number(p, "part", event->part);
		p = put_number(p, "parts", event->parts);
	}
	if (event->unfinished)
		p = put_literal(p, "\"in_flight\":true,");
	if (event->overlapped)
		p = put_literal(p, "\"overlapped\":true,");
	if (event->estimated)
		p = put_literal(p, "\"estimated\":true,");
	else
		p = put_number(p, "raw ns", event->raw_ns);
	if (!event->estimated && event->kind != GPU_GRAPH) {
		p = put_signed(p, "correction ns", event->correction_ns);
		p = put_word(p, "class", gpu_class_name(event->class));
	}
	p = put_literal(p, "\"correlation\":");
	return put_u64(p, event->correlation);
}

static const struct chrome_text *text_of(const struct chrome_names *names, const struct gpu_event *event)
{
	if (event->kind == GPU_KERNEL)
		return chrome_kernel(names, event->object);
	return event->kind == GPU_GRAPH ? chrome_graph(names, event->object) : NULL;
}

static void put_slice(const struct chrome *chrome, struct buffer *out, const struct trace_process *process,
		      const struct gpu_event *event, uint32_t tid)
{
	const struct chrome_text *text = text_of(&chrome->names[process->index], event);
	char *p = buffer_room(out, (text ? text->head_size + text->args_size : 0) + LINE_REST);

	if (!p)
		return;
	p = put_head(p, event, text);
	p = put_ids(p, pid_of(process->index, device_of(event)), tid);
	p = put_ts(p, chrome, event->begin_ns);
	p = put_literal(p, ",\"dur\":");
	p = put_us(p, event->end_ns - event->begin_ns);
	*p++ = ',';
	p = put_args(p, process, event, text);
	p = put_literal(p, "}}");
	buffer_end(out, p);
}

/* From the launch's slice to the first of what it made the GPU do: both ends have the place of their slices. */
static void put_arrow(struct chrome *chrome, struct buffer *out, const struct trace_process *process,
		      const struct gpu_event *event, uint32_t tid)
{
	uint32_t index = idmap_get(&process->by_serial, event->thread);
	char *p;

	if (index == IDMAP_NONE || !event->correlation || event->launch_ns < chrome->trace->from_ns ||
	    event->launch_ns > chrome->trace->to_ns)
		return;
	p = buffer_room(out, LINE_REST);
	if (!p)
		return;
	chrome->arrows++;
	p = put_literal(p, ",\n{\"ph\":\"s\",\"cat\":\"ac2g\",\"name\":\"ac2g\",\"id\":");
	p = put_u64(p, chrome->arrows);
	*p++ = ',';
	p = put_ids(p, process->pid, process->threads[index]->tid);
	p = put_ts(p, chrome, event->launch_ns);
	p = put_literal(p, "},\n{\"ph\":\"f\",\"bp\":\"e\",\"cat\":\"ac2g\",\"name\":\"ac2g\",\"id\":");
	p = put_u64(p, chrome->arrows);
	*p++ = ',';
	p = put_ids(p, pid_of(process->index, device_of(event)), tid);
	p = put_ts(p, chrome, event->begin_ns);
	p = put_literal(p, "}");
	buffer_end(out, p);
}

void chrome_gpu(void *state, struct buffer *out, const struct trace_process *process,
		const struct gpu_event *events, size_t count)
{
	struct chrome *chrome = state;

	for (size_t i = 0; i < count; i++) {
		struct chrome_track *track = find_track(chrome, process, &events[i]);
		uint32_t tid;

		if (!track)
			continue;
		tid = tid_of(track);
		put_slice(chrome, out, process, &events[i], tid);
		if (!i)
			put_arrow(chrome, out, process, &events[i], tid);
		if (events[i].kind == GPU_GRAPH)
			continue;
		track->begin_ns = events[i].begin_ns;
		track->end_ns = events[i].end_ns;
	}
}

/* ---- names ---- */

static void name_device(const struct chrome *chrome, struct buffer *out, const struct chrome_track *track)
{
	const struct trace_process *process = &chrome->trace->processes[track->process];
	const struct vprof_def_device *device = objects_device(&chrome->names[track->process].objects,
							       (int32_t)track->device);
	uint32_t pid = pid_of(track->process, track->device);

	chrome_meta(out, "process_name", pid, 0);
	buffer_print(out, "\"name\":\"GPU %u of ", track->device);
	buffer_add_json(out, process->name);
	buffer_print(out, " (pid %u)\"}}", process->os_pid);
	chrome_meta(out, "process_labels", pid, 0);
	buffer_print(out, "\"labels\":\"GPU %u", track->device);
	if (device) {
		buffer_print(out, ", ");
		buffer_add_json(out, device->name);
	}
	buffer_print(out, "\"}}");
	chrome_meta(out, "process_sort_index", pid, 0);
	buffer_print(out, "\"sort_index\":%u}}", SORT_FIRST + track->process * DEVICES + track->device);
}

static void name_stream(const struct chrome *chrome, struct buffer *out, const struct chrome_track *track)
{
	const struct trace_process *process = &chrome->trace->processes[track->process];
	const struct range_names *said = &process->names;
	const struct range_name *label = said->streams.count ? range_label(said, &said->streams, track->handle) : NULL;
	uint32_t pid = pid_of(track->process, track->device), tid = tid_of(track);
	uint32_t thread = track->thread ? idmap_get(&process->by_serial, track->thread) : IDMAP_NONE;

	chrome_meta(out, "thread_name", pid, tid);
	if (track->number)
		buffer_print(out, "\"name\":\"stream %u", track->number);
	else
		buffer_print(out, "\"name\":\"%s stream",
			     track->stream == STREAM_PER_THREAD ? "per-thread" : "default");
	if (thread != IDMAP_NONE)
		buffer_print(out, " of %u", process->threads[thread]->tid);
	if (label) {
		buffer_print(out, " ");
		buffer_add(out, label->json, label->json_size);
	}
	if (track->estimated)
		buffer_print(out, ", estimated");
	if (track->beside)
		buffer_print(out, ", beside it %u", track->beside);
	buffer_print(out, "\"}}");
	chrome_meta(out, "thread_sort_index", pid, tid);
	buffer_print(out, "\"sort_index\":%" PRIu64 "}}", (uint64_t)track->stream * 1024 + 512 * track->estimated +
		     track->row);
}

void chrome_gpu_names(const struct chrome *chrome, struct buffer *out)
{
	for (uint32_t i = 0; i < chrome->track_count; i++) {
		const struct chrome_track *track = &chrome->tracks[i];
		uint32_t j = 0;

		while (chrome->tracks[j].process != track->process || chrome->tracks[j].device != track->device)
			j++;
		if (i == j)
			name_device(chrome, out, track);
		name_stream(chrome, out, track);
	}
}
