/*
 * cmd_mark.c - `vprof mark TEXT`: a mark in the timelines of all processes.
 */
#include <string.h>
#include "tools/order.h"
#include "tools/verbs.h"

struct options {
	struct cli_time wait;
	int all, json;
};

#define FIELD(name) offsetof(struct options, name)
static const struct cli_option table[] = {
	{ "wait", 'w', CLI_TIME, FIELD(wait), "TIME", "for the processes to take it up, at most (40ms)" },
	{ "all", 'a', CLI_FLAG, FIELD(all), NULL, "processes that have used no GPU yet as well" },
	{ "json", 'j', CLI_FLAG, FIELD(json), NULL, "a JSON object" },
	{ 0 },
};

static const struct cli_command command = {
	"vprof mark", "TEXT [DIR | RING | PID | ROLE | rank=N]...",
	"Puts a mark with this text, of up to 119 bytes, into the timelines of all processes, or of those that are "
	"named.",
	"The words behind TEXT are those of vprof start. Whether a process records makes no difference.\n"
	"\n"
	"Exit code: 0 all processes did, 1 none did, 2 wrong usage, 3 some did.", table,
};

/* As much of the text as there is room for, whole characters. */
static size_t text_room(const char *text)
{
	size_t size = strlen(text);

	if (size < VPROF_REQUEST_TEXT)
		return size;
	for (size = VPROF_REQUEST_TEXT - 1; size && ((unsigned char)text[size] & 0xc0) == 0x80;)
		size--;
	return size;
}

int cmd_mark(int argc, char **argv)
{
	struct options o = { .wait.ns = 40000000 };
	int operands = cli_parse(&command, &o, argc, argv);
	struct order order = {
		.program = command.name, .verb = "mark", .done = "marked",
		.request.verb = VPROF_REQUEST_MARK,
		.now = 1, .skip_idle = 1, .word = -1,
	};

	if (operands < 0)
		return CLI_CODE(operands);
	if (!operands || !argv[1][0])
		return cli_usage(&command, "which text?");
	memcpy(order.request.text, argv[1], text_room(argv[1]));
	order.wait_ns = (uint64_t)o.wait.ns;
	order.all = o.all;
	order.json = o.json;
	return order_run(&order, operands - 1, argv + 2);
}
