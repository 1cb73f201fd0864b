/*
 * parts.c - a graph with branches, a child and two ends, launched on two streams by turns of 40.
 *
 *	parts LAUNCHES US VERB
 *
 * US: from one launch to the next. VERB: `launch` alone; `change`: half-way a kernel of it is given another word, and
 * two times more behind the halt after it; `update`: half-way an update gives it the same nodes anew; `held`: the
 * graph holds a child and nothing else, of a kernel and three beside each other behind it; `row`: likewise, of eight
 * kernels one behind the other; `chain`: a graph of 96 kernels one behind the other and nothing else. Prints the words
 * to which its kernels add.
 *
 * It halts (client.h) 30 launches behind the start, the first change and the update. It goes on launching meanwhile,
 * so that twins come and are launched; what that adds to the words it takes back.
 *
 * Its nodes, in the order of the ring: 16 kernels one behind the other; two rows of 12 beside each other; a set
 * that waits for both; a record of an event; a child of 8 kernels; two kernels behind that; and the child's.
 */
#include <string.h>
#include <stdlib.h>
#include "tests/gputime/client.h"

enum { HEAD = 16, ROW = 12, CHILD = 8, WORDS = 64, SET = 62, CHAIN = 96, HALT_AT = 30 };

static CUcontext context;
static CUfunction slow, fast;
static CUdeviceptr words;

static CUgraphNode add(CUgraph graph, const CUgraphNode *after, int word)
{
	CUdeviceptr at = words + 4 * (U)word;
	void *list[] = { &at, &one };
	CUDA_KERNEL_NODE_PARAMS_v2 params = {
		.func = word % 2 ? slow : fast, .gridDimX = 1, .gridDimY = 1, .gridDimZ = 1,
		.blockDimX = 1, .blockDimY = 1, .blockDimZ = 1, .kernelParams = list,
	};
	CUgraphNode node;

	CALL(cuGraphAddKernelNode_v2, &node, graph, after, after != NULL, &params);
	return node;
}

static CUgraphNode add_row(CUgraph graph, const CUgraphNode *after, int first, int count)
{
	CUgraphNode node = NULL;

	for (int i = 0; i < count; i++) {
		node = add(graph, after, (first + i) % WORDS);
		after = &node;
	}
	return node;
}

static CUgraph make(CUgraphNode *changed, CUevent event)
{
	CUDA_MEMSET_NODE_PARAMS set = { .dst = words + 4 * SET, .value = 7, .elementSize = 4, .width = 1, .height = 1 };
	CUgraph graph, child;
	CUgraphNode head, rows[2], join, record, of_child;

	CALL(cuGraphCreate, &graph, 0);
	CALL(cuGraphCreate, &child, 0);
	head = add_row(graph, NULL, 0, HEAD);
	for (int i = 0; i < 2; i++)
		rows[i] = add_row(graph, &head, HEAD + i * ROW, ROW);
	*changed = rows[1];
	CALL(cuGraphAddMemsetNode, &join, graph, rows, 2, &set, context);
	CALL(cuGraphAddEventRecordNode, &record, graph, &join, 1, event);
	add_row(child, NULL, HEAD + 2 * ROW, CHILD);
	CALL(cuGraphAddChildGraphNode, &of_child, graph, &record, 1, child);
	add(graph, &of_child, HEAD + 2 * ROW + CHILD);
	add(graph, &of_child, HEAD + 2 * ROW + CHILD + 1);
	CALL(cuGraphDestroy, child);
	return graph;
}

/* Only of what a child holds. */
static CUgraph make_holder(int is_row)
{
	CUgraph graph, child;
	CUgraphNode head, of_child;

	CALL(cuGraphCreate, &graph, 0);
	CALL(cuGraphCreate, &child, 0);
	head = add_row(child, NULL, 0, is_row ? CHILD : 1);
	for (int i = 1; !is_row && i < 4; i++)
		add(child, &head, i);
	CALL(cuGraphAddChildGraphNode, &of_child, graph, NULL, 0, child);
	CALL(cuGraphDestroy, child);
	return graph;
}

static CUgraph make_chain(void)
{
	CUgraph graph;

	CALL(cuGraphCreate, &graph, 0);
	add_row(graph, NULL, 0, CHAIN);
	return graph;
}

/* It adds to the last word from now on, and to its own again. */
static void change(CUgraphExec exec, CUgraphNode node, int turn)
{
	CUdeviceptr at = words + 4 * (U)(turn % 2 ? WORDS - 1 : HEAD + 2 * ROW - 1);
	void *list[] = { &at, &one };
	CUDA_KERNEL_NODE_PARAMS_v2 params;

	memset(&params, 0, sizeof(params));
	CALL(cuGraphKernelNodeGetParams_v2, node, &params);
	params.kernelParams = list;
	CALL(cuGraphExecKernelNodeSetParams_v2, exec, node, &params);
}

static void update(CUgraphExec exec, CUevent event)
{
	CUgraphExecUpdateResultInfo info;
	CUgraphNode node;
	CUgraph graph = make(&node, event);

	CALL(cuGraphExecUpdate_v2, exec, graph, &info);
	CALL(cuGraphDestroy, graph);
}

static void launch_until_told(CUgraphExec exec, CUstream stream, useconds_t between)
{
	U before[WORDS];

	CALL(cuCtxSynchronize);
	CALL(cuMemcpyDtoH_v2, before, words, sizeof(before));
	for (long i = 1; !told(0); i++) {
		CALL(cuGraphLaunch, exec, stream);
		usleep(between);
		if (i % PACE == 0)
			CALL(cuStreamSynchronize, stream);
	}
	CALL(cuCtxSynchronize);
	CALL(cuMemcpyHtoD_v2, words, before, sizeof(before));
}

static void run(long launches, useconds_t between, const char *verb)
{
	CUstream streams[2];
	CUgraphNode node;
	CUgraphExec exec;
	CUevent event;
	CUgraph graph;

	CALL(cuEventCreate, &event, 0);
	graph = !strcmp(verb, "held") ? make_holder(0) : !strcmp(verb, "row") ? make_holder(1) :
		!strcmp(verb, "chain") ? make_chain() : make(&node, event);
	CALL(cuGraphInstantiateWithFlags, &exec, graph, 0);
	for (int i = 0; i < 2; i++)
		CALL(cuStreamCreate, &streams[i], CU_STREAM_NON_BLOCKING);
	for (long i = 0; i < launches; i++) {
		CUstream stream = streams[i / 40 % 2];
		long since = i - launches / 2; /* the first change, or the update */

		CALL(cuGraphLaunch, exec, stream);
		if (!strcmp(verb, "change") && (since == 0 || since == HALT_AT + 1 || since == HALT_AT + 2))
			change(exec, node, since ? (int)since - HALT_AT + 1 : 1);
		if (!strcmp(verb, "update") && since == 0)
			update(exec, event);
		usleep(between);
		if (i == HALT_AT || (since == HALT_AT && (!strcmp(verb, "change") || !strcmp(verb, "update"))))
			launch_until_told(exec, stream, between);
	}
	CALL(cuCtxSynchronize);
	CALL(cuGraphExecDestroy, exec);
	CALL(cuGraphDestroy, graph);
}

int main(int argc, char **argv)
{
	U now[WORDS] = { 0 };
	CUmodule module;

	if (argc != 4 || !client_open())
		return 2;
	CALL(cuDevicePrimaryCtxRetain, &context, 0);
	CALL(cuCtxSetCurrent, context);
	CALL(cuModuleLoadData, &module, client_ptx);
	CALL(cuModuleGetFunction, &slow, module, "add_one_spin_20us");
	CALL(cuModuleGetFunction, &fast, module, "add_one_spin_10us");
	CALL(cuMemAlloc_v2, &words, sizeof(now));
	CALL(cuMemcpyHtoD_v2, words, now, sizeof(now));
	run(atol(argv[1]), (useconds_t)atol(argv[2]), argv[3]);
	CALL(cuMemcpyDtoH_v2, now, words, sizeof(now));
	for (int i = 0; i < WORDS; i++)
		printf("%u%c", now[i], i % 16 == 15 ? '\n' : ' ');
	return 0;
}
