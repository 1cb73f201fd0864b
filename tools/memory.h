/*
 * memory.h - what records and holdings say about memory, in the readers' terms.
 *
 * A place is a device or the host. What is held at a place is told apart by how it was taken, in
 * three series; what lies nowhere (reserved addresses, mappings) is in none of them.
 */
#ifndef VPROF_TOOLS_MEMORY_H
#define VPROF_TOOLS_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include "tools/clock.h"
#include "tools/ring.h"

enum { MEMORY_SERIES = 3, MEMORY_NOWHERE = UINT32_MAX };

/* Bytes in use at each place, by series. */
struct memory_use {
	uint64_t bytes[VPROF_MEMORY_TOTALS][MEMORY_SERIES];
};

/* What a finished call did to it. */
struct memory_change {
	uint32_t place;      /* below VPROF_MEMORY_TOTALS */
	uint32_t series;
	uint64_t bytes;
	int give;            /* 0: taken */
};

/* "device", "pool", "managed", … as it was taken. */
const char *memory_kind_name(uint32_t kind);

/* Of a series at a place: "malloc", "pool", "VMM"; on the host "allocated", "registered", "other". */
const char *memory_series_name(uint32_t place, uint32_t series);

/* Series of a kind at a place; -1: in none. */
int memory_series_of(uint32_t kind, uint32_t place);

/* Place in the object of a MEMORY record; MEMORY_NOWHERE when it says none. */
uint32_t memory_place_of(uint32_t object);

/* 1 and the change that the record's call made; 0 when it made none. */
int memory_change_of(const struct vprof_slot *slot, struct memory_change *change);

/* Applies it, or with `undo` takes it back. What would be negative is 0: a part of the past is unknown. */
void memory_use_change(struct memory_use *use, const struct memory_change *change, int undo);

/* What is held at the end, by the ring's table. */
void memory_use_at_end(struct memory_use *use, const struct ring *ring);

/* "device 0", "host" into `text`; returns text. */
char *memory_place_text(char *text, size_t size, uint32_t place);

/* Was there ever anything at this place, as far as the ring says? */
int memory_was_used(const struct ring *ring, uint32_t place);

#endif
