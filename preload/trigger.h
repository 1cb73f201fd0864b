/*
 * trigger.h - copies of the ring when something happens that VPROF_SNAP_ON names.
 *
 * Private to preload/, housekeeping only. A copy costs the program's threads nothing: one of ours makes it.
 */
#ifndef VPROF_PRELOAD_TRIGGER_H
#define VPROF_PRELOAD_TRIGGER_H

#include <stdint.h>
#include "preload/compiler.h"

/* A ring has been made: nothing has happened yet. */
void vprof_trigger_begin(void) HIDDEN;

/* How often vprof_trigger_round() is to be called; UINT64_MAX: not at all. */
uint64_t vprof_trigger_pace_ns(void) HIDDEN;

/* Has something happened? Then the copy. */
void vprof_trigger_round(void) HIDDEN;

#endif
