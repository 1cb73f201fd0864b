/*
 * steps.h - the steps of this process while it goes on (vprof/steps.h), for whom counts or times them.
 *
 * Housekeeping reads the lanes; nothing is asked of the threads that record. What is not recorded is not
 * seen: VPROF_STEPS_GROUPS have to be. A step is known when the next one begins, or after a rest; the
 * first two of a loop are known with the second. Private to preload/, housekeeping only.
 */
#ifndef VPROF_PRELOAD_STEPS_H
#define VPROF_PRELOAD_STEPS_H

#include "preload/compiler.h"
#include "vprof/steps.h"

#define VPROF_STEPS_GROUPS (VPROF_GROUP_BIT(VPROF_GROUP_LAUNCH) | VPROF_GROUP_BIT(VPROF_GROUP_COPY) | \
			    VPROF_GROUP_BIT(VPROF_GROUP_SYNC) | VPROF_GROUP_BIT(VPROF_GROUP_EVENT) | \
			    VPROF_GROUP_BIT(VPROF_GROUP_GRAPH))

/* Who wants to know. */
enum vprof_steps_use {
	VPROF_STEPS_LIMIT = 0,   /* control.c */
	VPROF_STEPS_TRIGGER = 1,
	VPROF_STEPS_USES = 2,
};

/* A step that began and ended after vprof_steps_watch(). Its times are ticks. */
typedef void vprof_steps_seen(const struct vprof_step *step);

/* Steps from now on. 0, or -ENOMEM. Again: from now on anew. */
int vprof_steps_watch(enum vprof_steps_use use, vprof_steps_seen *seen) HIDDEN;
void vprof_steps_unwatch(enum vprof_steps_use use) HIDDEN;

/* Looks at what was recorded since, a bounded number of records. 1 while anybody watches: call it every millisecond. */
int vprof_steps_poll(void) HIDDEN;

/* Nobody watches: a new ring begins. */
void vprof_steps_forget(void) HIDDEN;

#endif
