/*
 * objects.c - streams, events, contexts and devices: numbers that stay, and what they are.
 *
 * A stream gets a definition when it is made. Events are made by the thousand, mostly at
 * the handles of earlier ones: one that has the handle and the flags of an earlier one
 * is told as that. Contexts likewise, until they are destroyed: a primary context is retained
 * many times. A device is told with its first context or kernel.
 *
 * Without a ring nothing is asked.
 *
 * ROOM. Half of the definitions log is kept free: names of kernels matter more.
 */
#include <string.h>
#include "preload/clock.h"
#include "shim/ask.h"
#include "shim/handles.h"
#include "shim/kernels.h"
#include "shim/objects.h"

enum {
	EVENT_BITS = 14,
	CONTEXT_BITS = 10,
	DEVICES = 64,
	NAME_ROOM = 256,
};

static struct vprof_handles events = VPROF_HANDLES_EMPTY, contexts = VPROF_HANDLES_EMPTY;

/* In this ring. */
static uint32_t streams_made, events_made, contexts_made;
static uint64_t devices_seen; /* a bit each */

void vprof_objects_init(void)
{
	vprof_handles_make(&events, EVENT_BITS);
	vprof_handles_make(&contexts, CONTEXT_BITS);
}

void vprof_objects_forget(void)
{
	vprof_handles_void(&events);
	vprof_handles_void(&contexts);
	__atomic_store_n(&streams_made, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&events_made, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&contexts_made, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&devices_seen, 0, __ATOMIC_RELAXED);
}

static uint32_t number_next(uint32_t *made)
{
	return __atomic_add_fetch(made, 1, __ATOMIC_RELAXED);
}

static CUdevice current_device(void)
{
	CUdevice device;

	return vprof_ask.ctx_get_device && !vprof_ask.ctx_get_device(&device) ? device : -1;
}

/* ---- streams and events ---- */

uint32_t vprof_stream_made(CUstream stream, unsigned flags, int priority)
{
	struct vprof_def_stream def = {
		.head.type = VPROF_DEF_STREAM,
		.handle = (uintptr_t)stream,
		.ticks = vprof_ticks(),
		.flags = flags,
		.priority = priority,
		.device = -1,
	};
	enum vprof_stream_state state;
	struct vprof_asking asking;
	CUcontext context;
	int real;

	if (!vprof_has_ring())
		return 0;
	def.number = number_next(&streams_made);
	if (vprof_ask_begin(&asking)) {
		state = vprof_ask_stream_state(stream);
		if (VPROF_ASK_STREAM(state, stream_get_ctx, stream, &context))
			def.context = (uintptr_t)context;
		/* The driver takes what it was given into its range. */
		if (VPROF_ASK_STREAM(state, stream_get_priority, stream, &real))
			def.priority = real;
		def.device = current_device();
		vprof_ask_end(&asking);
	}
	return vprof_define_sparing(&def, sizeof(def), NULL);
}

/* What the handle stood for last, when that is known in this ring. */
static const void *known(const struct vprof_handles *table, uint64_t word, enum vprof_def_type type)
{
	const struct vprof_def *def = vprof_definition(vprof_handle_id(table, word));

	return def && def->type == type ? def : NULL;
}

uint32_t vprof_event_made(CUevent event, unsigned flags)
{
	uint32_t generation = __atomic_load_n(&events.generation, __ATOMIC_RELAXED);
	struct vprof_handle *entry = vprof_handle_entry(&events, event);
	uint64_t word = entry ? __atomic_load_n(&entry->word, __ATOMIC_RELAXED) : 0;
	const struct vprof_def_event *before = known(&events, word, VPROF_DEF_EVENT);
	struct vprof_def_event def = {
		.head.type = VPROF_DEF_EVENT,
		.handle = (uintptr_t)event,
		.ticks = vprof_ticks(),
		.flags = flags,
	};
	uint32_t id;

	if (!vprof_has_ring())
		return 0;
	if (before && before->flags == flags)
		return (uint32_t)word;
	/* Told without an entry, each event of a program that makes them all the time would be another. */
	if (!entry) {
		vprof_lose(VPROF_LOSS_HANDLES);
		return 0;
	}
	def.number = number_next(&events_made);
	id = vprof_define_sparing(&def, sizeof(def), NULL);
	return vprof_handle_set(entry, word, generation, id);
}

/* ---- contexts ---- */

uint32_t vprof_context_made(CUcontext context, CUdevice device, unsigned flags, enum vprof_context_kind kind)
{
	uint32_t generation = __atomic_load_n(&contexts.generation, __ATOMIC_RELAXED), id;
	struct vprof_handle *entry = vprof_handle_entry(&contexts, context);
	uint64_t word = entry ? __atomic_load_n(&entry->word, __ATOMIC_RELAXED) : 0;
	struct vprof_def_context def = {
		.head.type = VPROF_DEF_CONTEXT,
		.handle = (uintptr_t)context,
		.ticks = vprof_ticks(),
		.flags = flags,
		.kind = kind,
	};
	struct vprof_asking asking;

	if (!vprof_has_ring())
		return 0;
	if (known(&contexts, word, VPROF_DEF_CONTEXT))
		return (uint32_t)word;
	if (device < 0 && vprof_ask_begin(&asking)) {
		device = current_device();
		vprof_ask_end(&asking);
	}
	if (device >= 0)
		vprof_device_seen(device);
	def.device = device;
	def.number = number_next(&contexts_made);
	id = vprof_define_sparing(&def, sizeof(def), NULL);
	return entry ? vprof_handle_set(entry, word, generation, id) : id;
}

/* 0: the driver does not say. */
static int primary_state(CUdevice device, unsigned *flags, int *active)
{
	struct vprof_asking asking;
	int told = 0;

	if (vprof_has_ring() && vprof_ask.primary_get_state && vprof_ask_begin(&asking)) {
		told = !vprof_ask.primary_get_state(device, flags, active);
		vprof_ask_end(&asking);
	}
	return told;
}

uint32_t vprof_primary_retained(CUcontext context, CUdevice device)
{
	unsigned flags = 0;
	int active;

	if (!primary_state(device, &flags, &active))
		flags = 0;
	return vprof_context_made(context, device, flags, VPROF_CONTEXT_PRIMARY);
}

void vprof_primary_released(CUdevice device)
{
	unsigned flags;
	int active;

	if (primary_state(device, &flags, &active) && !active)
		vprof_kernels_recheck();
}

void vprof_context_gone(CUcontext context)
{
	struct vprof_handle *entry = vprof_handle_entry(&contexts, context);

	if (entry)
		__atomic_store_n(&entry->word, 0, __ATOMIC_RELAXED);
	vprof_kernels_recheck();
}

/* ---- devices ---- */

static uint32_t attribute_of(CUdevice device, CUdevice_attribute attribute)
{
	int value = 0;

	if (!vprof_ask.device_get_attribute || vprof_ask.device_get_attribute(&value, attribute, device))
		return 0;
	return (uint32_t)value;
}

static void ask_attributes(CUdevice device, struct vprof_def_device *def)
{
	const struct { CUdevice_attribute attribute; uint32_t *value; } asked[] = {
		{ CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, &def->sm_count },
		{ CU_DEVICE_ATTRIBUTE_CLOCK_RATE, &def->clock_khz },
		{ CU_DEVICE_ATTRIBUTE_WARP_SIZE, &def->warp },
		{ CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR, &def->threads_per_sm },
		{ CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR, &def->blocks_per_sm },
		{ CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, &def->threads_per_block },
		{ CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR, &def->registers_per_sm },
		{ CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK, &def->registers_per_block },
		{ CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR, &def->shared_per_sm },
		{ CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, &def->shared_per_block },
		{ CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, &def->shared_per_block_optin },
		{ CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK, &def->shared_reserved },
		{ CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, &def->l2 },
		{ CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, &def->memory_clock_khz },
		{ CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH, &def->bus_bits },
	};

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
		*asked[i].value = attribute_of(device, asked[i].attribute);
	def->major = (uint16_t)attribute_of(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
	def->minor = (uint16_t)attribute_of(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
}

static void ask_device(CUdevice device, struct vprof_def_device *def, char name[NAME_ROOM])
{
	CUresult (*uuid)(CUuuid *, CUdevice) =
		vprof_ask.device_get_uuid_v2 ? vprof_ask.device_get_uuid_v2 : vprof_ask.device_get_uuid;
	size_t bytes;
	CUuuid id;
	int version;

	ask_attributes(device, def);
	if (vprof_ask.device_total_mem && !vprof_ask.device_total_mem(&bytes, device))
		def->memory = bytes;
	if (uuid && !uuid(&id, device))
		memcpy(def->uuid, id.bytes, sizeof(def->uuid));
	if (vprof_ask.driver_get_version && !vprof_ask.driver_get_version(&version))
		def->driver = (uint32_t)version;
	if (!vprof_ask.device_get_name || vprof_ask.device_get_name(name, NAME_ROOM, device))
		name[0] = 0;
	name[NAME_ROOM - 1] = 0;
}

void vprof_device_seen(CUdevice device)
{
	struct vprof_def_device def = { .head.type = VPROF_DEF_DEVICE, .ordinal = device };
	struct vprof_asking asking;
	char name[NAME_ROOM];
	uint64_t bit;

	if (device < 0 || device >= DEVICES || !vprof_has_ring())
		return;
	bit = 1ull << device;
	if (__atomic_load_n(&devices_seen, __ATOMIC_RELAXED) & bit ||
	    __atomic_fetch_or(&devices_seen, bit, __ATOMIC_RELAXED) & bit)
		return;
	if (!vprof_ask_begin(&asking)) {
		vprof_lose(VPROF_LOSS_FACTS);
		return;
	}
	ask_device(device, &def, name);
	vprof_ask_end(&asking);
	vprof_define(&def, sizeof(def), name);
}
