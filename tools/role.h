/*
 * role.h - what a process is for, in the terms of who runs it: EngineCore, Worker_TP0, train.py.
 *
 * From its title where it has given itself one, else from its command line; its rank from the role's
 * own name, else, while it lives here, from the variables that launchers set. First of the rules
 * that fits:
 *   title "PREFIX::NAME"             NAME (vLLM, SGLang: EngineCore_DP0, Worker_TP0_PP1, scheduler_TP0)
 *   title "ray::NAME.method"         ray::NAME
 *   a server known by its command    "API server", "resource tracker", …
 *   a Python script or module        its name: train.py, torch.distributed.run
 *   any other                        the name of the program
 */
#ifndef VPROF_TOOLS_ROLE_H
#define VPROF_TOOLS_ROLE_H

#include <stdint.h>
#include "tools/ring.h"

struct role {
	char name[64];
	char rank[24];   /* for people: "3", "TP0 PP1"; empty: none is known */
	int64_t number;  /* of the rank, where it is one; else -1 */
	uint32_t place;  /* in a list: front ends first, then engines, then all others */
};

/* Needs the ring's RING_LIVE. `here`: its process lives in this pid namespace, and may be asked. */
void role_make(struct role *role, const struct ring *ring, int here);

/*
 * Does `word` name the role? A pattern of its name, regardless of case; without *, ? or [ also what
 * its name begins with up to a _ ("worker": Worker_TP0). "rank=N": its rank.
 */
int role_matches(const struct role *role, const char *word);

/* Order of a list: by place, name and rank, numbers as numbers. */
int role_compare(const struct role *a, const struct role *b);

/* By place and rank alone: 0 for those that only their names tell apart. */
int role_compare_rank(const struct role *a, const struct role *b);

#endif
