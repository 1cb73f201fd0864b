/*
 * live_moment.c - a live ring is read as of the moment at which it was opened.
 *
 * The writer here goes on after ring_open(): it defines kernels, publishes a slot that had been
 * reserved, reserves another, and ends a lookup that was in flight. A reader must get what
 * there was at that moment, with the names of all of it, and after ring_refresh() the rest.
 */
#include "tests/tap.h"
#include "tests/tools/memory_ring.h"

static struct memory_ring file;
static struct vprof_ring_header header;
static uint8_t *map;
static uint64_t defs_end;

static uint32_t define(const char *name, uint16_t state)
{
	struct vprof_def_kernel *def = (void *)(map + header.defs_offset + defs_end);
	uint32_t size = (uint32_t)(sizeof(*def) + strlen(name) + 8) & ~7u, id = (uint32_t)(defs_end / 8);

	strcpy(def->name, name);
	def->head = (struct vprof_def){ size, VPROF_DEF_KERNEL, state };
	defs_end += size;
	return id;
}

static struct vprof_chunk *last_chunk(uint32_t lane)
{
	const struct vprof_lane *lanes = (void *)(map + header.lanes_offset);

	return (struct vprof_chunk *)(void *)(map + header.chunks_offset) + lanes[lane].chunk - 1;
}

static void publish(struct vprof_chunk *chunk, uint32_t index, uint32_t kernel)
{
	struct vprof_slot *slot = &chunk->slot[index - 1];

	memset(slot, 0, sizeof(*slot));
	slot->t0 = MAKE_RING_START_TICKS + 1;
	slot->kind = VPROF_KIND_LAUNCH;
	slot->call = 1;
	slot->object = kernel;
	slot->seq = chunk->head.base + index;
}

/* Records in the ring, how many of them are in flight, and launches of kernels without a name. */
struct tally {
	int records, open, nameless;
};

static struct tally count(const struct ring *ring)
{
	struct tally tally = { 0 };
	struct vprof_chunk buffer;

	for (uint32_t i = 0; i < ring->chunk_count; i++) {
		ring_read_chunk(ring, &ring->chunks[i], &buffer);
		for (uint32_t s = 0; s < VPROF_CHUNK_SLOTS - 1; s++) {
			const struct vprof_slot *slot = &buffer.slot[s];

			if (!slot->seq)
				continue;
			tally.records++;
			tally.open += !slot->done;
			tally.nameless += slot->kind == VPROF_KIND_LAUNCH &&
					  !ring_def(ring, slot->object, VPROF_DEF_KERNEL);
		}
	}
	return tally;
}

static int is(struct tally got, int records, int open, int nameless)
{
	printf("# %d records, %d in flight, %d without a name\n", got.records, got.open, got.nameless);
	return got.records == records && got.open == open && got.nameless == nameless;
}

int main(void)
{
	struct make_ring o = make_ring_default;
	struct vprof_chunk *torn, *open;
	struct vprof_slot *lookup;
	struct ring_losses losses;
	struct ring ring;
	uint32_t reserved;
	char why[256];

	o.torn = o.in_flight = 1;
	o.defs_size = 8192;
	memory_ring_make(&file, &o);
	map = mmap(NULL, file.size, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, 0);
	memcpy(&header, map, sizeof(header));
	defs_end = ((struct vprof_ring_live *)(void *)(map + VPROF_LIVE_OFFSET))->defs_used;
	torn = last_chunk(0);
	open = last_chunk(1);
	lookup = &open->slot[open->head.used - 2];
	lookup->kind = VPROF_KIND_MODULE;
	lookup->object = 0;
	reserved = define("half_made", VPROF_DEF_RESERVED);
	ring_open(&ring, file.path, why, sizeof(why));
	ok(is(count(&ring), 1199, 1, 0), "as opened");

	publish(torn, torn->head.used - 1, define("new_kernel", VPROF_DEF_READY));
	ok(is(count(&ring), 1199, 1, 0), "a record that was being made, of a kernel that was not known");
	((struct vprof_def *)(void *)(map + header.defs_offset + reserved * 8))->state = VPROF_DEF_READY;
	publish(torn, torn->head.used - 1, reserved);
	ok(is(count(&ring), 1199, 1, 0), "... of a kernel whose definition was being made");
	publish(torn, torn->head.used++, 0);
	ok(is(count(&ring), 1199, 1, 0), "a record that came later");
	lookup->object = define("looked_up", VPROF_DEF_READY);
	lookup->done = VPROF_DONE(5, 0);
	ok(is(count(&ring), 1199, 1, 0), "a lookup that ended later is in flight");
	ok(!ring_count(&ring, &losses) && losses.present == 1199 && losses.torn == 1 && losses.overwritten == 0,
	   "nothing of that counts as lost");

	ok(!ring_refresh(&ring) && is(count(&ring), 1201, 2, 1), "after a refresh all of it is there");
	publish(torn, torn->head.used - 1, 1 << 20);
	ok(is(count(&ring), 1201, 2, 1), "a name that is nowhere takes no record away");
	ring_close(&ring);
	return done_testing();
}
