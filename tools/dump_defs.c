/*
 * dump_defs.c - a ring's definitions, one entry a line.
 *
 * A table says of each type what it is called and which fields it has; what is new in the
 * format needs a row here and no code.
 */
#include <string.h>
#include "tools/cli.h"
#include "tools/dump.h"

enum form {
	FORM_COUNT,
	FORM_SIGNED,
	FORM_HEX,
	FORM_BYTES,  /* as one number in hexadecimal */
};

struct field {
	const char *name;
	uint16_t offset;
	uint8_t size, form;
};

enum { FIELDS_MOST = 20 };

#define FIELD(type, field, form) \
	{ #field, offsetof(struct type, field), sizeof(((struct type *)0)->field), FORM_##form }

static const struct type {
	const char *name;
	uint32_t text;   /* where the entry's own name begins; 0: it has none */
	struct field fields[FIELDS_MOST];
} types[] = {
#define T vprof_def_call
	[VPROF_DEF_CALL] = { "call", offsetof(struct T, name), { FIELD(T, call, COUNT), FIELD(T, family, COUNT) } },
#undef T
#define T vprof_def_kernel
	[VPROF_DEF_KERNEL] = { "kernel", offsetof(struct T, name), { FIELD(T, handle, HEX), FIELD(T, module, HEX) } },
#undef T
#define T vprof_def_graph
	[VPROF_DEF_GRAPH] = { "graph", 0, { FIELD(T, number, COUNT), FIELD(T, exec, HEX), FIELD(T, graph, HEX),
					    FIELD(T, nodes, COUNT), FIELD(T, flags, COUNT) } },
#undef T
#define T vprof_def_module
	[VPROF_DEF_MODULE] = { "module", offsetof(struct T, name), { FIELD(T, number, COUNT), FIELD(T, handle, HEX),
			       FIELD(T, image, COUNT), FIELD(T, size, COUNT) } },
#undef T
	[VPROF_DEF_TEXT] = { "text", offsetof(struct vprof_def_text, name), { { 0 } } },
	[VPROF_DEF_DOMAIN] = { "domain", offsetof(struct vprof_def_domain, name), { { 0 } } },
#define T vprof_def_category
	[VPROF_DEF_CATEGORY] = { "category", offsetof(struct T, name), { FIELD(T, domain, COUNT),
				 FIELD(T, category, COUNT) } },
#undef T
#define T vprof_def_label
	[VPROF_DEF_LABEL] = { "label", offsetof(struct T, name), { FIELD(T, of, COUNT), FIELD(T, handle, HEX),
			      FIELD(T, domain, COUNT) } },
#undef T
#define T vprof_def_stream
	[VPROF_DEF_STREAM] = { "stream", 0, { FIELD(T, number, COUNT), FIELD(T, handle, HEX), FIELD(T, context, HEX),
					      FIELD(T, device, SIGNED), FIELD(T, priority, SIGNED),
					      FIELD(T, flags, COUNT) } },
#undef T
#define T vprof_def_event
	[VPROF_DEF_EVENT] = { "event", 0, { FIELD(T, number, COUNT), FIELD(T, handle, HEX), FIELD(T, flags, COUNT) } },
#undef T
#define T vprof_def_context
	[VPROF_DEF_CONTEXT] = { "context", 0, { FIELD(T, number, COUNT), FIELD(T, handle, HEX),
						FIELD(T, device, SIGNED), FIELD(T, kind, COUNT),
						FIELD(T, flags, COUNT) } },
#undef T
#define T vprof_def_device
	[VPROF_DEF_DEVICE] = { "device", offsetof(struct T, name), {
		FIELD(T, ordinal, SIGNED), FIELD(T, uuid, BYTES), FIELD(T, memory, COUNT), FIELD(T, major, COUNT),
		FIELD(T, minor, COUNT), FIELD(T, sm_count, COUNT), FIELD(T, clock_khz, COUNT), FIELD(T, warp, COUNT),
		FIELD(T, threads_per_sm, COUNT), FIELD(T, blocks_per_sm, COUNT), FIELD(T, threads_per_block, COUNT),
		FIELD(T, registers_per_sm, COUNT), FIELD(T, registers_per_block, COUNT), FIELD(T, shared_per_sm, COUNT),
		FIELD(T, shared_per_block, COUNT), FIELD(T, shared_per_block_optin, COUNT),
		FIELD(T, shared_reserved, COUNT), FIELD(T, l2, COUNT), FIELD(T, bus_bits, COUNT),
		FIELD(T, driver, COUNT) } },
#undef T
#define T vprof_def_facts
	[VPROF_DEF_FACTS] = { "facts", 0, {
		FIELD(T, kernel, COUNT), FIELD(T, valid, COUNT), FIELD(T, registers, COUNT),
		FIELD(T, shared_static, COUNT), FIELD(T, shared_most, COUNT), FIELD(T, constant, COUNT),
		FIELD(T, local, COUNT), FIELD(T, threads_most, COUNT), FIELD(T, ptx, COUNT), FIELD(T, binary, COUNT),
		FIELD(T, device, SIGNED), FIELD(T, param_count, COUNT), FIELD(T, param_bytes, COUNT) } },
#undef T
#define T vprof_def_nodes
	[VPROF_DEF_NODES] = { "nodes", 0, { FIELD(T, graph, COUNT), FIELD(T, first, COUNT), FIELD(T, count, COUNT),
					    FIELD(T, total, COUNT) } },
#undef T
#define T vprof_def_edges
	[VPROF_DEF_EDGES] = { "edges", 0, { FIELD(T, graph, COUNT), FIELD(T, first, COUNT), FIELD(T, count, COUNT),
					    FIELD(T, total, COUNT) } },
#undef T
#define T vprof_def_saved
	[VPROF_DEF_SAVED] = { "saved", offsetof(struct T, name), { FIELD(T, module, COUNT), FIELD(T, size, COUNT),
			      FIELD(T, hash, HEX) } },
#undef T
	[VPROF_DEF_UNKNOWN] = { "unknown_call", offsetof(struct vprof_def_unknown, name), { { 0 } } },
#define T vprof_def_origin
	[VPROF_DEF_ORIGIN] = { "origin", 0, { FIELD(T, graph, COUNT), FIELD(T, call, COUNT), FIELD(T, tid, COUNT),
					      FIELD(T, capture_tid, COUNT), FIELD(T, capture_ticks, COUNT),
					      FIELD(T, capture_stream, HEX) } },
#undef T
#define T vprof_def_twin
	[VPROF_DEF_TWIN] = { "twin", 0, { FIELD(T, graph, COUNT), FIELD(T, device, SIGNED), FIELD(T, why, COUNT),
					  FIELD(T, error, COUNT), FIELD(T, build_us, COUNT), FIELD(T, first, COUNT),
					  FIELD(T, count, COUNT), FIELD(T, total, COUNT), FIELD(T, part, COUNT),
					  FIELD(T, parts, COUNT) } },
#undef T
#define T vprof_def_gpu
	[VPROF_DEF_GPU] = { "gpu", 0, { FIELD(T, device, SIGNED), FIELD(T, mode, COUNT), FIELD(T, ticks, COUNT),
					FIELD(T, step_ns, COUNT), FIELD(T, error, COUNT) } },
#undef T
};

static uint64_t number_at(const uint8_t *at, uint32_t size)
{
	uint64_t wide;
	uint32_t word;
	uint16_t half;

	switch (size) {
	case sizeof(wide):
		memcpy(&wide, at, sizeof(wide));
		return wide;
	case sizeof(word):
		memcpy(&word, at, sizeof(word));
		return word;
	default:
		memcpy(&half, at, sizeof(half));
		return half;
	}
}

static void print_field(FILE *out, const struct vprof_def *def, const struct field *field)
{
	const uint8_t *at = (const uint8_t *)def + field->offset;

	fprintf(out, "%s=", field->name);
	if (field->form == FORM_BYTES) {
		for (uint32_t i = 0; i < field->size; i++)
			fprintf(out, "%02x", at[i]);
	} else if (field->form == FORM_HEX) {
		fprintf(out, "0x%llx", (unsigned long long)number_at(at, field->size));
	} else if (field->form == FORM_SIGNED) {
		fprintf(out, "%d", (int32_t)number_at(at, field->size));
	} else {
		fprintf(out, "%llu", (unsigned long long)number_at(at, field->size));
	}
}

/* "offset:size" of each parameter. */
static void print_params(FILE *out, const struct vprof_def_facts *facts)
{
	uint32_t count = ring_facts_params(facts);

	for (uint32_t i = 0; i < count; i++)
		fprintf(out, "%s%u:%u", i ? "," : " params=", facts->params[i].offset, facts->params[i].size);
}

/* "class:ns:error" of each that was measured. */
static void print_costs(FILE *out, const struct vprof_def_gpu *def)
{
	int count = 0;

	for (uint32_t i = 0; i < VPROF_STAMP_CLASSES; i++)
		if (def->cost[i].error_ns != UINT32_MAX)
			fprintf(out, "%s%u:%u:%u", count++ ? "," : " costs=", i, def->cost[i].ns,
				def->cost[i].error_ns);
}

/* "node:class" of each, with a word for what is none; of the first, which stands before all nodes, the class alone. */
static void print_stamps(FILE *out, const struct vprof_def_twin *def)
{
	static const char *const words[] = { /* from the last number on */
		[UINT32_MAX - VPROF_STAMP_FIRST] = "", [UINT32_MAX - VPROF_STAMP_GAUGE_BEGIN] = "gauge-begin",
		[UINT32_MAX - VPROF_STAMP_GAUGE_END] = "gauge-end", [UINT32_MAX - VPROF_STAMP_GAUGE] = "gauge",
		[UINT32_MAX - VPROF_STAMP_STARTED] = "started",
	};

	for (uint32_t i = 0; i < def->count; i++) {
		uint32_t node = def->stamps[i].node, behind = UINT32_MAX - node;

		fputs(i ? "," : " stamps=", out);
		if (behind < sizeof(words) / sizeof(words[0]))
			fputs(words[behind], out);
		else
			fprintf(out, "%u", node);
		fprintf(out, ":%u", def->stamps[i].type);
	}
}

/* The entry's fields as key=value, none of which needs to be escaped. */
static void print_fields(FILE *out, const struct vprof_def *def, const struct type *type)
{
	if (!type)
		fprintf(out, "type=%u bytes=%u", def->type, def->size);
	for (uint32_t i = 0; type && i < FIELDS_MOST && type->fields[i].name; i++) {
		if (i)
			putc(' ', out);
		print_field(out, def, &type->fields[i]);
	}
	if (def->type == VPROF_DEF_FACTS)
		print_params(out, (const struct vprof_def_facts *)def);
	if (def->type == VPROF_DEF_GPU)
		print_costs(out, (const struct vprof_def_gpu *)def);
	if (def->type == VPROF_DEF_TWIN)
		print_stamps(out, (const struct vprof_def_twin *)def);
}

void dump_defs(const struct dump_ring *dump, FILE *out, int json)
{
	const struct vprof_def *def;

	for (def = ring_def_next(dump->ring, NULL); def; def = ring_def_next(dump->ring, def)) {
		const struct type *type = NULL;

		if (def->type < sizeof(types) / sizeof(types[0]) && types[def->type].name)
			type = &types[def->type];
		fprintf(out, json ? "{\"def\":%u,\"type\":\"%s\",\"name\":" : "def %u %s ",
			ring_def_id(dump->ring, def), type ? type->name : "unknown");
		(json ? cli_json_string : dump_word)(out, type && type->text ? (const char *)def + type->text : "");
		fputs(json ? ",\"fields\":\"" : " ", out);
		print_fields(out, def, type);
		fputs(json ? "\"}\n" : "\n", out);
	}
}
