/*
 * compare.c - the comparison of `vprof verify` on heaps of executions made by hand.
 */
#include "tests/tap.h"
#include "tests/verify/heaps.h"

static void medians_and_bounds(void)
{
	struct verify v = { 0 };
	static const struct { const char *name; uint64_t cupti, vprof; int good; } cases[] = {
		{ "short, 200 ns more", 1000, 1200, 1 }, { "short, 201 ns more", 1000, 1201, 0 },
		{ "short, 200 ns less", 1000, 800, 1 }, { "short, 201 ns less", 1000, 799, 0 },
		{ "long, 5 % more", 100000, 105000, 1 }, { "long, above 5 %", 100000, 105001, 0 },
		{ "long, 5 % less", 100000, 95000, 1 }, { "long, below 5 %", 100000, 94999, 0 },
		{ "where both are one", 4000, 4200, 1 }, { "and a ns more", 4000, 4201, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		add(&v, VERIFY_CUPTI, cases[i].name, 0, cases[i].cupti);
		add(&v, VERIFY_VPROF, cases[i].name, 0, cases[i].vprof);
	}
	compare(&v, 0, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ok(row_of(&v, cases[i].name, 0)->good == cases[i].good, "%s", cases[i].name);
	verify_free(&v);
}

static void shares(void)
{
	struct verify v = { 0 };

	for (uint64_t i = 0; i < 3; i++) {
		add(&v, VERIFY_CUPTI, "near", i, 3000);
		add(&v, VERIFY_VPROF, "near", i, i == 1 ? 90000 : 3100); /* one that is far off moves no median */
	}
	add(&v, VERIFY_CUPTI, "far", 0, 500);
	add(&v, VERIFY_VPROF, "far", 0, 900);
	add(&v, VERIFY_CUPTI, "not seen by vprof", 0, 500);
	add(&v, VERIFY_VPROF, "not seen by CUPTI", 0, 100);
	compare(&v, 0, 0);
	ok(v.row_count == 4, "a row a name");
	ok(v.total_ns == 10000 && v.good_ns == 9000, "weighed by CUPTI's time");
	ok(verify_share(&v) > 0.8999 && verify_share(&v) < 0.9001, "the share");
	ok(v.good_count == 1, "a name that only one side has is not near");
	ok(!strcmp(v.names[v.rows[0].name], "near"), "the most GPU time first");
	ok(!strcmp(v.names[v.rows[3].name], "not seen by CUPTI"), "what has none last");
	ok(row_of(&v, "near", 0)->side[VERIFY_VPROF].median_ns == 3100, "the median");
	ok(row_of(&v, "far", 0)->side[VERIFY_CUPTI].count == 1 && verify_difference(row_of(&v, "far", 0)) == 400,
	   "the difference");
	verify_free(&v);
}

static void warm_up(void)
{
	struct verify v = { 0 };

	add(&v, VERIFY_CUPTI, "a", 30, 1000);
	add(&v, VERIFY_CUPTI, "a", 10, 9000);
	add(&v, VERIFY_CUPTI, "a", 20, 8000);
	add(&v, VERIFY_CUPTI, "a", 40, 2000);
	add(&v, VERIFY_VPROF, "a", 2, 1500);
	add(&v, VERIFY_VPROF, "a", 1, 7000);
	add(&v, VERIFY_CUPTI, "b", 5, 1000);
	compare(&v, 2, 0);
	ok(row_of(&v, "a", 0)->side[VERIFY_CUPTI].count == 2, "the first ones by time are left out");
	ok(row_of(&v, "a", 0)->side[VERIFY_CUPTI].median_ns == 1500, "the others are not; two have their mean for median");
	ok(!row_of(&v, "a", 0)->side[VERIFY_VPROF].count, "a side may have nothing left");
	ok(v.row_count == 1, "a name of which nothing is left is no row");
	verify_free(&v);
}

static void graphs(void)
{
	struct verify v = { 0 };

	/* Process 1 was the first on CUPTI's side, process 0 on vprof's; numbers differ as well. */
	add_graph(&v, VERIFY_CUPTI, 1, 70, 100, 1000);
	add_graph(&v, VERIFY_CUPTI, 1, 90, 50, 2000);
	add_graph(&v, VERIFY_CUPTI, 1, 70, 60, 1000);
	add_graph(&v, VERIFY_CUPTI, 0, 5, 200, 3000);
	add_graph(&v, VERIFY_VPROF, 0, 1, 20, 1001);
	add_graph(&v, VERIFY_VPROF, 0, 2, 10, 2001);
	add_graph(&v, VERIFY_VPROF, 1, 1, 90, 3001);
	add(&v, VERIFY_CUPTI, "k", 300, 400);
	add(&v, VERIFY_VPROF, "k", 300, 401);
	compare(&v, 0, 1);
	ok(v.graphs[VERIFY_CUPTI] == 3 && v.graphs[VERIFY_VPROF] == 3, "graphs are counted");
	ok(v.row_count == 4, "a row a graph, and one for what is in none");
	for (uint32_t graph = 0; graph < 4; graph++)
		ok(verify_difference(row_of(&v, "k", graph)) == 1, "graphs of both sides find each other");
	ok(row_of(&v, "k", 1)->side[VERIFY_CUPTI].count == 2, "replays of one graph are one row");
	verify_free(&v);
}

static void graphs_together(void)
{
	struct verify v = { 0 };

	add_graph(&v, VERIFY_CUPTI, 0, 1, 1, 1000);
	add_graph(&v, VERIFY_CUPTI, 0, 2, 2, 1000);
	add(&v, VERIFY_CUPTI, "k", 3, 1000);
	compare(&v, 0, 0);
	ok(v.row_count == 1 && v.rows[0].side[VERIFY_CUPTI].count == 3 && !v.rows[0].graph,
	   "unless they are to be told apart, graphs and streams are one row");
	verify_free(&v);
}

static void kinds_and_names(void)
{
	struct verify v = { 0 };
	struct verify_op copy = op(&v, "64", 0, 10), set = copy;
	uint32_t first, again;
	char name[16];
	int same = 1;

	copy.kind = VERIFY_COPY;
	set.kind = VERIFY_SET;
	verify_add(&v, VERIFY_CUPTI, &copy);
	verify_add(&v, VERIFY_CUPTI, &set);
	compare(&v, 0, 0);
	ok(v.row_count == 2, "a copy and a set of the same bytes are two rows");
	for (uint32_t i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		verify_name(&v, name, &first);
		verify_name(&v, name, &again);
		same &= first == again && !strcmp(v.names[first], name);
	}
	ok(same && v.name_count == 5001, "a name has one number");
	verify_free(&v);
}

static void shapes(void)
{
	struct verify v = { 0 };

	add_bimodal(&v, "agree");
	add_shaped(&v, VERIFY_CUPTI, "swapped", 132, 3, 5700);
	add_shaped(&v, VERIFY_CUPTI, "swapped", 264, 3, 9400);
	add_shaped(&v, VERIFY_VPROF, "swapped", 132, 3, 9400);
	add_shaped(&v, VERIFY_VPROF, "swapped", 264, 3, 5700);
	add_shaped(&v, VERIFY_CUPTI, "one side", 132, 1, 1000);
	add_shaped(&v, VERIFY_CUPTI, "one side", 264, 1, 1000);
	add_shaped(&v, VERIFY_VPROF, "one side", 132, 1, 1000);
	add_shaped(&v, VERIFY_VPROF, "one side", 528, 1, 1000);
	compare(&v, 0, 0);
	ok(v.row_count == 7, "a row a name and shape");
	ok(row_shaped(&v, "agree", 132)->good && row_shaped(&v, "agree", 264)->good, "shapes that agree are near");
	ok(verify_difference(row_shaped(&v, "agree", 264)) == 50, "each by its own median");
	ok(row_shaped(&v, "swapped", 132)->side[VERIFY_VPROF].count == 3 && !row_shaped(&v, "swapped", 132)->good &&
	   row_shaped(&v, "swapped", 264)->side[VERIFY_VPROF].count == 3 && !row_shaped(&v, "swapped", 264)->good,
	   "two whose times are swapped are not, though the name's median agrees");
	ok(row_shaped(&v, "one side", 132)->good && row_shaped(&v, "one side", 264)->side[VERIFY_CUPTI].count == 1 &&
	   !row_shaped(&v, "one side", 264)->good && row_shaped(&v, "one side", 528)->side[VERIFY_VPROF].count == 1 &&
	   !row_shaped(&v, "one side", 528)->good, "nor is a shape that one side has not seen");
	ok(v.total_ns == 5 * 5700 + 4 * 9400 + 3 * (5700 + 9400) + 2000 && v.good_ns == 5 * 5700 + 4 * 9400 + 1000,
	   "nor does its time count as near");
	verify_free(&v);
}

static void shapes_not_known(void)
{
	static const struct verify_shape none[] = {
		{ { 0, 0, 0 }, { 0, 0, 0 } }, { { 132, 1, 0 }, { 128, 1, 1 } }, { { 132, 1, 1 }, { 128, 0, 1 } },
		{ { 132, 1, 1 }, { 1025, 1, 1 } }, { { 132, 1, 1 }, { 32, 33, 1 } },
		{ { 132, 1, 1 }, { UINT32_MAX, UINT32_MAX, UINT32_MAX } },
	};
	static const struct verify_shape most = { { UINT32_MAX, 1, 1 }, { 32, 1, 32 } };

	for (size_t i = 0; i <= sizeof(none) / sizeof(none[0]); i++) {
		int known = i == sizeof(none) / sizeof(none[0]);

		for (int side = 0; side < VERIFY_SIDES; side++) {
			struct verify v = { 0 };
			struct verify_op one = op(&v, "k", 100, side == VERIFY_CUPTI ? 5700 : 9400);

			add_bimodal(&v, "k");
			add_bimodal(&v, "other");
			one.shape = known ? most : none[i];
			verify_add(&v, (enum verify_side)side, &one);
			compare(&v, 0, 0);
			if (known)
				ok(v.row_count == 5, "the largest block that there can be is a shape");
			else
				ok(v.row_count == 3 && row_shaped(&v, "k", 0)->side[VERIFY_CUPTI].count +
				   row_shaped(&v, "k", 0)->side[VERIFY_VPROF].count == 19 && !row_shaped(&v, "k", 0)->good,
				   "one without a shape, %zu of side %d: its name is one row, whose medians differ", i, side);
			verify_free(&v);
		}
	}
}

static void shapes_and_graphs(void)
{
	struct verify v = { 0 };
	struct verify_op one = op(&v, "k", 1, 1000), copy = op(&v, "64", 1, 1000);

	one.shape = (struct verify_shape){ { 1, 1, 1 }, { 32, 1, 1 } };
	for (uint32_t graph = 0; graph < 2; graph++) {
		one.graph = graph;
		verify_add(&v, VERIFY_CUPTI, &one);
		one.shape.block[2] = 2;
		verify_add(&v, VERIFY_CUPTI, &one);
		one.shape.block[2] = 1;
	}
	copy.kind = VERIFY_COPY;
	verify_add(&v, VERIFY_CUPTI, &copy);
	copy.shape = one.shape;
	verify_add(&v, VERIFY_CUPTI, &copy);
	add_shaped(&v, VERIFY_CUPTI, "of one shape", 132, 2, 1000);
	compare(&v, 0, 1);
	ok(v.row_count == 6, "a row a block and a graph, and copies have no shape");
	for (size_t i = 0; i < v.row_count; i++)
		ok(v.rows[i].shaped == (v.rows[i].name == one.name), "a name of two shapes is marked in each of its rows");
	verify_free(&v);
}

static void nothing_at_all(void)
{
	struct verify v = { 0 };

	compare(&v, 0, 1);
	ok(!v.row_count && verify_share(&v) == 0, "nothing is no share");
	verify_free(&v);
}

int main(void)
{
	medians_and_bounds();
	shares();
	warm_up();
	graphs();
	graphs_together();
	kinds_and_names();
	shapes();
	shapes_not_known();
	shapes_and_graphs();
	nothing_at_all();
	return done_testing();
}
