/*
 * run_child.h - a program that we run for the user: started, given our signals, waited for.
 *
 * The program stays in our process group, so the terminal's signals (Ctrl-C, Ctrl-\, Ctrl-Z, a new
 * window size, a hangup) reach it by themselves; what somebody sends to us alone is passed on. Our
 * signals are blocked from before the start and taken with sigwaitinfo(), so none is missed and
 * nothing happens in a handler.
 */
#ifndef VPROF_TOOLS_RUN_CHILD_H
#define VPROF_TOOLS_RUN_CHILD_H

#include <signal.h>
#include <sys/types.h>
#include "tools/surround.h"

struct run_child {
	pid_t pid;
	int status;                     /* as wait() gave it */
	sigset_t held;                  /* the signals that we take */
	sigset_t mask;                  /* ours before the start */
	struct sigaction child_action;  /* likewise, of SIGCHLD */
};

/* Starts `command` in `surround`. 0, or the errno, negative, of what did not work: execvp() or before. */
int run_child_start(struct run_child *child, char **command, const struct surround *surround);
/* Until it has ended. */
void run_child_wait(struct run_child *child);
/* Then, where this process is not to end with it: signals as before the start. */
void run_child_release(const struct run_child *child);

/* Runs `command` as it is and waits for it; its exit code, 128 and the signal's number, or -1. */
int run_other(const struct run_child *child, char **command);

/* Ends this process as the program ended. */
__attribute__((noreturn)) void run_child_end_like(const struct run_child *child);

#endif
