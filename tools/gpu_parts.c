/*
 * gpu_parts.c - see the header.
 */
#include "tools/gpu_parts.h"

#include <inttypes.h>
#include "tools/cli.h"

int gpu_parts_add(struct gpu_parts *parts, const struct ring *ring, uint32_t process, uint32_t graph, uint32_t of)
{
	const struct vprof_def_graph *def = ring_def(ring, graph, VPROF_DEF_GRAPH);

	if (of < 2)
		return 0;
	parts->least = parts->launches && parts->least < of ? parts->least : of;
	parts->most = parts->most > of ? parts->most : of;
	parts->launches++;
	return idmap_put(&parts->seen, (uint64_t)process << 32 | (def ? def->number : 0), 0);
}

void gpu_parts_free(struct gpu_parts *parts)
{
	idmap_free(&parts->seen);
}

char *gpu_parts_text(char *text, size_t size, const struct gpu_parts *parts)
{
	char to[32] = "";

	if (parts->most > parts->least)
		snprintf(to, sizeof(to), " to %u", parts->most);
	snprintf(text, size, "%" PRIu64 " %s of %u %s timed in %u%s parts by turns, one part's nodes each",
		 parts->launches, cli_word(parts->launches, "launch", "launches"), parts->seen.count,
		 cli_word(parts->seen.count, "graph", "graphs"), parts->least, to);
	return text;
}

void gpu_parts_remark(const struct gpu_parts *parts, FILE *out, const char *before, const char *more)
{
	char text[GPU_PARTS_TEXT];

	if (parts->launches)
		fprintf(out, "%s%s;\n%s%s\n", before, gpu_parts_text(text, sizeof(text), parts), before, more);
}

void gpu_parts_json(const struct gpu_parts *parts, FILE *out)
{
	fprintf(out, "\"parts\": {\"launches\": %" PRIu64 ", \"graphs\": %u, \"least\": %u, \"most\": %u}",
		parts->launches, parts->seen.count, parts->least, parts->most);
}
