/*
 * watch.h - what happens in living processes, judged while it happens, from their rings alone.
 *
 * A round reads what is new in each ring (tools/ring_follow.h) and tells of
 *   slow steps   vprof/steps.h finds them, vprof/slow.h judges
 *   idleness     no call for so long, of a process that had been busy
 *   a hang       a call that has not returned for so long
 * each once. A process that is stopped, or whose recording is off, is not judged.
 */
#ifndef VPROF_TOOLS_WATCH_H
#define VPROF_TOOLS_WATCH_H

#include "tools/clock.h"
#include "tools/inputs.h"
#include "tools/ring_follow.h"

struct watch_rules {
	uint64_t slow_ns;      /* 0: none */
	uint64_t slow_percent; /* of the usual length; 0: none */
	uint64_t idle_ns, hang_ns; /* likewise */
};

enum watch_reason {
	WATCH_SLOW_STEP,
	WATCH_IDLE,
	WATCH_HANG,
};
const char *watch_reason_name(enum watch_reason reason); /* "slow_step", "idle", "hang" */

struct watch_event {
	enum watch_reason reason;
	const struct ring *ring;
	uint64_t ns;           /* how long the step, the idle time or the call has taken */
	uint64_t usual_ns;     /* of a slow step: its kind's median; 0: not known */
	uint64_t step;         /* its number since the watch of its thread began */
	const char *call;      /* of a hang */
};

/* One process. */
struct watch_process {
	struct ring ring;
	struct clock clock;
	struct ring_follow follow;
	dev_t device;
	ino_t inode;
	struct watch_thread **threads; /* that launch */
	size_t thread_count;
	struct watch_record *records; /* of this round */
	size_t record_count, record_room;
	uint64_t calls;        /* since it was last idle */
	uint64_t last_ticks;   /* when the last call returned; 0: none yet */
	uint64_t from_ticks;   /* when the watch began */
	uint64_t checked_ns;   /* when it was last asked for in /proc */
};

struct watch {
	struct watch_rules rules;
	struct watch_process **list;
	size_t count;
	uint64_t came, went;   /* processes */
	uint64_t missed;       /* chunks of records that were overwritten before they were read */
	void (*tell)(void *to, const struct watch_event *event);
	void *to;
};

/* Takes in the processes of these rings that live and are not watched yet. 0 or -ENOMEM. */
int watch_add(struct watch *watch, const struct inputs *inputs, uint64_t now_ns);

/* Reads all and tells; forgets processes that have ended. 0 or -ENOMEM. */
int watch_round(struct watch *watch, uint64_t now_ns);

void watch_close(struct watch *watch);

#endif
