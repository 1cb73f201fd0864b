/*
 * watch_action.c - the process that acts.
 */
#include "tools/watch_action.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tools/cli.h"
#include "tools/snap.h"
#include "tools/targets.h"

enum { NOT_RUN = 127 };

const char *watch_done_name(enum watch_done done)
{
	static const char *const names[] = {
		[ACTION_STARTED] = "started", [ACTION_BUSY] = "busy", [ACTION_COOLDOWN] = "cooldown",
	};

	return names[done];
}

__attribute__((format(printf, 2, 3)))
static void set(const char *name, const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	setenv(name, text, 1);
}

static void tell_environment(const struct watch_event *event)
{
	set("VPROF_WATCH_REASON", "%s", watch_reason_name(event->reason));
	set("VPROF_WATCH_PID", "%u", event->ring->header.pid);
	set("VPROF_WATCH_RING", "%s", event->ring->path);
	set("VPROF_WATCH_MS", "%.3f", (double)event->ns / 1e6);
	unsetenv("VPROF_WATCH_STEP");
	if (event->reason == WATCH_SLOW_STEP)
		set("VPROF_WATCH_STEP", "%llu", (unsigned long long)event->step);
}

/* Copies of all that is watched. */
static int take_copies(const struct watch_action *action)
{
	struct snap_options options = { .last_ns = action->last_ns, .parent = action->folder };
	struct snap_result result;
	struct inputs inputs;
	int failed = targets_collect(&inputs, "vprof watch", action->place_count, action->places);

	failed = failed || snap_take(&inputs, &options, &result);
	if (!failed && !action->quiet)
		printf("  %s: %zu %s, %llu %s\n", result.folder, result.rings,
		       cli_word(result.rings, "ring", "rings"), (unsigned long long)result.records,
		       cli_word(result.records, "record", "records"));
	inputs_close(&inputs);
	return failed || fflush(stdout);
}

static void act(const struct watch_action *action, const struct watch_event *event)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (!action->command)
		_exit(take_copies(action) ? 1 : 0);
	tell_environment(event);
	execvp(action->command[0], action->command);
	fprintf(stderr, "vprof watch: %s: %s\n", action->command[0], strerror(errno));
	_exit(NOT_RUN);
}

enum watch_done watch_action_ask(struct watch_action *action, uint64_t now_ns)
{
	watch_action_settle(action, 0);
	if (action->pid) {
		action->passed++;
		return ACTION_BUSY;
	}
	if (action->begun_ns && now_ns - action->begun_ns < action->cooldown_ns) {
		action->passed++;
		return ACTION_COOLDOWN;
	}
	return ACTION_STARTED;
}

void watch_action_start(struct watch_action *action, const struct watch_event *event, uint64_t now_ns)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		act(action, event);
	action->begun_ns = now_ns;
	if (pid > 0) {
		action->pid = pid;
	} else {
		action->failed++;
		fprintf(stderr, "vprof watch: no process for the action: %s\n", strerror(errno));
	}
}

void watch_action_settle(struct watch_action *action, int wait)
{
	int status;

	if (!action->pid || waitpid(action->pid, &status, wait ? 0 : WNOHANG) != action->pid)
		return;
	action->pid = 0;
	action->done++;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		action->failed++;
		fprintf(stderr, "vprof watch: the action ended with %s %d\n", WIFEXITED(status) ? "status" : "signal",
			WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	}
}
