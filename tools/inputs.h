/*
 * inputs.h - from the words of a command line to opened rings.
 *
 * A word is a ring file, a folder (its *.ring; when it has none, those of its
 * subfolders) or a glob pattern that the shell left alone. Links are followed: the
 * entry in the output folder may be a link to a ring on tmpfs. A ring that is
 * reached twice (same device and inode) is taken once. The order is that of the
 * words, by name within a folder or pattern.
 *
 * COPIES. Processes may put copies of their rings beside them (NAME.snap-N.ring, VPROF_SNAP_ON). What is in
 * a copy was in the ring too: so of a folder they are left out as long as it has other rings, and a copy that
 * is named is left out when its process's own ring is read as well.
 *
 * MESSAGES go to stderr as "PROGRAM: PATH: reason", one for each word or ring that
 * cannot be read; the rest goes on.
 */
#ifndef VPROF_TOOLS_INPUTS_H
#define VPROF_TOOLS_INPUTS_H

#include <stddef.h>
#include <sys/types.h>
#include "tools/clock.h"
#include "tools/ring.h"

struct input {
	char *path;          /* as named, or folder/name */
	char *real;          /* where the bytes lie, links resolved; `path` when that is not known */
	dev_t device;
	ino_t inode;
	struct ring ring;    /* valid after inputs_open_all() */
	struct clock clock;  /* likewise; aligned with the other rings' of its boot */
};

struct inputs {
	const char *program; /* for messages, NULL: none are given; not owned */
	struct input *list;  /* after inputs_open_all() only rings that are open */
	size_t count;
	size_t failed;       /* words and rings that gave a message */
	size_t copies;       /* left out, see above */
	int with_copies;     /* none are */
};

/* Finds the rings that the words name. 0, or -ENOENT when there is none, or -ENOMEM. */
int inputs_collect(struct inputs *inputs, const char *program, int argc, char **argv);

/* The same, and no copies are left out, neither here nor in inputs_open_all(). */
int inputs_collect_copies(struct inputs *inputs, const char *program, int argc, char **argv);

/*
 * Opens all, builds and aligns their clocks. 0 when at least one ring is open, else a
 * negative errno (its message has been printed): the command ends with CLI_FAILED.
 */
int inputs_open_all(struct inputs *inputs);

/* Is there a record, or could there have been? 0, with a message, where the files lack all of them. */
int inputs_have_records(const struct inputs *inputs);

void inputs_close(struct inputs *inputs);

#endif
