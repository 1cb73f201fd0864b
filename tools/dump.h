/*
 * dump.h - one record as text or as JSON, from a table of what each kind holds.
 */
#ifndef VPROF_TOOLS_DUMP_H
#define VPROF_TOOLS_DUMP_H

#include <stdio.h>
#include "tools/clock.h"
#include "tools/records.h"

struct dump_ring {
	const struct ring *ring;
	const struct clock *clock;
	uint32_t at;          /* place in the clock's map */
	int demangle;         /* kernel names as C++ has them */
};

/* `t_ns`: since the first record of all rings. */
void dump_text(struct dump_ring *dump, FILE *out, const struct record *record, int64_t t_ns);
void dump_json(struct dump_ring *dump, FILE *out, const struct record *record, int64_t t_ns);

/* What its kind has: each field with a blank or a comma before it. */
void dump_fields(struct dump_ring *dump, FILE *out, const struct vprof_slot *slot, int json);

/* A range, mark or counter: what stands in place of a call's name, and its fields. */
const char *dump_said_call(const struct vprof_slot *slot);
void dump_said_text(const struct dump_ring *dump, FILE *out, const struct record *record);
void dump_said_json(const struct dump_ring *dump, FILE *out, const struct record *record);

/* A word of a line: blanks, control characters and backslashes as \xNN; "-" when empty. */
void dump_word(FILE *out, const char *text);

/* "12.000345678" from nanoseconds. */
void dump_seconds(FILE *out, int64_t ns);

/* The ring's lane table and definitions, one entry a line, as text or JSON. */
void dump_lanes(const struct dump_ring *dump, FILE *out, int json);
void dump_defs(const struct dump_ring *dump, FILE *out, int json);

#endif
