/*
 * dump_tables.c - a ring's lane table, one entry a line.
 */
#include "tools/cli.h"
#include "tools/dump.h"

static const char *lane_state(uint32_t state)
{
	static const char *const names[] = { "unused", "live", "idle" };

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

void dump_lanes(const struct dump_ring *dump, FILE *out, int json)
{
	for (uint32_t i = 0; i < dump->ring->lane_count; i++) {
		const struct vprof_lane *lane = &dump->ring->lanes[i];

		if (lane->state == VPROF_LANE_UNUSED && !lane->thread)
			continue;
		fprintf(out, json ? "{\"lane\":%u,\"state\":\"%s\",\"tid\":%u,\"comm\":"
				  : "lane %u %s %u ", i, lane_state(lane->state), lane->tid);
		(json ? cli_json_string : dump_word)(out, lane->comm);
		fprintf(out, json ? ",\"thread\":%llu,\"chunk\":%lld,\"sealed\":%llu,\"owner_first\":%llu}\n"
				  : " thread=%llu chunk=%lld sealed=%llu owner_first=%llu\n",
			(unsigned long long)lane->thread, (long long)lane->chunk - 1,
			(unsigned long long)lane->sealed, (unsigned long long)lane->owner_first);
	}
}
