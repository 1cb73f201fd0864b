/*
 * ranges.c - the names of ranges, marks, counters and categories, and labels of threads and streams.
 */
#include "tools/ranges.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/list.h"
#include "tools/text.h"

/* A name that is not there at all. */
#define NO_NAME "range"

static void list_free(struct range_list *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		free(list->names[i]->text);
		free(list->names[i]->json);
		free(list->names[i]);
	}
	free(list->names);
}

void range_names_close(struct range_names *names)
{
	list_free(&names->said);
	list_free(&names->fixed);
	idmap_free(&names->by_def);
	idmap_free(&names->by_hash);
	idmap_free(&names->domains);
	idmap_free(&names->categories);
	idmap_free(&names->threads);
	idmap_free(&names->streams);
}

static struct range_name *name_make(const char *text)
{
	struct range_name *name = calloc(1, sizeof(*name));
	struct buffer json = { 0 };

	if (!name)
		return NULL;
	name->text = strdup(text);
	buffer_add_json(&json, text);
	buffer_fit(&json);
	name->json = json.data;
	name->json_size = json.used;
	if (name->text && !json.error)
		return name;
	free(name->text);
	free(name->json);
	free(name);
	return NULL;
}

static struct range_name *name_add(struct range_list *list, struct idmap *map, uint64_t key, const char *text)
{
	struct range_name *name;

	if (list_grow(list->names, list->count))
		return NULL;
	name = name_make(text);
	if (!name)
		return NULL;
	list->names[list->count++] = name;
	return idmap_put(map, key, list->count - 1) ? NULL : name;
}

/* The map, key and text of a definition that names something; NULL: it does not. */
static struct idmap *named_by(struct range_names *names, const struct vprof_def *def, uint32_t id, uint64_t *key,
			      const char **text)
{
	const struct vprof_def_domain *domain = (const void *)def;
	const struct vprof_def_category *category = (const void *)def;
	const struct vprof_def_label *label = (const void *)def;

	switch (def->type) {
	case VPROF_DEF_DOMAIN:
		*key = id;
		*text = domain->name;
		return &names->domains;
	case VPROF_DEF_CATEGORY:
		*key = (uint64_t)category->domain << 32 | category->category;
		*text = category->name;
		return &names->categories;
	case VPROF_DEF_LABEL:
		*key = label->handle;
		*text = label->name;
		if (!label->name[0])
			return NULL;
		return label->of == VPROF_LABEL_THREAD ? &names->threads :
		       label->of == VPROF_LABEL_STREAM ? &names->streams : NULL;
	default:
		return NULL;
	}
}

int range_names_open(struct range_names *names, const struct ring *ring)
{
	const struct vprof_def *def = NULL;

	memset(names, 0, sizeof(*names));
	while ((def = ring_def_next(ring, def))) {
		uint64_t key;
		const char *text;
		struct idmap *map = named_by(names, def, ring_def_id(ring, def), &key, &text);

		if (map && !name_add(&names->fixed, map, key, text))
			return -ENOMEM;
	}
	return 0;
}

static uint64_t hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
	return hash;
}

void range_text(const struct ring *ring, const struct vprof_chunk *chunk, uint32_t i, char *text, size_t size)
{
	const struct vprof_slot *slot = &chunk->slot[i];
	const struct vprof_def_text *def = slot->object ? ring_def(ring, slot->object, VPROF_DEF_TEXT) : NULL;
	uint32_t texts = slot->range.texts;
	size_t used = 0;

	if (def) {
		snprintf(text, size, "%s", def->name);
		return;
	}
	for (uint32_t t = 1; t <= texts && i + t < VPROF_CHUNK_SLOTS - 1; t++) {
		const struct vprof_slot *more = &chunk->slot[i + t];
		size_t length = strnlen(more->text, sizeof(more->text));

		if (more->seq != slot->seq + t || more->kind != VPROF_KIND_TEXT || used + length >= size)
			break;
		memcpy(text + used, more->text, length);
		used += length;
	}
	text[used] = '\0';
	if (!used)
		snprintf(text, size, "%s", slot->object ? "range ?" : NO_NAME);
}

const struct range_name *range_name_of(struct range_names *names, const struct ring *ring,
				       const struct vprof_chunk *chunk, uint32_t i)
{
	const struct vprof_slot *slot = &chunk->slot[i];
	char text[(UINT8_MAX + 1) * sizeof(slot->text)];
	const struct vprof_def_text *def;
	uint32_t index;
	uint64_t hash;

	if (slot->object) {
		index = idmap_get(&names->by_def, slot->object);
		if (index != IDMAP_NONE)
			return names->said.names[index];
		def = ring_def(ring, slot->object, VPROF_DEF_TEXT);
		return name_add(&names->said, &names->by_def, slot->object,
				!def ? "range ?" : def->name[0] ? def->name : NO_NAME);
	}
	range_text(ring, chunk, i, text, sizeof(text));
	hash = hash_of(text);
	index = idmap_get(&names->by_hash, hash);
	/* Of two texts of one hash the later takes its place; both stay. */
	if (index != IDMAP_NONE && !strcmp(names->said.names[index]->text, text))
		return names->said.names[index];
	return name_add(&names->said, &names->by_hash, hash, text);
}
