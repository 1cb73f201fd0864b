/*
 * graphs.h - executable graphs by handle: their definitions, their nodes, their updates.
 */
#ifndef VPROF_SHIM_GRAPHS_H
#define VPROF_SHIM_GRAPHS_H

#include <stdint.h>
#include "preload/compiler.h"
#include "preload/record.h"
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

/* A node of it has been changed so that it does what `clone` says. Its id now; 0: it was not looked at. */
uint32_t vprof_graph_node_updated(struct vprof_handle *entry, CUgraphExec exec, CUgraph clone, unsigned call,
				  uint64_t *content) HIDDEN COLD;

/* Id of a launched graph, defined if it was instantiated before there was a ring. 0: none. */
uint32_t vprof_graph_id(CUgraphExec exec) HIDDEN COLD;

/* The exec is about to be destroyed. Returns the id that it had. */
uint32_t vprof_graph_gone(CUgraphExec exec) HIDDEN COLD;

/* Entries of vprof_graphs by place, for what is kept beside them. */
enum { VPROF_GRAPHS_MOST = (1 << 14) + VPROF_HANDLE_PROBES };
uint32_t vprof_graph_place(const struct vprof_handle *entry) HIDDEN;
struct vprof_handle *vprof_graph_at(uint32_t place) HIDDEN;

/*
 * A stream that a handle stands for. Of the implicit ones each thread's own is another; the legacy
 * stream has two handles.
 */
static ALWAYS_INLINE uint64_t vprof_stream_key(CUstream stream, uint32_t per_thread)
{
	if (stream == CU_STREAM_PER_THREAD || (!stream && per_thread))
		return (uintptr_t)&vprof_cursor;
	return stream ? (uintptr_t)stream : (uintptr_t)CU_STREAM_LEGACY;
}

/* The calling thread on this stream. */
static ALWAYS_INLINE uint64_t vprof_stream_token(uint64_t stream_key)
{
	return stream_key * 0x9e3779b97f4a7c15u + (uintptr_t)&vprof_cursor;
}

/*
 * Id of a graph that is about to be launched, 0 when that has to be looked at more closely: also when it is its
 * turn to be stamped (twin.h), and when it was another stream's or thread's until now. One that is not
 * sampled is not counted, and nothing is written.
 */
static ALWAYS_INLINE uint32_t vprof_graph_launching(CUgraphExec exec, CUstream stream, uint32_t per_thread)
{
	struct vprof_handle *entry = NULL;
	uint32_t id = vprof_handle_find_entry(&vprof_graphs, exec, &entry), left;

	if (unlikely(!id))
		return 0;
	left = __atomic_load_n(&entry->left, __ATOMIC_RELAXED);
	if (unlikely(left)) {
		if (left == 1 || __atomic_load_n(&entry->token, __ATOMIC_RELAXED) !=
					 vprof_stream_token(vprof_stream_key(stream, per_thread)))
			return 0;
		__atomic_store_n(&entry->left, left - 1, __ATOMIC_RELAXED);
	}
	return id;
}

#endif
