/*
 * dump_tables.c - a ring's lane table and its definitions, one entry a line.
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

/* Name of a definition and the rest of it as key=value; NULL name: it has none. */
static const char *def_parts(const struct vprof_def *def, const char **type, char *rest, size_t size)
{
	const struct vprof_def_call *call = (const void *)def;
	const struct vprof_def_kernel *kernel = (const void *)def;
	const struct vprof_def_graph *graph = (const void *)def;
	const struct vprof_def_module *module = (const void *)def;

	switch (def->type) {
	case VPROF_DEF_CALL:
		*type = "call";
		snprintf(rest, size, "call=%u family=%u", call->call, call->family);
		return call->name;
	case VPROF_DEF_KERNEL:
		*type = "kernel";
		snprintf(rest, size, "handle=0x%llx module=0x%llx", (unsigned long long)kernel->handle,
			 (unsigned long long)kernel->module);
		return kernel->name;
	case VPROF_DEF_GRAPH:
		*type = "graph";
		snprintf(rest, size, "number=%u exec=0x%llx graph=0x%llx nodes=%u", graph->number,
			 (unsigned long long)graph->exec, (unsigned long long)graph->graph, graph->nodes);
		return "";
	case VPROF_DEF_MODULE:
		*type = "module";
		snprintf(rest, size, "handle=0x%llx size=%llu", (unsigned long long)module->handle,
			 (unsigned long long)module->size);
		return module->name;
	default:
		*type = "unknown";
		snprintf(rest, size, "type=%u bytes=%u", def->type, def->size);
		return "";
	}
}

void dump_defs(const struct dump_ring *dump, FILE *out, int json)
{
	const struct vprof_def *def;

	for (def = ring_def_next(dump->ring, NULL); def; def = ring_def_next(dump->ring, def)) {
		const char *type, *name;
		char rest[160];

		name = def_parts(def, &type, rest, sizeof(rest));
		fprintf(out, json ? "{\"def\":%u,\"type\":\"%s\",\"name\":" : "def %u %s ",
			ring_def_id(dump->ring, def), type);
		(json ? cli_json_string : dump_word)(out, name);
		fprintf(out, json ? ",\"fields\":\"%s\"}\n" : " %s\n", rest);
	}
}
