/*
 * verify_print.c - see the header.
 */
#include "tools/verify_print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/cli.h"
#include "tools/demangle.h"
#include "tools/gpu.h"

enum { NAME_SHOWN = 80 };

int verify_enough(const struct verify *verify, const struct verify_look *look)
{
	return verify->total_ns && verify_share(verify) * 100 >= (double)look->share;
}

/* Free it. */
static char *shown_name(const struct verify *verify, const struct verify_row *row, const struct verify_look *look)
{
	const char *name = verify->names[row->name];
	char *text;

	if (row->kind == VERIFY_KERNEL)
		return look->raw ? strdup(name) : demangle_full(name);
	return asprintf(&text, "%s of %s bytes", verify_kinds[row->kind], name) < 0 ? NULL : text;
}

/* ---- for people ---- */

static void cell_us(struct cli_table *cells, const struct verify_times *times)
{
	if (times->count)
		cli_table_cell(cells, "%.3f", (double)times->median_ns / 1e3);
	else
		cli_table_cell(cells, "-");
}

static void cells_difference(struct cli_table *cells, const struct verify_row *row)
{
	double wanted = (double)row->side[VERIFY_CUPTI].median_ns, difference = (double)verify_difference(row);

	if (!row->side[VERIFY_CUPTI].count || !row->side[VERIFY_VPROF].count) {
		cli_table_cell(cells, "-");
		cli_table_cell(cells, "-");
		return;
	}
	cli_table_cell(cells, "%+.3f", difference / 1e3);
	if (wanted > 0)
		cli_table_cell(cells, "%+.1f", difference / wanted * 100);
	else
		cli_table_cell(cells, "-");
}

static void shape_text(char *text, size_t size, const struct verify_shape *shape)
{
	const uint32_t *grid = shape->grid, *block = shape->block;

	snprintf(text, size, " <<<%ux%ux%u, %ux%ux%u>>>", grid[0], grid[1], grid[2], block[0], block[1], block[2]);
}

static int put_row(struct cli_table *cells, const struct verify *verify, const struct verify_row *row,
		   const struct verify_look *look)
{
	char *name = shown_name(verify, row, look), shape[96] = "";

	if (!name)
		return -ENOMEM;
	if (!look->full && strlen(name) > NAME_SHOWN)
		strcpy(name + NAME_SHOWN - 3, "...");
	if (row->shaped)
		shape_text(shape, sizeof(shape), &row->shape);
	cli_table_cell(cells, "%.1f", verify->total_ns ?
		       (double)row->side[VERIFY_CUPTI].total_ns / (double)verify->total_ns * 100 : 0.0);
	cli_table_cell(cells, "%" PRIu64, row->side[VERIFY_CUPTI].count);
	cell_us(cells, &row->side[VERIFY_CUPTI]);
	cli_table_cell(cells, "%" PRIu64, row->side[VERIFY_VPROF].count);
	cell_us(cells, &row->side[VERIFY_VPROF]);
	cells_difference(cells, row);
	cli_table_cell(cells, row->good ? "yes" : "no");
	if (look->by_graph && row->graph)
		cli_table_cell(cells, "%" PRIu32, row->graph);
	else if (look->by_graph)
		cli_table_cell(cells, "-");
	cli_table_cell(cells, "%s%s", name, shape);
	free(name);
	return 0;
}

static int print_rows(const struct verify *verify, const struct verify_look *look)
{
	struct cli_table *cells = cli_table_new(look->by_graph ? "rrrrrrrlrl" : "rrrrrrrll");
	size_t rows = look->rows && look->rows < verify->row_count ? look->rows : verify->row_count;
	int error = 0, printed;

	if (!cells)
		return -ENOMEM;
	cli_table_heads(cells, "SHARE", "CUPTI", "us", "VPROF", "us", "DIFF", "%", "NEAR");
	if (look->by_graph)
		cli_table_heads(cells, "GRAPH");
	cli_table_heads(cells, "NAME");
	for (size_t i = 0; i < rows && !error; i++)
		error = put_row(cells, verify, &verify->rows[i], look);
	printed = cli_table_print(cells, stdout, 0);
	if (rows < verify->row_count)
		printf("and %zu more\n", verify->row_count - rows);
	return error ? error : printed;
}

/* Those that CUPTI knows, whose time is what shares are of. */
static size_t rows_known(const struct verify *verify)
{
	size_t count = 0;

	for (size_t i = 0; i < verify->row_count; i++)
		count += verify->rows[i].side[VERIFY_CUPTI].count > 0;
	return count;
}

static uint64_t executions(const struct verify *verify, enum verify_side side)
{
	uint64_t count = 0;

	for (size_t i = 0; i < verify->row_count; i++)
		count += verify->rows[i].side[side].count;
	return count;
}

static void print_wall(const double *wall_s, uint32_t runs)
{
	const double *plain = &wall_s[VERIFY_RUN_PLAIN];

	printf("wall time%s: beside CUPTI %.2f s, under vprof %.2f s", runs > 1 ? " of a run" : "",
	       wall_s[VERIFY_RUN_CUPTI], wall_s[VERIFY_RUN_VPROF]);
	if (*plain > 0)
		printf(", plain %.2f s: %.3f and %.3f times plain", *plain, wall_s[VERIFY_RUN_CUPTI] / *plain,
		       wall_s[VERIFY_RUN_VPROF] / *plain);
	printf("\n");
}

static void print_among(const struct verify *verify, enum verify_side side, const char *before)
{
	printf("%s: %.2f %% (%zu of %zu rows)", before, verify_share_steady(verify, side) * 100,
	       verify->steady_count[side], rows_known(verify));
}

static void print_runs(const struct verify *verify)
{
	printf("%u runs of each, within as much of their mean: ", verify->runs);
	print_among(verify, VERIFY_CUPTI, "CUPTI's runs among themselves");
	print_among(verify, VERIFY_VPROF, ", vprof's");
	printf("\n");
}

static void print_executions(uint64_t cupti, uint64_t vprof)
{
	printf("\nexecutions: CUPTI %" PRIu64 ", vprof %" PRIu64, cupti, vprof);
	if (cupti && vprof <= cupti)
		printf(" (%.1f %%)", (double)vprof / (double)cupti * 100);
	else if (cupti)
		printf(" (%.3g times as many)", (double)vprof / (double)cupti);
	putchar('\n');
}

int verify_print_table(const struct verify *verify, const struct verify_look *look)
{
	uint64_t cupti = executions(verify, VERIFY_CUPTI), vprof = executions(verify, VERIFY_VPROF);
	int error = print_rows(verify, look);
	char text[32];

	print_executions(cupti, vprof);
	if (look->wall_s)
		print_wall(look->wall_s, verify->runs);
	printf("%.2f %% of %s on the GPU (%zu of %zu rows) lies within 5 %% or 200 ns of CUPTI; wanted: %" PRIu64
	       " %%\n", verify_share(verify) * 100, cli_time_text(text, sizeof(text), verify->total_ns),
	       verify->good_count, rows_known(verify), look->share);
	if (verify->runs > 1)
		print_runs(verify);
	return error;
}

/* ---- for scripts ---- */

/* Of each run; null where it has no execution. */
static void json_medians(const struct verify_times *times, uint32_t runs)
{
	printf(", \"medians_ns\": [");
	for (uint32_t run = 0; run < runs; run++) {
		printf("%s", run ? ", " : "");
		if (times->runs & 1u << run)
			printf("%" PRIu64, times->medians_ns[run]);
		else
			printf("null");
	}
	printf("]");
}

static void json_times(const char *side, const struct verify_times *times, uint32_t runs, int corrected)
{
	printf("\"%s\": {\"count\": %" PRIu64 ", \"total_ns\": %" PRIu64 ", \"median_ns\": ", side, times->count,
	       times->total_ns);
	if (times->count)
		printf("%" PRIu64, times->median_ns);
	else
		printf("null");
	json_medians(times, runs);
	if (times->count && corrected)
		printf(", \"taken_off_ns\": %" PRId64 ", \"class\": \"%s\"", times->taken_off,
		       gpu_class_name(times->class));
	printf("}");
}

static void json_triple(const char *word, const struct verify_shape *shape, const uint32_t *value)
{
	if (verify_shape_is_known(shape))
		printf(", \"%s\": [%u, %u, %u]", word, value[0], value[1], value[2]);
	else
		printf(", \"%s\": null", word);
}

static int json_row(const struct verify *verify, const struct verify_row *row, const struct verify_look *look)
{
	char *name = shown_name(verify, row, look);

	if (!name)
		return -ENOMEM;
	printf("  {\"kind\": \"%s\", \"name\": ", verify_kinds[row->kind]);
	cli_json_string(stdout, name);
	free(name);
	json_triple("grid", &row->shape, row->shape.grid);
	json_triple("block", &row->shape, row->shape.block);
	if (look->by_graph)
		printf(", \"graph\": %" PRIu32, row->graph);
	printf(", ");
	json_times("cupti", &row->side[VERIFY_CUPTI], verify->runs, 0);
	printf(", ");
	json_times("vprof", &row->side[VERIFY_VPROF], verify->runs, 1);
	printf(", \"difference_ns\": ");
	if (row->side[VERIFY_CUPTI].count && row->side[VERIFY_VPROF].count)
		printf("%" PRId64, verify_difference(row));
	else
		printf("null");
	printf(", \"near\": %s}", row->good ? "true" : "false");
	return 0;
}

static void json_among(const struct verify *verify, enum verify_side side, const char *name)
{
	printf("\"%s\": {\"share\": %.6f, \"rows_near\": %zu}", name, verify_share_steady(verify, side),
	       verify->steady_count[side]);
}

static void json_runs(const struct verify *verify)
{
	printf(" \"runs\": %u,\n", verify->runs);
	if (verify->runs < 2)
		return;
	printf(" \"among_themselves\": {");
	json_among(verify, VERIFY_CUPTI, "cupti");
	printf(", ");
	json_among(verify, VERIFY_VPROF, "vprof");
	printf("},\n");
}

static void json_wall(const double *wall_s)
{
	const char *comma = "";

	printf(" \"wall_s\": {");
	for (int run = 0; run < VERIFY_RUNS; run++) {
		if (wall_s[run] <= 0)
			continue;
		printf("%s\"%s\": %.3f", comma, verify_run_names[run], wall_s[run]);
		comma = ", ";
	}
	printf("},\n");
}

int verify_print_json(const struct verify *verify, const struct verify_look *look)
{
	size_t rows = look->rows && look->rows < verify->row_count ? look->rows : verify->row_count;
	int error = 0;

	printf("{\"share\": %.6f, \"wanted\": %.2f, \"enough\": %s,\n", verify_share(verify), (double)look->share / 100,
	       verify_enough(verify, look) ? "true" : "false");
	printf(" \"gpu_ns\": %" PRIu64 ", \"rows_near\": %zu, \"rows\": %zu,\n", verify->total_ns, verify->good_count,
	       rows_known(verify));
	json_runs(verify);
	printf(" \"executions\": {\"cupti\": %" PRIu64 ", \"vprof\": %" PRIu64 "},\n", executions(verify, VERIFY_CUPTI),
	       executions(verify, VERIFY_VPROF));
	printf(" \"lost\": {\"cupti\": %" PRIu64 ", \"vprof\": %" PRIu64 "},\n", verify->ops[VERIFY_CUPTI].lost,
	       verify->ops[VERIFY_VPROF].lost);
	if (look->wall_s)
		json_wall(look->wall_s);
	printf(" \"names\": [");
	for (size_t i = 0; i < rows && !error; i++) {
		printf("%s\n", i ? "," : "");
		error = json_row(verify, &verify->rows[i], look);
	}
	printf("]}\n");
	return error;
}
