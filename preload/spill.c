/*
 * spill.c - the thread that keeps everything.
 *
 * It follows the tickets of the chunks (lane.c). The chunk that a ticket may have gone to is listed until
 * its thread has left it; chunks of one lane are then written together, as a frame. They are written
 * in the order of the lane, so what a lane lost in between shows in its positions, and is counted.
 *
 * Nobody waits for this thread. Chunks that it has not reached in time are overwritten, as they would be
 * without it. A frame is begun when it would be full, or when the ring has gone on by a quarter since one of
 * its chunks was taken: what is not written yet is in the ring, also when the process is killed. So its
 * end has nothing to write either.
 *
 * A chunk is copied by the readers' protocol (ring.h): its base is the same before and after. Calls in it
 * that have not returned keep their lane back until the ring presses; open ranges do not, for what
 * follows tells of them again.
 *
 * The thread has a table of descriptors of its own where the kernel has that (5.9), so that the
 * program, which may close any number, never gets at its files, nor its files in the way of the program.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "preload/config.h"
#include "preload/inner.h"
#include "preload/libc.h"
#include "preload/process.h"
#include "preload/record.h"
#include "preload/spill.h"
#include "preload/spill_file.h"
#include "preload/spill_pack.h"
#include "preload/thread.h"

enum {
	PRESSED = 4,            /* the ring presses when it has gone on by one part in so many */
	LOOKS = 4,              /* it is looked at so often while that part fills, at RECORDS_US */
	RECORDS_US = 20,        /* records that a process makes in a microsecond, at most */
	LEAST_US = 200, MOST_US = 20000,
	CLOSE_MS = 200,
};
#define UNKNOWN UINT64_MAX

/* A chunk whose thread has left it, or is expected to. */
struct entry {
	uint32_t index;
	uint32_t lane;          /* the rest is of the chunk that was seen there last */
	uint64_t base;          /* 0: none that is not kept yet */
	uint64_t first;
	int ready;              /* its thread has left it */
};

/* Of one ring; the spill's thread's own. */
struct keeper {
	struct vprof_map map;
	uint64_t next;          /* ticket that was not looked at yet */
	struct entry *list;
	uint32_t count;
	uint64_t *newest;       /* by chunk: the last ticket that may have gone to it + 1 */
	uint64_t *kept;         /* by chunk: base of what was written of it last */
	uint8_t *listed;        /* by chunk */
	uint64_t *expected;     /* by lane: the position that was written last + 1; UNKNOWN before */
	uint64_t *lowest;       /* by lane: scratch of count_rest() */
	uint32_t *ready;        /* by lane: entries that are */
	void *codec;
	struct vprof_spill_pack *pack;
	struct vprof_chunk chunk; /* the copy */
};

static uint32_t wanted;         /* 1: on. Writer: vprof_spill_set(); a futex */
static uint32_t since_start;    /* it was wanted before there was a record: what is missing in a lane is lost */
static uint32_t running;        /* there is a thread. Under vprof_spill_set()'s one caller at a time */
static uint32_t ending;         /* the process ends; a futex with `wanted` */
static uint32_t rests;          /* the thread writes nothing, and has seen `ending`; a futex */
static int trouble;             /* why it has stopped for good; its writer: the thread; reader: vprof_spill_tell() */

static uint64_t ticket_of(const struct vprof_map *map)
{
	return __atomic_load_n(&map->live->ticket, __ATOMIC_RELAXED);
}

static uint64_t ticket_now(const struct keeper *k)
{
	return ticket_of(&k->map);
}

static void lose_chunks(const struct keeper *k, uint64_t count)
{
	__atomic_fetch_add(&k->map.live->loss[VPROF_LOSS_SPILLED], count, __ATOMIC_RELAXED);
}

/* ---- the list ---- */

static void list_tickets(struct keeper *k)
{
	uint64_t now = ticket_now(k);

	if (now - k->next > k->map.chunk_count)
		k->next = now - k->map.chunk_count;
	for (; k->next < now; k->next++) {
		uint32_t index = (uint32_t)(k->next % k->map.chunk_count);

		k->newest[index] = k->next + 1;
		if (k->listed[index])
			continue;
		k->listed[index] = 1;
		k->list[k->count++] = (struct entry){ .index = index };
	}
}

/*
 * What is in that chunk now? Base is the same before and after `held` is read, so both are of one
 * moment; pairs with the release stores in lane.c.
 */
static void entry_look(struct keeper *k, struct entry *e)
{
	struct vprof_chunk_header *head = &k->map.chunks[e->index].head;
	uint64_t base = __atomic_load_n(&head->base, __ATOMIC_ACQUIRE);
	uint32_t held = __atomic_load_n(&head->held, __ATOMIC_ACQUIRE);

	e->base = 0;
	if (!base || base == k->kept[e->index])
		return;
	e->lane = __atomic_load_n(&head->lane, __ATOMIC_RELAXED);
	e->first = __atomic_load_n(&head->first, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&head->base, __ATOMIC_RELAXED) != base || e->lane >= k->map.lane_count)
		return;
	e->base = base;
	e->ready = !held;
	k->ready[e->lane] += !held;
}

/* May the entry's last ticket still bring a chunk? Not when it is stale (lane.c), and nobody holds the chunk. */
static int entry_waits(const struct keeper *k, const struct entry *e)
{
	const struct vprof_chunk_header *head = &k->map.chunks[e->index].head;

	return e->base || __atomic_load_n(&head->held, __ATOMIC_RELAXED) ||
	       ticket_now(k) - (k->newest[e->index] - 1) <= k->map.chunk_count;
}

static void list_look(struct keeper *k)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < k->count; i++) {
		struct entry *e = &k->list[i];

		if (!e->ready)
			entry_look(k, e);
		if (entry_waits(k, e))
			k->list[left++] = *e;
		else
			k->listed[e->index] = 0;
	}
	k->count = left;
}

/* ---- frames ---- */

static int is_pressed(const struct keeper *k, const struct entry *e)
{
	return ticket_now(k) - ((e->base >> 8) - 1) > k->map.chunk_count / PRESSED;
}

/* The oldest chunks of a lane that are ready, in the lane's order: their number. */
static uint32_t lane_gather(struct keeper *k, uint32_t lane, struct entry *out[VPROF_SPILL_CHUNKS])
{
	uint32_t count = 0, at;

	for (uint32_t i = 0; i < k->count; i++) {
		struct entry *e = &k->list[i];

		if (!e->ready || e->lane != lane)
			continue;
		if (count == VPROF_SPILL_CHUNKS && e->base > out[count - 1]->base)
			continue;
		at = count < VPROF_SPILL_CHUNKS ? count++ : count - 1;
		for (; at && out[at - 1]->base > e->base; at--)
			out[at] = out[at - 1];
		out[at] = e;
	}
	return count;
}

/* Is a chunk of the lane that comes before this one still with its thread, as far as we have seen? */
static int lane_has_older(const struct keeper *k, const struct entry *e)
{
	for (uint32_t i = 0; i < k->count; i++)
		if (k->list[i].base && !k->list[i].ready && k->list[i].lane == e->lane && k->list[i].first < e->first)
			return 1;
	return 0;
}

/* The slots whose calls have not returned; `calls`: how many of them are calls, not ranges. */
static void open_slots(const struct vprof_chunk *chunk, uint64_t base, uint8_t open[VPROF_CHUNK_SLOTS], uint32_t *calls)
{
	*calls = 0;
	for (uint32_t i = 1; i < VPROF_CHUNK_SLOTS; i++) {
		const struct vprof_slot *slot = &chunk->slot[i - 1];

		open[i] = __atomic_load_n(&slot->seq, __ATOMIC_RELAXED) == base + i &&
			  !__atomic_load_n(&slot->done, __ATOMIC_ACQUIRE);
		*calls += open[i] && slot->kind != VPROF_KIND_RANGE;
	}
}

/* 1: copied. 0: overwritten meanwhile. -EAGAIN: it has calls that are worth waiting for. */
static int chunk_copy(struct keeper *k, const struct entry *e)
{
	const struct vprof_chunk *chunk = &k->map.chunks[e->index];
	uint8_t open[VPROF_CHUNK_SLOTS];
	uint32_t calls;

	open_slots(chunk, e->base, open, &calls);
	if (calls && !is_pressed(k, e))
		return -EAGAIN;
	memcpy(&k->chunk, chunk, sizeof(k->chunk));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&chunk->head.base, __ATOMIC_RELAXED) != e->base)
		return 0;
	k->chunk.head.held = 0;
	/* A call that returned during the copy: what goes with done may not be whole. */
	for (uint32_t i = 1; i < VPROF_CHUNK_SLOTS; i++) {
		struct vprof_slot *slot = &k->chunk.slot[i - 1];

		if (open[i])
			slot->done = 0;
		if (!slot->kind || (slot->done && !VPROF_DONE_TICKS(slot->done)))
			slot->seq = 0;
	}
	return 1;
}

static void lose_gap(const struct keeper *k, uint64_t records)
{
	lose_chunks(k, (records + VPROF_CHUNK_SLOTS - 2) / (VPROF_CHUNK_SLOTS - 1));
}

/* Positions of the lane that were overwritten before they came here. */
static void count_gap(struct keeper *k, const struct vprof_chunk_header *head)
{
	uint32_t used = head->used < VPROF_CHUNK_SLOTS ? head->used : VPROF_CHUNK_SLOTS;
	uint64_t *expected = &k->expected[head->lane];

	if (*expected != UNKNOWN && head->first > *expected)
		lose_gap(k, head->first - *expected);
	if (*expected == UNKNOWN || head->first + used - 1 > *expected)
		*expected = head->first + used - 1;
}

/* Likewise before what the ring still holds of each lane, when nothing more will be written. */
static void count_rest(struct keeper *k)
{
	for (uint32_t i = 0; i < k->count; i++) {
		const struct entry *e = &k->list[i];

		if (e->base && (!k->lowest[e->lane] || e->first < k->lowest[e->lane] - 1))
			k->lowest[e->lane] = e->first + 1;
	}
	for (uint32_t i = 0; i < k->map.lane_count; i++) {
		uint64_t first = k->lowest[i] - 1;

		if (k->lowest[i] && k->expected[i] != UNKNOWN && first > k->expected[i])
			lose_gap(k, first - k->expected[i]);
		k->lowest[i] = 0;
	}
}

static void entry_drop(struct keeper *k, struct entry *e)
{
	k->ready[e->lane]--;
	e->ready = 0;
	e->base = 0;
}

static int trouble_begins(int error)
{
	__atomic_store_n(&trouble, error, __ATOMIC_RELEASE);
	return error;
}

/* One frame of chunks of the lane of `oldest`, as many as there are: how many, or a negative errno. */
static int lane_write(struct keeper *k, const struct entry *oldest)
{
	struct entry *chosen[VPROF_SPILL_CHUNKS];
	uint32_t count = lane_gather(k, oldest->lane, chosen);
	int error = 0;

	vprof_spill_pack_begin(k->pack);
	for (uint32_t i = 0; i < count; i++) {
		struct entry *e = chosen[i];
		int got;

		if (k->expected[e->lane] != UNKNOWN && e->first > k->expected[e->lane] && !is_pressed(k, e) &&
		    lane_has_older(k, e))
			break;
		got = chunk_copy(k, e);
		if (got < 0)
			break;
		if (got) {
			count_gap(k, &k->chunk.head);
			vprof_spill_pack_chunk(k->pack, &k->chunk);
			k->kept[e->index] = e->base;
		}
		entry_drop(k, e);
	}
	count = k->pack->chunks;
	if (!count)
		return 0;
	error = vprof_spill_write(k->pack->frame, vprof_spill_pack_end(k->pack, k->codec, vprof_ticks()), count);
	if (error)
		lose_chunks(k, count);
	return error ? trouble_begins(error) : (int)count;
}

/* Writes what would fill a frame or is pressed for; all that is ready, when it is `last`. */
static int frames_write(struct keeper *k, int last)
{
	int written = 0, got;

	for (uint32_t i = 0; i < k->count; i++) {
		const struct entry *e = &k->list[i];

		if (!e->ready || (!last && k->ready[e->lane] < VPROF_SPILL_CHUNKS && !is_pressed(k, e)))
			continue;
		got = lane_write(k, e);
		if (got < 0)
			return got;
		written += got;
	}
	return written;
}

/* ---- the thread ---- */

static void *table(uint32_t count, size_t size)
{
	return vprof_table((size_t)count * size);
}

static struct keeper *keeper_open(const struct vprof_map *map)
{
	struct keeper *k = vprof_table(sizeof(*k));

	if (!k)
		return NULL;
	k->map = *map;
	k->list = table(map->chunk_count, sizeof(*k->list));
	k->newest = table(map->chunk_count, sizeof(*k->newest));
	k->kept = table(map->chunk_count, sizeof(*k->kept));
	k->listed = table(map->chunk_count, sizeof(*k->listed));
	k->expected = table(map->lane_count, sizeof(*k->expected));
	k->lowest = table(map->lane_count, sizeof(*k->lowest));
	k->ready = table(map->lane_count, sizeof(*k->ready));
	k->pack = vprof_table(sizeof(*k->pack));
	k->codec = vprof_spill_codec_open();
	/* What does not fit stays mapped: such a process has other worries. */
	return k->list && k->newest && k->kept && k->listed && k->expected && k->lowest && k->ready && k->pack ?
	       k : NULL;
}

/* From here on; what is in the ring already is kept too, as far as that goes. */
static void keeper_begin(struct keeper *k)
{
	for (uint32_t i = 0; i < k->map.lane_count; i++)
		k->expected[i] = since_start ? 0 : UNKNOWN;
	k->next = 0;
}

static uint64_t round_us(const struct keeper *k)
{
	uint64_t us = (uint64_t)k->map.chunk_count * (VPROF_CHUNK_SLOTS - 1) / PRESSED / LOOKS / RECORDS_US;

	return us < LEAST_US ? LEAST_US : us > MOST_US ? MOST_US : us;
}

/* Until it is no longer wanted, or the process ends; 0, or what went wrong. */
static int keep(struct keeper *k)
{
	int got, last;

	keeper_begin(k);
	do {
		last = !__atomic_load_n(&wanted, __ATOMIC_ACQUIRE);
		list_tickets(k);
		list_look(k);
		if (__atomic_load_n(&ending, __ATOMIC_ACQUIRE)) {
			count_rest(k);
			return 0;
		}
		got = frames_write(k, last);
		if (!got)
			vprof_futex_wait(&wanted, 1, round_us(k));
	} while (got >= 0 && !last);
	since_start = 0;
	return got < 0 ? got : 0;
}

static void *spill(void *unused)
{
	const struct sched_param param = { 0 };
	struct keeper *k = keeper_open(&vprof_map);
	int error = k ? 0 : trouble_begins(-ENOMEM);

	(void)unused;
	prctl(PR_SET_NAME, "vprof-spill");
	if (sched_getscheduler(0) != SCHED_OTHER)
		sched_setscheduler(0, SCHED_OTHER, &param);
	vprof_thread_own_files();
	while (error >= 0 && !__atomic_load_n(&ending, __ATOMIC_ACQUIRE)) {
		if (__atomic_load_n(&wanted, __ATOMIC_ACQUIRE))
			error = keep(k);
		else
			vprof_futex_wait(&wanted, 0, VPROF_FOREVER);
	}
	__atomic_store_n(&rests, 1, __ATOMIC_RELEASE);
	vprof_futex_wake(&rests);
	return NULL;
}

int vprof_spill_set(int on)
{
	int error = 0;

	if (__atomic_load_n(&trouble, __ATOMIC_ACQUIRE))
		return __atomic_load_n(&trouble, __ATOMIC_ACQUIRE);
	if (!running)
		since_start = !ticket_of(&vprof_map);
	__atomic_store_n(&wanted, on != 0, __ATOMIC_RELEASE);
	if (running)
		vprof_futex_wake(&wanted);
	else if (on)
		error = vprof_thread_start(spill, 0);
	if (on && !error)
		running = 1;
	if (error)
		trouble_begins(error);
	return error;
}

int vprof_spill_is_on(void)
{
	return __atomic_load_n(&wanted, __ATOMIC_ACQUIRE) && !__atomic_load_n(&trouble, __ATOMIC_ACQUIRE);
}

void vprof_spill_reset(void)
{
	wanted = running = ending = rests = 0;
	trouble = 0;
	vprof_spill_file_reset();
}

void vprof_spill_tell(void)
{
	static int said; /* housekeeping and the destructor: one line from each at worst */
	int error = __atomic_load_n(&trouble, __ATOMIC_ACQUIRE);

	if (!error || __atomic_exchange_n(&said, 1, __ATOMIC_RELAXED))
		return;
	if (error == -EDQUOT)
		vprof_log("the spill has reached VPROF_SPILL_MB: what the ring overwrites is no longer kept");
	else
		vprof_log("the spill beside %s ends: %s; what the ring overwrites is no longer kept", vprof_ring_entry(),
			  vprof_strerror(-error));
}

void vprof_spill_close(void)
{
	if (running) {
		__atomic_store_n(&ending, 1, __ATOMIC_RELEASE);
		__atomic_store_n(&wanted, 0, __ATOMIC_RELEASE);
		vprof_futex_wake(&wanted);
		if (!__atomic_load_n(&rests, __ATOMIC_ACQUIRE))
			vprof_futex_wait(&rests, 0, CLOSE_MS * 1000);
	}
	vprof_spill_tell();
}
