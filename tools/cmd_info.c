/*
 * cmd_info.c - `vprof info`: who wrote a ring, when, how many records, how many lost.
 */
#include <string.h>
#include "tools/cli.h"
#include "tools/info.h"
#include "tools/verbs.h"

struct options {
	int json;
};

static const struct cli_option table[] = {
	{ "json", 'j', CLI_FLAG, offsetof(struct options, json), NULL, "a JSON array with an object for each ring" },
	{ 0 },
};

static const struct cli_command command = {
	"vprof info", "RING...",
	"Tells of each ring whose it is, when it was written, how much is in it and how much was lost.",
	"RING is a ring, a folder of rings or a pattern. States: running; closed (the process\n"
	"ended by itself); ended without closing (killed, or crashed); not closed (the ring comes\n"
	"from another machine or boot, so it cannot be told whether its process lives).", table,
};

static int print_all(const struct inputs *inputs, int json)
{
	int code = CLI_OK, printed = 0;

	for (size_t i = 0; i < inputs->count; i++) {
		struct info info;
		int error = info_make(&info, &inputs->list[i].ring);

		if (error) {
			fprintf(stderr, "%s: %s: %s\n", command.name, inputs->list[i].path, strerror(-error));
			code = CLI_FAILED;
			continue;
		}
		if (json)
			fputs(printed ? ",\n" : "[\n", stdout);
		else if (printed)
			putchar('\n');
		(json ? info_json : info_text)(&inputs->list[i], &info, stdout);
		printed++;
		info_free(&info);
	}
	if (json)
		fputs(printed ? "\n]\n" : "[]\n", stdout);
	return code;
}

int cmd_info(int argc, char **argv)
{
	struct options o = { 0 };
	int operands = cli_parse(&command, &o, argc, argv), code = CLI_FAILED;
	struct inputs inputs = { 0 };

	if (operands < 0)
		return CLI_CODE(operands);
	if (!operands)
		return cli_usage(&command, "which rings?");
	if (!inputs_collect_copies(&inputs, command.name, operands, argv + 1) && !inputs_open_all(&inputs)) {
		code = print_all(&inputs, o.json);
		if (cli_finish(command.name) != CLI_OK)
			code = CLI_FAILED;
	}
	inputs_close(&inputs);
	return code;
}
