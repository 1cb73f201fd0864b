/*
 * chrome_memory.c - memory in use as counter tracks, one for each device and the host, and its peaks.
 */
#include "tools/chrome.h"

#include <inttypes.h>
#include "tools/memory_track.h"

/* What an event can need. */
enum { EVENT_MOST = 1024 };

static char *put_title(char *p, uint32_t place)
{
	if (place == VPROF_MEMORY_HOST)
		return put_literal(p, "Pinned host memory in use");
	p = put_literal(p, "Device memory in use, device ");
	return put_u64(p, place);
}

/* From the comma before an event to its time. */
static char *put_head(char *p, char phase, const char *mark, uint32_t place, uint32_t pid)
{
	p = put_literal(p, ",\n{\"ph\":\"");
	*p++ = phase;
	p = put_literal(p, "\",\"cat\":\"memory\",\"name\":\"");
	p = put_text(p, mark, strlen(mark));
	p = put_title(p, place);
	p = put_literal(p, "\",\"pid\":");
	p = put_u64(p, pid);
	return put_literal(p, ",\"tid\":0,\"ts\":");
}

/* Time of the trace; 0 for what lies before its base. */
static char *put_moment(char *p, const struct chrome *chrome, uint64_t ns)
{
	return put_us(p, ns > chrome->trace->base_ns ? ns - chrome->trace->base_ns : 0);
}

static void put_sums(const struct chrome *chrome, struct buffer *out, uint32_t pid, const struct event *sums)
{
	uint32_t place = sums->slot.object;
	char *p = buffer_room(out, EVENT_MOST);

	if (!p)
		return;
	p = put_head(p, 'C', "", place, pid);
	p = put_moment(p, chrome, sums->start_ns);
	p = put_literal(p, ",\"args\":{\"total\":");
	p = put_u64(p, sums->slot.words[MEMORY_SERIES]);
	for (uint32_t s = 0; s < MEMORY_SERIES; s++) {
		const char *name = memory_series_name(place, s);

		p = put_literal(p, ",\"");
		p = put_text(p, name, strlen(name));
		p = put_literal(p, "\":");
		p = put_u64(p, sums->slot.words[s]);
	}
	buffer_end(out, put_literal(p, "}}"));
}

void chrome_memory_sums(const struct chrome *chrome, struct buffer *out, const struct event *sums)
{
	put_sums(chrome, out, sums->thread->process->pid, sums);
}

static void put_peak(const struct chrome *chrome, struct buffer *out, const struct trace_process *process,
		     uint32_t place)
{
	const struct vprof_memory_total *total = &process->ring->live.memory[place];
	uint32_t at = 0;
	uint64_t ns = clock_realtime(process->clock, &at, total->peak_ticks);
	char *p;

	if (ns < chrome->trace->base_ns || ns < chrome->trace->from_ns || ns > chrome->trace->to_ns)
		return;
	p = buffer_room(out, EVENT_MOST);
	if (!p)
		return;
	p = put_head(p, 'i', "Peak: ", place, process->pid);
	p = put_moment(p, chrome, ns);
	p = put_literal(p, ",\"s\":\"p\",\"args\":{\"bytes\":");
	p = put_u64(p, total->peak);
	buffer_end(out, put_literal(p, "}}"));
}

void chrome_memory_begin(const struct chrome *chrome, struct buffer *out, const struct trace_process *process)
{
	const struct memory_track *track = chrome->trace->memory ? &chrome->trace->memory[process->index] : NULL;
	uint64_t from = chrome->trace->from_ns;

	for (uint32_t place = 0; track && track->used && place < VPROF_MEMORY_TOTALS; place++) {
		struct event sums;

		if (!memory_was_used(process->ring, place))
			continue;
		memory_track_sums(track, place, from, &sums);
		put_sums(chrome, out, process->pid, &sums);
		put_peak(chrome, out, process, place);
	}
}

/* ,"memory":[{"place":"device 0","bytes":…,"peak":…,"peak_ns":…}] of what the ring says at its end. */
void chrome_memory_totals(struct buffer *out, const struct trace_process *process)
{
	char name[32];
	uint32_t at = 0;
	int rows = 0;

	for (uint32_t place = 0; place < VPROF_MEMORY_TOTALS; place++) {
		const struct vprof_memory_total *total = &process->ring->live.memory[place];

		if (!memory_was_used(process->ring, place))
			continue;
		buffer_print(out, "%s{\"place\":\"%s\",\"bytes\":%" PRIu64 ",\"peak\":%" PRIu64
			     ",\"peak_ns\":%" PRIu64 "}", rows++ ? "," : ",\"memory\":[",
			     memory_place_text(name, sizeof(name), place), total->bytes, total->peak,
			     clock_realtime(process->clock, &at, total->peak_ticks));
	}
	if (rows)
		buffer_print(out, "]");
}
