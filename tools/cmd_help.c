/*
 * cmd_help.c - `vprof help`: the verbs, one verb's help, the environment variables, a shell's completion.
 */
#include <string.h>
#include "tools/cli.h"
#include "tools/verbs.h"

static const struct cli_option table[] = { { 0 } };

static const struct cli_command command = {
	"vprof help", "[VERB | env | completion SHELL]",
	"Shows what vprof can do, the help of a verb, or the environment variables of libvprof.so.",
	"`vprof help completion bash` (or zsh) prints what has that shell complete the words of vprof\n"
	"and vprof-merge: source <(vprof help completion bash). make install puts it in place.", table,
};

/* The same rows that the library's parser is made from. */
static const struct variable {
	const char *name, *type, *fallback, *help;
} variables[] = {
#define VPROF_ENV(name, type, field, fallback, help) { #name, #type, fallback, help },
#include "vprof/env.def"
#undef VPROF_ENV
};

static const char *type_text(const char *type)
{
	if (!strcmp(type, "COUNT"))
		return "number";
	return strcmp(type, "SWITCH") ? "text" : "0 or 1";
}

static int help_env(void)
{
	printf("Environment variables that libvprof.so reads when a program starts:\n");
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const struct variable *v = &variables[i];
		int column = printf("\n%s (", v->name) - 1;
		char kind[128];

		snprintf(kind, sizeof(kind), "%s; %s%s)", type_text(v->type), *v->fallback ? "default " : "no default",
			 v->fallback);
		cli_wrapped(stdout, kind, column);
		fputs("    ", stdout);
		cli_wrapped(stdout, v->help, 4);
	}
	return cli_finish(command.name);
}

static const struct {
	const char *shell, *script;
} completions[] = {
	{ "bash",
#include "made/completion_bash.h"
	},
	{ "zsh",
#include "made/completion_zsh.h"
	},
};

static int help_completion(const char *shell)
{
	for (size_t i = 0; shell && i < sizeof(completions) / sizeof(completions[0]); i++)
		if (!strcmp(completions[i].shell, shell)) {
			fputs(completions[i].script, stdout);
			return cli_finish(command.name);
		}
	return cli_usage(&command, "completion: for bash or zsh");
}

int cmd_help(int argc, char **argv)
{
	int operands = cli_parse(&command, NULL, argc, argv);

	if (operands < 0)
		return CLI_CODE(operands);
	if (operands && operands <= 2 && !strcmp(argv[1], "completion"))
		return help_completion(operands == 2 ? argv[2] : NULL);
	if (operands > 1)
		return cli_usage(&command, "one verb at a time");
	if (!operands) {
		vprof_help(stdout);
		return cli_finish(command.name);
	}
	if (!strcmp(argv[1], "env"))
		return help_env();
	for (const struct verb *verb = vprof_verbs; verb->name; verb++) {
		char *ask[] = { (char *)verb->name, "--help", NULL };

		if (!strcmp(verb->name, argv[1]))
			return verb->run(2, ask);
	}
	return cli_usage(&command, "no verb '%s'", argv[1]);
}
