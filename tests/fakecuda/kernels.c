/*
 * kernels.c - what a kernel of the fake GPU does: its name decides.
 *
 * The name's form spin_<N>us (or ns, ms) anywhere in it sets how long the
 * kernel takes, trigger_<N>us how long after its begin it executes griddepcontrol.launch_dependents
 * (at its end when the name does not say), gridwait that it begins with griddepcontrol.wait,
 * regs_<N> how many registers it needs (32), and smem_<N> how many bytes of
 * static shared memory (0). A name of the table below, at the start of the kernel's name,
 * lets a host function stand for the kernel. The layout given there is used
 * for kernels of the image "fake"; those of a PTX image bring their own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fakecuda/fake.h"
#include "tests/fakecuda/stamps.h"

struct add_args { int *p; uint32_t n; };
struct set_args { int *p; uint32_t n, value; };
struct copy_args { int *to; const int *from; uint32_t n; };

static void run_add_one(struct fk_run *run, const void *args)
{
	struct add_args a = *(const struct add_args *)args;

	(void)run;
	for (uint32_t i = 0; i < a.n; i++)
		a.p[i]++;
}

static void run_double(struct fk_run *run, const void *args)
{
	struct add_args a = *(const struct add_args *)args;

	(void)run;
	for (uint32_t i = 0; i < a.n; i++)
		a.p[i] *= 2;
}

static void run_set(struct fk_run *run, const void *args)
{
	struct set_args a = *(const struct set_args *)args;

	(void)run;
	for (uint32_t i = 0; i < a.n; i++)
		a.p[i] = (int)a.value;
}

static void run_copy(struct fk_run *run, const void *args)
{
	struct copy_args a = *(const struct copy_args *)args;

	(void)run;
	memmove(a.to, a.from, a.n * sizeof(int));
}

static void run_fault(struct fk_run *run, const void *args)
{
	(void)run;
	(void)args;
	fk_sticky_set(CUDA_ERROR_ILLEGAL_ADDRESS);
}

/* Never ends, nor does anything behind it begin. */
static void run_hang(struct fk_run *run, const void *args)
{
	(void)run;
	(void)args;
	for (;;)
		pause();
}

/* Until the host has set the word to 0. */
static void run_hang_while(struct fk_run *run, const void *args)
{
	const volatile int *word = *(const volatile int *const *)args;

	(void)run;
	while (*word)
		usleep(1000);
}

#define LAYOUT(...) { .count = FK_COUNT(((int[]){ __VA_ARGS__ })), .size = { __VA_ARGS__ } }
enum { TIMED = 1 << 0, WAITS = 1 << 1, HOST = 1 << 2, RELEASES = 1 << 3 }; /* as CUfunc_st has them */
static const struct {
	const char *name;
	fk_kernel_fn *run;
	struct fk_layout layout;
	int is;
} kernels[] = {
	{ "add_one", run_add_one, LAYOUT(8, 4), 0 },
	{ "double_it", run_double, LAYOUT(8, 4), 0 },
	{ "set_all", run_set, LAYOUT(8, 4, 4), 0 },
	{ "copy_ints", run_copy, LAYOUT(8, 8, 4), 0 },
	{ "stamp", fk_run_stamp, LAYOUT(8), TIMED },
	{ "vprof_stamp", fk_run_stamp, LAYOUT(8), TIMED | WAITS },
	{ "vprof_stamp_plain", fk_run_stamp, LAYOUT(8), TIMED },
	{ "vprof_stamp_early", fk_run_stamp, LAYOUT(8), TIMED | WAITS | RELEASES },
	{ "vprof_follower", NULL, { 0 }, TIMED | WAITS },
	{ "vprof_timed", fk_run_timed, LAYOUT(8, 4), TIMED },
	{ "vprof_gate", fk_run_gate, LAYOUT(8, 4, 8, 4), TIMED | HOST },
	{ "vprof_twin_begin", fk_run_twin_begin, LAYOUT(8), TIMED },
	{ "vprof_twin_stamp", fk_run_twin_stamp, LAYOUT(8, 4), TIMED | WAITS },
	{ "vprof_twin_stamp_started", fk_run_twin_stamp_started, LAYOUT(8, 4), TIMED | WAITS },
	{ "vprof_twin_stamp_plain", fk_run_twin_stamp, LAYOUT(8, 4), TIMED },
	{ "vprof_nothing", NULL, { 0 }, TIMED },
	{ "vprof_gauge", fk_run_gauge, LAYOUT(8, 4), TIMED },
	{ "vprof_twin_end", fk_run_twin_end, LAYOUT(8), TIMED },
	{ "fault", run_fault, { 0 }, 0 },
	{ "hang", run_hang, { 0 }, HOST },
	{ "hang_while", run_hang_while, LAYOUT(8), HOST },
};

static uint64_t name_time(const char *name, const char *what, uint64_t otherwise)
{
	const char *at = strstr(name, what);
	char *unit;
	uint64_t n;

	if (!at)
		return otherwise;
	n = strtoull(at + strlen(what), &unit, 10);
	return !strncmp(unit, "ms", 2) ? n * 1000000 : !strncmp(unit, "us", 2) ? n * 1000 : n;
}

static int name_number(const char *name, const char *what, int otherwise)
{
	const char *at = strstr(name, what);

	return at ? (int)strtol(at + strlen(what), NULL, 10) : otherwise;
}

static void layout_place(struct fk_layout *layout)
{
	uint32_t at = 0;

	for (int i = 0; i < layout->count; i++) {
		uint32_t size = layout->size[i];

		at = (at + size - 1) / size * size;
		layout->offset[i] = (uint16_t)at;
		at += size;
	}
	layout->bytes = at;
}

/* A kernel of that name may take more than its stand-in looks at, not less. */
static bool layout_begins(const struct fk_layout *layout, const struct fk_layout *with)
{
	return layout->count >= with->count &&
		!memcmp(layout->size, with->size, (size_t)with->count * sizeof(with->size[0]));
}

static void stand_in(CUfunction function, size_t row)
{
	if (function->module->anything) {
		function->layout = kernels[row].layout;
		layout_place(&function->layout);
	}
	if (!layout_begins(&function->layout, &kernels[row].layout)) {
		if (kernels[row].is) /* nothing would come of it, and nobody would know why */
			fprintf(stderr, "fakecuda: %s has other parameters than its stand-in\n", function->name);
		return;
	}
	function->run = kernels[row].run;
	function->ns_of = kernels[row].run == fk_run_timed ? fk_timed_ns : NULL;
	function->timed = kernels[row].is & TIMED;
	function->waits = kernels[row].is & WAITS;
	function->waits_for_host = kernels[row].is & HOST;
	function->releases = kernels[row].is & RELEASES;
}

/* Of several names that fit, the last is the longest. */
void fk_kernel_bind(CUfunction function)
{
	function->trigger_ns = name_time(function->name, "trigger_", UINT64_MAX);
	function->registers = name_number(function->name, "regs_", 32);
	function->shared = name_number(function->name, "smem_", 0);
	for (size_t i = 0; i < FK_COUNT(kernels); i++)
		if (!strncmp(function->name, kernels[i].name, strlen(kernels[i].name)))
			stand_in(function, i);
	function->waits |= strstr(function->name, "gridwait") != NULL;
	function->ns = name_time(function->name, "spin_",
		function->releases ? fk_config.early_ns : function->timed ? 0 : fk_config.kernel_ns);
}
