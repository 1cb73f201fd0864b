/*
 * interrupts.c - a signal handler between any two instructions of the recording path.
 *
 * The processor's trap flag stops after each instruction; at the Nth one a handler runs that records
 * and counts, and fills its thread's chunk so that another is taken. Each N up to the last is tried.
 * After each trial what a thread keeps must agree: its cursor, its lane, the slots that it counts in,
 * and who holds which chunk. At the end nothing may be mixed or unaccounted for.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include "preload/config.h"
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/ranges.h"
#include "preload/record.h"
#include "tests/preload/folder.h"
#include "tests/preload/shim.h"
#include "tests/tap.h"
#include "tools/ring.h"

#ifndef __x86_64__
int main(void)
{
	skip_all("needs the trap flag of an x86-64");
}
#else

/* As the assembly of vfork calls them. */
void vprof_vfork_child(void);
void vprof_vfork_parent(void);

enum { CALL = 7, OWN = 1, HANDLERS = 2, QUERY_OWN = 3, QUERY_OTHER = 4, TRAP_FLAG = 0x100, LONGEST = 20000 };

/* What the traced child tells its parent. */
static struct told {
	uint64_t made, counted, wrong, trials;
	char what[128];
} *told;

/* ---- what is interrupted, and by what ---- */

static void record(uint64_t who)
{
	struct vprof_record r = vprof_begin();

	told->made++;
	if (!r.slot)
		return;
	r.slot->kind = VPROF_KIND_CALL;
	r.slot->call = CALL;
	r.slot->object = 0;
	r.slot->call_args.args[0] = who;
	r.slot->call_args.args[1] = r.seq;
	r.slot->call_args.args[2] = who + r.seq;
	r.slot->call_args.args[3] = ~r.seq;
	vprof_publish(r);
	vprof_end(r, 0);
}

static void count(unsigned query)
{
	told->counted++;
	if (!vprof_count_quick(query))
		vprof_count_slow(CALL, query, 0);
}

static void one_record(void)
{
	record(OWN);
}

static void one_count(void)
{
	count(QUERY_OWN);
}

static void push_pop(const char *name)
{
	const struct vprof_said said = { .text = name, .length = strlen(name) };

	vprof_range_push(&said);
	vprof_range_pop(NULL);
}

static void one_range(void)
{
	push_pop("a name that has no definition and takes two slots");
}

static void leave(void)
{
	vprof_lane_leave();
}

static void child_of_vfork(void)
{
	vprof_vfork_child();
	vprof_vfork_parent();
}

/* A little, or so much that the chunk is left. */
static void handle_little(void)
{
	record(HANDLERS);
	count(QUERY_OTHER);
	count(QUERY_OWN);
}

static void handle_chunk(void)
{
	struct vprof_chunk *chunk = vprof_cursor.chunk;

	handle_little();
	for (int i = 0; i < VPROF_CHUNK_SLOTS && vprof_cursor.chunk == chunk; i++)
		record(HANDLERS);
	handle_little();
}

static void handle_range(void)
{
	push_pop("a handler's");
	handle_chunk();
	push_pop("another of a handler's");
}

/* ---- the trap flag ---- */

static void (*handle)(void);
static volatile long steps_left;
static volatile int stepping;

static void trap(int number, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	(void)number;
	(void)info;
	if (--steps_left && stepping)
		return;
	c->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
	if (stepping)
		handle();
}

/* 1 when `body` had an Nth instruction. */
static int interrupted(void (*body)(void), long n)
{
	steps_left = n;
	stepping = 1;
	__asm__ volatile("pushfq\n\torq %0, (%%rsp)\n\tpopfq" : : "i"(TRAP_FLAG) : "memory", "cc");
	body();
	stepping = 0;
	__asm__ volatile("pushfq\n\tandq %0, (%%rsp)\n\tpopfq" : : "i"(~TRAP_FLAG) : "memory", "cc");
	return steps_left <= 0;
}

/* ---- what must agree ---- */

static void check(int agrees, long n, const char *what)
{
	if (agrees)
		return;
	if (!told->wrong++)
		snprintf(told->what, sizeof(told->what), "at instruction %ld: %s", n, what);
}

static int counts_agree(void)
{
	const struct vprof_counts *counts = vprof_cursor.counts;

	for (unsigned i = 0; counts && i < VPROF_QUERIES; i++) {
		uintptr_t at = (uintptr_t)counts->slot[i] - (uintptr_t)vprof_cursor.chunk;

		if (counts->slot[i] && (at >= VPROF_CHUNK_SIZE || counts->slot[i]->kind != VPROF_KIND_QUERIES ||
					counts->slot[i]->seq != vprof_cursor.chunk->head.base + at / VPROF_SLOT_SIZE))
			return 0;
	}
	return !counts || counts->lane == vprof_lane;
}

static uint32_t chunks_held(void)
{
	uint32_t held = 0;

	for (uint32_t i = 0; i < vprof_map.chunk_count; i++)
		held += vprof_map.chunks[i].head.held;
	return held;
}

/* Lanes that have a chunk, and in `live` those of threads. */
static uint32_t lanes_with_chunk(uint32_t *live)
{
	uint32_t with = 0;

	*live = 0;
	for (uint32_t i = 0; i < vprof_map.lane_count; i++) {
		with += vprof_map.lanes[i].chunk != 0;
		*live += vprof_map.lanes[i].state == VPROF_LANE_LIVE;
	}
	return with;
}

static void all_agree(long n)
{
	const struct vprof_chunk *chunk = vprof_cursor.chunk;
	uint32_t live, with = lanes_with_chunk(&live);

	check(counts_agree(), n, "the thread counts in a chunk that it has left");
	check(with == chunks_held(), n, "a chunk is held that no lane has, or the other way round");
	check(live == (vprof_lane != NULL), n, "a lane is taken that no thread has");
	if (!vprof_lane)
		return;
	check(chunk == &vprof_map.chunks[vprof_lane->chunk - 1] && chunk->head.held, n, "the chunk is not the lane's");
	check(chunk->head.used == vprof_cursor_index(), n, "the chunk's header does not say how far it is filled");
	check(((vprof_cursor.at - 1) & ~0xffull) == chunk->head.base, n, "the cursor has another chunk's numbers");
}

/* ---- trials ---- */

/* So that the chunk has `free` slots left. */
static void fill_chunk(unsigned free)
{
	while (!vprof_cursor.chunk || vprof_cursor_index() != VPROF_CHUNK_SLOTS - free)
		record(OWN);
}

struct trial {
	const char *name;
	void (*body)(void);
	void (*handle)(void);
	int free; /* slots left in the chunk before; -1: however many there are */
	int counts; /* 1: it has a slot that it counts in */
};

static const struct trial trials[] = {
	{ "a record, by one", one_record, handle_little, 100, 1 },
	{ "a record, by a chunk of them", one_record, handle_chunk, 100, 1 },
	{ "the last record of a chunk", one_record, handle_little, 1, 1 },
	{ "a record that takes a chunk", one_record, handle_little, 0, 1 },
	{ "a record that takes a chunk, by a chunk", one_record, handle_chunk, 0, 1 },
	{ "a count", one_count, handle_little, 100, 1 },
	{ "a count, by a chunk of records", one_count, handle_chunk, 100, 1 },
	{ "a first count", one_count, handle_little, 100, 0 },
	{ "a first count, by a chunk of records", one_count, handle_chunk, 100, 0 },
	{ "a count that takes a chunk", one_count, handle_chunk, 0, 0 },
	{ "a range", one_range, handle_range, 100, 1 },
	{ "a range that takes a chunk", one_range, handle_range, 0, 1 },
	{ "the thread's end", leave, handle_little, 100, 1 },
	{ "the thread's end, by a chunk of records", leave, handle_chunk, 1, 1 },
	{ "a vfork", child_of_vfork, handle_little, 100, 1 },
	{ "a vfork, by a chunk of records", child_of_vfork, handle_chunk, 100, 1 },
};

static void try_all(const struct trial *trial)
{
	struct sigaction action = { .sa_sigaction = trap, .sa_flags = SA_SIGINFO };

	sigaction(SIGTRAP, &action, NULL);
	handle = trial->handle;
	/* Behind the usual way each third: it takes as many steps to come there. */
	for (long n = 1; n < LONGEST; n += n < 150 ? 1 : 3) {
		record(OWN);
		if (trial->free > 4)
			fill_chunk(trial->free);
		if (trial->counts)
			count(QUERY_OWN);
		else
			vprof_counts_turn();
		if (trial->free >= 0 && trial->free <= 4)
			fill_chunk((unsigned)trial->free);
		if (!interrupted(trial->body, n)) {
			told->trials = (uint64_t)n;
			break;
		}
		all_agree(n);
	}
}

/* ---- the reading side ---- */

static void read_back(pid_t pid, const char *name)
{
	static struct vprof_chunk chunk;
	struct ring_losses losses;
	struct ring ring;
	uint64_t there = 0, mixed = 0, lost = 0;

	if (open_ring_of(&ring, pid)) {
		ok(0, "%s: there is a ring", name);
		return;
	}
	for (uint32_t i = 0; i < ring.chunk_count; i++) {
		if (!ring_read_chunk(&ring, &ring.chunks[i], &chunk))
			continue;
		for (int s = 0; s < VPROF_CHUNK_SLOTS - 1; s++) {
			const struct vprof_slot *slot = &chunk.slot[s];
			const uint64_t *a = slot->call_args.args;

			if (!slot->seq || slot->kind != VPROF_KIND_CALL)
				continue;
			there++;
			mixed += a[1] != slot->seq || a[2] != a[0] + a[1] || a[3] != ~a[1] || !slot->done;
		}
	}
	ring_count(&ring, &losses);
	for (int i = 0; i < VPROF_LOSS_COUNT; i++)
		lost += losses.loss[i];
	ok(there && !mixed, "%s: no record is mixed from two (%llu there, %llu mixed, %llu lost)", name,
	   (unsigned long long)there, (unsigned long long)mixed, (unsigned long long)lost);
	ring_close(&ring);
}

int main(void)
{
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	vprof_config_read();
	if (make_folder("interrupts"))
		return 1;
	for (unsigned i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		int status;
		pid_t pid;

		memset(told, 0, sizeof(*told));
		pid = fork();
		if (pid == 0) {
			vprof_config.ring_mb = 4;
			try_all(&trials[i]);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		ok(status == 0 && told->trials > 10, "%s: ends well (status %x), interrupted at each of %llu instructions",
		   trials[i].name, (unsigned)status, (unsigned long long)told->trials);
		ok(!told->wrong, "%s: what the thread keeps agrees%s%s (%llu times not)", trials[i].name,
		   told->wrong ? "; not " : "", told->what, (unsigned long long)told->wrong);
		read_back(pid, trials[i].name);
	}
	remove_folder();
	return done_testing();
}

#endif
