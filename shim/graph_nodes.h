/*
 * graph_nodes.h - what a graph consists of, asked of the driver once, when it is made executable.
 */
#ifndef VPROF_SHIM_GRAPH_NODES_H
#define VPROF_SHIM_GRAPH_NODES_H

#include <stdint.h>
#include "preload/compiler.h"
#include "shim/cuda_abi.h"

/* The nodes of one graph, from vprof_nodes_take() to vprof_nodes_drop(). */
struct vprof_graph_nodes {
	uint32_t count;               /* of the graph itself, its children's not; 0: not known */
	uint64_t content;             /* equal for graphs whose nodes and edges are the same; 0: not known */
	struct vprof_scratch *scratch; /* NULL: only the count is known, if that */
};

/* Asks the driver, in relaxed capture mode; what cannot be had is counted as lost. Keeps errno. */
void vprof_nodes_take(CUgraph graph, struct vprof_graph_nodes *nodes) HIDDEN COLD;

/* What one node does; what it is not told of stays. Between begin and end (ask.h). */
CUresult vprof_node_tell(CUgraphNode node, struct vprof_graph_node *out) HIDDEN COLD;

/* The newest graph in the ring that consists of the same; 0: none. */
uint32_t vprof_nodes_seen(const struct vprof_graph_nodes *nodes) HIDDEN COLD;

/* Puts them into the ring, for the graph with this definition. */
void vprof_nodes_define(const struct vprof_graph_nodes *nodes, uint32_t graph) HIDDEN COLD;

void vprof_nodes_drop(struct vprof_graph_nodes *nodes) HIDDEN;

#endif
