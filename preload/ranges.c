/*
 * ranges.c - recording ranges: the stack of each thread, and the table of ranges without one.
 *
 * A push publishes a record like that of a call in flight, and the pop completes it. The
 * stack remembers the record, and what it said: in each new chunk of the lane the open ranges are
 * told again (lane.c calls vprof_ranges_tell_again()), and the pop completes the first and
 * the last telling. The first may lie in a chunk that the lane has left, and that another
 * lane may take at any moment: it is held meanwhile, as a lane holds its own.
 *
 * A signal handler may push and pop between any two instructions here, as long as it
 * does both: an entry is taken first and filled then.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "preload/capture.h"
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/ranges.h"
#include "preload/record.h"
#include "preload/tell.h"

enum {
	DEPTH = 64,
	BEYOND = 8,
	PROCESS_RANGES = 256,
	AGAIN_SLOTS_MOST = 128,
	UNTRACKED = -2,        /* what NVTX has for it */
};
#define UNWANTED (1ull << 63)  /* of a range id: nothing was recorded */

struct telling {
	struct vprof_slot *slot; /* NULL: none */
	uint64_t seq;
};

struct open_range {
	struct telling first, last;
	uint64_t begun;          /* ticks */
	uint64_t id;             /* of a range without a stack */
	uint32_t generation;     /* of the tellings and of text */
	uint32_t text;           /* its name's definition, 0: none */
	uint16_t ready;          /* the entry is whole */
	uint16_t level;          /* among those of its domain */
	uint16_t captures;       /* VPROF_CAPTURE goes by it */
	struct vprof_said said;  /* said.text is `name` below */
	char name[88];
};

struct stack {
	uint32_t depth;
	struct beyond {
		const struct vprof_name *domain;
		uint32_t count;
	} beyond[BEYOND];        /* pushed when it was full, of each domain */
	struct open_range open[DEPTH];
};

static __thread struct stack *stack TLS_INITIAL_EXEC;

/* Ranges without a stack; busy: 0 free, 1 being changed, 2 in use. */
static struct process_range {
	uint32_t busy;
	struct open_range range;
} *process_ranges;
static uint64_t process_range_serial;
static uint32_t process_ranges_told; /* generation */

static int wants(void)
{
	return vprof_recording(VPROF_GROUP_BIT(VPROF_GROUP_RANGE)) && vprof_ring_is_ours() && !vprof_in_vfork_child;
}

void vprof_range_moment(enum vprof_kind kind, const struct vprof_said *said)
{
	if (!wants() || said->unwanted)
		return;
	vprof_tell(kind, said, vprof_said_text(said, kind == VPROF_KIND_COUNTER), 0);
}

/* ---- open ranges ---- */

/* Makes `open` an entry that remembers all that was said. */
static void remember(struct open_range *open, const struct vprof_said *said)
{
	size_t length = said->kept ? said->kept->length : said->length;

	open->begun = 0;
	open->first = open->last = (struct telling){ NULL, 0 };
	open->text = 0;
	open->generation = 0;
	open->id = 0;
	/* Field by field: of a whole struct the compiler makes a string instruction, slower than all the rest. */
	open->said.domain = said->domain;
	open->said.kept = said->kept;
	open->said.payload = said->payload;
	open->said.category = said->category;
	open->said.color = said->color;
	open->said.flags = said->flags;
	open->said.payload_type = said->payload_type;
	open->said.unwanted = said->unwanted;
	open->said.text = open->name;
	open->said.length = length < sizeof(open->name) ? length : sizeof(open->name);
	if (!said->kept && length > sizeof(open->name))
		open->said.flags |= VPROF_RANGE_CUT;
	if (said->kept)
		open->said.text = said->kept->text; /* stays as long as the process */
	else
		memcpy(open->name, said->text, open->said.length);
}

/* What an earlier ring had of it is void. */
static void renew(struct open_range *open)
{
	uint32_t generation = __atomic_load_n(&vprof_generation, __ATOMIC_RELAXED);

	if (open->generation == generation)
		return;
	open->first = open->last = (struct telling){ NULL, 0 };
	open->text = 0;
	open->generation = generation;
}

/* The first telling, with all of its name. */
static void tell_open(struct open_range *open, const struct vprof_said *said, int now)
{
	struct vprof_record r;

	renew(open);
	open->text = vprof_said_text(said, now);
	r = vprof_tell(VPROF_KIND_RANGE, said, open->text, open->id);
	open->first = open->last = (struct telling){ r.slot, r.seq };
	if (r.slot)
		open->begun = r.slot->t0; /* by which later tellings refer to this one */
}

/* Between chunks, see lane.c: without vprof_begin(), which is busy. */
static void tell_again(struct open_range *open)
{
	struct vprof_said said = open->said;
	struct vprof_record r;

	renew(open);
	if (!open->text)
		open->text = vprof_said_text(&said, said.length > (size_t)VPROF_AGAIN_TEXTS * VPROF_TEXT_SIZE);
	said.flags |= VPROF_RANGE_AGAIN;
	r = vprof_tell_again(&said, open->text, open->id ? open->id : open->begun);
	open->last = (struct telling){ r.slot, r.seq };
	if (!open->first.slot)
		open->first = open->last;
}

/*
 * Completes a record in a chunk that the lane may have left: 0, or -1 when it is gone. Whoever
 * holds a chunk keeps others from taking it; pairs with the compare-and-swap in chunk_take().
 */
static int complete(struct telling t, uint64_t now)
{
	size_t index = ((uintptr_t)t.slot - (uintptr_t)vprof_map.chunks) / VPROF_CHUNK_SIZE;
	struct vprof_chunk *chunk = &vprof_map.chunks[index];
	int own = chunk == vprof_cursor.chunk, gone;
	uint32_t free = 0;

	if (!own && !__atomic_compare_exchange_n(&chunk->head.held, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return -1;
	gone = __atomic_load_n(&t.slot->seq, __ATOMIC_RELAXED) != t.seq;
	if (!gone)
		vprof_end_at((struct vprof_record){ t.slot, t.seq }, 0, now);
	if (!own)
		__atomic_store_n(&chunk->head.held, 0, __ATOMIC_RELEASE);
	return gone ? -1 : 0;
}

static void tell_end(struct open_range *open)
{
	vprof_tell(VPROF_KIND_RANGE_END, &open->said, open->text, open->id ? open->id : open->begun);
}

static void close_range(struct open_range *open)
{
	uint64_t now;

	if (!vprof_ring_is_ours() || vprof_in_vfork_child ||
	    open->generation != __atomic_load_n(&vprof_generation, __ATOMIC_RELAXED) || !open->first.slot)
		return;
	now = vprof_ticks();
	if (open->first.slot != open->last.slot || open->first.seq != open->last.seq)
		complete(open->first, now);
	if (!open->last.slot || complete(open->last, now))
		tell_end(open);
}

/* ---- a thread's stack ---- */

static struct stack *stack_get(void)
{
	struct stack *made;

	if (likely(stack))
		return stack;
	made = vprof_table(sizeof(*made));
	if (!made)
		return NULL;
	vprof_clock_init(); /* there may be no ring yet, which would have */
	stack = made;
	vprof_lane_watch_exit();
	return made;
}

/* How many of them recording goes by. */
static uint32_t captures_of(const struct stack *own)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < own->depth; i++)
		count += own->open[i].captures;
	return count;
}

void vprof_ranges_leave(void)
{
	struct stack *own = stack;

	stack = NULL;
	if (!own)
		return;
	for (uint32_t i = captures_of(own); i; i--)
		vprof_capture_leave();
	munmap(own, sizeof(*own));
}

/* The innermost range of a domain; NULL: none. */
static struct open_range *innermost(struct stack *own, uint32_t below, const struct vprof_name *domain)
{
	while (below && own->open[below - 1].said.domain != domain)
		below--;
	return below ? &own->open[below - 1] : NULL;
}

/* The count of a domain: of one that has any, or to count in. More domains than that share the last. */
static struct beyond *beyond_of(struct stack *own, const struct vprof_name *domain, int counted)
{
	struct beyond *free = NULL;

	for (struct beyond *b = own->beyond; b < own->beyond + BEYOND; b++) {
		if (b->count && b->domain == domain)
			return b;
		if (!b->count && !free)
			free = b;
	}
	if (counted)
		return NULL;
	if (!free)
		return &own->beyond[BEYOND - 1];
	free->domain = domain;
	return free;
}

int vprof_range_push(const struct vprof_said *said)
{
	int saved = errno;
	struct stack *own = stack_get();
	struct open_range *open, *outer;
	uint32_t at;

	if (!own || vprof_in_vfork_child)
		return UNTRACKED;
	if (own->depth >= DEPTH) {
		beyond_of(own, said->domain, 0)->count++;
		vprof_lose(VPROF_LOSS_TEXT);
		return UNTRACKED;
	}
	at = own->depth++;
	open = &own->open[at];
	open->ready = 0;
	outer = innermost(own, at, said->domain);
	remember(open, said);
	open->level = outer ? (uint16_t)(outer->level + 1) : 0;
	open->captures = (uint16_t)vprof_capture_enter(said); /* first: the range itself is to be recorded */
	if (wants() && !said->unwanted)
		tell_open(open, said, 0);
	if (unlikely(!open->begun))
		open->begun = vprof_ticks();
	open->ready = 1;
	errno = saved;
	return open->level;
}

int vprof_range_pop(const struct vprof_name *domain)
{
	struct stack *own = stack;
	struct open_range *open;
	struct beyond *beyond;
	int level, saved = errno;

	if (!own || vprof_in_vfork_child)
		return UNTRACKED;
	beyond = beyond_of(own, domain, 1);
	if (beyond) {
		beyond->count--;
		return UNTRACKED;
	}
	open = innermost(own, own->depth, domain);
	if (!open)
		return UNTRACKED;
	level = open->level;
	close_range(open);
	if (unlikely(open->captures))
		vprof_capture_leave();
	/* Ranges of another domain may lie above it. */
	for (struct open_range *last = &own->open[own->depth - 1]; open < last; open++) {
		*open = open[1];
		if (!open->said.kept)
			open->said.text = open->name;
	}
	own->depth--;
	errno = saved;
	return level;
}

/* Whoever asks keeps the answer longer than the range lasts: a name that has no definition gets one. */
uint32_t vprof_range_now(void)
{
	uint32_t depth = stack ? stack->depth : 0;
	struct open_range *open = depth ? &stack->open[depth - 1] : NULL;

	if (!open || !open->ready || open->said.unwanted || !wants())
		return 0;
	renew(open);
	return open->text ? open->text : vprof_said_text(&open->said, 1);
}

/* ---- ranges without a stack ---- */

static struct process_range *process_range_take(uint64_t serial)
{
	struct process_range *table = __atomic_load_n(&process_ranges, __ATOMIC_ACQUIRE), *made;

	if (!table) {
		made = vprof_table(PROCESS_RANGES * sizeof(*made));
		/* Pairs with the load above. */
		if (!made || __atomic_compare_exchange_n(&process_ranges, &table, made, 0, __ATOMIC_ACQ_REL,
							 __ATOMIC_ACQUIRE))
			table = made;
		vprof_clock_init();
	}
	for (unsigned i = 0; table && i < PROCESS_RANGES; i++) {
		struct process_range *entry = &table[(serial + i) % PROCESS_RANGES];
		uint32_t free = 0;

		/* Pairs with the release that frees it. */
		if (!__atomic_load_n(&entry->busy, __ATOMIC_RELAXED) &&
		    __atomic_compare_exchange_n(&entry->busy, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return entry;
	}
	return NULL;
}

uint64_t vprof_range_start(const struct vprof_said *said)
{
	uint64_t serial = __atomic_add_fetch(&process_range_serial, 1, __ATOMIC_RELAXED), id = serial;
	struct process_range *entry;
	struct vprof_said mine = *said;
	int saved = errno;

	if ((said->unwanted && !vprof_capture_fits(said)) || vprof_in_vfork_child)
		return serial | UNWANTED;
	mine.flags |= VPROF_RANGE_PROCESS;
	entry = process_range_take(serial);
	if (entry) {
		id = serial << 8 | (uint64_t)(entry - process_ranges);
		remember(&entry->range, &mine);
		entry->range.id = id;
		entry->range.captures = (uint16_t)vprof_capture_enter(said);
		if (wants() && !said->unwanted)
			tell_open(&entry->range, &mine, 1);
		if (!entry->range.begun)
			entry->range.begun = vprof_ticks();
		/* Pairs with the compare-and-swap that ends it. */
		__atomic_store_n(&entry->busy, 2, __ATOMIC_RELEASE);
	} else {
		vprof_lose(VPROF_LOSS_TEXT);
		id |= UNWANTED;
	}
	errno = saved;
	return id;
}

/* On the thread of its start the record is completed while the lane is still in its chunk. */
static int ends_here(const struct open_range *open)
{
	uintptr_t at = (uintptr_t)open->last.slot - (uintptr_t)vprof_cursor.chunk;

	return open->last.slot && vprof_cursor.chunk && at < VPROF_CHUNK_SIZE;
}

void vprof_range_end(uint64_t id)
{
	struct process_range *table = __atomic_load_n(&process_ranges, __ATOMIC_ACQUIRE), *entry;
	uint32_t used = 2;
	int saved = errno;

	if (!table || id & UNWANTED || vprof_in_vfork_child)
		return;
	entry = &table[id % PROCESS_RANGES];
	if (entry->range.id != id ||
	    !__atomic_compare_exchange_n(&entry->busy, &used, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	if (vprof_ring_is_ours() && entry->range.generation == vprof_generation && entry->range.first.slot &&
	    (!ends_here(&entry->range) || complete(entry->range.last, vprof_ticks())))
		tell_end(&entry->range);
	if (unlikely(entry->range.captures))
		vprof_capture_leave();
	__atomic_store_n(&entry->busy, 0, __ATOMIC_RELEASE);
	errno = saved;
}

void vprof_ranges_child(void)
{
	struct process_range *table = process_ranges;
	uint32_t count = stack ? captures_of(stack) : 0;

	for (unsigned i = 0; table && i < PROCESS_RANGES; i++)
		count += table[i].busy && table[i].range.captures;
	vprof_capture_child(count);
}

/* Those that were open before there was a ring; by whoever records first. */
static void tell_process_ranges(struct process_range *table, uint32_t limit)
{
	uint32_t generation = __atomic_load_n(&vprof_generation, __ATOMIC_RELAXED);

	if (!table || __atomic_load_n(&process_ranges_told, __ATOMIC_RELAXED) == generation)
		return;
	for (unsigned i = 0; i < PROCESS_RANGES; i++) {
		uint32_t used = 2;

		if (vprof_cursor_index() >= limit)
			return; /* the next chunk goes on */
		if (!__atomic_compare_exchange_n(&table[i].busy, &used, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		if (table[i].range.generation != generation && !table[i].range.said.unwanted)
			tell_again(&table[i].range);
		__atomic_store_n(&table[i].busy, 2, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&process_ranges_told, generation, __ATOMIC_RELAXED);
}

void vprof_ranges_tell_again(void)
{
	const struct stack *own = stack;
	uint32_t limit = vprof_cursor_index() + AGAIN_SLOTS_MOST;

	if (!wants())
		return;
	/* The rest is for what happens in them. */
	if (limit > VPROF_CHUNK_SLOTS - VPROF_AGAIN_TEXTS - 2)
		limit = VPROF_CHUNK_SLOTS - VPROF_AGAIN_TEXTS - 2;
	if (unlikely(process_ranges_told != vprof_generation))
		tell_process_ranges(__atomic_load_n(&process_ranges, __ATOMIC_ACQUIRE), limit);
	for (uint32_t i = 0; own && i < own->depth; i++) {
		struct open_range *open = (struct open_range *)&own->open[i];

		if (!open->ready || open->said.unwanted)
			continue;
		if (vprof_cursor_index() < limit) {
			tell_again(open);
		} else {
			open->last = (struct telling){ NULL, 0 };
			vprof_lose(VPROF_LOSS_TEXT);
		}
	}
}
