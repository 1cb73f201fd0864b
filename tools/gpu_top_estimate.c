/*
 * gpu_top_estimate.c - from the launches that were measured to what all of them took.
 *
 * The mean of the measured executions times all of them. Its variance is that of a ratio of two sums, over a sample of
 * launches without replacement: of each one's time, and of how many executions it had.
 */
#include "tools/gpu_top_inner.h"

#include <math.h>

/* The launch before this one is whole. */
void gpu_top_settle(struct gpu_top_part *part)
{
	part->units += part->now > 0;
	part->sum += part->now_ns;
	part->events += part->now;
	part->squares += part->now_ns * part->now_ns;
	part->products += part->now_ns * part->now;
	part->event_squares += part->now * part->now;
	part->now_ns = part->now = 0;
}

/* Student's t of 0.975. */
static double student(double freedom)
{
	static const double few[] = {
		12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
		2.201, 2.179, 2.160, 2.145, 2.131,
	};

	if (freedom < 1)
		return INFINITY;
	/* The next term of its expansion is below 0.003 from there on. */
	return freedom <= sizeof(few) / sizeof(few[0]) ? few[(int)freedom - 1] : 1.96 + 2.37 / freedom;
}

void gpu_top_estimate(struct gpu_top *top, struct gpu_top_part *part)
{
	struct gpu_top_row *row = &top->rows[part->row];
	double n, all = (double)part->count, mean, spread, t;

	gpu_top_settle(part);
	n = part->units;
	if (n < 1)
		return;
	all = all < part->events ? part->events : all;
	mean = part->sum / part->events;
	row->total_ns += all * mean;
	if (part->events < all) {
		spread = part->squares - 2 * mean * part->products + mean * mean * part->event_squares;
		spread = n > 1 ? (spread > 0 ? spread : 0) / (n - 1) : INFINITY;
		t = student(n - 1);
		row->margin_squared += t * t * all * all * n * spread / (part->events * part->events) *
			(1 - part->events / all);
	}
}

double gpu_top_margin(const struct gpu_top_row *row)
{
	return isfinite(row->margin_squared) ? sqrt(row->margin_squared) : -1;
}
