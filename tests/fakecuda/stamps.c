/*
 * stamps.c - the profiler's own kernels, as the PTX text it loads describes them.
 *
 * They read the GPU's clock and store what it says; a gate waits for the host.
 * Each writes only where the GPU could: into memory that the driver gave or
 * that was registered with it, else the context is lost as by any stray store.
 *
 * A cell picks the next of a row of equal blocks at each begin; the block's first word is
 * its number once all of it has been stored.
 */
#include <sched.h>
#include <stdatomic.h>

#include "tests/fakecuda/fake.h"
#include "tests/fakecuda/stamps.h"

struct stamp_args { uint64_t *slot; };
struct timed_args { uint64_t *slot; uint32_t ns; };
struct gate_args { _Atomic uint32_t *go; uint32_t want; uint64_t *slot; uint32_t most_ns; };
struct cell {
	uint64_t *blocks, *at;
	uint32_t count, block_count;
	uint32_t stride; /* of a block, in words */
	uint32_t zero;
};
_Static_assert(sizeof(struct cell) == 32, "as the kernels have it");
struct cell_args { struct cell *cell; uint32_t index; };

static bool reaches(const void *address, size_t size)
{
	struct fk_range range;

	if (fk_memory_find((CUdeviceptr)(uintptr_t)address, size, &range))
		return true;
	fk_sticky_set(CUDA_ERROR_ILLEGAL_ADDRESS);
	return false;
}

static void store(uint64_t *slot, uint64_t value)
{
	if (reaches(slot, sizeof(*slot)))
		__atomic_store_n(slot, value, __ATOMIC_RELEASE); /* peer: the host that reads it */
}

void fk_run_stamp(struct fk_run *run, const void *args)
{
	const struct stamp_args *a = args;

	store(a->slot, fk_globaltimer(run->device, run->at));
}

/* From when to when it ran: how long is its second parameter. */
void fk_run_timed(struct fk_run *run, const void *args)
{
	const struct timed_args *a = args;

	store(&a->slot[0], fk_globaltimer(run->device, run->at - a->ns));
	store(&a->slot[1], fk_globaltimer(run->device, run->at));
}

uint64_t fk_timed_ns(const void *args)
{
	return ((const struct timed_args *)args)->ns;
}

/*
 * Opened at its first look or later, it ends when it looked: it cannot have
 * seen what the host has not yet written. Also when this thread looks late, and all its time
 * has passed: the host cannot see of a gate that it has given up before it does.
 */
void fk_run_gate(struct fk_run *run, const void *args)
{
	struct gate_args a = *(const struct gate_args *)args;
	uint64_t end = run->at + a.most_ns, now;
	bool open;

	if (!reaches(a.go, sizeof(*a.go)))
		return;
	for (;;) { /* peer of go: the host, which opens the gate */
		open = (int32_t)(atomic_load_explicit(a.go, memory_order_acquire) - a.want) >= 0;
		now = fk_now();
		if (open || now >= end)
			break;
		sched_yield();
	}
	run->at = open || now < end ? now : end;
	store(a.slot, fk_globaltimer(run->device, run->at));
}

void fk_run_twin_begin(struct fk_run *run, const void *args)
{
	struct cell *c = ((const struct cell_args *)args)->cell;
	uint32_t n;

	if (!reaches(c, sizeof(*c)) || !c->block_count)
		return;
	n = c->count++;
	c->at = c->blocks + (uint64_t)(n % c->block_count) * c->stride;
	store(&c->at[0], 0);
	store(&c->at[1], fk_globaltimer(run->device, run->at));
}

void fk_run_twin_stamp(struct fk_run *run, const void *args)
{
	const struct cell_args *a = args;

	if (reaches(a->cell, sizeof(*a->cell)))
		store(&a->cell->at[2 + a->index], fk_globaltimer(run->device, run->at));
}

/* Started when what it waits for is over: the simulation has no kernel that is there and waits. */
void fk_run_twin_stamp_started(struct fk_run *run, const void *args)
{
	const struct cell_args *a = args;

	fk_run_twin_stamp(run, args);
	if (reaches(a->cell, sizeof(*a->cell)))
		store(&a->cell->at[3 + a->index], fk_globaltimer(run->device, run->at));
}

/* It does nothing: from when to when. */
void fk_run_gauge(struct fk_run *run, const void *args)
{
	const struct cell_args *a = args;

	if (!reaches(a->cell, sizeof(*a->cell)))
		return;
	store(&a->cell->at[2 + a->index], fk_globaltimer(run->device, run->at));
	store(&a->cell->at[3 + a->index], fk_globaltimer(run->device, run->at));
}

void fk_run_twin_end(struct fk_run *run, const void *args)
{
	struct cell *c = ((const struct cell_args *)args)->cell;

	(void)run;
	if (reaches(c, sizeof(*c)))
		store(&c->at[0], c->count);
}
