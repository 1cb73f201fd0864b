/*
 * step.h - one step of a program: when it was and what it consists of (a part of steps.h, which finds them).
 */
#ifndef VPROF_STEP_H
#define VPROF_STEP_H

#include <stdint.h>

enum vprof_step_source {
	VPROF_STEP_RESULTS = 1,
	VPROF_STEP_WAITS = 2,
};

struct vprof_step {
	uint64_t begin, end;       /* of its first call; of the last, idle time behind it left out */
	uint64_t waited;           /* time in waits of the host */
	uint64_t blocks;           /* of the kernels */
	uint64_t hash;             /* of kernels and graphs in order */
	uint64_t bytes_in, bytes_out;
	uint32_t launches, graphs; /* kernels launched one by one; graphs */
	uint32_t nodes;            /* of those graphs */
	uint32_t copies_in, copies_out, copies; /* to the device, to the host, others and sets */
	uint16_t source;           /* enum vprof_step_source */
	uint8_t fetched;           /* results were copied to the host */
	uint8_t captures;          /* graphs were made in it */
};

static inline uint32_t vprof_step_weight(const struct vprof_step *step)
{
	return step->launches + step->nodes;
}

/* Two pieces that may be turns of one loop. */
static inline int vprof_step_alike(const struct vprof_step *a, const struct vprof_step *b)
{
	uint32_t more = a->launches > b->launches ? a->launches : b->launches;
	uint32_t less = a->launches + b->launches - more;

	if (a->hash == b->hash)
		return 1;
	return a->graphs == b->graphs && less >= 16 && more - less <= more / 16;
}

/* `more` came behind it and belongs to it. */
static inline void vprof_step_join(struct vprof_step *to, const struct vprof_step *more)
{
	if (!more->begin)
		return;
	if (!to->begin)
		to->begin = more->begin;
	if (more->end > to->end)
		to->end = more->end;
	to->waited += more->waited;
	to->blocks += more->blocks;
	to->hash = more->launches || more->graphs ? to->hash * 31 + more->hash : to->hash;
	to->bytes_in += more->bytes_in;
	to->bytes_out += more->bytes_out;
	to->launches += more->launches;
	to->graphs += more->graphs;
	to->nodes += more->nodes;
	to->copies_in += more->copies_in;
	to->copies_out += more->copies_out;
	to->copies += more->copies;
	to->captures |= more->captures;
}

static inline uint64_t vprof_step_mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

#endif
