/*
 * holdings.c - the table of held memory: open addressing, in the ring; and who may write an entry.
 *
 * What readers need lies in the ring, the rest in a table beside it that only this process sees:
 * the state of each entry, its owners, its context. The state is the lock of one entry, and is
 * only ever tried:
 *
 *	FREE --take--> BUSY --filled--> HELD --give--> BUSY --emptied--> FREE
 *
 * Whoever has made an entry BUSY is alone with it. Readers of other processes look at `address`
 * alone: it is stored last, and overwritten first. A walk ends at an entry that was never used: its
 * address is 0 and its state FREE.
 */
#include <stddef.h>
#include <sys/mman.h>
#include "preload/clock.h"
#include "preload/holdings.h"
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/testpoint.h"

enum { PROBES = 64, NO_ADDRESS = 0, GIVEN_BACK = 1 };
enum state { FREE = 0, BUSY = 1, HELD = 2 };

struct side {
	uint32_t state;
	uint32_t owners;
	uint64_t context;
};

static struct side *sides;
static uint32_t room;         /* of sides */
static uint32_t count, shift; /* a power of two, and 64 minus its logarithm; constant in a ring's life */

void vprof_holdings_reset(void)
{
	uint32_t entries = vprof_map.holding_count;

	if (entries > room) {
		sides = vprof_table(entries * sizeof(*sides));
		room = sides ? entries : 0;
	} else if (entries) {
		madvise(sides, room * sizeof(*sides), MADV_DONTNEED); /* zeroes again */
	}
	count = sides ? entries : 0;
	shift = count ? 64u - (uint32_t)__builtin_ctz(count) : 0;
}

int vprof_holdings_there(void)
{
	/* Pairs with the release in vprof_fork_watch(), after which map and tables are constant. */
	return __atomic_load_n(&vprof_state.life, __ATOMIC_ACQUIRE) && !vprof_in_vfork_child && count;
}

/* ---- entries as words, which may be read while they change ---- */

enum { WORDS = sizeof(struct vprof_holding) / 8 };
typedef uint64_t __attribute__((may_alias)) word;

static struct vprof_holding *entry_at(uint32_t index)
{
	return &vprof_map.holdings[index & (count - 1)];
}

static struct side *side_at(uint32_t index)
{
	return &sides[index & (count - 1)];
}

static void entry_read(struct vprof_holding *out, const struct vprof_holding *entry)
{
	/* Pairs with the release in entry_fill(). */
	((word *)out)[0] = __atomic_load_n(&entry->address, __ATOMIC_ACQUIRE);
	for (int i = 1; i < WORDS; i++)
		((word *)out)[i] = __atomic_load_n((const word *)entry + i, __ATOMIC_RELAXED);
}

static void entry_fill(struct vprof_holding *entry, const struct vprof_holding *from)
{
	for (int i = 1; i < WORDS; i++)
		__atomic_store_n((word *)entry + i, ((const word *)from)[i], __ATOMIC_RELAXED);
	TESTPOINT("holding_filled");
	/* Pairs with entry_read(), and with the readers' acquire. */
	__atomic_store_n(&entry->address, from->address, __ATOMIC_RELEASE);
}

static int same(const struct vprof_holding *a, const struct vprof_holding *b)
{
	return a->address == b->address && a->ticks == b->ticks && a->kind == b->kind && a->bytes == b->bytes;
}

static uint32_t place_of(uint64_t address)
{
	return (uint32_t)(address * 0x9e3779b97f4a7c15u >> shift);
}

static int claim(uint32_t index, uint32_t from)
{
	/* Pairs with the releases in let_go(). */
	return __atomic_compare_exchange_n(&side_at(index)->state, &from, BUSY, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void let_go(uint32_t index, uint32_t to)
{
	__atomic_store_n(&side_at(index)->state, to, __ATOMIC_RELEASE);
}

/* ---- totals ---- */

static struct vprof_memory_total *total_of(const struct vprof_holding *holding)
{
	/* Addresses alone are no memory, and what is mapped counts where it lies. */
	if (holding->kind == VPROF_MEMORY_RESERVED || holding->kind == VPROF_MEMORY_MAPPED ||
	    holding->place >= VPROF_MEMORY_TOTALS)
		return NULL;
	return &vprof_map.live->memory[holding->place];
}

static void total_add(const struct vprof_holding *holding)
{
	struct vprof_memory_total *total = total_of(holding);
	uint64_t now, peak;

	if (!total)
		return;
	now = __atomic_add_fetch(&total->bytes, holding->bytes, __ATOMIC_RELAXED);
	peak = __atomic_load_n(&total->peak, __ATOMIC_RELAXED);
	while (now > peak) {
		if (__atomic_compare_exchange_n(&total->peak, &peak, now, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			__atomic_store_n(&total->peak_ticks, holding->ticks, __ATOMIC_RELAXED);
			return;
		}
	}
}

static void total_subtract(const struct vprof_holding *holding)
{
	struct vprof_memory_total *total = total_of(holding);

	if (total)
		__atomic_sub_fetch(&total->bytes, holding->bytes, __ATOMIC_RELAXED);
}

/* ---- the table ---- */

struct vprof_found vprof_holding_find(uint64_t address, unsigned kinds)
{
	struct vprof_found found = { 0 };
	struct vprof_holding again;
	uint32_t at;

	if (!vprof_holdings_there() || address <= GIVEN_BACK)
		return found;
	at = place_of(address);
	for (uint32_t i = 0; i < PROBES && i < count; i++, at++) {
		entry_read(&found.was, entry_at(at));
		if (found.was.address == NO_ADDRESS && __atomic_load_n(&side_at(at)->state, __ATOMIC_RELAXED) == FREE)
			break;
		if (found.was.address != address || found.was.kind > VPROF_MEMORY_ARRAY ||
		    !(kinds & VPROF_KIND_BIT(found.was.kind)))
			continue;
		/* One that is just being removed is the address's earlier life. */
		if (__atomic_load_n(&side_at(at)->state, __ATOMIC_RELAXED) != HELD)
			continue;
		entry_read(&again, entry_at(at));
		if (!same(&again, &found.was))
			continue;
		found.index = (at & (count - 1)) + 1;
		return found;
	}
	return (struct vprof_found){ 0 };
}

int vprof_holding_give(const struct vprof_found *found)
{
	struct vprof_holding now;

	if (!found->index)
		return 0;
	/* Looked at before it is claimed: another's entry would not be found meanwhile. */
	entry_read(&now, entry_at(found->index - 1));
	if (!same(&now, &found->was) || !claim(found->index - 1, HELD))
		return 0;
	entry_read(&now, entry_at(found->index - 1));
	if (!same(&now, &found->was)) {
		let_go(found->index - 1, HELD);
		return 0;
	}
	__atomic_store_n(&entry_at(found->index - 1)->address, GIVEN_BACK, __ATOMIC_RELEASE);
	TESTPOINT("holding_given");
	let_go(found->index - 1, FREE);
	total_subtract(&now);
	return 1;
}

/* What is held at this address already has been given back in some way that we did not see. */
static void give_older(const struct vprof_holding *holding)
{
	unsigned kinds = holding->kind == VPROF_MEMORY_RESERVED ? VPROF_KIND_BIT(VPROF_MEMORY_RESERVED) :
			 ~VPROF_KIND_BIT(VPROF_MEMORY_RESERVED);
	struct vprof_found older = vprof_holding_find(holding->address, kinds);

	vprof_holding_give(&older);
}

int vprof_holding_take(const struct vprof_holding *holding, uint64_t context)
{
	struct vprof_holding filled = *holding;
	uint32_t at;

	if (!vprof_holdings_there() || holding->address <= GIVEN_BACK)
		return -1;
	filled.thread = vprof_lane ? vprof_lane->thread : 0;
	filled.range = vprof_range_now();
	give_older(holding);
	at = place_of(holding->address);
	for (uint32_t i = 0; i < PROBES && i < count; i++, at++) {
		struct side *side = side_at(at);

		if (!claim(at, FREE))
			continue;
		__atomic_store_n(&side->owners, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&side->context, context, __ATOMIC_RELAXED);
		entry_fill(entry_at(at), &filled);
		let_go(at, HELD);
		total_add(&filled);
		return 0;
	}
	vprof_lose(VPROF_LOSS_HOLDINGS);
	return -1;
}

void vprof_holding_share(const struct vprof_found *found)
{
	if (found->index)
		__atomic_add_fetch(&side_at(found->index - 1)->owners, 1, __ATOMIC_RELAXED);
}

int vprof_holding_drop(const struct vprof_found *found)
{
	if (!found->index || __atomic_sub_fetch(&side_at(found->index - 1)->owners, 1, __ATOMIC_RELAXED))
		return 0;
	return vprof_holding_give(found);
}

struct vprof_found vprof_holding_next(uint64_t context, uint32_t from)
{
	struct vprof_found found = { 0 };

	if (!vprof_holdings_there())
		return found;
	for (uint32_t i = from; i < count; i++) {
		if (__atomic_load_n(&side_at(i)->state, __ATOMIC_RELAXED) != HELD ||
		    __atomic_load_n(&side_at(i)->context, __ATOMIC_RELAXED) != context)
			continue;
		entry_read(&found.was, entry_at(i));
		if (found.was.address <= GIVEN_BACK)
			continue;
		found.index = i + 1;
		return found;
	}
	return (struct vprof_found){ 0 };
}
