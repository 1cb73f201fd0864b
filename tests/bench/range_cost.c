/*
 * range_cost.c - what a recorded range adds: a push and its pop, as NVTX calls them.
 *
 * Runs under the preload with the fake driver, and takes the place of a program's NVTX: it asks the
 * library for its functions. Block by block in turn:
 *   anchor      two reads of the tick counter and one 64-byte store, as for a recorded launch
 *   registered  the name is a registered string
 *   repeated    the name comes with each push, and is always the same
 *   new         the name comes with each push, and never again
 *   disabled    as registered, the control word off
 * A figure is the median over rounds. Time is the thread's CPU time.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>
#include "preload/nvtx_abi.h"
#include "tests/bench/row.h"
#include "vprof/ring.h"

enum { BLOCK = 20000, ROUNDS = 40, WARM = 3, ANCHOR_BYTES = 64 << 20, NAME = 32 };
enum arm { ANCHOR, REGISTERED, REPEATED, NEW, DISABLED, ARMS };

static nvtx_function core2_functions[16], core_functions[16];
static nvtx_function *core2[16], *core[16];
static uint64_t *anchor_buffer;
static char (*names)[NAME];
static int control = -1;

static void die(const char *what)
{
	fprintf(stderr, "range_cost: %s\n", what);
	exit(1);
}

/* ---- in place of NVTX ---- */

static int module_functions(int module, nvtx_function ***list, unsigned *size)
{
	*list = module == NVTX_MODULE_CORE ? core : module == NVTX_MODULE_CORE2 ? core2 : NULL;
	*size = 16;
	return *list != NULL;
}

static const void *get_table(uint32_t table)
{
	static const struct nvtx_callbacks callbacks = { sizeof(callbacks), module_functions };

	return table == NVTX_TABLE_CALLBACKS ? &callbacks : NULL;
}

static void *domain;
static struct nvtx_attributes attributes = { .version = 3, .size = sizeof(attributes) };

#define PUSH ((int (*)(void *, const struct nvtx_attributes *))core2_functions[4])
#define POP  ((int (*)(void *))core2_functions[5])

static void find_functions(void)
{
	int (*initialize)(nvtx_get_table) = (int (*)(nvtx_get_table))dlsym(RTLD_DEFAULT, "InitializeInjectionNvtx2");

	for (int i = 0; i < 16; i++) {
		core[i] = &core_functions[i];
		core2[i] = &core2_functions[i];
	}
	if (!initialize || !initialize(get_table) || !core2_functions[4])
		die("the library offers no NVTX: run under LD_PRELOAD=libvprof.so");
	domain = ((void *(*)(const char *))core2_functions[12])("bench");
	attributes.message.registered = ((void *(*)(void *, const char *))core2_functions[10])(domain, "a registered name");
}

/* Ranges make no ring: a driver call does. */
static void find_ring(void)
{
	void *driver = dlopen("libcuda.so.1", RTLD_NOW);
	int (*synchronize)(void) = driver ? (int (*)(void))dlsym(driver, "cuCtxSynchronize") : NULL;
	char pattern[4096];
	glob_t found;

	if (!synchronize)
		die("no driver");
	synchronize();
	snprintf(pattern, sizeof(pattern), "%s/*.%d.*.ring", getenv("VPROF_OUT"), getpid());
	if (glob(pattern, 0, NULL, &found) || found.gl_pathc != 1)
		die("no ring of this process in VPROF_OUT");
	control = open(found.gl_pathv[0], O_RDWR);
	if (control < 0)
		die("cannot open the ring");
	globfree(&found);
}

static void set_control(int on)
{
	uint32_t word = 0;

	if (on && pread(control, &word, sizeof(word), VPROF_CONTROL_OFFSET + offsetof(struct vprof_ring_control, groups)) !=
		  sizeof(word))
		die("cannot read the control page");
	if (pwrite(control, &word, sizeof(word), VPROF_CONTROL_OFFSET) != sizeof(word))
		die("cannot write the control word");
}

/* ---- the blocks ---- */

static void run_anchor(size_t from)
{
	for (size_t i = from; i < from + BLOCK; i++)
		bench_anchor(anchor_buffer, ANCHOR_BYTES / 64, i);
}

static void run_ranges(enum arm arm, size_t round)
{
	struct nvtx_attributes a = attributes;

	a.message_type = arm == REPEATED || arm == NEW ? NVTX_MESSAGE_ASCII : NVTX_MESSAGE_REGISTERED;
	for (size_t i = 0; i < BLOCK; i++) {
		if (arm == REPEATED)
			a.message.ascii = "a name that comes each time";
		else if (arm == NEW)
			a.message.ascii = names[round * BLOCK + i];
		PUSH(domain, &a);
		POP(domain);
	}
}

static double block_ns(enum arm arm, size_t round)
{
	double start;

	set_control(arm != DISABLED);
	start = bench_clock(CLOCK_THREAD_CPUTIME_ID);
	if (arm == ANCHOR)
		run_anchor(round * BLOCK);
	else
		run_ranges(arm, round);
	return (bench_clock(CLOCK_THREAD_CPUTIME_ID) - start) / BLOCK;
}

int main(void)
{
	static double samples[ARMS][ROUNDS];
	double anchor;

	anchor_buffer = aligned_alloc(64, ANCHOR_BYTES);
	names = malloc((size_t)(ROUNDS + WARM) * BLOCK * NAME);
	if (!anchor_buffer || !names)
		die("no memory");
	memset(anchor_buffer, 1, ANCHOR_BYTES);
	for (int i = 0; i < (ROUNDS + WARM) * BLOCK; i++)
		snprintf(names[i], NAME, "execute step %d", i);
	find_functions();
	find_ring();
	for (int i = 0; i < ROUNDS + WARM; i++)
		for (int arm = 0; arm < ARMS; arm++)
			samples[arm][i < WARM ? 0 : i - WARM] = block_ns((enum arm)arm, (size_t)i);
	anchor = bench_median(samples[ANCHOR], ROUNDS);
	bench_ratio("recorded range, registered name", bench_median(samples[REGISTERED], ROUNDS), "ns", anchor, 4);
	bench_ratio("recorded range, repeated name", bench_median(samples[REPEATED], ROUNDS), "ns", anchor, 6);
	bench_info("recorded range, new name", bench_median(samples[NEW], ROUNDS), "ns", anchor);
	bench_info("range not recorded", bench_median(samples[DISABLED], ROUNDS), "ns", anchor);
	return 0;
}
