/*
 * forge_fill.c - a ring full of launches, as a busy process leaves it.
 */
#include "tests/merge/forge.h"

/* What the records of a filled ring are made of. */
struct filling {
	uint64_t random, records;
	uint32_t ranges, memory;
};

static void fill_launch(struct vprof_slot *slot, uint64_t random)
{
	slot->kind = VPROF_KIND_LAUNCH;
	slot->object = forge.kernels.id[1 + (random >> 33) % forge.kernels.count];
	slot->launch.stream = 0x7f32a8c01230;
	slot->launch.grid[0] = 1 + (random >> 40) % 4096;
	slot->launch.grid[1] = slot->launch.grid[2] = 1;
	slot->launch.block[0] = 128;
	slot->launch.block[1] = slot->launch.block[2] = 1;
	slot->launch.shared = (random >> 35) % 2 * 49152;
}

static void fill_memory(struct vprof_slot *slot, uint64_t turn)
{
	slot->kind = VPROF_KIND_MEMORY;
	slot->object = VPROF_MEMORY_DEVICE | 1 << VPROF_MEMORY_PLACE_SHIFT |
		       (turn % 2 ? VPROF_MEMORY_GIVE : VPROF_MEMORY_TAKE);
	slot->memory.address = 0x7f0000000000 + (turn / 2 % 1024 << 21);
	slot->memory.bytes = 1 << 21;
}

/* The range around the record that comes next. */
static void fill_range(struct vprof_slot *slot, uint64_t t0, uint64_t turn)
{
	slot->t0 = t0;
	slot->done = VPROF_DONE(8000, 0);
	slot->kind = VPROF_KIND_RANGE;
	slot->object = forge.texts.id[1 + turn / 32 % forge.texts.count];
	slot->seq = forge.current->head.base + forge.slot - 1;
}

static void fill_chunk(struct filling *filling, uint64_t *now, uint64_t step)
{
	while (forge.slot < VPROF_CHUNK_SLOTS) {
		struct vprof_slot *slot = forge_next_slot();
		uint64_t turn = filling->records++, random;

		random = filling->random = filling->random * 6364136223846793005ull + 1442695040888963407ull;
		if (filling->ranges && forge.slot < VPROF_CHUNK_SLOTS) {
			fill_range(slot, *now, turn);
			slot = forge_next_slot();
		}
		slot->t0 = *now + !!filling->ranges;
		slot->done = VPROF_DONE(2000 + (random >> 52), 0);
		slot->call = 1;
		if (filling->memory && turn % filling->memory == 0)
			fill_memory(slot, turn / filling->memory);
		else
			fill_launch(slot, random);
		slot->seq = forge.current->head.base + forge.slot - 1;
		*now += step + (random >> 50);
	}
}

/* A busy process: all lanes launch in turn. */
void forge_fill(const char *line)
{
	uint32_t lanes = forge_number(line, "lanes", 1), step = forge_number(line, "step", 700);
	struct filling filling = { .random = forge.header->pid, .ranges = forge_number(line, "ranges", 0),
				   .memory = forge_number(line, "memory", 0) };
	uint64_t rounds = forge.header->chunk_count / lanes;
	uint64_t clocks[LANES_MAX];

	if (lanes > LANES_MAX || !forge.kernels.count || (filling.ranges && !forge.texts.count))
		forge_die("nothing to fill it with");
	for (uint32_t i = 0; i < lanes; i++)
		clocks[i] = 1000 + 37 * i;
	for (uint64_t round = 0; round < rounds; round++)
		for (uint32_t i = 0; i < lanes; i++) {
			forge_take_chunk(i, i + 1, forge.header->pid + i, i ? "worker" : "main");
			forge.current->head.open_ticks = clocks[i];
			forge.current->head.held = round + 1 == rounds;
			fill_chunk(&filling, &clocks[i], (uint64_t)lanes * step);
		}
}
