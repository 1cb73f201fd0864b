/*
 * exec_cost.c - what the preload costs a process that has nothing to do with CUDA.
 *
 *	exec_cost LIBRARY PYTHON
 *
 * Starts true, bash and a Python interpreter (its own file: a python3 that is a script would start
 * more than one process) with and without LD_PRELOAD in turn and takes the median over
 * pairs of the difference from spawn to exit, in time and in page faults, which no other load on the machine adds to.
 */
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "tests/bench/row.h"

enum { PAIRS = 300, WARM = 5 };

extern char **environ;

struct cost {
	double us, faults;
};

static struct cost run(const char *const *command, char **env, const posix_spawn_file_actions_t *quiet)
{
	double start = bench_clock(CLOCK_MONOTONIC);
	struct rusage usage;
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, command[0], quiet, NULL, (char *const *)command, env)) {
		fprintf(stderr, "exec_cost: cannot start %s\n", command[0]);
		exit(1);
	}
	if (wait4(pid, &status, 0, &usage) != pid || !WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "exec_cost: %s failed\n", command[0]);
		exit(1);
	}
	return (struct cost){ (bench_clock(CLOCK_MONOTONIC) - start) / 1000, (double)usage.ru_minflt };
}

int main(int argc, char **argv)
{
	const char *const commands[][4] = {
		{ "true", NULL },
		{ "bash", "-c", ":", NULL },
		{ argv[argc - 1], "-c", "pass", NULL },
	};
	const char *const names[] = { "true", "bash -c :", "python3 -c pass" };
	static char preload[4200];
	static char *with[1024], *without[1024];
	posix_spawn_file_actions_t quiet;
	size_t n = 0;

	if (argc != 3) {
		fprintf(stderr, "usage: exec_cost LIBRARY PYTHON\n");
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
		static double added[PAIRS], faults[PAIRS];
		char name[64];

		/* A pair in each order: which of the two runs second has its advantages. */
		for (int i = -WARM; i < PAIRS; i++) {
			struct cost a = run(commands[c], without, &quiet), b = run(commands[c], with, &quiet);
			struct cost d = run(commands[c], with, &quiet), e = run(commands[c], without, &quiet);

			added[i < 0 ? 0 : i] = (b.us + d.us - a.us - e.us) / 2;
			faults[i < 0 ? 0 : i] = (b.faults + d.faults - a.faults - e.faults) / 2;
		}
		snprintf(name, sizeof(name), "exec to exit, added to %s", names[c]);
		bench_limit(name, bench_median(added, PAIRS), "us", 100);
		snprintf(name, sizeof(name), "page faults of that, %s", commands[c][0]);
		bench_info(name, bench_median(faults, PAIRS), "faults", 1);
	}
	return 0;
}
