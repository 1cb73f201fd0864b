/*
 * spill_file.h - the files of a spill: segments, their budget, and what goes wrong with them.
 *
 * Private to the spill's thread. A file is open only while something is written to it.
 */
#ifndef VPROF_PRELOAD_SPILL_FILE_H
#define VPROF_PRELOAD_SPILL_FILE_H

#include <stdint.h>
#include "preload/compiler.h"

/*
 * Appends a frame with so many chunks. 0, or a negative errno after which nothing of the frame is there:
 * -EDQUOT when the budget is spent and old frames are not to go.
 */
int vprof_spill_write(const void *frame, uint32_t size, uint32_t chunks) HIDDEN;

/* Forgets all files: a new ring begins. */
void vprof_spill_file_reset(void) HIDDEN;

#endif
