/*
 * env_options.c - see the header. Names, kinds and help are made from the rows at the start.
 */
#include "tools/env_options.h"

#include <stdlib.h>
#include <string.h>
#include "tools/env_check.h"

enum {
	NAME_SIZE = 40,
	VALUE_MOST = 1023, /* bytes of a text that the library takes */
};

static const struct row {
	const char *name, *type, *fallback, *help;
} rows[ENV_ROWS] = {
#define VPROF_ENV(name, type, field, fallback, help) \
	[ENV_ROW_##field] = { #name, #type, fallback, help " (default: " fallback ")" },
#include "vprof/env.def"
#undef VPROF_ENV
};

static const char group_values[] =
#define VPROF_GROUP_ROW(group, name, what) name ", "
#include "vprof/group.def"
#undef VPROF_GROUP_ROW
	"all, none";

static const char *const groups[] = {
#define VPROF_GROUP_ROW(group, name, what) name,
#include "vprof/group.def"
#undef VPROF_GROUP_ROW
	"all", "none",
};

/* What a type's values look like, and what they are. */
static const struct type {
	const char *name, *argument;
	enum cli_kind kind;
} types[] = {
	{ "TEXT", "TEXT", CLI_TEXT },
	{ "COUNT", "N", CLI_TEXT },
	{ "SWITCH", "[=0|1]", CLI_SWITCH },
	{ "GROUPS", "GROUP,...", CLI_TEXT },
};

/* A type that has no row here is a text of some form, which the library judges. */
static const struct type *type_of(const struct row *row)
{
	for (size_t i = 1; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].name, row->type))
			return &types[i];
	return &types[0];
}

static int is_a(const struct row *row, const char *type)
{
	return !strcmp(row->type, type);
}

/* VPROF_RING_MB: ring-mb. */
static const char *option_name(char *text, const char *variable)
{
	char *p = text;

	for (const char *c = variable + strlen("VPROF_"); *c && p < text + NAME_SIZE - 1; c++)
		*p++ = *c == '_' ? '-' : *c >= 'A' && *c <= 'Z' ? (char)(*c + 'a' - 'A') : *c;
	*p = '\0';
	return text;
}

void env_options_fill(struct cli_option options[ENV_OPTIONS], size_t offset)
{
	static char names[ENV_ROWS][NAME_SIZE];

	for (size_t i = 0; i < ENV_ROWS; i++) {
		const struct type *type = type_of(&rows[i]);

		if (i == ENV_ROW_out)
			continue;
		*options++ = (struct cli_option){
			.name = option_name(names[i], rows[i].name),
			.kind = type->kind,
			.offset = offset + offsetof(struct env_choice, value) + i * sizeof(char *),
			.argument = type->argument,
			.help = rows[i].help,
			.values = is_a(&rows[i], "GROUPS") ? group_values : env_values((enum env_row)i),
		};
	}
}

static int check_groups(const struct cli_command *command, const char *option, const char *text)
{
	char word[32];

	for (;; text++) {
		size_t length = strcspn(text, ","), count = sizeof(groups) / sizeof(groups[0]), i;
		const char *near;

		snprintf(word, sizeof(word), "%.*s", (int)length, text);
		for (i = 0; i < count && strcmp(word, groups[i]); i++)
			;
		if (i == count) {
			near = cli_nearest(word, groups, count);
			return cli_usage(command, near ? "--%s: '%s' is no group of calls (did you mean %s?)" :
					 "--%s: '%s' is no group of calls", option, word, near);
		}
		text += length;
		if (!*text)
			return CLI_OK;
	}
}

/* As the library reads a SWITCH: 1, 0, or -1 for neither. */
static int switch_value(const char *text)
{
	static const char *const words[2][5] = {
		{ "0", "off", "no", "false", "" },
		{ "1", "on", "yes", "true", "1" },
	};

	for (int v = 0; v < 2; v++)
		for (size_t i = 0; i < 5; i++)
			if (!strcmp(text, words[v][i]))
				return v;
	return -1;
}

static int check_value(const struct cli_command *command, const struct row *row, const char *text)
{
	char option[NAME_SIZE];
	const char *allowed;
	uint64_t count;

	option_name(option, row->name);
	if (strlen(text) > VALUE_MOST)
		return cli_usage(command, "--%s: more than %d bytes", option, VALUE_MOST);
	if (is_a(row, "COUNT") && cli_parse_count(text, &count))
		return cli_usage(command, "--%s: '%s' is not a whole number", option, text);
	if (is_a(row, "SWITCH") && switch_value(text) < 0)
		return cli_usage(command, "--%s: '%s' is neither 0 nor 1", option, text);
	if (is_a(row, "GROUPS"))
		return check_groups(command, option, text);
	allowed = env_check((enum env_row)(row - rows), text);
	return allowed ? cli_usage(command, "--%s: '%s' is none of %s", option, text, allowed) : CLI_OK;
}

int env_options_check(const struct cli_command *command, const struct env_choice *choice)
{
	int code = CLI_OK;

	for (size_t i = 0; i < ENV_ROWS && !code; i++)
		if (choice->value[i])
			code = check_value(command, &rows[i], choice->value[i]);
	return code;
}

const char *env_row_name(enum env_row row)
{
	return rows[row].name;
}

const char *env_row_value(const struct env_choice *choice, enum env_row row)
{
	return choice->value[row] ? choice->value[row] : getenv(rows[row].name);
}

int env_row_on(const struct env_choice *choice, enum env_row row)
{
	const char *text = env_row_value(choice, row);
	int value = text ? switch_value(text) : -1;

	return value < 0 ? switch_value(rows[row].fallback) > 0 : value;
}
