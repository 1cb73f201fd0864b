/*
 * ranges.c - recording ranges: the stack of each thread.
 *
 * A push publishes a record like that of a call in flight, and the pop completes it. The stack remembers what was
 * said (ranges_open.h): in each new chunk of the lane the open ranges are told again, when lane.c calls
 * vprof_ranges_tell_again(). Ranges without a stack are in ranges_process.c.
 *
 * A signal handler may push and pop between any two instructions here, as long as it
 * does both: an entry is taken first and filled then.
 */
#include <errno.h>
#include <sys/mman.h>
#include "preload/capture.h"
#include "preload/inner.h"
#include "preload/ranges_open.h"

enum {
	DEPTH = 64,
	BEYOND = 8,
	AGAIN_SLOTS_MOST = 128,
	UNTRACKED = -2,        /* what NVTX has for it */
};

struct stack {
	uint32_t depth;
	struct beyond {
		const struct vprof_name *domain;
		uint32_t count;
	} beyond[BEYOND];        /* pushed when it was full, of each domain */
	struct vprof_open_range open[DEPTH];
};

static __thread struct stack *stack TLS_INITIAL_EXEC;

void vprof_range_moment(enum vprof_kind kind, const struct vprof_said *said)
{
	if (!vprof_ranges_wanted() || said->unwanted)
		return;
	vprof_tell(kind, said, vprof_said_text(said, kind == VPROF_KIND_COUNTER), 0);
}

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
static struct vprof_open_range *innermost(struct stack *own, uint32_t below, const struct vprof_name *domain)
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
	struct vprof_open_range *open, *outer;
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
	vprof_open_remember(open, said);
	open->level = outer ? (uint16_t)(outer->level + 1) : 0;
	open->captures = (uint16_t)vprof_capture_enter(said); /* first: the range itself is to be recorded */
	if (vprof_ranges_wanted() && !said->unwanted)
		vprof_open_tell(open, said, 0);
	if (unlikely(!open->begun))
		open->begun = vprof_ticks();
	open->ready = 1;
	errno = saved;
	return open->level;
}

static void close_range(struct vprof_open_range *open)
{
	uint64_t now;

	if (!vprof_ring_is_ours() || vprof_in_vfork_child ||
	    open->generation != __atomic_load_n(&vprof_generation, __ATOMIC_RELAXED) || !open->first.slot)
		return;
	now = vprof_ticks();
	if (open->first.slot != open->last.slot || open->first.seq != open->last.seq)
		vprof_open_complete(open->first, now);
	if (!open->last.slot || vprof_open_complete(open->last, now))
		vprof_open_tell_end(open);
}

int vprof_range_pop(const struct vprof_name *domain)
{
	struct stack *own = stack;
	struct vprof_open_range *open;
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
	for (struct vprof_open_range *last = &own->open[own->depth - 1]; open < last; open++) {
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
	struct vprof_open_range *open = depth ? &stack->open[depth - 1] : NULL;

	if (!open || !open->ready || open->said.unwanted || !vprof_ranges_wanted())
		return 0;
	vprof_open_renew(open);
	return open->text ? open->text : vprof_said_text(&open->said, 1);
}

void vprof_ranges_child(void)
{
	uint32_t count = stack ? captures_of(stack) : 0;

	vprof_capture_child(count + vprof_process_ranges_captures());
}

void vprof_ranges_tell_again(void)
{
	const struct stack *own = stack;
	uint32_t limit = vprof_cursor_index() + AGAIN_SLOTS_MOST;

	if (!vprof_ranges_wanted())
		return;
	/* The rest is for what happens in them. */
	if (limit > VPROF_CHUNK_SLOTS - VPROF_AGAIN_TEXTS - 2)
		limit = VPROF_CHUNK_SLOTS - VPROF_AGAIN_TEXTS - 2;
	vprof_process_ranges_tell(limit);
	for (uint32_t i = 0; own && i < own->depth; i++) {
		struct vprof_open_range *open = (struct vprof_open_range *)&own->open[i];

		if (!open->ready || open->said.unwanted)
			continue;
		if (vprof_cursor_index() < limit) {
			vprof_open_tell_again(open);
		} else {
			open->last = (struct vprof_telling){ NULL, 0 };
			vprof_lose(VPROF_LOSS_TEXT);
		}
	}
}
