/*
 * verify_places.h - the folder of what the runs of `vprof verify` recorded and printed.
 *
 * Of one run of each side: FOLDER/cupti and FOLDER/vprof, what was recorded, and a .log beside each. Of
 * several: the same in FOLDER/1, FOLDER/2 and so on. The plain run has FOLDER/plain.log alone.
 */
#ifndef VPROF_TOOLS_VERIFY_PLACES_H
#define VPROF_TOOLS_VERIFY_PLACES_H

#include <stdint.h>

enum verify_run { VERIFY_RUN_CUPTI, VERIFY_RUN_VPROF, VERIFY_RUN_PLAIN, VERIFY_RUNS };

extern const char *const verify_run_names[VERIFY_RUNS]; /* "cupti", "vprof", "plain": of folders and logs */

struct verify_places {
	char *folder;   /* absolute where it was made; owned */
	uint32_t count; /* of runs of each side */
	int numbered;   /* each in a folder of its own */
	int temporary;
};

/*
 * Makes `keep`, or a temporary folder where that is NULL, and those in it; both refuse one that has runs.
 * 0, or -1 after a message that begins with `program`.
 */
int verify_places_make(struct verify_places *places, uint32_t count, const char *keep, const char *program);
/* What was kept there: every run, VERIFY_RUNS_MOST at most. 0 or -ENOMEM. */
int verify_places_find(struct verify_places *places, const char *folder);

/* Where run number `at`, from 0, records; NULL without memory. Free it. */
char *verify_places_path(const struct verify_places *places, enum verify_run which, uint32_t at);

enum { VERIFY_PLACES_SAID = 40 };
/* "run 2 of 3: ", for messages, or "" of the only one. */
const char *verify_places_say(const struct verify_places *places, uint32_t at, char text[VERIFY_PLACES_SAID]);

/* Removes the folder if it is temporary. Also after verify_places_make() failed. */
void verify_places_end(struct verify_places *places);

#endif
