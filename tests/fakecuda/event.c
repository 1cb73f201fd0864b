/*
 * event.c - cuEvent*: an event is the last operation that recorded it, and when
 * that was done.
 */
#include "tests/fakecuda/fake.h"

static CUresult event_create(CUevent *out, unsigned int flags)
{
	if (!out || flags > 7)
		return CUDA_ERROR_INVALID_VALUE;
	*out = fk_new(FK_EVENT, sizeof(**out));
	if (!*out)
		return CUDA_ERROR_OUT_OF_MEMORY;
	(*out)->flags = flags;
	(*out)->refs = 1;
	return CUDA_SUCCESS;
}

static CUresult event_destroy(CUevent event)
{
	if (!fk_is(event, FK_EVENT) || event->destroyed)
		return event ? CUDA_ERROR_INVALID_HANDLE : CUDA_ERROR_INVALID_VALUE;
	pthread_mutex_lock(&fk_lock);
	event->destroyed = true;
	fk_capture_event_drop(event);
	fk_event_unref_locked(event);
	pthread_mutex_unlock(&fk_lock);
	return CUDA_SUCCESS;
}

static CUresult event_record(CUevent event, CUstream stream, unsigned int flags)
{
	struct fk_work work = { .type = CU_GRAPH_NODE_TYPE_EVENT_RECORD, .event = event };

	if (!stream || !fk_is(event, FK_EVENT) || event->destroyed)
		return CUDA_ERROR_INVALID_HANDLE;
	if (flags > CU_EVENT_RECORD_EXTERNAL)
		return CUDA_ERROR_INVALID_VALUE;
	work.external = flags == CU_EVENT_RECORD_EXTERNAL;
	if (work.external && !stream->capture)
		return CUDA_ERROR_INVALID_VALUE;
	return fk_submit(stream, &work);
}

static bool event_done(CUevent event)
{
	return !event->stream || event->stream->done >= event->seq;
}

static CUresult event_query(CUevent event, bool wait)
{
	CUresult result = CUDA_SUCCESS;

	if (!fk_is(event, FK_EVENT) || event->destroyed)
		return CUDA_ERROR_INVALID_HANDLE;
	pthread_mutex_lock(&fk_lock);
	if (event->capture)
		result = CUDA_ERROR_CAPTURED_EVENT;
	else if (wait && !event_done(event))
		fk_wait_locked(event->stream, event->seq);
	else if (!event_done(event))
		result = CUDA_ERROR_NOT_READY;
	pthread_mutex_unlock(&fk_lock);
	return result ? result : fk_sticky();
}

static CUresult event_elapsed(float *ms, CUevent start, CUevent end)
{
	CUresult result = CUDA_SUCCESS;

	if (!fk_is(start, FK_EVENT) || !fk_is(end, FK_EVENT))
		return CUDA_ERROR_INVALID_HANDLE;
	if (!ms)
		return CUDA_ERROR_INVALID_VALUE;
	pthread_mutex_lock(&fk_lock);
	if (!start->stream || !end->stream || ((start->flags | end->flags) & CU_EVENT_DISABLE_TIMING))
		result = CUDA_ERROR_INVALID_HANDLE;
	else if (!event_done(start) || !event_done(end))
		result = CUDA_ERROR_NOT_READY;
	else
		*ms = (float)((double)(int64_t)(end->time_ns - start->time_ns) / 1e6);
	pthread_mutex_unlock(&fk_lock);
	return result;
}

FK_API(FK_CTX, cuEventCreate, (CUevent *out, unsigned int flags), event_create(out, flags))
FK_API(FK_CTX, cuEventDestroy, (CUevent event), event_destroy(event))
FK_API(FK_CTX, cuEventDestroy_v2, (CUevent event), event_destroy(event))
FK_API_PT(FK_CTX, cuEventRecord, _ptsz, (CUevent event, CUstream stream),
	event_record(event, fk_stream_get(stream, pts), 0))
FK_API_PT(FK_CTX, cuEventRecordWithFlags, _ptsz,
	(CUevent event, CUstream stream, unsigned int flags),
	event_record(event, fk_stream_get(stream, pts), flags))
FK_API(FK_CTX | FK_UNSAFE, cuEventQuery, (CUevent event), event_query(event, false))
FK_API(FK_CTX | FK_UNSAFE, cuEventSynchronize, (CUevent event), event_query(event, true))
FK_API(FK_CTX, cuEventElapsedTime, (float *ms, CUevent start, CUevent end),
	event_elapsed(ms, start, end))
FK_API(FK_CTX, cuEventElapsedTime_v2, (float *ms, CUevent start, CUevent end),
	event_elapsed(ms, start, end))
