/*
 * verify_runs.h - the runs that `vprof verify` makes of a command: beside CUPTI, under vprof, plain.
 *
 * Each has its standard input from /dev/null, and what it prints and what was recorded in its place
 * (verify_places.h). The folder is a temporary one unless it is to be kept.
 *
 * Nothing here knows CUPTI: the driver loads the recorder (CUDA_INJECTION64_PATH) into the command.
 */
#ifndef VPROF_TOOLS_VERIFY_RUNS_H
#define VPROF_TOOLS_VERIFY_RUNS_H

#include "tools/surround.h"
#include "tools/verify_places.h"

struct verify_runs {
	const char *program;        /* for messages */
	uint32_t count;             /* of runs beside CUPTI, and of those under vprof */
	char **command;
	const struct env_choice *env;
	const char *keep;           /* folder to make; NULL: a temporary one */
	const char *recorder;       /* file; NULL: beside this program, or installed with it */
	const char *cupti;          /* libcupti; NULL: the recorder looks for it */

	struct verify_places places; /* after verify_runs_begin() */
	char *recorder_path;        /* likewise, absolute */
	struct surround surround;   /* likewise */
	double wall_s[VERIFY_RUNS]; /* of one, the mean; 0: was not run */
	int status;                 /* of the last run, as wait() gave it */
	char now[VERIFY_PLACES_SAID]; /* which it is, for messages */
};

/* Makes the folder and finds what is needed. 0, or -1 after a message. */
int verify_runs_begin(struct verify_runs *runs);
/* Makes one run, number `at` from 0. 0, or -1 after a message: it could not be made, or the command failed. */
int verify_runs_make(struct verify_runs *runs, enum verify_run which, uint32_t at);
/* Removes the folder unless it is kept. To be called after verify_runs_begin() even if that failed. */
void verify_runs_end(struct verify_runs *runs);

#endif
