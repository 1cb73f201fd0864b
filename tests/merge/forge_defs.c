/*
 * forge_defs.c - the definitions of a ring, from lines of a script.
 */
#include "tests/merge/forge.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static uint32_t add_def(uint16_t type, const void *fields, size_t size, const char *name)
{
	static uint64_t used = 8;
	size_t whole = (size + (name ? strlen(name) + 1 : 0) + 7) / 8 * 8;
	struct vprof_def *def = (void *)(forge.file + forge.header->defs_offset + used);
	uint32_t id = used / 8;

	if (used + whole > DEFS_SIZE)
		forge_die("no room for a definition");
	memcpy(def, fields, size);
	if (name)
		strcpy((char *)def + size, name);
	def->size = whole;
	def->type = type;
	def->state = VPROF_DEF_READY;
	used += whole;
	return id;
}

static void add_object(struct forge_objects *objects, uint32_t id)
{
	objects->id[++objects->count % OBJECTS_MAX] = id;
}

uint32_t forge_object(const struct forge_objects *objects, const char *line, const char *key)
{
	return objects->id[forge_number(line, key, 0) % OBJECTS_MAX];
}

void forge_call(const char *line)
{
	struct vprof_def_call def = { .call = forge_number(line, "id", 1), .family = forge_number(line, "family", 0) };

	add_def(VPROF_DEF_CALL, &def, sizeof(def), forge_text(line, "name", "cuCall"));
}

void forge_kernel(const char *line)
{
	struct vprof_def_kernel def = { .handle = forge_number(line, "handle", 1),
					.module = forge_number(line, "module", 0) };

	add_object(&forge.kernels, add_def(VPROF_DEF_KERNEL, &def, sizeof(def), forge_text(line, "name", "kernel")));
}

void forge_graph(const char *line)
{
	struct vprof_def_graph def = { .number = forge_number(line, "number", 1), .nodes = forge_number(line, "nodes", 0),
				       .exec = forge_number(line, "exec", 0) };

	add_object(&forge.graphs, add_def(VPROF_DEF_GRAPH, &def, sizeof(def), NULL));
}

void forge_module(const char *line)
{
	struct vprof_def_module def = { .handle = forge_number(line, "handle", 0), .size = forge_number(line, "size", 0),
					.image = forge_number(line, "image", 0), .number = forge_number(line, "number", 0) };

	add_object(&forge.modules, add_def(VPROF_DEF_MODULE, &def, sizeof(def), forge_text(line, "name", "")));
}

void forge_device(const char *line)
{
	struct vprof_def_device def = {
		.ordinal = forge_number(line, "ordinal", 0), .major = forge_number(line, "major", 9),
		.minor = forge_number(line, "minor", 0), .sm_count = forge_number(line, "sms", 132), .warp = 32,
		.threads_per_sm = 2048, .blocks_per_sm = 32, .threads_per_block = 1024, .registers_per_sm = 65536,
		.registers_per_block = 65536, .shared_per_sm = 233472, .shared_per_block = 49152,
		.shared_per_block_optin = 232448, .shared_reserved = 1024,
	};

	add_def(VPROF_DEF_DEVICE, &def, sizeof(def), forge_text(line, "name", "GPU"));
}

void forge_context(const char *line)
{
	struct vprof_def_context def = { .handle = forge_number(line, "handle", 1), .number = forge_number(line, "number", 1),
					 .device = (int32_t)forge_number(line, "device", 0), .kind = VPROF_CONTEXT_PRIMARY };

	add_def(VPROF_DEF_CONTEXT, &def, sizeof(def), NULL);
}

void forge_facts(const char *line)
{
	union {
		struct vprof_def_facts facts;
		uint8_t room[sizeof(struct vprof_def_facts) + 4 * VPROF_FACTS_PARAMS];
	} def = { .facts = {
		.kernel = forge_object(&forge.kernels, line, "kernel"), .registers = forge_number(line, "registers", 32),
		.shared_static = forge_number(line, "shared", 0), .local = forge_number(line, "local", 0),
		.threads_most = forge_number(line, "threads", 1024), .ptx = forge_number(line, "ptx", 90),
		.binary = forge_number(line, "binary", 90), .device = (int32_t)forge_number(line, "device", 0),
		.valid = forge_number(line, "valid", 1), .param_count = UINT32_MAX,
	} };
	const char *sizes = forge_text(line, "params", NULL);
	uint32_t count = 0;

	for (; sizes && *sizes && count < VPROF_FACTS_PARAMS; sizes += *sizes == ',') {
		def.facts.params[count].offset = def.facts.param_bytes;
		def.facts.params[count].size = strtoul(sizes, (char **)&sizes, 0);
		def.facts.param_bytes += def.facts.params[count++].size;
		def.facts.param_count = count;
	}
	add_def(VPROF_DEF_FACTS, &def, sizeof(def.facts) + 4 * count, NULL);
}

void forge_nodes(const char *line)
{
	union {
		struct vprof_def_nodes nodes;
		uint8_t room[sizeof(struct vprof_def_nodes) + 64 * sizeof(struct vprof_graph_node)];
	} def = { .nodes = { .graph = forge_object(&forge.graphs, line, "graph"), .count = forge_number(line, "count", 1) % 65 } };

	def.nodes.total = def.nodes.count;
	for (uint32_t i = 0; i < def.nodes.count; i++)
		def.nodes.nodes[i] = (struct vprof_graph_node){
			.type = VPROF_NODE_KERNEL, .object = forge_object(&forge.kernels, line, "kernel"), .grid = { 1, 1, 1 },
			.block = { forge_number(line, "block", 128), 1, 1 }, .shared = forge_number(line, "shared", 0),
		};
	add_def(VPROF_DEF_NODES, &def, sizeof(def.nodes) + def.nodes.count * sizeof(struct vprof_graph_node), NULL);
}

void forge_saved(const char *line)
{
	struct vprof_def_saved def = { .module = forge_object(&forge.modules, line, "module") };

	add_def(VPROF_DEF_SAVED, &def, sizeof(def), forge_text(line, "name", ""));
}

void forge_text_def(const char *line)
{
	struct vprof_def_text def = { { 0 } };

	add_object(&forge.texts, add_def(VPROF_DEF_TEXT, &def, sizeof(def), forge_text(line, "name", "text")));
}

void forge_label(const char *line)
{
	struct vprof_def_label def = { .handle = forge_number(line, "handle", 1), .of = VPROF_LABEL_STREAM };

	add_def(VPROF_DEF_LABEL, &def, offsetof(struct vprof_def_label, name), forge_text(line, "name", "stream"));
}
