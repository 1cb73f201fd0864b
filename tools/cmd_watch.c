/*
 * cmd_watch.c - `vprof watch`: waits for a slow step, idleness or a hang, and acts.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "tools/cli.h"
#include "tools/now.h"
#include "tools/run_folder.h"
#include "tools/targets.h"
#include "tools/verbs.h"
#include "tools/watch.h"
#include "tools/watch_action.h"

#define SCAN_NS 1000000000ull  /* how often new processes are looked for */
#define NS_A_SECOND 1000000000ull

struct options {
	const char *slow_step, *folder;
	struct cli_time idle, hang, every, cooldown, last;
	uint64_t limit;
	int json;
};

#define FIELD(name) offsetof(struct options, name)

static const struct cli_option table[] = {
	{ "slow-step", 's', CLI_TEXT, FIELD(slow_step), "2x|TIME",
	  "a step that takes so many times the median of those like it, or longer than that" },
	{ "idle", 'i', CLI_TIME, FIELD(idle), "TIME", "no call for so long, of a process that had been busy" },
	{ "hang", 'g', CLI_TIME, FIELD(hang), "TIME", "a call that has not returned for so long" },
	{ "every", 'e', CLI_TIME, FIELD(every), "TIME", "how often to look (default 100ms)" },
	{ "cooldown", 'c', CLI_TIME, FIELD(cooldown), "TIME", "least time from one action to the next (default 10s)" },
	{ "limit", 'n', CLI_COUNT, FIELD(limit), "N", "end after so many actions; copies that failed are none" },
	{ "last", 'l', CLI_TIME, FIELD(last), "TIME", "the copies: only what happened in so long before" },
	{ "output", 'o', CLI_TEXT, FIELD(folder), "FOLDER",
	  "the copies: where their folders go; made where there is none" },
	{ "json", 'j', CLI_FLAG, FIELD(json), NULL, "an object a line for each event" },
	{ 0 },
};

static const struct cli_command command = {
	"vprof watch", "[DIR | RING | PID | ROLE | rank=N]... [-- ACTION]",
	"Watches processes from outside, and acts when a step is slow, one is idle, or a call hangs.",
	"The words name the processes as those of vprof ps do; without any, all of the output folder\n"
	"(VPROF_OUT, else the newest of out and the folders of vprof run here). Processes\n"
	"that come later are watched as well. ACTION is a command, which finds what happened in\n"
	"VPROF_WATCH_REASON (slow_step, idle, hang), VPROF_WATCH_PID, VPROF_WATCH_RING,\n"
	"VPROF_WATCH_STEP and VPROF_WATCH_MS; without it, all rings are copied as vprof snap does.\n"
	"Ctrl-C ends the watch.\n\n"
	"Exit code: 0 ended by --limit, Ctrl-C or SIGTERM, 1 failed, 2 wrong usage.",
	table,
};

struct session {
	const struct options *options;
	struct watch watch;
	struct watch_action action;
	uint64_t now_ns, begun_ns;
	uint64_t events[3];
	uint64_t started;
};

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	(void)number;
	ended = 1;
}

/* ---- telling ---- */

static void print_text(const struct watch_event *event, enum watch_done done)
{
	uint64_t now = now_ns(CLOCK_REALTIME);
	time_t seconds = (time_t)(now / NS_A_SECOND);
	char date[32] = "?", length[32], usual[32];
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(date, sizeof(date), "%H:%M:%S", &tm);
	cli_time_text(length, sizeof(length), event->ns);
	printf("%s.%03u pid %u %.15s: ", date, (unsigned)(now / 1000000 % 1000), event->ring->header.pid,
	       event->ring->live.comm);
	if (event->reason == WATCH_SLOW_STEP && event->usual_ns)
		printf("step %llu took %s, usually %s", (unsigned long long)event->step, length,
		       cli_time_text(usual, sizeof(usual), event->usual_ns));
	else if (event->reason == WATCH_SLOW_STEP)
		printf("step %llu took %s", (unsigned long long)event->step, length);
	else if (event->reason == WATCH_HANG)
		printf("%s has not returned for %s", event->call, length);
	else
		printf("no call for %s", length);
	printf("%s\n", done == ACTION_BUSY ? " (the last action goes on)" :
	       done == ACTION_COOLDOWN ? " (too soon after the last action)" : "");
}

static void print_json(const struct watch_event *event, enum watch_done done)
{
	printf("{\"time_ns\": %llu, \"reason\": \"%s\", \"pid\": %u, \"ring\": ",
	       (unsigned long long)now_ns(CLOCK_REALTIME), watch_reason_name(event->reason), event->ring->header.pid);
	cli_json_string(stdout, event->ring->path);
	printf(", \"ms\": %.3f", (double)event->ns / 1e6);
	if (event->reason == WATCH_SLOW_STEP)
		printf(", \"step\": %llu, \"usual_ms\": %.3f", (unsigned long long)event->step,
		       (double)event->usual_ns / 1e6);
	if (event->call) {
		printf(", \"call\": ");
		cli_json_string(stdout, event->call);
	}
	printf(", \"action\": \"%s\"}\n", watch_done_name(done));
}

/* Copies that failed are tried again at the next event; a command has run, whatever it says. */
static int is_enough(const struct session *s)
{
	uint64_t failed = s->action.command ? 0 : s->action.failed;

	return s->options->limit && s->started - failed >= s->options->limit;
}

static void happened(void *to, const struct watch_event *event)
{
	struct session *s = to;
	enum watch_done done;

	if (ended || is_enough(s))
		return;
	done = watch_action_ask(&s->action, s->now_ns);
	s->events[event->reason]++;
	(s->options->json ? print_json : print_text)(event, done);
	fflush(stdout);
	if (done != ACTION_STARTED)
		return;
	s->started++;
	watch_action_start(&s->action, event, s->now_ns);
}

static void print_summary(const struct session *s)
{
	const struct watch_action *a = &s->action;
	char span[32];

	fprintf(stderr,
		"vprof watch: %s, %llu %s: %llu slow %s, %llu idle, %llu %s; %llu %s (%llu failed), %llu %s without one\n",
		cli_time_text(span, sizeof(span), now_ns(CLOCK_MONOTONIC) - s->begun_ns),
		(unsigned long long)s->watch.came, cli_word(s->watch.came, "process", "processes"),
		(unsigned long long)s->events[WATCH_SLOW_STEP], cli_word(s->events[WATCH_SLOW_STEP], "step", "steps"),
		(unsigned long long)s->events[WATCH_IDLE],
		(unsigned long long)s->events[WATCH_HANG], cli_word(s->events[WATCH_HANG], "hang", "hangs"),
		(unsigned long long)a->done, cli_word(a->done, "action", "actions"), (unsigned long long)a->failed,
		(unsigned long long)a->passed, cli_word(a->passed, "event", "events"));
	if (s->watch.missed)
		fprintf(stderr,
			"vprof watch: %llu %s of records overwritten before they were read: VPROF_RING_MB makes rings "
			"larger\n", (unsigned long long)s->watch.missed,
			cli_word(s->watch.missed, "chunk", "chunks"));
}

/* ---- the loop ---- */

/* Rings may come and go, so a place without any is none to complain about. */
static int scan(struct session *s)
{
	struct inputs inputs;
	int error = targets_collect(&inputs, NULL, s->action.place_count, s->action.places);

	if (!error)
		error = watch_add(&s->watch, &inputs, s->now_ns);
	inputs_close(&inputs);
	return error == -ENOMEM ? error : 0;
}

/* Where, if nobody said. */
static void tell_begin(const struct session *s)
{
	const char *usual = s->action.place_count ? NULL : run_folder_usual();

	if (!s->watch.came)
		fprintf(stderr, "vprof watch: no process to be watched yet%s%s; waiting for one\n",
			usual ? " in " : "", usual ? usual : "");
	else if (usual)
		fprintf(stderr, "vprof watch: %llu %s in %s\n", (unsigned long long)s->watch.came,
			cli_word(s->watch.came, "process", "processes"), usual);
}

static int run(struct session *s, uint64_t every_ns)
{
	struct timespec pause = { (time_t)(every_ns / NS_A_SECOND), (long)(every_ns % NS_A_SECOND) };
	uint64_t scanned = 0;
	int error = 0;

	while (!ended && !error) {
		s->now_ns = now_ns(CLOCK_MONOTONIC);
		if (!scanned || s->now_ns - scanned >= SCAN_NS) {
			error = scan(s);
			if (!scanned && !error)
				tell_begin(s);
			scanned = s->now_ns;
		}
		if (!error)
			error = watch_round(&s->watch, s->now_ns);
		watch_action_settle(&s->action, 0);
		if (is_enough(s) && !s->action.pid)
			break;
		nanosleep(&pause, NULL);
	}
	watch_action_settle(&s->action, 1);
	return error;
}

/* "2x", "1.5x", or a time. */
static int parse_slow(const char *text, struct watch_rules *rules)
{
	char *end;
	double times = strtod(text, &end);
	int64_t ns;

	if (end != text && end[0] == 'x' && !end[1]) {
		if (!(times > 1 && times <= 1000))
			return -EINVAL;
		rules->slow_percent = (uint64_t)(times * 100);
		return 0;
	}
	if (cli_parse_time(text, &ns) || ns <= 0)
		return -EINVAL;
	rules->slow_ns = (uint64_t)ns;
	return 0;
}

/* The words behind "--" are the action's: argc without them. */
static int split_action(int argc, char **argv, char ***action)
{
	*action = NULL;
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--")) {
			*action = argv[i + 1] ? argv + i + 1 : NULL;
			argv[i] = NULL;
			return i;
		}
	return argc;
}

/* So that the first event is not the one that finds out. */
static int folder_ready(const char *path)
{
	struct stat st;

	if (!mkdir(path, 0700))
		return 1;
	if (errno == EEXIST && !stat(path, &st) && !S_ISDIR(st.st_mode))
		errno = ENOTDIR;
	else if (errno == EEXIST && !access(path, W_OK | X_OK))
		return 1;
	fprintf(stderr, "%s: --output %s: %s\n", command.name, path, strerror(errno));
	return 0;
}

static void end_on_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal };

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
}

int cmd_watch(int argc, char **argv)
{
	struct options o = { .every = { 100000000, 1, 0 }, .cooldown = { 10000000000, 1, 0 } };
	struct session s = { .options = &o };
	int operands, error;

	argc = split_action(argc, argv, &s.action.command);
	operands = cli_parse(&command, &o, argc, argv);
	if (operands < 0)
		return CLI_CODE(operands);
	if (o.slow_step && parse_slow(o.slow_step, &s.watch.rules))
		return cli_usage(&command,
				 "--slow-step: %s is neither a factor above 1 such as 2x nor a time such as 50ms",
				 o.slow_step);
	s.watch.rules.idle_ns = (uint64_t)o.idle.ns;
	s.watch.rules.hang_ns = (uint64_t)o.hang.ns;
	if (!o.slow_step && !o.idle.ns && !o.hang.ns)
		return cli_usage(&command, "what is to be watched for? --slow-step, --idle or --hang");
	if (o.every.ns < 1000000)
		return cli_usage(&command, "--every is at least 1ms");
	if (o.folder && !s.action.command && !folder_ready(o.folder))
		return CLI_FAILED;
	s.watch.tell = happened;
	s.watch.to = &s;
	s.action.places = argv + 1;
	s.action.place_count = operands;
	s.action.folder = o.folder;
	s.action.last_ns = (uint64_t)o.last.ns;
	s.action.cooldown_ns = (uint64_t)o.cooldown.ns;
	s.action.quiet = o.json;
	s.begun_ns = now_ns(CLOCK_MONOTONIC);
	end_on_signals();
	error = run(&s, (uint64_t)o.every.ns);
	if (error)
		fprintf(stderr, "%s: %s\n", command.name, strerror(-error));
	print_summary(&s);
	watch_close(&s.watch);
	return error || cli_finish(command.name) != CLI_OK ? CLI_FAILED : CLI_OK;
}
