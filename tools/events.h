/*
 * events.h - the model: processes, threads, and records as events in time.
 *
 * A trace is made of opened rings. Each ring is one process (the image of one
 * exec); each thread that recorded in it is known by its serial number, since
 * the system reuses thread ids and vprof reuses lanes. An event is one record
 * with its thread and its times in nanoseconds of CLOCK_REALTIME.
 *
 * MEMORY. One small struct per process and per thread; no event is kept here.
 * THREADS. One caller at a time, but events that were given out may be read by
 * others meanwhile: what an output needs of a thread (ids) never changes, and
 * threads stay where they are until trace_close().
 */
#ifndef VPROF_TOOLS_EVENTS_H
#define VPROF_TOOLS_EVENTS_H

#include <stddef.h>
#include <stdint.h>
#include "tools/cli.h"
#include "tools/idmap.h"
#include "tools/inputs.h"
#include "tools/ranges.h"
#include "tools/role.h"

struct trace_process;
struct gpu_event;

struct trace_thread {
	struct trace_process *process;
	uint64_t serial;       /* in its ring */
	uint32_t os_tid;
	uint32_t tid;          /* os_tid, or a made-up one where an earlier thread had that */
	uint32_t index;        /* in process->threads */
	uint32_t ids_size;
	char ids[64];          /* "pid":1,"tid":2, - here since every slice needs it; see put_padded() */
	uint64_t comm_rank;    /* how new the name is */
	char comm[16];         /* newest name known; may be empty */
	const struct range_name *label; /* the program's own name for it, or NULL */
	struct range_stack *ranges; /* while the reading is in any; NULL: none yet */
	uint8_t chosen;        /* passes the filter */
	uint64_t slices;       /* events given out */
	uint32_t finder;       /* of its steps (steps.h): index + 1; 0: none */
};

struct trace_process {
	const struct ring *ring;
	const struct clock *clock;
	const char *path;
	uint32_t index;        /* in trace->processes */
	uint32_t os_pid;
	uint32_t pid;          /* os_pid, or a made-up one where another ring has that */
	char name[136];        /* without its pid, which is not always shown */
	struct role role;      /* as the ring alone tells it */
	uint8_t chosen;
	struct trace_thread **threads; /* in the order in which they were seen */
	uint32_t thread_count;
	struct idmap by_serial, by_tid; /* to the index */
	struct range_names names;
	const struct gpu_event *gpu; /* what the GPUs did for it, by begin; set by who opened the trace, who keeps it */
	size_t gpu_count;
	uint64_t slices;
	/* Known from the start: positions of lanes that no chunk covers. Grows when chunks are taken
	   over while they are read. */
	uint64_t overwritten;
	/* Likewise of a copy of the last so long (header.cut_first): left out on purpose, or overwritten before. */
	uint64_t not_copied;
	uint64_t cut_off; /* records in what its file lacks */
	/* Of work of GPUs, once it has been read: given out, left out, before its launch; UINT64_MAX: not known. */
	struct { uint64_t events, left_out, early, clock_error_ns; } gpu_seen;
	/* Filled as chunks are loaded, whole after the last one. */
	uint64_t present, in_flight, abandoned, torn, unreadable;
};

/* What is to be seen. Zeroed: everything. */
struct trace_filter {
	struct cli_time from, to;      /* after the first record of all rings, or before the end */
	struct cli_time last;          /* before the end */
	struct cli_list pids;          /* empty: all */
	struct cli_list threads;       /* tids or name patterns; empty: all */
};

/* The options that fill it, the same of every command; `at`: the offset of the filter in its values. */
#define TRACE_FILTER_OPTIONS(at)                                                                       \
	{ "from", 0, CLI_MOMENT, (at) + offsetof(struct trace_filter, from), "TIME",                   \
	  "only calls that had not ended TIME after the first record, or -TIME before the end" },      \
	{ "to", 0, CLI_MOMENT, (at) + offsetof(struct trace_filter, to), "TIME",                       \
	  "only calls that began up to TIME after the first record, or -TIME before the end" },        \
	{ "last", 0, CLI_TIME, (at) + offsetof(struct trace_filter, last), "TIME",                     \
	  "only the last TIME: as --from=-TIME" },                                                     \
	{ "pid", 'p', CLI_LIST, (at) + offsetof(struct trace_filter, pids), "PID,...",                 \
	  "only these processes" },                                                                    \
	{ "thread", 't', CLI_LIST, (at) + offsetof(struct trace_filter, threads), "THREAD,...",        \
	  "only these threads: thread ids or name patterns" }

void trace_filter_free(struct trace_filter *filter);

struct trace {
	struct trace_process *processes;
	size_t count;
	uint64_t base_ns;      /* CLOCK_REALTIME of the first record */
	uint64_t end_ns;       /* the last thing known to have happened */
	uint64_t from_ns, to_ns; /* what the filter lets through, both inclusive */
	const struct trace_filter *filter;
	int raw_names;         /* kernels are shown as the driver has them; set by who opened it */
	int estimate;          /* work of GPUs that was not measured is shown as expected (gpu_estimate.h); likewise */
	int expand_graphs;     /* launches of graphs are shown with their nodes; likewise */
	int chosen_only;       /* lanes of processes that are not chosen are not read; likewise */
	uint32_t rank, world;  /* of the only process that is chosen, for outputs of one process; likewise */
	uint32_t invented;     /* pids and tids made up so far */
	struct steps *steps;   /* where steps are looked for while the trace is read (steps.h); else NULL */
	struct memory_track *memory; /* by process, where memory in use is followed (memory_track.h); else NULL */
};

struct event {
	uint64_t start_ns, end_ns;     /* see trace_span() */
	struct trace_thread *thread;
	const struct range_name *name; /* of a range, mark or counter */
	const struct range_name *range; /* the innermost one that it was made in; NULL: none */
	struct vprof_slot slot;        /* done is EVENT_ABANDONED where the call was */
};

/* Most events that a chunk can give: its own, and ranges that it shows to have ended. */
enum { TRACE_CHUNK_EVENTS = VPROF_CHUNK_SLOTS + RANGE_DEPTH };

/* `filter` is to stay until trace_close(). 0 or -ENOMEM. */
int trace_open(struct trace *trace, const struct inputs *inputs, const struct trace_filter *filter);
void trace_close(struct trace *trace);

/* The same for a command: says what fails, and it fails where no process is among those asked for.
   0 or a negative errno. */
int trace_begin(struct trace *trace, const struct inputs *inputs, const struct trace_filter *filter);
/* At the end, when all threads have been seen: 0 where none is among those asked for. Who is not there is named. */
int trace_has_threads(const struct trace *trace, const char *program);

/*
 * Reads a chunk of a process into `events` (room for TRACE_CHUNK_EVENTS), those
 * that pass the filter, ordered by time; with trace->memory also calls of other threads that
 * change what is held, which are not to be shown (event_hidden()). `at` is the caller's place in the
 * clock's map. Returns their number or -ENOMEM.
 */
int trace_load(struct trace *trace, struct trace_process *process, const struct ring_chunk *chunk,
	       uint32_t *at, struct event *events);

/*
 * What the ring lost, reason by reason: 0 <= `reason` < PROCESS_LOSSES gives its count and
 * name. Whole after the last load.
 */
enum { PROCESS_LOSSES = 6 + VPROF_LOSS_COUNT };
uint64_t process_loss(const struct trace_process *process, int reason, const char **name);
uint64_t trace_loss(const struct trace *trace, int reason, const char **name); /* of the chosen rings */

/* What was counted while records were loaded is as it was, whatever is read in between. NULL: no memory.
   back() frees. */
struct trace_process *trace_counts_keep(const struct trace *trace);
void trace_counts_back(struct trace *trace, struct trace_process *kept);

/* One line on standard error of everything that is missing; nothing when nothing is. */
void trace_print_losses(const struct trace *trace, const char *program);

/* Could all records be read, as far as has been loaded? Says on standard error of which rings not. */
int trace_was_readable(const struct trace *trace, const char *program);

struct trace_span {
	uint64_t start_ns, end_ns;
};

/*
 * From when to when a call lasted. One in flight: to the end of its process where that is known,
 * else to the end of the trace. `ended`: ticks by which its thread had (ring_thread_ended()), or 0.
 */
static inline struct trace_span trace_span(const struct trace *trace, const struct trace_process *process,
					   const struct vprof_slot *slot, uint64_t ended, uint32_t *at)
{
	const struct vprof_ring_live *live = &process->ring->live;
	struct trace_span span = { clock_realtime(process->clock, at, slot->t0), trace->end_ns };
	uint32_t end_at = *at;

	if (__builtin_expect(slot->done != 0, 1))
		ended = slot->t0 + VPROF_DONE_TICKS(slot->done);
	else if (!ended && live->state == VPROF_RING_CLOSED)
		ended = live->end_ticks;
	if (__builtin_expect(ended != 0, 1))
		span.end_ns = clock_realtime(process->clock, &end_at, ended);
	if (span.end_ns < span.start_ns)
		span.end_ns = span.start_ns;
	return span;
}

/* CLOCK_REALTIME of a moment on the command line: after the first record, or before the end. */
uint64_t trace_moment(const struct trace *trace, const struct cli_time *moment);

/* Does the filter let it through? */
int trace_shows(const struct trace *trace, const struct trace_thread *thread, struct trace_span span);

/* Likewise what a GPU did for one launch: by who launched it, and when it was at work. */
int trace_shows_gpu(const struct trace *trace, const struct trace_process *process, const struct gpu_event *events,
		    uint32_t count);

/* Name for people, without the thread id. */
const char *thread_name(const struct trace_thread *thread);

/* Kind of an event that is no record: the sums of memory in use after the event before it. */
enum { EVENT_KIND_MEMORY = 0xff01 };

/* No whole slot has this: a call takes at least one tick. */
#define EVENT_ABANDONED VPROF_DONE(0, 1)

/* No record has seq 0, whatever kind it claims. */
static inline int event_is_sums(const struct event *event)
{
	return event->slot.kind == EVENT_KIND_MEMORY && !event->slot.seq;
}

static inline int event_hidden(const struct event *event)
{
	return !event->thread->chosen;
}

static inline int event_in_flight(const struct event *event)
{
	return !event->slot.done;
}

/* It never returned, for its thread ended within it (longjmp, pthread_exit, cancelled). */
static inline int event_abandoned(const struct event *event)
{
	return event->slot.done == EVENT_ABANDONED;
}

/* What kind of call: "launch", "copy", "sync", ... */
const char *event_category(const struct ring *ring, const struct vprof_slot *slot);

/* Direction of a copy: "HtoD"; "unified" where the driver goes by the addresses. */
const char *event_direction(uint32_t object);

/* "CUDA_ERROR_..." or NULL for a number that is not known. */
const char *event_error_name(uint32_t result);

enum { EVENT_RESULT_NOT_READY = 600 }; /* an answer to a query, no failure */

#endif
