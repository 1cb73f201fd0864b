/*
 * cmd_stop.c - `vprof stop`: record nothing any more, in all processes from one moment on.
 */
#include "tools/order.h"
#include "tools/verbs.h"

struct options {
	struct cli_time wait;
	int now, spill, json;
};

#define FIELD(name) offsetof(struct options, name)
static const struct cli_option table[] = {
	{ "now", 'n', CLI_FLAG, FIELD(now), NULL, "at once, each by itself, and not at a moment that all share" },
	{ "spill", 0, CLI_FLAG, FIELD(spill), NULL, "and keep no longer everything, should recording begin again" },
	{ "wait", 'w', CLI_TIME, FIELD(wait), "TIME", "for the processes to take it up, at most (40ms)" },
	{ "json", 'j', CLI_FLAG, FIELD(json), NULL, "a JSON object" },
	{ 0 },
};

static const struct cli_command command = {
	"vprof stop", "[DIR | RING | PID | ROLE | rank=N]...",
	"Ends recording in all processes, or in those that are named, and forgets starts that are yet to come.",
	"There is nothing to write out: what was recorded lies in the rings. The words are those of\n"
	"vprof start. A process that is stopped by a signal records nothing when it goes on.\n"
	"\n"
	"Exit code: 0 all processes do, 1 none does, 2 wrong usage, 3 some do.", table,
};

int cmd_stop(int argc, char **argv)
{
	struct options o = { .wait.ns = 40000000 };
	int operands = cli_parse(&command, &o, argc, argv);
	struct order order = {
		.program = command.name, .verb = "stop", .done = "stopped",
		.request.verb = VPROF_REQUEST_STOP,
		.lead_ns = 5000000, .stay = 1, .all = 1,
	};

	if (operands < 0)
		return CLI_CODE(operands);
	order.wait_ns = (uint64_t)o.wait.ns;
	order.now = o.now;
	order.json = o.json;
	if (o.spill)
		order.spill = (struct vprof_request){ .verb = VPROF_REQUEST_SPILL };
	return order_run(&order, operands, argv + 1);
}
