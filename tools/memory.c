/*
 * memory.c - kinds, places and series of memory.
 */
#include "tools/memory.h"

#include <stdio.h>
#include <string.h>

const char *memory_kind_name(uint32_t kind)
{
	static const char *const names[] = {
		[VPROF_MEMORY_DEVICE] = "device", [VPROF_MEMORY_POOL] = "pool",
		[VPROF_MEMORY_MANAGED] = "managed", [VPROF_MEMORY_PINNED] = "pinned",
		[VPROF_MEMORY_REGISTERED] = "registered", [VPROF_MEMORY_PHYSICAL] = "physical",
		[VPROF_MEMORY_RESERVED] = "reserved", [VPROF_MEMORY_MAPPED] = "mapped",
		[VPROF_MEMORY_ARRAY] = "array",
	};

	return kind < sizeof(names) / sizeof(names[0]) && names[kind] ? names[kind] : "unknown";
}

const char *memory_series_name(uint32_t place, uint32_t series)
{
	static const char *const names[2][MEMORY_SERIES] = {
		{ "malloc", "pool", "VMM" }, { "allocated", "registered", "other" },
	};

	return names[place == VPROF_MEMORY_HOST][series];
}

int memory_series_of(uint32_t kind, uint32_t place)
{
	int host = place == VPROF_MEMORY_HOST;

	if (place >= VPROF_MEMORY_TOTALS)
		return -1;
	switch (kind) {
	case VPROF_MEMORY_DEVICE:
	case VPROF_MEMORY_MANAGED:
	case VPROF_MEMORY_ARRAY:
	case VPROF_MEMORY_PINNED:
		return 0;
	case VPROF_MEMORY_REGISTERED:
		return 1;
	case VPROF_MEMORY_POOL:
		return host ? 2 : 1;
	case VPROF_MEMORY_PHYSICAL:
		return 2;
	default:
		return -1;
	}
}

uint32_t memory_place_of(uint32_t object)
{
	uint32_t place = object >> VPROF_MEMORY_PLACE_SHIFT;

	return place && place <= VPROF_MEMORY_TOTALS ? place - 1 : MEMORY_NOWHERE;
}

int memory_change_of(const struct vprof_slot *slot, struct memory_change *change)
{
	uint32_t object = slot->object;
	int series;

	if (slot->kind != VPROF_KIND_MEMORY || !slot->done || VPROF_DONE_RESULT(slot->done) ||
	    object & VPROF_MEMORY_UNKNOWN || !(object & (VPROF_MEMORY_TAKE | VPROF_MEMORY_GIVE)))
		return 0;
	change->place = memory_place_of(object);
	series = memory_series_of(object & VPROF_MEMORY_KIND, change->place);
	if (series < 0)
		return 0;
	change->series = (uint32_t)series;
	change->bytes = slot->memory.bytes;
	change->give = !(object & VPROF_MEMORY_TAKE);
	return 1;
}

void memory_use_change(struct memory_use *use, const struct memory_change *change, int undo)
{
	uint64_t *bytes = &use->bytes[change->place][change->series];

	if (change->give == !!undo)
		*bytes += change->bytes;
	else
		*bytes -= *bytes < change->bytes ? *bytes : change->bytes;
}

void memory_use_at_end(struct memory_use *use, const struct ring *ring)
{
	memset(use, 0, sizeof(*use));
	for (uint32_t i = 0; i < ring->holding_count; i++) {
		const struct vprof_holding *held = &ring->holdings[i];
		int series = memory_series_of(held->kind, held->place);

		if (series >= 0)
			use->bytes[held->place][series] += held->bytes;
	}
}

char *memory_place_text(char *text, size_t size, uint32_t place)
{
	if (place == VPROF_MEMORY_HOST)
		snprintf(text, size, "host");
	else if (place < VPROF_MEMORY_HOST)
		snprintf(text, size, "device %u", place);
	else
		snprintf(text, size, "-");
	return text;
}

int memory_was_used(const struct ring *ring, uint32_t place)
{
	return ring->header.holdings_offset && (ring->live.memory[place].peak || ring->live.memory[place].bytes);
}
