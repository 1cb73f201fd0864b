/*
 * wrap_vmm.c - virtual memory management: addresses and physical memory apart.
 *
 * Physical memory is given back when its handle has been released as often as it was made and
 * retained, and nothing maps it any more; whichever call does the last of that. When that is not
 * its own release, a record says so beside the call's own.
 */
#include "shim/wrap_memory.h"

enum {
	RESERVED = VPROF_KIND_BIT(VPROF_MEMORY_RESERVED),
	PHYSICAL = VPROF_KIND_BIT(VPROF_MEMORY_PHYSICAL),
	MAPPED = VPROF_KIND_BIT(VPROF_MEMORY_MAPPED),
};

static struct vprof_found physical(CUmemGenericAllocationHandle handle)
{
	return vprof_memory_find(VPROF_PHYSICAL_KEY(handle), PHYSICAL);
}

/* ---- addresses: in no total, on no device ---- */

WRAP_KEEP(EXPORT, cuMemAddressReserve,
	  (CUdeviceptr *out, size_t bytes, size_t align, CUdeviceptr near, unsigned long long flags),
	  (out, bytes, align, near, flags), , FILL_MEMORY(0, bytes, flags, 0),
	  object = vprof_memory_take_at(&MEMORY(RESERVED, *out, bytes, flags, 0), NULL),
	  r.slot->object = object; r.slot->memory.address = *out);
GIVE(cuMemAddressFree, (CUdeviceptr p, size_t bytes), (p, bytes), RESERVED, RESERVED, p);

/* ---- physical memory ---- */

WRAP_KEEP(EXPORT, cuMemCreate,
	  (CUmemGenericAllocationHandle *out, size_t bytes, const CUmemAllocationProp *prop, unsigned long long flags),
	  (out, bytes, prop, flags), , FILL_MEMORY(0, bytes, flags, 0),
	  object = vprof_memory_take_at(&MEMORY(PHYSICAL, VPROF_PHYSICAL_KEY(*out), bytes, flags, 0), &prop->location),
	  r.slot->object = object; r.slot->memory.address = VPROF_PHYSICAL_KEY(*out));

/* One owner less; UNKNOWN when there never was one. */
static uint32_t release(const struct vprof_found *found)
{
	if (!found->index)
		return vprof_memory_give(found, VPROF_MEMORY_PHYSICAL, VPROF_PHYSICAL_KEY(0));
	return vprof_memory_object(found, vprof_holding_drop(found) ? VPROF_MEMORY_GIVE : 0);
}

WRAP_KEEP(EXPORT, cuMemRelease, (CUmemGenericAllocationHandle handle), (handle),
	  struct vprof_found found = physical(handle), FILL_MEMORY(VPROF_PHYSICAL_KEY(handle), 0, 0, 0),
	  object = release(&found), DONE_GIVEN(found));

/*
 * Another owner of memory that we know; or of another process's memory, which counts there, and
 * nothing here.
 */
static uint32_t retain(unsigned call, CUmemGenericAllocationHandle handle)
{
	struct vprof_found found = physical(handle);

	if (!found.index)
		return vprof_memory_take_at(&MEMORY(PHYSICAL, VPROF_PHYSICAL_KEY(handle), 0, 0, 0), NULL);
	vprof_holding_share(&found);
	return vprof_memory_object(&found, 0);
}

#define RETAIN(name, params, args, from) \
	WRAP_KEEP(EXPORT, name, params, args, , FILL_MEMORY(0, 0, WORD(from), 0), object = retain(call, *out), \
		  r.slot->object = object; r.slot->memory.address = VPROF_PHYSICAL_KEY(*out))

RETAIN(cuMemImportFromShareableHandle, (CUmemGenericAllocationHandle *out, void *from, int type), (out, from, type),
       from);
RETAIN(cuMemRetainAllocationHandle, (CUmemGenericAllocationHandle *out, void *mapped), (out, mapped), mapped);

/* ---- mapping ---- */

/* It lies where the physical memory does, which it keeps. */
static uint32_t map(unsigned call, CUdeviceptr p, uint64_t bytes, CUmemGenericAllocationHandle handle)
{
	struct vprof_found found = physical(handle);
	CUmemLocation device = { CU_MEM_LOCATION_TYPE_DEVICE, (int)found.was.place };
	CUmemLocation host = { CU_MEM_LOCATION_TYPE_HOST, 0 };

	vprof_holding_share(&found);
	return vprof_memory_take_at(&MEMORY(MAPPED, p, bytes, handle, 0), !found.index ? NULL :
				    found.was.place == VPROF_MEMORY_HOST ? &host : &device);
}

WRAP_KEEP(EXPORT, cuMemMap,
	  (CUdeviceptr p, size_t bytes, size_t offset, CUmemGenericAllocationHandle handle, unsigned long long flags),
	  (p, bytes, offset, handle, flags), , FILL_MEMORY(p, bytes, handle, 0), object = map(call, p, bytes, handle),
	  r.slot->object = object);

static uint32_t unmap_one(unsigned call, const struct vprof_found *found, CUdeviceptr p)
{
	uint32_t object = vprof_memory_give(found, VPROF_MEMORY_MAPPED, p);
	struct vprof_found below = physical(found->was.other);

	if (found->index && vprof_holding_drop(&below))
		vprof_memory_note(call, &below);
	return object;
}

/* One call may unmap several mappings that lie side by side; the record is of the first. */
static uint32_t unmap(unsigned call, const struct vprof_found *first, CUdeviceptr p, uint64_t bytes)
{
	uint32_t object = unmap_one(call, first, p);
	uint64_t done = first->was.bytes;

	while (first->index && done < bytes) {
		struct vprof_found next = vprof_memory_find(p + done, MAPPED);

		if (!next.index || !next.was.bytes)
			break;
		unmap_one(call, &next, p + done);
		vprof_memory_note(call, &next);
		done += next.was.bytes;
	}
	return object;
}

WRAP_KEEP(EXPORT, cuMemUnmap, (CUdeviceptr p, size_t bytes), (p, bytes),
	  struct vprof_found found = vprof_memory_find(p, MAPPED), FILL_MEMORY(p, bytes, 0, 0),
	  object = unmap(call, &found, p, bytes), DONE_GIVEN(found));

WRAP(cuMemSetAccess, (CUdeviceptr p, size_t bytes, const CUmemAccessDesc *access, size_t count),
     (p, bytes, access, count), 0, FILL_MEMORY(p, bytes, 0, 0));
