/*
 * merge.c - several runs of each side in one comparison of `vprof verify`, on heaps of executions made by hand.
 */
#include "tests/tap.h"
#include "tests/verify/heaps.h"

/* A run in which each of `name`'s executions, three a side, took so long; 0: it has none. */
static void add_run(struct verify *verify, const char *name, uint64_t cupti, uint64_t vprof)
{
	for (uint64_t i = 0; i < 3; i++) {
		if (cupti)
			add(verify, VERIFY_CUPTI, name, i, cupti);
		if (vprof)
			add(verify, VERIFY_VPROF, name, i, vprof);
	}
}

static void runs(void)
{
	static const struct {
		const char *name;
		uint64_t cupti[3], vprof[3];
		int good, steady, vprof_steady;
	} cases[] = {
		{ "to and fro", { 2560, 2816, 2816 }, { 2816, 2560, 2820 }, 1, 1, 1 },
		{ "where one pair says no", { 2500, 2500, 2900 }, { 2800, 2600, 2500 }, 1, 0, 1 },
		{ "at the bound", { 4000, 4400, 4200 }, { 4200, 4200, 4200 }, 1, 1, 1 },
		{ "beyond it", { 3000, 3602, 3301 }, { 3301, 3301, 3301 }, 1, 0, 1 },
		{ "off in each", { 1000, 1000, 1000 }, { 1300, 1300, 1300 }, 0, 1, 1 },
		{ "not in the second run of CUPTI", { 1000, 0, 1000 }, { 1000, 1000, 1000 }, 1, 0, 1 },
		{ "not in the first of vprof", { 1000, 1000, 1000 }, { 0, 1100, 1100 }, 1, 1, 0 },
	};
	enum { CASES = sizeof(cases) / sizeof(cases[0]) };
	struct verify v = { 0 };
	const struct verify_times *cupti;

	for (size_t run = 0; run < 3; run++) {
		for (size_t i = 0; i < CASES; i++) /* in another order each time */
			add_run(&v, cases[(i + run) % CASES].name, cases[(i + run) % CASES].cupti[run],
				cases[(i + run) % CASES].vprof[run]);
		close_run(&v, 1, 0);
	}
	verify_compare(&v);
	ok(v.row_count == CASES, "the runs' rows of one name are one");
	for (size_t i = 0; i < CASES; i++) {
		const struct verify_row *row = row_of(&v, cases[i].name, 0);

		ok(row->good == cases[i].good && row->steady[VERIFY_CUPTI] == cases[i].steady &&
		   row->steady[VERIFY_VPROF] == cases[i].vprof_steady, "%s", cases[i].name);
	}
	cupti = &row_of(&v, "to and fro", 0)->side[VERIFY_CUPTI];
	ok(cupti->count == 6 && cupti->total_ns == 2 * (2560 + 2816 + 2816),
	   "sums are of all runs, warm-up is left out of each");
	ok(cupti->median_ns == 2731 && cupti->medians_ns[0] == 2560 && cupti->medians_ns[2] == 2816,
	   "the median is the mean of the runs' medians, which stay");
	cupti = &row_of(&v, "not in the second run of CUPTI", 0)->side[VERIFY_CUPTI];
	ok(cupti->runs == 5 && cupti->median_ns == 1000, "a run without executions is none of the mean's");
	ok(v.steady_ns[VERIFY_CUPTI] == v.total_ns - 2 * (7900 + 9903 + 2000) && v.steady_count[VERIFY_CUPTI] == 4,
	   "the steady share of CUPTI");
	ok(v.steady_ns[VERIFY_VPROF] == v.total_ns - 6000 && v.steady_count[VERIFY_VPROF] == 6,
	   "and of vprof, by CUPTI's time");
	verify_free(&v);
}

/* Name "late" has a shape in the first run, and in the second none. */
static void add_late(struct verify *verify)
{
	add_bimodal(verify, "early");
	add_bimodal(verify, "late");
	close_run(verify, 0, 0);
	add_bimodal(verify, "early");
	add_bimodal(verify, "late");
	add_shaped(verify, VERIFY_VPROF, "late", 0, 1, 5000);
	close_run(verify, 0, 0);
}

static void runs_and_shapes(void)
{
	struct verify v = { 0 };

	add_late(&v);
	ok(v.stale, "a name whose shape one run does not know makes the earlier rows stale");
	verify_restart(&v);
	add_late(&v);
	ok(!v.stale, "once");
	verify_compare(&v);
	ok(v.row_count == 3 && row_of(&v, "late", 0)->side[VERIFY_VPROF].count == 19, "then it is one row in all runs");
	ok(row_shaped(&v, "early", 132)->side[VERIFY_CUPTI].count == 10, "and others are as they were");
	verify_free(&v);
}

static void runs_and_graphs(void)
{
	struct verify v = { 0 };

	for (uint32_t run = 0; run < 2; run++) {
		add_graph(&v, VERIFY_CUPTI, 0, 7 + run, 1, 1000); /* numbers are of a run */
		add_graph(&v, VERIFY_VPROF, 0, 1 + run, 1, 1100);
		close_run(&v, 0, 1);
	}
	ok(!v.graphs_vary && v.graphs[VERIFY_CUPTI] == 1 && v.row_count == 1 && v.rows[0].graph == 1,
	   "graphs of all runs find each other");
	for (uint32_t number = 1; number < 3; number++) {
		add_graph(&v, VERIFY_CUPTI, 0, number, number, 1000);
		add_graph(&v, VERIFY_VPROF, 0, number, number, 1100);
	}
	close_run(&v, 0, 1);
	ok(v.graphs_vary, "a run that has another number of them is noted, where its sides have as many");
	verify_free(&v);
}

int main(void)
{
	runs();
	runs_and_shapes();
	runs_and_graphs();
	return done_testing();
}
