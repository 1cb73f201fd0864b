/*
 * conformance_twin.h - inside the two files on twins: their module, and graphs of data
 * kernels and stamps.
 */
#ifndef FAKECUDA_CONFORMANCE_TWIN_H
#define FAKECUDA_CONFORMANCE_TWIN_H

#include "tests/fakecuda/conformance.h"

struct twin_test {
	CUmodule module;
	CUfunction stamp, gate;
	volatile uint32_t *go; /* 0: the gate is closed */
	uint64_t *slots;       /* pinned */
};
extern struct twin_test tw;

CUgraph tw_chain(CUgraphNode node[3]); /* set 20 -> add one -> double, over plain edges */
CUgraphNode tw_add_data(CUgraph graph, CUfunction f, int value);
CUgraphNode tw_add_stamp(CUgraph graph, int slot);
CUgraphNode tw_add_gate(CUgraph graph);
void tw_edge(CUgraph graph, CUgraphNode from, CUgraphNode to, const CUgraphEdgeData *data);
void tw_run(const char *name, CUgraphExec exec, int want);
void conf_exec(void);

#endif
