/*
 * capture.h - what VPROF_CAPTURE asks of those who see a ring, a profiler or a range begin and end.
 */
#ifndef VPROF_PRELOAD_CAPTURE_H
#define VPROF_PRELOAD_CAPTURE_H

#include "preload/ranges.h"

/* With the configuration, before any range. */
void vprof_capture_init(void) HIDDEN;

/* Says once what is wrong with the variable. Called when the ring is made. */
void vprof_capture_complain(void) HIDDEN;

/* The first window of a new ring, which nobody else knows yet; and once all do. */
void vprof_capture_begin(void) HIDDEN;
void vprof_capture_catch_up(void) HIDDEN;

/* Does recording go by ranges at all? Constant from vprof_capture_init() on. */
extern int vprof_captures_ranges HIDDEN;

/* Is it a range that recording goes by? */
int vprof_capture_fits(const struct vprof_said *said) HIDDEN;

/* A range begins: 1 when recording goes by it. Then it has to say that it ends. Any thread; no locks. */
int vprof_capture_enter_slow(const struct vprof_said *said) HIDDEN;
static inline int vprof_capture_enter(const struct vprof_said *said)
{
	return unlikely(vprof_captures_ranges) ? vprof_capture_enter_slow(said) : 0;
}
void vprof_capture_leave(void) HIDDEN;

/* In a forked child, which has so many of its parent's ranges. */
void vprof_capture_child(uint32_t ranges) HIDDEN;

#endif
