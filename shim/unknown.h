/*
 * unknown.h - driver functions that a program looked up and that have no row.
 */
#ifndef VPROF_SHIM_UNKNOWN_H
#define VPROF_SHIM_UNKNOWN_H

#include "preload/compiler.h"

/* The driver has given out a function by this name that we do not know. */
void vprof_unknown_seen(const char *name) HIDDEN COLD;

/* There is a new ring. */
void vprof_unknown_tell_all(void) HIDDEN;

#endif
