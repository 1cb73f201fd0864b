/*
 * holdings.h - memory that the program holds: the ring's table of it, and the totals.
 *
 * The shim says what was taken and given back, of whatever kind; here nothing is known of CUDA.
 *
 * An address is looked up before the call that gives it back and removed after that call. In
 * between another thread may get the same address again: its entry takes the old one's place, and
 * the removal then finds nothing to do. So each entry leaves the totals once.
 *
 * RULES. Lock-free, of bounded length, and safe in a signal handler: an entry that another holds
 * for a moment is passed by. Errno is kept. Where there is no ring all of these do nothing.
 */
#ifndef VPROF_PRELOAD_HOLDINGS_H
#define VPROF_PRELOAD_HOLDINGS_H

#include <stdint.h>
#include "preload/compiler.h"
#include "vprof/ring.h"

/* An entry as it was when it was found. */
struct vprof_found {
	uint32_t index;            /* in the table, + 1; 0: not there */
	struct vprof_holding was;
};

#define VPROF_KIND_BIT(kind) (1u << (kind))

/* Can anything be held here and now: is there a ring of this process, with a table? */
int vprof_holdings_there(void) HIDDEN;

/*
 * Adds an entry and counts it in the totals; `thread` and `range` are filled in here. `context`: whose end
 * gives it back, 0: none's. 0, or -1 when there is no room (counted).
 */
int vprof_holding_take(const struct vprof_holding *holding, uint64_t context) HIDDEN;

/* Looks for an address held by one of `kinds` (VPROF_KIND_BIT). */
struct vprof_found vprof_holding_find(uint64_t address, unsigned kinds) HIDDEN;

/* Removes what was found. 1, or 0 when it has been removed meanwhile. */
int vprof_holding_give(const struct vprof_found *found) HIDDEN;

/*
 * An entry can have several owners, one at first. The last that drops it removes it: 1 then, else 0.
 */
void vprof_holding_share(const struct vprof_found *found) HIDDEN;
int vprof_holding_drop(const struct vprof_found *found) HIDDEN;

/* The next entry of `context` at or behind index `from`, so that a context's end can give it back. */
struct vprof_found vprof_holding_next(uint64_t context, uint32_t from) HIDDEN;

/* The ring of vprof_map: nothing is held in it yet. Called by the thread that makes it, before others use it. */
void vprof_holdings_reset(void) HIDDEN;

#endif
