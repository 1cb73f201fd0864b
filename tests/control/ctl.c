/*
 * ctl.c - controls one ring by hand: ctl RING WORD...
 *
 *	start [for=MS] [launches=N] [steps=N] [bytes=N] [at=MS] [groups=N]   at: from now, may be negative
 *	stop [at=MS] | mark text=TEXT | verb=N                              a request; waits until it is taken up
 *	send ...       a request that is not waited for
 *	word=N         stores the control word; bell=N: rings for that serial; lock=PID: the lock is that process's
 *	half           locks, writes half a request and dies by SIGKILL
 *	torn           a request whose bytes change after its check, rung for
 *	stale          rings for a request that is not there
 *	garbage ROUND N so many random bytes anywhere on the control page
 *	show           what was served, and the windows
 *	now            CLOCK_MONOTONIC, ns
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/control/send.h"

enum { PATIENCE_MS = 5000 };

static const char *const reasons[] = {
	"none", "begin", "request", "word", "profiler", "range", "time", "launches", "steps", "bytes",
};

static const char *reason(unsigned n)
{
	return n < sizeof(reasons) / sizeof(reasons[0]) ? reasons[n] : "?";
}

static uint64_t moment(const char *ms)
{
	return send_now() + (uint64_t)(atoll(ms) * 1000000);
}

static void parse(struct vprof_request *request, char *word)
{
	char *value = strchr(word, '=');
	uint64_t n;

	if (!strcmp(word, "start"))
		request->verb = VPROF_REQUEST_START;
	if (!strcmp(word, "stop"))
		request->verb = VPROF_REQUEST_STOP;
	if (!strcmp(word, "mark"))
		request->verb = VPROF_REQUEST_MARK;
	if (!value)
		return;
	*value++ = 0;
	n = strtoull(value, NULL, 0);
	if (!strcmp(word, "at"))
		request->at_ns = moment(value);
	else if (!strcmp(word, "for"))
		request->for_ns = n * 1000000;
	else if (!strcmp(word, "launches"))
		request->launches = n;
	else if (!strcmp(word, "steps"))
		request->steps = n;
	else if (!strcmp(word, "bytes"))
		request->bytes = n;
	else if (!strcmp(word, "groups"))
		request->groups = (uint32_t)n;
	else if (!strcmp(word, "verb"))
		request->verb = (uint32_t)n;
	else if (!strcmp(word, "text"))
		snprintf(request->text, sizeof(request->text), "%s", value);
}

static int send(struct target *target, char **words, int wait)
{
	struct vprof_request request = { 0 };
	uint32_t serial;

	for (; *words; words++)
		parse(&request, *words);
	serial = send_request(target, &request);
	if (wait && send_wait(target, serial, PATIENCE_MS)) {
		fprintf(stderr, "ctl: not taken up\n");
		return 1;
	}
	return 0;
}

static void half(struct target *target)
{
	struct vprof_request request = { .verb = VPROF_REQUEST_STOP };

	send_lock(target);
	send_write(target, &request)->pid = 0;
	raise(SIGKILL);
}

static int torn(struct target *target)
{
	struct vprof_request request = { .verb = VPROF_REQUEST_STOP }, *to = send_write(target, &request);
	uint32_t serial = target->control->doorbell + 1;

	to->launches = 77;
	__atomic_store_n(&to->serial, serial, __ATOMIC_RELEASE);
	send_ring(target, serial);
	return send_wait(target, serial, PATIENCE_MS) != 0;
}

static int stale(struct target *target)
{
	uint32_t serial = target->control->doorbell + 1;

	send_ring(target, serial);
	return send_wait(target, serial, PATIENCE_MS) != 0;
}

static void garbage(struct target *target, unsigned round, long count)
{
	unsigned char *page = (unsigned char *)target->control;

	srandom(round);
	for (long i = 0; i < count; i++) {
		page[random() % (long)sizeof(*target->control)] = (unsigned char)random();
		if (i % 64 == 0)
			send_ring(target, (uint32_t)random() % 16 ? target->control->doorbell + 1 : (uint32_t)random());
	}
}

static int show(const struct target *target)
{
	const struct vprof_served *served = &target->live->served;
	uint64_t first = served->window_count > VPROF_WINDOWS ? served->window_count - VPROF_WINDOWS : 0;

	printf("word %u serial %llu lost %llu pending %d\n", target->control->word, (unsigned long long)served->serial,
	       (unsigned long long)target->live->loss[VPROF_LOSS_REQUEST], served->pending_ns != 0);
	for (uint64_t i = first; i < served->window_count; i++) {
		const struct vprof_window *w = &served->window[i % VPROF_WINDOWS];
		double ms = w->stop_ticks ? (double)(w->stop_ticks - w->start_ticks) * 1e3 / (double)target->header->tick_hz : 0;

		printf("window %s %s groups %u serial %llu launches %llu steps %llu ms %.3f\n", reason(w->started),
		       w->stop_ticks ? reason(w->stopped) : "open", w->groups, (unsigned long long)w->serial,
		       (unsigned long long)w->launches, (unsigned long long)w->steps, ms);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct target target;
	const char *word = argc > 2 ? argv[2] : "show";

	if (argc < 2)
		return 2;
	if (!strcmp(argv[1], "now")) {
		printf("%llu\n", (unsigned long long)send_now());
		return 0;
	}
	if (send_open(&target, argv[1])) {
		fprintf(stderr, "ctl: %s: no ring\n", argv[1]);
		return 1;
	}
	if (!strcmp(word, "show"))
		return show(&target);
	if (!strcmp(word, "half"))
		half(&target);
	if (!strcmp(word, "torn"))
		return torn(&target);
	if (!strcmp(word, "stale"))
		return stale(&target);
	if (!strcmp(word, "garbage") && argc > 4) {
		garbage(&target, (unsigned)atoi(argv[3]), atol(argv[4]));
		return 0;
	}
	if (!strncmp(word, "word=", 5)) {
		__atomic_store_n(&target.control->word, (uint32_t)strtoul(word + 5, NULL, 0), __ATOMIC_RELAXED);
		return 0;
	}
	if (!strncmp(word, "bell=", 5)) {
		send_ring(&target, (uint32_t)strtoul(word + 5, NULL, 0));
		return 0;
	}
	if (!strncmp(word, "lock=", 5)) {
		__atomic_store_n(&target.control->lock, (uint32_t)strtoul(word + 5, NULL, 0), __ATOMIC_RELAXED);
		return 0;
	}
	return strcmp(word, "send") ? send(&target, argv + 2, 1) : send(&target, argv + 3, 0);
}
