/*
 * gpu_untimed.h - why a ring has no times of graphs that were to be timed.
 *
 * A twin is made while the program goes on, so the first launches of a graph have none; a program that ends soon has
 * no others.
 */
#ifndef VPROF_TOOLS_GPU_UNTIMED_H
#define VPROF_TOOLS_GPU_UNTIMED_H

#include "tools/ring.h"

struct gpu_untimed {
	uint64_t launches, of_twins; /* of graphs that are in the ring, and those of them that went to a twin */
	uint32_t twins, refused;     /* that were made, and that could not be */
	uint32_t sampled;            /* not each launch was to be timed */
};

/* Adds those of a ring. 0 or a negative errno: then they are not all, and tell no reason. */
int gpu_untimed_add(struct gpu_untimed *untimed, const struct ring *ring);

/* For people: "none of 7 launches of graphs was timed: all came before a twin was ready", and what to do about it; ""
   where that is not the reason. Returns text. */
enum { GPU_UNTIMED_TEXT = 200 };
char *gpu_untimed_text(char *text, size_t size, const struct gpu_untimed *untimed);

#endif
