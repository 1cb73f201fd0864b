/*
 * graph_nodes.c - the nodes of a graph: kernels, copies, sets, child graphs, and what waits for what.
 *
 * Taken when a graph is made executable, so that its launches need say nothing more: a replay
 * is one record, and a reader finds here which kernels it ran. A node costs two questions to the
 * driver and 48 bytes of the definitions. A list that is equal to an earlier one is written
 * as a reference to that: a model's layers are the same graph many times over.
 *
 * ORDER. The graph's own nodes come first, in the driver's order; then those of its first child graph,
 * and so on, level by level. The walk needs no stack.
 *
 * MEMORY. Scratch pads of our own, mapped at their first use and kept. A thread that finds
 * all of them taken (by others, or by itself below a signal handler) counts the loss and goes on:
 * nothing here waits. A graph of more nodes or edges than a pad holds is told in part.
 */
#include <string.h>
#include <unistd.h>
#include "preload/inner.h"
#include "shim/ask.h"
#include "shim/copy_kind.h"
#include "shim/graph_scratch.h"
#include "shim/kernels.h"
#include "shim/resolve.h"

/* ---- pads ---- */

enum { PADS = 4 };

static struct {
	struct vprof_scratch *scratch;
	uint32_t owner; /* process; 0: free. What a forked child finds taken was its parent's. */
} pads[PADS];

static struct vprof_scratch *pad_take(void)
{
	uint32_t self = (uint32_t)getpid();

	for (int i = 0; i < PADS; i++) {
		uint32_t owner = __atomic_load_n(&pads[i].owner, __ATOMIC_RELAXED);

		/* Pairs with the release in vprof_nodes_drop(). */
		if (owner == self || !__atomic_compare_exchange_n(&pads[i].owner, &owner, self, 0, __ATOMIC_ACQUIRE,
								  __ATOMIC_RELAXED))
			continue;
		if (!pads[i].scratch)
			pads[i].scratch = vprof_table(sizeof(*pads[i].scratch));
		if (pads[i].scratch) {
			pads[i].scratch->pad = (uint32_t)i;
			return pads[i].scratch;
		}
		__atomic_store_n(&pads[i].owner, 0, __ATOMIC_RELEASE);
	}
	return NULL;
}

void vprof_nodes_drop(struct vprof_graph_nodes *nodes)
{
	/* Pairs with the acquire in pad_take(). */
	if (nodes->scratch)
		__atomic_store_n(&pads[nodes->scratch->pad].owner, 0, __ATOMIC_RELEASE);
	nodes->scratch = NULL;
}

/* ---- which node a handle is ---- */

static uint32_t index_place(const struct vprof_scratch *s, CUgraphNode node)
{
	uint32_t at = (uint32_t)((uintptr_t)node * 0x9e3779b97f4a7c15u >> (64 - INDEX_BITS));

	while (s->index[at].stamp == s->stamp && s->index[at].node != node)
		at = (at + 1) % (1 << INDEX_BITS);
	return at;
}

static void index_add(struct vprof_scratch *s, uint32_t node)
{
	uint32_t at = index_place(s, s->handles[node]);

	s->index[at].node = s->handles[node];
	s->index[at].at = node;
	s->index[at].stamp = s->stamp;
}

static int index_find(const struct vprof_scratch *s, CUgraphNode node, uint32_t *found)
{
	uint32_t at = index_place(s, node);

	*found = s->index[at].at;
	return s->index[at].stamp == s->stamp;
}

/* ---- edges ---- */

CUresult vprof_graph_edges(CUgraph graph, CUgraphNode *from, CUgraphNode *to, CUgraphEdgeData *data, size_t *count)
{
	if (vprof_ask.graph_edges_v2)
		return vprof_ask.graph_edges_v2(graph, from, to, data, count);
	if (data)
		memset(data, 0, *count * sizeof(*data));
	return vprof_ask.graph_edges ? vprof_ask.graph_edges(graph, from, to, count) : CUDA_ERROR_NOT_FOUND;
}

static void edge_add(struct vprof_scratch *s, size_t i)
{
	int programmatic = s->data[i].type == CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC;
	uint32_t from, to;

	if (!index_find(s, s->from[i], &from) || !index_find(s, s->to[i], &to)) {
		s->lost = 1;
		return;
	}
	if (programmatic)
		s->nodes[to].flags |= VPROF_LAUNCH_PROGRAMMATIC;
	s->edges[s->edge_count++] = (struct edge){ from | (programmatic ? VPROF_EDGE_PROGRAMMATIC : 0), to };
}

static void take_edges(struct vprof_scratch *s, CUgraph graph)
{
	size_t room = MOST_EDGES - s->edge_count, count = 0, got;

	if (vprof_graph_edges(graph, NULL, NULL, NULL, &count)) {
		s->lost = 1;
		return;
	}
	if (count > room)
		s->lost = 1;
	got = count = count < room ? count : room;
	if (!count)
		return;
	if (vprof_graph_edges(graph, s->from, s->to, s->data, &got) || got > count) {
		s->lost = 1;
		return;
	}
	for (size_t i = 0; i < got; i++)
		edge_add(s, i);
}

/* ---- nodes ---- */

/* Appends the nodes of a graph, still without what they do. Returns how many it has by its own account. */
static uint32_t take_graph(struct vprof_scratch *s, CUgraph graph, uint32_t parent)
{
	size_t room = MOST_NODES - s->total, count = 0, got;

	if (vprof_ask.graph_nodes(graph, NULL, &count)) {
		s->lost = 1;
		return 0;
	}
	if (count > room)
		s->lost = 1;
	s->claimed += (uint32_t)count;
	got = count < room ? count : room;
	/* Asked for more than it has, the driver would fill up the rest. */
	if (got && (vprof_ask.graph_nodes(graph, s->handles + s->total, &got) || got > room)) {
		s->lost = 1;
		return (uint32_t)count;
	}
	for (size_t i = 0; i < got; i++, s->total++) {
		s->nodes[s->total] = (struct vprof_graph_node){ .type = VPROF_NODE_UNKNOWN, .parent = parent };
		index_add(s, s->total);
	}
	take_edges(s, graph);
	return (uint32_t)count;
}

static CUresult ask_kernel(CUgraphNode node, CUDA_KERNEL_NODE_PARAMS_v2 *params)
{
	CUDA_KERNEL_NODE_PARAMS_v1 old;
	CUresult result;

	memset(params, 0, sizeof(*params));
	if (vprof_ask.graph_kernel_v2)
		return vprof_ask.graph_kernel_v2(node, params);
	result = vprof_ask.graph_kernel ? vprof_ask.graph_kernel(node, &old) : CUDA_ERROR_NOT_FOUND;
	if (!result)
		memcpy(params, &old, sizeof(old));
	return result;
}

static uint16_t at_most_u16(unsigned value)
{
	return value < UINT16_MAX ? (uint16_t)value : UINT16_MAX;
}

static CUresult tell_kernel(struct vprof_graph_node *out, CUgraphNode node)
{
	CUDA_KERNEL_NODE_PARAMS_v2 p;
	CUresult result = ask_kernel(node, &p);

	if (result)
		return result;
	out->object = vprof_kernel_id(p.func ? p.func : (CUfunction)(void *)p.kern);
	out->grid[0] = p.gridDimX;
	out->grid[1] = p.gridDimY;
	out->grid[2] = p.gridDimZ;
	out->block[0] = at_most_u16(p.blockDimX);
	out->block[1] = at_most_u16(p.blockDimY);
	out->block[2] = at_most_u16(p.blockDimZ);
	out->shared = p.sharedMemBytes;
	return CUDA_SUCCESS;
}

static uint64_t extent(size_t size)
{
	return size ? size : 1;
}

static CUresult tell_copy(struct vprof_graph_node *out, CUgraphNode node)
{
	CUDA_MEMCPY3D_v2 p;
	CUresult result = vprof_ask.graph_copy ? vprof_ask.graph_copy(node, &p) : CUDA_ERROR_NOT_FOUND;

	if (result)
		return result;
	out->object = vprof_copy_direction(p.srcMemoryType, p.dstMemoryType) |
		      (p.Depth > 1 ? VPROF_COPY_3D : p.Height > 1 ? VPROF_COPY_2D : 0);
	out->bytes = p.WidthInBytes * extent(p.Height) * extent(p.Depth);
	return CUDA_SUCCESS;
}

static CUresult tell_set(struct vprof_graph_node *out, CUgraphNode node)
{
	CUDA_MEMSET_NODE_PARAMS p;
	CUresult result = vprof_ask.graph_set ? vprof_ask.graph_set(node, &p) : CUDA_ERROR_NOT_FOUND;

	if (result)
		return result;
	out->object = p.height > 1 ? VPROF_COPY_2D : 0;
	out->bytes = (uint64_t)p.elementSize * p.width * extent(p.height);
	return CUDA_SUCCESS;
}

static CUresult tell_child(struct vprof_scratch *s, uint32_t at)
{
	CUgraph child = NULL;
	CUresult result = vprof_ask.graph_child ? vprof_ask.graph_child(s->handles[at], &child) : CUDA_ERROR_NOT_FOUND;

	if (!result)
		take_graph(s, child, at + 1);
	return result;
}

CUresult vprof_node_tell(CUgraphNode node, struct vprof_graph_node *out)
{
	CUgraphNodeType type;
	CUresult result = vprof_ask.graph_node_type ? vprof_ask.graph_node_type(node, &type) : CUDA_ERROR_NOT_FOUND;

	if (result)
		return result;
	out->type = (uint32_t)type;
	switch (type) {
	case CU_GRAPH_NODE_TYPE_KERNEL:
		return tell_kernel(out, node);
	case CU_GRAPH_NODE_TYPE_MEMCPY:
		return tell_copy(out, node);
	case CU_GRAPH_NODE_TYPE_MEMSET:
		return tell_set(out, node);
	default:
		return CUDA_SUCCESS;
	}
}

static CUresult tell_node(struct vprof_scratch *s, uint32_t at)
{
	CUresult result = vprof_node_tell(s->handles[at], &s->nodes[at]);

	return result || s->nodes[at].type != VPROF_NODE_GRAPH ? result : tell_child(s, at);
}

/* ---- the whole ---- */

static void mix(uint64_t content[2], const void *data, size_t size)
{
	const uint64_t *words = data;

	for (size_t i = 0; i < size / sizeof(*words); i++) {
		content[0] = (content[0] ^ words[i]) * 0x9e3779b97f4a7c15u;
		content[0] ^= content[0] >> 29;
		content[1] = (content[1] + words[i]) * 0xd6e8feb86659fd93u;
		content[1] ^= content[1] >> 32;
	}
}

static uint32_t take_all(struct vprof_scratch *s, CUgraph graph)
{
	uint32_t count;

	s->total = s->edge_count = s->claimed = 0;
	s->lost = 0;
	s->stamp++;
	count = take_graph(s, graph, 0);
	for (uint32_t i = 0; i < s->total; i++)
		if (tell_node(s, i))
			s->lost = 1;
	s->content[0] = s->content[1] = ((uint64_t)s->total << 32 | s->edge_count) + 1;
	mix(s->content, s->nodes, s->total * sizeof(s->nodes[0]));
	mix(s->content, s->edges, s->edge_count * sizeof(s->edges[0]));
	return count;
}

void vprof_nodes_take(CUgraph graph, struct vprof_graph_nodes *nodes)
{
	struct vprof_asking asking;

	*nodes = (struct vprof_graph_nodes){ 0 };
	if (!vprof_chosen(VPROF_GROUP_BIT(VPROF_GROUP_GRAPH)))
		return;
	if (vprof_ask.graph_nodes && vprof_ask.graph_node_type)
		nodes->scratch = pad_take();
	if (nodes->scratch && vprof_ask_begin(&asking)) {
		nodes->count = take_all(nodes->scratch, graph);
		nodes->content = nodes->scratch->content[0];
		vprof_ask_end(&asking);
	} else {
		vprof_nodes_drop(nodes);
		vprof_lose(VPROF_LOSS_NODES);
	}
}
