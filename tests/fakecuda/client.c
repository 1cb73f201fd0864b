/*
 * client.c - a CUDA program that does what its options say, for tests.
 *
 * It prints how often it called each driver function, so that a test can
 * compare that with what was recorded. Runs on the fake driver and on a GPU.
 */
#include <getopt.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fakecuda/client.h"

struct client_options client_options = { .per_graph = 2, .streams = 1, .via = VIA_DLSYM };

enum child_kind { CHILD_NONE, CHILD_FORK, CHILD__FORK, CHILD_CLONE, CHILD_VFORK, CHILD_SPAWN };
static enum child_kind child;
static bool child_after;
static long child_launches = 1;
static const char *how_to_exit = "normal", *count_file;
static char **arguments;
extern char **environ;

static const char help[] =
	"usage: client [option]...\n"
	"A CUDA program for tests. Prints `pid PID`, then `FUNCTION COUNT` for each driver\n"
	"function it called, then sleeps if told to and ends.\n"
	"\n"
	"What each thread does, in this order:\n"
	"  --launches N       N kernel launches (default 0)\n"
	"  --forever          launches without end instead\n"
	"  --graphs N         captures two launches, launches the graph N times\n"
	"  --per-graph N      captures N launches instead\n"
	"  --copies N         N times: copy in, memset, copy out, synchronize\n"
	"  --streams N        over N streams of its own, at most 64 (default 1)\n"
	"  --kernel NAME      launch this kernel; may be given up to 16 times, taken in turn\n"
	"                     (default noop; spin_<N>us takes N microseconds)\n"
	"  --ex               launch with cuLaunchKernelEx\n"
	"  --programmatic     and with programmatic serialization\n"
	"  --sync             wait for the stream after every launch of a graph\n"
	"  --pause-us N       wait after every launch\n"
	"Who does it:\n"
	"  --threads N        N threads at once instead of the main thread\n"
	"  --hold             every thread lives until all have done their work\n"
	"  --short-threads N  then, one after the other, N threads of one launch each\n"
	"  --procs N          N processes, each started anew with the other options\n"
	"Children; --fork, --_Fork and --clone make a child that does the work too:\n"
	"  --fork --_Fork --clone\n"
	"                     by fork(), _Fork() or a bare system call\n"
	"  --vfork            by vfork(); launches as --child-launches says, then _exit\n"
	"  --spawn            by posix_spawn of this program with the other options\n"
	"  --child-launches N (default 1)\n"
	"  --when before|after  the child is made before the first driver call (default)\n"
	"                     or after the parent's work; then its calls may fail, and\n"
	"                     --vfork always means after\n"
	"How:\n"
	"  --via plt|dlsym|gpa|gpa1  how functions are found: linked, dlsym,\n"
	"                     cuGetProcAddress_v2, cuGetProcAddress (default dlsym)\n"
	"  --profiler         cuProfilerStart and cuProfilerStop around the work\n"
	"  --unload           unload the module at the end\n"
	"  --keep-errors      go on after a call has failed\n"
	"  --sleep-ms N       sleep after the counts are printed\n"
	"  --exit normal|_exit|kill  how to end (default normal)\n"
	"  --count-file FILE  keep the counts in FILE as well, for when it is killed\n"
	"  --show FILE        print such a file as `FUNCTION BEGUN RETURNED`, nothing else\n";

enum { OPT_LAUNCHES = 256, OPT_GRAPHS, OPT_COPIES, OPT_SLEEP, OPT_PAUSE, OPT_THREADS, OPT_STREAMS,
	OPT_PROCS, OPT_SHORT, OPT_KERNEL, OPT_VIA, OPT_EXIT, OPT_COUNT, OPT_SHOW, OPT_WHEN,
	OPT_CHILD_LAUNCHES, OPT_HOLD, OPT_FOREVER, OPT_UNLOAD, OPT_KEEP, OPT_EX, OPT_PROGRAMMATIC, OPT_SYNC, OPT_PER_GRAPH,
	OPT_PROFILER, OPT_HELP,
	OPT_CHILD };

static const struct option options[] = {
	{ "launches", 1, NULL, OPT_LAUNCHES }, { "graphs", 1, NULL, OPT_GRAPHS },
	{ "copies", 1, NULL, OPT_COPIES }, { "sleep-ms", 1, NULL, OPT_SLEEP },
	{ "pause-us", 1, NULL, OPT_PAUSE }, { "threads", 1, NULL, OPT_THREADS },
	{ "streams", 1, NULL, OPT_STREAMS }, { "procs", 1, NULL, OPT_PROCS },
	{ "short-threads", 1, NULL, OPT_SHORT }, { "kernel", 1, NULL, OPT_KERNEL },
	{ "via", 1, NULL, OPT_VIA }, { "exit", 1, NULL, OPT_EXIT },
	{ "count-file", 1, NULL, OPT_COUNT }, { "show", 1, NULL, OPT_SHOW },
	{ "when", 1, NULL, OPT_WHEN }, { "child-launches", 1, NULL, OPT_CHILD_LAUNCHES },
	{ "hold", 0, NULL, OPT_HOLD }, { "forever", 0, NULL, OPT_FOREVER },
	{ "unload", 0, NULL, OPT_UNLOAD }, { "keep-errors", 0, NULL, OPT_KEEP },
	{ "per-graph", 1, NULL, OPT_PER_GRAPH }, { "sync", 0, NULL, OPT_SYNC },
	{ "programmatic", 0, NULL, OPT_PROGRAMMATIC },
	{ "ex", 0, NULL, OPT_EX }, { "profiler", 0, NULL, OPT_PROFILER }, { "help", 0, NULL, OPT_HELP },
	{ "fork", 0, NULL, OPT_CHILD + CHILD_FORK }, { "_Fork", 0, NULL, OPT_CHILD + CHILD__FORK },
	{ "clone", 0, NULL, OPT_CHILD + CHILD_CLONE }, { "vfork", 0, NULL, OPT_CHILD + CHILD_VFORK },
	{ "spawn", 0, NULL, OPT_CHILD + CHILD_SPAWN }, { NULL, 0, NULL, 0 },
};

__attribute__((noreturn)) static void usage(void)
{
	fputs(help, stderr);
	exit(2);
}

/* The index of `word` among count names; ends the program when it is none. */
static int choice(const char *word, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(word, names[i]))
			return i;
	usage();
}

static void option_take(int option)
{
	static const char *const vias[] = { "plt", "dlsym", "gpa", "gpa1" };
	static const char *const whens[] = { "before", "after" };
	struct client_options *o = &client_options;
	long number = optarg ? atol(optarg) : 0;

	switch (option) {
	case OPT_LAUNCHES: o->launches = number; break;
	case OPT_GRAPHS: o->graphs = number; break;
	case OPT_COPIES: o->copies = number; break;
	case OPT_SLEEP: o->sleep_ms = number; break;
	case OPT_PAUSE: o->pause_us = number; break;
	case OPT_THREADS: o->threads = (int)number; break;
	case OPT_STREAMS: o->streams = number < 1 ? 1 : number > 64 ? 64 : (int)number; break;
	case OPT_PROCS: o->procs = (int)number; break;
	case OPT_SHORT: o->short_threads = (int)number; break;
	case OPT_KERNEL:
		if (o->kernels == 16)
			usage();
		o->kernel[o->kernels++] = optarg;
		break;
	case OPT_VIA: o->via = (enum client_via)choice(optarg, vias, 4); break;
	case OPT_EXIT: how_to_exit = optarg; break;
	case OPT_COUNT: count_file = optarg; break;
	case OPT_SHOW: exit(client_counts_show(optarg));
	case OPT_WHEN: child_after = choice(optarg, whens, 2); break;
	case OPT_CHILD_LAUNCHES: child_launches = number; break;
	case OPT_HOLD: o->hold = true; break;
	case OPT_FOREVER: o->forever = true; break;
	case OPT_UNLOAD: o->unload = true; break;
	case OPT_KEEP: o->keep_errors = true; break;
	case OPT_EX: o->ex = true; break;
	case OPT_PROGRAMMATIC: o->ex = o->programmatic = true; break;
	case OPT_SYNC: o->sync = true; break;
	case OPT_PER_GRAPH: o->per_graph = number; break;
	case OPT_PROFILER: o->profiler = true; break;
	case OPT_HELP:
		fputs(help, stdout);
		exit(0);
	case '?': usage();
	default: child = (enum child_kind)(option - OPT_CHILD);
	}
}

__attribute__((noreturn)) static void finish(void)
{
	client_counts_print();
	if (client_options.sleep_ms)
		usleep((useconds_t)client_options.sleep_ms * 1000);
	if (!strcmp(how_to_exit, "kill"))
		kill(getpid(), SIGKILL);
	if (!strcmp(how_to_exit, "_exit"))
		_exit(0);
	exit(0);
}

static int reap(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0; /* killed: as it was told to be */
}

/* Starts this program again without the options that made us start it. */
static pid_t start_again(void)
{
	char *args[64];
	int n = 0;
	pid_t pid;

	for (char **a = arguments; *a && n < 63; a++) {
		if (!strcmp(*a, "--procs")) {
			a++;
			continue;
		}
		if (strcmp(*a, "--spawn") && strncmp(*a, "--procs=", 8))
			args[n++] = *a;
	}
	args[n] = NULL;
	if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, args, environ)) {
		perror("client: spawn");
		exit(1);
	}
	return pid;
}

static int procs_run(int count)
{
	pid_t *pid = calloc((size_t)count, sizeof(*pid));
	int failed = 0;

	for (int i = 0; i < count; i++)
		pid[i] = start_again();
	for (int i = 0; i < count; i++)
		failed |= reap(pid[i]);
	free(pid);
	return failed;
}

static pid_t child_make(void)
{
	switch (child) {
	case CHILD_FORK: return fork();
	case CHILD__FORK: return _Fork();
	case CHILD_CLONE: return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	default: return -1;
	}
}

/* Makes the child; returns in the parent when it has ended. */
static void child_run(void)
{
	pid_t pid;

	if (child == CHILD_SPAWN) {
		pid = start_again();
	} else if (child == CHILD_VFORK) {
		pid = vfork();
		if (pid == 0) {
			client_raw_launches(child_launches);
			_exit(0);
		}
	} else {
		pid = child_make();
		if (pid == 0) {
			client_counts_open(NULL);
			client_options.keep_errors |= child_after;
			client_api_resolve(client_options.via);
			client_work();
			finish();
		}
	}
	if (reap(pid))
		exit(1);
}

int main(int argc, char **argv)
{
	int option;

	arguments = argv;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		option_take(option);
	if (optind != argc)
		usage();
#ifndef CLIENT_PLT
	if (client_options.via == VIA_PLT) {
		char path[4096];

		snprintf(path, sizeof(path), "%s-plt", argv[0]);
		execv(path, argv);
		perror(path);
		return 1;
	}
#endif
	if (!client_options.kernels)
		client_options.kernel[client_options.kernels++] = "noop";
	if (client_options.procs)
		return procs_run(client_options.procs);
	client_counts_open(count_file);
	if (child && child != CHILD_VFORK && !child_after)
		child_run(); /* before even the driver is loaded, unless it is linked */
	client_api_resolve(client_options.via);
	client_work();
	if (child && (child == CHILD_VFORK || child_after))
		child_run();
	finish();
}
