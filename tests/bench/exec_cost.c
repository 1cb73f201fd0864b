/*
 * exec_cost.c - what the preload costs a process that has nothing to do with CUDA.
 *
 *	exec_cost LIBRARY
 *
 * Starts true, bash and python3 with and without LD_PRELOAD in turn and takes the
 * median over pairs of the difference from spawn to exit.
 */
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include "tests/bench/row.h"

enum { PAIRS = 400, WARM = 10 };

extern char **environ;

static const char *const commands[][4] = {
	{ "true", NULL },
	{ "bash", "-c", ":", NULL },
	{ "python3", "-c", "pass", NULL },
};

static double run_us(const char *const *command, char **env, const posix_spawn_file_actions_t *quiet)
{
	double start = bench_clock(CLOCK_MONOTONIC);
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, command[0], quiet, NULL, (char *const *)command, env)) {
		fprintf(stderr, "exec_cost: cannot start %s\n", command[0]);
		exit(1);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "exec_cost: %s failed\n", command[0]);
		exit(1);
	}
	return (bench_clock(CLOCK_MONOTONIC) - start) / 1000;
}

int main(int argc, char **argv)
{
	static char preload[4200];
	static char *with[1024], *without[1024];
	posix_spawn_file_actions_t quiet;
	size_t n = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: exec_cost LIBRARY\n");
		return 2;
	}
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", argv[1]);
	for (char **e = environ; *e && n < 1000; e++)
		if (strncmp(*e, "LD_PRELOAD=", 11))
			with[n] = without[n] = *e, n++;
	with[n] = preload;
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);

	for (size_t c = 0; c < sizeof(commands) / sizeof(commands[0]); c++) {
		static double added[PAIRS];
		char name[64];

		for (int i = -WARM; i < PAIRS; i++) {
			/* Which of the two goes first alternates. */
			double a = run_us(commands[c], i & 1 ? with : without, &quiet);
			double b = run_us(commands[c], i & 1 ? without : with, &quiet);

			if (i < 0)
				continue;
			added[i] = i & 1 ? a - b : b - a;
		}
		snprintf(name, sizeof(name), "exec to exit, added to %s", commands[c][0]);
		bench_limit(name, bench_median(added, PAIRS), "us", 100);
	}
	return 0;
}
