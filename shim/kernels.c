/*
 * kernels.c - the cold half of the handle tables: entries, names, definitions.
 *
 * Names of kernels come from the lookup that gave the handle (cuModuleGetFunction,
 * cuLibraryGetKernel, cuKernelGetFunction), else from the driver: cuFuncGetName, or
 * cuKernelGetName when the launched handle is a CUkernel, for the two kinds are launched
 * alike but not asked alike. These exist from CUDA 12.3 on; in older drivers a handle
 * keeps the name of its last lookup.
 *
 * THREADS. Entries are taken by compare-and-swap. Two threads that define the same handle
 * at once leave one definition unused. Errno is kept: vprof_define() and the driver are
 * all that is called.
 */
#include <string.h>
#include "preload/clock.h"
#include "preload/inner.h"
#include "shim/ask.h"
#include "shim/facts.h"
#include "shim/graphs.h"
#include "shim/image.h"
#include "shim/kernels.h"
#include "shim/objects.h"

enum { KERNEL_BITS = 16 };

/* Read by each launch: in one cache line. */
__attribute__((aligned(32))) struct vprof_handles vprof_kernels = VPROF_HANDLES_EMPTY;

__thread struct vprof_handle *vprof_kernel_owed TLS_INITIAL_EXEC;

void vprof_handles_init(void)
{
	vprof_handles_make(&vprof_kernels, KERNEL_BITS);
	vprof_graphs_init();
	vprof_objects_init();
	vprof_modules_init();
}

void vprof_handles_forget(void)
{
	vprof_handles_void(&vprof_kernels);
	vprof_graphs_forget();
	vprof_objects_forget();
	vprof_modules_forget();
}

uint32_t vprof_kernels_recheck(void)
{
	return __atomic_add_fetch(&vprof_kernels.generation, 1, __ATOMIC_RELAXED);
}

/* ---- entries ---- */

/* The entry of a launched handle, which is counted when it has to do without. */
static struct vprof_handle *launched_entry(struct vprof_handles *table, const void *handle)
{
	struct vprof_handle *entry = vprof_handle_entry(table, handle);

	if (!entry && handle)
		vprof_lose(VPROF_LOSS_HANDLES);
	return entry;
}

/* ---- those launched of late ---- */

__attribute__((aligned(VPROF_PAGE_SIZE))) struct vprof_recent vprof_recent[1 << VPROF_RECENT_BITS][VPROF_RECENT_WAYS];

/* Another thread may do the same: see vprof_recent. */
static void recent_keep(uint64_t hash, uint64_t word)
{
	struct vprof_recent *set = vprof_recent[hash >> (64 - VPROF_RECENT_BITS)];

	for (int i = VPROF_RECENT_WAYS - 1; i > 0; i--) {
		__atomic_store_n(&set[i].word, __atomic_load_n(&set[i - 1].word, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
		__atomic_store_n(&set[i].check, __atomic_load_n(&set[i - 1].check, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
	}
	__atomic_store_n(&set[0].word, word, __ATOMIC_RELAXED);
	__atomic_store_n(&set[0].check, hash ^ word, __ATOMIC_RELAXED);
}

uint32_t vprof_kernel_find_far(const void *function)
{
	struct vprof_handle *entry;
	uint32_t generation = __atomic_load_n(&vprof_kernels.generation, __ATOMIC_RELAXED);
	uint32_t id = vprof_handle_find_entry(&vprof_kernels, function, &entry);

	/* Another generation by now: then it is not known of which one the id is. */
	if (id && generation == __atomic_load_n(&vprof_kernels.generation, __ATOMIC_RELAXED))
		recent_keep(vprof_handle_hash(function), (uint64_t)generation << 32 | id);
	return id;
}

/* ---- kernels ---- */

static const char *kernel_name(uint32_t id)
{
	const struct vprof_def *def = vprof_definition(id);

	if (!def || def->type != VPROF_DEF_KERNEL)
		return NULL;
	return ((const struct vprof_def_kernel *)(const void *)def)->name;
}

/* Of a name that was cut in the ring only what is there can be compared. */
static int same_name(uint32_t id, const char *name)
{
	const char *defined = id ? kernel_name(id) : NULL;

	return defined && !strncmp(defined, name, VPROF_LONGEST_NAME);
}

static uint32_t kernel_define(uint64_t key, const char *name, const void *from)
{
	struct vprof_def_kernel def = {
		.head.type = VPROF_DEF_KERNEL,
		.handle = key,
		.ticks = vprof_ticks(),
		.module = (uintptr_t)from,
	};

	return vprof_define(&def, sizeof(def), name);
}

/*
 * One question to the driver. A handle that we have not seen being looked up may be of
 * either kind: the driver refuses the wrong one (CUDA_ERROR_INVALID_HANDLE).
 */
static CUresult ask_name(const struct vprof_handle *entry, const char **name)
{
	CUkernel kernel = (CUkernel)(uintptr_t)entry->key;
	CUresult result;

	if (__atomic_load_n(&entry->library, __ATOMIC_RELAXED))
		return vprof_ask.kernel_get_name(name, kernel);
	result = vprof_ask.func_get_name(name, (CUfunction)(uintptr_t)entry->key);
	return result == CUDA_ERROR_INVALID_HANDLE ? vprof_ask.kernel_get_name(name, kernel) : result;
}

/*
 * The driver's name of a handle: 0 and the name, NULL in it when the driver has no way to
 * say; or the driver's error.
 */
static CUresult driver_name(const struct vprof_handle *entry, const char **name)
{
	struct vprof_asking asking;
	CUresult result;

	*name = NULL;
	if (!vprof_ask.func_get_name || !vprof_ask.kernel_get_name || !vprof_ask.exchange_capture_mode)
		return CUDA_SUCCESS;
	if (!vprof_ask_begin(&asking))
		return CUDA_ERROR_UNKNOWN;
	result = ask_name(entry, name);
	vprof_ask_end(&asking);
	return result;
}

/* As vprof_handle_set(); what is new, or was fresh and is the same, waits for its first launch. */
static uint32_t kernel_set(struct vprof_handle *entry, uint64_t old, uint32_t generation, uint32_t id)
{
	int is_new = id != vprof_handle_id(&vprof_kernels, old);
	uint64_t fresh = is_new ? VPROF_HANDLE_FRESH : old & VPROF_HANDLE_FRESH;
	uint64_t word = (uint64_t)generation << 32 | id;

	if (id && vprof_wants_facts())
		word |= fresh;
	if (__atomic_compare_exchange_n(&entry->word, &old, word, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return id;
	return (uint32_t)old;
}

/* Facts are asked for once, by the thread that makes the entry fresh no more. */
static void kernel_take_facts(struct vprof_handle *entry)
{
	uint64_t word = __atomic_load_n(&entry->word, __ATOMIC_RELAXED);

	if (!(word & VPROF_HANDLE_FRESH) ||
	    vprof_handle_generation(word) != __atomic_load_n(&vprof_kernels.generation, __ATOMIC_RELAXED))
		return;
	if (__atomic_compare_exchange_n(&entry->word, &word, word & ~VPROF_HANDLE_FRESH, 0, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED))
		vprof_facts_take((uint32_t)word, (void *)(uintptr_t)entry->key,
				 __atomic_load_n(&entry->library, __ATOMIC_RELAXED) != 0);
}

static uint32_t kernel_known(struct vprof_handle *entry)
{
	/* Read before the name is asked: if functions go meanwhile, the entry is checked again. */
	uint32_t generation = __atomic_load_n(&vprof_kernels.generation, __ATOMIC_RELAXED), id;
	uint64_t word = __atomic_load_n(&entry->word, __ATOMIC_RELAXED);
	const char *name;

	id = vprof_handle_id(&vprof_kernels, word);
	if (vprof_handle_generation(word) == generation)
		return id;
	if (driver_name(entry, &name))
		return 0; /* the launch will fail as well, or is checked again next time */
	if (!id || (name && !same_name(id, name)))
		id = kernel_define(entry->key, name ? name : "", NULL);
	return kernel_set(entry, word, generation, id);
}

uint32_t vprof_kernel_id(CUfunction function)
{
	struct vprof_handle *entry = launched_entry(&vprof_kernels, function);
	uint32_t id = entry ? kernel_known(entry) : 0;

	if (id)
		kernel_take_facts(entry);
	return id;
}

uint32_t vprof_kernel_launching(CUfunction function)
{
	struct vprof_handle *entry = launched_entry(&vprof_kernels, function);
	uint32_t id = entry ? kernel_known(entry) : 0;

	if (id && __atomic_load_n(&entry->word, __ATOMIC_RELAXED) & VPROF_HANDLE_FRESH)
		vprof_kernel_owed = entry;
	return id;
}

void vprof_kernel_settle_owed(CUresult result)
{
	struct vprof_handle *entry = vprof_kernel_owed;

	vprof_kernel_owed = NULL;
	if (result == CUDA_SUCCESS)
		kernel_take_facts(entry);
}

/*
 * A function by the same name out of another module, or of a later one at the same handle, is another one -
 * as long as there is room: a module that is loaded over and over must not take that of new names.
 */
static int same_kernel(uint32_t id, const char *name, const void *from)
{
	const struct vprof_def_kernel *def = (const void *)vprof_definition(id);

	if (!same_name(id, name))
		return 0;
	return !from || !def->module || !vprof_define_spares(sizeof(*def)) ||
	       (def->module == (uintptr_t)from && def->ticks >= vprof_module_ticks(from));
}

uint32_t vprof_kernel_seen(const void *handle, int library, const char *name, const void *from)
{
	uint32_t generation = __atomic_load_n(&vprof_kernels.generation, __ATOMIC_RELAXED), id;
	struct vprof_handle *entry = vprof_handle_entry(&vprof_kernels, handle);
	uint64_t word;

	if (!entry)
		return 0;
	__atomic_store_n(&entry->library, (uint32_t)library, __ATOMIC_RELAXED);
	word = __atomic_load_n(&entry->word, __ATOMIC_RELAXED);
	id = vprof_handle_id(&vprof_kernels, word);
	if (!name)
		return vprof_handle_generation(word) == generation ? id : 0;
	if (!same_kernel(id, name, from)) {
		/* What vprof_recent may have of the handle, of this generation, is another kernel's. */
		if (id && vprof_handle_generation(word) == generation)
			generation = vprof_kernels_recheck();
		id = kernel_define(entry->key, name, from);
	}
	return kernel_set(entry, word, generation, id);
}

const char *vprof_kernel_name(const void *handle)
{
	struct vprof_handle *entry = vprof_handle_entry(&vprof_kernels, handle);
	uint64_t word = entry ? __atomic_load_n(&entry->word, __ATOMIC_RELAXED) : 0;

	if (vprof_handle_generation(word) != __atomic_load_n(&vprof_kernels.generation, __ATOMIC_RELAXED))
		return NULL;
	return kernel_name(vprof_handle_id(&vprof_kernels, word));
}
