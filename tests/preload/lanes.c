/*
 * lanes.c - lanes, chunks and rings, without any CUDA: threads record through the
 * recording path itself, and the tools' reader says what came of it.
 *
 * Each case runs in a forked child, which has a ring of its own; the parent reads it.
 * A record carries its thread's number and its own number, and sums of both, so that a
 * record mixed from two cannot pass for whole.
 */
#include <errno.h>
#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "preload/config.h"
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/record.h"
#include "tests/preload/folder.h"
#include "tests/preload/shim.h"
#include "tests/tap.h"
#include "tools/ring.h"

static uint64_t missed; /* records that begin() refused */

/* ---- the traced side ---- */

static int record(uint64_t thread, uint64_t number)
{
	struct vprof_record r;

	if (!vprof_recording(UINT32_MAX))
		return 0;
	r = vprof_begin();
	if (!r.slot) {
		__atomic_fetch_add(&missed, 1, __ATOMIC_RELAXED);
		return 0;
	}
	r.slot->kind = VPROF_KIND_CALL;
	r.slot->call = 7;
	r.slot->object = 0;
	r.slot->call_args.args[0] = thread;
	r.slot->call_args.args[1] = number;
	r.slot->call_args.args[2] = thread + number;
	r.slot->call_args.args[3] = ~(thread ^ number);
	vprof_publish(r);
	vprof_end(r, 0);
	return 1;
}

struct work {
	uint64_t thread, count;
	pthread_barrier_t *hold;
};

static void *work(void *argument)
{
	struct work *w = argument;

	for (uint64_t i = 0; i < w->count; i++)
		record(w->thread, i);
	if (w->hold)
		pthread_barrier_wait(w->hold);
	return NULL;
}

static void threads_at_once(uint64_t threads, uint64_t count)
{
	struct work *w = calloc(threads, sizeof(*w));
	pthread_t *id = calloc(threads, sizeof(*id));
	pthread_barrier_t hold;
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	pthread_barrier_init(&hold, NULL, (unsigned)threads);
	for (uint64_t i = 0; i < threads; i++) {
		w[i] = (struct work){ i, count, &hold };
		if (pthread_create(&id[i], &attr, work, &w[i]))
			_exit(9);
	}
	for (uint64_t i = 0; i < threads; i++)
		pthread_join(id[i], NULL);
	free(w);
	free(id);
}

/* ---- the reading side ---- */

struct seen {
	struct ring_losses losses;
	uint64_t records, takeovers, mixed, threads;
	uint64_t newest[1024]; /* by thread: highest record number + 1 */
	uint64_t per_thread[1024];
};

static void look_at(struct seen *seen, const struct vprof_slot *slot)
{
	const uint64_t *a = slot->call_args.args;

	if (slot->kind == VPROF_KIND_THREAD) {
		seen->takeovers++;
		return;
	}
	seen->records++;
	if (slot->kind != VPROF_KIND_CALL || a[2] != a[0] + a[1] || a[3] != ~(a[0] ^ a[1])) {
		seen->mixed++;
		return;
	}
	if (a[0] < 1024) {
		seen->per_thread[a[0]]++;
		if (a[1] + 1 > seen->newest[a[0]])
			seen->newest[a[0]] = a[1] + 1;
	}
}

static int read_ring(struct ring *ring, struct seen *seen)
{
	static struct vprof_chunk chunk;

	memset(seen, 0, sizeof(*seen));
	for (uint32_t i = 0; i < ring->chunk_count; i++) {
		if (!ring_read_chunk(ring, &ring->chunks[i], &chunk))
			continue;
		for (int s = 0; s < VPROF_CHUNK_SLOTS - 1; s++)
			if (chunk.slot[s].seq)
				look_at(seen, &chunk.slot[s]);
	}
	seen->threads = ring->live.threads;
	return ring_count(ring, &seen->losses);
}

static int read_ring_of(pid_t pid, struct seen *seen)
{
	struct ring ring;
	int error = open_ring_of(&ring, pid);

	if (error)
		return error;
	error = read_ring(&ring, seen);
	ring_close(&ring);
	return error;
}

static uint64_t lost(const struct seen *seen)
{
	uint64_t sum = 0;

	for (int i = 0; i < VPROF_LOSS_COUNT; i++)
		sum += seen->losses.loss[i];
	return sum;
}

/* Runs `body` in a child with a ring of `mb` MiB; returns the child's pid once it has ended. */
static pid_t in_child(void (*body)(void), uint64_t mb)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		vprof_config.ring_mb = mb;
		body();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the traced child ends well (status %x)", status);
	return pid;
}

/* ---- cases ---- */

static void thousand(void)
{
	for (uint64_t i = 0; i < 1000; i++)
		record(3, i);
}

static void records_come_back(void)
{
	struct seen seen;
	pid_t pid = in_child(thousand, 4);

	ok(!read_ring_of(pid, &seen), "a ring can be read after _exit");
	ok(seen.per_thread[3] == 1000 && seen.newest[3] == 1000 && !seen.mixed, "1000 records come back whole");
	ok(lost(&seen) == 0 && seen.losses.overwritten == 0 && seen.losses.torn == 0, "and none is lost");
}

enum { LAP_THREADS = 8, LAP_RECORDS = 60000 };

static void many_laps(void)
{
	threads_at_once(LAP_THREADS, LAP_RECORDS);
}

static void oldest_are_overwritten(void)
{
	struct seen seen;
	pid_t pid = in_child(many_laps, 4);
	int newest = 1;

	ok(!read_ring_of(pid, &seen), "a ring that has gone round can be read");
	for (int i = 0; i < LAP_THREADS; i++)
		newest &= seen.newest[i] == LAP_RECORDS;
	ok(newest, "every thread's newest record is there");
	ok(!seen.mixed, "no record is mixed from two");
	ok(seen.losses.reserved == LAP_THREADS * LAP_RECORDS, "every record is accounted for (%llu)",
	   (unsigned long long)seen.losses.reserved);
	ok(seen.records + seen.losses.overwritten == LAP_THREADS * LAP_RECORDS && seen.losses.overwritten > 0,
	   "what is not there is counted as overwritten (%llu)", (unsigned long long)seen.losses.overwritten);
	ok(lost(&seen) == 0, "and nothing as lost otherwise");
}

static void short_threads(void)
{
	for (uint64_t i = 0; i < 10000; i++) {
		struct work w = { i % 1000, 3, NULL };
		pthread_t id;

		if (pthread_create(&id, NULL, work, &w))
			_exit(9);
		pthread_join(id, NULL);
	}
}

static void ten_thousand_short_threads(void)
{
	struct seen seen;
	pid_t pid = in_child(short_threads, 64);

	ok(!read_ring_of(pid, &seen), "10,000 threads in a row");
	ok(seen.threads == 10000, "each counted (%llu)", (unsigned long long)seen.threads);
	ok(seen.records == 30000 && !seen.mixed, "all their records there (%llu)", (unsigned long long)seen.records);
	ok(seen.takeovers > 9000, "in lanes taken over from one another (%llu)", (unsigned long long)seen.takeovers);
	ok(lost(&seen) == 0 && seen.losses.overwritten == 0, "nothing lost or overwritten");
}

static void thousand_at_once(void)
{
	threads_at_once(1000, 20);
}

static void a_thousand_threads_at_once(void)
{
	struct seen seen;
	pid_t pid = in_child(thousand_at_once, 64);

	ok(!read_ring_of(pid, &seen), "1,000 threads at once");
	ok(seen.records == 20000 && !seen.mixed, "all their records there (%llu)", (unsigned long long)seen.records);
	ok(lost(&seen) == 0 && seen.losses.overwritten == 0, "nothing lost or overwritten");
}

static void too_many(void)
{
	threads_at_once(400, 10);
	vprof_map.live->reserved = missed; /* tells the parent */
}

static void more_threads_than_chunks(void)
{
	struct seen seen;
	struct ring ring;
	pid_t pid = in_child(too_many, 1);

	ok(!open_ring_of(&ring, pid) && !read_ring(&ring, &seen), "400 threads at once in a ring of 1 MiB");
	ok(ring.live.reserved > 0 && lost(&seen) == ring.live.reserved, "every refused record is counted (%llu)",
	   (unsigned long long)ring.live.reserved);
	ok(seen.records + seen.losses.overwritten + lost(&seen) == 4000 && !seen.mixed, "and every other is there");
	ring_close(&ring);
}

/* ---- signal handlers ---- */

static uint64_t handled;

static void handler(int number)
{
	(void)number;
	record(2, handled++);
}

static void *pester(void *target)
{
	for (int i = 0; i < 30000; i++) {
		pthread_kill(*(pthread_t *)target, SIGUSR1);
		if (i % 64 == 0)
			usleep(1);
	}
	return NULL;
}

static void with_handlers(void)
{
	struct sigaction action = { .sa_handler = handler };
	pthread_t self = pthread_self(), id;
	uint64_t made = 0;

	sigaction(SIGUSR1, &action, NULL);
	record(1, made++);
	pthread_create(&id, NULL, pester, &self);
	while (pthread_tryjoin_np(id, NULL))
		record(1, made++);
	vprof_map.live->reserved = made + handled;
}

static void handlers_record_too(void)
{
	struct seen seen;
	struct ring ring;
	pid_t pid = in_child(with_handlers, 16);

	ok(!open_ring_of(&ring, pid) && !read_ring(&ring, &seen), "records made in signal handlers");
	ok(!seen.mixed && seen.newest[2] > 0, "are whole (%llu there)", (unsigned long long)seen.per_thread[2]);
	ok(seen.records + seen.losses.overwritten + lost(&seen) == ring.live.reserved,
	   "and with the interrupted ones all accounted for (%llu = %llu there + %llu overwritten + %llu counted)",
	   (unsigned long long)ring.live.reserved, (unsigned long long)seen.records,
	   (unsigned long long)seen.losses.overwritten, (unsigned long long)lost(&seen));
	ring_close(&ring);
}

/* ---- children ---- */

static void *record_from_thread(void *unused)
{
	record(12, 0);
	return unused;
}

/* A child that a handler of pthread_atfork() never hears of. */
static pid_t bare_fork(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static void forks(void)
{
	pid_t pid;
	int status;

	record(10, 0);
	pid = fork();
	if (pid == 0) {
		record(11, 0);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	pid = bare_fork();
	if (pid == 0) {
		pthread_t id;

		/* Another thread makes the child's ring; ours still points into the parent's chunk. */
		pthread_create(&id, NULL, record_from_thread, NULL);
		pthread_join(id, NULL);
		record(13, 0);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	record(10, 1);
}

__attribute__((unused)) static void children_have_their_own_rings(void)
{
	struct seen seen, all = { .records = 0 };
	pid_t pid = in_child(forks, 2);
	char pattern[128], why[256];
	glob_t found;
	int rings = 0;

	ok(!read_ring_of(pid, &seen), "a process that forks");
	ok(seen.records == 2 && seen.per_thread[10] == 2, "has its own records and no child's (%llu)",
	   (unsigned long long)seen.records);
	snprintf(pattern, sizeof(pattern), "%s/*.ring", folder);
	glob(pattern, 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct ring ring;

		if (ring_open(&ring, found.gl_pathv[i], why, sizeof(why)))
			continue;
		if (ring.header.ppid == (uint32_t)pid && !read_ring(&ring, &seen)) {
			rings++;
			all.records += seen.records;
			for (int t = 11; t <= 13; t++)
				all.per_thread[t] += seen.per_thread[t];
		}
		ring_close(&ring);
	}
	globfree(&found);
	ok(rings == 2, "both children have rings of their own (%d)", rings);
	ok(all.records == 3 && all.per_thread[11] == 1 && all.per_thread[12] == 1 && all.per_thread[13] == 1,
	   "with the records of fork(), and of a bare clone() and a thread of it");
}

/* ---- reading while it is written ---- */

static void write_until_killed(void)
{
	for (uint64_t i = 0;; i++)
		record(5, i);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void a_live_ring_never_shows_mixed_records(void)
{
	struct seen seen = { .records = 0 };
	struct ring ring;
	uint64_t read = 0, mixed = 0;
	int status, opened = 0;
	double start = seconds();
	pid_t pid = fork();

	if (pid == 0) {
		vprof_config.ring_mb = 1;
		write_until_killed();
	}
	/* For 1.5 s, and longer where a busy machine does not let both of them run. */
	while (seconds() < start + 1.5 || ((opened <= 10 || read <= 10000) && seconds() < start + 60)) {
		if (open_ring_of(&ring, pid))
			continue;
		opened++;
		read_ring(&ring, &seen);
		read += seen.records;
		mixed += seen.mixed;
		ring_close(&ring);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ok(opened > 10 && read > 10000, "a ring is read %d times while it goes round (%llu records)", opened,
	   (unsigned long long)read);
	ok(mixed == 0, "and no record is mixed from two (%llu)", (unsigned long long)mixed);
}

int main(void)
{
	vprof_config_read();
	if (make_folder("lanes"))
		return 1;
	records_come_back();
	oldest_are_overwritten();
	ten_thousand_short_threads();
	a_thousand_threads_at_once();
	more_threads_than_chunks();
	handlers_record_too();
#ifndef __SANITIZE_THREAD__ /* which takes a bare clone() for a thread of the parent */
	children_have_their_own_rings();
#endif
	a_live_ring_never_shows_mixed_records();
	remove_folder();
	return done_testing();
}
