/*
 * wrap_graph.c - graphs: made executable, uploaded, launched, destroyed.
 *
 * An executable graph gets a definition at its instantiation; launches refer to it. Captures
 * are remembered until then. An update makes a new definition when it changes the nodes.
 */
#include "shim/captures.h"
#include "shim/graphs.h"
#include "shim/twin.h"
#include "shim/wrap.h"

#define FILL(graph, exec, stream, flags) \
	fill_head(r.slot, VPROF_KIND_GRAPH, call, object); \
	fill_words(r.slot, WORD(graph), WORD(exec), WORD(stream), flags)

/* ---- instantiation: `out` is where the driver returns the executable graph ---- */

#define MADE(flags) object = vprof_graph_made(*out, graph, flags, call)
#define MADE_DONE   r.slot->object = object; r.slot->graph.exec = WORD(*out)

#define INSTANTIATE(visible, name, params, args, stream, flags) \
	WRAP_KEEP(visible, name, params, args, , FILL(graph, 0, stream, flags), MADE(flags), MADE_DONE)
#define INSTANTIATE_LOG(name) \
	INSTANTIATE(EXPORT, name, \
		    (CUgraphExec *out, CUgraph graph, CUgraphNode *error, char *log, size_t size), \
		    (out, graph, error, log, size), 0, 0)
#define INSTANTIATE_FLAGS(visible, name) \
	INSTANTIATE(visible, name, (CUgraphExec *out, CUgraph graph, unsigned long long flags), \
		    (out, graph, flags), 0, flags)
#define INSTANTIATE_PARAMS(name) \
	INSTANTIATE(EXPORT, name, (CUgraphExec *out, CUgraph graph, CUDA_GRAPH_INSTANTIATE_PARAMS *params), \
		    (out, graph, params), params ? params->hUploadStream : NULL, params ? params->flags : 0)

INSTANTIATE_LOG(cuGraphInstantiate);
INSTANTIATE_LOG(cuGraphInstantiate_v2);
INSTANTIATE_FLAGS(HIDDEN, cuGraphInstantiate_v12000);
INSTANTIATE_FLAGS(EXPORT, cuGraphInstantiateWithFlags);
INSTANTIATE_PARAMS(cuGraphInstantiateWithParams);
INSTANTIATE_PARAMS(cuGraphInstantiateWithParams_ptsz);

/* ---- where a graph comes from ---- */

/* Told as calls without a kind of their own are. */
#define CAPTURING(name, params, args, ...) \
	WRAP_KEEP(EXPORT, name, params, args, , \
		  fill_head(r.slot, VPROF_KIND_CALL, call, object); fill_words(r.slot, __VA_ARGS__), \
		  vprof_capture_begun(), )
#define CAPTURING_1(name) CAPTURING(name, (CUstream stream), (stream), WORD(stream), 0, 0, 0)
#define CAPTURING_2(name) \
	CAPTURING(name, (CUstream stream, CUstreamCaptureMode mode), (stream, mode), WORD(stream), (unsigned)mode, 0, 0)
#define CAPTURING_6(name) \
	CAPTURING(name, \
		  (CUstream stream, CUgraph graph, const CUgraphNode *nodes, const CUgraphEdgeData *edges, \
		   size_t count, CUstreamCaptureMode mode), \
		  (stream, graph, nodes, edges, count, mode), WORD(stream), WORD(graph), WORD(nodes), WORD(edges))

CAPTURING_1(cuStreamBeginCapture);
CAPTURING_1(cuStreamBeginCapture_ptsz);
CAPTURING_2(cuStreamBeginCapture_v2);
CAPTURING_2(cuStreamBeginCapture_v2_ptsz);
CAPTURING_6(cuStreamBeginCaptureToGraph);
CAPTURING_6(cuStreamBeginCaptureToGraph_ptsz);

#define CAPTURED(name, stream_) \
	WRAP_KEEP(EXPORT, name, (CUstream stream, CUgraph *out), (stream, out), vprof_capture_ending(), \
		  FILL(0, 0, stream, 0), if (out && *out) vprof_capture_ended(*out, stream_), \
		  r.slot->graph.graph = out ? WORD(*out) : 0)

CAPTURED(cuStreamEndCapture,      stream);
CAPTURED(cuStreamEndCapture_ptsz, stream ? stream : CU_STREAM_PER_THREAD);
WRAP_KEEP(EXPORT, cuGraphClone, (CUgraph *out, CUgraph from), (out, from), , FILL(from, 0, 0, 0),
	  vprof_capture_cloned(*out, from), );

/* ---- updates ---- */

#define UPDATE(name, params, args) \
	WRAP_KEEP(EXPORT, name, params, args, , FILL(graph, exec, 0, 0), \
		  object = vprof_graph_updated(exec, graph, call), r.slot->object = object)

UPDATE(cuGraphExecUpdate, (CUgraphExec exec, CUgraph graph, CUgraphNode *error, int *why), (exec, graph, error, why));
UPDATE(cuGraphExecUpdate_v2, (CUgraphExec exec, CUgraph graph, CUgraphExecUpdateResultInfo *info),
       (exec, graph, info));

/* One node of it, in ways that its graph does not show. Told as calls without a kind of their own are. */
typedef uintptr_t word;

#define CHANGE(name, params, args, a, b, c, d) \
	WRAP_KEEP(EXPORT, name, params, args, , \
		  fill_head(r.slot, VPROF_KIND_CALL, call, object); fill_words(r.slot, WORD(a), b, c, d), \
		  vprof_twin_node_changed(call, a, (CUgraphNode)(b), c, d), )
#define CHANGE_3(name) \
	CHANGE(name, (CUgraphExec exec, word node, word what), (exec, node, what), exec, node, what, 0)
#define CHANGE_4(name) \
	CHANGE(name, (CUgraphExec exec, word node, word what, word more), (exec, node, what, more), \
	       exec, node, what, more)

CHANGE_3(cuGraphExecBatchMemOpNodeSetParams);
CHANGE_3(cuGraphExecChildGraphNodeSetParams);
CHANGE_3(cuGraphExecEventRecordNodeSetEvent);
CHANGE_3(cuGraphExecEventWaitNodeSetEvent);
CHANGE_3(cuGraphExecExternalSemaphoresSignalNodeSetParams);
CHANGE_3(cuGraphExecExternalSemaphoresWaitNodeSetParams);
CHANGE_3(cuGraphExecHostNodeSetParams);
CHANGE_3(cuGraphExecKernelNodeSetParams);
CHANGE_3(cuGraphExecKernelNodeSetParams_v2);
CHANGE_4(cuGraphExecMemcpyNodeSetParams);
CHANGE_4(cuGraphExecMemsetNodeSetParams);
CHANGE_3(cuGraphExecNodeSetParams);
CHANGE_3(cuGraphNodeSetEnabled);

/* ---- launch and upload ---- */

static ALWAYS_INLINE void fill_graph_launch(struct vprof_slot *slot, unsigned call, uint32_t object,
					    CUgraphExec exec, CUstream stream, uint64_t flags)
{
	fill_head(slot, VPROF_KIND_GRAPH_LAUNCH, call, object);
	fill_words(slot, WORD(stream), WORD(exec), flags, 0);
}

/*
 * The slow way of a launch, on which it may go to the graph's twin. That is chosen before the record is
 * published, which says so; and the graph is held until its launch has been made, recorded or not.
 */
static COLD CUresult graph_launch_long(CUgraphExec exec, CUstream stream, unsigned call, uint32_t flags)
{
	CUresult (*real)(CUgraphExec, CUstream) = (CUresult (*)(CUgraphExec, CUstream))vprof_target(call);
	uint64_t launch = vprof_launch_take();
	struct vprof_record r = { NULL, 0 };
	struct vprof_eager span = { .track = NULL };
	struct vprof_twin_choice choice;
	CUresult result;
	uint64_t end;

	if (launch != VPROF_LAUNCH_REFUSED)
		r = vprof_open(VPROF_GROUP_BIT(VPROF_GROUP_GRAPH));
	choice = vprof_twin_choose(exec, stream, flags & VPROF_LAUNCH_PER_THREAD, r.slot != NULL);
	if (r.slot) {
		fill_graph_launch(r.slot, call, vprof_graph_id(exec), exec, stream,
				  flags | (choice.twin ? VPROF_LAUNCH_TWIN : 0));
		span = vprof_eager_before(r, call);
		vprof_publish(r);
		vprof_launch_made(launch);
	} else {
		vprof_launch_drop(launch);
		if (vprof_eager_is_on())
			vprof_eager_miss();
	}
	if (choice.twin)
		vprof_twin_launching(&choice, r, stream);
	result = real(choice.twin ? choice.twin->exec : exec, stream);
	end = vprof_ticks();
	if (span.track)
		vprof_eager_behind(span, r, result);
	if (choice.subject && !vprof_twin_launched(&choice, result)) {
		result = real(exec, stream);
		end = vprof_ticks();
	}
	if (r.slot)
		vprof_end_at(r, (uint32_t)result, end);
	return result;
}

#define GRAPH_LAUNCH(name, flags)                                                                 \
	static CUresult name##_long(CUgraphExec exec, CUstream stream)                            \
	{                                                                                         \
		return graph_launch_long(exec, stream, CU_ID_##name, flags);                      \
	}                                                                                         \
	WRAP_AROUND(EXPORT, name, (CUgraphExec exec, CUstream stream), (exec, stream),            \
		    vprof_graph_launching(exec, stream, flags), object,                           \
		    fill_graph_launch(r.slot, call, object, exec, stream, flags))

#define GRAPH_UPLOAD(name) \
	WRAP_COUNTED(EXPORT, name, (CUgraphExec exec, CUstream stream), (exec, stream), \
		     vprof_handle_find(&vprof_graphs, exec), object, vprof_graph_id(exec), FILL(0, exec, stream, 0), 0)

GRAPH_LAUNCH(cuGraphLaunch,      0);
GRAPH_LAUNCH(cuGraphLaunch_ptsz, VPROF_LAUNCH_PER_THREAD);
GRAPH_UPLOAD(cuGraphUpload);
GRAPH_UPLOAD(cuGraphUpload_ptsz);

/* ---- the end: forgotten before the real call, after which the handle may be another's ---- */

WRAP_KEEP(EXPORT, cuGraphDestroy, (CUgraph graph), (graph), vprof_capture_gone(graph), FILL(graph, 0, 0, 0), , );
WRAP_KEEP(EXPORT, cuGraphExecDestroy, (CUgraphExec exec), (exec), object = vprof_graph_gone(exec),
	  FILL(0, exec, 0, 0), , );
