/*
 * forge.h - a ring that is being made, for the parts of forge.c.
 */
#ifndef TESTS_MERGE_FORGE_H
#define TESTS_MERGE_FORGE_H

#include <stdint.h>
#include "vprof/ring.h"

enum { DEFS_SIZE = 65536, HOLDINGS_MAX = 64, OBJECTS_MAX = 256, LANES_MAX = 1024 };

/* Definitions of one kind by their numbers, which begin at 1. */
struct forge_objects {
	uint32_t id[OBJECTS_MAX], count;
};

extern struct forge {
	uint8_t *file;
	struct vprof_ring_header *header;
	struct vprof_ring_live *live;
	struct forge_objects kernels, graphs, modules, texts;
	struct vprof_chunk *current;
	uint32_t slot; /* of it, the next one */
} forge;

__attribute__((noreturn)) void forge_die(const char *what);

/* The value of KEY in a line of the script, else `other`. Eight texts are kept at a time. */
const char *forge_text(const char *line, const char *key, const char *other);
uint64_t forge_number(const char *line, const char *key, uint64_t other);

/* The id of the object that the line names by its number. */
uint32_t forge_object(const struct forge_objects *objects, const char *line, const char *key);

/* The lane's next chunk becomes the current one. */
void forge_take_chunk(uint32_t lane, uint64_t thread, uint32_t tid, const char *comm);
struct vprof_slot *forge_next_slot(void);

/* Words of the script: definitions, and a whole ring of launches. */
void forge_call(const char *line);
void forge_kernel(const char *line);
void forge_graph(const char *line);
void forge_module(const char *line);
void forge_device(const char *line);
void forge_context(const char *line);
void forge_facts(const char *line);
void forge_nodes(const char *line);
void forge_saved(const char *line);
void forge_text_def(const char *line);
void forge_label(const char *line);
void forge_fill(const char *line);

#endif
