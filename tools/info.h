/*
 * info.h - what `vprof info` finds out about one ring before it prints it.
 */
#ifndef VPROF_TOOLS_INFO_H
#define VPROF_TOOLS_INFO_H

#include "tools/inputs.h"

/* One thread's share of a ring. */
struct info_thread {
	uint64_t serial;      /* 0: records that no thread is known of any more */
	uint32_t tid;
	char comm[16];
	uint64_t present;     /* records in the file */
	uint64_t overwritten; /* as far as the gap they left is known to be this thread's */
	uint64_t first_ticks, last_ticks; /* of the records present */
	uint32_t last_call;
	enum info_last { INFO_RETURNED, INFO_IN_FLIGHT, INFO_ABANDONED } last; /* what became of it */
	uint16_t last_kind;
};

/* Calls of one function that were counted and not recorded, of the records present. */
struct info_query {
	uint32_t call;
	uint64_t count, failed;
};

struct info {
	struct ring_losses losses;
	uint64_t cut_off;     /* records in what the file lacks; not in losses.overwritten */
	uint64_t abandoned;   /* of losses.in_flight those whose threads have ended */
	struct info_thread *threads; /* by serial number */
	size_t thread_count;
	struct info_query *queries;  /* by call */
	size_t query_count;
	uint64_t queries_all; /* counted in all, gone records included */
	uint64_t first_ticks, last_ticks; /* of all records; first 0 when there are none */
};

/* Reads all records of the ring. 0 or a negative errno. */
int info_make(struct info *info, const struct ring *ring);
void info_free(struct info *info);

enum info_state {
	INFO_RUNNING,  /* its process lives on this machine */
	INFO_CLOSED,   /* it came to its own end */
	INFO_DIED,     /* it ran when last heard of, and is gone */
	INFO_UNKNOWN,  /* it ran when last heard of, on another machine or boot */
	INFO_COPY,     /* the ring is a copy, taken at a moment: see header.cut_ticks */
};
enum info_state info_state(const struct ring *ring);
const char *info_state_text(enum info_state state);

void info_text(const struct input *input, const struct info *info, FILE *out);
void info_json(const struct input *input, const struct info *info, FILE *out);

/* A table of its threads, and a member of an object, which is the last; `start_ns`: the ring's, CLOCK_REALTIME. */
void info_threads_text(const struct ring *ring, const struct info *info, const struct clock *clock, uint64_t start_ns,
		       FILE *out);
void info_threads_json(const struct ring *ring, const struct info *info, const struct clock *clock, FILE *out);

/* The GPUs that the process has used: rows of a table of two columns, and a member of an object. */
struct cli_table;
void info_devices_text(struct cli_table *table, const struct ring *ring);
void info_devices_json(const struct ring *ring, FILE *out);

/* What is known of time on them; nothing when there is none. */
void info_gpu_text(struct cli_table *table, const struct input *input);
void info_gpu_json(const struct input *input, FILE *out);

/* Likewise of the files beside the ring that keep what it has overwritten; nothing when there are none. */
void info_spill_text(struct cli_table *table, const struct ring *ring);
void info_spill_json(const struct ring *ring, FILE *out);

/* Likewise of the stretches in which it recorded. */
void info_windows_text(struct cli_table *table, const struct ring *ring, const struct clock *clock, uint64_t start_ns);
void info_windows_json(const struct ring *ring, const struct clock *clock, FILE *out);

/* The next device after `def` (NULL: the first), NULL at the end; and its UUID, into INFO_UUID_SIZE bytes. */
const struct vprof_def_device *info_next_device(const struct ring *ring, const struct vprof_def *def);
enum { INFO_UUID_SIZE = 37 };
char *info_uuid_text(char *text, const struct vprof_def_device *device);

#endif
