/*
 * verbs.h - the verbs of `vprof`, one function each. A new verb is a row in verbs.c.
 *
 * argv[0] is the verb; the exit code comes back.
 */
#ifndef VPROF_TOOLS_VERBS_H
#define VPROF_TOOLS_VERBS_H

#include <stdio.h>

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};

/* The table, which ends with a row whose name is NULL. */
extern const struct verb vprof_verbs[];

/* Prints the verbs. */
void vprof_help(FILE *out);

int cmd_coverage(int argc, char **argv);
int cmd_cubin(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_gpu(int argc, char **argv);
int cmd_graphs(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_kernels(int argc, char **argv);
int cmd_mark(int argc, char **argv);
int cmd_memory(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_snap(int argc, char **argv);
int cmd_start(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_env(int argc, char **argv);
int cmd_steps(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_help(int argc, char **argv);

#endif
