/*
 * memory_groups.c - pieces put together: sorted by what makes a group, then by bytes.
 */
#include "tools/memory_groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COMPARE(x, y) do { if ((x) != (y)) return (x) < (y) ? -1 : 1; } while (0)

static int compare_origins(const void *a, const void *b)
{
	const struct memory_group *x = a, *y = b;

	COMPARE(x->place, y->place);
	COMPARE(x->kind, y->kind);
	COMPARE(x->call, y->call);
	COMPARE(x->thread, y->thread);
	COMPARE(x->range, y->range);
	return 0;
}

static int compare_ages(const void *a, const void *b)
{
	const struct memory_group *x = a, *y = b;
	int origins = compare_origins(a, b);

	if (origins)
		return origins;
	COMPARE(x->oldest, y->oldest);
	COMPARE(x->address, y->address);
	return 0;
}

static int compare_bytes(const void *a, const void *b)
{
	const struct memory_group *x = a, *y = b;

	COMPARE(y->bytes, x->bytes);
	return compare_ages(a, b);
}

static void join(struct memory_groups *groups)
{
	size_t count = 0;

	for (size_t i = 0; i < groups->count; i++) {
		const struct memory_group *one = &groups->list[i];
		struct memory_group *last = count ? &groups->list[count - 1] : NULL;

		if (last && !compare_origins(last, one)) {
			last->count += one->count;
			last->bytes += one->bytes;
		} else {
			groups->list[count++] = *one;
		}
	}
	groups->count = count;
}

static void add(struct memory_groups *groups, const struct memory_piece *piece, int all)
{
	const struct vprof_holding *held = &piece->held;
	int series = memory_series_of(held->kind, held->place);

	if (series >= 0)
		groups->use.bytes[held->place][series] += held->bytes;
	else if (!all && (held->kind == VPROF_MEMORY_RESERVED || held->kind == VPROF_MEMORY_MAPPED))
		return;
	groups->list[groups->count++] = (struct memory_group){
		.place = held->place, .kind = held->kind, .call = held->call, .thread = held->thread,
		.range = held->range, .count = 1, .bytes = held->bytes, .oldest = piece->from,
		.address = held->address,
	};
}

static int is_chosen(const struct memory_piece *piece, const struct memory_choice *choice)
{
	return choice->by_context ? piece->by_context : memory_held_at(piece, choice->ticks);
}

int memory_groups_make(struct memory_groups *groups, const struct memory_past *past, const struct memory_choice *choice)
{
	memset(groups, 0, sizeof(*groups));
	groups->list = calloc(past->count + 1, sizeof(*groups->list));
	if (!groups->list)
		return -ENOMEM;
	for (size_t i = 0; i < past->count; i++)
		if (is_chosen(&past->pieces[i], choice))
			add(groups, &past->pieces[i], choice->all);
	qsort(groups->list, groups->count, sizeof(*groups->list), compare_ages);
	if (!choice->each)
		join(groups);
	qsort(groups->list, groups->count, sizeof(*groups->list), compare_bytes);
	return 0;
}

void memory_groups_free(struct memory_groups *groups)
{
	free(groups->list);
}
