/*
 * unknown.c - driver functions that a program looked up and that have no row.
 *
 * A driver newer than the table: the function passes through, and its name is told in the
 * ring. Names are copied to a table of the process, since most lookups come before there is a
 * ring, and told again in the ring of a forked child.
 *
 * THREADS. A place is taken by compare-and-swap and never given up. Two threads that look up the
 * same name at once may tell it twice. No lock, no allocation, errno is kept.
 */
#include <string.h>
#include "preload/inner.h"
#include "preload/record.h"
#include "shim/unknown.h"

enum { PLACES = 64, LONGEST = 60 };
enum place_state { FREE = 0, FILLING = 1, FILLED = 2 };

static struct place {
	uint32_t state;
	char name[LONGEST];
} places[PLACES];

static const char excepts[][32] = {
#define CU_ROW(symbol, base, version, flags, family, style, nargs)
#define CU_EXCEPT(symbol, reason) #symbol,
#include "shim/cuda_api.def"
};

static void tell(const char *name)
{
	struct vprof_def_unknown def = { .head.type = VPROF_DEF_UNKNOWN };

	vprof_define(&def, sizeof(def), name);
}

static int is_except(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(excepts); i++)
		if (!strcmp(excepts[i], name))
			return 1;
	return 0;
}

void vprof_unknown_seen(const char *name)
{
	static uint32_t full; /* counted once: which of the others have been seen is not known */

	/* What a program asks with "cu" and a capital is the driver's; "" asks whether there is an answer. */
	if (strncmp(name, "cu", 2) || name[2] < 'A' || name[2] > 'Z' || strlen(name) >= LONGEST || is_except(name))
		return;
	for (struct place *p = places; p < places + PLACES; p++) {
		/* Pairs with the release below. */
		uint32_t state = __atomic_load_n(&p->state, __ATOMIC_ACQUIRE);

		if (state == FILLED && !strcmp(p->name, name))
			return;
		if (state != FREE || !__atomic_compare_exchange_n(&p->state, &state, FILLING, 0, __ATOMIC_RELAXED,
								  __ATOMIC_RELAXED))
			continue;
		strcpy(p->name, name);
		__atomic_store_n(&p->state, FILLED, __ATOMIC_RELEASE);
		if (vprof_is_alive())
			tell(name);
		return;
	}
	if (!__atomic_exchange_n(&full, 1, __ATOMIC_RELAXED))
		vprof_lose(VPROF_LOSS_DEFS_FULL);
}

void vprof_unknown_tell_all(void)
{
	for (struct place *p = places; p < places + PLACES; p++)
		if (__atomic_load_n(&p->state, __ATOMIC_ACQUIRE) == FILLED)
			tell(p->name);
}
