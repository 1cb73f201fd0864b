/*
 * ring_defs.c - the definitions: names of calls, kernels, graphs and modules.
 *
 * The log is copied as far as it goes. A bit for each entry that is READY and sound
 * guards every later look-up: an id from a record is trusted only when an entry
 * begins there. A size that leads out of the log ends the walk, as nothing behind
 * it can be found.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/ring_inner.h"

enum { BLOCK = 64 * 1024, DEFS_MOST = 1 << 30 };

/* Least size of a type, and where its name begins (0: it has none). */
static const struct def_shape {
	uint32_t least, name;
} shapes[] = {
	[VPROF_DEF_CALL] = { sizeof(struct vprof_def_call), offsetof(struct vprof_def_call, name) },
	[VPROF_DEF_KERNEL] = { sizeof(struct vprof_def_kernel), offsetof(struct vprof_def_kernel, name) },
	[VPROF_DEF_GRAPH] = { sizeof(struct vprof_def_graph), 0 },
	[VPROF_DEF_MODULE] = { sizeof(struct vprof_def_module), offsetof(struct vprof_def_module, name) },
};

struct log {
	uint8_t *bytes;
	uint64_t size;     /* bytes in use, a multiple of 8 */
	uint64_t end;      /* the word behind them */
	uint64_t reserved; /* entries that are not READY */
	uint64_t bad;
};

static const struct vprof_def *def_at(const uint8_t *bytes, uint64_t offset)
{
	return (const struct vprof_def *)(const void *)(bytes + offset);
}

/* Reads at least up to `end`, a block at a time, so that a log costs what it holds. */
static int log_reach(const struct ring *ring, struct log *log, uint64_t *have, uint64_t limit,
		     uint64_t end)
{
	while (*have < end && *have < limit) {
		uint64_t want = limit - *have < *have + BLOCK ? limit - *have : *have + BLOCK;
		uint8_t *bigger = realloc(log->bytes, *have + want);
		ssize_t got;

		if (!bigger)
			return -ENOMEM;
		log->bytes = bigger;
		got = ring_pread(ring->fd, bigger + *have, want, ring->header.defs_offset + *have);
		if (got < 0)
			return (int)got;
		*have += (uint64_t)got;
		if ((uint64_t)got < want)
			break;
	}
	return 0;
}

/* Copies the log and finds its end. */
static int log_read(const struct ring *ring, struct log *log)
{
	uint64_t limit = ring_region(ring, ring->header.defs_offset, ring->header.defs_size) & ~7ull;
	uint64_t have = 0, at = 8;
	int error;

	if (limit > DEFS_MOST)
		limit = DEFS_MOST;
	for (;;) {
		uint64_t size;

		error = log_reach(ring, log, &have, limit, at + sizeof(struct vprof_def));
		if (error)
			return error;
		if (at + sizeof(struct vprof_def) > have)
			break;
		size = def_at(log->bytes, at)->size;
		if (!size && !def_at(log->bytes, at)->type && !def_at(log->bytes, at)->state)
			break;
		if (size < sizeof(struct vprof_def) || size % 8 || size > limit - at) {
			log->bad++;
			break;
		}
		error = log_reach(ring, log, &have, limit, at + size);
		if (error)
			return error;
		if (at + size > have)
			break;
		log->reserved += def_at(log->bytes, at)->state != VPROF_DEF_READY;
		at += size;
	}
	log->size = at <= have ? at : 0;
	if (log->size + sizeof(log->end) <= have)
		memcpy(&log->end, log->bytes + log->size, sizeof(log->end));
	return 0;
}

static int def_sound(const struct vprof_def *def)
{
	const struct def_shape *shape;

	if (def->type >= sizeof(shapes) / sizeof(shapes[0]) || !shapes[def->type].least)
		return 1; /* a type of a later version: listed, never looked into */
	shape = &shapes[def->type];
	if (def->size < shape->least)
		return 0;
	if (def->type == VPROF_DEF_CALL && ((const struct vprof_def_call *)def)->call > UINT16_MAX)
		return 0;
	return !shape->name || memchr((const char *)def + shape->name, 0, def->size - shape->name);
}

/*
 * Sets a bit for each sound entry. `states` is the first copy, `defs` one that was begun
 * afterwards: an entry that was READY in the first is whole in the second. Pairs with
 * the writer's release store of state. Entries keep the state of the first copy.
 */
static uint64_t mark_starts(const uint8_t *states, uint8_t *defs, uint64_t size, uint8_t *starts)
{
	uint64_t bad = 0;

	for (uint64_t at = 8; at < size; at += def_at(states, at)->size) {
		const struct vprof_def *then = def_at(states, at);
		struct vprof_def *now = (struct vprof_def *)(void *)(defs + at);

		now->state = then->state;
		if (then->state != VPROF_DEF_READY)
			continue;
		if (now->size == then->size && now->type == then->type && def_sound(now))
			starts[at / 64] |= (uint8_t)(1u << (at / 8 % 8));
		else
			bad++;
	}
	return bad;
}

/* Makes the table of call names by id; on failure it is empty. */
static int index_calls(struct ring *ring)
{
	const struct vprof_def *def;
	const struct vprof_def_call *call;
	uint32_t count = 0;

	free(ring->calls);
	free(ring->call_family);
	for (def = ring_def_next(ring, NULL); def; def = ring_def_next(ring, def)) {
		call = (const struct vprof_def_call *)def;
		if (def->type == VPROF_DEF_CALL && call->call >= count)
			count = call->call + 1;
	}
	ring->calls = calloc(count + 1, sizeof(*ring->calls));
	ring->call_family = calloc(count + 1, 1);
	ring->call_count = ring->calls && ring->call_family ? count : 0;
	if (!ring->calls || !ring->call_family)
		return -ENOMEM;
	for (def = ring_def_next(ring, NULL); def; def = ring_def_next(ring, def)) {
		call = (const struct vprof_def_call *)def;
		if (def->type != VPROF_DEF_CALL || ring->calls[call->call])
			continue;
		ring->calls[call->call] = call->name;
		ring->call_family[call->call] = call->family <= UINT8_MAX ? (uint8_t)call->family : 0;
	}
	return 0;
}

int ring_read_defs(struct ring *ring)
{
	struct log first = { 0 };
	uint8_t *again = NULL, *starts = NULL;
	ssize_t got;
	int error;

	error = log_read(ring, &first);
	if (error)
		goto err;
	error = -ENOMEM;
	again = calloc(first.size + 8, 1);
	starts = calloc(first.size / 64 + 1, 1);
	if (!again || !starts)
		goto err;
	got = ring_pread(ring->fd, again, first.size, ring->header.defs_offset);
	error = got < 0 ? (int)got : 0;
	if (error)
		goto err;
	free(ring->defs);
	free(ring->def_starts);
	ring->bad_defs = first.bad + mark_starts(first.bytes, again, first.size, starts);
	ring->defs = again;
	ring->def_starts = starts;
	ring->defs_size = first.size;
	ring->defs_end = first.end;
	ring->defs_reserved = first.reserved;
	free(first.bytes);
	return index_calls(ring);
err:
	free(first.bytes);
	free(again);
	free(starts);
	return error;
}

static int def_starts_at(const struct ring *ring, uint64_t at)
{
	return at < ring->defs_size && ring->def_starts[at / 64] >> (at / 8 % 8) & 1;
}

const void *ring_def(const struct ring *ring, uint32_t id, enum vprof_def_type type)
{
	uint64_t at = (uint64_t)id * 8;

	if (!def_starts_at(ring, at) || def_at(ring->defs, at)->type != type)
		return NULL;
	return ring->defs + at;
}

/* The first 8 bytes at `at`, as they are now. */
static int read_def(const struct ring *ring, uint64_t at, void *head)
{
	return ring_pread(ring->fd, head, 8, ring->header.defs_offset + at) == 8;
}

/*
 * A record that names such a definition was published after it, so after the definitions
 * were read. Of a file that does not change nothing is newer, whatever its records name.
 */
int ring_def_is_newer(const struct ring *ring, uint32_t id)
{
	uint64_t at = (uint64_t)id * 8, room, word = 0;
	struct vprof_def now = { 0 };

	if (at < ring->defs_size && !ring->defs_reserved)
		return 0;
	room = ring_region(ring, ring->header.defs_offset, ring->header.defs_size);
	if (at >= ring->defs_size)
		return ring->defs_size + sizeof(word) <= room && read_def(ring, ring->defs_size, &word) &&
		       word != ring->defs_end;
	return def_at(ring->defs, at)->state != VPROF_DEF_READY && read_def(ring, at, &now) &&
	       now.state == VPROF_DEF_READY;
}

const struct vprof_def *ring_def_next(const struct ring *ring, const struct vprof_def *prev)
{
	uint64_t at = prev ? ((uint64_t)ring_def_id(ring, prev)) * 8 + prev->size : 8;

	while (at < ring->defs_size && !def_starts_at(ring, at))
		at += 8;
	return at < ring->defs_size ? def_at(ring->defs, at) : NULL;
}

uint32_t ring_def_id(const struct ring *ring, const struct vprof_def *def)
{
	return (uint32_t)(((const uint8_t *)def - ring->defs) / 8);
}

/*
 * Names for ids that the ring does not know. One buffer a thread, used in turn, so that
 * a few of them can be held at a time.
 */
const char *ring_call_name(const struct ring *ring, uint32_t call)
{
	static __thread char unknown[8][24];
	static __thread unsigned int next;
	char *name;

	if (call < ring->call_count && ring->calls[call])
		return ring->calls[call];
	name = unknown[next++ % 8];
	snprintf(name, sizeof(unknown[0]), "call#%u", call);
	return name;
}
