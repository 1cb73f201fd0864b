/*
 * trace_command.h - the frame of the verbs that look at whole traces: options, rings, trace, answer.
 */
#ifndef VPROF_TOOLS_TRACE_COMMAND_H
#define VPROF_TOOLS_TRACE_COMMAND_H

#include "tools/events.h"

struct trace_command {
	const struct cli_command *command;
	void *options;               /* with their defaults; filled from the command line */
	struct trace_filter *filter; /* the part of them that chooses; freed at the end */
	/* May complain of the options and returns CLI_OK or an exit code; NULL: nothing to ask. */
	int (*check)(void *options);
	/* Answers, on standard output; returns the exit code. */
	int (*print)(struct trace *trace, const void *options);
};

/* The end of an answer: says what failed, a negative errno or 0, and, unless scripts read it, what was lost.
   Returns the exit code. */
int trace_command_end(const struct cli_command *command, const struct trace *trace, int error, int json);

/* Are there times of a GPU? A message where there are none. */
int trace_command_has_gpu(const struct cli_command *command, const struct trace *trace);

/*
 * Of a trace without times of a GPU: returns whether a process of it was to have them, and says why there are none.
 * That there was nothing to be timed is said only where times were asked for.
 */
int trace_command_say_untimed(const struct cli_command *command, const struct trace *trace, int asked);

/* Does all of it; messages name the command. Returns the exit code. */
int trace_command_run(const struct trace_command *run, int argc, char **argv);

#endif
