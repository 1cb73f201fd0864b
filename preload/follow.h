/*
 * follow.h - our own lanes, read while they are written.
 *
 * Housekeeping reads what the program's threads record, as any reader of the file would: it never
 * waits for them, and they never notice. Private to preload/, one caller at a time.
 */
#ifndef VPROF_PRELOAD_FOLLOW_H
#define VPROF_PRELOAD_FOLLOW_H

#include <stdint.h>
#include "preload/compiler.h"
#include "vprof/ring.h"

enum { FOLLOW_LANES = 64 }; /* the first of a process; further ones are not read */

struct follow {
	uint64_t base;    /* of the chunk that is read; 0: none yet */
	uint32_t chunk;   /* its index */
	uint32_t at;      /* slot that comes next */
	uint16_t ready;   /* `slot` is a record that has not been given out */
	uint16_t dry;     /* it had none in this round */
	struct vprof_slot slot;
};

/* From now on: what is in the lanes already is passed over. */
void vprof_follow_begin(struct follow follows[FOLLOW_LANES]) HIDDEN;

/* A new round: lanes that had no more records are looked at again. */
void vprof_follow_round(struct follow follows[FOLLOW_LANES]) HIDDEN;

/*
 * The next record of all lanes whose call has returned, in the order in which the calls began as far as that
 * is known; NULL: there is none now. `lane`: its index. Valid until the next call.
 */
const struct vprof_slot *vprof_follow_next(struct follow follows[FOLLOW_LANES], uint32_t *lane) HIDDEN;

#endif
