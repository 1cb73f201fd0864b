/*
 * live_read.c - a ring is read by several threads while its writer goes on.
 *
 * The writer here fills two chunks of a memory file by the contract, over and over, with
 * records whose words all follow from seq. A reader must never get a record whose words
 * do not belong together: such a one would be half of two.
 */
#include <pthread.h>
#include "tests/tap.h"
#include "tests/tools/memory_ring.h"

enum { READERS = 3 };

static struct memory_ring file;
static struct vprof_chunk *chunks;
static uint32_t chunk_count;
static int stop;

static void publish(struct vprof_chunk *chunk, uint32_t index)
{
	struct vprof_slot *slot = &chunk->slot[index - 1];
	uint64_t seq = chunk->head.base + index;

	slot->done = 0;
	slot->kind = VPROF_KIND_CALL;
	slot->call = (uint16_t)seq;
	slot->object = (uint32_t)seq;
	for (int i = 0; i < 3; i++)
		slot->call_args.args[i] = seq + (uint64_t)i;
	slot->call_args.args[3] = 0;
	slot->t0 = seq;
	/* Pairs with the readers' copy of seq. */
	__atomic_store_n(&slot->seq, seq, __ATOMIC_RELEASE);
	slot->call_args.args[3] = seq + 3; /* "with done" */
	__atomic_store_n(&slot->done, VPROF_DONE(seq & 0xffff, 0) | VPROF_DONE(1, 0), __ATOMIC_RELEASE);
}

static void *write_on(void *unused)
{
	for (uint64_t ticket = 1000; !__atomic_load_n(&stop, __ATOMIC_RELAXED); ticket++) {
		struct vprof_chunk *chunk = &chunks[ticket % chunk_count];

		__atomic_store_n(&chunk->head.base, 0, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		chunk->head.lane = 0;
		chunk->head.first = ticket * 255;
		chunk->head.used = 1;
		chunk->head.held = 1;
		/* Pairs with the readers' reads of base before and after. */
		__atomic_store_n(&chunk->head.base, ticket << 8, __ATOMIC_RELEASE);
		for (uint32_t i = 1; i < VPROF_CHUNK_SLOTS; i++) {
			__atomic_store_n(&chunk->head.used, i + 1, __ATOMIC_RELAXED);
			publish(chunk, i);
		}
		__atomic_store_n(&chunk->head.held, 0, __ATOMIC_RELEASE);
	}
	return unused;
}

struct tally {
	uint64_t records, wrong, rounds;
};

static void check_slot(const struct vprof_slot *slot, struct tally *tally)
{
	uint64_t seq = slot->seq;

	if (!seq)
		return;
	tally->records++;
	if (slot->t0 != seq || slot->object != (uint32_t)seq || slot->call != (uint16_t)seq ||
	    slot->call_args.args[0] != seq || slot->call_args.args[2] != seq + 2 ||
	    (slot->done && slot->call_args.args[3] != seq + 3))
		tally->wrong++;
}

/* Each thread has a ring of its own to refresh and a share in one that all read. */
static void *read_on(void *argument)
{
	struct tally *tally = argument;
	struct vprof_chunk buffer;
	struct ring ring;
	char why[256];

	if (ring_open(&ring, file.path, why, sizeof(why))) {
		tally->wrong = 1;
		return NULL;
	}
	/* More rounds where a busy machine does not let the writer run. */
	for (; tally->rounds < 4000 || (tally->records < 10000 && tally->rounds < 4000000); tally->rounds++) {
		ring_refresh(&ring);
		for (uint32_t i = 0; i < ring.chunk_count; i++) {
			if (ring_read_chunk(&ring, &ring.chunks[i], &buffer) < 0)
				tally->wrong++;
			for (uint32_t s = 0; s < VPROF_CHUNK_SLOTS - 1; s++)
				check_slot(&buffer.slot[s], tally);
		}
	}
	ring_close(&ring);
	return NULL;
}

static struct ring shared;

static void *read_shared(void *argument)
{
	for (int i = 0; i < 20; i++)
		*(long *)argument = read_and_compare(&shared, &make_ring_default);
	return NULL;
}

/* One ring, read by several threads at once. */
static void share_a_ring(void)
{
	struct memory_ring m;
	pthread_t threads[READERS];
	long counts[READERS];
	char why[256];
	int right = 0;

	memory_ring_make(&m, &make_ring_default);
	ring_open(&shared, m.path, why, sizeof(why));
	for (int i = 0; i < READERS; i++)
		pthread_create(&threads[i], NULL, read_shared, &counts[i]);
	for (int i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
		right += counts[i] == 1200;
	}
	ok(right == READERS, "one open ring serves several threads");
	ring_close(&shared);
	close(m.fd);
}

int main(void)
{
	struct make_ring o = make_ring_default;
	struct tally tallies[READERS] = { 0 };
	pthread_t writer, readers[READERS];
	struct vprof_ring_header h;
	uint8_t *map;
	uint64_t records = 0, wrong = 0;

	share_a_ring();
	o.lanes = 1;
	o.chunks = 2;
	o.records = 1;
	memory_ring_make(&file, &o);
	map = mmap(NULL, file.size, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, 0);
	if (!ok(map != MAP_FAILED, "the writer maps its file"))
		return done_testing();
	memcpy(&h, map, sizeof(h));
	chunks = (struct vprof_chunk *)(void *)(map + h.chunks_offset);
	chunk_count = h.chunk_count;
	for (uint32_t i = 0; i < chunk_count; i++)
		chunks[i].head.base = 0; /* what make_ring put there is not of the writer's kind */
	pthread_create(&writer, NULL, write_on, NULL);
	for (int i = 0; i < READERS; i++)
		pthread_create(&readers[i], NULL, read_on, &tallies[i]);
	for (int i = 0; i < READERS; i++) {
		pthread_join(readers[i], NULL);
		records += tallies[i].records;
		wrong += tallies[i].wrong;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(writer, NULL);
	ok(records > 10000, "records are read from a busy ring (%llu)", (unsigned long long)records);
	ok(!wrong, "none is half of two (%llu wrong)", (unsigned long long)wrong);
	return done_testing();
}
