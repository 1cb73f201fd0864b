/*
 * cmd_verify.c - `vprof verify`: the GPU times of vprof beside those of CUPTI, in two runs of a command.
 *
 * EXIT CODES: 0 the share that is wanted is reached, 1 it is not or one of the runs came to nothing, 2
 * wrong usage.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "tools/cli.h"
#include "tools/env_options.h"
#include "tools/verbs.h"
#include "tools/verify_print.h"
#include "tools/verify_read.h"

enum { SHARE_WANTED = 95, ROWS_SHOWN = 40 };
#define ROWS_UNSAID UINT64_MAX

struct options {
	struct verify_look look;
	struct verify_style style;
	const char *keep, *again, *recorder, *cupti;
	int json, plain;
	struct env_choice env;
};

#define AT(field) offsetof(struct options, field)

enum { OWN_OPTIONS = 12 };

static struct cli_option table[OWN_OPTIONS + ENV_OPTIONS + 1] = {
	{ "json", 'j', CLI_FLAG, AT(json), NULL, "as one JSON object, times in ns" },
	{ "share", 's', CLI_COUNT, AT(look.share), "PERCENT", "the share of GPU time that is to be near CUPTI's (95)" },
	{ "warm-up", 'w', CLI_COUNT, AT(style.warm_up), "N", "leave out the first N executions of each row" },
	{ "by-graph", 'g', CLI_FLAG, AT(style.by_graph), NULL, "rows of each graph apart" },
	{ "plain", 'p', CLI_FLAG, AT(plain), NULL, "a third run, without either, for its wall time" },
	{ "keep", 'k', CLI_TEXT, AT(keep), "DIR", "keep there what the runs recorded and printed" },
	{ "again", 'a', CLI_TEXT, AT(again), "DIR", "run nothing: compare what --keep kept there" },
	{ "rows", 'n', CLI_COUNT, AT(look.rows), "N", "the N rows with the most GPU time (40, with --json all; 0: all)" },
	{ "full", 'f', CLI_FLAG, AT(look.full), NULL, "whole names, however long" },
	{ "raw-names", 0, CLI_FLAG, AT(look.raw), NULL, "kernel names as the driver has them, not demangled" },
	{ "cupti", 0, CLI_TEXT, AT(cupti), "FILE", "the libcupti to use" },
	{ "recorder", 0, CLI_TEXT, AT(recorder), "FILE", "the recorder, cupti_times.so" },
};

static const struct cli_command command = {
	.name = "vprof verify",
	.operands = "[--] COMMAND [ARGUMENT...]",
	.summary = "Runs a command beside CUPTI and under vprof, and compares the GPU times of both, kernel by kernel.",
	.notes = "A row is a kernel in one shape, grid and block, as what it takes differs with that; where a launch of\n"
		 "its name has no known shape, a row is the name. Copies and sets are rows by their bytes. A row is\n"
		 "near when the medians differ by at most 5 % or 200 ns, whichever is more. SHARE is its part of the\n"
		 "GPU time by CUPTI. The options from --ring-mb on are the variables of libvprof.so (`vprof help\n"
		 "env`). Exit status 1: the share was not reached, or a run failed.",
	.options = table,
	.options_first = 1,
};

/* ---- what the runs have left ---- */

static char *place_in(const char *folder, enum verify_run which)
{
	char *path;

	return asprintf(&path, "%s/%s", folder, verify_run_names[which]) < 0 ? NULL : path;
}

static int nothing(const char *what)
{
	fprintf(stderr, "%s: %s\n", command.name, what);
	return -ENODATA;
}

static int judge_cupti(struct verify_source *source)
{
	if (*source->error) {
		fprintf(stderr, "%s: beside CUPTI: %s\n", command.name, cli_clean(source->error));
		if (!source->executions)
			return -ENODATA;
	}
	if (!source->processes)
		return nothing("beside CUPTI no process recorded anything: none of them initialised a CUDA driver that "
			       "loads what CUDA_INJECTION64_PATH names");
	return source->executions ? 0 : nothing("CUPTI saw nothing run on the GPU");
}

static int judge_vprof(const struct verify_source *source)
{
	if (!source->processes)
		return nothing("under vprof there is no ring: no process made a CUDA call that it saw");
	if (source->executions)
		return 0;
	fprintf(stderr, "%s: vprof measured nothing of the GPU in %zu %s with %llu launches: %s\n", command.name,
		source->processes, source->processes == 1 ? "process" : "processes", (unsigned long long)source->launches,
		*source->error ? source->error : "VPROF_GPU is off, or this library measures nothing");
	return -ENODATA;
}

static int read_side(struct verify *verify, const char *folder, enum verify_run which)
{
	struct verify_source source;
	char *place = place_in(folder, which);
	int error;

	if (!place)
		return -ENOMEM;
	if (which == VERIFY_RUN_CUPTI)
		error = verify_read_cupti(verify, &source, place, command.name);
	else
		error = verify_read_rings(verify, &source, place, command.name);
	free(place);
	if (error)
		return error;
	return which == VERIFY_RUN_CUPTI ? judge_cupti(&source) : judge_vprof(&source);
}

static void put_remarks(const struct verify *verify, const struct options *options)
{
	if (verify->ops[VERIFY_CUPTI].lost)
		fprintf(stderr, "%s: CUPTI had no room for %llu executions\n", command.name,
			(unsigned long long)verify->ops[VERIFY_CUPTI].lost);
	if (options->style.by_graph && verify->graphs[VERIFY_CUPTI] != verify->graphs[VERIFY_VPROF])
		fprintf(stderr, "%s: CUPTI saw %llu graphs and vprof %llu: those of one number may not be the same\n",
			command.name, (unsigned long long)verify->graphs[VERIFY_CUPTI],
			(unsigned long long)verify->graphs[VERIFY_VPROF]);
}

/* The exit code. */
static int answer(struct verify *verify, const struct options *options)
{
	int error = verify_close(verify, &options->style);

	verify_compare(verify);
	if (!error)
		error = options->json ? verify_print_json(verify, &options->look) :
					verify_print_table(verify, &options->look);
	if (error) {
		fprintf(stderr, "%s: %s\n", command.name, strerror(-error));
		return CLI_FAILED;
	}
	if (cli_finish(command.name))
		return CLI_FAILED;
	put_remarks(verify, options);
	return verify_enough(verify, &options->look) ? CLI_OK : CLI_FAILED;
}

/* ---- the verb ---- */

static int compare_kept(const struct options *options)
{
	struct verify verify = { 0 };
	int error = read_side(&verify, options->again, VERIFY_RUN_CUPTI), code = CLI_FAILED;

	if (!error)
		error = read_side(&verify, options->again, VERIFY_RUN_VPROF);
	if (!error)
		code = answer(&verify, options);
	verify_free(&verify);
	return code;
}

/* CUPTI's run is first: where there is no CUPTI the others are of no use. */
static int run_all(struct verify_runs *runs, struct verify *verify, const struct options *options)
{
	if (verify_runs_make(runs, VERIFY_RUN_CUPTI) || read_side(verify, runs->folder, VERIFY_RUN_CUPTI))
		return CLI_FAILED;
	if (verify_runs_make(runs, VERIFY_RUN_VPROF) || (options->plain && verify_runs_make(runs, VERIFY_RUN_PLAIN)))
		return CLI_FAILED;
	if (read_side(verify, runs->folder, VERIFY_RUN_VPROF))
		return CLI_FAILED;
	return answer(verify, options);
}

static int compare_runs(struct options *options, char **words)
{
	struct verify_runs runs = {
		.program = command.name, .command = words, .env = &options->env, .keep = options->keep,
		.recorder = options->recorder, .cupti = options->cupti,
	};
	struct verify verify = { 0 };
	int code = CLI_FAILED;

	options->look.wall_s = runs.wall_s;
	if (!verify_runs_begin(&runs))
		code = run_all(&runs, &verify, options);
	verify_runs_end(&runs);
	verify_free(&verify);
	return code;
}

int cmd_verify(int argc, char **argv)
{
	struct options options = { .look = { .rows = ROWS_UNSAID, .share = SHARE_WANTED } };
	int count;

	env_options_fill(table + OWN_OPTIONS, AT(env));
	count = cli_parse(&command, &options, argc, argv);
	if (count < 0)
		return CLI_CODE(count);
	if (options.look.share > 100)
		return cli_usage(&command, "share: more than 100 %%");
	if (env_options_check(&command, &options.env))
		return CLI_USAGE;
	options.look.by_graph = options.style.by_graph;
	if (options.look.rows == ROWS_UNSAID)
		options.look.rows = options.json ? 0 : ROWS_SHOWN;
	if (options.again)
		return count ? cli_usage(&command, "--again runs no command") : compare_kept(&options);
	if (!count)
		return cli_usage(&command, "which command?");
	argv[1 + count] = NULL;
	return compare_runs(&options, argv + 1);
}
