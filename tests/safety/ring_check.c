/*
 * ring_check.c - holds the ring of a dead launcher against the truth it left.
 *
 *	ring_check PROGRESS FOLDER [IN_FLIGHT]
 *
 * Of each thread: its newest launches are in the ring as a run without a gap; the run ends
 * with the call that returned last or the one in flight behind it; nothing is there that
 * was not begun, or twice; a call that returned is done, with its result; every record is
 * whole, with the right kernel. When the ring has not gone round, the run begins at launch 1;
 * when it has, the runs fill the ring, but for a few chunks that lanes held: a chunk that
 * a thread was killed over is older than a run, or void. With IN_FLIGHT, exactly so many
 * launches are in flight.
 *
 * No ring is right only when no call had returned. Prints what is wrong; exit 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/safety/progress.h"
#include "tools/ring.h"

struct seen {
	uint64_t highest, done; /* the newest, and the newest that is done */
	uint64_t run;           /* there without a gap, down from the newest */
	uint8_t *there;         /* a bit for each launch that was begun */
	uint64_t flying;
	uint32_t lane;    /* + 1 */
};

static struct progress truth;
static struct seen seen[PROGRESS_THREADS];
static uint64_t launches_present, launches_in_runs;
static int wrong;

#define WRONG(...) (printf(__VA_ARGS__), printf("\n"), wrong = 1)

static void check_kernel(const struct ring *ring, const struct vprof_slot *s)
{
	const struct vprof_def_kernel *kernel = ring_def(ring, s->object, VPROF_DEF_KERNEL);
	char name[32];

	snprintf(name, sizeof(name), PROGRESS_NAME, s->launch.grid[0] % truth.kernels);
	if (!kernel)
		WRONG("launch %u of thread %u has no kernel", s->launch.grid[0], s->launch.grid[1]);
	else if (strcmp(kernel->name, name))
		WRONG("launch %u of thread %u: kernel %s, not %s", s->launch.grid[0], s->launch.grid[1],
		      kernel->name, name);
}

static void check_launch(const struct ring *ring, const struct vprof_slot *s, uint32_t lane)
{
	uint32_t n = s->launch.grid[0], t = s->launch.grid[1];
	struct seen *of = &seen[t - 1];

	if (!truth.kernels || t < 1 || t > truth.threads || n < 1 || n > truth.thread[t - 1].begun) {
		WRONG("launch %u of thread %u was never made", n, t);
		return;
	}
	if (s->launch.grid[2] != 1 || s->launch.block[0] != 1 || s->launch.block[1] != 1 || s->launch.block[2] != 1 ||
	    s->launch.shared || s->launch.stream || s->launch.flags)
		WRONG("launch %u of thread %u is not whole", n, t);
	if (!s->t0 || (s->done && VPROF_DONE_RESULT(s->done)))
		WRONG("launch %u of thread %u: start or result is wrong", n, t);
	check_kernel(ring, s);
	if (of->lane && of->lane != lane + 1)
		WRONG("thread %u is in lanes %u and %u", t, of->lane - 1, lane);
	of->lane = lane + 1;
	if (of->there[n / 8] & 1 << n % 8)
		WRONG("launch %u of thread %u is there twice", n, t);
	of->there[n / 8] |= (uint8_t)(1 << n % 8);
	if (n > of->highest)
		of->highest = n;
	if (s->done && n > of->done)
		of->done = n;
	of->flying += !s->done;
	launches_present++;
}

static void read_records(const struct ring *ring)
{
	static struct vprof_chunk buffer;

	for (uint32_t c = 0; c < ring->chunk_count; c++) {
		if (ring_read_chunk(ring, &ring->chunks[c], &buffer) < 0)
			WRONG("chunk %u cannot be read", c);
		for (unsigned i = 0; i < VPROF_CHUNK_SLOTS - 1; i++)
			if (buffer.slot[i].seq && buffer.slot[i].kind == VPROF_KIND_LAUNCH)
				check_launch(ring, &buffer.slot[i], buffer.head.lane);
	}
}

static void check_thread(unsigned t, uint64_t overwritten)
{
	const struct progress_thread *made = &truth.thread[t - 1];
	struct seen *s = &seen[t - 1];

	for (uint64_t n = s->highest; n && s->there[n / 8] & 1 << n % 8; n--)
		s->run++;
	launches_in_runs += s->run;
	/*
	 * Not running for a whole round of the ring, between leaving one chunk and its first call in
	 * the next: what it left is then among the oldest, and gone.
	 */
	if (overwritten && s->run <= 1 && s->flying == s->run)
		return;
	if (s->highest < made->ended)
		WRONG("thread %u: launch %llu had returned; the ring ends with %llu", t,
		      (unsigned long long)made->ended, (unsigned long long)s->highest);
	if (s->done < made->ended)
		WRONG("thread %u: launch %llu had returned; the last that is done is %llu", t,
		      (unsigned long long)made->ended, (unsigned long long)s->done);
	if (s->flying > 1 || (s->flying && s->done >= s->highest))
		WRONG("thread %u: %llu launches in flight, last done %llu", t, (unsigned long long)s->flying,
		      (unsigned long long)s->done);
	if (!overwritten && s->run != s->highest)
		WRONG("thread %u: nothing was overwritten, and launch %llu is missing", t,
		      (unsigned long long)(s->highest - s->run));
}

static void check_ring(const struct ring *ring, const char *in_flight)
{
	struct ring_losses losses;
	uint64_t flying = 0, full, few;
	int error = ring_count(ring, &losses);

	if (error)
		WRONG("records cannot be counted: %s", strerror(-error));
	if (ring->header.pid != truth.pid)
		WRONG("the ring says pid %u, not %u", ring->header.pid, truth.pid);
	if (ring->bad_chunks || ring->bad_defs || ring->cut_bytes)
		WRONG("%llu bad chunks, %llu bad definitions, %llu bytes cut", (unsigned long long)ring->bad_chunks,
		      (unsigned long long)ring->bad_defs, (unsigned long long)ring->cut_bytes);
	for (unsigned i = 0; i < VPROF_LOSS_COUNT; i++)
		if (losses.loss[i])
			WRONG("loss %s: %llu", ring_loss_name(i), (unsigned long long)losses.loss[i]);
	for (unsigned t = 0; t < truth.threads; t++)
		if (!(seen[t].there = calloc(1, truth.thread[t].begun / 8 + 1)))
			WRONG("no memory");
	read_records(ring);
	for (unsigned t = 1; t <= truth.threads; t++) {
		check_thread(t, losses.overwritten);
		flying += seen[t - 1].flying;
	}
	/* One chunk of each lane is partly filled, one it may have been about to take, one it just left. */
	few = 3 * (truth.threads + 1) * (VPROF_CHUNK_SLOTS - 1);
	full = (uint64_t)ring->header.chunk_count * (VPROF_CHUNK_SLOTS - 1) - few;
	if (losses.overwritten && launches_in_runs < full)
		WRONG("%llu overwritten, but only %llu of %llu newest there", (unsigned long long)losses.overwritten,
		      (unsigned long long)launches_in_runs, (unsigned long long)full);
	if (in_flight && flying != strtoull(in_flight, NULL, 10))
		WRONG("%llu launches in flight, not %s", (unsigned long long)flying, in_flight);
	printf("%llu launches, %llu in flight, %llu overwritten\n", (unsigned long long)launches_present,
	       (unsigned long long)flying, (unsigned long long)losses.overwritten);
}

static uint64_t ended(void)
{
	uint64_t sum = 0;

	for (unsigned t = 0; t < truth.threads; t++)
		sum += truth.thread[t].ended;
	return sum;
}

int main(int argc, char **argv)
{
	char pattern[4096], why[256];
	struct ring ring;
	glob_t found;
	int fd = argc > 2 ? open(argv[1], O_RDONLY) : -1;

	if (fd < 0 || read(fd, &truth, sizeof(truth)) != (ssize_t)sizeof(truth)) {
		fprintf(stderr, "usage: ring_check PROGRESS FOLDER [IN_FLIGHT]\n");
		return 2;
	}
	if (truth.failures)
		WRONG("%llu launches failed", (unsigned long long)truth.failures);
	if (truth.threads > PROGRESS_THREADS)
		return 2;
	snprintf(pattern, sizeof(pattern), "%s/*.ring", argv[2]);
	if (glob(pattern, 0, NULL, &found) || found.gl_pathc != 1) {
		printf("%zu rings\n", found.gl_pathc);
		return found.gl_pathc || ended() ? 1 : wrong;
	}
	if (ring_open(&ring, found.gl_pathv[0], why, sizeof(why))) {
		/* Killed between making the file and making it a ring. */
		printf("%s %s\n", found.gl_pathv[0], why);
		return ended() ? 1 : wrong;
	}
	check_ring(&ring, argc > 3 ? argv[3] : NULL);
	ring_close(&ring);
	return wrong;
}
