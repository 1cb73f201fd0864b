/*
 * names.h - texts that the program gives: kept once in memory, defined once in each ring.
 *
 * A kept text (a registered string, a domain) lives as long as the process, in an arena of
 * our own; the program holds a pointer to it as an opaque handle. Its definition is made
 * when a record first needs it, anew in each ring (a forked child has its own). A text
 * that comes with every call is interned when it comes a second time: names that are built anew
 * for each range would fill the definitions.
 *
 * Any thread, no locks: lists only grow at their head. Errno is kept.
 */
#ifndef VPROF_PRELOAD_NAMES_H
#define VPROF_PRELOAD_NAMES_H

#include <stddef.h>
#include <stdint.h>
#include <wchar.h>
#include "preload/compiler.h"
#include "vprof/ring.h"

struct vprof_name {
	struct vprof_name *next;   /* in its bucket */
	uint64_t word;             /* generation << 32 | definition; relaxed: any thread may set it */
	uint32_t hash;
	uint16_t type;             /* of the definition: VPROF_DEF_TEXT or VPROF_DEF_DOMAIN */
	uint16_t length;
	char text[];
};

enum { VPROF_NAME_MOST = 1024 }; /* bytes of a name, with its NUL; what is longer is cut */

/* Counts rings made in this process: definitions of another generation are void. */
extern uint32_t vprof_generation HIDDEN;

/* The one kept text of this type that reads so; NULL when there is no memory (counted). */
struct vprof_name *vprof_name_keep(enum vprof_def_type type, const char *text) HIDDEN;

/* Is it one of ours, of this type? The program hands our pointers back, or others by mistake. */
int vprof_name_is(const void *handle, enum vprof_def_type type) HIDDEN;

/* Its definition in the present ring; 0: there is no room for it. */
uint32_t vprof_name_define(struct vprof_name *name) HIDDEN;

/* The definition of a text that has come before, 0 for one that has not. `now`: define it at once. */
uint32_t vprof_name_intern(const char *text, size_t length, int now) HIDDEN;

/* Names a category or a thing of the program's, in this ring and those to come. */
void vprof_name_category(struct vprof_name *domain, uint32_t category, const char *text) HIDDEN;
void vprof_name_label(enum vprof_label_of of, uint64_t handle, struct vprof_name *domain, const char *text) HIDDEN;

/* A ring has been made: what was named before is defined in it. The caller is the only one. */
void vprof_names_ring_ready(void) HIDDEN;

/* `from` as UTF-8, cut at a whole character, with its NUL. Returns the length. */
size_t vprof_name_narrow(char *to, size_t size, const wchar_t *from) HIDDEN;

#endif
