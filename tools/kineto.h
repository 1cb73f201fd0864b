/*
 * kineto.h - the inner parts of the output in the layout of the torch profiler (output_kineto).
 *
 * One file holds one process, as that profiler writes them, and is read unchanged by what reads
 * those: HolisticTraceAnalysis, TensorBoard's plugin for the torch profiler, Perfetto.
 * docs/trace-format.md says what it looks like and what each reader asks for.
 */
#ifndef VPROF_TOOLS_KINETO_H
#define VPROF_TOOLS_KINETO_H

#include "tools/chrome.h"
#include "tools/gpu_event.h"

enum {
	KINETO_LINE = 2048,      /* bytes that a line can need beyond the names in it */
	KINETO_DEVICES = OBJECTS_DEVICES, /* the pids of the GPUs' tracks are below it */
};

/* A row of what a GPU did, in which nothing overlaps. */
struct kineto_track {
	int device;
	uint32_t stream;         /* as it is shown */
	uint32_t row;            /* 0: the stream's own; above: for what overlaps it; KINETO_ROW_GRAPHS:
	                            for whole graphs */
	uint64_t end_ns;         /* of the last event */
};

struct kineto {
	const struct trace *trace;
	const struct trace_process *process; /* the one that is shown */
	struct chrome_names names;
	struct idmap worked;     /* correlations for which a GPU worked */
	struct idmap replays;    /* launches of which more was measured than the whole, by kineto_launch() */
	const struct trace_thread *stepper; /* whose steps are told; NULL: nobody's */
	struct kineto_track *tracks;
	uint32_t track_count;
	size_t track_room;
	uint32_t pid;            /* of the process, where a GPU's track has not the same */
};

enum { KINETO_ROW_GRAPHS = UINT16_MAX };

/* The driver's functions in the words of the CUDA runtime, which readers look for. */
const char *kineto_call(const struct ring *ring, uint32_t call, const char *name, const char **category);

void kineto_slices(void *state, struct buffer *out, const struct event *events, int count);
void kineto_gpu(void *state, struct buffer *out, const struct trace_process *process,
		const struct gpu_event *events, size_t count);

/* Begins an event of metadata, up to its arguments. */
void kineto_meta(struct buffer *out, const char *name, uint32_t pid, uint32_t tid);

/* The tracks of the GPUs, by name: after all events. */
void kineto_name_tracks(const struct kineto *kineto, struct buffer *out);

static inline uint64_t kineto_since(const struct kineto *kineto, uint64_t ns)
{
	return ns > kineto->trace->base_ns ? ns - kineto->trace->base_ns : 0;
}

/* One number for a launch, whether its record is there or not: a thread makes one at a time. */
static inline uint64_t kineto_launch(const struct gpu_event *event)
{
	return event->launch_ns * 0x9e3779b97f4a7c15ull + event->thread;
}

/* "pid":1,"tid":2,"ts":3.000 */
static inline char *kineto_put_place(char *p, uint32_t pid, uint32_t tid, uint64_t ns)
{
	p = put_literal(p, "\"pid\":");
	p = put_u64(p, pid);
	p = put_literal(p, ",\"tid\":");
	p = put_u64(p, tid);
	p = put_literal(p, ",\"ts\":");
	return put_us(p, ns);
}

/* One end of the arrow from a launch to what it made a GPU do. */
static inline char *kineto_put_arrow(char *p, char phase, uint64_t id, uint32_t pid, uint32_t tid, uint64_t ns)
{
	p = put_literal(p, ",\n{\"ph\":\"");
	*p++ = phase;
	p = put_literal(p, "\",\"cat\":\"ac2g\",\"name\":\"ac2g\",\"id\":");
	p = put_u64(p, id);
	*p++ = ',';
	p = kineto_put_place(p, pid, tid, ns);
	return phase == 'f' ? put_literal(p, ",\"bp\":\"e\"}") : put_literal(p, "}");
}

#endif
