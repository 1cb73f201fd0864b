/*
 * chrome_memory.c - memory in use as counter tracks, one for each device and the host, and its peaks.
 */
#include "tools/chrome.h"

#include <inttypes.h>
#include "tools/memory_track.h"

static void place_title(char *text, size_t size, uint32_t place)
{
	if (place == VPROF_MEMORY_HOST)
		snprintf(text, size, "Pinned host memory in use");
	else
		snprintf(text, size, "Device memory in use, device %u", place);
}

/* Time of the trace; 0 for what lies before its base. */
static uint64_t since_base(const struct chrome *chrome, uint64_t ns)
{
	return ns > chrome->trace->base_ns ? ns - chrome->trace->base_ns : 0;
}

static void put_moment(struct buffer *out, const char *phase, const char *name, uint32_t pid, uint64_t ns)
{
	buffer_print(out, ",\n{\"ph\":\"%s\",\"cat\":\"memory\",\"name\":\"%s\",\"pid\":%u,\"tid\":0,\"ts\":%" PRIu64
		     ".%03u,", phase, name, pid, ns / 1000, (unsigned)(ns % 1000));
}

static void put_sums(const struct chrome *chrome, struct buffer *out, uint32_t pid, const struct event *sums)
{
	uint32_t place = sums->slot.object;
	char name[64];

	place_title(name, sizeof(name), place);
	put_moment(out, "C", name, pid, since_base(chrome, sums->start_ns));
	buffer_print(out, "\"args\":{\"total\":%" PRIu64, sums->slot.words[MEMORY_SERIES]);
	for (uint32_t s = 0; s < MEMORY_SERIES; s++)
		buffer_print(out, ",\"%s\":%" PRIu64, memory_series_name(place, s), sums->slot.words[s]);
	buffer_print(out, "}}");
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
	char name[64], title[80];

	if (ns < chrome->trace->base_ns || ns < chrome->trace->from_ns || ns > chrome->trace->to_ns)
		return;
	place_title(name, sizeof(name), place);
	snprintf(title, sizeof(title), "Peak: %s", name);
	put_moment(out, "i", title, process->pid, since_base(chrome, ns));
	buffer_print(out, "\"s\":\"p\",\"args\":{\"bytes\":%" PRIu64 "}}", total->peak);
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
		buffer_print(out, "%s{\"place\":\"%s\",\"bytes\":%" PRIu64 ",\"peak\":%" PRIu64 ",\"peak_ns\":%" PRIu64 "}",
			     rows++ ? "," : ",\"memory\":[", memory_place_text(name, sizeof(name), place), total->bytes,
			     total->peak, clock_realtime(process->clock, &at, total->peak_ticks));
	}
	if (rows)
		buffer_print(out, "]");
}
