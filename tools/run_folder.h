/*
 * run_folder.h - the folder that one run's rings and manifest go to.
 *
 * Without a name it is vprof-YYYYMMDD-HHMMSS under the working folder, with .1, .2 and so on
 * behind it where that is taken. What we make has mode 0700: rings tell of commands and kernels.
 */
#ifndef VPROF_TOOLS_RUN_FOLDER_H
#define VPROF_TOOLS_RUN_FOLDER_H

#include <dirent.h>
#include <stddef.h>

struct run_folder {
	char *path;              /* as a person would name it here */
	char *real;              /* absolute */
	int made;                /* by us, just now */
	struct dirent **earlier; /* rings that were there before: with `append` only */
	int earlier_count;
};

/*
 * Makes or takes the folder; one that has rings only with `append`. 0, or a negative errno with a
 * sentence in `why`.
 */
int run_folder_make(struct run_folder *folder, const char *wanted, int append, char *why, size_t why_size);
/* As it was before: for a run that came to nothing. */
void run_folder_undo(struct run_folder *folder);
void run_folder_free(struct run_folder *folder);

/*
 * Where rings are looked for when nobody says: VPROF_OUT, else the one of `out` and the run folders
 * here that rings came to last, one without any only where all are. Valid until the next call.
 */
const char *run_folder_usual(void);

/* The names of the rings in it, sorted, of this run alone; -1 and errno when it cannot be listed. */
int run_folder_rings(const struct run_folder *folder, struct dirent ***names);
void run_folder_names_free(struct dirent **names, int count);

#endif
