/*
 * gpu_words.h - what of the GPU a process is to time, as people give it and as its control page has it.
 */
#ifndef VPROF_TOOLS_GPU_WORDS_H
#define VPROF_TOOLS_GPU_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct gpu_words {
	int has_gpu, has_spans, has_window; /* which of them are given */
	uint32_t gpu, spans, window_us, period_us; /* as struct vprof_ring_control has them */
};

/* What there is, for people. */
#define GPU_WORDS_SAMPLES "off, all, sample, sample:N"
#define GPU_WORDS_WINDOWS "off, always, TIME/TIME (as in 2ms/200ms)"

/* "off", "all", "sample" or "sample:N". 0, or -1: it is none of these. */
int gpu_words_read_sample(const char *text, struct gpu_words *words);

/* "off", "always" or "TIME/TIME": for so long, once in so long. 0 or -1. */
int gpu_words_read_window(const char *text, struct gpu_words *words);

/* "on" or "off". 0 or -1. */
int gpu_words_read_spans(const char *text, struct gpu_words *words);

/* Of what is given, what is to be timed, and what is not to be: "the nodes of graphs, every launch; ...". Each returns
   text. */
enum { GPU_WORDS_TEXT = 256 };
char *gpu_words_on(char *text, size_t size, const struct gpu_words *words);
char *gpu_words_off(char *text, size_t size, const struct gpu_words *words);

static inline int gpu_words_given(const struct gpu_words *words)
{
	return words->has_gpu || words->has_spans || words->has_window;
}

#endif
