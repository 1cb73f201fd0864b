/*
 * chrome_names.c - the texts that repeat, made once for each ring.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/chrome.h"
#include "tools/demangle.h"

/* Takes over what `args` holds. */
int chrome_text_make(struct chrome_text *text, const char *category, const char *name, struct buffer *args)
{
	struct buffer head = { 0 };

	buffer_print(&head, ",\n{\"ph\":\"X\",\"cat\":\"%s\",\"name\":\"", category);
	text->name_at = head.used;
	buffer_add_json(&head, name);
	buffer_print(&head, "\",");
	buffer_fit(&head);
	buffer_fit(args);
	text->head = head.data;
	text->head_size = head.used;
	text->args = args->data;
	text->args_size = args->used;
	return head.error ? head.error : args->error;
}

static void text_free(struct chrome_text *text)
{
	free(text->head);
	free(text->args);
}

/* What every launch of the kernel needs. */
static void put_facts(struct buffer *args, const struct vprof_def_facts *facts)
{
	if (!facts || !facts->valid)
		return;
	buffer_print(args, "\"registers per thread\":%u,\"static shared memory\":%u,", facts->registers,
		     facts->shared_static);
	if (facts->local)
		buffer_print(args, "\"local memory\":%u,", facts->local);
}

static int make_kernel(struct chrome_text *text, const struct vprof_def_kernel *def,
		       const struct vprof_def_facts *facts, const struct chrome_style *style)
{
	char *full = style->raw ? strdup(def->name) : demangle_full(def->name);
	char *brief = style->raw ? strdup(def->name) : demangle_short(def->name);
	struct buffer args = { 0 };
	int error = -ENOMEM;

	if (full && brief) {
		if (!style->full) {
			buffer_print(&args, "\"kernel\":\"");
			buffer_add_json(&args, full);
			buffer_print(&args, "\",");
		}
		put_facts(&args, facts);
		text->facts = facts;
		error = chrome_text_make(text, style->kernel, style->full ? full : brief, &args);
	}
	free(full);
	free(brief);
	return error;
}

static const char *own_name(const struct ring *ring, uint32_t call, const char *name, const char **category)
{
	struct vprof_slot slot = { .kind = VPROF_KIND_CALL, .call = call };

	*category = event_category(ring, &slot);
	return name;
}

const struct chrome_style chrome_style = { .call = own_name, .kernel = "launch" };

/* A call's own name need not be its slice's, so it is also there as an argument. */
static int make_call(struct chrome_text *text, const struct ring *ring, uint32_t call, const struct chrome_style *style)
{
	struct buffer args = { 0 };
	char number[32];
	const char *name = number, *category;

	if (call < ring->call_count && ring->calls[call])
		name = ring->calls[call];
	else
		snprintf(number, sizeof(number), call < ring->call_count ? "call %u" : "call ?", call);
	buffer_print(&args, "\"call\":\"");
	buffer_add_json(&args, name);
	buffer_print(&args, "\",");
	name = style->call(ring, call, name, &category);
	return chrome_text_make(text, category, name, &args);
}

static int make_calls(struct chrome_names *names, const struct ring *ring, const struct chrome_style *style)
{
	names->calls = calloc((size_t)ring->call_count + 1, sizeof(*names->calls));
	if (!names->calls)
		return -ENOMEM;
	names->call_count = ring->call_count;
	for (uint32_t i = 0; i <= ring->call_count; i++) {
		int error = make_call(&names->calls[i], ring, i, style);

		if (error)
			return error;
	}
	return 0;
}

/* Definitions of a type; those that are not sound are left out, and so become unknown. */
static uint32_t count_defs(const struct ring *ring, uint16_t type)
{
	const struct vprof_def *def = NULL;
	uint32_t count = 0;

	while ((def = ring_def_next(ring, def)))
		count += def->type == type;
	return count;
}

static int make_kernels(struct chrome_names *names, const struct ring *ring, const struct chrome_style *style)
{
	const struct vprof_def *def = NULL;
	int error = 0;

	names->kernels = calloc((size_t)count_defs(ring, VPROF_DEF_KERNEL) + 1, sizeof(*names->kernels));
	if (!names->kernels)
		return -ENOMEM;
	while (!error && (def = ring_def_next(ring, def))) {
		uint32_t id = ring_def_id(ring, def);
		const void *whole = ring_def(ring, id, def->type);

		if (whole && def->type == VPROF_DEF_KERNEL) {
			error = make_kernel(&names->kernels[names->kernel_count], whole,
					    objects_facts(&names->objects, id), style);
			if (!error)
				error = idmap_put(&names->by_id, id, names->kernel_count);
			names->kernel_count++;
		}
	}
	return error;
}

int chrome_names_make(struct chrome_names *names, const struct ring *ring, const struct chrome_style *style)
{
	struct buffer no_args[2] = { 0 };
	int error;

	error = objects_read(&names->objects, ring);
	if (!error)
		error = chrome_text_make(&names->no_kernel, style->kernel, "kernel ?", &no_args[0]);
	if (!error)
		error = chrome_text_make(&names->no_graph, "graph_launch", "graph ?", &no_args[1]);
	if (!error)
		error = make_calls(names, ring, style);
	if (!error)
		error = make_kernels(names, ring, style);
	if (!error)
		error = chrome_graphs_make(names, ring, style->expand);
	return error;
}

static void texts_free(struct chrome_text *texts, uint32_t count)
{
	for (uint32_t i = 0; texts && i < count; i++)
		text_free(&texts[i]);
	free(texts);
}

void chrome_names_free(struct chrome_names *names)
{
	texts_free(names->kernels, names->kernel_count);
	texts_free(names->graphs, names->graph_count);
	texts_free(names->calls, names->call_count + 1);
	text_free(&names->no_kernel);
	text_free(&names->no_graph);
	idmap_free(&names->by_id);
	objects_free(&names->objects);
	for (uint32_t i = 0; i < names->list_count; i++)
		buffer_free(&names->lists[i]);
	free(names->lists);
}

const struct chrome_text *chrome_kernel(const struct chrome_names *names, uint32_t id)
{
	uint32_t index = idmap_get(&names->by_id, id);

	return index < CHROME_GRAPH_BIT ? &names->kernels[index] : &names->no_kernel;
}

const struct chrome_text *chrome_graph(const struct chrome_names *names, uint32_t id)
{
	uint32_t index = idmap_get(&names->by_id, id);

	if (index == IDMAP_NONE || !(index & CHROME_GRAPH_BIT))
		return &names->no_graph;
	return &names->graphs[index & ~CHROME_GRAPH_BIT];
}
