/*
 * manifest.h - manifest.json: what a run was, how it ended, what it recorded.
 *
 * Written when the program has started and again when it has ended, each time whole under another
 * name first and then put in its place. A folder that several runs share (--append, ranks that are
 * started side by side) has manifest.1.json and so on behind the first; none is ever replaced
 * but by the run that wrote it.
 */
#ifndef VPROF_TOOLS_MANIFEST_H
#define VPROF_TOOLS_MANIFEST_H

#include <stdint.h>
#include <sys/types.h>
#include "tools/recorded.h"
#include "tools/surround.h"

struct manifest {
	const char *folder;             /* absolute */
	char **command;                 /* ends with NULL */
	const struct surround *surround;
	pid_t pid;
	uint64_t start_ns, end_ns;      /* CLOCK_REALTIME; end 0: it runs */
	int status;                     /* as wait() gave it */
	const struct recorded *recorded; /* NULL: not known */
	char name[32];                  /* in the folder; empty before the first writing */
};

/* 0 or a negative errno. */
int manifest_write(struct manifest *manifest);

#endif
