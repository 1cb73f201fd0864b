/*
 * gpu_busy_cover.c - what pieces of work cover, bin by bin: unions, by one walk over all of them by begin.
 */
#include "tools/gpu_busy_inner.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include "tools/list.h"

int gpu_busy_add(const struct gpu_busy_list *busy, struct gpu_busy *device, struct gpu_busy_piece piece)
{
	struct gpu_busy_piece *last = device->piece_count ? &device->pieces[device->piece_count - 1] : NULL;

	if (piece.begin < busy->from_ns)
		piece.begin = busy->from_ns;
	if (piece.end <= piece.begin)
		return 0;
	if (last && last->end == piece.begin && last->copy == piece.copy && last->seen == piece.seen &&
	    last->off == piece.off) {
		last->end = piece.end;
		return 0;
	}
	if (list_grow(device->pieces, device->piece_count))
		return -ENOMEM;
	device->pieces[device->piece_count++] = piece;
	return 0;
}

static int compare_pieces(const void *a, const void *b)
{
	const struct gpu_busy_piece *x = a, *y = b;

	return (x->begin > y->begin) - (x->begin < y->begin);
}

/* What lies from `begin` to `end` goes into the number at `field` of each bin that it lies in. */
static void spread(const struct gpu_busy_list *busy, struct gpu_busy *device, uint64_t begin, uint64_t end,
		   size_t field)
{
	for (uint64_t i = (begin - busy->from_ns) / busy->bin_ns; i < busy->bins && begin < end; i++) {
		uint64_t to = busy->from_ns + (i + 1) * busy->bin_ns, over = end < to ? end : to;

		*(uint64_t *)(void *)((char *)&device->bins[i] + field) += over - begin;
		begin = over;
	}
}

/* The part of a piece that is behind all others of its sort, up to now; `over`: where these end. */
static uint64_t cover(uint64_t *over, const struct gpu_busy_piece *piece)
{
	uint64_t from = piece->begin > *over ? piece->begin : *over;

	if (piece->end > *over)
		*over = piece->end;
	return from < piece->end ? from : piece->end;
}

void gpu_busy_cover(const struct gpu_busy_list *busy, struct gpu_busy *device)
{
	enum { BUSY = offsetof(struct gpu_busy_bin, busy_ns), COPY = offsetof(struct gpu_busy_bin, copy_ns),
	       SEEN = offsetof(struct gpu_busy_bin, seen_ns), OFF = offsetof(struct gpu_busy_bin, off_ns) };
	uint64_t all = 0, kernels = 0, seen = 0, known = 0, to = busy->from_ns + busy->bins * busy->bin_ns;

	if (device->piece_count)
		qsort(device->pieces, device->piece_count, sizeof(*device->pieces), compare_pieces);
	for (size_t i = 0; i < device->piece_count; i++) {
		const struct gpu_busy_piece *piece = &device->pieces[i];
		uint64_t from;

		/* with what was at work, for now */
		spread(busy, device, cover(&known, piece), piece->end, OFF);
		if (piece->off)
			continue;
		from = cover(&all, piece);
		spread(busy, device, from, piece->end, BUSY);
		from = from > to ? from : to;
		device->behind_ns += piece->end > from ? piece->end - from : 0;
		if (!piece->copy) /* where kernels ran, for now */
			spread(busy, device, cover(&kernels, piece), piece->end, COPY);
		if (piece->seen)
			spread(busy, device, cover(&seen, piece), piece->end, SEEN);
	}
	for (uint32_t i = 0; i < busy->bins; i++) {
		struct gpu_busy_bin *bin = &device->bins[i];

		bin->copy_ns = bin->busy_ns - bin->copy_ns;
		bin->off_ns -= bin->busy_ns;
		device->off_ns += bin->off_ns;
	}
}
