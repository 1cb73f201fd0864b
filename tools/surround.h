/*
 * surround.h - the environment in which a program is traced: LD_PRELOAD, VPROF_OUT and the rest.
 *
 * The library is looked for where VPROF_LIBRARY says, else beside this program, in the lib folder
 * beside its bin, and where libraries are installed. What LD_PRELOAD had before stays in front; a
 * libvprof.so in it gives way to ours.
 */
#ifndef VPROF_TOOLS_SURROUND_H
#define VPROF_TOOLS_SURROUND_H

#include "tools/env_options.h"

struct surround_pair {
	const char *name;
	char *value;
};

struct surround {
	char *library;       /* absolute path of libvprof.so */
	struct surround_pair pairs[ENV_ROWS + 1]; /* LD_PRELOAD first, then VPROF_OUT, then the others */
	size_t count;
};

/*
 * `out`: absolute. Values are the options', else those of our own environment. 0, or a negative
 * errno with a sentence in `why`.
 */
int surround_make(struct surround *surround, const struct env_choice *choice, const char *out, char *why,
		  size_t why_size);
void surround_free(struct surround *surround);

/* Puts all of them into this process's environment. 0 or a negative errno. */
int surround_set(const struct surround *surround);

/* The folder that this program's file lies in; NULL: not known. Free it. */
char *surround_own_folder(void);

#endif
