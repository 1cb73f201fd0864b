/*
 * targets.h - from the words of a command line to processes.
 *
 * A word is where rings lie, or says which processes are meant:
 *   a folder; a file whose name ends in .ring or has a /      rings (tools/inputs.h); without any:
 *                                                             VPROF_OUT, or the folder out
 *   a number                                                  the process of that pid
 *   rank=N, or any other word                                 a role (role_matches())
 * All rings of the places are opened, as far as a header and a live page go, and those that no
 * selecting word fits are left out; copies of rings (vprof snap) are no processes, and left out too.
 *
 * MESSAGES go to stderr as "PROGRAM: WORD: reason", for each word that leads nowhere and each ring
 * that cannot be read.
 */
#ifndef VPROF_TOOLS_TARGETS_H
#define VPROF_TOOLS_TARGETS_H

#include "tools/inputs.h"
#include "tools/process.h"
#include "tools/role.h"

struct target {
	const char *path;
	struct ring ring;     /* with RING_LIVE and RING_ANCHORS */
	enum process_state state;
	struct role role;
	int named;            /* by a pid, or as a file: meant in any case */
};

struct targets {
	struct inputs inputs;
	struct target *list;  /* in the order of role_compare(), then by pid */
	size_t count;
	size_t failed;        /* messages that were given */
};

/* 0 when a ring was found, whether or not it was selected; else a negative errno, with a message. */
int targets_find(struct targets *targets, const char *program, int argc, char **argv);
void targets_close(struct targets *targets);

/*
 * The rings of the selected processes, living or dead, for who reads them whole: as inputs_collect() gives them.
 * `program` NULL: without messages.
 */
int targets_collect(struct inputs *inputs, const char *program, int argc, char **argv);

/* Has the process used no GPU so far: no context, no kernel, no stream? Reads little. */
int target_is_idle(const struct target *target);

#endif
