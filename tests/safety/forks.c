/*
 * forks.c - one kind of child each, whose parent and child both launch.
 *
 *	forks KIND     fork, _Fork, raw, vfork, vfork-only, spawn, system, popen, twice, thread, exec, chdir, handler
 *
 * The parent launches kernel "parent" 5 times before and after, a child "child" 3 times on a
 * driver of its own making (an exec of this program: "forks child"), or, where no
 * program is executed, as the driver allows: the result of its launch is the exit status.
 * The child of chdir goes to the folder $ELSEWHERE first.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include "tests/safety/driver.h"

enum { TRAP_FLAG = 0x100 };

extern char **environ;

static struct driver d;
static CUfunction function;
static char *self;

static int launch(unsigned times)
{
	CUresult result = 0;

	while (times-- && !result)
		result = driver_launch(&d, function, times + 1, 1);
	return result;
}

static int begin(const char *kernel)
{
	driver_open(&d);
	return driver_start(&d) || d.cuModuleGetFunction(&function, d.module, kernel);
}

static int ended(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* A child without exec launches into what it inherited: the driver refuses (3), and that is recorded. */
static int child_calls(pid_t pid)
{
	if (pid)
		return ended(pid);
	_exit(launch(3));
}

static int by_fork(void) { return child_calls(fork()); }
static int by_raw(void) { return child_calls((pid_t)syscall(SYS_clone, 17L, 0, 0, 0, 0)); }

static int by_Fork(void)
{
	pid_t (*call)(void) = (pid_t(*)(void))dlsym(RTLD_DEFAULT, "_Fork");

	return call ? child_calls(call()) : 3;
}

static int by_twice(void)
{
	pid_t pid = fork();

	if (pid)
		return ended(pid);
	launch(3);
	_exit(child_calls(fork()));
}

static int by_vfork(void)
{
	char *arguments[] = { self, "child", NULL };
	pid_t pid = vfork();

	if (!pid) {
		driver_launch(&d, function, 77, 1); /* shares the parent's memory: must leave no trace */
		execv(self, arguments);
		_exit(98);
	}
	return ended(pid);
}

static int by_vfork_only(void)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(driver_launch(&d, function, 77, 1));
	return ended(pid);
}

static int by_spawn(void)
{
	char *arguments[] = { self, "child", NULL };
	pid_t pid;

	return posix_spawn(&pid, self, NULL, NULL, arguments, environ) ? 97 : ended(pid);
}

static int by_system(void)
{
	char line[4096];

	snprintf(line, sizeof(line), "true && '%s' child", self);
	return WEXITSTATUS(system(line));
}

static int by_popen(void)
{
	char line[4096];
	FILE *pipe;

	snprintf(line, sizeof(line), "'%s' child", self);
	pipe = popen(line, "r");
	return pipe ? WEXITSTATUS(pclose(pipe)) : 96;
}

static int by_chdir(void)
{
	pid_t pid = fork();

	if (pid)
		return ended(pid);
	if (chdir(getenv("ELSEWHERE")))
		_exit(95);
	execl(self, self, "child", NULL);
	_exit(98);
}

static int by_exec(void)
{
	execl(self, self, "child", NULL);
	return 98;
}

/* Another thread goes on launching while this one forks. */
static volatile int stop;

static void *launch_on(void *unused)
{
	(void)unused;
	d.cuCtxSetCurrent(d.ctx);
	while (!stop)
		driver_launch(&d, function, 1, 2);
	return NULL;
}

static int by_thread(void)
{
	pthread_t thread;
	int wrong = 0;

	if (pthread_create(&thread, NULL, launch_on, NULL))
		return 94;
	for (int i = 0; i < 20; i++)
		wrong += by_fork() != 3;
	stop = 1;
	pthread_join(thread, NULL);
	return wrong;
}

/* A handler forks between any two instructions of a call that is counted, and the child goes on with it. */
#if defined(__x86_64__)
static CUresult (*ask)(CUdevice *);
static volatile int is_child, wrong_ends;

static void fork_here(int number, siginfo_t *info, void *context)
{
	ucontext_t *c = context;
	pid_t pid = fork();

	(void)number;
	(void)info;
	if (pid) {
		wrong_ends += ended(pid) != 7;
		return;
	}
	is_child = 1;
	c->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static int by_handler(void)
{
	struct sigaction action = { .sa_sigaction = fork_here, .sa_flags = SA_SIGINFO };
	CUdevice device;

	ask = (CUresult (*)(CUdevice *))dlsym(RTLD_DEFAULT, "cuCtxGetDevice");
	if (!ask)
		ask = (CUresult (*)(CUdevice *))dlsym(dlopen("libcuda.so.1", RTLD_NOW), "cuCtxGetDevice");
	for (int i = 0; i < 100; i++)
		ask(&device);
	sigaction(SIGTRAP, &action, NULL);
	__asm__ volatile("pushfq\n\torq %0, (%%rsp)\n\tpopfq" : : "i"(TRAP_FLAG) : "memory", "cc");
	ask(&device);
	__asm__ volatile("pushfq\n\tandq %0, (%%rsp)\n\tpopfq" : : "i"(~TRAP_FLAG) : "memory", "cc");
	if (is_child)
		_exit(7);
	return wrong_ends;
}
#else
static int by_handler(void) { return 0; }
#endif

static const struct kind {
	const char *name;
	int (*run)(void);
} kinds[] = {
	{ "fork", by_fork }, { "_Fork", by_Fork }, { "raw", by_raw }, { "vfork", by_vfork },
	{ "vfork-only", by_vfork_only }, { "spawn", by_spawn }, { "system", by_system }, { "popen", by_popen },
	{ "twice", by_twice }, { "thread", by_thread }, { "chdir", by_chdir }, { "exec", by_exec },
	{ "handler", by_handler },
};

int main(int argc, char **argv)
{
	int status = 0;

	self = argv[0];
	if (argc != 2 || begin(strcmp(argv[1], "child") ? "parent" : "child"))
		return 93;
	if (!strcmp(argv[1], "child"))
		return launch(3);
	if (launch(5))
		return 92;
	for (const struct kind *k = kinds; k < kinds + sizeof(kinds) / sizeof(*kinds); k++)
		if (!strcmp(argv[1], k->name))
			status = k->run();
	printf("%s: child ended with %d\n", argv[1], status);
	fflush(stdout);
	return launch(5);
}
