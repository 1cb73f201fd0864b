/*
 * gpu_top_print.c - the rows of gpu_top.h as a table, as CSV and as JSON.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "tools/cli.h"
#include "tools/demangle.h"
#include "tools/gpu_top.h"

enum { NAME_SHOWN = 80 };

static const char parts_mean[] = "SAMPLES are of these nodes, TOTAL and COUNT of those of all parts";

/* To be freed; NULL: no memory. */
static char *shown_name(const struct gpu_top_row *row, const struct gpu_top_view *view, int whole)
{
	char *name = row->is_kernel && !view->raw ? demangle_full(row->name) : strdup(row->name);

	if (name && !whole && !view->full && strlen(name) > NAME_SHOWN)
		strcpy(name + NAME_SHOWN - 3, "...");
	return name;
}

static double share(const struct gpu_top *top, const struct gpu_top_row *row)
{
	return top->total_ns > 0 ? 100 * row->total_ns / top->total_ns : 0;
}

static double percent(uint64_t part, uint64_t of)
{
	return of ? 100 * (double)part / (double)of : 0;
}

/* One in how many was measured, of those kinds of which any was. */
static double one_in(const struct gpu_top_row *row)
{
	return row->samples ? (double)row->covered / (double)row->samples : 0;
}

static void cell_ns(struct cli_table *table, const struct gpu_top_row *row, double ns)
{
	char text[32];

	cli_table_cell(table, "%s", row->samples ? cli_time_text(text, sizeof(text), (uint64_t)ns) : "-");
}

/* What was never measured has no share in what was. */
static void cell_share(struct cli_table *table, const struct gpu_top *top, const struct gpu_top_row *row)
{
	if (row->samples)
		cli_table_cell(table, "%.1f%%", share(top, row));
	else
		cli_table_cell(table, "-");
}

static void cell_margin(struct cli_table *table, const struct gpu_top_row *row)
{
	double margin = gpu_top_margin(row);

	if (!row->samples || margin < 0)
		cli_table_cell(table, "%s", row->samples ? "?" : "-");
	else if (margin == 0)
		cli_table_cell(table, "0");
	else
		cli_table_cell(table, "%.1f%%", 100 * margin / row->total_ns);
}

static void print_row(const struct gpu_top *top, const struct gpu_top_row *row, const struct gpu_top_view *view,
		      struct cli_table *table)
{
	char *name = shown_name(row, view, 0);

	cell_ns(table, row, row->total_ns);
	cell_share(table, top, row);
	cell_margin(table, row);
	cli_table_cell(table, "%" PRIu64, row->count);
	cli_table_cell(table, "%zu", row->samples);
	if (row->samples)
		cli_table_cell(table, "%.3g", one_in(row));
	else
		cli_table_cell(table, "-");
	cli_table_cell(table, "%.0f%%", percent(row->covered, row->count));
	cell_ns(table, row, gpu_top_rank(row, 0));
	cell_ns(table, row, gpu_top_rank(row, 0.5));
	cell_ns(table, row, gpu_top_rank(row, 0.99));
	cell_ns(table, row, gpu_top_rank(row, 1));
	if (top->per)
		cli_table_cell(table, "%s", top->groups[row->group]);
	cli_table_cell(table, "%s", name ? name : row->name);
	free(name);
}

static int has_unmeasured(const struct gpu_top *top, size_t rows)
{
	for (size_t i = 0; i < rows; i++)
		if (!top->rows[i].samples)
			return 1;
	return 0;
}

/* Is there one whose COUNT by its SAMPLES is not its 1 IN? */
static int has_uncovered(const struct gpu_top *top, size_t rows)
{
	for (size_t i = 0; i < rows; i++)
		if (top->rows[i].samples && top->rows[i].covered < top->rows[i].count)
			return 1;
	return 0;
}

static int print_table(const struct gpu_top *top, const struct gpu_top_view *view, size_t rows)
{
	struct cli_table *table = cli_table_new(top->per ? "rrrrrrrrrrrll" : "rrrrrrrrrrrl");
	char text[32];

	if (!table)
		return -ENOMEM;
	cli_table_heads(table, "TOTAL", "SHARE", "+-", "COUNT", "SAMPLES", "1 IN", "COVERED", "MIN", "MEDIAN",
			"P99", "MAX");
	if (top->per)
		cli_table_heads(table, "OF");
	cli_table_heads(table, "WORK OF THE GPU");
	for (size_t i = 0; i < rows; i++)
		print_row(top, &top->rows[i], view, table);
	if (cli_table_print(table, stdout, 0))
		return -ENOMEM;
	printf("\n%s of GPU time, estimated from %" PRIu64 " measured %s of %" PRIu64
	       "; +-: in 19 of 20 cases; COVERED: of kinds that were measured%s%s\n",
	       cli_time_text(text, sizeof(text), (uint64_t)top->total_ns), top->measured,
	       cli_word(top->measured, "launch", "launches"), top->launches,
	       has_uncovered(top, rows) ? "; 1 IN: of these, COUNT is of all" : "",
	       has_unmeasured(top, rows) ? "; -: never measured" : "");
	gpu_parts_remark(&top->parts_timed, stdout, "", parts_mean);
	return 0;
}

/* In quotes, those within doubled. */
static void csv_text(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

static void csv_row(const struct gpu_top *top, const struct gpu_top_row *row, const struct gpu_top_view *view)
{
	char *name = shown_name(row, view, 1);

	printf("%.0f,%.3f,%.0f,%" PRIu64 ",%" PRIu64 ",%zu,%.3f,%" PRIu64 ",%u,%u,%u,%u,", row->total_ns,
	       share(top, row), gpu_top_margin(row), row->count, row->covered, row->samples, one_in(row),
	       row->measured_ns, gpu_top_rank(row, 0), gpu_top_rank(row, 0.5), gpu_top_rank(row, 0.99),
	       gpu_top_rank(row, 1));
	csv_text(top->groups[row->group]);
	putchar(',');
	csv_text(name ? name : row->name);
	putchar('\n');
	free(name);
}

static void json_row(const struct gpu_top *top, const struct gpu_top_row *row, const struct gpu_top_view *view)
{
	char *name = shown_name(row, view, 1);
	double margin = gpu_top_margin(row);

	printf("\n  {\"name\": ");
	cli_json_string(stdout, name ? name : row->name);
	if (top->per) {
		printf(", \"of\": ");
		cli_json_string(stdout, top->groups[row->group]);
	}
	printf(", \"total_ns\": %.0f, \"share\": %.6f, \"margin_ns\": ", row->total_ns, share(top, row) / 100);
	if (margin < 0)
		printf("null");
	else
		printf("%.0f", margin);
	printf(", \"count\": %" PRIu64 ", \"covered\": %" PRIu64
	       ", \"samples\": %zu, \"one_in\": %.3f, \"measured_ns\": %" PRIu64
	       ", \"min_ns\": %u, \"median_ns\": %u, \"p99_ns\": %u, \"max_ns\": %u}", row->count, row->covered,
	       row->samples, one_in(row), row->measured_ns, gpu_top_rank(row, 0), gpu_top_rank(row, 0.5),
	       gpu_top_rank(row, 0.99), gpu_top_rank(row, 1));
	free(name);
}

static void print_json(const struct gpu_top *top, const struct gpu_top_view *view, size_t rows)
{
	printf("{\"by\": \"gpu\", \"total_ns\": %.0f, \"launches\": %" PRIu64 ", \"measured\": %" PRIu64 ", ",
	       top->total_ns, top->launches, top->measured);
	gpu_parts_json(&top->parts_timed, stdout);
	printf(",\n \"work\": [");
	for (size_t i = 0; i < rows; i++) {
		if (i)
			putchar(',');
		json_row(top, &top->rows[i], view);
	}
	printf("]");
}

int gpu_top_print(const struct gpu_top *top, const struct gpu_top_view *view)
{
	size_t rows = view->rows && view->rows < top->count ? view->rows : top->count;

	if (view->json) {
		print_json(top, view, rows);
	} else if (view->csv) {
		printf("total_ns,share_percent,margin_ns,count,covered,samples,one_in,measured_ns,min_ns,median_ns,"
		       "p99_ns,max_ns,of,name\n");
		for (size_t i = 0; i < rows; i++)
			csv_row(top, &top->rows[i], view);
		gpu_parts_remark(&top->parts_timed, stderr, "vprof top: ", parts_mean);
	} else {
		return print_table(top, view, rows);
	}
	return 0;
}
