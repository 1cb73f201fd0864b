/*
 * cmd_env.c - `vprof env`: the environment of a traced program, in the form that something takes.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/cli.h"
#include "tools/surround.h"
#include "tools/verbs.h"

struct options {
	int shell;
	struct env_choice env;
};

#define AT(field) offsetof(struct options, field)

enum { OWN_OPTIONS = 2 };

static struct cli_option table[OWN_OPTIONS + ENV_OPTIONS + 1] = {
	{ "shell", 0, CLI_FLAG, AT(shell), NULL, "for a shell: eval \"$(vprof env)\" (the default)" },
	{ "out", 'o', CLI_TEXT, AT(env.value[ENV_ROW_out]), "DIR", "the folder for the rings (default: out)" },
};

static const struct cli_command command = {
	.name = "vprof env",
	.operands = "",
	.summary = "Prints the environment in which libvprof.so traces a program.",
	.options = table,
};

/* In single quotes, where a shell would not take it as it is. */
static void put_word(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";

	if (*text && !text[strspn(text, plain)]) {
		fputs(text, stdout);
		return;
	}
	putchar('\'');
	for (; *text; text++)
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	putchar('\'');
}

static void put_shell(const struct surround *surround)
{
	for (size_t i = 0; i < surround->count; i++) {
		printf("export %s=", surround->pairs[i].name);
		put_word(surround->pairs[i].value);
		putchar('\n');
	}
}

/* A folder as seen from everywhere. */
static char *absolute(const char *folder)
{
	char here[PATH_MAX], *path;

	if (*folder == '/')
		return strdup(folder);
	if (!getcwd(here, sizeof(here)) || asprintf(&path, "%s/%s", here, folder) < 0)
		return NULL;
	return path;
}

int cmd_env(int argc, char **argv)
{
	struct options options = { 0 };
	struct surround surround;
	char why[PATH_MAX + 256], *out;
	const char *wanted;
	int count;

	env_options_fill(table + OWN_OPTIONS, AT(env));
	count = cli_parse(&command, &options, argc, argv);
	if (count < 0)
		return CLI_CODE(count);
	if (count)
		return cli_usage(&command, "%s: what is this for?", argv[1]);
	if (env_options_check(&command, &options.env))
		return CLI_USAGE;
	wanted = env_row_value(&options.env, ENV_ROW_out);
	out = absolute(wanted && *wanted ? wanted : "out");
	if (!out || surround_make(&surround, &options.env, out, why, sizeof(why))) {
		fprintf(stderr, "%s: %s\n", command.name, out ? why : strerror(errno));
		free(out);
		return CLI_FAILED;
	}
	put_shell(&surround);
	surround_free(&surround);
	free(out);
	return cli_finish(command.name);
}
