/*
 * ring_follow.h - the records of a live ring as they come, each once.
 *
 * Where ring.h reads a ring as of one moment, this reads on from where it was: of each lane the slots
 * that were filled since, and by the tickets the chunks that were taken since. A round costs what is
 * new, and some reads for each living thread. A call is given out when it has returned; one that has
 * not holds up its lane, whose next records are given out behind it.
 *
 * Who is asked too seldom loses the records that were overwritten meanwhile, which are counted.
 */
#ifndef VPROF_TOOLS_RING_FOLLOW_H
#define VPROF_TOOLS_RING_FOLLOW_H

#include "tools/ring.h"

/* Where a lane has been read up to. */
struct follow_lane {
	uint64_t base;         /* of the chunk; 0: none yet */
	uint64_t first;        /* the lane's position of its slot 1 */
	uint32_t chunk;        /* its index */
	uint32_t next;         /* slot to be read next */
	uint64_t thread;       /* serial of the owner at that place */
	uint64_t queries;
	/* The call that has not returned: slot `next`, as it was published; open.seq 0: none. */
	struct vprof_slot open;
	uint64_t told;         /* the caller's: seq of the open call that it has told of */
};

struct ring_follow {
	struct ring *ring;     /* not owned; RING_LIVE is read in each round */
	struct follow_lane *lanes;
	uint32_t lane_count;   /* that were ever in use */
	uint64_t ticket;       /* chunks handed out when the last round began */
	uint64_t missed;       /* chunks that were overwritten before they were read */
	uint64_t asked;        /* calls in the last round that are only counted */
};

/* `thread`: its serial number in the ring. */
typedef void follow_see(void *to, uint64_t thread, const struct vprof_slot *slot);

/* Begins with what the threads' present chunks hold. 0 or -ENOMEM. */
int ring_follow_begin(struct ring_follow *follow, struct ring *ring);
void ring_follow_end(struct ring_follow *follow);

/* Gives out what is new, lane by lane. 0 or a negative errno. */
int ring_follow_round(struct ring_follow *follow, follow_see *see, void *to);

#endif
