/*
 * verify_runs.c - see the header.
 */
#include "tools/verify_runs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "tools/run_child.h"

#define RECORDER "cupti_times.so"

enum { LINES_SHOWN = 10 };

static const char *const run_words[VERIFY_RUNS] = { "beside CUPTI", "under vprof", "plain" };

static int failed(const struct verify_runs *runs, const char *what, int error)
{
	fprintf(stderr, "%s: %s%s: %s\n", runs->program, runs->now, what, strerror(error));
	return -1;
}

/* ---- what is needed ---- */

static char *recorder_beside_us(void)
{
	static const char *const places[] = { "/gpu/" RECORDER, "/../lib/vprof/" RECORDER, NULL };
	char *own = surround_own_folder(), *found = NULL, path[PATH_MAX];

	for (const char *const *place = places; own && *place && !found; place++)
		if (snprintf(path, sizeof(path), "%s%s", own, *place) < (int)sizeof(path) && !access(path, R_OK))
			found = realpath(path, NULL);
	free(own);
	return found;
}

static int find_recorder(struct verify_runs *runs)
{
	runs->recorder_path = runs->recorder ? realpath(runs->recorder, NULL) : recorder_beside_us();
	if (runs->recorder_path)
		return 0;
	if (runs->recorder)
		return failed(runs, runs->recorder, errno);
	fprintf(stderr,
		"%s: " RECORDER ", the recorder of CUPTI's activities, is neither beside vprof nor installed with it:"
			" make gpu-programs builds it, --recorder names it\n", runs->program);
	return -1;
}

/* What holds unless the user has said otherwise: every launch of every graph is measured, and all else. */
static int set_defaults(void)
{
	static const char *const defaults[][2] = {
		{ "VPROF_GPU", "all" }, { "VPROF_GPU_PARTS", "1" }, { "VPROF_GPU_TWINS", "256" },
		{ "VPROF_GPU_EAGER", "always" },
	};

	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (setenv(defaults[i][0], defaults[i][1], 0))
			return -1;
	return 0;
}

int verify_runs_begin(struct verify_runs *runs)
{
	char why[PATH_MAX + 256];

	if (find_recorder(runs) || verify_places_make(&runs->places, runs->count, runs->keep, runs->program))
		return -1;
	if (set_defaults())
		return failed(runs, "environment", ENOMEM);
	if (!surround_make(&runs->surround, runs->env, runs->places.folder, why, sizeof(why)))
		return 0;
	fprintf(stderr, "%s: %s\n", runs->program, why);
	return -1;
}

void verify_runs_end(struct verify_runs *runs)
{
	verify_places_end(&runs->places);
	surround_free(&runs->surround);
	free(runs->recorder_path);
}

/* ---- a run ---- */

/* The surroundings of all runs under vprof, but that it records in `place`, which is the caller's. */
static struct surround surround_of_vprof(const struct verify_runs *runs, const char *place)
{
	struct surround surround = runs->surround;

	for (size_t i = 0; i < surround.count; i++)
		if (!strcmp(surround.pairs[i].name, env_row_name(ENV_ROW_out)))
			surround.pairs[i].value = (char *)place;
	return surround;
}

/* To those of a run without it. The value is the caller's. */
static void add_pair(struct surround *surround, const char *name, const char *value)
{
	if (value)
		surround->pairs[surround->count++] = (struct surround_pair){ name, (char *)value };
}

static struct surround surround_of(const struct verify_runs *runs, enum verify_run which, const char *place)
{
	struct surround surround = { 0 };

	if (which == VERIFY_RUN_VPROF)
		return surround_of_vprof(runs, place);
	add_pair(&surround, "VPROF_ENABLE", "0");
	if (which == VERIFY_RUN_CUPTI) {
		add_pair(&surround, "CUDA_INJECTION64_PATH", runs->recorder_path);
		add_pair(&surround, "CUPTI_TIMES", place);
		add_pair(&surround, "CUPTI_LIB", runs->cupti);
	}
	return surround;
}

struct streams {
	int saved[3];
};

/* The command is to have /dev/null and `log` for our 0, 1 and 2, which are kept. */
static int streams_turn(struct streams *streams, const char *log)
{
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int error = in < 0 || out < 0 ? errno : 0;

	for (int fd = 0; fd < 3; fd++)
		streams->saved[fd] = error ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	for (int fd = 0; fd < 3 && !error; fd++)
		if (dup2(fd ? out : in, fd) < 0)
			error = errno;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return -error;
}

static void streams_turn_back(const struct streams *streams)
{
	for (int fd = 0; fd < 3; fd++)
		if (streams->saved[fd] >= 0) {
			dup2(streams->saved[fd], fd);
			close(streams->saved[fd]);
		}
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Where somebody looks on. */
static void show_progress(const struct verify_runs *runs, enum verify_run which)
{
	if (runs->count > 1 && isatty(STDERR_FILENO))
		fprintf(stderr, "%s: %s%s ...\n", runs->program, runs->now, run_words[which]);
}

/* 0 or a negative errno: it could not be started. */
static int run(struct verify_runs *runs, enum verify_run which, const char *place, const char *log)
{
	struct surround surround = surround_of(runs, which, place);
	struct run_child child;
	struct streams streams;
	double start = now_s();
	int error;

	fflush(NULL);
	error = streams_turn(&streams, log);
	if (!error)
		error = run_child_start(&child, runs->command, &surround);
	streams_turn_back(&streams);
	if (error)
		return error;
	run_child_wait(&child);
	run_child_release(&child);
	runs->wall_s[which] += (now_s() - start) / (which == VERIFY_RUN_PLAIN ? 1 : runs->count);
	runs->status = child.status;
	return 0;
}

static void show_last_lines(const char *log)
{
	FILE *file = fopen(log, "re");
	char *lines[LINES_SHOWN] = { NULL };
	size_t room = 0, count = 0;
	char *line = NULL;

	while (file && getline(&line, &room, file) > 0) {
		free(lines[count % LINES_SHOWN]);
		lines[count++ % LINES_SHOWN] = strdup(line);
	}
	for (size_t i = 0; i < LINES_SHOWN; i++) {
		char *text = lines[(count + i) % LINES_SHOWN];

		if (text) {
			text[strcspn(text, "\n")] = '\0';
			fprintf(stderr, "  %s\n", cli_clean(text));
		}
		free(text);
	}
	free(line);
	if (file)
		fclose(file);
}

static void say_failed(const struct verify_runs *runs, enum verify_run which, const char *log)
{
	char how[64];

	if (WIFSIGNALED(runs->status))
		snprintf(how, sizeof(how), "died of signal %d (%s)", WTERMSIG(runs->status),
			 strsignal(WTERMSIG(runs->status)));
	else
		snprintf(how, sizeof(how), "ended with exit code %d", WEXITSTATUS(runs->status));
	fprintf(stderr, "%s: %s%s %s %s; what it printed last:\n", runs->program, runs->now, run_words[which],
		runs->command[0], how);
	show_last_lines(log);
}

int verify_runs_make(struct verify_runs *runs, enum verify_run which, uint32_t at)
{
	char *place = verify_places_path(&runs->places, which, at), *log = NULL;
	int error = place && asprintf(&log, "%s.log", place) >= 0 ? 0 : -ENOMEM;

	if (which == VERIFY_RUN_PLAIN)
		*runs->now = '\0';
	else
		verify_places_say(&runs->places, at, runs->now);
	show_progress(runs, which);
	if (!error)
		error = run(runs, which, place, log);
	if (error)
		failed(runs, runs->command[0], -error);
	else if (!WIFEXITED(runs->status) || WEXITSTATUS(runs->status)) {
		say_failed(runs, which, log);
		error = -1;
	}
	free(place);
	free(log);
	return error ? -1 : 0;
}
