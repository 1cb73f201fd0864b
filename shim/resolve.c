/*
 * resolve.c - from a name or an address of the driver to our wrapper, and back.
 *
 * Three doors lead here: exported wrappers (vprof_resolve), dlsym and dlvsym
 * (vprof_shim_swap) and cuGetProcAddress (vprof_resolve_entry). All go by address: what
 * the real lookup gave is swapped when it is the real function of a row, whatever it was
 * asked for by. Addresses are found in a hash table of row ids, which is filled together
 * with vprof_real.
 *
 * cuGetProcAddress gives some functions that the library does not export (rows
 * CU_ALIAS): their address is learnt when it is first given out.
 *
 * THREADS. Filling is idempotent: names give the same addresses in every thread, and a
 * place in the hash table is taken by compare-and-swap and never given up.
 */
#include <string.h>
#include "preload/inner.h"
#include "shim/ask.h"
#include "shim/kernels.h"
#include "shim/often.h"
#include "shim/resolve.h"
#include "shim/rows.h"
#include "shim/unknown.h"

void *vprof_real[CU_ID_COUNT];
/* In .data and not among the zeroes: in the page that a launch reads anyway, for vprof_kernels. */
__attribute__((aligned(64), section(".data"))) void *vprof_often_real[CU_OFTEN_COUNT];
struct vprof_ask vprof_ask;

/* ---- what stands in for a missing function ---- */

enum { CUDA_ERROR_STUB_LIBRARY = 34 };

static CUresult stub_not_found(void)
{
	return CUDA_ERROR_NOT_FOUND;
}

/* What libcuda's own link-time stub returns on a machine without a driver. */
static CUresult stub_no_driver(void)
{
	return CUDA_ERROR_STUB_LIBRARY;
}

static int is_stub(const void *real)
{
	return real == (void *)stub_not_found || real == (void *)stub_no_driver;
}

/* ---- ids by address ---- */

enum { HASH_BITS = 11, HASH_SIZE = 1 << HASH_BITS };
_Static_assert(CU_ID_COUNT < HASH_SIZE / 2, "the hash table has to stay half empty");

static uint16_t by_address[HASH_SIZE]; /* id; 0: free */

static unsigned hash_address(const void *address)
{
	return (unsigned)((uintptr_t)address * 0x9e3779b97f4a7c15u >> (64 - HASH_BITS));
}

/* Places are taken in order and kept, so a thread that comes second meets `id` before a free one. */
static void by_address_add(const void *address, uint16_t id)
{
	for (unsigned i = hash_address(address);; i = (i + 1) % HASH_SIZE) {
		uint16_t found = __atomic_load_n(&by_address[i], __ATOMIC_RELAXED);

		/* Pairs with the acquire in by_address_find(): the entry of vprof_real is there first. */
		if (!found && __atomic_compare_exchange_n(&by_address[i], &found, id, 0, __ATOMIC_RELEASE,
							  __ATOMIC_RELAXED))
			return;
		if (found == id)
			return;
	}
}

static void *real_of(unsigned id)
{
	return __atomic_load_n(&vprof_real[id], __ATOMIC_RELAXED);
}

/* The row of `address` that answers to `name`; of several, the first when none does. 0: none. */
static unsigned by_address_find(const void *address, const char *name)
{
	unsigned first = 0, id;

	for (unsigned i = hash_address(address); (id = __atomic_load_n(&by_address[i], __ATOMIC_ACQUIRE));
	     i = (i + 1) % HASH_SIZE) {
		if (real_of(id) != address)
			continue;
		if (!strcmp(vprof_row_symbol(id), name))
			return id;
		if (!first)
			first = id;
	}
	return first;
}

/* ---- the driver ---- */

static struct vprof_object driver; /* constant once driver_known is set */
static int driver_claimed, driver_known;

/* The driver's library, found once; threads that look for it at once each find it for themselves. */
static int driver_find(struct vprof_object *found)
{
	/* Pairs with the release below. */
	if (likely(__atomic_load_n(&driver_known, __ATOMIC_ACQUIRE))) {
		*found = driver;
		return 1;
	}
	if (vprof_driver_find(found))
		return 0;
	if (!__atomic_exchange_n(&driver_claimed, 1, __ATOMIC_RELAXED)) {
		driver = *found;
		__atomic_store_n(&driver_known, 1, __ATOMIC_RELEASE);
	}
	return 1;
}

int vprof_driver_holds(const void *address)
{
	struct vprof_object library;

	return driver_find(&library) && (uintptr_t)address >= library.text_start &&
	       (uintptr_t)address < library.text_end;
}

void vprof_ask_learn(const struct vprof_object *library)
{
#define ASK(function, symbol, params) \
	__atomic_store_n(&vprof_ask.function, vprof_object_symbol(library, symbol), __ATOMIC_RELAXED);
#include "shim/ask.def"
}

static int populated;

/* The real functions that are called most, side by side. */
static void often_learn(void)
{
	static const uint16_t ids[] = {
#define CU_ID(symbol) CU_ID_##symbol,
		CU_OFTEN(CU_ID)
	};

	for (unsigned i = 0; i < CU_OFTEN_COUNT; i++)
		__atomic_store_n(&vprof_often_real[i], vprof_real[ids[i]], __ATOMIC_RELAXED);
}

/* Those of the questions that are asked most lie where a child does not find them. */
static void near_learn(void)
{
	for (unsigned i = 0; i < VPROF_NEAR; i++)
		__atomic_store_n(&vprof_state.near[i], vprof_real[cu_near[i]], __ATOMIC_RELAXED);
}

/*
 * What a call of ours goes on to is what it would have reached without us. Mostly that is
 * the driver; but another preload behind ours, or the program's own library, may define the
 * function as well. Then that one is the real function: calls through the PLT are recorded and go
 * to it, lookups that give its address are swapped, and lookups that give the driver's own
 * (its own, when it passes a call on) are not.
 */
struct behind {
	struct vprof_object list[64];
	size_t count;
};

static void *next_definition(const struct behind *behind, const struct vprof_object *library, const char *symbol)
{
	for (size_t i = 0; i < behind->count; i++) {
		void *found = vprof_object_symbol(&behind->list[i], symbol);

		if (found)
			return found;
	}
	return vprof_object_symbol(library, symbol);
}

static void populate_row(const struct behind *behind, const struct vprof_object *library, unsigned id)
{
	void *real = next_definition(behind, library, vprof_row_symbol(id));

	__atomic_store_n(&vprof_real[id], real ? real : (void *)stub_not_found, __ATOMIC_RELAXED);
	if (real)
		by_address_add(real, (uint16_t)id);
}

/* Fills vprof_real. Returns 0 when there is no driver (yet). */
static int populate(void)
{
	struct vprof_object library;
	struct behind behind;

	/* Pairs with the release below. */
	if (likely(__atomic_load_n(&populated, __ATOMIC_ACQUIRE)))
		return 1;
	if (!driver_find(&library))
		return 0;
	behind.count = vprof_objects_behind(behind.list, ARRAY_SIZE(behind.list));
	vprof_ask_learn(&library);
	for (unsigned id = 1; id < CU_ID_COUNT; id++)
		if (!vprof_rows[id].alias)
			populate_row(&behind, &library, id);
	often_learn();
	near_learn();
	__atomic_store_n(&populated, 1, __ATOMIC_RELEASE);
	return 1;
}

/* What the call would have reached in a process that has no driver: a library's own function. */
static void *real_elsewhere(unsigned id)
{
	void *real = vprof_rows[id].alias ? NULL : vprof_next_symbol(vprof_row_symbol(id));

	return real ? real : (void *)stub_no_driver;
}

void *vprof_resolve(unsigned id)
{
	int found = populate();
	void *real = real_of(id);

	if (real)
		return real;
	return found ? (void *)stub_not_found : real_elsewhere(id);
}

int vprof_shim_has_driver(void)
{
	return populate();
}

/* Said once in a process, at its first recorded call. */
static void say_interposed(void)
{
	for (unsigned id = 1; id < CU_ID_COUNT; id++) {
		if (!real_of(id) || vprof_rows[id].alias || is_stub(real_of(id)) || vprof_driver_holds(real_of(id)))
			continue;
		vprof_log("another library of this program has %s too: calls that look up the driver's own are not "
			  "recorded; they are when libvprof.so is the last in LD_PRELOAD", vprof_row_symbol(id));
		return;
	}
}

void vprof_shim_start(void)
{
	say_interposed();
	vprof_handles_init();
}

/* ---- lookups ---- */

void *vprof_shim_swap(const char *name, void *real)
{
	unsigned id;

	if (!vprof_enabled() || !populate())
		return real;
	id = by_address_find(real, name);
	if (!id && vprof_driver_holds(real))
		vprof_unknown_seen(name);
	return id ? vprof_row_wrapper(id) : real;
}

/* The row by which cuGetProcAddress knows what it was asked: the latest that is not newer. */
static unsigned row_for(const char *base, int version, uint64_t flags)
{
	unsigned best = 0;

	for (unsigned id = 1; id < CU_ID_COUNT; id++)
		if ((vprof_rows[id].alias || vprof_rows[id].style == STYLE_GATE) && vprof_rows[id].version <= version &&
		    vprof_rows[id].flags == (flags & CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM) &&
		    (!best || vprof_rows[id].version > vprof_rows[best].version) && vprof_row_has_base(id, base))
			best = id;
	return best;
}

/* An alias belongs to the first address that it was given out at. */
static int alias_is(unsigned id, void *real)
{
	void *seen = NULL;

	return __atomic_compare_exchange_n(&vprof_real[id], &seen, real, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED) ||
	       seen == real;
}

void *vprof_resolve_entry(const char *base, int version, uint64_t flags, void *real)
{
	unsigned id;

	if (!vprof_enabled() || !populate())
		return real;
	id = by_address_find(real, base);
	if (id)
		return vprof_row_wrapper(id);
	if (!vprof_driver_holds(real))
		return real;
	id = row_for(base, version, flags);
	if (!id) {
		vprof_unknown_seen(base);
		return real;
	}
	/* Our gates call the exported functions, which are the same at another address. */
	if (vprof_rows[id].style == STYLE_GATE)
		return vprof_driver_holds(real_of(id)) ? vprof_row_wrapper(id) : real;
	return alias_is(id, real) ? vprof_row_wrapper(id) : real;
}

/* The wrappers' own sections (wrap.h), in which only the questions are not that are asked most (question.h). */
extern const char __start_vprof_wrappers[] HIDDEN, __stop_vprof_wrappers[] HIDDEN;
extern const char __start_vprof_often[] HIDDEN, __stop_vprof_often[] HIDDEN;

static int lies_between(const void *address, const char *start, const char *stop)
{
	return (const char *)address >= start && (const char *)address < stop;
}

int vprof_shim_owns(const void *address)
{
	for (unsigned i = 0; i < VPROF_NEAR; i++)
		if (address == vprof_row_wrapper(cu_near[i]))
			return 1;
	return lies_between(address, __start_vprof_often, __stop_vprof_often) ||
	       lies_between(address, __start_vprof_wrappers, __stop_vprof_wrappers);
}

/* ---- the ring ---- */

static void define_call(unsigned id)
{
	struct vprof_def_call def = {
		.head.type = VPROF_DEF_CALL,
		.call = id,
		.family = vprof_rows[id].family,
	};
	char base[128] = { 0 };

	memcpy(base, vprof_row_symbol(id), vprof_rows[id].base_length);
	vprof_define(&def, sizeof(def), vprof_rows[id].alias ? base : vprof_row_symbol(id));
}

void vprof_shim_ring_ready(void)
{
	vprof_handles_forget();
	near_learn();
	vprof_state.cursor = (char *)&vprof_cursor - (char *)__builtin_thread_pointer();
	for (unsigned id = 1; id < CU_ID_COUNT; id++)
		define_call(id);
	vprof_unknown_tell_all();
}
