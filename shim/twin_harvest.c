/*
 * twin_harvest.c - what the stamps of twins have stored, into records. By housekeeping; without the driver.
 *
 * Launch n of a twin writes block (n - 1) modulo block_count, and n into its first word when all of it is
 * there. What stands in it from a launch before is older than its begin. One that was written anew before it was
 * taken, or while, is lost. Of one that has begun and does not end, for the GPU hangs in it, the stamps that there
 * are are told.
 */
#include <string.h>
#include <time.h>
#include "preload/clock.h"
#include "preload/inner.h"
#include "preload/record.h"
#include "shim/twin.h"

enum {
	STAMPS_PER_RECORD = 8,
	WAIT_S = 10,          /* for the last launches of a twin that was dropped: programs queue seconds of work */
	UNFINISHED_NS = 2000000000, /* with nothing to come meanwhile */
	OLDER_NS = 1000,      /* than its begin: not of this launch. The clock is not the same everywhere to the ns */
	ROUND_NS = 20000000,  /* from one collection to the next, */
	ROUND_LEAST_NS = 1000000, /* when much comes */
	MUCH = 4, LITTLE = 16, /* a fourth and a sixteenth of a twin's blocks in one round */
};
static uint64_t round_ns = ROUND_NS;

static uint64_t stamps[VPROF_TWIN_STAMPS + VPROF_BLOCK_HEAD]; /* one block; of the harvesting thread */

/* Since the first: 0 says that there is none, and a stamp as early as the first is one. */
static uint32_t since(uint64_t begin, uint64_t stamp)
{
	if (!stamp || stamp + OLDER_NS < begin)
		return 0;
	if (stamp <= begin)
		return 1;
	return stamp - begin < UINT32_MAX ? (uint32_t)(stamp - begin) : UINT32_MAX;
}

static struct vprof_slot *put(struct vprof_record *r, enum vprof_kind kind, uint32_t object)
{
	*r = vprof_begin_own();
	if (!r->slot)
		return NULL;
	r->slot->kind = (uint16_t)kind;
	r->slot->call = 0;
	r->slot->object = object;
	return r->slot;
}

static void publish(struct vprof_record r, uint64_t t0, uint32_t result)
{
	r.slot->t0 = t0;
	r.slot->done = VPROF_DONE(1, result);
	/* Pairs with the readers' acquire load of seq. */
	__atomic_store_n(&r.slot->seq, r.seq, __ATOMIC_RELEASE);
}

static int tell_stamps(const struct vprof_twin *twin, uint64_t t0, uint32_t first)
{
	struct vprof_record r;
	struct vprof_slot *slot = put(&r, VPROF_KIND_STAMPS, twin->id);

	if (!slot)
		return 0;
	for (uint32_t i = 0; i < STAMPS_PER_RECORD; i++)
		slot->stamps[i] = first + i < twin->stamps ?
			since(stamps[1], stamps[VPROF_BLOCK_HEAD + first + i]) : 0;
	publish(r, t0, 0);
	return 1;
}

static int tell_replay(const struct vprof_twin *twin, const struct vprof_twin_launch *launch, uint32_t number,
		       uint32_t result)
{
	struct vprof_record r;
	struct vprof_slot *slot = put(&r, VPROF_KIND_REPLAY, twin->id);

	if (!slot)
		return 0;
	slot->replay.begin = stamps[1];
	slot->replay.stream = launch->stream;
	slot->replay.number = number;
	slot->replay.stamps = twin->stamps;
	slot->replay.thread = launch->thread;
	publish(r, launch->t0, result);
	for (uint32_t i = 0; i < twin->stamps; i += STAMPS_PER_RECORD)
		if (!tell_stamps(twin, launch->t0, i))
			return 0;
	return 1;
}

static const uint64_t *block_of(const struct vprof_twin *twin, uint32_t number)
{
	return twin->area->host + (uint64_t)((number - 1) % twin->block_count) * twin->stride;
}

enum come { NOT_YET, WHOLE, LOST };

static enum come take(const struct vprof_twin *twin, uint32_t number)
{
	const uint64_t *block = block_of(twin, number), word = __atomic_load_n(block, __ATOMIC_ACQUIRE);
	struct vprof_twin_launch launch = twin->launches[(number - 1) % VPROF_TWIN_LAUNCHES];

	if (word != number)
		return (int32_t)((uint32_t)word - number) > 0 ? LOST : NOT_YET;
	memcpy(stamps, block, (VPROF_BLOCK_HEAD + twin->stamps) * sizeof(*stamps));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(block, __ATOMIC_RELAXED) != number)
		return LOST;
	/* Of a launch that has no record there is nothing to tell. */
	return !launch.t0 || tell_replay(twin, &launch, number, 0) ? WHOLE : LOST;
}

/*
 * A begin that is newer than some stamp is this launch's: in what an earlier one left all stamps are newer than it.
 * Where all of this one's are there it is about to end.
 */
static int has_begun(const struct vprof_twin *twin, const uint64_t *block)
{
	for (uint32_t i = 0; i < twin->stamps; i++)
		if (!since(block[1], block[VPROF_BLOCK_HEAD + i]))
			return block[1] != 0;
	return 0;
}

static void tell_unfinished(struct vprof_twin *twin, uint32_t number)
{
	struct vprof_twin_launch launch = twin->launches[(number - 1) % VPROF_TWIN_LAUNCHES];
	const uint64_t *block = block_of(twin, number);

	memcpy(stamps, block, (VPROF_BLOCK_HEAD + twin->stamps) * sizeof(*stamps));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if ((uint32_t)__atomic_load_n(block, __ATOMIC_RELAXED) == number || !has_begun(twin, stamps))
		return;
	twin->told = number;
	if (launch.t0)
		tell_replay(twin, &launch, number, VPROF_REPLAY_UNFINISHED);
}

static void await(struct vprof_twin *twin, uint32_t number)
{
	uint64_t now = vprof_clock_ns(CLOCK_MONOTONIC);

	if (twin->awaited != number) {
		twin->awaited = number;
		twin->awaited_ns = now;
	} else if (twin->told != number && now - twin->awaited_ns > UNFINISHED_NS) {
		tell_unfinished(twin, number);
	}
}

/* Returns how many are still to come. */
static uint32_t harvest(struct vprof_twin *twin, int last)
{
	uint32_t launched = __atomic_load_n(&twin->launched, __ATOMIC_ACQUIRE);

	while (twin->taken != launched) {
		enum come come = take(twin, twin->taken + 1);

		if (come == NOT_YET && !last) {
			await(twin, twin->taken + 1);
			break;
		}
		if (come != WHOLE)
			vprof_lose(VPROF_LOSS_STAMPS);
		__atomic_store_n(&twin->taken, twin->taken + 1, __ATOMIC_RELAXED);
	}
	return launched - twin->taken;
}

/* A dropped twin is given up when nothing is to come; if nothing comes for too long, its area stays as it is. */
static void settle(struct vprof_twin *twin, uint32_t came, uint32_t to_come)
{
	uint64_t now = vprof_clock_ns(CLOCK_MONOTONIC);

	if (!twin->dropped_ns || came)
		twin->dropped_ns = now;
	if (to_come && now - twin->dropped_ns < WAIT_S * 1000000000ull)
		return;
	if (!to_come)
		vprof_gpu_area_drop(twin->area);
	else
		harvest(twin, 1);
	/* Pairs with the acquire of who takes it, who may be waiting for it. */
	__atomic_store_n(&twin->use, VPROF_TWIN_FREE, __ATOMIC_RELEASE);
	vprof_gpu_call();
}

/* `came`: of how much blocks were used. */
enum came { CAME_LITTLE, CAME_SOME, CAME_MUCH };

static enum came came(const struct vprof_twin *twin, uint32_t count)
{
	return count > twin->block_count / MUCH ? CAME_MUCH : count > twin->block_count / LITTLE ?
	       CAME_SOME : CAME_LITTLE;
}

static void pace(enum came most)
{
	if (most == CAME_MUCH && round_ns > ROUND_LEAST_NS)
		round_ns /= 2;
	else if (most == CAME_LITTLE && round_ns < ROUND_NS)
		round_ns *= 2;
}

uint64_t vprof_twins_round_ns(void)
{
	return round_ns;
}

int vprof_twins_harvest(int last)
{
	enum came most = CAME_LITTLE;
	int to_come = 0;

	for (struct vprof_twin *twin = vprof_twins; twin && twin < vprof_twins + VPROF_TWINS_MOST; twin++) {
		/* Pairs with the releases of those who make and drop it. */
		uint32_t use = __atomic_load_n(&twin->use, __ATOMIC_ACQUIRE), left, count;

		if (use != VPROF_TWIN_USED && use != VPROF_TWIN_DROPPED)
			continue;
		count = twin->taken;
		left = harvest(twin, last);
		count = twin->taken - count;
		if (came(twin, count) > most)
			most = came(twin, count);
		to_come |= left != 0;
		if (use == VPROF_TWIN_DROPPED)
			settle(twin, count, left);
	}
	pace(most);
	return to_come;
}
