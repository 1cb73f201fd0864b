/*
 * table.c - the table of hooked functions keeps its order and its rules.
 *
 * tests/shim/ids.txt has one line for each row, in order: rings of older builds name
 * their calls by these ids. A new row adds a line at its end.
 */
#include <string.h>
#include "tests/tap.h"
#include "shim/cuda_api.h"

struct row {
	const char *symbol, *base, *style;
	int version, flags, nargs, alias;
};

#define CU_ROW(symbol, base, version, flags, family, style, nargs) \
	{ #symbol, #base, #style, version, flags, nargs, 0 },
#define CU_ALIAS(symbol, base, version, flags, family, style, nargs) \
	{ #symbol, #base, #style, version, flags, nargs, 1 },
static const struct row rows[] = {
	{ "", "", "", 0, 0, 0, 0 },
#include "shim/cuda_api.def"
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void test_order(void)
{
	FILE *f = fopen("tests/shim/ids.txt", "r");
	char name[128];
	int id, line = 0, moved = 0;

	while (f && fscanf(f, "%d %127s", &id, name) == 2) {
		line++;
		if (id == line && line < ROWS && !strcmp(rows[line].symbol, name))
			continue;
		moved++;
		printf("# id %d was %s and is %s\n", id, name, line < ROWS ? rows[line].symbol : "gone");
	}
	if (f)
		fclose(f);
	ok(line > 0 && !moved, "no id has changed its function");
	ok(line == ROWS - 1, "every row is in ids.txt (%d of %d)", line, ROWS - 1);
}

static void test_distinct(void)
{
	int same = 0;

	for (int i = 1; i < ROWS; i++)
		for (int k = i + 1; k < ROWS; k++)
			if (!strcmp(rows[i].symbol, rows[k].symbol) ||
			    (!strcmp(rows[i].base, rows[k].base) && rows[i].version == rows[k].version &&
			     rows[i].flags == rows[k].flags)) {
				printf("# %s and %s\n", rows[i].symbol, rows[k].symbol);
				same++;
			}
	ok(!same, "no two rows have one symbol, or one base, version and flags");
}

static int starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

static void test_rules(void)
{
	int bad = 0;

	for (int i = 1; i < ROWS; i++) {
		const struct row *r = &rows[i];
		int per_thread = strstr(r->symbol, "_ptsz") || strstr(r->symbol, "_ptds");

		if (starts_with(r->symbol, r->base) && r->nargs >= 0 && r->nargs <= 16 && r->version >= 2000 &&
		    r->flags == (per_thread ? 2 : 0))
			continue;
		printf("# %s\n", r->symbol);
		bad++;
	}
	ok(!bad, "every row's base, flags, version and arguments make sense");
	ok((int)CU_ID_COUNT == (int)ROWS && CU_ID_cuLaunch == 1, "ids count from 1");
}

int main(void)
{
	test_order();
	test_distinct();
	test_rules();
	return done_testing();
}
