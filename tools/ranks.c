/*
 * ranks.c - see ranks.h.
 */
#include "tools/ranks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/ring.h"
#include "tools/text.h"

/* The first device that it made a context on; `used`: set when it made one, or launched. */
static uint32_t first_device(const struct trace_process *process, int *used)
{
	const struct vprof_def *def = NULL;

	*used = process->gpu_count != 0;
	while ((def = ring_def_next(process->ring, def))) {
		const struct vprof_def_context *context;

		*used |= def->type == VPROF_DEF_KERNEL || def->type == VPROF_DEF_GRAPH;
		context = ring_def(process->ring, ring_def_id(process->ring, def), VPROF_DEF_CONTEXT);
		if (!context)
			continue;
		*used = 1;
		return (uint32_t)context->device;
	}
	return UINT32_MAX;
}

static uint64_t start_of(const struct trace_process *process)
{
	return process->clock->start_ns + process->clock->to_realtime;
}

static int compare_ranks(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;
	int order = role_compare_rank(&x->process->role, &y->process->role);

	if (!order)
		order = (x->device > y->device) - (x->device < y->device);
	if (!order)
		order = (start_of(x->process) > start_of(y->process)) - (start_of(x->process) < start_of(y->process));
	if (!order)
		order = (x->process->index > y->process->index) - (x->process->index < y->process->index);
	return order;
}

/* Has each process a rank, and no two the same? */
static int roles_tell(const struct ranks *ranks)
{
	for (size_t i = 0; i < ranks->count; i++) {
		int64_t number = ranks->list[i].process->role.number;

		if (number < 0 || number > INT32_MAX)
			return 0;
		for (size_t k = 0; k < i; k++)
			if (ranks->list[k].process->role.number == number)
				return 0;
	}
	return 1;
}

static void collect(struct ranks *ranks, const struct trace *trace, int all)
{
	ranks->count = ranks->idle = 0;
	for (size_t i = 0; i < trace->count; i++) {
		struct trace_process *process = &trace->processes[i];
		int used = 0;
		uint32_t device = first_device(process, &used);

		if (!process->chosen)
			continue;
		if (!used && !all) {
			ranks->idle++;
			continue;
		}
		ranks->list[ranks->count++] = (struct rank){ .process = process, .device = device };
	}
}

int ranks_make(struct ranks *ranks, const struct trace *trace)
{
	int told;

	*ranks = (struct ranks){ .list = calloc(trace->count + 1, sizeof(*ranks->list)) };
	if (!ranks->list)
		return -ENOMEM;
	collect(ranks, trace, 0);
	if (!ranks->count)
		collect(ranks, trace, 1);
	qsort(ranks->list, ranks->count, sizeof(*ranks->list), compare_ranks);
	told = roles_tell(ranks);
	for (size_t i = 0; i < ranks->count; i++)
		ranks->list[i].number = told ? (uint32_t)ranks->list[i].process->role.number : (uint32_t)i;
	return 0;
}

void ranks_free(struct ranks *ranks)
{
	free(ranks->list);
}

/* ---- names ---- */

int rank_is_pattern(const char *pattern)
{
	for (const char *p = strchr(pattern, '%'); p && p[1]; p = strchr(p + 2, '%'))
		if (p[1] == 'r' || p[1] == 'p')
			return 1;
	return 0;
}

/* A part of a name, in which nothing is a folder, an option or a blank. */
static void put_clean(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		int plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';

		buffer_print(out, "%c", plain ? c : '_');
	}
}

static void put_pattern(struct buffer *out, const struct rank *rank, const char *pattern)
{
	for (const char *p = pattern; *p; p++) {
		if (*p != '%' || !p[1]) {
			buffer_add(out, p, 1);
			continue;
		}
		p++;
		if (*p == 'r')
			buffer_print(out, "%u", rank->number);
		else if (*p == 'p')
			buffer_print(out, "%u", rank->process->os_pid);
		else if (*p == 'h')
			put_clean(out, rank->process->ring->header.host);
		else if (*p == 'n')
			put_clean(out, rank->process->role.name);
		else
			buffer_add(out, *p == '%' ? p : p - 1, *p == '%' ? 1 : 2);
	}
}

char *rank_path(const struct rank *rank, const char *pattern, const char *suffix)
{
	struct buffer out = { 0 };

	if (rank_is_pattern(pattern)) {
		put_pattern(&out, rank, pattern);
	} else {
		buffer_print(&out, "%s/rank%u_", pattern, rank->number);
		put_clean(&out, rank->process->role.name);
		buffer_print(&out, ".pt.trace.json%s", suffix);
	}
	buffer_add(&out, "", 1);
	if (!out.error)
		return out.data;
	buffer_free(&out);
	return NULL;
}
