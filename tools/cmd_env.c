/*
 * cmd_env.c - `vprof env`: the environment of a traced program, in the form that something takes.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/cli.h"
#include "tools/env_forms.h"
#include "tools/verbs.h"

struct options {
	int form[ENV_FORMS];
	struct env_choice env;
};

#define AT(field) offsetof(struct options, field)

enum { OWN_OPTIONS = ENV_FORMS + 1 };

static struct cli_option table[OWN_OPTIONS + ENV_OPTIONS + 1] = {
	[ENV_FORMS] = { "out", 'o', CLI_TEXT, AT(env.value[ENV_ROW_out]), "DIR",
			"the folder for the rings (default: VPROF_OUT, else out)" },
};

static const struct cli_command command = {
	.name = "vprof env",
	.operands = "",
	.summary = "Prints the environment in which libvprof.so traces a program, for what `vprof run` cannot start.",
	.notes = "The options from --ring-mb on are the variables of libvprof.so: --ring-mb 256 is\n"
		 "VPROF_RING_MB=256 (`vprof help env`). Variables that are set already are printed too.",
	.options = table,
};

static void table_fill(void)
{
	for (int i = 0; i < ENV_FORMS; i++)
		table[i] = (struct cli_option){
			.name = env_forms[i].name, .kind = CLI_FLAG, .help = env_forms[i].help,
			.offset = AT(form) + (size_t)i * sizeof(int),
		};
	env_options_fill(table + OWN_OPTIONS, AT(env));
}

/* The form that was asked for, NULL when several were. */
static const struct env_form *chosen(const struct options *options)
{
	const struct env_form *form = NULL;

	for (int i = 0; i < ENV_FORMS; i++) {
		if (!options->form[i])
			continue;
		if (form)
			return NULL;
		form = &env_forms[i];
	}
	return form ? form : &env_forms[ENV_SHELL];
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

static void put_remarks(const struct buffer *remarks, FILE *out)
{
	for (size_t at = 0; at < remarks->used;) {
		const char *line = remarks->data + at;
		size_t length = (size_t)((const char *)memchr(line, '\n', remarks->used - at) - line);

		fprintf(out, "# %.*s\n", (int)length, line);
		at += length + 1;
	}
}

static int print_form(const struct env_form *form, const struct surround *surround)
{
	struct buffer out = { 0 }, remarks = { 0 };
	const char *why = "no memory";
	int error = form->put(&out, &remarks, surround, &why);

	if (!error)
		error = out.error ? out.error : remarks.error;
	if (error) {
		fprintf(stderr, "%s: --%s: %s\n", command.name, form->name, why);
	} else {
		put_remarks(&remarks, form->is_words ? stderr : stdout);
		fwrite(out.data, 1, out.used, stdout);
		error = cli_finish(command.name);
	}
	buffer_free(&out);
	buffer_free(&remarks);
	return error ? CLI_FAILED : CLI_OK;
}

static int print(const struct env_form *form, struct options *options)
{
	const char *wanted = env_row_value(&options->env, ENV_ROW_out);
	char why[PATH_MAX + 256], *out = absolute(wanted && *wanted ? wanted : "out");
	struct surround surround;
	int code = CLI_FAILED;

	if (form->ring_at && !env_row_value(&options->env, ENV_ROW_ring_at))
		options->env.value[ENV_ROW_ring_at] = form->ring_at;
	if (!out) {
		fprintf(stderr, "%s: %s\n", command.name, strerror(errno));
	} else if (surround_make(&surround, &options->env, out, why, sizeof(why))) {
		fprintf(stderr, "%s: %s\n", command.name, why);
	} else {
		code = print_form(form, &surround);
		surround_free(&surround);
	}
	free(out);
	return code;
}

int cmd_env(int argc, char **argv)
{
	struct options options = { 0 };
	const struct env_form *form;
	int count;

	table_fill();
	count = cli_parse(&command, &options, argc, argv);
	if (count < 0)
		return CLI_CODE(count);
	if (count)
		return cli_usage(&command, "'%s' is no option", argv[1]);
	form = chosen(&options);
	if (!form)
		return cli_usage(&command, "one form at a time");
	if (env_options_check(&command, &options.env))
		return CLI_USAGE;
	return print(form, &options);
}
