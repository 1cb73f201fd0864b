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
#include "shim/captures.h"
#include "shim/graph_nodes.h"
#include "shim/kernels.h"

enum {
	KERNEL_BITS = 16,
	GRAPH_BITS = 14,
};

/* Where there is no memory for the tables: nothing is found, a free entry ends the walk. */
static struct vprof_handle none[2];

struct vprof_handles vprof_kernels = { none, 63, 1, 1, 0 };
struct vprof_handles vprof_graphs = { none, 63, 1, 1, 0 };

static uint32_t graphs_made; /* in this ring */

static void table_init(struct vprof_handles *table, unsigned bits)
{
	size_t entries = ((size_t)1 << bits) + VPROF_HANDLE_PROBES;

	if (table->ready)
		return;
	table->entries = vprof_table(entries * sizeof(*table->entries));
	if (!table->entries) {
		table->entries = none;
		return;
	}
	table->shift = 64 - bits;
	/* Pairs with the acquire in entry_of() and vprof_kernel_name(). */
	__atomic_store_n(&table->ready, 1, __ATOMIC_RELEASE);
}

void vprof_handles_init(void)
{
	table_init(&vprof_kernels, KERNEL_BITS);
	table_init(&vprof_graphs, GRAPH_BITS);
	vprof_captures_init();
}

static void table_forget(struct vprof_handles *table)
{
	uint32_t next = __atomic_add_fetch(&table->generation, 1, __ATOMIC_RELAXED);

	__atomic_store_n(&table->oldest, next, __ATOMIC_RELAXED);
}

void vprof_handles_forget(void)
{
	table_forget(&vprof_kernels);
	table_forget(&vprof_graphs);
	__atomic_store_n(&graphs_made, 0, __ATOMIC_RELAXED);
}

void vprof_kernels_recheck(void)
{
	__atomic_add_fetch(&vprof_kernels.generation, 1, __ATOMIC_RELAXED);
}

/* ---- entries ---- */

/* The entry of a handle, made if need be; NULL when there is no room near its place. */
static struct vprof_handle *entry_of(struct vprof_handles *table, const void *handle)
{
	uint64_t key = (uintptr_t)handle;
	struct vprof_handle *entry;

	if (!key)
		return NULL;
	if (__atomic_load_n(&table->ready, __ATOMIC_ACQUIRE)) {
		entry = &table->entries[key * 0x9e3779b97f4a7c15u >> table->shift];
		for (int i = 0; i < VPROF_HANDLE_PROBES; i++, entry++) {
			uint64_t found = __atomic_load_n(&entry->key, __ATOMIC_RELAXED);

			if (!found && __atomic_compare_exchange_n(&entry->key, &found, key, 0, __ATOMIC_RELAXED,
								  __ATOMIC_RELAXED))
				return entry;
			if (found == key)
				return entry;
		}
	}
	return NULL;
}

/* The same for a launch, which is counted when it has to do without. */
static struct vprof_handle *launched_entry(struct vprof_handles *table, const void *handle)
{
	struct vprof_handle *entry = entry_of(table, handle);

	if (!entry && handle)
		vprof_lose(VPROF_LOSS_HANDLES);
	return entry;
}

/* The id in `word`, 0 when it is of another ring. */
static uint32_t word_id(const struct vprof_handles *table, uint64_t word)
{
	return word >> 32 >= __atomic_load_n(&table->oldest, __ATOMIC_RELAXED) ? (uint32_t)word : 0;
}

/* Sets the entry's word unless another thread has in the meantime; returns the id that holds. */
static uint32_t entry_set(struct vprof_handle *entry, uint64_t old, uint32_t generation, uint32_t id)
{
	uint64_t word = (uint64_t)generation << 32 | id;

	if (__atomic_compare_exchange_n(&entry->word, &old, word, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return id;
	return (uint32_t)old;
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

uint32_t vprof_kernel_id(CUfunction function)
{
	/* Read before the name is asked: if functions go meanwhile, the entry is checked again. */
	uint32_t generation = __atomic_load_n(&vprof_kernels.generation, __ATOMIC_RELAXED), id;
	struct vprof_handle *entry = launched_entry(&vprof_kernels, function);
	const char *name;
	uint64_t word;

	if (!entry)
		return 0;
	word = __atomic_load_n(&entry->word, __ATOMIC_RELAXED);
	id = word_id(&vprof_kernels, word);
	if (word >> 32 == generation)
		return id;
	if (driver_name(entry, &name))
		return 0; /* the launch will fail as well, or is checked again next time */
	if (!id || (name && !same_name(id, name)))
		id = kernel_define(entry->key, name ? name : "", NULL);
	return entry_set(entry, word, generation, id);
}

uint32_t vprof_kernel_seen(const void *handle, int library, const char *name, const void *from)
{
	uint32_t generation = __atomic_load_n(&vprof_kernels.generation, __ATOMIC_RELAXED), id;
	struct vprof_handle *entry = entry_of(&vprof_kernels, handle);
	uint64_t word;

	if (!entry)
		return 0;
	__atomic_store_n(&entry->library, (uint32_t)library, __ATOMIC_RELAXED);
	word = __atomic_load_n(&entry->word, __ATOMIC_RELAXED);
	id = word_id(&vprof_kernels, word);
	if (!name)
		return word >> 32 == generation ? id : 0;
	if (!same_name(id, name))
		id = kernel_define(entry->key, name, from);
	return entry_set(entry, word, generation, id);
}

const char *vprof_kernel_name(const void *handle)
{
	/* Pairs with the release in table_init(). */
	if (!__atomic_load_n(&vprof_kernels.ready, __ATOMIC_ACQUIRE))
		return NULL;
	return kernel_name(vprof_handle_find(&vprof_kernels, handle));
}

/* ---- graphs ---- */

static uint32_t graph_define(CUgraphExec exec, CUgraph graph, uint64_t flags, uint32_t number, uint32_t nodes)
{
	struct vprof_def_graph def = {
		.head.type = VPROF_DEF_GRAPH,
		.exec = (uintptr_t)exec,
		.graph = (uintptr_t)graph,
		.ticks = vprof_ticks(),
		.flags = flags,
		.number = number ? number : __atomic_add_fetch(&graphs_made, 1, __ATOMIC_RELAXED),
		.nodes = nodes,
	};

	return vprof_define(&def, sizeof(def), NULL);
}

/* All that is told of a graph when it is made executable, or changed. */
static uint32_t graph_tell(CUgraphExec exec, CUgraph graph, uint64_t flags, unsigned call, uint32_t number,
			   const struct vprof_graph_nodes *nodes)
{
	uint32_t id = graph_define(exec, graph, flags, number, nodes->count);
	struct vprof_capture capture = vprof_capture_of(graph);
	struct vprof_def_origin def = {
		.head.type = VPROF_DEF_ORIGIN,
		.graph = id,
		.call = call,
		.tid = vprof_thread_id(),
		.capture_tid = capture.tid,
		.capture_ticks = capture.ticks,
		.capture_stream = capture.stream,
	};

	if (id)
		vprof_define(&def, sizeof(def), NULL);
	vprof_nodes_define(nodes, id);
	return id;
}

uint32_t vprof_graph_made(CUgraphExec exec, CUgraph graph, uint64_t flags, unsigned call)
{
	uint32_t generation = __atomic_load_n(&vprof_graphs.generation, __ATOMIC_RELAXED), id;
	struct vprof_handle *entry = entry_of(&vprof_graphs, exec);
	struct vprof_graph_nodes nodes;
	uint64_t word;

	if (!entry)
		return 0;
	word = __atomic_load_n(&entry->word, __ATOMIC_RELAXED);
	vprof_nodes_take(graph, &nodes);
	id = entry_set(entry, word, generation, graph_tell(exec, graph, flags, call, 0, &nodes));
	entry->content = nodes.content;
	vprof_nodes_drop(&nodes);
	return id;
}

uint32_t vprof_graph_updated(CUgraphExec exec, CUgraph graph, unsigned call)
{
	uint32_t generation = __atomic_load_n(&vprof_graphs.generation, __ATOMIC_RELAXED), id;
	struct vprof_handle *entry = entry_of(&vprof_graphs, exec);
	struct vprof_graph_nodes nodes;
	const struct vprof_def_graph *old;
	uint64_t word;

	if (!entry)
		return 0;
	word = __atomic_load_n(&entry->word, __ATOMIC_RELAXED);
	id = word_id(&vprof_graphs, word);
	old = (const void *)vprof_definition(id);
	vprof_nodes_take(graph, &nodes);
	/* Most updates change arguments only. */
	if (nodes.content && (!old || nodes.content != entry->content)) {
		id = entry_set(entry, word, generation,
			       graph_tell(exec, graph, old ? old->flags : 0, call, old ? old->number : 0, &nodes));
		entry->content = nodes.content;
	}
	vprof_nodes_drop(&nodes);
	return id;
}

uint32_t vprof_graph_id(CUgraphExec exec)
{
	uint32_t generation = __atomic_load_n(&vprof_graphs.generation, __ATOMIC_RELAXED);
	struct vprof_handle *entry = launched_entry(&vprof_graphs, exec);
	uint64_t word;

	if (!entry)
		return 0;
	word = __atomic_load_n(&entry->word, __ATOMIC_RELAXED);
	if (word >> 32 == generation)
		return (uint32_t)word;
	return entry_set(entry, word, generation, graph_define(exec, NULL, 0, 0, 0));
}

uint32_t vprof_graph_gone(CUgraphExec exec)
{
	struct vprof_handle *entry = exec ? entry_of(&vprof_graphs, exec) : NULL;

	return entry ? word_id(&vprof_graphs, __atomic_exchange_n(&entry->word, 0, __ATOMIC_RELAXED)) : 0;
}
