/*
 * ring_defs.c - the definitions: what calls, kernels, graphs, streams and the rest are.
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

/* Least size of a type, where its name begins (0: it has none), and what it holds many of. */
static const struct def_shape {
	uint32_t least, name;
	uint32_t count;    /* where the number of its parts stands; 0: it has none */
	uint32_t part;     /* bytes of a part; they begin at `least` */
} shapes[] = {
#define NAMED(type)        { sizeof(struct type), offsetof(struct type, name), 0, 0 }
#define NAMELESS(type)     { sizeof(struct type), 0, 0, 0 }
#define PARTS(type, parts) { offsetof(struct type, parts), 0, offsetof(struct type, count), \
			     sizeof(((struct type *)0)->parts[0]) }
	[VPROF_DEF_CALL] = NAMED(vprof_def_call),
	[VPROF_DEF_KERNEL] = NAMED(vprof_def_kernel),
	[VPROF_DEF_GRAPH] = NAMELESS(vprof_def_graph),
	[VPROF_DEF_MODULE] = NAMED(vprof_def_module),
	[VPROF_DEF_TEXT] = NAMED(vprof_def_text),
	[VPROF_DEF_DOMAIN] = NAMED(vprof_def_domain),
	[VPROF_DEF_CATEGORY] = NAMED(vprof_def_category),
	[VPROF_DEF_LABEL] = NAMED(vprof_def_label),
	[VPROF_DEF_STREAM] = NAMELESS(vprof_def_stream),
	[VPROF_DEF_EVENT] = NAMELESS(vprof_def_event),
	[VPROF_DEF_CONTEXT] = NAMELESS(vprof_def_context),
	[VPROF_DEF_DEVICE] = NAMED(vprof_def_device),
	[VPROF_DEF_FACTS] = NAMELESS(vprof_def_facts),
	[VPROF_DEF_NODES] = PARTS(vprof_def_nodes, nodes),
	[VPROF_DEF_EDGES] = PARTS(vprof_def_edges, edges),
	[VPROF_DEF_SAVED] = NAMED(vprof_def_saved),
	[VPROF_DEF_UNKNOWN] = NAMED(vprof_def_unknown),
	[VPROF_DEF_ORIGIN] = NAMELESS(vprof_def_origin),
	[VPROF_DEF_TWIN] = PARTS(vprof_def_twin, stamps),
	[VPROF_DEF_GPU] = NAMELESS(vprof_def_gpu),
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

/* A saved file lies beside the ring: a name that leads elsewhere is none that a writer gave. */
static int file_name_sound(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/');
}

static int def_sound(const struct vprof_def *def)
{
	const struct def_shape *shape;
	uint32_t count;

	if (def->type >= sizeof(shapes) / sizeof(shapes[0]) || !shapes[def->type].least)
		return 1; /* a type of a later version: listed, never looked into */
	shape = &shapes[def->type];
	if (def->size < shape->least)
		return 0;
	if (def->type == VPROF_DEF_CALL && ((const struct vprof_def_call *)def)->call > UINT16_MAX)
		return 0;
	if (shape->count) {
		memcpy(&count, (const char *)def + shape->count, sizeof(count));
		if (count > (def->size - shape->least) / shape->part)
			return 0;
	}
	if (shape->name && !memchr((const char *)def + shape->name, 0, def->size - shape->name))
		return 0;
	return def->type != VPROF_DEF_SAVED || file_name_sound(((const struct vprof_def_saved *)def)->name);
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

uint32_t ring_facts_params(const struct vprof_def_facts *facts)
{
	uint64_t room = (facts->head.size - sizeof(*facts)) / sizeof(facts->params[0]);

	if (facts->param_count == UINT32_MAX)
		return 0;
	if (room > VPROF_FACTS_PARAMS)
		room = VPROF_FACTS_PARAMS;
	return facts->param_count < room ? facts->param_count : (uint32_t)room;
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
