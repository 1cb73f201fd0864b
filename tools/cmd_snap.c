/*
 * cmd_snap.c - `vprof snap`: copies of all rings as they are at one moment.
 */
#include <time.h>
#include "tools/cli.h"
#include "tools/snap.h"
#include "tools/targets.h"
#include "tools/verbs.h"

struct options {
	struct cli_time last;
	const char *output;
	int json;
};

static const struct cli_option table[] = {
	{ "last", 'l', CLI_TIME, offsetof(struct options, last), "TIME",
	  "only what happened in so long before the moment" },
	{ "output", 'o', CLI_TEXT, offsetof(struct options, output), "FOLDER",
	  "where to, a new or empty folder; else snap-DATE-TIME here" },
	{ "json", 'j', CLI_FLAG, offsetof(struct options, json), NULL, "an object about the copies" },
	{ 0 },
};

static const struct cli_command command = {
	"vprof snap", "[DIR | RING | PID | ROLE | rank=N]...",
	"Copies rings as they all are at one moment, while their processes go on.",
	"The words name the processes as those of vprof ps do; without any, all of the output folder\n"
	"(VPROF_OUT, else the newest of out and the folders of vprof run here). The copies are\n"
	"rings and keep their names: vprof-merge FOLDER makes a trace of them. Nobody waits: a process\n"
	"that is stopped or dead is copied as any other.\n\n"
	"Exit code: 0 all was copied, 1 a ring could not be or there was none, 2 wrong usage.",
	table,
};

static void print_text(const struct snap_result *r)
{
	time_t seconds = (time_t)(r->cut_realtime_ns / 1000000000);
	char date[64] = "?", size[32], took[32];
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(date, sizeof(date), "%H:%M:%S", &tm);
	printf("%s: %zu %s as of %s.%06u, %llu %s (%llu in flight), %s written in %s\n", r->folder, r->rings,
	       cli_word(r->rings, "ring", "rings"), date, (unsigned)(r->cut_realtime_ns / 1000 % 1000000),
	       (unsigned long long)r->records, cli_word(r->records, "record", "records"),
	       (unsigned long long)r->in_flight, cli_size_text(size, sizeof(size), r->bytes),
	       cli_time_text(took, sizeof(took), r->took_ns));
	if (r->skipped)
		printf("%zu left out: copies, of another boot, or ended before\n", r->skipped);
	if (r->lost)
		printf("%llu %s overwritten while they were copied: VPROF_RING_MB makes rings larger\n",
		       (unsigned long long)r->lost, cli_word(r->lost, "chunk was", "chunks were"));
}

/* On stderr, as nobody would miss it who reads a trace of the copies. */
static void warn(const struct snap_result *r)
{
	if (r->spilled)
		fprintf(stderr,
			"%s: what %zu of the rings had overwritten and kept in files beside them (VPROF_SPILL) is not "
			"copied: vprof-merge of the rings themselves has it\n", command.name, r->spilled);
}

static void print_json(const struct snap_result *r)
{
	printf("{\"folder\": ");
	cli_json_string(stdout, r->folder);
	printf(", \"cut_ns\": %llu, \"cut_realtime_ns\": %llu, \"took_ns\": %llu, \"rings\": %zu, \"skipped\": %zu, "
	       "\"failed\": %zu, \"records\": %llu, \"in_flight\": %llu, \"bytes\": %llu, \"lost_chunks\": %llu, "
	       "\"spilled\": %zu}\n",
	       (unsigned long long)r->cut_ns, (unsigned long long)r->cut_realtime_ns,
	       (unsigned long long)r->took_ns, r->rings, r->skipped, r->failed, (unsigned long long)r->records,
	       (unsigned long long)r->in_flight, (unsigned long long)r->bytes, (unsigned long long)r->lost, r->spilled);
}

int cmd_snap(int argc, char **argv)
{
	struct options o = { 0 };
	int operands = cli_parse(&command, &o, argc, argv), code = CLI_FAILED;
	struct snap_options options = { 0 };
	struct snap_result result;
	struct inputs inputs = { 0 };

	if (operands < 0)
		return CLI_CODE(operands);
	if (o.last.given && !o.last.ns)
		return cli_usage(&command, "--last 0 leaves nothing to copy");
	options.folder = o.output;
	options.last_ns = (uint64_t)o.last.ns;
	if (!targets_collect(&inputs, command.name, operands, argv + 1) &&
	    !snap_take(&inputs, &options, &result)) {
		(o.json ? print_json : print_text)(&result);
		warn(&result);
		code = cli_finish(command.name);
		if (inputs.failed || result.failed)
			code = CLI_FAILED;
	}
	inputs_close(&inputs);
	return code;
}
