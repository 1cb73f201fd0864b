/*
 * stream.c - cuStream* but capture, and cuEvent*.
 *
 * The handles 0, 1 and 2 stand for streams that exist without being created:
 * the context's legacy stream and the thread's own one, which is made when
 * first used and destroyed with its thread.
 */
#include <stdlib.h>

#include "tests/fakecuda/fake.h"

struct own_stream { /* a thread's default stream in one context */
	struct own_stream *next;
	CUstream stream;
};

static pthread_key_t own_key;
static pthread_once_t own_once = PTHREAD_ONCE_INIT;
static unsigned long long last_id = 2; /* under fk_lock; 1 and 2 are the implicit ones */

CUstream fk_stream_new(CUcontext ctx, unsigned int flags, int priority)
{
	CUstream stream = fk_new(FK_STREAM, sizeof(*stream));

	if (!stream)
		return NULL;
	pthread_cond_init(&stream->wake, NULL);
	stream->ctx = ctx;
	stream->flags = flags;
	stream->priority = priority;
	stream->refs = 1;
	pthread_mutex_lock(&fk_lock);
	stream->id = ++last_id;
	stream->next = ctx->streams;
	ctx->streams = stream;
	pthread_mutex_unlock(&fk_lock);
	return stream;
}

static void stream_destroy_locked(CUstream stream)
{
	CUstream *link = &stream->ctx->streams;

	while (*link && *link != stream)
		link = &(*link)->next;
	if (*link)
		*link = stream->next;
	stream->destroyed = true;
	pthread_cond_signal(&stream->wake);
	fk_stream_unref_locked(stream);
}

/* Those that are there without being created stay: so does their context's handle. */
void fk_streams_drop(CUcontext ctx)
{
	pthread_mutex_lock(&fk_lock);
	for (CUstream s = ctx->streams, next; s; s = next) {
		next = s->next;
		if (!s->legacy && !s->own)
			stream_destroy_locked(s);
	}
	pthread_mutex_unlock(&fk_lock);
}

static CUresult stream_destroy(CUstream stream)
{
	if (!fk_is(stream, FK_STREAM) || stream->destroyed || stream->legacy)
		return stream ? CUDA_ERROR_INVALID_HANDLE : CUDA_ERROR_INVALID_VALUE;
	if (fk_capture_check(stream))
		return fk_capture_check(stream);
	pthread_mutex_lock(&fk_lock);
	stream_destroy_locked(stream);
	pthread_mutex_unlock(&fk_lock);
	return CUDA_SUCCESS;
}

static void own_drop(void *arg)
{
	struct own_stream *own = arg, *next;

	pthread_mutex_lock(&fk_lock);
	for (; own; own = next) {
		next = own->next;
		if (fk_is(own->stream, FK_STREAM))
			stream_destroy_locked(own->stream);
		free(own);
	}
	pthread_mutex_unlock(&fk_lock);
}

static void own_init(void)
{
	pthread_key_create(&own_key, own_drop);
}

static CUstream own_stream(CUcontext ctx)
{
	struct own_stream *own;

	pthread_once(&own_once, own_init);
	for (own = pthread_getspecific(own_key); own; own = own->next)
		if (own->stream->ctx == ctx)
			return own->stream;
	own = calloc(1, sizeof(*own));
	if (!own)
		return NULL;
	own->stream = fk_stream_new(ctx, CU_STREAM_DEFAULT, 0);
	if (own->stream)
		own->stream->own = true;
	own->next = pthread_getspecific(own_key);
	pthread_setspecific(own_key, own);
	return own->stream;
}

CUstream fk_stream_get(CUstream handle, int pts)
{
	CUcontext ctx = fk_ctx();

	if (handle == CU_STREAM_PER_THREAD || (!handle && pts))
		return ctx ? own_stream(ctx) : NULL;
	if (handle == CU_STREAM_LEGACY || !handle)
		return ctx ? ctx->legacy : NULL;
	return fk_is(handle, FK_STREAM) && !handle->destroyed ? handle : NULL;
}

static CUresult stream_create(CUstream *out, unsigned int flags, int priority)
{
	if (!out || flags > CU_STREAM_NON_BLOCKING)
		return CUDA_ERROR_INVALID_VALUE;
	*out = fk_stream_new(fk_ctx(), flags, priority < -5 ? -5 : priority > 0 ? 0 : priority);
	return *out ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

static CUresult stream_wait(CUstream stream)
{
	if (!stream)
		return CUDA_ERROR_INVALID_HANDLE;
	if (fk_capture_check(stream))
		return fk_capture_check(stream);
	return fk_stream_wait(stream);
}

static CUresult stream_query(CUstream stream)
{
	bool idle;

	if (!stream)
		return CUDA_ERROR_INVALID_HANDLE;
	if (fk_capture_check(stream))
		return fk_capture_check(stream);
	pthread_mutex_lock(&fk_lock);
	idle = fk_idle(stream);
	pthread_mutex_unlock(&fk_lock);
	return idle ? fk_sticky() : CUDA_ERROR_NOT_READY;
}

static CUresult stream_wait_event(CUstream stream, CUevent event)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_WAIT_EVENT, .event = event };
	CUresult result;

	if (!stream || !fk_is(event, FK_EVENT))
		return CUDA_ERROR_INVALID_HANDLE;
	if (stream->capture || event->capture) {
		pthread_mutex_lock(&fk_lock);
		result = fk_capture_wait_locked(stream, event);
		pthread_mutex_unlock(&fk_lock);
		return result;
	}
	return event->stream ? fk_submit(stream, &work) : CUDA_SUCCESS;
}

enum fact { FACT_PRIORITY, FACT_FLAGS, FACT_ID, FACT_CTX, FACT_DEVICE };

/*
 * What asking a stream that is captured costs its capture, in any mode. After cuStreamGetDevice a
 * real driver was seen to refuse the rest of the capture; of the others nothing is known but that
 * programs ask them. conformance_ask.c prints what a driver does.
 */
static const bool invalidates[FACT_DEVICE + 1] = { [FACT_DEVICE] = true };

static CUresult fact_check(const void *out, CUstream stream, enum fact fact)
{
	if (!out)
		return CUDA_ERROR_INVALID_VALUE;
	if (!stream)
		return CUDA_ERROR_INVALID_HANDLE;
	return invalidates[fact] ? fk_capture_check(stream) : CUDA_SUCCESS;
}

#define STREAM_FACT(fact, value) \
	(stream = fk_stream_get(stream, pts), fact_check(out, stream, fact) ? \
	 fact_check(out, stream, fact) : (*out = (value), CUDA_SUCCESS))

static unsigned long long stream_id(CUstream stream)
{
	return stream->legacy ? 1 : stream->id;
}

FK_API(FK_CTX, cuStreamCreate, (CUstream *out, unsigned int flags), stream_create(out, flags, 0))
FK_API(FK_CTX, cuStreamCreateWithPriority, (CUstream *out, unsigned int flags, int priority),
	stream_create(out, flags, priority))
FK_API(FK_CTX, cuStreamDestroy, (CUstream stream), stream_destroy(stream))
FK_API(FK_CTX, cuStreamDestroy_v2, (CUstream stream), stream_destroy(stream))
FK_API_PT(FK_CTX | FK_UNSAFE, cuStreamSynchronize, _ptsz, (CUstream stream),
	stream_wait(fk_stream_get(stream, pts)))
FK_API_PT(FK_CTX | FK_UNSAFE, cuStreamQuery, _ptsz, (CUstream stream),
	stream_query(fk_stream_get(stream, pts)))
FK_API_PT(FK_CTX, cuStreamWaitEvent, _ptsz, (CUstream stream, CUevent event, unsigned int flags),
	flags > CU_EVENT_WAIT_EXTERNAL ? CUDA_ERROR_INVALID_VALUE :
	stream_wait_event(fk_stream_get(stream, pts), event))
FK_API_PT(FK_CTX, cuStreamGetPriority, _ptsz, (CUstream stream, int *out),
	STREAM_FACT(FACT_PRIORITY, stream->priority))
FK_API_PT(FK_CTX, cuStreamGetFlags, _ptsz, (CUstream stream, unsigned int *out),
	STREAM_FACT(FACT_FLAGS, stream->flags))
FK_API_PT(FK_CTX, cuStreamGetId, _ptsz, (CUstream stream, unsigned long long *out),
	STREAM_FACT(FACT_ID, stream_id(stream)))
FK_API_PT(FK_CTX, cuStreamGetCtx, _ptsz, (CUstream stream, CUcontext *out),
	STREAM_FACT(FACT_CTX, stream->ctx))
FK_API_PT(FK_CTX, cuStreamGetDevice, _ptsz, (CUstream stream, CUdevice *out),
	STREAM_FACT(FACT_DEVICE, stream->ctx->device))
