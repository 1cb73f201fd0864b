/*
 * cmd_ps.c - `vprof ps`: every traced process and what it does, once or again and again.
 *
 * Each round finds the rings anew, so that processes may come and go. The rate is that since the
 * round before; the first round looks twice. On a terminal a round is written over the last one, in the
 * terminal's second screen, which is left at the end, a signal included.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "tools/cli.h"
#include "tools/ps.h"
#include "tools/verbs.h"

struct options {
	const char *watch;
	int once, living, json;
	int64_t every_ns;
};

#define FIELD(name) offsetof(struct options, name)
static const struct cli_option table[] = {
	{ "watch", 'w', CLI_SWITCH, FIELD(watch), "[=TIME]", "look again and again, so often (1s)" },
	{ "once", '1', CLI_FLAG, FIELD(once), NULL,
	  "one look, at once; the rate is the average since the ring was made" },
	{ "living", 'l', CLI_FLAG, FIELD(living), NULL, "only processes that live" },
	{ "json", 'j', CLI_FLAG, FIELD(json), NULL,
	  "a JSON array with an object for each process; with --watch one after the other" },
	{ 0 },
};

static const struct cli_command command = {
	"vprof ps", "[DIR | RING | PID | ROLE | rank=N]...",
	"Lists the traced processes: what each is for, whether it records, how much, how far back its ring reaches, "
	"and its last call.",
	"Without a folder the rings are looked for in VPROF_OUT, else in the newest of out and the\n"
	"folders of vprof run here. RECORDING: on or off, the number of the window, why it began or\n"
	"ended, and how long ago. RATE: records a second. BACK: how far back the ring reaches, with\n"
	"what is kept beside it (VPROF_SPILL); all: nothing has been overwritten. LAST CALL: the one\n"
	"that has been in flight longest, or else the newest.\n"
	"\n"
	"Exit code: 0 done, 1 no ring could be read, 2 wrong usage.", table,
};

/* What is kept of a process from one round to the next. */
struct before {
	uint32_t pid;
	uint64_t start_ticks, records, ns;
};

struct round {
	struct targets targets;
	struct ps_row *rows;
	size_t count;
};

static volatile sig_atomic_t over;

static void on_signal(int number)
{
	(void)number;
	over = 1;
}

static void round_end(struct round *round)
{
	for (size_t i = 0; i < round->count; i++)
		ps_forget(&round->rows[i]);
	free(round->rows);
	targets_close(&round->targets);
	memset(round, 0, sizeof(*round));
}

static void look_at(struct round *round, struct target *target)
{
	int error = ps_look(&round->rows[round->count], target);

	if (!error) {
		round->count++;
		return;
	}
	ps_forget(&round->rows[round->count]);
	fprintf(stderr, "%s: %s: %s\n", command.name, target->path, strerror(-error));
}

static int round_look(struct round *round, const struct options *o, int argc, char **argv)
{
	int error = targets_find(&round->targets, command.name, argc, argv);

	if (!error)
		round->rows = calloc(round->targets.count + 1, sizeof(*round->rows));
	if (!error && !round->rows)
		error = -ENOMEM;
	for (size_t i = 0; !error && i < round->targets.count; i++)
		if (!o->living || process_lives(round->targets.list[i].state))
			look_at(round, &round->targets.list[i]);
	return error;
}

/* A second look at the same processes. */
static void round_look_again(struct round *round)
{
	for (size_t i = 0; i < round->count; i++) {
		struct ps_row *row = &round->rows[i];
		uint64_t records = row->records, ns = row->now_ns;
		struct target *target = row->target;

		if (!process_lives(target->state))
			continue;
		clock_free(&row->clock);
		if (!ps_look(row, target))
			ps_rate(row, records, ns);
	}
}

static void sleep_ns(uint64_t ns)
{
	struct timespec t = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	nanosleep(&t, NULL);
}

static void print(const struct round *round, const struct options *o, FILE *out)
{
	(o->json ? ps_print_json : ps_print_text)(round->rows, round->count, out);
}

static int list_once(const struct options *o, int argc, char **argv)
{
	struct round round = { 0 };
	int error = round_look(&round, o, argc, argv), code = CLI_FAILED;

	if (!error && !o->once) {
		sleep_ns(100000000);
		round_look_again(&round);
	}
	for (size_t i = 0; o->once && i < round.count; i++)
		ps_rate_in_all(&round.rows[i]);
	if (!error) {
		print(&round, o, stdout);
		code = cli_finish(command.name);
		if (!round.count && !(o->living && round.targets.count))
			code = CLI_FAILED;
	}
	round_end(&round);
	return code;
}

/* ---- again and again ---- */

/* Rates since the last round. Returns the list for the next one, NULL without memory. */
static struct before *rates(struct round *round, struct before *last, size_t *count)
{
	struct before *now = calloc(round->count + 1, sizeof(*now));

	for (size_t i = 0; now && i < round->count; i++) {
		struct ps_row *row = &round->rows[i];
		const struct ring *ring = &row->target->ring;
		struct before *mine = &now[i];

		*mine = (struct before){ ring->header.pid, ring->header.start_ticks, row->records, row->now_ns };
		for (size_t k = 0; last && k < *count; k++)
			if (last[k].pid == mine->pid && last[k].start_ticks == mine->start_ticks)
				ps_rate(row, last[k].records, last[k].ns);
	}
	free(last);
	*count = now ? round->count : 0;
	return now;
}

/* Puts `text` on the terminal from its first line on: as many lines and columns as there are. */
static void put_screen(const char *text)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	unsigned int row = 0;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	fputs("\033[H", stdout);
	for (; *text && row < size.ws_row; row++) {
		size_t length = strcspn(text, "\n"), width = 0, n;

		for (n = 0; n < length; n++) {
			width += (text[n] & 0xc0) != 0x80;
			if (width > size.ws_col)
				break;
		}
		printf("%s%.*s\033[K", row ? "\n" : "", (int)n, text);
		text += length + (text[length] == '\n');
	}
	fputs("\033[J", stdout);
	fflush(stdout);
}

static void show(const struct round *round, const struct options *o, int screen)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = screen ? open_memstream(&text, &size) : NULL;

	if (!out) {
		print(round, o, stdout);
		fflush(stdout);
		return;
	}
	print(round, o, out);
	if (!fclose(out))
		put_screen(text);
	free(text);
}

/* Later rounds would say again what the first one said, in the midst of the screen. */
static void be_quiet(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static int list_again(const struct options *o, int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	int screen = isatty(STDOUT_FILENO) && !o->json, first = 1, error = 0;
	struct before *before = NULL;
	size_t count = 0;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	while (!over && !ferror(stdout)) {
		struct round round = { 0 };

		error = round_look(&round, o, argc, argv);
		if (error && first)
			break;
		if (first) {
			sleep_ns(100000000);
			round_look_again(&round);
			be_quiet();
			if (screen)
				fputs("\033[?1049h\033[?25l", stdout);
		}
		before = rates(&round, before, &count);
		show(&round, o, screen);
		round_end(&round);
		if (!screen && !o->json && !over)
			putchar('\n');
		if (!over)
			sleep_ns((uint64_t)o->every_ns);
		error = first = 0;
	}
	if (screen && !first)
		fputs("\033[?25h\033[?1049l", stdout);
	free(before);
	return error ? CLI_FAILED : cli_finish(command.name);
}

int cmd_ps(int argc, char **argv)
{
	struct options o = { 0 };
	int operands = cli_parse(&command, &o, argc, argv);

	if (operands < 0)
		return CLI_CODE(operands);
	if (o.watch && o.once)
		return cli_usage(&command, "--watch and --once: one of them");
	if (o.watch && (cli_parse_time(o.watch, &o.every_ns) || o.every_ns < 10000000))
		return cli_usage(&command, "--watch: '%s' is not a time of 10ms or more", o.watch);
	return (o.watch ? list_again : list_once)(&o, operands, argv + 1);
}
