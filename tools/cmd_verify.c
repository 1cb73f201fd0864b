/*
 * cmd_verify.c - `vprof verify`: the GPU times of vprof beside those of CUPTI, in runs of a command.
 *
 * The sides take turns in being first, so what drifts from one run to the next is on neither: cupti vprof,
 * vprof cupti, cupti vprof.
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
#define UNSAID UINT64_MAX

struct options {
	struct verify_look look;
	struct verify_style style;
	const char *keep, *again, *recorder, *cupti;
	uint64_t runs;         /* of each side */
	int json, plain;
	struct env_choice env;
};

#define AT(field) offsetof(struct options, field)

enum { OWN_OPTIONS = 13 };

static struct cli_option table[OWN_OPTIONS + ENV_OPTIONS + 1] = {
	{ "json", 'j', CLI_FLAG, AT(json), NULL, "as one JSON object, times in ns" },
	{ "share", 's', CLI_COUNT, AT(look.share), "PERCENT", "the share of GPU time that is to be near CUPTI's (95)" },
	{ "warm-up", 'w', CLI_COUNT, AT(style.warm_up), "N", "leave out the first N executions of each row" },
	{ "by-graph", 'g', CLI_FLAG, AT(style.by_graph), NULL, "rows of each graph apart" },
	{ "runs", 'r', CLI_COUNT, AT(runs), "N", "N runs of each, by turns, at most 16 (1)" },
	{ "plain", 'p', CLI_FLAG, AT(plain), NULL, "a last run, without either, for its wall time" },
	{ "keep", 'k', CLI_TEXT, AT(keep), "DIR", "keep there what the runs recorded and printed" },
	{ "again", 'a', CLI_TEXT, AT(again), "DIR", "run nothing: compare what --keep kept there" },
	{ "rows", 'n', CLI_COUNT, AT(look.rows), "N",
	  "the N rows with the most GPU time (40, with --json all; 0: all)" },
	{ "full", 'f', CLI_FLAG, AT(look.full), NULL, "whole names, however long" },
	{ "raw-names", 0, CLI_FLAG, AT(look.raw), NULL, "kernel names as the driver has them, not demangled" },
	{ "cupti", 0, CLI_TEXT, AT(cupti), "FILE", "the libcupti to use" },
	{ "recorder", 0, CLI_TEXT, AT(recorder), "FILE", "the recorder, cupti_times.so" },
};

static const struct cli_command command = {
	.name = "vprof verify",
	.operands = "[--] COMMAND [ARGUMENT...]",
	.summary = "Runs a command beside CUPTI and under vprof, and compares the GPU times of both, kernel by kernel.",
	.notes = "A row is a kernel in one shape, grid and block, as what it takes differs with that; where a launch\n"
		 "of its name has no known shape, a row is the name. Copies and sets are rows by their bytes. A row\n"
		 "is near when the medians differ by at most 5 % or 200 ns, whichever is more. SHARE is its part of\n"
		 "the GPU time by CUPTI. Of several runs a median is the mean of theirs, and how far the runs of each\n"
		 "side are apart is said as well. The options from --ring-mb on are the variables of libvprof.so\n"
		 "(`vprof help env`). Exit status 1: the share was not reached, or a run failed.",
	.options = table,
	.options_first = 1,
};

/* ---- what the runs have left ---- */

/* A side's run that is looked at. */
struct place {
	const struct verify_places *places;
	enum verify_run which;
	uint32_t at;
};

static void begin_message(const struct place *place)
{
	char text[VERIFY_PLACES_SAID];

	fprintf(stderr, "%s: %s", command.name, verify_places_say(place->places, place->at, text));
}

static int nothing(const struct place *place, const char *what)
{
	begin_message(place);
	fprintf(stderr, "%s\n", what);
	return -ENODATA;
}

static int judge_cupti(const struct verify *verify, const struct place *place, struct verify_source *source)
{
	if (*source->error) {
		if (!verify->reread) {
			begin_message(place);
			fprintf(stderr, "beside CUPTI: %s\n", cli_clean(source->error));
		}
		if (!source->executions)
			return -ENODATA;
	}
	if (!source->processes)
		return nothing(place,
			       "beside CUPTI no process recorded anything: none of them initialised a CUDA driver that "
			       "loads what CUDA_INJECTION64_PATH names");
	return source->executions ? 0 : nothing(place, "CUPTI saw nothing run on the GPU");
}

static int judge_vprof(const struct place *place, const struct verify_source *source)
{
	if (!source->processes)
		return nothing(place, "under vprof there is no ring: no process made a CUDA call that it saw");
	if (source->executions)
		return 0;
	begin_message(place);
	fprintf(stderr, "vprof measured nothing of the GPU in %zu %s with %llu %s: %s\n", source->processes,
		cli_word(source->processes, "process", "processes"), (unsigned long long)source->launches,
		cli_word(source->launches, "launch", "launches"),
		*source->error ? source->error : "VPROF_GPU is off, or this library measures nothing");
	return -ENODATA;
}

static int read_side(struct verify *verify, const struct place *place)
{
	struct verify_source source;
	char *path = verify_places_path(place->places, place->which, place->at);
	int error;

	if (!path)
		return -ENOMEM;
	if (place->which == VERIFY_RUN_CUPTI)
		error = verify_read_cupti(verify, &source, path, command.name);
	else
		error = verify_read_rings(verify, &source, path, command.name);
	free(path);
	if (error)
		return error;
	return place->which == VERIFY_RUN_CUPTI ? judge_cupti(verify, place, &source) : judge_vprof(place, &source);
}

/* Both sides of run number `at`, each after it is made where there are `runs` to make. */
static int take_pair(struct verify *verify, const struct options *options, const struct verify_places *places,
		     struct verify_runs *runs, uint32_t at)
{
	struct place place = { places, at % 2 ? VERIFY_RUN_VPROF : VERIFY_RUN_CUPTI, at };
	int error = 0;

	for (int side = 0; side < VERIFY_SIDES && !error; side++) {
		if (runs)
			error = verify_runs_make(runs, place.which, at);
		if (!error)
			error = read_side(verify, &place);
		place.which = place.which == VERIFY_RUN_CUPTI ? VERIFY_RUN_VPROF : VERIFY_RUN_CUPTI;
	}
	if (error)
		return error;
	error = verify_close(verify, &options->style);
	if (error) {
		begin_message(&place);
		fprintf(stderr, "%s\n", strerror(-error));
	}
	return error;
}

/* CUPTI's first run is the first of all: where there is no CUPTI the others are of no use. */
static int take_all(struct verify *verify, const struct options *options, const struct verify_places *places,
		    struct verify_runs *runs)
{
	int error = 0;

	for (uint32_t at = 0; at < places->count && !error; at++)
		error = take_pair(verify, options, places, runs, at);
	while (!error && verify->stale) {
		verify_restart(verify);
		for (uint32_t at = 0; at < places->count && !error; at++)
			error = take_pair(verify, options, places, NULL, at);
	}
	return error;
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
	if (options->style.by_graph && verify->graphs_vary)
		fprintf(stderr, "%s: not all runs saw as many graphs: those of one number may not be the same\n",
			command.name);
}

/* The exit code. */
static int answer(struct verify *verify, const struct options *options)
{
	int error;

	verify_compare(verify);
	error = options->json ? verify_print_json(verify, &options->look) : verify_print_table(verify, &options->look);
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
	struct verify_places places;
	int code = CLI_FAILED;

	if (verify_places_find(&places, options->again))
		fprintf(stderr, "%s: no memory\n", command.name);
	else if (!take_all(&verify, options, &places, NULL))
		code = answer(&verify, options);
	verify_places_end(&places);
	verify_free(&verify);
	return code;
}

static int compare_runs(struct options *options, char **words)
{
	struct verify_runs runs = {
		.program = command.name, .command = words, .env = &options->env, .keep = options->keep,
		.recorder = options->recorder, .cupti = options->cupti,
		.count = options->runs == UNSAID ? 1 : (uint32_t)options->runs,
	};
	struct verify verify = { 0 };
	int code = CLI_FAILED;

	options->look.wall_s = runs.wall_s;
	if (!verify_runs_begin(&runs) && !take_all(&verify, options, &runs.places, &runs) &&
	    (!options->plain || !verify_runs_make(&runs, VERIFY_RUN_PLAIN, 0)))
		code = answer(&verify, options);
	verify_runs_end(&runs);
	verify_free(&verify);
	return code;
}

int cmd_verify(int argc, char **argv)
{
	struct options options = { .look = { .rows = UNSAID, .share = SHARE_WANTED }, .runs = UNSAID };
	int count;

	env_options_fill(table + OWN_OPTIONS, AT(env));
	count = cli_parse(&command, &options, argc, argv);
	if (count < 0)
		return CLI_CODE(count);
	if (options.look.share > 100)
		return cli_usage(&command, "share: more than 100 %%");
	if (options.runs != UNSAID && (!options.runs || options.runs > VERIFY_RUNS_MOST))
		return cli_usage(&command, "runs: 1 to %d", VERIFY_RUNS_MOST);
	if (env_options_check(&command, &options.env))
		return CLI_USAGE;
	options.look.by_graph = options.style.by_graph;
	if (options.look.rows == UNSAID)
		options.look.rows = options.json ? 0 : ROWS_SHOWN;
	if (options.again && (count || options.runs != UNSAID))
		return cli_usage(&command, "--again runs no command");
	if (options.again)
		return compare_kept(&options);
	if (!count)
		return cli_usage(&command, "which command?");
	argv[1 + count] = NULL;
	return compare_runs(&options, argv + 1);
}
