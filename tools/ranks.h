/*
 * ranks.h - the processes of a trace that used a GPU, in order of their ranks, and a file name for each.
 *
 * A rank is what the process's role says (role.h) where each of them has one of its own. Else they
 * are counted from 0: by role and rank, then by the first device that each made a context on, then
 * by the time at which their rings were made.
 */
#ifndef VPROF_TOOLS_RANKS_H
#define VPROF_TOOLS_RANKS_H

#include "tools/events.h"

struct rank {
	struct trace_process *process;
	uint32_t number;
	uint32_t device;       /* UINT32_MAX: not known */
};

struct ranks {
	struct rank *list;
	size_t count;
	size_t idle;           /* chosen processes that used no GPU, left out */
};

/* Of the processes that are chosen; of all of these when none used a GPU. 0 or -ENOMEM. */
int ranks_make(struct ranks *ranks, const struct trace *trace);
void ranks_free(struct ranks *ranks);

/*
 * The file of a rank, to be freed; NULL: no memory. In `pattern` %r stands for the rank, %p for the pid, %h for
 * the host, %n for the role's name and %% for a %; a pattern without %r and %p is a folder, in which
 * the name is one that TensorBoard's plugin looks for, with `suffix` behind it.
 */
char *rank_path(const struct rank *rank, const char *pattern, const char *suffix);

/* Does the pattern give each rank a name of its own? */
int rank_is_pattern(const char *pattern);

#endif
