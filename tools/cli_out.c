/*
 * cli_out.c - colours, the end of stdout, aligned tables, progress, JSON strings.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/cli.h"
#include "tools/list.h"
#include "tools/now.h"
#include "tools/text.h"

const char *cli_colour(FILE *out, enum cli_colour colour)
{
	static const char *const codes[] = {
		[CLI_PLAIN] = "\033[0m", [CLI_BOLD] = "\033[1m", [CLI_DIM] = "\033[2m",
		[CLI_RED] = "\033[31m", [CLI_GREEN] = "\033[32m", [CLI_YELLOW] = "\033[33m",
	};
	const char *term = getenv("TERM"), *off = getenv("NO_COLOR");

	if ((off && *off) || !term || !strcmp(term, "dumb") || !isatty(fileno(out)))
		return "";
	return codes[colour];
}

char *cli_clean(char *text)
{
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return text;
}

int cli_finish(const char *program)
{
	/* A reader that has seen enough (head, less) is no failure worth a message. */
	if (!fflush(stdout) && !ferror(stdout))
		return CLI_OK;
	if (errno != EPIPE)
		fprintf(stderr, "%s: cannot write: %s\n", program, strerror(errno));
	return CLI_FAILED;
}

struct cli_table {
	char columns[32];
	size_t column_count;
	char **cells;
	size_t count;
	int error;
};

struct cli_table *cli_table_new(const char *columns)
{
	struct cli_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	snprintf(table->columns, sizeof(table->columns), "%s", columns);
	table->column_count = strlen(table->columns);
	return table;
}

__attribute__((format(printf, 2, 0)))
static void add_cell(struct cli_table *table, const char *format, va_list args)
{
	char *text;

	if (list_grow(table->cells, table->count) || vasprintf(&text, format, args) < 0)
		table->error = -ENOMEM;
	else
		table->cells[table->count++] = cli_clean(text);
}

void cli_table_cell(struct cli_table *table, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_cell(table, format, args);
	va_end(args);
}

void cli_table_words(struct cli_table *table, const char *const *words)
{
	for (; *words; words++)
		cli_table_cell(table, "%s", *words);
}

void cli_table_pair(struct cli_table *table, const char *key, const char *format, ...)
{
	va_list args;

	cli_table_cell(table, "%s", key);
	va_start(args, format);
	add_cell(table, format, args);
	va_end(args);
}

/* Columns that a text takes: its characters, not its bytes. */
static int text_width(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static void put_cell(const struct cli_table *table, FILE *out, size_t column, const char *text,
		     int width)
{
	int pad = width - text_width(text);

	if (table->columns[column] == 'r')
		fprintf(out, "%*s%s", pad, "", text);
	else if (column + 1 < table->column_count)
		fprintf(out, "%s%*s", text, pad, "");
	else
		fputs(text, out);
	fputs(column + 1 < table->column_count ? "  " : "\n", out);
}

int cli_table_print(struct cli_table *table, FILE *out, int indent)
{
	int width[32] = { 0 }, error = table->error;
	size_t rows = table->column_count ? table->count / table->column_count : 0;

	for (size_t i = 0; i < rows * table->column_count; i++) {
		int w = text_width(table->cells[i]);

		if (w > width[i % table->column_count])
			width[i % table->column_count] = w;
	}
	for (size_t i = 0; i < rows * table->column_count; i++) {
		size_t column = i % table->column_count;

		if (!column)
			fprintf(out, "%*s", indent, "");
		put_cell(table, out, column, table->cells[i], width[column]);
	}
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
	return error;
}

void cli_progress_begin(struct cli_progress *progress, const char *what, uint64_t total)
{
	*progress = (struct cli_progress){ .what = what, .total = total };
	progress->enabled = isatty(STDERR_FILENO);
	if (progress->enabled)
		progress->start_ns = progress->shown_ns = now_ns(CLOCK_MONOTONIC_COARSE);
}

void cli_progress_at(struct cli_progress *progress, uint64_t done)
{
	uint64_t now;

	if (!progress->enabled)
		return;
	now = now_ns(CLOCK_MONOTONIC_COARSE);
	if (now - progress->start_ns < 1000000000 || now - progress->shown_ns < 100000000)
		return;
	progress->shown_ns = now;
	progress->shown = 1;
	if (progress->total)
		fprintf(stderr, "\r%s: %3.0f %%\033[K", progress->what,
			100.0 * (double)done / (double)progress->total);
	else
		fprintf(stderr, "\r%s: %llu\033[K", progress->what, (unsigned long long)done);
}

void cli_progress_end(struct cli_progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->enabled = progress->shown = 0;
}

void cli_json_string(FILE *out, const char *text)
{
	struct buffer buffer = { 0 };

	buffer_add_json(&buffer, text);
	fputc('"', out);
	if (buffer.used)
		fwrite(buffer.data, 1, buffer.used, out);
	fputc('"', out);
	buffer_free(&buffer);
}
