/*
 * attributes.c - launch attributes: of a launch, of a kernel node, from one to the other.
 *
 * A kernel's work points at a set of them, or at nothing, which is the common
 * case. A node keeps those that say what the kernel is; programmatic serialization and
 * events say how a launch follows another and become edges when captured.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fakecuda/graph.h"

#define BIT(id) (1u << (id))
static const uint32_t launch_only = BIT(CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION) |
	BIT(CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_EVENT) | BIT(CU_LAUNCH_ATTRIBUTE_LAUNCH_COMPLETION_EVENT);
static const uint32_t of_nodes = BIT(CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW) |
	BIT(CU_LAUNCH_ATTRIBUTE_COOPERATIVE) | BIT(CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION) |
	BIT(CU_LAUNCH_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE) | BIT(CU_LAUNCH_ATTRIBUTE_PRIORITY) |
	BIT(CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP) | BIT(CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN) |
	BIT(CU_LAUNCH_ATTRIBUTE_PREFERRED_CLUSTER_DIMENSION) |
	BIT(CU_LAUNCH_ATTRIBUTE_DEVICE_UPDATABLE_KERNEL_NODE) |
	BIT(CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT) |
	BIT(CU_LAUNCH_ATTRIBUTE_NVLINK_UTIL_CENTRIC_SCHEDULING);

CUresult fk_attributes_take(struct fk_attributes *to, const CUlaunchAttribute *from, unsigned int count)
{
	to->given = 0;
	for (unsigned int i = 0; i < count; i++) {
		CUlaunchAttributeID id = from[i].id;

		if (id == CU_LAUNCH_ATTRIBUTE_IGNORE)
			continue;
		if (id < 0 || id >= FK_ATTRIBUTES || !((of_nodes | launch_only) & BIT(id)))
			return CUDA_ERROR_INVALID_VALUE;
		to->given |= BIT(id);
		to->value[id] = from[i].value;
	}
	return CUDA_SUCCESS;
}

void fk_attributes_set(struct fk_attributes *to, CUlaunchAttributeID id, const CUlaunchAttributeValue *value)
{
	to->given |= BIT(id);
	to->value[id] = *value;
}

static const CUlaunchAttributeValue *find(const struct fk_work *work, CUlaunchAttributeID id)
{
	const struct fk_attributes *a = work->type == CU_GRAPH_NODE_TYPE_KERNEL ? work->kernel.attributes : NULL;

	return a && (a->given & BIT(id)) ? &a->value[id] : NULL;
}

bool fk_work_serializes(const struct fk_work *work)
{
	const CUlaunchAttributeValue *v = find(work, CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION);

	return v && v->programmaticStreamSerializationAllowed;
}

bool fk_work_updatable(const struct fk_work *work)
{
	const CUlaunchAttributeValue *v = find(work, CU_LAUNCH_ATTRIBUTE_DEVICE_UPDATABLE_KERNEL_NODE);

	return v && v->deviceUpdatableKernelNode.deviceUpdatable;
}

int fk_work_cooperative(const struct fk_work *work)
{
	const CUlaunchAttributeValue *v = find(work, CU_LAUNCH_ATTRIBUTE_COOPERATIVE);

	return v ? v->cooperative : 0;
}

int fk_work_priority(const struct fk_work *work)
{
	const CUlaunchAttributeValue *v = find(work, CU_LAUNCH_ATTRIBUTE_PRIORITY);

	return v ? v->priority : 0;
}

/* What work points at becomes its own. */
CUresult fk_attributes_copy(struct fk_work *work)
{
	const struct fk_attributes *from = work->kernel.attributes;
	struct fk_attributes *copy;

	if (!from)
		return CUDA_SUCCESS;
	copy = malloc(sizeof(*copy));
	work->kernel.attributes = copy;
	if (!copy)
		return CUDA_ERROR_OUT_OF_MEMORY;
	*copy = *from;
	return CUDA_SUCCESS;
}

/* A captured launch's node: without what only launches have, and with the stream's priority. */
void fk_attributes_captured(struct fk_work *work, struct fk_attributes *room, int priority)
{
	room->given = 0;
	if (work->kernel.attributes)
		*room = *work->kernel.attributes;
	room->given &= ~launch_only;
	if (priority && !(room->given & BIT(CU_LAUNCH_ATTRIBUTE_PRIORITY)))
		fk_attributes_set(room, CU_LAUNCH_ATTRIBUTE_PRIORITY, &(CUlaunchAttributeValue){ .priority = priority });
	work->kernel.attributes = room->given ? room : NULL;
}

/* ---- of nodes ----------------------------------------------------------------------- */

static bool is_kernel(CUgraphNode node)
{
	return fk_is(node, FK_NODE) && node->work.type == CU_GRAPH_NODE_TYPE_KERNEL;
}

static bool id_ok(CUlaunchAttributeID id)
{
	return id > 0 && id < FK_ATTRIBUTES && (of_nodes & BIT(id));
}

/* One that was never given reads 0, but for the map, in which each domain is itself. */
static CUresult get(CUgraphNode node, CUlaunchAttributeID id, CUlaunchAttributeValue *out)
{
	const CUlaunchAttributeValue *value;

	if (!is_kernel(node) || !id_ok(id) || !out)
		return CUDA_ERROR_INVALID_VALUE;
	pthread_mutex_lock(&fk_lock);
	value = find(&node->work, id);
	*out = value ? *value : (CUlaunchAttributeValue){ .pad = { 0 } };
	if (!value && id == CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP)
		out->pad[1] = 1;
	pthread_mutex_unlock(&fk_lock);
	return CUDA_SUCCESS;
}

static CUresult set(CUgraphNode node, CUlaunchAttributeID id, const CUlaunchAttributeValue *value)
{
	CUresult result = CUDA_SUCCESS;

	if (!is_kernel(node) || !id_ok(id) || !value)
		return CUDA_ERROR_INVALID_VALUE;
	pthread_mutex_lock(&fk_lock);
	if (!node->work.kernel.attributes)
		node->work.kernel.attributes = calloc(1, sizeof(*node->work.kernel.attributes));
	if (node->work.kernel.attributes)
		fk_attributes_set(node->work.kernel.attributes, id, value);
	else
		result = CUDA_ERROR_OUT_OF_MEMORY;
	pthread_mutex_unlock(&fk_lock);
	return result;
}

static CUresult copy(CUgraphNode to, CUgraphNode from)
{
	struct fk_work work;
	CUresult result;

	if (!is_kernel(to) || !is_kernel(from) || fk_work_updatable(&to->work) || fk_work_updatable(&from->work))
		return CUDA_ERROR_INVALID_VALUE;
	pthread_mutex_lock(&fk_lock);
	work.kernel.attributes = from->work.kernel.attributes;
	result = to == from ? CUDA_SUCCESS : fk_attributes_copy(&work);
	if (!result && to != from) {
		free(to->work.kernel.attributes);
		to->work.kernel.attributes = work.kernel.attributes;
	}
	pthread_mutex_unlock(&fk_lock);
	return result;
}

FK_API(FK_INIT, cuGraphKernelNodeGetAttribute,
	(CUgraphNode node, CUlaunchAttributeID id, CUlaunchAttributeValue *out), get(node, id, out))
FK_API(FK_INIT, cuGraphKernelNodeSetAttribute,
	(CUgraphNode node, CUlaunchAttributeID id, const CUlaunchAttributeValue *value), set(node, id, value))
FK_API(FK_INIT, cuGraphKernelNodeCopyAttributes, (CUgraphNode to, CUgraphNode from), copy(to, from))
