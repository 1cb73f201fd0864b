/*
 * slow.h - is a step slower than those like it? For the trigger in the process and for vprof watch.
 *
 * Steps are of one kind when about as much is launched in them: graphs or none, the number of launches and the
 * blocks of the kernels to a power of two. A kind keeps the lengths of its last steps; a step is slow when it took so
 * many times their median, or longer than a limit. Which kinds there are is learnt; with too many the one that
 * has not been seen for longest is forgotten. No memory is taken, each step costs a bounded time.
 */
#ifndef VPROF_SLOW_H
#define VPROF_SLOW_H

#include "vprof/steps.h"

enum {
	VPROF_SLOW_KINDS = 32,
	VPROF_SLOW_KEPT = 31,      /* lengths of a kind */
	VPROF_SLOW_LEAST = 12,     /* so many before a median is believed */
};

struct vprof_slow_kind {
	uint32_t key;              /* 0: free */
	uint32_t count;            /* steps so far; the lengths are kept in turn */
	uint64_t seen;             /* number of the last step of this kind */
	uint64_t length[VPROF_SLOW_KEPT];
};

struct vprof_slow {
	uint64_t limit;            /* a step that takes longer is slow, in the unit of the steps; 0: none */
	uint64_t percent;          /* so is one that takes so much of the median; 0: none */
	uint64_t steps;            /* judged so far */
	uint64_t usual;            /* median that the last judgement went by; 0: not known */
	struct vprof_slow_kind kind[VPROF_SLOW_KINDS];
};

static inline uint32_t vprof_slow_log2(uint64_t value)
{
	return value ? 64 - (uint32_t)__builtin_clzll(value) : 0;
}

static inline uint32_t vprof_slow_key(const struct vprof_step *step)
{
	return 1u << 24 | (step->graphs != 0) << 16 | vprof_slow_log2(vprof_step_weight(step)) << 8 |
	       vprof_slow_log2(step->blocks);
}

/* Its own place, else a free one, else that of the kind that was last seen longest ago. */
static inline struct vprof_slow_kind *vprof_slow_kind_of(struct vprof_slow *s, uint32_t key)
{
	struct vprof_slow_kind *oldest = &s->kind[0];

	for (int i = 0; i < VPROF_SLOW_KINDS; i++) {
		if (s->kind[i].key == key)
			return &s->kind[i];
		if (s->kind[i].seen < oldest->seen)
			oldest = &s->kind[i];
	}
	oldest->key = key;
	oldest->count = 0;
	return oldest;
}

static inline uint64_t vprof_slow_median(const struct vprof_slow_kind *kind)
{
	uint32_t count = kind->count < VPROF_SLOW_KEPT ? kind->count : VPROF_SLOW_KEPT;
	uint64_t sorted[VPROF_SLOW_KEPT];

	for (uint32_t i = 0; i < count; i++) {
		uint32_t j = i;

		for (; j && sorted[j - 1] > kind->length[i]; j--)
			sorted[j] = sorted[j - 1];
		sorted[j] = kind->length[i];
	}
	return count ? sorted[count / 2] : 0;
}

/* 1: the step is slow. Steps in which graphs are made are never, nor do they count. */
static inline int vprof_slow_judge(struct vprof_slow *s, const struct vprof_step *step)
{
	uint64_t length = step->end - step->begin;
	struct vprof_slow_kind *kind;
	int slow;

	s->steps++;
	s->usual = 0;
	if (step->captures)
		return 0;
	kind = vprof_slow_kind_of(s, vprof_slow_key(step));
	if (kind->count >= VPROF_SLOW_LEAST)
		s->usual = vprof_slow_median(kind);
	slow = (s->limit && length > s->limit) || (s->percent && s->usual && length > s->usual / 100 * s->percent);
	kind->seen = s->steps;
	kind->length[kind->count++ % VPROF_SLOW_KEPT] = length;
	return slow;
}

#endif
