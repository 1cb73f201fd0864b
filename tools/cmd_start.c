/*
 * cmd_start.c - `vprof start`: record, in all processes from one moment on.
 */
#include <string.h>
#include "tools/order.h"
#include "tools/verbs.h"

struct options {
	struct cli_time length, wait;
	const char *at;
	uint64_t steps, launches, mb;
	struct cli_list groups;
	const char *gpu, *eager, *spans;
	int spill, all, json;
};

#define FIELD(name) offsetof(struct options, name)
static const struct cli_option table[] = {
	{ "for", 'f', CLI_TIME, FIELD(length), "TIME", "stop by itself after this time" },
	{ "steps", 's', CLI_COUNT, FIELD(steps), "N", "after N steps of the program" },
	{ "launches", 'n', CLI_COUNT, FIELD(launches), "N", "after N launches of kernels and graphs" },
	{ "mb", 0, CLI_COUNT, FIELD(mb), "N", "after N MiB of records" },
	{ "groups", 'g', CLI_LIST, FIELD(groups), "LIST",
	  "what to record: groups as VPROF_TRACE names them, or all (what VPROF_TRACE chose)" },
	{ "gpu", 0, CLI_TEXT, FIELD(gpu), "WHAT", "from now on time graphs on the GPU: " GPU_WORDS_SAMPLES,
	  GPU_WORDS_SAMPLES },
	{ "gpu-eager", 0, CLI_TEXT, FIELD(eager), "WHEN",
	  "and what is put onto streams: off, always, TIME/TIME (2ms/200ms: so long, once in so long)", GPU_WORDS_WINDOWS },
	{ "gpu-spans", 0, CLI_TEXT, FIELD(spans), "on|off", "and each launch of a graph as a whole", "on, off" },
	{ "spill", 0, CLI_FLAG, FIELD(spill), NULL, "keep everything, in files beside the rings" },
	{ "at", 0, CLI_TEXT, FIELD(at), "TIME", "begin so long after this command; 0: at once, each by itself (5ms)" },
	{ "wait", 'w', CLI_TIME, FIELD(wait), "TIME", "for the processes to take it up, at most (40ms)" },
	{ "all", 'a', CLI_FLAG, FIELD(all), NULL, "processes that have used no GPU yet as well" },
	{ "json", 'j', CLI_FLAG, FIELD(json), NULL, "a JSON object" },
	{ 0 },
};

static const struct cli_command command = {
	"vprof start", "[DIR | RING | PID | ROLE | rank=N]...",
	"Begins to record in all processes, or in those that are named, at one moment that they share.",
	"Each process stops by itself at the first limit; the command does not stay. Without a folder\n"
	"the rings are looked for in VPROF_OUT, else in the newest of out and the folders of vprof run\n"
	"here. ROLE is as vprof ps shows it, or a pattern, or what it begins with up to a _ (worker:\n"
	"Worker_TP0, Worker_TP1). What is said of the GPU holds until it is said anew, over stop and start;\n"
	"graphs that were made while VPROF_GPU was off cannot be timed node by node later.\n"
	"\n"
	"Exit code: 0 all processes do, 1 none does, 2 wrong usage, 3 some do.", table,
};

static const struct {
	const char *name;
	uint32_t bit;
} groups[] = {
#define VPROF_GROUP_ROW(group, name, what) { name, VPROF_GROUP_BIT(VPROF_GROUP_##group) },
#include "vprof/group.def"
#undef VPROF_GROUP_ROW
};

enum { GROUP_COUNT = sizeof(groups) / sizeof(groups[0]) };

/* 0 or CLI_USAGE, with a message. No name, or "all": 0 bits, which stand for what VPROF_TRACE chose. */
static int read_groups(const struct cli_list *list, uint32_t *bits)
{
	const char *names[GROUP_COUNT], *near;
	uint32_t all = 0;

	*bits = 0;
	for (size_t g = 0; g < GROUP_COUNT; g++)
		names[g] = groups[g].name;
	for (size_t i = 0; i < list->count; i++) {
		uint32_t bit = 0;

		for (size_t g = 0; g < GROUP_COUNT; g++)
			if (!strcmp(groups[g].name, list->items[i]))
				bit = groups[g].bit;
		if (!strcmp(list->items[i], "all"))
			all = bit = 1;
		if (!bit) {
			near = cli_nearest(list->items[i], names, GROUP_COUNT);
			return near ? cli_usage(&command, "--groups: no group '%s' (did you mean '%s'?)",
						list->items[i], near)
				    : cli_usage(&command, "--groups: no group '%s'", list->items[i]);
		}
		*bits |= bit;
	}
	if (all)
		*bits = 0;
	return 0;
}

static int read_at(const char *text, struct order *order)
{
	int64_t ns;

	if (!text)
		return 0;
	if (cli_parse_time(text + (*text == '+'), &ns))
		return cli_usage(&command, "--at: '%s' is not a time from now on (as in 2s, +500ms, 0)", text);
	order->now = !ns;
	order->stay = 0;
	order->lead_ns = (uint64_t)ns;
	return 0;
}

#define NOT_GIVEN UINT64_MAX

static int read_limit(const char *name, uint64_t n, unsigned int shift, uint64_t *limit)
{
	if (!n)
		return cli_usage(&command, "--%s 0 would record nothing", name);
	if (n != NOT_GIVEN && n > UINT64_MAX >> shift)
		return cli_usage(&command, "--%s: %llu is too large", name, (unsigned long long)n);
	*limit = n == NOT_GIVEN ? 0 : n << shift;
	return 0;
}

static int read_limits(const struct options *o, struct vprof_request *request)
{
	int code = read_limit("for", o->length.given ? (uint64_t)o->length.ns : NOT_GIVEN, 0, &request->for_ns);

	if (!code)
		code = read_limit("steps", o->steps, 0, &request->steps);
	if (!code)
		code = read_limit("launches", o->launches, 0, &request->launches);
	return code ? code : read_limit("mb", o->mb, 20, &request->bytes);
}

static int read_gpu(const struct options *o, struct gpu_words *words)
{
	if (o->gpu && gpu_words_read_sample(o->gpu, words))
		return cli_usage(&command, "--gpu: '%s' is none of " GPU_WORDS_SAMPLES, o->gpu);
	if (o->eager && gpu_words_read_window(o->eager, words))
		return cli_usage(&command, "--gpu-eager: '%s' is none of " GPU_WORDS_WINDOWS,
				 o->eager);
	if (o->spans && gpu_words_read_spans(o->spans, words))
		return cli_usage(&command, "--gpu-spans: '%s' is neither on nor off", o->spans);
	return 0;
}

int cmd_start(int argc, char **argv)
{
	struct options o = { .wait.ns = 40000000, .steps = NOT_GIVEN, .launches = NOT_GIVEN, .mb = NOT_GIVEN };
	int operands = cli_parse(&command, &o, argc, argv), code;
	struct order order = {
		.program = command.name, .verb = "start", .done = "started",
		.request.verb = VPROF_REQUEST_START,
		.lead_ns = 5000000, .stay = 1, .skip_idle = 1, .word = 1,
	};

	if (operands < 0)
		return CLI_CODE(operands);
	order.wait_ns = (uint64_t)o.wait.ns;
	order.all = o.all;
	order.json = o.json;
	if (o.spill)
		order.spill = (struct vprof_request){ .verb = VPROF_REQUEST_SPILL, .count = 1 };
	code = read_groups(&o.groups, &order.request.groups);
	if (!code)
		code = read_at(o.at, &order);
	if (!code)
		code = read_limits(&o, &order.request);
	if (!code)
		code = read_gpu(&o, &order.gpu);
	/* A word has no limits, and does not spill. */
	if (order.request.for_ns || order.request.steps || order.request.launches || order.request.bytes || o.spill)
		order.word = -1;
	if (!code)
		code = order_run(&order, operands, argv + 1);
	cli_list_free(&o.groups);
	return code;
}
