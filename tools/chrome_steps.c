/*
 * chrome_steps.c - the steps of a program as a track of its own beside the thread that makes them.
 *
 * A track has an id that no thread has, and stands above the threads. Steps of one thread never
 * overlap; those of two threads are two tracks.
 */
#include "tools/chrome.h"

#include <inttypes.h>
#include "tools/steps.h"

static void put_meta(struct buffer *out, const struct trace_thread *thread, uint32_t tid, const char *name)
{
	buffer_print(out,
		     ",\n{\"ph\":\"M\",\"cat\":\"__metadata\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,\"ts\":0,"
		     "\"args\":{",
		     name, thread->process->pid, tid);
}

void chrome_steps_track(struct buffer *out, const struct trace_thread *thread, uint32_t tid, int alone)
{
	put_meta(out, thread, tid, "thread_name");
	buffer_print(out, "\"name\":\"steps");
	if (!alone) {
		buffer_print(out, " of ");
		buffer_add_json(out, thread_name(thread));
		buffer_print(out, " (%u)", thread->os_tid);
	}
	buffer_print(out, "\"}}");
	put_meta(out, thread, tid, "thread_sort_index");
	buffer_print(out, "\"sort_index\":-1}}");
}

static uint64_t since(uint64_t ns, uint64_t base_ns)
{
	return ns > base_ns ? ns - base_ns : 0;
}

void chrome_step(struct buffer *out, const struct step *step, uint32_t tid, uint64_t base_ns)
{
	const struct vprof_step *found = &step->found;
	uint64_t start = since(found->begin, base_ns);

	buffer_print(out, ",\n{\"ph\":\"X\",\"cat\":\"step\",\"name\":\"");
	if (step->range)
		buffer_add(out, step->range->json, step->range->json_size);
	else
		buffer_print(out, "%s", step_sort_name(step->sort));
	buffer_print(out, "\",\"pid\":%u,\"tid\":%u,\"ts\":%" PRIu64 ".%03u,\"dur\":%" PRIu64 ".%03u,",
		     step->thread->process->pid, tid, start / 1000, (unsigned)(start % 1000), step_ns(step) / 1000,
		     (unsigned)(step_ns(step) % 1000));
	buffer_print(out, "\"args\":{\"step\":%u,\"kind\":\"%s\",\"class\":%u,\"source\":\"%s\",\"launches\":%u,"
		     "\"graph launches\":%u,\"copies to device\":%u,\"copies to host\":%u,\"other copies\":%u,"
		     "\"waiting us\":%" PRIu64 ".%03u,\"thread\":%u%s}}", step->number, step_sort_name(step->sort),
		     step->class + 1, step_source_name(step), found->launches, found->graphs, found->copies_in,
		     found->copies_out, found->copies, found->waited / 1000, (unsigned)(found->waited % 1000),
		     step->thread->tid, step->outlier ? ",\"outlier\":true" : "");
}
