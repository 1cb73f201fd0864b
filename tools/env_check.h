/*
 * env_check.h - would the library take this value? For variables whose values have a form or bounds of their own.
 *
 * The library takes its default for a value that it does not understand, and says so where it is read; who gives
 * it as an option is told before anything runs.
 */
#ifndef VPROF_TOOLS_ENV_CHECK_H
#define VPROF_TOOLS_ENV_CHECK_H

#include "tools/env_options.h"

/* What it would take, for people: "off, all, sample, sample:N"; NULL: there is no list of that. */
const char *env_values(enum env_row row);

/* NULL: it would; else what it would take, for people: "off, all, sample, sample:N". */
const char *env_check(enum env_row row, const char *text);

#endif
