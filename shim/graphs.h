/*
 * graphs.h - executable graphs by handle: their definitions, their nodes, their updates.
 */
#ifndef VPROF_SHIM_GRAPHS_H
#define VPROF_SHIM_GRAPHS_H

#include <stdint.h>
#include "preload/compiler.h"
#include "shim/cuda_abi.h"
#include "shim/handles.h"

extern struct vprof_handles vprof_graphs HIDDEN;

/* With the tables of kernels: vprof_handles_init(), vprof_handles_forget(). */
void vprof_graphs_init(void) HIDDEN;
void vprof_graphs_forget(void) HIDDEN;

/* A graph has been instantiated by `call`: returns its id. */
uint32_t vprof_graph_made(CUgraphExec exec, CUgraph graph, uint64_t flags, unsigned call) HIDDEN COLD;

/*
 * The exec now does what `graph` says: returns its id, another when the nodes are others than before.
 * Of a graph that is updated over and over not each update's nodes are looked at: that takes a
 * hundredth of the time at most.
 */
uint32_t vprof_graph_updated(CUgraphExec exec, CUgraph graph, unsigned call) HIDDEN COLD;

/* Id of a launched graph, defined if it was instantiated before there was a ring. 0: none. */
uint32_t vprof_graph_id(CUgraphExec exec) HIDDEN COLD;

/* The exec is about to be destroyed. Returns the id that it had. */
uint32_t vprof_graph_gone(CUgraphExec exec) HIDDEN COLD;

#endif
