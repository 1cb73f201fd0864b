/*
 * refuse.h - why something is not what was asked for: a negative errno, and the end of a sentence for people.
 */
#ifndef VPROF_TOOLS_REFUSE_H
#define VPROF_TOOLS_REFUSE_H

#include <stddef.h>

/* Writes to `why` what follows the file's name in a message ("is empty"). Returns `error`. */
__attribute__((format(printf, 4, 5)))
int refuse(int error, char *why, size_t why_size, const char *format, ...);

#endif
