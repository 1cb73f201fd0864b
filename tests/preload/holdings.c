/*
 * holdings.c - the table of held memory under threads, forks and in want of room.
 *
 * Each case runs in a forked child with a ring of its own, which the tools' reader then reads.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "preload/config.h"
#include "preload/holdings.h"
#include "preload/inner.h"
#include "preload/process.h"
#include "tests/preload/folder.h"
#include "tests/preload/shim.h"
#include "tests/tap.h"
#include "tools/ring.h"

enum { THREADS = 8, ROUNDS = 20000, SLOTS = 64, ANY = ~0 };

/* What the children tell their parent. */
static struct told {
	uint64_t bytes[2], held, wrong, refused;
} *told;

static void begin(void)
{
	struct vprof_record r = vprof_begin();

	if (!r.slot)
		_exit(8);
	r.slot->kind = VPROF_KIND_CALL;
	vprof_publish(r);
	vprof_end(r, 0);
}

static struct vprof_holding piece(uint64_t address, uint64_t bytes, uint32_t place)
{
	return (struct vprof_holding){
		.address = address, .bytes = bytes, .ticks = vprof_ticks(), .other = ~address, .stream = address + bytes,
		.call = 7, .kind = VPROF_MEMORY_DEVICE, .place = place,
	};
}

static int take(uint64_t address, uint64_t bytes, uint32_t place)
{
	struct vprof_holding one = piece(address, bytes, place);

	return vprof_holding_take(&one, 0);
}

static int give(uint64_t address, uint64_t *bytes)
{
	struct vprof_found found = vprof_holding_find(address, ANY);

	*bytes = found.was.bytes;
	if (found.index && (found.was.other != ~address || found.was.stream != address + found.was.bytes))
		__atomic_add_fetch(&told->wrong, 1, __ATOMIC_RELAXED);
	return vprof_holding_give(&found);
}

/* ---- threads ---- */

/*
 * A pool of addresses that the threads share as a driver does: an address is one thread's from
 * its allocation to its free, then anybody's, at once.
 */
static uint32_t taken[THREADS * SLOTS];

static uint64_t address_of(uint32_t i)
{
	return 0x7f0000000000ull + (uint64_t)i * 512;
}

static void *work(void *number)
{
	uint64_t random = (uintptr_t)number + 1, mine[SLOTS], sizes[SLOTS];
	uint32_t index[SLOTS], held = 0;

	begin();
	for (int n = 0; n < ROUNDS; n++) {
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		if (held && (random >> 60 < 8 || held == SLOTS)) {
			uint32_t i = (uint32_t)(random >> 33) % held;
			uint64_t bytes;

			/* The driver frees before we have removed: another may have the address already. */
			struct vprof_found found = vprof_holding_find(mine[i], ANY);

			__atomic_store_n(&taken[index[i]], 0, __ATOMIC_RELEASE);
			bytes = found.was.bytes;
			vprof_holding_give(&found);
			if (!found.index || bytes != sizes[i])
				__atomic_add_fetch(&told->wrong, 1, __ATOMIC_RELAXED);
			held--;
			mine[i] = mine[held];
			sizes[i] = sizes[held];
			index[i] = index[held];
		} else {
			uint32_t i = (uint32_t)(random >> 20) % (THREADS * SLOTS);

			if (__atomic_exchange_n(&taken[i], 1, __ATOMIC_ACQ_REL))
				continue;
			index[held] = i;
			mine[held] = address_of(i);
			sizes[held] = (random >> 8) % 4096 + 1;
			if (take(mine[held], sizes[held], i % 2))
				__atomic_add_fetch(&told->refused, 1, __ATOMIC_RELAXED);
			held++;
		}
	}
	for (uint32_t i = 0; i < held; i++) {
		__atomic_add_fetch(&told->bytes[index[i] % 2], sizes[i], __ATOMIC_RELAXED);
		__atomic_add_fetch(&told->held, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void threads_at_random(void)
{
	pthread_t threads[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)i))
			_exit(9);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* ---- the rest ---- */

static void one_after_the_other(void)
{
	uint64_t bytes;

	begin();
	take(0x1000, 10, 0);
	take(0x2000, 20, 0);
	if (!give(0x1000, &bytes) || bytes != 10 || give(0x1000, &bytes) || give(0x9000, &bytes))
		told->wrong++;
	/* Given back in a way that nobody saw: the later one counts. */
	take(0x2000, 300, 0);
	/* Two kinds at one address. */
	struct vprof_holding range = piece(0x2000, 5000, VPROF_MEMORY_TOTALS);

	range.kind = VPROF_MEMORY_RESERVED;
	vprof_holding_take(&range, 0);
	struct vprof_found found = vprof_holding_find(0x2000, VPROF_KIND_BIT(VPROF_MEMORY_RESERVED));

	told->wrong += found.was.bytes != 5000;
	found = vprof_holding_find(0x2000, VPROF_KIND_BIT(VPROF_MEMORY_DEVICE));
	told->wrong += found.was.bytes != 300;
	/* Several owners. */
	vprof_holding_share(&found);
	told->wrong += vprof_holding_drop(&found) != 0;
}

static void fill_up(void)
{
	begin();
	for (uint64_t i = 0; i < 4000; i++)
		told->refused += take(address_of((uint32_t)i), 1, 0) != 0;
}

static void with_a_child(void)
{
	int status;
	pid_t pid;

	begin();
	take(0x1000, 10, 0);
	pid = fork();
	if (pid == 0) {
		uint64_t bytes;

		/* Not a word into the parent's ring, before there is one of our own and after. */
		told->wrong += give(0x1000, &bytes) || !take(0x3000, 1, 0);
		begin();
		told->wrong += give(0x1000, &bytes);
		told->wrong += take(0x2000, 77, 0);
		told->held = (uint64_t)getpid();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	told->wrong += status != 0;
	take(0x2000, 5, 0);
}

static void die(void)
{
	begin();
	for (uint64_t i = 1;; i++) {
		uint64_t bytes;

		take(address_of((uint32_t)(i % 300)), 1 + i % 300, 0);
		if (i > 200)
			give(address_of((uint32_t)((i - 200) % 300)), &bytes);
	}
}

/* ---- the reading side ---- */

static pid_t in_child(void (*body)(void), uint64_t mb, int milliseconds)
{
	int status = 0;
	pid_t pid;

	memset(told, 0, sizeof(*told));
	pid = fork();
	if (pid == 0) {
		vprof_config.ring_mb = mb;
		body();
		_exit(0);
	}
	if (milliseconds) {
		usleep((useconds_t)(1000 * milliseconds));
		kill(pid, SIGKILL);
	}
	waitpid(pid, &status, 0);
	if (!milliseconds && status)
		printf("# child ended with %d\n", status);
	return pid;
}

static uint64_t sum_of(const struct ring *ring, uint32_t place)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < ring->holding_count; i++)
		if (ring->holdings[i].place == place)
			sum += ring->holdings[i].bytes;
	return sum;
}

static int all_whole(const struct ring *ring)
{
	for (uint32_t i = 0; i < ring->holding_count; i++) {
		const struct vprof_holding *held = &ring->holdings[i];

		if (held->other != ~held->address || held->stream != held->address + held->bytes || held->call != 7)
			return 0;
	}
	return 1;
}

static void check_threads(void)
{
	struct ring ring;
	pid_t pid = in_child(threads_at_random, 64, 0);

	if (!ok(!open_ring_of(&ring, pid), "%d threads take and give back at random", THREADS))
		return;
	ok(!told->wrong && !told->refused, "each free finds its own (%llu wrong, %llu refused)",
	   (unsigned long long)told->wrong, (unsigned long long)told->refused);
	ok(ring.live.memory[0].bytes == told->bytes[0] && ring.live.memory[1].bytes == told->bytes[1],
	   "the totals are what is held: %llu and %llu", (unsigned long long)ring.live.memory[0].bytes,
	   (unsigned long long)ring.live.memory[1].bytes);
	ok(ring.holding_count == told->held && sum_of(&ring, 0) == told->bytes[0] && sum_of(&ring, 1) == told->bytes[1],
	   "and so is the table: %u entries", ring.holding_count);
	ok(all_whole(&ring) && !ring.bad_holdings, "no entry is mixed from two");
	ok(ring.live.memory[0].peak >= ring.live.memory[0].bytes && ring.live.memory[0].peak_ticks, "there was a peak");
	ring_close(&ring);
}

static void check_rules(void)
{
	struct ring ring;
	pid_t pid = in_child(one_after_the_other, 1, 0);

	if (!ok(!open_ring_of(&ring, pid) && !told->wrong, "a second free, an unknown one, an address given out again"))
		return;
	ok(ring.live.memory[0].bytes == 300 && ring.live.memory[0].peak == 300, "now %llu, at most %llu",
	   (unsigned long long)ring.live.memory[0].bytes, (unsigned long long)ring.live.memory[0].peak);
	ok(ring.holding_count == 2, "two kinds at one address are two entries");
	ring_close(&ring);
}

static void check_full(void)
{
	struct ring ring;
	pid_t pid = in_child(fill_up, 1, 0);

	if (!ok(!open_ring_of(&ring, pid), "a table that is full"))
		return;
	ok(ring.holding_count + told->refused == 4000 && ring.live.loss[VPROF_LOSS_HOLDINGS] == told->refused,
	   "what found no room is counted: %llu", (unsigned long long)told->refused);
	ok(ring.live.memory[0].bytes == ring.holding_count && ring.holding_count > ring.header.holding_count * 7 / 8,
	   "and is in no sum (%u of %u in use)", ring.holding_count, ring.header.holding_count);
	ring_close(&ring);
}

__attribute__((unused)) static void check_fork(void)
{
	struct ring ring;
	pid_t pid = in_child(with_a_child, 1, 0);

	if (!ok(!open_ring_of(&ring, pid) && !told->wrong, "a forked child"))
		return;
	ok(ring.live.memory[0].bytes == 15 && ring.holding_count == 2, "its parent's table is as it was");
	ring_close(&ring);
	ok(!open_ring_of(&ring, (pid_t)told->held) && ring.live.memory[0].bytes == 77 && ring.holding_count == 1,
	   "its own begins empty");
	ring_close(&ring);
}

static void check_death(void)
{
	int whole = 1, right = 1;

	for (int i = 0; i < 10; i++) {
		struct ring ring;
		pid_t pid = in_child(die, 1, 20 + i);

		if (open_ring_of(&ring, pid))
			continue;
		whole &= all_whole(&ring);
		/* At most one piece is between table and total. */
		right &= ring.live.memory[0].bytes + 301 > sum_of(&ring, 0) && sum_of(&ring, 0) + 301 > ring.live.memory[0].bytes;
		ring_close(&ring);
	}
	ok(whole, "killed at any moment: every entry is whole");
	ok(right, "and the total fits the table, but for the piece in hand");
}

int main(void)
{
	vprof_config_read();
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED || make_folder("holdings"))
		return 1;
	check_rules();
	check_threads();
	check_full();
#ifndef __SANITIZE_THREAD__ /* which lets no child of a process with threads have any */
	check_fork();
#endif
	check_death();
	remove_folder();
	return done_testing();
}
