/*
 * gpu_parts.h - launches that were timed in one of several parts of their graph's nodes (ring_gpu.h, PARTS): how many
 * they are, and the words for it that the commands share.
 *
 * Zeroed memory is an empty count.
 */
#ifndef VPROF_TOOLS_GPU_PARTS_H
#define VPROF_TOOLS_GPU_PARTS_H

#include <stdio.h>
#include "tools/idmap.h"
#include "tools/ring.h"

struct gpu_parts {
	uint64_t launches;
	uint32_t least, most;  /* parts of a graph */
	struct idmap seen;     /* graphs of which they are, by process and number */
};

/* Room for gpu_parts_text(). */
enum { GPU_PARTS_TEXT = 160 };

/* A launch of `graph` (definition) of the process of that index was timed in one of so many parts: counted from 2 on.
   0 or -ENOMEM. */
int gpu_parts_add(struct gpu_parts *parts, const struct ring *ring, uint32_t process, uint32_t graph, uint32_t of);
void gpu_parts_free(struct gpu_parts *parts);

/* For people, without an end: "257 launches of 1 graph timed in 3 parts by turns, ..."; returns text. */
char *gpu_parts_text(char *text, size_t size, const struct gpu_parts *parts);

/* That as a remark, and what follows from it, each a line: where there are such launches, else nothing. */
void gpu_parts_remark(const struct gpu_parts *parts, FILE *out, const char *before, const char *more);

/* "parts": {...} */
void gpu_parts_json(const struct gpu_parts *parts, FILE *out);

#endif
