/*
 * process.h - what became of the process that a ring belongs to, as /proc tells it.
 *
 * Pids mean something only where they were given out. A process of this machine and boot that is
 * in another pid namespace (a container) cannot be asked for; it is known to live by the anchors
 * that it adds to its ring once a second.
 */
#ifndef VPROF_TOOLS_PROCESS_H
#define VPROF_TOOLS_PROCESS_H

#include "tools/ring.h"

enum process_state {
	PROCESS_ALIVE,
	PROCESS_STOPPED,  /* by a signal or a debugger */
	PROCESS_FOREIGN,  /* alive, in another pid namespace */
	PROCESS_CLOSED,   /* it came to its own end */
	PROCESS_DEAD,     /* it ran when last heard of, and is gone */
	PROCESS_UNKNOWN,  /* likewise, but its machine, boot or pid namespace is another */
};

/* Needs the ring's RING_LIVE and RING_ANCHORS. */
enum process_state process_state(const struct ring *ring);

/* "alive", "stopped", "elsewhere", "closed", "dead", "unknown" */
const char *process_state_text(enum process_state state);

static inline int process_lives(enum process_state state)
{
	return state == PROCESS_ALIVE || state == PROCESS_STOPPED || state == PROCESS_FOREIGN;
}

/*
 * Has the process that lives under the ring's pid mapped this file? 0 for a copy of it, and for a ring of
 * what the process ran before an exec; 1 also when it cannot be told. Reads all of /proc/PID/maps.
 */
int process_has_ring(const struct ring *ring);

/* Was it written since this machine came up? Only then is its CLOCK_MONOTONIC ours. */
int process_same_boot(const struct ring *ring);

/* First bytes of /proc/PID/NAME, NUL-terminated: its size, or a negative errno. */
long process_read(uint32_t pid, const char *name, char *text, size_t size);

#endif
