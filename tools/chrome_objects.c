/*
 * chrome_objects.c - what a slice says of the objects that its call used: their numbers, the copy's
 * pace, the launch's occupancy; and the devices of the whole trace.
 *
 * A line of a slice has room for all that is put here (LINE_REST in chrome_slices.c).
 */
#include <inttypes.h>
#include <string.h>
#include "tools/chrome.h"
#include "tools/occupancy.h"

static char *put_number(char *p, const char *name, size_t size, uint64_t number)
{
	p = put_text(p, name, size);
	p = put_u64(p, number);
	*p++ = ',';
	return p;
}

/* The literal has its quotes and its colon: "stream number": */
#define NUMBER(p, literal, number) put_number(p, literal, sizeof(literal) - 1, number)

/* A number that may be below zero. */
static char *put_signed(char *p, const char *name, size_t size, int32_t number)
{
	p = put_text(p, name, size);
	p = put_i64(p, number);
	*p++ = ',';
	return p;
}

#define SIGNED(p, literal, number) put_signed(p, literal, sizeof(literal) - 1, number)

static char *put_stream_number(char *p, const struct objects *objects, uint64_t handle, uint64_t ticks)
{
	const struct vprof_def_stream *stream = handle > 2 ? objects_stream(objects, handle, ticks) : NULL;

	return stream ? NUMBER(p, "\"stream number\":", stream->number) : p;
}

static char *put_event_number(char *p, const struct objects *objects, uint64_t handle, uint64_t ticks)
{
	const struct vprof_def_event *event = objects_event(objects, handle, ticks);

	return event ? NUMBER(p, "\"event number\":", event->number) : p;
}

/* What a call has made. */
static char *put_made(char *p, const struct ring *ring, uint32_t id)
{
	const struct vprof_def_stream *stream = ring_def(ring, id, VPROF_DEF_STREAM);
	const struct vprof_def_event *event = ring_def(ring, id, VPROF_DEF_EVENT);
	const struct vprof_def_context *context = ring_def(ring, id, VPROF_DEF_CONTEXT);

	if (stream) {
		p = NUMBER(p, "\"stream number\":", stream->number);
		p = SIGNED(p, "\"priority\":", stream->priority);
		p = NUMBER(p, "\"stream flags\":", stream->flags);
		p = SIGNED(p, "\"device\":", stream->device);
	} else if (event) {
		p = NUMBER(p, "\"event number\":", event->number);
		p = NUMBER(p, "\"event flags\":", event->flags);
	} else if (context) {
		p = NUMBER(p, "\"context number\":", context->number);
		p = SIGNED(p, "\"device\":", context->device);
	}
	return p;
}

/* The handle is a stream's or an event's or neither's: the two never share one. */
static char *put_awaited(char *p, const struct objects *objects, uint64_t handle, uint64_t ticks)
{
	if (handle > 2 && objects_stream(objects, handle, ticks))
		return put_stream_number(p, objects, handle, ticks);
	return put_event_number(p, objects, handle, ticks);
}

static char *put_module(char *p, const struct objects *objects, const struct vprof_slot *slot)
{
	const struct vprof_def_module *module;
	const char *image;

	if (slot->object)
		return p; /* a function */
	if (slot->module.from)
		module = objects_loaded(objects, slot->module.handle, slot->t0 + VPROF_DONE_TICKS(slot->done));
	else
		module = objects_module(objects, slot->module.handle, slot->t0);
	if (!module)
		return p;
	image = image_name(module->image);
	p = NUMBER(p, "\"module number\":", module->number);
	p = put_literal(p, "\"image\":\"");
	p = put_text(p, image, strlen(image));
	return put_literal(p, "\",");
}

/*
 * Bytes in a nanosecond are gigabytes in a second. Only of a copy between host and device that has
 * returned when it was done: what the host waited for is then the copy.
 */
static char *put_pace(char *p, const struct event *event)
{
	const struct vprof_slot *slot = &event->slot;
	uint32_t direction = slot->object & VPROF_COPY_DIRECTION;
	uint64_t ns = event->end_ns - event->start_ns, pace;

	if (slot->object & VPROF_COPY_ASYNC || !VPROF_DONE_TICKS(slot->done) || VPROF_DONE_RESULT(slot->done) || !ns)
		return p;
	if (direction != VPROF_COPY_HTOD && direction != VPROF_COPY_DTOH && direction != VPROF_COPY_HTOA &&
	    direction != VPROF_COPY_ATOH)
		return p;
	if (slot->copy.bytes > UINT64_MAX / 1000)
		return p;
	pace = slot->copy.bytes * 1000 / ns;
	p = put_literal(p, "\"GB/s\":");
	p = put_u64(p, pace / 1000);
	*p++ = '.';
	*p++ = (char)('0' + pace / 100 % 10);
	*p++ = (char)('0' + pace / 10 % 10);
	*p++ = (char)('0' + pace % 10);
	*p++ = ',';
	return p;
}

/*
 * A call that is recorded by its bare arguments: of those that are about streams and events the first
 * two may be handles, and of the others none is looked at, since a number is soon taken for one.
 */
static char *put_bare(char *p, const struct objects *objects, const struct vprof_slot *slot)
{
	const struct ring *ring = objects->ring;
	uint8_t family = slot->call < ring->call_count ? ring->call_family[slot->call] : VPROF_FAMILY_OTHER;

	if (family != VPROF_FAMILY_STREAM && family != VPROF_FAMILY_EVENT)
		return p;
	for (int i = 0; i < 2; i++)
		p = put_awaited(p, objects, slot->words[i], slot->t0);
	return p;
}

/* ---- occupancy ---- */

/*
 * The last results of a thread, with what is written of them: a program launches a kernel in a few
 * shapes over and over. Keyed by what the numbers come from, so that a place taken by another costs
 * time only.
 */
enum { REMEMBERED = 1024 };

struct remembered {
	const struct vprof_def_facts *facts;
	uint64_t threads;
	uint32_t shared;
	uint32_t size;         /* of text; 0: not known */
	struct occupancy occupancy;
	char text[96];         /* at most 70 bytes, padded for put_padded() */
};

static uint64_t rounded(double percent)
{
	return percent > 0 && percent < 1e6 ? (uint64_t)(percent + 0.5) : 0;
}

static void remember(struct remembered *place, const struct vprof_def_device *device)
{
	const char *limit;
	char *p = place->text;

	if (occupancy_find(&place->occupancy, device, place->facts, place->threads, place->shared))
		return;
	limit = occupancy_limit_name(place->occupancy.limit);
	p = NUMBER(p, "\"theoretical occupancy %\":", rounded(place->occupancy.percent));
	p = put_literal(p, "\"occupancy limit\":\"");
	p = put_text(p, limit, strlen(limit));
	p = put_literal(p, "\",");
	place->size = (uint32_t)(p - place->text);
}

static const struct remembered *occupancy_of(const struct vprof_def_facts *facts,
					     const struct vprof_def_device *device, uint64_t threads, uint32_t shared)
{
	static __thread struct remembered places[REMEMBERED];
	uint64_t key = (uintptr_t)facts + threads + ((uint64_t)shared << 16);
	struct remembered *place = &places[(key * 0x9e3779b97f4a7c15ull) >> 54]; /* 10 bits */

	_Static_assert(REMEMBERED == 1 << (64 - 54), "as many places as the hash has values");
	if (place->facts != facts || place->threads != threads || place->shared != shared) {
		*place = (struct remembered){ .facts = facts, .threads = threads, .shared = shared };
		remember(place, device);
	}
	return place;
}

static char *put_occupancy(char *p, const struct chrome_names *names, const struct vprof_def_facts *facts,
			   const struct vprof_slot *slot)
{
	const struct vprof_def_device *device = objects_device(&names->objects, facts->device);
	const uint16_t *block = slot->launch.block;
	const uint32_t *grid = slot->launch.grid;
	const struct remembered *found;
	uint64_t threads, blocks;

	if (!device || block[0] == UINT16_MAX || block[1] == UINT16_MAX || block[2] == UINT16_MAX)
		return p;
	threads = (uint64_t)block[0] * block[1] * block[2];
	found = occupancy_of(facts, device, threads, slot->launch.shared);
	if (!found->size)
		return p;
	blocks = (uint64_t)grid[0] * grid[1];
	blocks = grid[2] && blocks > UINT64_MAX / grid[2] ? UINT64_MAX : blocks * grid[2];
	p = put_padded(p, found->text, found->size);
	return NUMBER(p, "\"est. achieved occupancy %\":",
		      rounded(occupancy_of_grid(&found->occupancy, device, blocks, threads)));
}

/* ---- the whole ---- */

char *chrome_put_objects(char *p, const struct chrome_names *names, const struct chrome_text *text,
			 const struct event *event)
{
	const struct vprof_slot *slot = &event->slot;
	const struct objects *objects = &names->objects;

	switch (slot->kind) {
	case VPROF_KIND_LAUNCH:
		p = put_stream_number(p, objects, slot->launch.stream, slot->t0);
		return text->facts ? put_occupancy(p, names, text->facts, slot) : p;
	case VPROF_KIND_GRAPH_LAUNCH:
		return put_stream_number(p, objects, slot->graph_launch.stream, slot->t0);
	case VPROF_KIND_COPY:
		p = put_stream_number(p, objects, slot->copy.stream, slot->t0);
		return put_pace(p, event);
	case VPROF_KIND_SET:
		return put_stream_number(p, objects, slot->set.stream, slot->t0);
	case VPROF_KIND_SYNC:
		return put_awaited(p, objects, slot->sync.handle, slot->t0);
	case VPROF_KIND_EVENT:
		p = put_event_number(p, objects, slot->event.event, slot->t0);
		return put_stream_number(p, objects, slot->event.stream, slot->t0);
	case VPROF_KIND_MEMORY:
		return put_stream_number(p, objects, slot->memory.stream, slot->t0);
	case VPROF_KIND_MODULE:
		return put_module(p, objects, slot);
	case VPROF_KIND_GRAPH:
		return put_stream_number(p, objects, slot->graph.stream, slot->t0);
	case VPROF_KIND_CALL:
		return slot->object ? put_made(p, objects->ring, slot->object) : put_bare(p, objects, slot);
	default:
		return p;
	}
}

/* ---- devices ---- */

/* Has an earlier ring told of it? By its UUID: each process counts the devices that it sees. */
static int was_told(const struct chrome *chrome, size_t process, int ordinal)
{
	const struct vprof_def_device *device = chrome->names[process].objects.devices[ordinal];

	for (size_t i = 0; i < process; i++)
		for (int k = 0; chrome->trace->processes[i].chosen && k < OBJECTS_DEVICES; k++) {
			const struct vprof_def_device *other = chrome->names[i].objects.devices[k];

			if (other && !memcmp(other->uuid, device->uuid, sizeof(device->uuid)))
				return 1;
		}
	return 0;
}

void chrome_put_device(struct buffer *out, const struct vprof_def_device *device)
{
	buffer_print(out, "{\"id\":%d,\"name\":\"", device->ordinal);
	buffer_add_json(out, device->name);
	buffer_print(out, "\",\"uuid\":\"");
	for (size_t i = 0; i < sizeof(device->uuid); i++)
		buffer_print(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", device->uuid[i]);
	buffer_print(out, "\",\"totalGlobalMem\":%" PRIu64 ",\"computeMajor\":%u,\"computeMinor\":%u"
		     ",\"maxThreadsPerBlock\":%u,\"maxThreadsPerMultiprocessor\":%u,\"regsPerBlock\":%u,\"warpSize\":%u"
		     ",\"sharedMemPerBlock\":%u,\"numSms\":%u,\"regsPerMultiprocessor\":%u,"
		     "\"sharedMemPerBlockOptin\":%u,\"sharedMemPerMultiprocessor\":%u}", device->memory, device->major,
		     device->minor, device->threads_per_block, device->threads_per_sm, device->registers_per_block,
		     device->warp, device->shared_per_block, device->sm_count, device->registers_per_sm,
		     device->shared_per_block_optin, device->shared_per_sm);
}

void chrome_put_devices(struct buffer *out, const struct chrome *chrome)
{
	int count = 0;

	for (size_t i = 0; i < chrome->trace->count; i++)
		for (int k = 0; chrome->trace->processes[i].chosen && k < OBJECTS_DEVICES; k++) {
			if (!chrome->names[i].objects.devices[k] || was_told(chrome, i, k))
				continue;
			buffer_print(out, count++ ? ",\n" : "\"deviceProperties\":[\n");
			chrome_put_device(out, chrome->names[i].objects.devices[k]);
		}
	if (count)
		buffer_print(out, "\n],\n");
}
