/*
 * chrome.h - the inner parts of the Chrome JSON output (output_chrome).
 *
 * docs/trace-format.md says what the output looks like. Everything that repeats is
 * made once, escaped and ready to be copied: the beginning of an event for each
 * kernel, graph and driver function, the ids of each thread. A slice is then a
 * handful of copies and a few numbers.
 */
#ifndef VPROF_TOOLS_CHROME_H
#define VPROF_TOOLS_CHROME_H

#include "tools/events.h"
#include "tools/idmap.h"
#include "tools/objects.h"
#include "tools/text.h"

/* Ready text for one definition. */
struct chrome_text {
	char *head;            /* ,\n{"ph":"X","cat":"launch","name":"gemm", */
	uint32_t head_size;
	uint32_t name_at;      /* where in head the name begins */
	char *args;            /* "kernel":"void gemm<...>(...)", or empty */
	uint32_t args_size;
	uint32_t more_size;
	const struct vprof_def_facts *facts; /* of a kernel; NULL: not known */
	const char *more;      /* of a graph's launch: "nodes":[...], when asked for; in names.lists */
};

/* What a process's records can refer to. */
struct chrome_names {
	struct chrome_text *kernels, *graphs, *calls; /* calls: by id, one more for unknown ones */
	uint32_t kernel_count, graph_count, call_count;
	struct idmap by_id;    /* definition id -> index in kernels, or in graphs + GRAPH_BIT */
	struct chrome_text no_kernel, no_graph;
	struct objects objects;
	struct buffer *lists;  /* text of nodes; graphs that are equal share one */
	uint32_t list_count;
};

/* How names are made. */
struct chrome_style {
	int raw;               /* kernels keep the names that the driver has for them */
	int expand;            /* launches of graphs get their nodes */
	/* The category and name of a driver function's slices. */
	const char *(*call)(const struct ring *ring, uint32_t call, const char *name, const char **category);
	const char *kernel;    /* category of a kernel's slices, */
	int full;              /* which have its whole name, not the short one with the whole one as argument */
};

extern const struct chrome_style chrome_style; /* that of output_chrome, without options */

int chrome_names_make(struct chrome_names *names, const struct ring *ring, const struct chrome_style *style);
void chrome_names_free(struct chrome_names *names);

/* The graphs' part of it, after the kernels: chrome_graphs.c. */
#define CHROME_GRAPH_BIT 0x80000000u
int chrome_graphs_make(struct chrome_names *names, const struct ring *ring, int expand);
int chrome_text_make(struct chrome_text *text, const char *category, const char *name, struct buffer *args);

const struct chrome_text *chrome_kernel(const struct chrome_names *names, uint32_t id);
const struct chrome_text *chrome_graph(const struct chrome_names *names, uint32_t id);

static inline const struct chrome_text *chrome_call(const struct chrome_names *names, uint32_t call)
{
	return &names->calls[call < names->call_count ? call : names->call_count];
}

struct chrome_track;

struct chrome {
	const struct trace *trace;
	struct chrome_names *names;    /* by process index */
	struct chrome_track *tracks;   /* of GPUs: chrome_gpu.c */
	uint32_t track_count;
	uint64_t arrows;
};

static inline char *put_named(char *p, const char *key, size_t size, const struct range_name *name)
{
	p = put_text(p, key, size);
	p = put_padded(p, name->json, name->json_size);
	return put_literal(p, "\",");
}

/* An argument whose value is a name of the program's: "range":"forward", */
#define PUT_NAMED(p, key, name) put_named(p, "\"" key "\":\"", sizeof("\"" key "\":\"") - 1, name)

/* A range, mark or counter of the program's. */
void chrome_range(struct buffer *out, const struct event *event, uint64_t base_ns);

/* Memory in use: at the window's beginning, after a change, at the end. */
void chrome_memory_begin(const struct chrome *chrome, struct buffer *out, const struct trace_process *process);
void chrome_memory_sums(const struct chrome *chrome, struct buffer *out, const struct event *sums);
void chrome_memory_totals(struct buffer *out, const struct trace_process *process);

/* The arguments of an event that say which objects it is about; at most 300 bytes. `text`: of a launch,
   its kernel's. */
char *chrome_put_objects(char *p, const struct chrome_names *names, const struct chrome_text *text,
			 const struct event *event);

/* One object of "deviceProperties". */
void chrome_put_device(struct buffer *out, const struct vprof_def_device *device);

/* "deviceProperties":[...], when any are known. */
void chrome_put_devices(struct buffer *out, const struct chrome *chrome);

struct step;

/* Names the track of a thread's steps; `alone`: its process has no other. Then one step on it. */
void chrome_steps_track(struct buffer *out, const struct trace_thread *thread, uint32_t tid, int alone);
void chrome_step(struct buffer *out, const struct step *step, uint32_t tid, uint64_t base_ns);

/* Begins a metadata event: its args are to follow, and two braces. */
void chrome_meta(struct buffer *out, const char *name, uint32_t pid, uint32_t tid);

/* What the GPUs did: launch by launch, then the names of the tracks that it took. */
void chrome_gpu(void *state, struct buffer *out, const struct trace_process *process,
		const struct gpu_event *events, size_t count);
void chrome_gpu_names(const struct chrome *chrome, struct buffer *out);

void chrome_slices(void *state, struct buffer *out, const struct event *events, int count);

#endif
