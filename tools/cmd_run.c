/*
 * cmd_run.c - `vprof run`: a program with its children traced, from start to end.
 *
 * EXIT CODES are those of env(1) and timeout(1), since a script means the program's: its own; 125
 * when vprof itself failed, 126 when the program could not be run, 127 when there is none. A
 * program that died of a signal has us die of it.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/cli.h"
#include "tools/env_forms.h"
#include "tools/manifest.h"
#include "tools/now.h"
#include "tools/run_child.h"
#include "tools/run_report.h"
#include "tools/sink.h"
#include "tools/verbs.h"

enum { EXIT_OURS = 125, EXIT_NOT_RUN = 126, EXIT_NOT_FOUND = 127 };

struct options {
	const char *merge;
	int append;
	struct env_choice env;
};

#define AT(field) offsetof(struct options, field)

enum { OWN_OPTIONS = 3 };

static struct cli_option table[OWN_OPTIONS + ENV_OPTIONS + 1] = {
	{ "out", 'o', CLI_TEXT, AT(env.value[ENV_ROW_out]), "DIR",
	  "the folder for rings and manifest (default: a new one, vprof-DATE-TIME)" },
	{ "append", 'a', CLI_FLAG, AT(append), NULL, "take DIR even if it has rings of earlier runs" },
	{ "merge", 'm', CLI_TEXT, AT(merge), "FILE", "at the end make the trace FILE (.json, .json.gz, .json.zst)" },
};

static const struct cli_command command = {
	.name = "vprof run",
	.operands = "[--] COMMAND [ARGUMENT...]",
	.summary = "Runs a command with every process of it traced, and says at the end what was recorded.",
	.notes = "All options but the first three are the variables of libvprof.so: --ring-mb 256 is\n"
		 "VPROF_RING_MB=256 (`vprof help env`). Signals are passed on. The exit status is the\n"
		 "command's, or 125 (vprof failed), 126 (cannot be run), 127 (not found).",
	.options = table,
	.options_first = 1,
};

struct run {
	const struct options *options;
	char **command;
	struct run_folder folder;
	struct surround surround;
	struct run_child child;
	struct manifest manifest;
};

/* A program goes on without a manifest. */
static void write_manifest(struct run *run)
{
	int error = manifest_write(&run->manifest);

	if (error)
		fprintf(stderr, "vprof: %s: manifest: %s\n", run->folder.path, strerror(-error));
}

static int start(struct run *run)
{
	int error;

	run->manifest = (struct manifest){
		.folder = run->folder.real, .command = run->command, .surround = &run->surround,
		.start_ns = now_ns(CLOCK_REALTIME),
	};
	error = run_child_start(&run->child, run->command, &run->surround);
	if (error) {
		fprintf(stderr, "%s: %s: %s\n", command.name, run->command[0], strerror(-error));
		return error == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN;
	}
	run->manifest.pid = run->child.pid;
	write_manifest(run);
	return 0;
}

/* vprof-merge lies beside us; else where the shell would find it. */
static void merge(struct run *run)
{
	char *own = surround_own_folder(), path[PATH_MAX] = "vprof-merge";
	char *words[] = { path, run->folder.real, "-o", (char *)run->options->merge, NULL };
	int code;

	if (own && snprintf(path, sizeof(path), "%s/vprof-merge", own) < (int)sizeof(path) && access(path, X_OK))
		strcpy(path, "vprof-merge");
	free(own);
	code = run_other(&run->child, words);
	if (code)
		fprintf(stderr, "vprof: %s: no trace: vprof-merge %s\n", run->options->merge,
			code < 0 ? "could not be run" : "failed");
	else
		fprintf(stderr, "vprof: %s\n", run->options->merge);
}

/* The line that makes the trace, for copying. */
static void put_merge_line(const char *folder)
{
	struct buffer word = { 0 };

	env_add_word(&word, folder);
	fprintf(stderr, "vprof-merge %.*s -o trace.json\n", (int)word.used, word.data);
	buffer_free(&word);
}

static void finish(struct run *run)
{
	struct recorded recorded;
	int quiet = env_row_on(&run->options->env, ENV_ROW_quiet), error;

	/* Nobody may read what we say any more; the manifest is to be written all the same. */
	signal(SIGPIPE, SIG_IGN);
	run->manifest.end_ns = now_ns(CLOCK_REALTIME);
	run->manifest.status = run->child.status;
	error = recorded_count(&recorded, &run->folder);
	if (error)
		fprintf(stderr, "vprof: %s: %s\n", run->folder.path, strerror(-error));
	else
		run->manifest.recorded = &recorded;
	write_manifest(run);
	if (error)
		return;
	if (!recorded.records && !recorded.unreadable) {
		if (!quiet && recorded.processes)
			run_report_off(&recorded);
		else if (!quiet)
			run_report_nothing(run->command[0], &run->options->env);
		return;
	}
	if (!quiet)
		run_report(&recorded);
	if (run->options->merge)
		merge(run);
	else if (!quiet)
		put_merge_line(run->folder.path);
}

static int prepare(struct run *run)
{
	const char *wanted = run->options->env.value[ENV_ROW_out];
	char why[PATH_MAX + 256];

	if (run_folder_make(&run->folder, wanted, run->options->append, why, sizeof(why)) ||
	    surround_make(&run->surround, &run->options->env, run->folder.real, why, sizeof(why))) {
		fprintf(stderr, "%s: %s\n", command.name, why);
		return EXIT_OURS;
	}
	return 0;
}

int cmd_run(int argc, char **argv)
{
	struct options options = { 0 };
	struct run run = { .options = &options, .command = argv + 1 };
	enum sink_form form;
	int count, code;

	env_options_fill(table + OWN_OPTIONS, AT(env));
	count = cli_parse(&command, &options, argc, argv);
	if (count < 0)
		return CLI_CODE(count) ? EXIT_OURS : CLI_OK;
	run.command[count] = NULL;
	if (!count)
		cli_usage(&command, "which command?");
	if (!count || env_options_check(&command, &options.env))
		return EXIT_OURS;
	if (sink_choose_form(&form, options.merge, NULL)) {
		cli_usage(&command, "--merge %s: only .gz and .zst can be written", options.merge);
		return EXIT_OURS;
	}
	code = prepare(&run);
	if (!code)
		code = start(&run);
	if (code) {
		run_folder_undo(&run.folder);
	} else {
		run_child_wait(&run.child);
		finish(&run);
	}
	surround_free(&run.surround);
	run_folder_free(&run.folder);
	if (code)
		return code;
	run_child_end_like(&run.child);
}
