/*
 * states.c - programs in states that few are in when they make their first driver call.
 *
 *	states cancelled    a thread that has been cancelled makes the first call
 *	states unwound      a thread is cancelled inside a call: what its frames clean up is cleaned up
 *	states no-memory    there is no address space left
 *	states full-stderr  stderr is a pipe that nobody empties
 *	states dead-stderr  stderr is a pipe that nobody reads
 *	states sandbox      a filter answers some system calls with SIGSYS, and its handler with ENOSYS
 *	states old-errno    the last system call of the program has failed with ENOSYS
 *	states tls          threads need more for their static variables than a small stack has
 *
 * Says what happened on stdout, which must be the same with and without the preload, and
 * ends by SIGALRM when a call does not come back.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include "tests/safety/driver.h"

static struct driver d;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void first_calls(void)
{
	double start = now();
	CUresult result = driver_start(&d);
	CUfunction f = NULL;

	if (!result)
		result = d.cuModuleGetFunction(&f, d.module, "kernel");
	for (int i = 0; i < 10 && !result; i++)
		result = driver_launch(&d, f, 1, 1);
	printf("result %d, %s\n", result, now() - start < 1.5 ? "soon" : "late");
}

static void *first_calls_cancelled(void *unused)
{
	(void)unused;
	pthread_cancel(pthread_self());
	first_calls();
	return "not cancelled";
}

static void cancelled(void)
{
	pthread_t thread;
	void *end;

	pthread_create(&thread, NULL, first_calls_cancelled, NULL);
	pthread_join(thread, &end);
	printf("%s\n", end == PTHREAD_CANCELED ? "cancelled" : (char *)end);
	first_calls();
}

/* ---- cancelled inside a call ---- */

static int cleaned;

static void clean(int *unused)
{
	(void)unused;
	cleaned++;
}

static void half_a_second(void *unused)
{
	(void)unused;
	usleep(500000);
}

static void *wait_in_call(void *launch_host)
{
	int here __attribute__((cleanup(clean), unused)) = 0;
	CUresult (*launch_host_func)(CUstream, void (*)(void *), void *);

	memcpy(&launch_host_func, launch_host, sizeof(launch_host_func));
	d.cuCtxSetCurrent(d.ctx);
	launch_host_func(NULL, half_a_second, NULL);
	pthread_cancel(pthread_self());
	d.cuStreamSynchronize(NULL);
	return "not cancelled";
}

static void unwound(void)
{
	void *launch_host = NULL, *end;
	pthread_t thread;

	first_calls();
	launch_host = dlsym(dlopen("libcuda.so.1", RTLD_NOW), "cuLaunchHostFunc");
	pthread_create(&thread, NULL, wait_in_call, &launch_host);
	pthread_join(thread, &end);
	printf("%s, cleaned %d\n", end == PTHREAD_CANCELED ? "cancelled" : (char *)end, cleaned);
}

/* ---- nothing left ---- */

static void no_memory(void)
{
	struct rlimit none = { 4096, 4096 };
	CUresult first, second;

	setrlimit(RLIMIT_AS, &none);
	first = d.cuProfilerStart();
	second = d.cuProfilerStart();
	printf("results %d %d\n", first, second);
}

static void stderr_pipe(int reader)
{
	static char page[4096];
	int ends[2];

	if (pipe(ends))
		exit(2);
	dup2(ends[1], STDERR_FILENO);
	if (!reader)
		close(ends[0]);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	while (reader && write(ends[1], page, sizeof(page)) > 0)
		;
	fcntl(ends[1], F_SETFL, 0);
	first_calls();
}

static void full_stderr(void) { stderr_pipe(1); }
static void dead_stderr(void) { stderr_pipe(0); }

/* ---- a sandbox that emulates ---- */

static void emulate(int signal, siginfo_t *info, void *context)
{
	ucontext_t *at = context;

	(void)signal;
	(void)info;
#if defined(__x86_64__)
	at->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
#elif defined(__aarch64__)
	at->uc_mcontext.regs[0] = (unsigned long long)-ENOSYS;
#endif
}

static void sandbox(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_statfs, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fallocate, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };
	struct sigaction action = { .sa_sigaction = emulate, .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &action, NULL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		printf("no filter: ");
	first_calls();
}

static void old_errno(void)
{
	errno = ENOSYS;
	d.cuProfilerStart();
	printf("errno %d\n", errno);
	first_calls();
}

static __thread volatile char large[192 << 10];

static void tls(void)
{
	large[1] = 1;
	first_calls();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} states[] = {
		{ "cancelled", cancelled }, { "unwound", unwound }, { "no-memory", no_memory },
		{ "full-stderr", full_stderr }, { "dead-stderr", dead_stderr }, { "sandbox", sandbox },
		{ "old-errno", old_errno }, { "tls", tls },
	};

	setvbuf(stdout, NULL, _IOLBF, 256);
	alarm(200);
	driver_open(&d);
	for (unsigned i = 0; i < sizeof(states) / sizeof(*states); i++)
		if (argc > 1 && !strcmp(argv[1], states[i].name)) {
			states[i].run();
			return 0;
		}
	return 2;
}
