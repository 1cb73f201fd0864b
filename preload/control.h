/*
 * control.h - what is recorded, who said so, and until when.
 *
 * Whoever switches stores the ring's control word and writes a window; requests from outside and
 * their limits are housekeeping's work. Private to preload/, but for what inner.h offers the shim.
 */
#ifndef VPROF_PRELOAD_CONTROL_H
#define VPROF_PRELOAD_CONTROL_H

#include <stdint.h>
#include "preload/clock.h"
#include "preload/compiler.h"
#include "preload/inner.h"
#include "vprof/ring.h"

/* The only clock that control knows, so that setting the time of day changes nothing. */
static inline uint64_t vprof_monotonic_ns(void)
{
	return vprof_clock_ns(CLOCK_MONOTONIC);
}

/* ---- requests: control.c, housekeeping only ---- */

/* Forgets what was asked of an earlier ring. Before housekeeping starts. */
void vprof_control_begin(void) HIDDEN;

/* Does what is due: requests, stamps, limits, windows. Short; call it between steps of long work. */
void vprof_control_round(void) HIDDEN;

/* Sleeps until then (CLOCK_MONOTONIC), or until something is due or somebody rings; then a round. */
void vprof_control_wait(uint64_t until_ns) HIDDEN;

/* Steps of the program in the window, where a limit counts them; else 0. Any thread. */
uint64_t vprof_steps_made(void) HIDDEN;

/* ---- the word and its windows: windows.c ---- */

/* A new ring begins, and with it a window when `groups` are recorded. Before anybody else knows the ring. */
void vprof_windows_begin(uint32_t groups, enum vprof_window_reason reason) HIDDEN;

/* Records these groups from now on, 0 for nothing. Any thread; never waits. */
void vprof_switch(uint32_t groups, enum vprof_window_reason reason, uint64_t serial) HIDDEN;

/*
 * The same by housekeeping, who waits until nobody else writes a window. Returns the number of the window
 * that begins; 0: none, or whoever writes one does not come to an end.
 */
uint64_t vprof_switch_surely(uint32_t groups, enum vprof_window_reason reason, uint64_t serial) HIDDEN;

/* Writes the window of a switch that somebody else made. Housekeeping only. */
void vprof_windows_settle(void) HIDDEN;

/* ---- a limit by launches: launches.c ---- */

/* No limit, for a new ring. */
void vprof_launches_begin(void) HIDDEN;

/* A limit is to come: launches leave the quick way. Housekeeping only. */
void vprof_launches_prepare(void) HIDDEN;

/* So many launches from now on, 0: as many as there are. While nothing is recorded. Housekeeping only. */
void vprof_launches_limit(uint64_t most) HIDDEN;

/* Which limit holds, if any does. Any thread. */
uint64_t vprof_launches_number(void) HIDDEN;

/* That limit is void: something else has switched since. One that came later holds. Any thread. */
void vprof_launches_free(uint64_t number) HIDDEN;

/* How many have been recorded under the limit; 0: there was none. */
uint64_t vprof_launches_made(void) HIDDEN;

/* Gives launches their quick way back some time after the limit. 1 while there is one. Housekeeping only. */
int vprof_launches_watch(void) HIDDEN;

#endif
