/*
 * twin.c - graphs that may be stamped: remembered, changed, forgotten. See twin.h.
 */
#include <sched.h>
#include <string.h>
#include "preload/inner.h"
#include "shim/ask.h"
#include "shim/captures.h"
#include "shim/eager.h"
#include "shim/graphs.h"
#include "shim/twin_plan.h"

enum { SUBJECT_YIELDS = 100 };

struct vprof_twin *vprof_twins;
static uint32_t cloned; /* nodes, of all clones */
static struct vprof_subject *subjects; /* VPROF_GRAPHS_MOST; NULL: nothing is ever stamped */

void vprof_twins_init(void)
{
	if (!subjects) {
		vprof_twins = vprof_table(VPROF_TWINS_MOST * sizeof(*vprof_twins));
		if (vprof_twins)
			subjects = vprof_table(VPROF_GRAPHS_MOST * sizeof(*subjects));
	}
}

/* The driver is of no use in a forked child, and its handles are nobody's. */
void vprof_twins_forget(void)
{
	static int used;

	if (subjects && used++) {
		for (uint32_t i = 0; i < VPROF_GRAPHS_MOST; i++)
			if (subjects[i].version)
				memset(&subjects[i], 0, sizeof(subjects[i]));
		for (int i = 0; i < VPROF_TWINS_MOST; i++)
			if (vprof_twins[i].use)
				vprof_twins[i] = (struct vprof_twin){ .launches = vprof_twins[i].launches };
	}
	cloned = 0;
	vprof_eager_forget();
	vprof_gpu_thread_forget();
	vprof_gpus_forget();
}

struct vprof_subject *vprof_subject_at(uint32_t place)
{
	return subjects && place < VPROF_GRAPHS_MOST ? &subjects[place] : NULL;
}

struct vprof_subject *vprof_subject_of(const struct vprof_handle *entry)
{
	return entry ? vprof_subject_at(vprof_graph_place(entry)) : NULL;
}

int vprof_subject_try(struct vprof_subject *subject)
{
	uint32_t none = 0;

	return __atomic_compare_exchange_n(&subject->lock, &none, vprof_thread_id(), 0, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

int vprof_subject_hold(struct vprof_subject *subject)
{
	uint32_t self = vprof_thread_id(), found = 0, tries = 0;

	/* Held for as long as a launch takes. A handler that comes in between must not wait for its own thread. */
	while (!__atomic_compare_exchange_n(&subject->lock, &found, self, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		if (found == self)
			return 0;
		found = 0;
		if (tries++ < SUBJECT_YIELDS)
			sched_yield();
		else
			vprof_gpu_pause(20000);
	}
	return 1;
}

void vprof_subject_drop(struct vprof_subject *subject)
{
	__atomic_store_n(&subject->lock, 0, __ATOMIC_RELEASE);
}

/* ---- remembered ---- */

static enum vprof_twin_why refusal(const struct vprof_graph_nodes *nodes, uint64_t flags)
{
	const struct vprof_scratch *s = nodes->scratch;

	if (flags & CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH)
		return VPROF_TWIN_DEVICE;
	if (!s)
		return VPROF_TWIN_UNSEEN;
	if (s->lost)
		return VPROF_TWIN_LARGE;
	for (uint32_t i = 0; i < s->total; i++) {
		if (s->nodes[i].type == VPROF_NODE_ALLOC || s->nodes[i].type == VPROF_NODE_FREE)
			return VPROF_TWIN_MEMORY_NODE;
		if (s->nodes[i].type == VPROF_NODE_CONDITIONAL)
			return VPROF_TWIN_CONDITIONAL;
	}
	return VPROF_TWIN_BUILT;
}

static void uncount_clone(uint32_t nodes)
{
	__atomic_sub_fetch(&cloned, nodes, __ATOMIC_RELAXED);
}

static int count_clone(uint32_t nodes)
{
	if (__atomic_add_fetch(&cloned, nodes, __ATOMIC_RELAXED) <= VPROF_CLONED_MOST)
		return 1;
	uncount_clone(nodes);
	return 0;
}

static CUresult make_clone(struct vprof_subject *subject, CUgraph graph)
{
	struct vprof_asking asking;
	CUresult result;

	if (!vprof_ask.graph_clone || !vprof_ask.graph_destroy || !vprof_ask_begin(&asking))
		return CUDA_ERROR_NOT_FOUND;
	result = vprof_ask.graph_clone(&subject->clone, graph);
	vprof_ask_end(&asking);
	return result;
}

static void keep(struct vprof_subject *subject, CUgraph graph, const struct vprof_graph_nodes *nodes)
{
	subject->why = (uint16_t)refusal(nodes, subject->flags);
	if (subject->why)
		return;
	subject->cloned = nodes->scratch->total;
	if (!count_clone(subject->cloned)) {
		subject->why = VPROF_TWIN_CLONES;
		return;
	}
	subject->error = (uint16_t)make_clone(subject, graph);
	if (subject->error) {
		uncount_clone(subject->cloned);
		subject->why = VPROF_TWIN_NO_CLONE;
		return;
	}
	subject->content = nodes->content;
	subject->timed = vprof_stampable(nodes->scratch);
	subject->why = VPROF_TWIN_BUILT;
	subject->state = VPROF_SUBJECT_KEPT;
}

void vprof_subject_renew(struct vprof_subject *subject)
{
	__atomic_store_n(&subject->version, subject->version + 1 ? subject->version + 1 : 1, __ATOMIC_RELAXED);
}

int vprof_twin_is_of(const struct vprof_twin *twin, const struct vprof_subject *subject)
{
	const struct vprof_twin *one = subject->twin;

	if (!one)
		return 0;
	while (one != twin && one->next != subject->twin)
		one = one->next;
	return one == twin;
}

/* Without the driver: what that has of it stays. */
static void give_up(struct vprof_twin *twin)
{
	/* Pairs with the acquire in vprof_twins_harvest(). */
	__atomic_store_n(&twin->use, VPROF_TWIN_DROPPED, __ATOMIC_RELEASE);
}

static void release(struct vprof_twin *twin)
{
	if (twin->graph)
		vprof_ask.graph_destroy(twin->graph);
	if (vprof_gpu_state_of(twin->gpu) == VPROF_GPU_READY)
		vprof_ask.graph_exec_destroy(twin->exec);
	twin->graph = NULL;
	give_up(twin);
}

/* One that is dropped may be another's at once. */
static void each_part(struct vprof_twin *first, void (*drop)(struct vprof_twin *))
{
	struct vprof_twin *twin = first, *next;

	do {
		next = twin->next;
		drop(twin);
		twin = next;
	} while (twin != first);
}

void vprof_twins_release(struct vprof_twin *twin)
{
	each_part(twin, release);
}

void vprof_subject_forget(struct vprof_subject *subject)
{
	struct vprof_asking asking;

	if ((subject->clone || subject->twin) && vprof_ask_begin(&asking)) {
		if (subject->clone && subject->state != VPROF_SUBJECT_CLONING)
			vprof_ask.graph_destroy(subject->clone);
		if (subject->twin)
			vprof_twins_release(subject->twin);
		vprof_ask_end(&asking);
	} else if (subject->twin) {
		each_part(subject->twin, give_up);
	}
	if (subject->clone)
		uncount_clone(subject->cloned);
	subject->clone = NULL;
	subject->twin = NULL;
	subject->state = VPROF_SUBJECT_NONE;
	subject->error = 0;
	if (subject->off_count)
		subject->off_count = UINT32_MAX;
	vprof_subject_renew(subject);
}

/* Have clones a use: are launches stamped, or may they be? */
static int is_wanted(void)
{
	return vprof_gpu_now() || vprof_gpu_start();
}

void vprof_twin_made(struct vprof_handle *entry, CUgraph graph, uint32_t id, uint64_t flags,
		     const struct vprof_graph_nodes *nodes)
{
	struct vprof_subject *subject = vprof_subject_of(entry);

	if (!subject || (!is_wanted() && !vprof_subject_is_known(subject)) || !vprof_subject_hold(subject))
		return;
	/* An earlier graph of this handle whose end was not seen. */
	vprof_subject_forget(subject);
	subject->graph = id;
	subject->flags = flags;
	subject->why = VPROF_TWIN_UNSEEN;
	subject->on_twin = 0;
	subject->last_twin = NULL;
	subject->window = 0;
	subject->since = subject->tries = 0;
	subject->wants = subject->changes = subject->rebuilds = subject->off_count = 0;
	subject->told = 0;
	if (is_wanted())
		keep(subject, graph, nodes);
	vprof_subject_count(entry, subject, vprof_gpu_now() ? 1 : 0);
	vprof_subject_drop(subject);
}

void vprof_twin_updated(struct vprof_handle *entry, CUgraph graph, uint32_t id, const struct vprof_graph_nodes *nodes)
{
	struct vprof_subject *subject = vprof_subject_of(entry);

	if (!vprof_subject_is_known(subject) || !vprof_subject_hold(subject))
		return;
	subject->rebuilds += subject->twin != NULL;
	vprof_subject_forget(subject);
	subject->told = subject->graph == id ? subject->told : 0;
	subject->graph = id;
	subject->why = VPROF_TWIN_CHANGED;
	if (!subject->off_count)
		keep(subject, graph, nodes);
	vprof_subject_drop(subject);
}

void vprof_twin_update_missed(struct vprof_handle *entry)
{
	struct vprof_subject *subject = vprof_subject_of(entry);

	if (!vprof_subject_is_known(subject) || !vprof_subject_hold(subject))
		return;
	subject->rebuilds += subject->twin != NULL;
	vprof_subject_forget(subject);
	subject->why = VPROF_TWIN_UPDATED;
	vprof_subject_drop(subject);
}

void vprof_twin_gone(CUgraphExec exec)
{
	struct vprof_handle *entry = exec ? vprof_handle_entry(&vprof_graphs, exec) : NULL;
	struct vprof_subject *subject = vprof_subject_of(entry);

	if (!vprof_subject_is_known(subject) || !vprof_subject_hold(subject))
		return;
	vprof_subject_forget(subject);
	subject->why = VPROF_TWIN_UNSEEN;
	subject->last_twin = NULL;
	subject->on_twin = 0;
	vprof_subject_count(entry, subject, 0);
	vprof_subject_drop(subject);
	vprof_twin_wait_built(subject);
}

/* ---- told ---- */

void vprof_subject_tell(struct vprof_subject *subject)
{
	struct vprof_def_twin def = {
		.head.type = VPROF_DEF_TWIN,
		.graph = subject->graph,
		.device = subject->gpu ? subject->gpu->device : -1,
		.why = subject->why,
		.error = subject->error,
	};

	if (subject->told != subject->why + 1)
		vprof_define_sparing(&def, sizeof(def), NULL);
	subject->told = (uint8_t)(subject->why + 1);
}
