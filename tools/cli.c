/*
 * cli.c - parsing a command line by its table of options, and the help made from it.
 */
#include "tools/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "tools/list.h"

enum { HELP_COLUMN = 28, HELP_WIDTH = 80 };

static const struct cli_option common[] = {
	{ "help", 'h', CLI_FLAG, 0, NULL, "show this help" },
	{ "version", 0, CLI_FLAG, 0, NULL, "show the version" },
	{ 0 },
};

int cli_usage(const struct cli_command *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", command->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry '%s --help'.\n", command->name);
	return CLI_USAGE;
}

/* Bytes up to the next blank; of a list that is longer than a line, behind the last comma that a line has room for. */
static int word_length(const char *text, int room)
{
	int word = (int)strcspn(text, " \n");
	const char *comma = word > room ? memrchr(text, ',', (size_t)room) : NULL;

	return comma ? (int)(comma + 1 - text) : word;
}

void cli_wrapped(FILE *out, const char *text, int column)
{
	int at = column;

	while (*text) {
		int word = word_length(text, HELP_WIDTH - column);

		if (at > column && at + 1 + word > HELP_WIDTH) {
			fprintf(out, "\n%*s", column, "");
			at = column;
		} else if (at > column) {
			fputc(' ', out);
			at++;
		}
		fprintf(out, "%.*s", word, text);
		at += word;
		text += word + (text[word] == ' ' || text[word] == '\n');
		if (text[-1] == '\n' && *text == '\n') {
			fprintf(out, "\n\n%*s", column, "");
			at = column;
			text++;
		}
	}
	fputc('\n', out);
}

static void put_option(FILE *out, const struct cli_option *option)
{
	char left[80];
	int n = 0;

	n = option->letter ? snprintf(left, sizeof(left), "  -%c, ", option->letter)
			   : snprintf(left, sizeof(left), "      ");
	n += snprintf(left + n, sizeof(left) - (size_t)n, "--%s%s%s", option->name,
		      option->argument && option->kind != CLI_SWITCH ? " " : "",
		      option->argument ? option->argument : "");
	if (n > HELP_COLUMN - 2)
		fprintf(out, "%s\n%*s", left, HELP_COLUMN, "");
	else
		fprintf(out, "%-*s", HELP_COLUMN, left);
	cli_wrapped(out, option->help, HELP_COLUMN);
}

void cli_help(const struct cli_command *command, FILE *out)
{
	char usage[256];

	snprintf(usage, sizeof(usage), "Usage: %s [OPTION...] %s", command->name, command->operands);
	cli_wrapped(out, usage, 0);
	cli_wrapped(out, command->summary, 0);
	fprintf(out, "\nOptions:\n");
	for (const struct cli_option *o = command->options; o && o->name; o++)
		put_option(out, o);
	for (const struct cli_option *o = common; o->name; o++)
		put_option(out, o);
	if (command->notes) {
		fputc('\n', out);
		cli_wrapped(out, command->notes, 0);
	}
}

/* Finds the option that a long name means; NULL with a message when none or several do. */
static const struct cli_option *find_long(const struct cli_command *command, const char *name,
					  size_t length)
{
	const struct cli_option *tables[] = { command->options, common };
	const struct cli_option *fits = NULL;
	const char *names[64];
	size_t count = 0, fitting = 0;

	for (size_t t = 0; t < 2; t++) {
		for (const struct cli_option *o = tables[t]; o && o->name; o++) {
			if (count < sizeof(names) / sizeof(names[0]))
				names[count++] = o->name;
			if (strncmp(o->name, name, length))
				continue;
			if (!o->name[length])
				return o;
			fits = o;
			fitting++;
		}
	}
	if (fitting == 1)
		return fits;
	if (fitting) {
		cli_usage(command, "--%.*s: may mean more than one option", (int)length, name);
		return NULL;
	}
	char wanted[64];
	const char *near;

	snprintf(wanted, sizeof(wanted), "%.*s", (int)length, name);
	near = cli_nearest(wanted, names, count);
	if (near)
		cli_usage(command, "--%s: no such option (did you mean --%s?)", wanted, near);
	else
		cli_usage(command, "--%s: no such option", wanted);
	return NULL;
}

static const struct cli_option *find_short(const struct cli_command *command, char letter)
{
	const struct cli_option *tables[] = { command->options, common };

	for (size_t t = 0; t < 2; t++)
		for (const struct cli_option *o = tables[t]; o && o->name; o++)
			if (o->letter == letter)
				return o;
	cli_usage(command, "-%c: no such option", letter);
	return NULL;
}

/* Adds the comma-separated items of `text`. */
static int list_add(struct cli_list *list, const char *text)
{
	for (;;) {
		size_t length = strcspn(text, ",");

		if (list_grow(list->items, list->count))
			return -ENOMEM;
		list->items[list->count] = strndup(text, length);
		if (!list->items[list->count])
			return -ENOMEM;
		list->count++;
		if (!text[length])
			return 0;
		text += length + 1;
	}
}

static const char *const kind_examples[] = {
	[CLI_COUNT] = "a whole number",
	[CLI_SIZE] = "a size (as in 4096, 64K, 1.5M, 2GiB)",
	[CLI_TIME] = "a time (as in 1.5, 5s, 200ms, 10us, 2m)",
	[CLI_MOMENT] = "a time (as in 1.5, 5s, -200ms, 10us, 2m)",
};

static int set_time(struct cli_time *time, const char *text, int signs)
{
	int before = signs && *text == '-';
	int error = cli_parse_time(text + before, &time->ns);

	if (error)
		return error;
	time->given = 1;
	time->before = before;
	return 0;
}

/* Stores `text` as the option's value; 0 or CLI_USAGE, with a message. */
static int set_value(const struct cli_command *command, const struct cli_option *option,
		     void *values, const char *text)
{
	void *field = (char *)values + option->offset;
	int error = 0;

	switch (option->kind) {
	case CLI_FLAG:
		*(int *)field = 1;
		break;
	case CLI_TEXT:
	case CLI_SWITCH:
		*(const char **)field = text ? text : "1";
		break;
	case CLI_COUNT:
		error = cli_parse_count(text, field);
		break;
	case CLI_SIZE:
		error = cli_parse_size(text, field);
		break;
	case CLI_TIME:
	case CLI_MOMENT:
		error = set_time(field, text, option->kind == CLI_MOMENT);
		break;
	case CLI_LIST:
		error = list_add(field, text);
		break;
	}
	if (error == -ENOMEM)
		return cli_usage(command, "--%s: no memory", option->name);
	if (error == -ERANGE)
		return cli_usage(command, "--%s: '%s' is too large", option->name, text);
	if (error)
		return cli_usage(command, "--%s: '%s' is not %s", option->name, text,
				 kind_examples[option->kind]);
	return 0;
}

/* --help and --version end the command. */
static int common_option(const struct cli_command *command, const struct cli_option *option)
{
	if (option == &common[0]) {
		cli_help(command, stdout);
		return CLI_STOP(cli_finish(command->name));
	}
	printf("%s %s\n", command->name, VPROF_VERSION);
	return CLI_STOP(cli_finish(command->name));
}

/* Is its argument another word of the command line? */
static int takes_word(const struct cli_option *option)
{
	return option->kind != CLI_FLAG && option->kind != CLI_SWITCH;
}

static int is_common(const struct cli_option *option)
{
	return option >= common && option < common + sizeof(common) / sizeof(common[0]);
}

/* Of "off, all, sample:N (as in sample:64)" what is to be typed as it stands: "off|all"; "": nothing is. */
static const char *fixed_values(char *text, size_t size, const char *values)
{
	size_t used = 0;

	*text = '\0';
	for (const char *p = values; *p && *p != '('; p += strspn(p, ", ")) {
		size_t length = strcspn(p, ", ("), letters = strcspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

		if (length <= letters && used + length + 2 < size)
			used += (size_t)snprintf(text + used, size - used, "%s%.*s", used ? "|" : "", (int)length, p);
		p += length;
	}
	return text;
}

static void put_words(const struct cli_option *option)
{
	const char *argument = option->argument ? option->argument : "-";
	char values[256];

	if (option->values && *fixed_values(values, sizeof(values), option->values))
		argument = values;
	printf("--%s\t%s\t%s\n", option->name, argument, option->help);
	if (option->letter)
		printf("-%c\t%s\t%s\n", option->letter, argument, option->help);
}

/* For the completion of shells (tools/completion/): the operands, then each option with its argument and help. */
static int completion_words(const struct cli_command *command)
{
	printf("operands\t%s\t-\n", *command->operands ? command->operands : "-");
	for (const struct cli_option *o = command->options; o && o->name; o++)
		put_words(o);
	for (const struct cli_option *o = common; o->name; o++)
		put_words(o);
	return CLI_STOP(cli_finish(command->name));
}

/* One word of the form --name or --name=value. Returns 0, or CLI_STOP(). */
static int parse_long(const struct cli_command *command, void *values, char **argv, int argc,
		      int *at)
{
	const char *name = argv[*at] + 2;
	size_t length = strcspn(name, "=");
	const char *value = name[length] ? name + length + 1 : NULL;
	const struct cli_option *option;

	if (!strcmp(argv[*at], CLI_COMPLETION_WORDS))
		return completion_words(command);
	option = find_long(command, name, length);
	if (!option)
		return CLI_STOP(CLI_USAGE);
	if (option->kind == CLI_FLAG && value)
		return CLI_STOP(cli_usage(command, "--%s takes no argument", option->name));
	if (is_common(option))
		return common_option(command, option);
	if (takes_word(option) && !value) {
		if (*at + 1 >= argc)
			return CLI_STOP(cli_usage(command, "--%s needs an argument (%s)",
						  option->name, option->argument));
		value = argv[++*at];
	}
	return set_value(command, option, values, value) ? CLI_STOP(CLI_USAGE) : 0;
}

/* One word of the form -abc or -aVALUE. Returns 0, or CLI_STOP(). */
static int parse_short(const struct cli_command *command, void *values, char **argv, int argc,
		       int *at)
{
	for (const char *letter = argv[*at] + 1; *letter; letter++) {
		const struct cli_option *option = find_short(command, *letter);
		const char *value = NULL;

		if (!option)
			return CLI_STOP(CLI_USAGE);
		if (is_common(option))
			return common_option(command, option);
		if (takes_word(option)) {
			value = letter[1] ? letter + 1 : *at + 1 < argc ? argv[++*at] : NULL;
			if (!value)
				return CLI_STOP(cli_usage(command, "-%c needs an argument (%s)",
							  *letter, option->argument));
		}
		if (set_value(command, option, values, value))
			return CLI_STOP(CLI_USAGE);
		if (value)
			break;
	}
	return 0;
}

/* Moves the words from `at` on behind the operands so far; returns the number of all. */
static int take_rest(int argc, char **argv, int at, int operands)
{
	while (at < argc)
		argv[1 + operands++] = argv[at++];
	return operands;
}

int cli_parse(const struct cli_command *command, void *values, int argc, char **argv)
{
	int operands = 0, stop = 0;

	for (int at = 1; at < argc; at++) {
		int is_operand = argv[at][0] != '-' || !argv[at][1];

		if (!strcmp(argv[at], "--"))
			return take_rest(argc, argv, at + 1, operands);
		if (is_operand && command->options_first)
			return take_rest(argc, argv, at, operands);
		if (is_operand)
			argv[1 + operands++] = argv[at];
		else if (argv[at][1] == '-')
			stop = parse_long(command, values, argv, argc, &at);
		else
			stop = parse_short(command, values, argv, argc, &at);
		if (stop)
			return stop;
	}
	return operands;
}

void cli_list_free(struct cli_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct cli_list){ 0 };
}

int cli_list_has(const struct cli_list *list, const char *item)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i], item))
			return 1;
	return 0;
}
