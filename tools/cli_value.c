/*
 * cli_value.c - numbers, sizes and times as people write them, and the nearest word.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/cli.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit time_units[] = {
	{ "", 1000000000 }, { "s", 1000000000 }, { "ms", 1000000 }, { "us", 1000 },
	{ "ns", 1 }, { "m", 60000000000 }, { "min", 60000000000 }, { "h", 3600000000000 },
	{ 0 },
};

static const struct unit size_units[] = {
	{ "", 1 }, { "b", 1 },
	{ "k", 1ull << 10 }, { "kb", 1ull << 10 }, { "kib", 1ull << 10 },
	{ "m", 1ull << 20 }, { "mb", 1ull << 20 }, { "mib", 1ull << 20 },
	{ "g", 1ull << 30 }, { "gb", 1ull << 30 }, { "gib", 1ull << 30 },
	{ "t", 1ull << 40 }, { "tb", 1ull << 40 }, { "tib", 1ull << 40 },
	{ 0 },
};

/* Decimal digits, with a fraction if need be, and one of the units. */
static int parse_unit(const char *text, const struct unit *units, uint64_t most, uint64_t *value)
{
	unsigned __int128 whole = 0, part = 0, scale = 1;
	const char *p = text;
	int digits = 0;

	for (; isdigit((unsigned char)*p); p++, digits++) {
		whole = whole * 10 + (unsigned int)(*p - '0');
		if (whole > UINT64_MAX)
			return -ERANGE;
	}
	if (*p == '.') {
		for (p++; isdigit((unsigned char)*p); p++, digits++) {
			if (scale >= 1000000000000000) /* finer than any unit */
				continue;
			part = part * 10 + (unsigned int)(*p - '0');
			scale *= 10;
		}
	}
	if (!digits)
		return -EINVAL;
	for (; units->name; units++) {
		if (strcasecmp(units->name, p))
			continue;
		whole = whole * units->factor + part * units->factor / scale;
		if (whole > most)
			return -ERANGE;
		*value = (uint64_t)whole;
		return 0;
	}
	return -EINVAL;
}

int cli_parse_time(const char *text, int64_t *ns)
{
	uint64_t value = 0;
	int error = parse_unit(text, time_units, INT64_MAX, &value);

	if (!error)
		*ns = (int64_t)value;
	return error;
}

int cli_parse_size(const char *text, uint64_t *bytes)
{
	return parse_unit(text, size_units, UINT64_MAX, bytes);
}

int cli_parse_count(const char *text, uint64_t *count)
{
	static const struct unit none[] = { { "", 1 }, { 0 } };

	if (strchr(text, '.'))
		return -EINVAL;
	return parse_unit(text, none, UINT64_MAX, count);
}

/* Least number of letters to add, drop or change, of words up to 63 letters. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[64], n = (unsigned int)strnlen(b, 63);

	for (unsigned int j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned int i = 1; *a; a++, i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (unsigned int j = 1; j <= n; j++) {
			unsigned int above = row[j], best = diagonal + (*a != b[j - 1]);

			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = above;
			row[j] = best;
		}
	}
	return row[n];
}

const char *cli_nearest(const char *word, const char *const *words, size_t count)
{
	unsigned int limit = (unsigned int)strlen(word) / 3 + 1, least = limit + 1;
	const char *best = NULL;

	for (size_t i = 0; i < count; i++) {
		unsigned int d = distance(word, words[i]);

		if (d < least) {
			least = d;
			best = words[i];
		}
	}
	return best;
}

char *cli_size_text(char *text, size_t size, uint64_t bytes)
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	int unit = 0;

	while (value >= 1024 && unit < 6) {
		value /= 1024;
		unit++;
	}
	snprintf(text, size, unit && value < 100 && value != (uint64_t)value ? "%.1f %s" : "%.0f %s",
		 value, names[unit]);
	return text;
}

char *cli_time_text(char *text, size_t size, uint64_t ns)
{
	if (ns < 1000)
		snprintf(text, size, "%u ns", (unsigned int)ns);
	else if (ns < 1000000)
		snprintf(text, size, "%.1f us", (double)ns / 1e3);
	else if (ns < 1000000000)
		snprintf(text, size, "%.1f ms", (double)ns / 1e6);
	else if (ns < 120000000000)
		snprintf(text, size, "%.1f s", (double)ns / 1e9);
	else if (ns < 7200000000000)
		snprintf(text, size, "%.1f min", (double)ns / 60e9);
	else
		snprintf(text, size, "%.1f h", (double)ns / 3600e9);
	return text;
}
