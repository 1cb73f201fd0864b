/*
 * run_child.c - see the header.
 */
#include "tools/run_child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const int passed_on[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };

static void signals_hold(struct run_child *child)
{
	/* Who started us may have SIGCHLD ignored: then there would be nothing to wait for. */
	struct sigaction by_default = { .sa_handler = SIG_DFL };

	sigemptyset(&child->held);
	sigaddset(&child->held, SIGCHLD);
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		sigaddset(&child->held, passed_on[i]);
	sigprocmask(SIG_BLOCK, &child->held, &child->mask);
	sigaction(SIGCHLD, &by_default, &child->child_action);
}

void run_child_release(const struct run_child *child)
{
	sigaction(SIGCHLD, &child->child_action, NULL);
	sigprocmask(SIG_SETMASK, &child->mask, NULL);
}

/* In the child. Tells of a failure through `tell`, which a success closes. */
__attribute__((noreturn)) static void become(const struct run_child *child, char **command,
					      const struct surround *surround, int tell)
{
	int error = surround ? -surround_set(surround) : 0;

	run_child_release(child);
	if (!error) {
		execvp(command[0], command);
		error = errno;
	}
	if (write(tell, &error, sizeof(error)) < 0)
		_exit(127);
	_exit(126);
}

/* What the child's exec came to: 0 or its errno. */
static int exec_error(int fd)
{
	int error = 0;
	ssize_t n;

	do
		n = read(fd, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	return n == sizeof(error) ? error : 0;
}

static int start(struct run_child *child, char **command, const struct surround *surround, pid_t *pid)
{
	int tell[2], error;

	if (pipe2(tell, O_CLOEXEC))
		return -errno;
	*pid = fork();
	if (*pid < 0) {
		error = errno;
		close(tell[0]);
		close(tell[1]);
		return -error;
	}
	if (!*pid)
		become(child, command, surround, tell[1]);
	close(tell[1]);
	error = exec_error(tell[0]);
	close(tell[0]);
	if (error)
		waitpid(*pid, NULL, 0);
	return -error;
}

int run_child_start(struct run_child *child, char **command, const struct surround *surround)
{
	int error;

	signals_hold(child);
	error = start(child, command, surround, &child->pid);
	if (error)
		run_child_release(child);
	return error;
}

/*
 * The terminal's signals come from the kernel, to the whole group. Of what a process sends we cannot
 * tell whether it went to the group as well; but never give back what the program itself sent us.
 */
static int to_us_alone(const struct run_child *child, const siginfo_t *info)
{
	return info->si_code <= 0 && info->si_pid != child->pid;
}

/* Has it ended? As the first process of a container we are given the orphans as well. */
static int reap(struct run_child *child)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == child->pid) {
			child->status = status;
			return 1;
		}
	return 0;
}

void run_child_wait(struct run_child *child)
{
	siginfo_t info;

	for (;;) {
		int signal = sigwaitinfo(&child->held, &info);

		if (signal == SIGCHLD) {
			if (reap(child))
				return;
		} else if (signal > 0 && to_us_alone(child, &info)) {
			kill(child->pid, signal);
		}
	}
}

int run_other(const struct run_child *child, char **command)
{
	struct run_child as_before = *child;
	int status;
	pid_t pid;

	if (start(&as_before, command, NULL, &pid))
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void run_child_end_like(const struct run_child *child)
{
	struct sigaction by_default = { .sa_handler = SIG_DFL };
	struct rlimit none = { 0, 0 };
	int signal = WTERMSIG(child->status);
	sigset_t one;

	if (WIFEXITED(child->status))
		exit(WEXITSTATUS(child->status));
	/* The program has left its core, if any; ours is of no use. */
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
	sigaction(signal, &by_default, NULL);
	sigemptyset(&one);
	sigaddset(&one, signal);
	raise(signal);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	exit(128 + signal);
}
