/*
 * names.c - texts of the program: the arena, the table of kept texts, interning.
 *
 * Interning knows a text by 32 bits of its hash, with the definition's id once it has
 * one; what the definition reads is compared before the id is given out, so two texts of
 * one hash never take each other's name. Texts may fill a quarter of the definitions;
 * from there on they go with their records.
 */
#include <string.h>
#include "preload/clock.h"
#include "preload/inner.h"
#include "preload/names.h"
#include "preload/process.h"

enum {
	ARENA_SIZE = 4 << 20,
	BUCKETS = 4096,
	SEEN_BITS = 14, SEEN_PROBES = 4,
	DEFS_SHARE = 4,        /* texts take at most one part in so many of the definitions */
	LABELS_MOST = 4096,
	FIRST_RING = 2,        /* its generation; no word is of generation 0 or 1 */
};

/* What was named, for the rings to come. */
struct label {
	struct vprof_name *domain;
	uint64_t handle, ticks;
	uint32_t of;           /* enum vprof_label_of; 0: a category */
	char text[];
};

static struct tables {
	struct vprof_name *buckets[BUCKETS];
	uint64_t seen[(1 << SEEN_BITS) + SEEN_PROBES]; /* hash << 32 | definition or 0; 0: free */
	struct label *labels[LABELS_MOST]; /* NULL: taken, not yet filled */
	uint32_t label_count;
	size_t arena_used;
	char arena[] __attribute__((aligned(16)));
} *tables;

uint32_t vprof_generation = FIRST_RING - 1;
static uint64_t texts_size; /* bytes of texts in this ring's definitions */

/* The tables, made by whoever comes first; NULL: no memory. */
static struct tables *get(void)
{
	struct tables *now = __atomic_load_n(&tables, __ATOMIC_ACQUIRE), *made;

	if (likely(now))
		return now;
	made = vprof_table(sizeof(*made) + ARENA_SIZE);
	/* Pairs with the load above. Of two that come at once one leaves its (untouched) memory unused. */
	if (!made || __atomic_compare_exchange_n(&tables, &now, made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return made;
	return now;
}

static void *arena_take(struct tables *t, size_t size)
{
	size_t at;

	size = (size + 15) & ~(size_t)15;
	at = __atomic_fetch_add(&t->arena_used, size, __ATOMIC_RELAXED);
	if (at + size <= ARENA_SIZE)
		return t->arena + at;
	__atomic_fetch_sub(&t->arena_used, size, __ATOMIC_RELAXED);
	vprof_lose(VPROF_LOSS_TEXT);
	return NULL;
}

/* Eight bytes at a time; never 0, which is a free entry. */
static uint32_t hash_of(const char *text, size_t length, uint64_t start)
{
	uint64_t hash = start ^ length, word;

	for (; length >= 8; text += 8, length -= 8) {
		memcpy(&word, text, 8);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	word = 0;
	memcpy(&word, text, length);
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	hash ^= hash >> 32;
	return (uint32_t)hash | 1;
}

/* ---- kept texts ---- */

static struct vprof_name *find(struct vprof_name *name, enum vprof_def_type type, uint32_t hash, const char *text,
			       size_t length)
{
	while (name && (name->hash != hash || name->type != type || name->length != length ||
			memcmp(name->text, text, length)))
		name = name->next;
	return name;
}

struct vprof_name *vprof_name_keep(enum vprof_def_type type, const char *text)
{
	struct tables *t = get();
	size_t length = strnlen(text, VPROF_NAME_MOST - 1);
	uint32_t hash = hash_of(text, length, type);
	struct vprof_name **bucket, *name, *first;

	if (!t)
		return NULL;
	bucket = &t->buckets[hash / 2 % BUCKETS];
	/* Pairs with the release below. Two that come at once make two of a kind: no harm. */
	first = __atomic_load_n(bucket, __ATOMIC_ACQUIRE);
	name = find(first, type, hash, text, length);
	if (name)
		return name;
	name = arena_take(t, sizeof(*name) + length + 1);
	if (!name)
		return NULL;
	name->hash = hash;
	name->type = (uint16_t)type;
	name->length = (uint16_t)length;
	memcpy(name->text, text, length);
	do
		name->next = first;
	while (!__atomic_compare_exchange_n(bucket, &first, name, 1, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	return name;
}

int vprof_name_is(const void *handle, enum vprof_def_type type)
{
	struct tables *t = __atomic_load_n(&tables, __ATOMIC_ACQUIRE);
	const struct vprof_name *name = handle;
	size_t at;

	if (!t || (uintptr_t)handle < (uintptr_t)t->arena || (uintptr_t)handle % 16)
		return 0;
	at = (uintptr_t)handle - (uintptr_t)t->arena;
	return at < ARENA_SIZE - sizeof(*name) && name->type == type;
}

/* 0 when texts have had their share of the definitions. */
static uint32_t define_text(const char *text, size_t length)
{
	struct vprof_def_text def = { .head.type = VPROF_DEF_TEXT };
	char copy[VPROF_NAME_MOST];

	if (length >= sizeof(copy))
		length = sizeof(copy) - 1;
	if (__atomic_fetch_add(&texts_size, sizeof(def) + length + 8, __ATOMIC_RELAXED) >
	    vprof_map.defs_size / DEFS_SHARE)
		return 0;
	memcpy(copy, text, length);
	copy[length] = 0;
	return vprof_define(&def, sizeof(def), copy);
}

uint32_t vprof_name_define(struct vprof_name *name)
{
	uint32_t generation = __atomic_load_n(&vprof_generation, __ATOMIC_RELAXED), id;
	uint64_t word;

	if (!name)
		return 0;
	word = __atomic_load_n(&name->word, __ATOMIC_RELAXED);
	if (likely(word >> 32 == generation))
		return (uint32_t)word;
	if (name->type == VPROF_DEF_DOMAIN) {
		struct vprof_def_domain def = { .head.type = VPROF_DEF_DOMAIN, .ticks = vprof_ticks() };

		id = vprof_define_sparing(&def, sizeof(def), name->text);
	} else {
		id = define_text(name->text, name->length);
	}
	__atomic_store_n(&name->word, (uint64_t)generation << 32 | id, __ATOMIC_RELAXED);
	return id;
}

/* ---- texts that come with every call ---- */

static int reads(uint32_t id, const char *text, size_t length)
{
	const struct vprof_def_text *def = (const void *)vprof_definition(id);

	return def && def->head.type == VPROF_DEF_TEXT && length < VPROF_NAME_MOST &&
	       def->head.size > sizeof(*def) + length && !memcmp(def->name, text, length) && !def->name[length];
}

uint32_t vprof_name_intern(const char *text, size_t length, int now)
{
	struct tables *t = get();
	uint32_t hash = hash_of(text, length, 0), id;
	uint64_t *entry, *last, seen = 0;

	if (!t)
		return 0;
	entry = &t->seen[hash >> (32 - SEEN_BITS)];
	for (last = entry + SEEN_PROBES - 1;; entry++) {
		seen = __atomic_load_n(entry, __ATOMIC_RELAXED);
		if (seen >> 32 == hash && ((uint32_t)seen ? reads((uint32_t)seen, text, length) : 1))
			break;
		if (!seen || entry == last) {
			/* New: it takes the place of one that came once, never of one that has its name. */
			if (!(uint32_t)seen && !now)
				__atomic_store_n(entry, (uint64_t)hash << 32, __ATOMIC_RELAXED);
			if (!now || (uint32_t)seen)
				return 0;
			break;
		}
	}
	if (seen >> 32 == hash && (uint32_t)seen)
		return (uint32_t)seen;
	id = define_text(text, length);
	if (id)
		__atomic_store_n(entry, (uint64_t)hash << 32 | id, __ATOMIC_RELAXED);
	return id;
}

/* ---- labels and categories ---- */

static void label_define(const struct label *l, const char *text)
{
	struct vprof_def_category category = {
		.head.type = VPROF_DEF_CATEGORY, .category = (uint32_t)l->handle,
		.domain = vprof_name_define(l->domain),
	};
	struct vprof_def_label label = {
		.head.type = VPROF_DEF_LABEL, .handle = l->handle, .ticks = l->ticks, .of = l->of,
		.domain = category.domain,
	};

	if (l->of)
		vprof_define_sparing(&label, sizeof(label), text);
	else
		vprof_define_sparing(&category, sizeof(category), text);
}

/* For the rings to come; NULL: there is no room. */
static const struct label *label_keep(struct tables *t, const struct label *made, const char *text, size_t length)
{
	struct label *l = arena_take(t, sizeof(*l) + length + 1);
	uint32_t at;

	if (!l)
		return NULL;
	*l = *made;
	memcpy(l->text, text, length);
	at = __atomic_fetch_add(&t->label_count, 1, __ATOMIC_RELAXED);
	if (at >= LABELS_MOST)
		return NULL;
	/* Pairs with the acquire in name_thing() and in labels_define(). */
	__atomic_store_n(&t->labels[at], l, __ATOMIC_RELEASE);
	return l;
}

static void name_thing(uint32_t of, uint64_t handle, struct vprof_name *domain, const char *text)
{
	struct tables *t = get();
	size_t length = strnlen(text, VPROF_NAME_MOST - 1);
	const struct label *l, *kept;
	struct label made = { .domain = domain, .handle = handle, .of = of };
	uint32_t count, at;

	if (!t)
		return;
	/* Threads that come at once may count a few more than there is room for. */
	count = __atomic_load_n(&t->label_count, __ATOMIC_RELAXED);
	for (at = count < LABELS_MOST ? count : LABELS_MOST; at-- > 0;) {
		l = __atomic_load_n(&t->labels[at], __ATOMIC_ACQUIRE);
		if (!l || l->handle != handle || l->of != of || l->domain != domain)
			continue;
		if (!strncmp(l->text, text, length) && !l->text[length])
			return;
		break; /* it has another name by now */
	}
	made.ticks = vprof_ticks();
	kept = count < LABELS_MOST ? label_keep(t, &made, text, length) : NULL;
	if (vprof_ring_is_ours())
		label_define(&made, kept ? kept->text : text);
	else if (count >= LABELS_MOST)
		vprof_lose(VPROF_LOSS_TEXT);
}

void vprof_name_category(struct vprof_name *domain, uint32_t category, const char *text)
{
	name_thing(0, category, domain, text);
}

void vprof_name_label(enum vprof_label_of of, uint64_t handle, struct vprof_name *domain, const char *text)
{
	name_thing(of, handle, domain, text);
}

/* Oldest first, so that the newest name of a thing comes last. */
static void labels_define(struct tables *t)
{
	uint32_t count = __atomic_load_n(&t->label_count, __ATOMIC_RELAXED);

	for (uint32_t i = 0; i < count && i < LABELS_MOST; i++) {
		const struct label *l = __atomic_load_n(&t->labels[i], __ATOMIC_ACQUIRE);

		if (l)
			label_define(l, l->text);
	}
}

void vprof_names_ring_ready(void)
{
	struct tables *t = __atomic_load_n(&tables, __ATOMIC_ACQUIRE);
	uint32_t generation = __atomic_add_fetch(&vprof_generation, 1, __ATOMIC_RELAXED);

	texts_size = 0;
	if (!t)
		return;
	/* Before the first ring nothing is interned. */
	if (generation > FIRST_RING)
		memset(t->seen, 0, sizeof(t->seen));
	labels_define(t);
}

/* ---- wide texts ---- */

size_t vprof_name_narrow(char *to, size_t size, const wchar_t *from)
{
	static const uint8_t lead[] = { 0, 0xc0, 0xe0, 0xf0 };
	size_t at = 0;

	for (; from && *from; from++) {
		uint32_t c = (uint32_t)*from;
		int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

		if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
			c = 0xfffd;
			more = 2;
		}
		if (at + (size_t)more + 1 >= size)
			break;
		to[at++] = (char)(lead[more] | c >> 6 * more);
		while (more--)
			to[at++] = (char)(0x80 | (c >> 6 * more & 0x3f));
	}
	to[at] = 0;
	return at;
}
