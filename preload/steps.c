/*
 * steps.c - see the header.
 *
 * One machine of vprof/steps.h for each lane in which something is launched, up to MACHINES of them;
 * waits in other lanes are told to all. A step that was under way when we began to look is only a part of one,
 * and is left out: the first of a lane, unless the lane was at rest.
 */
#include "preload/steps.h"

#include <errno.h>
#include <string.h>
#include "preload/follow.h"
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/record.h"

enum {
	MACHINES = 16,
	RECORDS = 8192,   /* of a poll */
};

struct machine {
	uint64_t lane;     /* + 1; 0: free */
	uint64_t first;    /* ticks of the first record seen; 0: none yet */
	uint64_t last;     /* end of the newest */
	struct vprof_steps steps;
};

static struct {
	vprof_steps_seen *seen; /* NULL: does not watch */
	uint64_t from;          /* ticks */
} uses[VPROF_STEPS_USES];

static struct machine *machines; /* MACHINES of them, once somebody watches; zeroed, never given back */
static struct follow follows[FOLLOW_LANES];
static uint64_t hz, began;       /* ticks a second; when we began to look */
static uint16_t wait_all[2];     /* calls that wait for a whole context */

static uint64_t rest(void)
{
	return hz / 1000 * (VPROF_STEPS_IDLE / 1000000);
}

/* The names of the calls come first in the definitions. */
static void find_wait_all(void)
{
	static const char name[] = "cuCtxSynchronize";
	unsigned found = 0;

	wait_all[0] = wait_all[1] = 0;
	for (uint64_t at = 8; at < vprof_map.defs_floor && found < ARRAY_SIZE(wait_all);) {
		const struct vprof_def_call *def = (const void *)vprof_definition((uint32_t)(at / 8));

		if (!def || def->head.size < sizeof(*def) + sizeof(name))
			break;
		if (def->head.type == VPROF_DEF_CALL && !memcmp(def->name, name, sizeof(name) - 1))
			wait_all[found++] = (uint16_t)def->call;
		at += def->head.size;
	}
}

static void take_step(void *to, const struct vprof_step *step)
{
	const struct machine *machine = to;

	if (step->begin <= machine->first && machine->first < began + rest())
		return;
	for (unsigned i = 0; i < VPROF_STEPS_USES; i++)
		if (uses[i].seen && step->begin >= uses[i].from)
			uses[i].seen(step);
}

static void machine_begin(struct machine *machine, uint32_t lane)
{
	machine->lane = lane + 1;
	machine->first = machine->last = 0;
	vprof_steps_begin(&machine->steps, hz, take_step, machine);
	machine->steps.proof_wanted = 2;
	memcpy(machine->steps.wait_all, wait_all, sizeof(wait_all));
}

/* That of the lane; NULL: it has none. `make`: then one that is free. */
static struct machine *machine_of(uint32_t lane, int make)
{
	struct machine *free = NULL;

	for (struct machine *m = machines; m < machines + MACHINES; m++) {
		if (m->lane == lane + 1)
			return m;
		if (!m->lane && !free)
			free = m;
	}
	if (make && free)
		machine_begin(free, lane);
	return make ? free : NULL;
}

static uint32_t nodes_of(const struct vprof_slot *slot)
{
	const struct vprof_def *def;

	if (slot->kind != VPROF_KIND_GRAPH_LAUNCH)
		return 0;
	def = vprof_definition(slot->object);
	if (!def || def->type != VPROF_DEF_GRAPH || def->size < sizeof(struct vprof_def_graph))
		return 0;
	return ((const struct vprof_def_graph *)(const void *)def)->nodes;
}

static void feed(const struct vprof_slot *slot, uint32_t lane)
{
	int work = slot->kind == VPROF_KIND_LAUNCH || slot->kind == VPROF_KIND_GRAPH_LAUNCH ||
		slot->kind == VPROF_KIND_COPY;
	uint64_t end = slot->t0 + VPROF_DONE_TICKS(slot->done);
	struct machine *machine = machine_of(lane, work);

	if (slot->kind == VPROF_KIND_SYNC)
		for (struct machine *m = machines; m < machines + MACHINES; m++)
			if (m->lane && m != machine)
				vprof_steps_elsewhere(&m->steps, slot);
	if (!machine)
		return;
	/* Another thread has the lane. */
	if (slot->kind == VPROF_KIND_THREAD) {
		machine->lane = 0;
		return;
	}
	if (!machine->first)
		machine->first = slot->t0;
	machine->last = end;
	vprof_steps_feed(&machine->steps, slot, slot->t0, end, nodes_of(slot));
}

static int watched(void)
{
	return uses[VPROF_STEPS_LIMIT].seen || uses[VPROF_STEPS_TRIGGER].seen;
}

int vprof_steps_watch(enum vprof_steps_use use, vprof_steps_seen *seen)
{
	if (!machines)
		machines = vprof_table(MACHINES * sizeof(*machines));
	if (!machines)
		return -ENOMEM;
	if (!watched()) {
		began = vprof_ticks();
		hz = vprof_map.header->tick_hz;
		find_wait_all();
		for (unsigned i = 0; i < MACHINES; i++)
			machines[i].lane = 0;
		vprof_follow_begin(follows);
	}
	uses[use].from = vprof_ticks();
	uses[use].seen = seen;
	return 0;
}

void vprof_steps_unwatch(enum vprof_steps_use use)
{
	uses[use].seen = NULL;
}

void vprof_steps_forget(void)
{
	memset(uses, 0, sizeof(uses));
}

int vprof_steps_poll(void)
{
	const struct vprof_slot *slot;
	uint64_t now;
	uint32_t lane;

	if (!watched())
		return 0;
	vprof_follow_round(follows);
	for (int i = 0; i < RECORDS && watched(); i++) {
		slot = vprof_follow_next(follows, &lane);
		if (!slot)
			break;
		feed(slot, lane);
	}
	now = vprof_ticks();
	for (struct machine *m = machines; m < machines + MACHINES; m++)
		if (m->lane && m->last && now > m->last + rest()) {
			m->last = 0;
			vprof_steps_end(&m->steps);
		}
	return watched();
}
