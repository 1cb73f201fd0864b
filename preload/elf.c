/*
 * elf.c - symbols of loaded objects, read from their own tables.
 *
 * Why not dlsym: it is ours, it changes dlerror(), it takes the loader's idea of
 * who is asking, and it needs a handle that would keep a library loaded. Here the
 * loaded objects are walked with dl_iterate_phdr() (which works before our own
 * constructor has run) and the symbol is found through DT_GNU_HASH or DT_HASH.
 *
 * Nothing is allocated, nothing is kept; an object found here may be unloaded
 * later, which the CUDA driver and libc never are.
 */
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include "preload/elf.h"
#include "preload/text.h"

struct tables {
	uintptr_t base;
	const ElfW(Sym) *symbols;
	const char *strings;
	const uint32_t *gnu_hash, *hash;
	const ElfW(Half) *versions;
};

/* glibc relocates these addresses in place on most machines, other loaders do not. */
static const void *dynamic_pointer(uintptr_t base, ElfW(Addr) value)
{
	return (const void *)(value < base ? value + base : value);
}

static int tables_read(struct tables *t, uintptr_t base, const ElfW(Dyn) *dynamic)
{
	memset(t, 0, sizeof(*t));
	t->base = base;
	if (!dynamic)
		return -ENOENT;
	for (; dynamic->d_tag != DT_NULL; dynamic++) {
		const void *p = dynamic_pointer(base, dynamic->d_un.d_ptr);

		switch (dynamic->d_tag) {
		case DT_SYMTAB:
			t->symbols = p;
			break;
		case DT_STRTAB:
			t->strings = p;
			break;
		case DT_GNU_HASH:
			t->gnu_hash = p;
			break;
		case DT_HASH:
			t->hash = p;
			break;
		case DT_VERSYM:
			t->versions = p;
			break;
		}
	}
	return t->symbols && t->strings && (t->gnu_hash || t->hash) ? 0 : -ENOENT;
}

/* A definition of `name` that the linker would bind to: of the default version, or unversioned. */
static int symbol_matches(const struct tables *t, uint32_t i, const char *name)
{
	const ElfW(Sym) *s = &t->symbols[i];
	unsigned type = ELF64_ST_TYPE(s->st_info);

	if (s->st_shndx == SHN_UNDEF || !s->st_value || (type != STT_FUNC && type != STT_NOTYPE))
		return 0;
	if (t->versions && (t->versions[i] & 0x8000))
		return 0;
	return vprof_text_same(t->strings + s->st_name, name);
}

static uint32_t gnu_hash_find(const struct tables *t, const char *name)
{
	const uint32_t *h = t->gnu_hash;
	uint32_t buckets = h[0], first = h[1], bloom_words = h[2], shift = h[3];
	const ElfW(Addr) *bloom = (const void *)(h + 4);
	const uint32_t *bucket = (const void *)(bloom + bloom_words);
	const uint32_t *chain = bucket + buckets;
	uint32_t bits = sizeof(ElfW(Addr)) * 8, hash = 5381, i;
	ElfW(Addr) word, mask;

	for (const char *c = name; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	word = bloom[hash / bits % bloom_words];
	mask = (ElfW(Addr))1 << hash % bits | (ElfW(Addr))1 << (hash >> shift) % bits;
	if (!buckets || (word & mask) != mask)
		return 0;
	i = bucket[hash % buckets];
	if (i < first)
		return 0;
	for (;; i++) {
		uint32_t link = chain[i - first];

		if ((link | 1) == (hash | 1) && symbol_matches(t, i, name))
			return i;
		if (link & 1)
			return 0;
	}
}

static uint32_t sysv_hash_find(const struct tables *t, const char *name)
{
	const uint32_t *bucket = t->hash + 2, *chain = bucket + t->hash[0];
	uint32_t hash = 0;

	if (!t->hash[0])
		return 0;
	for (const char *c = name; *c; c++) {
		hash = (hash << 4) + (unsigned char)*c;
		hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
	}
	for (uint32_t i = bucket[hash % t->hash[0]]; i; i = chain[i])
		if (symbol_matches(t, i, name))
			return i;
	return 0;
}

void *vprof_object_symbol(const struct vprof_object *object, const char *symbol)
{
	struct tables t;
	uint32_t i;

	if (tables_read(&t, object->base, object->dynamic))
		return NULL;
	i = t.gnu_hash ? gnu_hash_find(&t, symbol) : sysv_hash_find(&t, symbol);
	return i ? (void *)(t.base + t.symbols[i].st_value) : NULL;
}

AT_LOAD static void object_read(const struct dl_phdr_info *info, struct vprof_object *object)
{
	memset(object, 0, sizeof(*object));
	object->base = info->dlpi_addr;
	object->text_start = UINTPTR_MAX;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_DYNAMIC)
			object->dynamic = (const void *)start;
		if (p->p_type != PT_LOAD)
			continue;
		if (start < object->text_start)
			object->text_start = start;
		if (start + p->p_memsz > object->text_end)
			object->text_end = start + p->p_memsz;
	}
}

AT_LOAD static int object_holds(const struct vprof_object *object, const void *address)
{
	uintptr_t a = (uintptr_t)address;

	return a >= object->text_start && a < object->text_end;
}

/* ---- by file name ---- */

struct by_name {
	const char *prefix;
	struct vprof_object *object;
};

AT_LOAD static const char *file_name(const char *path)
{
	const char *name = path;

	for (; *path; path++)
		if (*path == '/')
			name = path + 1;
	return name;
}

static int match_name(struct dl_phdr_info *info, size_t size, void *data)
{
	struct by_name *want = data;

	(void)size;
	if (!vprof_text_behind(file_name(info->dlpi_name), want->prefix))
		return 0;
	object_read(info, want->object);
	return 1;
}

int vprof_object_find(const char *prefix, struct vprof_object *object)
{
	struct by_name want = { prefix, object };

	object->dynamic = NULL;
	return dl_iterate_phdr(match_name, &want) ? 0 : -ENOENT;
}

/* ---- by an address inside ---- */

struct by_address {
	const void *address;
	struct vprof_object *object;
};

static int match_address(struct dl_phdr_info *info, size_t size, void *data)
{
	struct by_address *want = data;

	(void)size;
	object_read(info, want->object);
	return object_holds(want->object, want->address);
}

int vprof_object_at(const void *address, struct vprof_object *object)
{
	struct by_address want = { address, object };

	return dl_iterate_phdr(match_address, &want) ? 0 : -ENOENT;
}

/* ---- the next definition behind an object, in the loader's order ---- */

struct behind_address {
	const void *address;
	const char *symbol;
	int passed;
	void *found;
};

static int match_behind_address(struct dl_phdr_info *info, size_t size, void *data)
{
	struct behind_address *want = data;
	struct vprof_object object;

	(void)size;
	object_read(info, &object);
	if (want->passed)
		want->found = vprof_object_symbol(&object, want->symbol);
	else
		want->passed = object_holds(&object, want->address);
	return want->found != NULL;
}

void *vprof_symbol_behind(const void *address, const char *symbol)
{
	struct behind_address want = { address, symbol, 0, NULL };

	dl_iterate_phdr(match_behind_address, &want);
	return want.found;
}

/* The loader's list of objects, for debuggers; weak, so that the loader need not be named. */
extern struct r_debug _r_debug __attribute__((weak));
extern ElfW(Dyn) _DYNAMIC[] HIDDEN;

/*
 * A program with ThreadSanitizer or MemorySanitizer has a dl_iterate_phdr() of its own, which asks dlsym() for the
 * real one; while it does that, ours is not to come back to it. What stands in the list up to libc was loaded with the
 * program, and stays.
 */
static void *listed_behind_us(const char *symbol)
{
	const struct link_map *map = &_r_debug ? _r_debug.r_map : NULL;
	void *found = NULL;

	while (map && map->l_ld != _DYNAMIC)
		map = map->l_next;
	for (map = map ? map->l_next : NULL; map && !found; map = map->l_next) {
		struct vprof_object object = { .base = map->l_addr, .dynamic = map->l_ld };

		found = vprof_object_symbol(&object, symbol);
	}
	return found;
}

void *vprof_next_symbol(const char *symbol)
{
	void *found = listed_behind_us(symbol);

	return found ? found : vprof_symbol_behind((const void *)vprof_next_symbol, symbol);
}

/* ---- all objects between us and libc ---- */

struct behind {
	struct vprof_object *list;
	size_t count, room;
	int passed;
};

static int match_behind(struct dl_phdr_info *info, size_t size, void *data)
{
	struct behind *want = data;
	struct vprof_object object;

	(void)size;
	object_read(info, &object);
	if (!want->passed) {
		want->passed = object_holds(&object, (const void *)vprof_objects_behind);
		return 0;
	}
	if (want->count == want->room || vprof_text_behind(file_name(info->dlpi_name), "libc.so."))
		return 1;
	want->list[want->count++] = object;
	return 0;
}

size_t vprof_objects_behind(struct vprof_object *list, size_t room)
{
	struct behind want = { list, 0, room, 0 };

	dl_iterate_phdr(match_behind, &want);
	return want.count;
}

/* ---- our own name ---- */

AT_LOAD static int match_own(struct dl_phdr_info *info, size_t size, void *data)
{
	AT_LOAD_DATA static char libc[] = "libc.so.";
	struct vprof_object object;

	(void)size;
	object_read(info, &object);
	if (object_holds(&object, (const void *)vprof_own_path)) {
		*(const char **)data = info->dlpi_name;
		return 1;
	}
	return vprof_text_behind(file_name(info->dlpi_name), libc) != NULL;
}

AT_LOAD const char *vprof_own_path(void)
{
	const char *path = NULL;

	dl_iterate_phdr(match_own, &path);
	return path && *path ? path : NULL;
}
