/*
 * watch_action.h - what is done when something has happened: a command, or copies of the rings.
 *
 * In a process of its own, so that the watch goes on; one at a time, and not again before some
 * time has passed. What comes meanwhile is told and counted, and not acted upon.
 */
#ifndef VPROF_TOOLS_WATCH_ACTION_H
#define VPROF_TOOLS_WATCH_ACTION_H

#include <sys/types.h>
#include "tools/watch.h"

struct watch_action {
	char **command;        /* NULL-terminated; NULL: copies (vprof snap) */
	char **places;         /* words for targets_collect(), for the copies */
	int place_count;
	const char *folder;    /* where the copies' folders go; NULL: here */
	uint64_t last_ns;      /* as struct snap_options */
	uint64_t cooldown_ns;
	int quiet;             /* the copies say nothing on stdout */

	pid_t pid;             /* 0: nothing goes on */
	uint64_t begun_ns;     /* the last one; 0: none yet */
	uint64_t done, failed, passed; /* how many; events that came while one went on, or too soon after it */
};

enum watch_done {
	ACTION_STARTED,
	ACTION_BUSY,           /* the last one goes on */
	ACTION_COOLDOWN,
};
const char *watch_done_name(enum watch_done done); /* "started", "busy", "cooldown" */

/* Would an event now be acted upon? ACTION_STARTED: yes. */
enum watch_done watch_action_ask(struct watch_action *action, uint64_t now_ns);

/* The environment of a command: VPROF_WATCH_REASON, _PID, _RING, _STEP (of a slow step), _MS. */
void watch_action_start(struct watch_action *action, const struct watch_event *event, uint64_t now_ns);

/* Has it ended? `wait`: until it has. */
void watch_action_settle(struct watch_action *action, int wait);

#endif
