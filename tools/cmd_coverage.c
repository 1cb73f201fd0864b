/*
 * cmd_coverage.c - `vprof coverage`: which functions of the driver are hooked, and how.
 *
 * Made from the library's own table (made/coverage.h, by the build). Of rings it tells which
 * functions their programs looked up that the table does not have.
 */
#include <string.h>
#include "tools/cli.h"
#include "tools/inputs.h"
#include "tools/verbs.h"
#include "made/coverage.h"

struct options {
	int json, functions;
};

static const struct cli_option table[] = {
	{ "json", 'j', CLI_FLAG, offsetof(struct options, json), NULL, "as one JSON object, with every function" },
	{ "functions", 'f', CLI_FLAG, offsetof(struct options, functions), NULL, "every function, not only how many" },
	{ 0 },
};

static const struct cli_command command = {
	"vprof coverage", "[RING...]",
	"Prints which functions of the CUDA driver libvprof.so records, by family.",
	"typed: the record names what the arguments say. plain: it has the first four of them as\n"
	"numbers. query: the function only asks; its calls are counted unless VPROF_TRACE names query.\n"
	"Of rings it also prints the functions that their programs looked up and that are not hooked.", table,
};

enum style { TYPED, PLAIN, QUERY, GATE, STYLES };
static const char *const style_names[] = { "typed", "plain", "query", "gate" };

struct function {
	const char *symbol, *base;
	int version, flags, arguments;
	enum vprof_family family;
	enum style style;
	int alias; /* given out by cuGetProcAddress alone */
};

static const struct function functions[] = {
#define ROW(symbol, base, version, flags, family, style, arguments, alias) \
	{ #symbol, #base, version, flags, arguments, VPROF_FAMILY_##family, style, alias },
#define CU_ROW(symbol, base, version, flags, family, style, arguments) \
	ROW(symbol, base, version, flags, family, style, arguments, 0)
#define CU_ALIAS(symbol, base, version, flags, family, style, arguments) \
	ROW(symbol, base, version, flags, family, style, arguments, 1)
#define CU_EXCEPT(symbol, reason)
	COVERAGE_ROWS
#undef CU_EXCEPT
};

static const struct except {
	const char *symbol, *reason;
} excepts[] = {
#undef CU_ROW
#undef CU_ALIAS
#define CU_ROW(symbol, base, version, flags, family, style, arguments)
#define CU_ALIAS(symbol, base, version, flags, family, style, arguments)
#define CU_EXCEPT(symbol, reason) { #symbol, reason },
	COVERAGE_ROWS
};

enum { FUNCTIONS = sizeof(functions) / sizeof(functions[0]), EXCEPTS = sizeof(excepts) / sizeof(excepts[0]) };

static const struct {
	const char *name, *group;
} families[] = {
	[VPROF_FAMILY_OTHER] = { "other", "context" },
	[VPROF_FAMILY_LAUNCH] = { "launch", "launch" },
	[VPROF_FAMILY_GRAPH] = { "graph", "graph" },
	[VPROF_FAMILY_COPY] = { "copy", "copy" },
	[VPROF_FAMILY_SET] = { "set", "copy" },
	[VPROF_FAMILY_SYNC] = { "sync", "sync" },
	[VPROF_FAMILY_EVENT] = { "event", "event" },
	[VPROF_FAMILY_STREAM] = { "stream", "stream" },
	[VPROF_FAMILY_MEMORY] = { "memory", "memory" },
	[VPROF_FAMILY_MODULE] = { "module", "module" },
	[VPROF_FAMILY_CONTEXT] = { "context", "context" },
	[VPROF_FAMILY_DEVICE] = { "device", "context" },
	[VPROF_FAMILY_PROFILER] = { "profiler", "context" },
	[VPROF_FAMILY_QUERY] = { "query", "query" },
};
enum { FAMILIES = sizeof(families) / sizeof(families[0]) };

static enum style style_of(const struct function *f)
{
	return f->family == VPROF_FAMILY_QUERY && f->style != GATE ? QUERY : f->style;
}

static int exported(void)
{
	int n = EXCEPTS;

	for (int i = 0; i < FUNCTIONS; i++)
		n += !functions[i].alias;
	return n;
}

/* ---- for people ---- */

static int print_families(void)
{
	struct cli_table *out = cli_table_new("llrrrrr");

	if (!out)
		return CLI_FAILED;
	cli_table_heads(out, "FAMILY", "GROUP", "FUNCTIONS", "TYPED", "PLAIN", "QUERY", "GATE");
	for (unsigned family = 0; family < FAMILIES; family++) {
		int counts[STYLES] = { 0 }, all = 0;

		for (int i = 0; i < FUNCTIONS; i++)
			if (functions[i].family == family && ++all)
				counts[style_of(&functions[i])]++;
		cli_table_cell(out, "%s", families[family].name);
		cli_table_cell(out, "%s", families[family].group);
		cli_table_cell(out, "%d", all);
		for (int style = 0; style < STYLES; style++)
			cli_table_cell(out, "%d", counts[style]);
	}
	return cli_table_print(out, stdout, 2) ? CLI_FAILED : CLI_OK;
}

static int print_functions(void)
{
	struct cli_table *out = cli_table_new("lllrrr");

	if (!out)
		return CLI_FAILED;
	putchar('\n');
	cli_table_heads(out, "FUNCTION", "FAMILY", "STYLE", "ARGUMENTS", "SINCE", "FLAGS");
	for (unsigned family = 0; family < FAMILIES; family++)
		for (int i = 0; i < FUNCTIONS; i++) {
			const struct function *f = &functions[i];

			if (f->family != family)
				continue;
			cli_table_cell(out, "%s%s", f->symbol, f->alias ? " (by cuGetProcAddress alone)" : "");
			cli_table_cell(out, "%s", families[family].name);
			cli_table_cell(out, "%s", style_names[style_of(f)]);
			cli_table_cell(out, "%d", f->arguments);
			cli_table_cell(out, "%d.%d", f->version / 1000, f->version % 1000 / 10);
			cli_table_cell(out, "%d", f->flags);
		}
	return cli_table_print(out, stdout, 2) ? CLI_FAILED : CLI_OK;
}

static int print_excepts(void)
{
	struct cli_table *out = cli_table_new("ll");

	if (!out)
		return CLI_FAILED;
	printf("\nNot hooked:\n");
	for (int i = 0; i < EXCEPTS; i++) {
		cli_table_cell(out, "%s", excepts[i].symbol);
		cli_table_cell(out, "%s", excepts[i].reason);
	}
	return cli_table_print(out, stdout, 2) ? CLI_FAILED : CLI_OK;
}

/* Calls `put` for each function that the ring's program looked up in vain. */
static void each_unknown(const struct input *input, void (*put)(const char *path, const char *name, int first))
{
	const struct ring *ring = &input->ring;
	const struct vprof_def *def = NULL;
	int first = 1;

	while ((def = ring_def_next(ring, def)))
		if (def->type == VPROF_DEF_UNKNOWN && ring_def(ring, ring_def_id(ring, def), VPROF_DEF_UNKNOWN)) {
			put(input->path, ((const struct vprof_def_unknown *)(const void *)def)->name, first);
			first = 0;
		}
}

static void unknown_text(const char *path, const char *name, int first)
{
	char copy[256];

	if (first)
		printf("\n%s: looked up and not known:\n", path);
	snprintf(copy, sizeof(copy), "%s", name);
	printf("  %s\n", cli_clean(copy));
}

static void unknown_json(const char *path, const char *name, int first)
{
	(void)path;
	if (!first)
		fputs(", ", stdout);
	cli_json_string(stdout, name);
}

static int print_text(const struct inputs *inputs, const struct options *o)
{
	int code;

	printf("CUDA 13.0's driver exports %d functions; %d have a row, %d are left alone.\n\n", exported(),
	       exported() - EXCEPTS, EXCEPTS);
	code = print_families();
	if (o->functions && code == CLI_OK)
		code = print_functions();
	if (code == CLI_OK)
		code = print_excepts();
	for (size_t i = 0; i < inputs->count; i++)
		each_unknown(&inputs->list[i], unknown_text);
	return code;
}

/* ---- for programs ---- */

static int print_json(const struct inputs *inputs)
{
	printf("{\"exported\": %d, \"functions\": [", exported());
	for (int i = 0; i < FUNCTIONS; i++) {
		const struct function *f = &functions[i];

		printf("%s\n  {\"symbol\": \"%s\", \"base\": \"%s\", \"version\": %d, \"flags\": %d, "
		       "\"family\": \"%s\", \"group\": \"%s\", \"style\": \"%s\", \"arguments\": %d, \"alias\": %s}",
		       i ? "," : "", f->symbol, f->base, f->version, f->flags, families[f->family].name,
		       families[f->family].group, style_names[style_of(f)], f->arguments, f->alias ? "true" : "false");
	}
	printf("\n], \"exceptions\": [");
	for (int i = 0; i < EXCEPTS; i++)
		printf("%s\n  {\"symbol\": \"%s\", \"reason\": \"%s\"}", i ? "," : "", excepts[i].symbol,
		       excepts[i].reason);
	printf("\n], \"rings\": [");
	for (size_t i = 0; i < inputs->count; i++) {
		printf("%s\n  {\"path\": ", i ? "," : "");
		cli_json_string(stdout, inputs->list[i].path);
		fputs(", \"unknown\": [", stdout);
		each_unknown(&inputs->list[i], unknown_json);
		fputs("]}", stdout);
	}
	puts("]}");
	return CLI_OK;
}

int cmd_coverage(int argc, char **argv)
{
	struct options o = { 0 };
	int operands = cli_parse(&command, &o, argc, argv), code = CLI_FAILED;
	struct inputs inputs = { 0 };

	if (operands < 0)
		return CLI_CODE(operands);
	if (!operands || (!inputs_collect(&inputs, command.name, operands, argv + 1) && !inputs_open_all(&inputs))) {
		code = o.json ? print_json(&inputs) : print_text(&inputs, &o);
		if (cli_finish(command.name) != CLI_OK)
			code = CLI_FAILED;
	}
	inputs_close(&inputs);
	return code;
}
