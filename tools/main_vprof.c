/*
 * main_vprof.c - the command `vprof`: finds the verb and runs it.
 */
#include <string.h>
#include "tools/cli.h"
#include "tools/verbs.h"

static int completion_words(void)
{
	for (const struct verb *verb = vprof_verbs; verb->name; verb++)
		printf("%s\t-\t%s\n", verb->name, verb->help);
	return cli_finish("vprof");
}

static int unknown_verb(const char *word)
{
	const char *names[32], *near;
	size_t count = 0;

	for (const struct verb *verb = vprof_verbs; verb->name && count < 32; verb++)
		names[count++] = verb->name;
	near = cli_nearest(word, names, count);
	fprintf(stderr, "vprof: no %s '%s'", word[0] == '-' ? "option" : "verb", word);
	fprintf(stderr, near ? " (did you mean '%s'?)\n" : "\n", near);
	fprintf(stderr, "Try 'vprof --help'. A trace is made by vprof-merge.\n");
	return CLI_USAGE;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		vprof_help(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		vprof_help(stdout);
		return cli_finish("vprof");
	}
	if (!strcmp(argv[1], "--version")) {
		printf("vprof %s\n", VPROF_VERSION);
		return cli_finish("vprof");
	}
	if (!strcmp(argv[1], CLI_COMPLETION_WORDS))
		return completion_words();
	for (const struct verb *verb = vprof_verbs; verb->name; verb++)
		if (!strcmp(verb->name, argv[1]))
			return verb->run(argc - 1, argv + 1);
	return unknown_verb(argv[1]);
}
