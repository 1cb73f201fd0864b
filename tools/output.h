/*
 * output.h - what turns a trace into a file format.
 *
 * An output is a row of functions. They are called in this order: open; begin;
 * process for each; slices, many times; thread for each that had slices; steps for each
 * that had some, each followed by step for each of these; gpu, many times for each process for
 * which a GPU worked; end; close. All of them append to `out` and never write themselves.
 *
 * THREADS. slices() is called by several threads at once, each with its own `out`;
 * what it appends lands in the file in order of time. It may read `state` but
 * not change it. The other functions are called by one thread while no slices()
 * runs. Memory errors are kept in out->error, which the caller looks at.
 */
#ifndef VPROF_TOOLS_OUTPUT_H
#define VPROF_TOOLS_OUTPUT_H

#include "tools/events.h"
#include "tools/text.h"

struct step;

struct output {
	const char *name;
	int (*open)(void **state, const struct trace *trace);
	void (*begin)(void *state, struct buffer *out);
	void (*process)(void *state, struct buffer *out, const struct trace_process *process);
	void (*slices)(void *state, struct buffer *out, const struct event *events, int count);
	void (*thread)(void *state, struct buffer *out, const struct trace_thread *thread);
	/* A track for the steps of a thread, with an id of its own; `alone`: the only one of its process. */
	void (*steps)(void *state, struct buffer *out, const struct trace_thread *thread, uint32_t tid, int alone);
	void (*step)(void *state, struct buffer *out, const struct step *step, uint32_t tid);
	/* What the GPUs did for a process: in order of begin where process->gpu has it, else a launch at a
	   time. NULL: the output has no place for it. */
	void (*gpu)(void *state, struct buffer *out, const struct trace_process *process,
		    const struct gpu_event *events, size_t count);
	void (*end)(void *state, struct buffer *out);
	void (*close)(void *state);
};

extern const struct output output_chrome, output_kineto;

#endif
