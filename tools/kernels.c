/*
 * kernels.c - counts runs of kernels, and joins them with what the definitions say.
 *
 * Process after process: a row for each definition of a kernel, which launches and the nodes of
 * launched graphs are counted in. Order does not matter, so chunk after chunk is read. At
 * the end rows that would look the same become one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tools/graphs.h"
#include "tools/idmap.h"
#include "tools/kernels_inner.h"
#include "tools/list.h"

enum { SHAPES_MOST = 256 }; /* of a kernel; launches of further ones are counted, their shape is not */

struct counting {
	struct kernels *kernels;
	struct trace *trace;
	struct trace_process *process;
	size_t first;          /* row of this process */
	struct idmap by_id;    /* definition -> row */
	struct graphs graphs;
	uint64_t *launches;    /* by graph */
};

static struct kernel_row *row_of(const struct counting *c, uint32_t id)
{
	uint32_t index = idmap_get(&c->by_id, id);

	return index == IDMAP_NONE ? NULL : &c->kernels->rows[index];
}

/* ---- definitions ---- */

static int add_row(struct counting *c, const struct vprof_def_kernel *def, uint32_t module)
{
	struct kernels *kernels = c->kernels;
	const struct ring *ring = c->process->ring;

	if (list_grow(kernels->rows, kernels->count))
		return -ENOMEM;
	kernels->rows[kernels->count] = (struct kernel_row){
		.process = c->process, .def = def, .processes = 1, .modules = module != IDMAP_NONE,
		.module = module == IDMAP_NONE ? NULL : ring_def(ring, module, VPROF_DEF_MODULE),
		.facts = { .device = -1, .param_count = UINT32_MAX },
	};
	return idmap_put(&c->by_id, ring_def_id(ring, &def->head), (uint32_t)kernels->count++);
}

/* The log is in the order of time: a handle means the last module that had it. */
static int add_rows(struct counting *c)
{
	const struct ring *ring = c->process->ring;
	const struct vprof_def *def = NULL;
	struct idmap modules = { 0 };
	int error = 0;

	while (!error && (def = ring_def_next(ring, def))) {
		const struct vprof_def_kernel *kernel = (const void *)def;
		uint32_t module;

		if (def->type == VPROF_DEF_MODULE)
			error = idmap_put(&modules, ((const struct vprof_def_module *)def)->handle,
					  ring_def_id(ring, def));
		if (def->type != VPROF_DEF_KERNEL)
			continue;
		module = kernel->module ? idmap_get(&modules, kernel->module) : IDMAP_NONE;
		error = add_row(c, kernel, module);
	}
	idmap_free(&modules);
	return error;
}

static int take_facts(struct kernel_row *row, const struct vprof_def_facts *facts)
{
	uint32_t count = ring_facts_params(facts);

	if (row->source != KERNEL_UNKNOWN)
		return 0;
	memcpy(&row->facts, facts, sizeof(row->facts));
	row->source = facts->valid ? KERNEL_FROM_DRIVER : KERNEL_UNKNOWN;
	free(row->params);
	row->params = calloc(count + 1, sizeof(*row->params));
	if (!row->params)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		row->params[i] = (struct cubin_param){ i, facts->params[i].offset, facts->params[i].size };
	row->params_known = count;
	return 0;
}

static int read_facts(struct counting *c)
{
	const struct ring *ring = c->process->ring;
	const struct vprof_def *def = NULL;
	int error = 0;

	while (!error && (def = ring_def_next(ring, def))) {
		const struct vprof_def_facts *facts = (const void *)def;
		struct kernel_row *row = def->type == VPROF_DEF_FACTS ? row_of(c, facts->kernel) : NULL;

		if (row)
			error = take_facts(row, facts);
	}
	return error;
}

/* The device that was asked; where that is not known, the only one that there is. */
static void find_devices(struct counting *c)
{
	const struct ring *ring = c->process->ring;
	const struct vprof_def *def = NULL;
	const struct vprof_def_device *only = NULL;
	uint32_t count = 0;

	while ((def = ring_def_next(ring, def))) {
		const struct vprof_def_device *device = (const void *)def;

		if (def->type != VPROF_DEF_DEVICE)
			continue;
		count++;
		only = device;
		for (size_t i = c->first; i < c->kernels->count; i++)
			if (c->kernels->rows[i].facts.device == device->ordinal)
				c->kernels->rows[i].device = device;
	}
	for (size_t i = c->first; count == 1 && i < c->kernels->count; i++)
		if (c->kernels->rows[i].facts.device < 0)
			c->kernels->rows[i].device = only;
}

/* ---- runs ---- */

static int add_runs(struct kernel_row *row, const uint16_t *block, uint32_t shared, uint64_t runs)
{
	struct kernel_shape *shapes;
	uint32_t i = 0;

	for (; i < row->shape_count; i++) {
		shapes = &row->shapes[i];
		if (shapes->block[0] == block[0] && shapes->block[1] == block[1] && shapes->block[2] == block[2] &&
		    shapes->shared == shared)
			break;
	}
	if (i == SHAPES_MOST)
		return 0;
	if (i == row->shape_count) {
		if (list_grow(row->shapes, i))
			return -ENOMEM;
		row->shapes[row->shape_count++] = (struct kernel_shape){ { block[0], block[1], block[2] }, shared, 0 };
	}
	row->shapes[i].runs += runs;
	return 0;
}

static int count_event(struct counting *c, const struct event *event)
{
	const struct vprof_slot *slot = &event->slot;
	struct kernel_row *row;
	uint32_t graph;

	if (slot->kind == VPROF_KIND_GRAPH_LAUNCH) {
		graph = graphs_index(&c->graphs, slot->object);
		if (graph != IDMAP_NONE)
			c->launches[graph]++;
		return 0;
	}
	row = slot->kind == VPROF_KIND_LAUNCH ? row_of(c, slot->object) : NULL;
	if (!row)
		return 0;
	row->launches++;
	return add_runs(row, slot->launch.block, slot->launch.shared, 1);
}

static int count_events(struct counting *c)
{
	struct event *events = malloc(VPROF_CHUNK_SLOTS * sizeof(*events));
	int error = events ? 0 : -ENOMEM;
	uint32_t at = 0;

	for (uint32_t i = 0; !error && i < c->process->ring->chunk_count; i++) {
		int count = trace_load(c->trace, c->process, &c->process->ring->chunks[i], &at, events);

		error = count < 0 ? count : 0;
		for (int e = 0; e < count && !error; e++)
			error = count_event(c, &events[e]);
	}
	free(events);
	return error;
}

static int add_node(struct counting *c, const struct vprof_graph_node *node, uint64_t launches)
{
	struct kernel_row *row = node->type == VPROF_NODE_KERNEL ? row_of(c, node->object) : NULL;

	if (!row)
		return 0;
	row->in_graphs += launches;
	return add_runs(row, node->block, node->shared, launches);
}

/* Each list once: graphs that are equal share one. */
static int expand_graphs(struct counting *c)
{
	const struct graphs *graphs = &c->graphs;
	uint64_t *by_list = calloc((size_t)graphs->list_count + 1, sizeof(*by_list));
	int error = by_list ? 0 : -ENOMEM;

	for (uint32_t i = 0; !error && i < graphs->count; i++)
		if (graphs->list[i].list != IDMAP_NONE)
			by_list[graphs->list[i].list] += c->launches[i];
	for (uint32_t l = 0; !error && l < graphs->list_count; l++)
		for (uint32_t n = 0; by_list[l] && !error && n < graphs->lists[l].count; n++)
			error = add_node(c, &graphs->lists[l].nodes[n], by_list[l]);
	free(by_list);
	return error;
}

static int count_process(struct kernels *kernels, struct trace *trace, struct trace_process *process, int saved)
{
	struct counting c = { .kernels = kernels, .trace = trace, .process = process, .first = kernels->count };
	int error = graphs_read(&c.graphs, process->ring);

	if (error)
		return error;
	c.launches = calloc((size_t)c.graphs.count + 1, sizeof(*c.launches));
	error = c.launches ? add_rows(&c) : -ENOMEM;
	if (!error)
		error = read_facts(&c);
	if (!error) {
		find_devices(&c);
		error = count_events(&c);
	}
	if (!error)
		error = expand_graphs(&c);
	if (!error && saved && kernels->count > c.first)
		error = kernels_read_saved(kernels, kernels->rows + c.first, kernels->count - c.first);
	free(c.launches);
	graphs_free(&c.graphs);
	idmap_free(&c.by_id);
	return error;
}

/* ---- rows that look the same ---- */

static int compare_u64(uint64_t x, uint64_t y)
{
	return (x > y) - (x < y);
}

/* The facts without the head of their definition and the kernel that they are of. */
static int compare_facts(const struct kernel_row *x, const struct kernel_row *y)
{
	const uint32_t a[] = { x->source, x->facts.registers, x->facts.shared_static, x->facts.local, x->facts.constant,
			       x->facts.threads_most, x->facts.ptx, x->facts.binary, x->facts.param_count,
			       x->facts.param_bytes, x->module ? x->module->image : 0,
			       x->device ? x->device->major * 256u + x->device->minor : 0 };
	const uint32_t b[] = { y->source, y->facts.registers, y->facts.shared_static, y->facts.local, y->facts.constant,
			       y->facts.threads_most, y->facts.ptx, y->facts.binary, y->facts.param_count,
			       y->facts.param_bytes, y->module ? y->module->image : 0,
			       y->device ? y->device->major * 256u + y->device->minor : 0 };

	return memcmp(a, b, sizeof(a));
}

static int compare_same(const void *a, const void *b)
{
	const struct kernel_row *x = a, *y = b;
	int order = strcmp(x->def->name, y->def->name);

	if (!order)
		order = compare_facts(x, y);
	return order ? order : compare_u64(x->process->index, y->process->index);
}

static int join(struct kernel_row *into, struct kernel_row *row, uint32_t last_process)
{
	int error = 0;

	into->launches += row->launches;
	into->in_graphs += row->in_graphs;
	into->processes += row->process->index != last_process;
	into->modules += row->modules;
	for (uint32_t i = 0; i < row->shape_count && !error; i++) {
		const struct kernel_shape *shape = &row->shapes[i];
		uint16_t block[3] = { (uint16_t)shape->block[0], (uint16_t)shape->block[1], (uint16_t)shape->block[2] };

		error = add_runs(into, block, shape->shared, shape->runs);
	}
	return error;
}

static void row_free(struct kernel_row *row)
{
	free(row->shapes);
	free(row->params);
}

static int join_rows(struct kernels *kernels, int all)
{
	size_t kept = 0;
	uint32_t last_process = 0;
	int error = 0;

	if (kernels->count)
		qsort(kernels->rows, kernels->count, sizeof(*kernels->rows), compare_same);
	for (size_t i = 0; i < kernels->count; i++) {
		struct kernel_row *row = &kernels->rows[i], *into = kept ? &kernels->rows[kept - 1] : NULL;

		if (!all && !row->launches && !row->in_graphs) {
			row_free(row);
			continue;
		}
		if (!into || strcmp(into->def->name, row->def->name) || compare_facts(into, row)) {
			last_process = row->process->index;
			kernels->rows[kept++] = *row;
			continue;
		}
		if (!error)
			error = join(into, row, last_process);
		last_process = row->process->index;
		row_free(row);
	}
	kernels->count = kept;
	return error;
}

static int compare_shapes(const void *a, const void *b)
{
	const struct kernel_shape *x = a, *y = b;

	return -compare_u64(x->runs, y->runs);
}

static void find_occupancy(struct kernel_row *row)
{
	const struct kernel_shape *most = row->shapes;

	if (!row->shape_count)
		return;
	qsort(row->shapes, row->shape_count, sizeof(*row->shapes), compare_shapes);
	row->has_occupancy = !occupancy_find(&row->occupancy, row->device, &row->facts,
					     (uint64_t)most->block[0] * most->block[1] * most->block[2], most->shared);
}

int kernels_count(struct kernels *kernels, struct trace *trace, const struct kernels_style *style)
{
	int error = 0;

	memset(kernels, 0, sizeof(*kernels));
	for (size_t i = 0; !error && i < trace->count; i++)
		if (trace->processes[i].chosen)
			error = count_process(kernels, trace, &trace->processes[i], style->saved);
	if (!error)
		error = join_rows(kernels, style->all);
	for (size_t i = 0; !error && i < kernels->count; i++)
		find_occupancy(&kernels->rows[i]);
	return error ? error : kernels_sort(kernels, "launches");
}

void kernels_free(struct kernels *kernels)
{
	for (size_t i = 0; i < kernels->count; i++)
		row_free(&kernels->rows[i]);
	free(kernels->rows);
	memset(kernels, 0, sizeof(*kernels));
}
