/*
 * occupancy.c - the occupancy calculator's rules; see occupancy.h.
 *
 * The numbers come from a ring and may be anything: all is 64 bits wide and nothing is
 * divided by what could be 0.
 */
#include "tools/occupancy.h"

#include <errno.h>

enum {
	QUARTERS = 4,          /* parts of a multiprocessor, each with registers and schedulers of its own */
	REGISTER_UNIT = 256,   /* registers, for each warp */
	SHARED_UNIT = 128,     /* bytes, from compute capability 8.0 on */
	SHARED_UNIT_OLD = 256,
};

static uint64_t round_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) / unit * unit;
}

static uint32_t narrow(uint64_t value)
{
	return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

/* Capability 6.0 alone has halves where the others have quarters. */
static uint64_t parts_of(const struct vprof_def_device *device)
{
	return device->major == 6 && device->minor == 0 ? 2 : QUARTERS;
}

static uint64_t fit_registers(const struct vprof_def_device *device, const struct vprof_def_facts *facts,
			      uint64_t warps)
{
	uint64_t parts = parts_of(device), most = device->registers_per_block;
	uint64_t per_warp = round_up((uint64_t)facts->registers * device->warp, REGISTER_UNIT);

	if (!per_warp)
		return UINT32_MAX;
	if (!most || most > device->registers_per_sm)
		most = device->registers_per_sm;
	/* A block's warps are spread over the parts evenly. */
	if (per_warp * round_up(warps, parts) > most)
		return 0;
	return device->registers_per_sm / parts / per_warp * parts / warps;
}

static uint64_t fit_shared(const struct vprof_def_device *device, const struct vprof_def_facts *facts,
			   uint64_t dynamic)
{
	uint64_t unit = device->major >= 8 ? SHARED_UNIT : SHARED_UNIT_OLD;
	uint64_t asked = (uint64_t)facts->shared_static + dynamic;
	uint64_t most = device->shared_per_block_optin, need;

	if (most < device->shared_per_block)
		most = device->shared_per_block;
	if (asked > most || asked > device->shared_per_sm)
		return 0;
	need = round_up(asked + device->shared_reserved, unit);
	return need ? device->shared_per_sm / need : UINT32_MAX;
}

static int is_known(const struct vprof_def_device *device, const struct vprof_def_facts *facts)
{
	return device && facts && facts->valid && device->warp && device->threads_per_sm >= device->warp &&
	       device->blocks_per_sm && device->registers_per_sm && device->shared_per_sm;
}

int occupancy_find(struct occupancy *result, const struct vprof_def_device *device,
		   const struct vprof_def_facts *facts, uint64_t threads, uint64_t shared)
{
	uint64_t warps, blocks = UINT64_MAX;

	if (!is_known(device, facts) || !threads || threads > UINT32_MAX || shared > UINT32_MAX)
		return -EINVAL;
	warps = (threads + device->warp - 1) / device->warp;
	result->warps_most = device->threads_per_sm / device->warp;
	result->fit[OCCUPANCY_THREADS] = narrow(result->warps_most / warps);
	if (threads > device->threads_per_block || (facts->threads_most && threads > facts->threads_most))
		result->fit[OCCUPANCY_THREADS] = 0;
	result->fit[OCCUPANCY_BLOCKS] = device->blocks_per_sm;
	result->fit[OCCUPANCY_REGISTERS] = narrow(fit_registers(device, facts, warps));
	result->fit[OCCUPANCY_SHARED] = narrow(fit_shared(device, facts, shared));
	for (int i = 0; i < OCCUPANCY_LIMITS; i++) {
		if (result->fit[i] >= blocks)
			continue;
		blocks = result->fit[i];
		result->limit = (enum occupancy_limit)i;
	}
	result->blocks = (uint32_t)blocks;
	result->warps = (uint32_t)(blocks * warps);
	result->percent = 100.0 * result->warps / result->warps_most;
	return 0;
}

double occupancy_of_grid(const struct occupancy *occupancy, const struct vprof_def_device *device,
			 uint64_t blocks, uint64_t threads)
{
	double each = device->sm_count ? (double)blocks / device->sm_count : 0;

	if (each > occupancy->blocks)
		each = occupancy->blocks;
	return device->threads_per_sm ? 100.0 * each * (double)threads / device->threads_per_sm : 0;
}

const char *occupancy_limit_name(enum occupancy_limit limit)
{
	static const char *const names[] = { "threads", "blocks", "registers", "shared memory" };

	return limit < OCCUPANCY_LIMITS ? names[limit] : "unknown";
}
