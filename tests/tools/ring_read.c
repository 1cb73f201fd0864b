/*
 * ring_read.c - whole rings come back as they were written, and losses are counted.
 */
#include "tests/tap.h"
#include "tests/tools/memory_ring.h"
#include "tools/clock.h"
#include "tools/info.h"
#include "tools/records.h"

static void check_ring(const char *name, struct make_ring o, uint64_t present, uint64_t overwritten,
		       uint64_t torn, uint64_t in_flight)
{
	struct memory_ring m;
	struct ring ring;
	struct ring_losses losses;
	struct info info;
	char why[256] = "";

	memory_ring_make(&m, &o);
	if (!ok(!ring_open(&ring, m.path, why, sizeof(why)), "%s: opens %s", name, why))
		return;
	ok(read_and_compare(&ring, &o) == (long)present, "%s: every record is right", name);
	ok(!ring_count(&ring, &losses), "%s: counts", name);
	ok(losses.present == present && losses.overwritten == overwritten && losses.torn == torn &&
	   losses.in_flight == in_flight, "%s: present %llu overwritten %llu torn %llu in flight %llu",
	   name, (unsigned long long)losses.present, (unsigned long long)losses.overwritten,
	   (unsigned long long)losses.torn, (unsigned long long)losses.in_flight);
	ok(losses.reserved == o.lanes * o.records, "%s: reserved", name);
	ok(!info_make(&info, &ring) && !memcmp(&info.losses, &losses, sizeof(losses)),
	   "%s: info counts the same", name);
	ok(!ring.bad_chunks && !ring.bad_defs && !ring.cut_bytes, "%s: nothing is bad", name);
	info_free(&info);
	ring_close(&ring);
	close(m.fd);
}

/* Time never falls, every record comes once, and its owner is who made it. */
static void check_order(struct make_ring o)
{
	struct memory_ring m;
	struct ring ring;
	struct record record;
	struct records *records;
	uint64_t last = 0, count = 0, wrong = 0, falls = 0;
	char why[256];

	memory_ring_make(&m, &o);
	ring_open(&ring, m.path, why, sizeof(why));
	records = records_open(&ring);
	while (records_next(records, &record) > 0) {
		uint64_t serial = 1 + record.lane + (o.switch_every ? o.lanes * (record.position / o.switch_every) : 0);
		struct vprof_slot expected;

		make_ring_slot(&o, record.lane, record.position, &expected);
		wrong += !slot_equal(record.slot, &expected) || record.owner->thread != serial ||
			 record.owner->tid != o.pid + serial - 1;
		falls += record.slot->t0 < last;
		last = record.slot->t0;
		count++;
	}
	records_close(records);
	ok(count == o.lanes * o.records, "records: each comes (%llu)", (unsigned long long)count);
	ok(!wrong, "records: each is right, with its owner (%llu wrong)", (unsigned long long)wrong);
	ok(!falls, "records: time never falls (%llu)", (unsigned long long)falls);
	ring_close(&ring);
	close(m.fd);
}

static void check_names(void)
{
	struct make_ring o = make_ring_default;
	const struct vprof_def_kernel *kernel;
	const struct vprof_def *def;
	struct memory_ring m;
	struct ring ring;
	struct vprof_slot slot;
	unsigned int kernels = 0, calls = 0, others = 0;
	char why[256];

	memory_ring_make(&m, &o);
	ring_open(&ring, m.path, why, sizeof(why));
	for (def = ring_def_next(&ring, NULL); def; def = ring_def_next(&ring, def)) {
		kernels += def->type == VPROF_DEF_KERNEL;
		calls += def->type == VPROF_DEF_CALL;
		others += def->type == VPROF_DEF_GRAPH || def->type == VPROF_DEF_MODULE;
	}
	ok(kernels == 8 && calls == 11 && others == 2, "names: all are listed");
	make_ring_slot(&o, 0, 0, &slot);
	kernel = ring_def(&ring, slot.object, VPROF_DEF_KERNEL);
	ok(kernel && !strcmp(kernel->name, "_Z13kernel_100000Pfi"), "names: a record's kernel");
	ok(!ring_def(&ring, slot.object, VPROF_DEF_GRAPH), "names: not as another type");
	ok(!ring_def(&ring, slot.object + 1, VPROF_DEF_KERNEL), "names: not from within an entry");
	ok(!ring_def(&ring, 0, VPROF_DEF_KERNEL) && !ring_def(&ring, UINT32_MAX, VPROF_DEF_KERNEL),
	   "names: not from outside");
	ok(!strcmp(ring_call_name(&ring, 1), "cuLaunchKernel"), "names: a call");
	ok(!strcmp(ring_call_name(&ring, 4711), "call#4711"), "names: a call that the ring does not know");
	ring_close(&ring);
	close(m.fd);
}

int main(void)
{
	struct make_ring plain = make_ring_default, o;

	check_ring("plain", plain, 1200, 0, 0, 0);
	o = plain;
	o.in_flight = 1;
	o.torn = 1;
	o.loss = 3;
	check_ring("torn and in flight", o, 1199, 0, 1, 1);
	/* 40 chunks taken of 16: the first 24, of 255 records each, are gone. */
	o = plain;
	o.records = 20 * 255;
	check_ring("overwritten", o, 16 * 255, 24 * 255, 0, 0);
	o.switch_every = 100;
	check_ring("overwritten, many threads", o, 16 * 255, 24 * 255, 0, 0);
	o = plain;
	o.lanes = 16;
	o.records = 1;
	check_ring("one record a lane", o, 16, 0, 0, 0);
	o.closed = 1;
	check_ring("closed", o, 16, 0, 0, 0);
	check_order(plain);
	o = plain;
	o.lanes = 5;
	o.chunks = 64;
	o.records = 1500;
	o.switch_every = 255;
	check_order(o);
	o.switch_every = 17;
	check_order(o);
	check_names();
	return done_testing();
}
