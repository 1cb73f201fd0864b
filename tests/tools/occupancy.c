/*
 * occupancy.c - the blocks that fit on a multiprocessor, worked out by hand from the published limits.
 */
#include <errno.h>
#include <math.h>
#include "tests/tap.h"
#include "tools/occupancy.h"

#define DEVICE(...) { .warp = 32, .threads_per_block = 1024, .registers_per_sm = 65536, \
		      .registers_per_block = 65536, .shared_per_block = 49152, __VA_ARGS__ }

static const struct vprof_def_device
	hopper = DEVICE(.major = 9, .threads_per_sm = 2048, .blocks_per_sm = 32, .shared_per_sm = 233472,
			.shared_per_block_optin = 232448, .shared_reserved = 1024, .sm_count = 132),
	ampere = DEVICE(.major = 8, .threads_per_sm = 2048, .blocks_per_sm = 32, .shared_per_sm = 167936,
			.shared_per_block_optin = 166912, .shared_reserved = 1024, .sm_count = 108),
	ampere_small = DEVICE(.major = 8, .minor = 6, .threads_per_sm = 1536, .blocks_per_sm = 16,
			      .shared_per_sm = 102400, .shared_per_block_optin = 101376,
			      .shared_reserved = 1024, .sm_count = 84),
	turing = DEVICE(.major = 7, .minor = 5, .threads_per_sm = 1024, .blocks_per_sm = 16,
			.shared_per_sm = 65536, .shared_per_block_optin = 65536, .sm_count = 40);

static const struct {
	const struct vprof_def_device *device;
	uint32_t threads, registers, shared_static, shared;
	uint32_t blocks;
	enum occupancy_limit limit;
} known[] = {
	{ &hopper, 256, 32, 0, 0, 8, OCCUPANCY_THREADS },
	{ &hopper, 256, 33, 0, 0, 6, OCCUPANCY_REGISTERS },
	{ &hopper, 256, 40, 0, 0, 6, OCCUPANCY_REGISTERS },
	{ &hopper, 256, 41, 0, 0, 5, OCCUPANCY_REGISTERS },
	{ &hopper, 256, 64, 0, 0, 4, OCCUPANCY_REGISTERS },
	{ &hopper, 256, 128, 0, 0, 2, OCCUPANCY_REGISTERS },
	{ &hopper, 256, 255, 0, 0, 1, OCCUPANCY_REGISTERS },
	{ &hopper, 384, 168, 0, 0, 1, OCCUPANCY_REGISTERS },
	{ &hopper, 1024, 32, 0, 0, 2, OCCUPANCY_THREADS },
	{ &hopper, 1024, 64, 0, 0, 1, OCCUPANCY_REGISTERS },
	{ &hopper, 1024, 65, 0, 0, 0, OCCUPANCY_REGISTERS },
	{ &hopper, 32, 16, 0, 0, 32, OCCUPANCY_BLOCKS },
	{ &hopper, 1, 16, 0, 0, 32, OCCUPANCY_BLOCKS },
	{ &hopper, 96, 40, 0, 0, 16, OCCUPANCY_REGISTERS },
	{ &hopper, 128, 32, 0, 102400, 2, OCCUPANCY_SHARED },
	{ &hopper, 128, 32, 0, 232448, 1, OCCUPANCY_SHARED },
	{ &hopper, 128, 32, 0, 232449, 0, OCCUPANCY_SHARED },
	{ &hopper, 128, 32, 16384, 16384, 6, OCCUPANCY_SHARED },
	{ &hopper, 128, 32, 13568, 0, 16, OCCUPANCY_THREADS },
	{ &hopper, 128, 32, 13569, 0, 15, OCCUPANCY_SHARED },
	{ &ampere, 128, 32, 49152, 0, 3, OCCUPANCY_SHARED },
	{ &ampere, 512, 48, 0, 0, 2, OCCUPANCY_REGISTERS },
	{ &ampere_small, 1024, 32, 0, 0, 1, OCCUPANCY_THREADS },
	{ &ampere_small, 512, 32, 0, 0, 3, OCCUPANCY_THREADS },
	{ &ampere_small, 64, 32, 0, 0, 16, OCCUPANCY_BLOCKS },
	{ &turing, 256, 64, 0, 0, 4, OCCUPANCY_THREADS },
	{ &turing, 256, 65, 0, 0, 3, OCCUPANCY_REGISTERS },
	{ &turing, 128, 32, 16385, 0, 3, OCCUPANCY_SHARED },
	{ &turing, 1056, 32, 0, 0, 0, OCCUPANCY_THREADS },
};

static void known_values(void)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct vprof_def_facts facts = { .valid = 1, .registers = known[i].registers,
						 .shared_static = known[i].shared_static };
		struct occupancy o;
		int error = occupancy_find(&o, known[i].device, &facts, known[i].threads, known[i].shared);

		ok(!error && o.blocks == known[i].blocks && o.limit == known[i].limit,
		   "%u.%u, %u threads of %u registers, %u+%u bytes: %u blocks, limited by %s", known[i].device->major,
		   known[i].device->minor, known[i].threads, known[i].registers, known[i].shared_static,
		   known[i].shared, o.blocks, occupancy_limit_name(o.limit));
	}
}

static void shares(void)
{
	struct vprof_def_facts facts = { .valid = 1, .registers = 33 };
	struct occupancy o;

	occupancy_find(&o, &hopper, &facts, 256, 0);
	ok(o.warps == 48 && o.warps_most == 64 && fabs(o.percent - 75) < 1e-9, "33 registers: 48 of 64 warps, 75 %%");
	ok(fabs(occupancy_of_grid(&o, &hopper, 132 * 100, 256) - 75) < 1e-9, "a large grid reaches that");
	ok(fabs(occupancy_of_grid(&o, &hopper, 132, 256) - 12.5) < 1e-9, "a block for each multiprocessor: 12.5 %%");
	facts.threads_most = 128;
	occupancy_find(&o, &hopper, &facts, 256, 0);
	ok(!o.blocks && o.limit == OCCUPANCY_THREADS, "more threads than the kernel was compiled for: none fits");
}

/* Numbers that no driver gives. */
static void unknown(void)
{
	struct vprof_def_facts facts = { .valid = 1, .registers = UINT32_MAX, .shared_static = UINT32_MAX };
	struct vprof_def_device device = hopper, nothing = { 0 };
	struct occupancy o;

	ok(!occupancy_find(&o, &device, &facts, UINT32_MAX, UINT32_MAX) && !o.blocks, "far too much of all: none fits");
	ok(occupancy_find(&o, &nothing, &facts, 256, 0) == -EINVAL, "a device of which nothing is known");
	ok(occupancy_find(&o, &device, &facts, 0, 0) == -EINVAL, "no threads");
	ok(occupancy_find(&o, NULL, &facts, 256, 0) == -EINVAL, "no device");
	facts.valid = 0;
	ok(occupancy_find(&o, &device, &facts, 256, 0) == -EINVAL, "a kernel of which nothing is known");
	facts = (struct vprof_def_facts){ .valid = 1 };
	device.shared_reserved = 0;
	ok(!occupancy_find(&o, &device, &facts, 32, 0) && o.blocks == 32, "a kernel that needs nothing");
	device.registers_per_sm = device.threads_per_sm = device.blocks_per_sm = device.warp = UINT32_MAX;
	facts.registers = 255;
	ok(!occupancy_find(&o, &device, &facts, 32, 0), "a device that has everything");
}

int main(void)
{
	known_values();
	shares();
	unknown();
	return done_testing();
}
