/*
 * memory.c - from a driver call to the table of holdings.
 */
#include "preload/clock.h"
#include "preload/inner.h"
#include "preload/record.h"
#include "shim/ask.h"
#include "shim/memory.h"
#include "shim/wrap.h"

enum { NOWHERE = UINT16_MAX }; /* a place that is not known */

/* ---- where ---- */

struct where {
	uint64_t context; /* 0: none */
	uint32_t place;
	int captured;
};

static int lies_on_host(enum vprof_memory_kind kind)
{
	return kind == VPROF_MEMORY_PINNED || kind == VPROF_MEMORY_REGISTERED;
}

static uint32_t place_of_device(CUdevice device)
{
	return device >= 0 && device < VPROF_MEMORY_DEVICES ? (uint32_t)device : NOWHERE;
}

/* The stream's device, where the driver may be asked and can say; else that of the current context. */
static CUresult ask_device(CUstream stream, enum vprof_stream_state state, CUdevice *device)
{
	if (VPROF_ASK_STREAM(state, stream_get_device, stream, device))
		return CUDA_SUCCESS;
	return vprof_ask.ctx_get_device ? vprof_ask.ctx_get_device(device) : CUDA_ERROR_NOT_FOUND;
}

static struct where where_now(CUstream stream)
{
	struct where where = { .place = NOWHERE };
	enum vprof_stream_state state;
	struct vprof_asking asking;
	CUdevice device;
	CUcontext ctx;

	if (!vprof_ask_begin(&asking))
		return where;
	state = vprof_ask_stream_state(stream);
	if (vprof_ask.ctx_get_current && !vprof_ask.ctx_get_current(&ctx))
		where.context = WORD(ctx);
	if (!ask_device(stream, state, &device))
		where.place = place_of_device(device);
	where.captured = state == VPROF_STREAM_CAPTURED;
	vprof_ask_end(&asking);
	return where;
}

static uint32_t place_of_location(const CUmemLocation *location)
{
	if (!location || location->type < CU_MEM_LOCATION_TYPE_DEVICE)
		return NOWHERE;
	return location->type == CU_MEM_LOCATION_TYPE_DEVICE ? place_of_device(location->id) : VPROF_MEMORY_HOST;
}

int vprof_memory_captured(CUstream stream)
{
	struct vprof_asking asking;
	int captured;

	if (!vprof_holdings_there() || !vprof_ask_begin(&asking))
		return 0;
	captured = vprof_ask_stream_state(stream) == VPROF_STREAM_CAPTURED;
	vprof_ask_end(&asking);
	return captured;
}

/* ---- pools ---- */

enum { POOLS = 64 };

/* Those that the program has made; one that finds no room here lies on its stream's device. */
static struct {
	CUmemoryPool pool; /* NULL: free */
	uint32_t place;
} pools[POOLS];

void vprof_pool_made(CUmemoryPool pool, const CUmemPoolProps *props)
{
	for (int i = 0; i < POOLS; i++) {
		CUmemoryPool found = NULL;

		if (!__atomic_compare_exchange_n(&pools[i].pool, &found, pool, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED) &&
		    found != pool)
			continue;
		__atomic_store_n(&pools[i].place, place_of_location(&props->location), __ATOMIC_RELAXED);
		return;
	}
}

void vprof_pool_gone(CUmemoryPool pool)
{
	for (int i = 0; pool && i < POOLS; i++) {
		CUmemoryPool found = pool;

		__atomic_compare_exchange_n(&pools[i].pool, &found, NULL, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	}
}

static uint32_t place_of_pool(CUmemoryPool pool, uint32_t otherwise)
{
	for (int i = 0; pool && i < POOLS; i++)
		if (__atomic_load_n(&pools[i].pool, __ATOMIC_RELAXED) == pool)
			return __atomic_load_n(&pools[i].place, __ATOMIC_RELAXED);
	return otherwise;
}

/* ---- taking ---- */

/* What is taken before any call of the chosen groups is to be known too. */
static int ready(void)
{
	return vprof_holdings_there() || (vprof_ring_want() && vprof_holdings_there());
}

static uint32_t object_of(uint32_t kind, uint32_t place, unsigned flags)
{
	return kind | flags | (place < VPROF_MEMORY_TOTALS ? place + 1 : 0) << VPROF_MEMORY_PLACE_SHIFT;
}

static uint32_t take(const struct vprof_memory *memory, const struct where *where)
{
	struct vprof_holding holding = {
		.address = memory->address, .bytes = memory->bytes, .ticks = vprof_ticks(),
		.other = memory->other, .stream = memory->stream, .call = (uint16_t)memory->call,
		.kind = (uint16_t)memory->kind, .place = where->place,
	};
	unsigned flags = VPROF_MEMORY_TAKE;

	if (vprof_holding_take(&holding, where->context))
		flags |= VPROF_MEMORY_UNKNOWN;
	return object_of(memory->kind, where->place, flags);
}

uint32_t vprof_memory_take(const struct vprof_memory *memory)
{
	struct where where;

	if (!ready())
		return 0;
	where = where_now(NULL);
	if (lies_on_host(memory->kind))
		where.place = VPROF_MEMORY_HOST;
	return take(memory, &where);
}

uint32_t vprof_memory_take_async(const struct vprof_memory *memory, CUmemoryPool pool, CUstream stream)
{
	struct where where;

	if (!ready())
		return 0;
	where = where_now(stream);
	where.place = place_of_pool(pool, where.place);
	where.context = 0; /* a pool outlives the contexts that use it */
	return where.captured ? object_of(memory->kind, where.place, 0) : take(memory, &where);
}

uint32_t vprof_memory_take_at(const struct vprof_memory *memory, const CUmemLocation *location)
{
	struct where where = { .place = place_of_location(location) };

	return ready() ? take(memory, &where) : 0;
}

/* ---- giving back ---- */

struct vprof_found vprof_memory_find(uint64_t address, unsigned kinds)
{
	return vprof_holding_find(address, kinds);
}

uint32_t vprof_memory_object(const struct vprof_found *found, unsigned flags)
{
	return object_of(found->was.kind, found->was.place, flags);
}

uint32_t vprof_memory_give(const struct vprof_found *found, enum vprof_memory_kind kind, uint64_t address)
{
	if (!vprof_holdings_there() || !address)
		return kind; /* nothing is given back by freeing NULL */
	if (!found->index)
		return object_of(kind, NOWHERE, VPROF_MEMORY_GIVE | VPROF_MEMORY_UNKNOWN);
	vprof_holding_give(found);
	return vprof_memory_object(found, VPROF_MEMORY_GIVE);
}

void vprof_memory_note(unsigned call, const struct vprof_found *found)
{
	struct vprof_record r = vprof_open(VPROF_GROUP_BIT(VPROF_GROUP_MEMORY));

	if (!r.slot)
		return;
	fill_head(r.slot, VPROF_KIND_MEMORY, call, vprof_memory_object(found, VPROF_MEMORY_GIVE));
	fill_words(r.slot, found->was.address, found->was.bytes, found->was.other, found->was.stream);
	vprof_publish(r);
	vprof_end(r, CUDA_SUCCESS);
}

/* ---- contexts ---- */

void vprof_memory_context_gone(unsigned call, CUcontext ctx)
{
	struct vprof_found found;

	if (!ctx)
		return;
	found = vprof_holding_next(WORD(ctx), 0);
	while (found.index) {
		if (vprof_holding_give(&found))
			vprof_memory_note(call, &found);
		found = vprof_holding_next(WORD(ctx), found.index);
	}
}

static int primary_active(CUdevice device)
{
	unsigned flags;
	int active = 0;

	return vprof_ask.primary_get_state && !vprof_ask.primary_get_state(device, &flags, &active) && active;
}

int vprof_primary_is_active(CUdevice device)
{
	struct vprof_asking asking;
	int active;

	if (!vprof_holdings_there() || !vprof_ask_begin(&asking))
		return 1;
	active = primary_active(device);
	vprof_ask_end(&asking);
	return active;
}

CUcontext vprof_primary_context(CUdevice device)
{
	struct vprof_asking asking;
	CUcontext ctx = NULL;

	if (!vprof_holdings_there() || !vprof_ask_begin(&asking))
		return NULL;
	/* One more reference, given back at once: an active context is not changed by that. */
	if (primary_active(device) && vprof_ask.primary_retain && vprof_ask.primary_release &&
	    !vprof_ask.primary_retain(&ctx, device))
		vprof_ask.primary_release(device);
	vprof_ask_end(&asking);
	return ctx;
}
