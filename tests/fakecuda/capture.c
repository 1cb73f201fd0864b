/*
 * capture.c - stream capture.
 *
 * A capturing stream holds a list of nodes that its next node depends on; an
 * event recorded there holds a copy of that list, and a stream that waits for
 * such an event joins the capture with it.
 *
 * The rule for unsafe calls (allocation, synchronisation, unloading, graph
 * instantiation; which they are was tried on a real driver): a thread in GLOBAL mode, which is where threads begin, may not make one while
 * any thread captures in GLOBAL mode or it itself captures in a mode other than
 * RELAXED; in THREAD_LOCAL mode only its own captures count; in RELAXED mode
 * none. A forbidden call fails and invalidates the captures that forbade it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/fakecuda/capture.h"
#include "tests/fakecuda/graph.h"

static struct fk_capture *captures; /* under fk_lock */
static int capture_count; /* of those; read without it: 0 is the common case */
static unsigned long long last_id;
static __thread CUstreamCaptureMode thread_mode;

static pid_t tid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

/* ---- the list of nodes that come next after ---------------------------------- */

static CUresult tail_set(CUgraphNode **tail, size_t *tails, const CUgraphNode *nodes, size_t count)
{
	CUgraphNode *copy = malloc((count + 1) * sizeof(*copy));

	if (!copy)
		return CUDA_ERROR_OUT_OF_MEMORY;
	if (count)
		memcpy(copy, nodes, count * sizeof(*copy));
	free(*tail);
	*tail = copy;
	*tails = count;
	return CUDA_SUCCESS;
}

static CUresult tail_merge(CUstream stream, const CUgraphNode *nodes, size_t count)
{
	CUgraphNode *all = malloc((stream->tails + count + 1) * sizeof(*all));
	size_t n = stream->tails;
	CUresult result;

	if (!all)
		return CUDA_ERROR_OUT_OF_MEMORY;
	if (n)
		memcpy(all, stream->tail, n * sizeof(*all));
	for (size_t i = 0; i < count; i++) {
		bool known = false;

		for (size_t j = 0; j < n; j++)
			known |= all[j] == nodes[i];
		if (!known)
			all[n++] = nodes[i];
	}
	result = tail_set(&stream->tail, &stream->tails, all, n);
	free(all);
	return result;
}

/* ---- rules ------------------------------------------------------------------- */

static bool forbids(const struct fk_capture *c, pid_t self)
{
	if (c->mode == CU_STREAM_CAPTURE_MODE_RELAXED)
		return false;
	return c->thread == self || (c->mode == CU_STREAM_CAPTURE_MODE_GLOBAL &&
		thread_mode == CU_STREAM_CAPTURE_MODE_GLOBAL);
}

bool fk_capture_forbids(void)
{
	bool forbidden = false;
	pid_t self;

	if (!__atomic_load_n(&capture_count, __ATOMIC_RELAXED) ||
	    thread_mode == CU_STREAM_CAPTURE_MODE_RELAXED)
		return false;
	self = tid();
	pthread_mutex_lock(&fk_lock);
	for (struct fk_capture *c = captures; c; c = c->next) {
		if (!forbids(c, self))
			continue;
		c->status = CU_STREAM_CAPTURE_STATUS_INVALIDATED;
		forbidden = true;
	}
	pthread_mutex_unlock(&fk_lock);
	return forbidden;
}

/* The legacy stream would have to wait for what has not run yet. */
bool fk_capture_implicit(CUstream stream)
{
	bool found = false;

	if (!stream->legacy || !__atomic_load_n(&capture_count, __ATOMIC_RELAXED))
		return false;
	pthread_mutex_lock(&fk_lock);
	for (CUstream s = stream->ctx->streams; s; s = s->next) {
		if (!s->capture || (s->flags & CU_STREAM_NON_BLOCKING))
			continue;
		s->capture->status = CU_STREAM_CAPTURE_STATUS_INVALIDATED;
		found = true;
	}
	pthread_mutex_unlock(&fk_lock);
	return found;
}

CUresult fk_capture_check(CUstream stream)
{
	CUresult result = CUDA_SUCCESS;

	if (!stream->capture)
		return CUDA_SUCCESS;
	pthread_mutex_lock(&fk_lock);
	if (stream->capture) {
		result = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
		stream->capture->status = CU_STREAM_CAPTURE_STATUS_INVALIDATED;
	}
	pthread_mutex_unlock(&fk_lock);
	return result;
}

/* ---- what is captured ---------------------------------------------------------- */

void fk_capture_event_drop(CUevent event)
{
	free(event->tail);
	event->tail = NULL;
	event->tails = 0;
	event->capture = NULL;
}

/* The node of a launch; what serializes with a kernel programmatically depends on it so. */
static CUresult node_add(CUstream stream, const struct fk_work *work, CUgraphNode *node)
{
	const CUgraphEdgeData programmatic = {
		.from_port = CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC, .type = CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC,
	};
	struct fk_attributes attributes;
	struct fk_work kernel = *work;
	CUgraphEdgeData *data = NULL;
	CUresult result;

	if (work->type != CU_GRAPH_NODE_TYPE_KERNEL)
		return fk_graph_add_locked(stream->capture->graph, work, stream->tail, NULL, stream->tails, node);
	if (fk_work_serializes(work) && stream->tails) {
		data = calloc(stream->tails, sizeof(*data));
		if (!data)
			return CUDA_ERROR_OUT_OF_MEMORY;
		for (size_t i = 0; i < stream->tails; i++)
			if (stream->tail[i]->work.type == CU_GRAPH_NODE_TYPE_KERNEL)
				data[i] = programmatic;
	}
	fk_attributes_captured(&kernel, &attributes, stream->priority);
	result = fk_graph_add_locked(stream->capture->graph, &kernel, stream->tail, data, stream->tails, node);
	free(data);
	return result;
}

CUresult fk_capture_work_locked(CUstream stream, const struct fk_work *work)
{
	CUgraphNode node;
	CUresult result;

	if (stream->capture->status == CU_STREAM_CAPTURE_STATUS_INVALIDATED)
		return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
	if (work->type == CU_GRAPH_NODE_TYPE_EVENT_RECORD && !work->external) {
		result = tail_set(&work->event->tail, &work->event->tails, stream->tail, stream->tails);
		if (!result)
			work->event->capture = stream->capture;
		return result;
	}
	result = node_add(stream, work, &node);
	return result ? result : tail_set(&stream->tail, &stream->tails, &node, 1);
}

CUresult fk_capture_wait_locked(CUstream stream, CUevent event)
{
	if (!event->capture) { /* work outside of the capture */
		stream->capture->status = CU_STREAM_CAPTURE_STATUS_INVALIDATED;
		return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
	}
	if (stream->capture && stream->capture != event->capture) {
		stream->capture->status = event->capture->status = CU_STREAM_CAPTURE_STATUS_INVALIDATED;
		return CUDA_ERROR_STREAM_CAPTURE_MERGE;
	}
	if (!stream->capture) {
		stream->capture = event->capture;
		stream->capture->streams++;
	}
	return tail_merge(stream, event->tail, event->tails);
}

/* ---- begin and end --------------------------------------------------------------- */

static CUresult begin(CUstream stream, CUgraph graph, const CUgraphNode *nodes, size_t count,
	CUstreamCaptureMode mode)
{
	struct fk_capture *c;
	CUresult result = CUDA_ERROR_OUT_OF_MEMORY;

	if (!stream)
		return CUDA_ERROR_INVALID_HANDLE;
	if (mode < 0 || mode > CU_STREAM_CAPTURE_MODE_RELAXED)
		return CUDA_ERROR_INVALID_VALUE;
	if (stream->legacy)
		return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	pthread_mutex_lock(&fk_lock);
	c = calloc(1, sizeof(*c));
	if (!c)
		goto out;
	result = CUDA_ERROR_ILLEGAL_STATE;
	if (stream->capture)
		goto err;
	*c = (struct fk_capture){
		.next = captures, .status = CU_STREAM_CAPTURE_STATUS_ACTIVE, .mode = mode, .thread = tid(),
		.id = ++last_id, .graph = graph ? graph : fk_graph_new(), .to_graph = graph,
		.origin = stream, .streams = 1,
	};
	result = CUDA_ERROR_OUT_OF_MEMORY;
	if (!c->graph)
		goto err;
	result = tail_set(&stream->tail, &stream->tails, nodes, count);
	if (result)
		goto err;
	stream->capture = c;
	captures = c;
	__atomic_fetch_add(&capture_count, 1, __ATOMIC_RELAXED);
	goto out;
err:
	free(c);
out:
	pthread_mutex_unlock(&fk_lock);
	return result;
}

/* Every node that is not an ancestor of what the origin would do next is unjoined work. */
static bool unjoined(const struct fk_capture *c)
{
	for (CUstream s = c->origin->ctx->streams; s; s = s->next) {
		if (s->capture != c || s == c->origin)
			continue;
		for (size_t i = 0; i < s->tails; i++) {
			bool followed = false;

			for (size_t j = 0; j < c->origin->tails; j++)
				followed |= c->origin->tail[j] == s->tail[i];
			for (size_t j = 0; j < c->graph->edge_count; j++)
				followed |= c->graph->edges[j].from == s->tail[i];
			if (!followed)
				return true;
		}
	}
	return false;
}

static void capture_free_locked(struct fk_capture *c)
{
	struct fk_capture **link = &captures;

	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	for (CUstream s = c->origin->ctx->streams; s; s = s->next)
		if (s->capture == c) {
			s->capture = NULL;
			free(s->tail);
			s->tail = NULL;
			s->tails = 0;
		}
	__atomic_fetch_sub(&capture_count, 1, __ATOMIC_RELAXED);
	free(c);
}

static CUresult end(CUstream stream, CUgraph *out)
{
	struct fk_capture *c;
	CUresult result = CUDA_SUCCESS;

	if (!stream)
		return CUDA_ERROR_INVALID_HANDLE;
	if (!out)
		return CUDA_ERROR_INVALID_VALUE;
	pthread_mutex_lock(&fk_lock);
	c = stream->capture;
	*out = NULL;
	if (!c) {
		result = CUDA_ERROR_ILLEGAL_STATE;
		goto out;
	}
	if (c->origin != stream)
		result = CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
	else if (c->mode != CU_STREAM_CAPTURE_MODE_RELAXED && c->thread != tid())
		result = CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
	if (result) {
		c->status = CU_STREAM_CAPTURE_STATUS_INVALIDATED;
		goto out;
	}
	if (c->status == CU_STREAM_CAPTURE_STATUS_INVALIDATED)
		result = CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
	else if (unjoined(c))
		result = CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
	if (!result)
		*out = c->graph;
	else if (!c->to_graph)
		fk_graph_free_locked(c->graph);
	capture_free_locked(c);
out:
	pthread_mutex_unlock(&fk_lock);
	return result;
}

static CUresult info(CUstream stream, CUstreamCaptureStatus *status, unsigned long long *id,
	CUgraph *graph, const CUgraphNode **nodes, const CUgraphEdgeData **edges, size_t *count)
{
	if (!stream)
		return CUDA_ERROR_INVALID_HANDLE;
	if (!status)
		return CUDA_ERROR_INVALID_VALUE;
	if (fk_capture_implicit(stream))
		return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
	pthread_mutex_lock(&fk_lock);
	*status = stream->capture ? stream->capture->status : CU_STREAM_CAPTURE_STATUS_NONE;
	if (id)
		*id = stream->capture ? stream->capture->id : 0;
	if (graph)
		*graph = stream->capture ? stream->capture->graph : NULL;
	if (nodes)
		*nodes = stream->tail;
	if (edges)
		*edges = NULL;
	if (count)
		*count = stream->tails;
	pthread_mutex_unlock(&fk_lock);
	return CUDA_SUCCESS;
}

static CUresult exchange(CUstreamCaptureMode *mode)
{
	CUstreamCaptureMode old = thread_mode;

	if (!mode || *mode < 0 || *mode > CU_STREAM_CAPTURE_MODE_RELAXED)
		return CUDA_ERROR_INVALID_VALUE;
	thread_mode = *mode;
	*mode = old;
	return CUDA_SUCCESS;
}

static CUresult update(CUstream stream, const CUgraphNode *nodes, size_t count, unsigned int flags)
{
	CUresult result = CUDA_ERROR_ILLEGAL_STATE;

	if (!stream)
		return CUDA_ERROR_INVALID_HANDLE;
	pthread_mutex_lock(&fk_lock);
	if (stream->capture) /* flags: 0 add, 1 set */
		result = flags ? tail_set(&stream->tail, &stream->tails, nodes, count) :
			tail_merge(stream, nodes, count);
	pthread_mutex_unlock(&fk_lock);
	return result;
}

FK_API_PT(FK_CTX, cuStreamBeginCapture, _ptsz, (CUstream stream),
	begin(fk_stream_get(stream, pts), NULL, NULL, 0, CU_STREAM_CAPTURE_MODE_GLOBAL))
FK_API_PT(FK_CTX, cuStreamBeginCapture_v2, _ptsz, (CUstream stream, CUstreamCaptureMode mode),
	begin(fk_stream_get(stream, pts), NULL, NULL, 0, mode))
FK_API_PT(FK_CTX, cuStreamBeginCaptureToGraph, _ptsz,
	(CUstream stream, CUgraph graph, const CUgraphNode *nodes, const CUgraphEdgeData *data,
	 size_t count, CUstreamCaptureMode mode),
	(void)data, !fk_is(graph, FK_GRAPH) ? CUDA_ERROR_INVALID_VALUE :
	begin(fk_stream_get(stream, pts), graph, nodes, count, mode))
FK_API_PT(FK_CTX, cuStreamEndCapture, _ptsz, (CUstream stream, CUgraph *out),
	end(fk_stream_get(stream, pts), out))
FK_API_PT(FK_CTX, cuStreamIsCapturing, _ptsz, (CUstream stream, CUstreamCaptureStatus *out),
	info(fk_stream_get(stream, pts), out, NULL, NULL, NULL, NULL, NULL))
FK_API_PT(FK_CTX, cuStreamGetCaptureInfo, _ptsz,
	(CUstream stream, CUstreamCaptureStatus *status, unsigned long long *id),
	info(fk_stream_get(stream, pts), status, id, NULL, NULL, NULL, NULL))
FK_API_PT(FK_CTX, cuStreamGetCaptureInfo_v2, _ptsz,
	(CUstream stream, CUstreamCaptureStatus *status, unsigned long long *id, CUgraph *graph,
	 const CUgraphNode **nodes, size_t *count),
	info(fk_stream_get(stream, pts), status, id, graph, nodes, NULL, count))
FK_API_PT(FK_CTX, cuStreamGetCaptureInfo_v3, _ptsz,
	(CUstream stream, CUstreamCaptureStatus *status, unsigned long long *id, CUgraph *graph,
	 const CUgraphNode **nodes, const CUgraphEdgeData **data, size_t *count),
	info(fk_stream_get(stream, pts), status, id, graph, nodes, data, count))
FK_API_PT(FK_CTX, cuStreamUpdateCaptureDependencies, _ptsz,
	(CUstream stream, CUgraphNode *nodes, size_t count, unsigned int flags),
	update(fk_stream_get(stream, pts), nodes, count, flags))
FK_API_PT(FK_CTX, cuStreamUpdateCaptureDependencies_v2, _ptsz,
	(CUstream stream, CUgraphNode *nodes, const CUgraphEdgeData *data, size_t count,
	 unsigned int flags),
	(void)data, update(fk_stream_get(stream, pts), nodes, count, flags))
FK_API(FK_INIT, cuThreadExchangeStreamCaptureMode, (CUstreamCaptureMode *mode), exchange(mode))
