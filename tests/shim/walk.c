/*
 * walk.c - every driver function by name, version and flags: is what we are given what the
 * driver gives, behind our wrapper where there is one?
 *
 * walk [--time]. Runs under the preload, over a stub of the driver or a real one. The driver's own
 * answer is had by its exported functions' addresses, read from its tables, past our hooks.
 * Where the two answers differ, ours has to be the wrapper of the very function that the
 * driver gave, which its exported name tells.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>
#include "preload/elf.h"
#include "tests/bench/row.h"
#include "tests/tap.h"

typedef int (*lookup_fn)(const char *base, void **entry, int version, uint64_t flags, int *status);

static const struct row {
	const char *symbol, *base;
	int version, flags, alias, gate;
} rows[] = {
#define TYPED 0
#define PLAIN 0
#define GATE 1
#define CU_ROW(symbol, base, version, flags, family, style, nargs) { #symbol, #base, version, flags, 0, style },
#define CU_ALIAS(symbol, base, version, flags, family, style, nargs) { #symbol, #base, version, flags, 1, style },
#define CU_EXCEPT(symbol, reason) { #symbol, #symbol, 0, 0, 0, 0 },
#include "shim/cuda_api.def"
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static struct vprof_object driver;
static lookup_fn ours, theirs;
static int wrong, wrapped, same, passed;

/* Does it lie in the preload, where our cuGetProcAddress does? */
static int is_ours(const void *address, Dl_info *info)
{
	Dl_info gate;

	return dladdr(address, info) && dladdr((void *)ours, &gate) && info->dli_fbase == gate.dli_fbase;
}

static const struct row *row_of(const char *symbol)
{
	for (int i = 0; i < ROWS; i++)
		if (!strcmp(rows[i].symbol, symbol))
			return &rows[i];
	return NULL;
}

/* An exported function with a row, other than an exception, has this address in the driver. */
static const char *hooked_at(const void *address)
{
	for (int i = 0; i < ROWS; i++)
		if (rows[i].version && !rows[i].alias && vprof_object_symbol(&driver, rows[i].symbol) == address)
			return rows[i].symbol;
	return NULL;
}

/* What `given` stands for, with `real` the driver's answer: 0 when that is right. */
static int compare(const char *what, int version, int flags, void *given, void *real)
{
	const struct row *row;
	Dl_info info;

	if (given == real) {
		same++;
		if (!given || !hooked_at(given))
			return 0;
		printf("# %s %d %d: %s escapes\n", what, version, flags, hooked_at(given));
		return 1;
	}
	wrapped++;
	if (!given || !real || !is_ours(given, &info)) {
		printf("# %s %d %d: %p for %p\n", what, version, flags, given, real);
		return 1;
	}
	row = info.dli_sname ? row_of(info.dli_sname) : NULL;
	if (row && vprof_object_symbol(&driver, row->symbol) == real && info.dli_saddr == given)
		return 0;
	/* At an address of its own the driver gives out its gates, and forms that it does not export. */
	for (int i = 0; i < ROWS; i++)
		if ((rows[i].gate || rows[i].alias) && !strcmp(rows[i].base, what) && rows[i].version <= version) {
			passed++;
			return 0;
		}
	printf("# %s %d %d: %s for %p\n", what, version, flags, info.dli_sname ? info.dli_sname : "?", real);
	return 1;
}

static void walk_versions(const char *base)
{
	for (int flags = 0; flags <= 2; flags += 2)
		for (int i = 0; i < ROWS; i++) {
			void *given = NULL, *real = NULL;
			int version = rows[i].version, seen = 0, a, b, status = -1, real_status = -1;

			for (int k = 0; k < i && !seen; k++)
				seen = rows[k].version == version;
			if (seen)
				continue;
			a = ours(base, &given, version, (uint64_t)flags, &status);
			b = theirs(base, &real, version, (uint64_t)flags, &real_status);
			if (a != b || status != real_status) {
				printf("# %s %d %d: result %d status %d, not %d %d\n", base, version, flags, a, status, b,
				       real_status);
				wrong++;
			}
			wrong += compare(base, version, flags, given, real);
		}
}

static void walk(void *handle)
{
	for (int i = 0; i < ROWS; i++) {
		int seen = 0;

		for (int k = 0; k < i && !seen; k++)
			seen = !strcmp(rows[k].base, rows[i].base);
		if (!seen)
			walk_versions(rows[i].base);
	}
	ok(!wrong, "cuGetProcAddress: every base name, version and flag (%d wrong; %d wrapped, %d as they are, %d by name)",
	   wrong, wrapped, same, passed);
	ok(wrapped > ROWS, "most are wrapped");
	wrong = wrapped = same = 0;
	for (int i = 0; i < ROWS; i++)
		if (!rows[i].alias)
			wrong += compare(rows[i].symbol, 0, 0, dlsym(handle, rows[i].symbol),
					 vprof_object_symbol(&driver, rows[i].symbol));
	ok(!wrong, "dlsym: every exported name (%d wrong; %d wrapped, %d as they are)", wrong, wrapped, same);
}

/* ---- what lookups cost ---- */

static double now_us(void)
{
	return bench_clock(CLOCK_THREAD_CPUTIME_ID) / 1e3;
}

/* Lookups of a large engine's process: 1,323 by cuGetProcAddress, 259 by dlsym. */
enum { BY_GATE = 1323, BY_DLSYM = 259 };

static double pass(void *handle, int direct)
{
	double start = now_us();
	void *entry;

	for (int i = 0; i < BY_GATE; i++)
		(direct ? theirs : ours)(rows[i % ROWS].base, &entry, 13000, 0, NULL);
	for (int i = 0; i < BY_DLSYM; i++)
		entry = direct ? vprof_object_symbol(&driver, rows[i % ROWS].symbol) : dlsym(handle, rows[i % ROWS].symbol);
	return now_us() - start;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

/* The first lookup finds all functions; the others cost what they cost. */
static void tell_cost(void *handle, double first)
{
	double hooked = 1e9, direct = 1e9;

	for (int round = 0; round < 20; round++) {
		hooked = least(hooked, pass(handle, 0));
		direct = least(direct, pass(handle, 1));
	}
	bench_limit("lookups_1582_added", first + hooked - direct, "us", 1000);
}

int main(int argc, char **argv)
{
	void *handle = dlopen("libcuda.so.1", RTLD_NOW);
	double start;

	if (!handle || vprof_object_find("libcuda.so", &driver)) {
		printf("1..0 # SKIP no driver\n");
		return 0;
	}
	start = now_us();
	ours = (lookup_fn)dlsym(handle, "cuGetProcAddress_v2");
	start = now_us() - start;
	theirs = (lookup_fn)vprof_object_symbol(&driver, "cuGetProcAddress_v2");
	if (!ours || !theirs || ours == theirs) {
		printf("Bail out! no cuGetProcAddress_v2, or no preload\n");
		return 1;
	}
	if (argc > 1 && !strcmp(argv[1], "--time")) {
		tell_cost(handle, start);
		return 0;
	}
	walk(handle);
	return done_testing();
}
