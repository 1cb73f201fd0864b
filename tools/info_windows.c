/*
 * info_windows.c - when `vprof info` says that a process recorded, and why it began and ended.
 */
#include <stdio.h>
#include "tools/cli.h"
#include "tools/info.h"
#include "tools/windows.h"

enum { ROWS = 8 }; /* the newest, as text */

static uint64_t since(uint64_t ns, uint64_t start)
{
	return ns > start ? ns - start : 0;
}

static void row(struct cli_table *table, const struct vprof_window *w, uint64_t number, const struct clock *clock,
		uint64_t start_ns, const char *key)
{
	uint64_t begin, end;
	char from[32], length[32], made[64] = "";
	uint32_t at = 0;

	begin = clock_realtime(clock, &at, w->start_ticks);
	end = w->stop_ticks ? clock_realtime(clock, &at, w->stop_ticks) : 0;
	cli_time_text(from, sizeof(from), since(begin, start_ns));
	if (w->launches)
		snprintf(made, sizeof(made), ", %llu %s", (unsigned long long)w->launches,
			 cli_word(w->launches, "launch", "launches"));
	else if (w->steps)
		snprintf(made, sizeof(made), ", %llu %s", (unsigned long long)w->steps, cli_word(w->steps, "step", "steps"));
	if (end)
		cli_table_pair(table, key, "#%llu (%s) from %s after the start for %s (%s)%s",
			       (unsigned long long)number, window_reason_text(w->started), from,
			       cli_time_text(length, sizeof(length), since(end, begin)), window_reason_text(w->stopped),
			       made);
	else
		cli_table_pair(table, key, "#%llu (%s) from %s after the start on", (unsigned long long)number,
			       window_reason_text(w->started), from);
}

void info_windows_text(struct cli_table *table, const struct ring *ring, const struct clock *clock, uint64_t start_ns)
{
	struct windows windows;
	uint32_t i;

	windows_read(&windows, ring);
	/* Of a process that records from its beginning on there is nothing to say. */
	if (windows.count == 1 && windows.list[0].started == VPROF_WINDOW_BEGIN && !windows.list[0].stop_ticks)
		return;
	if (!windows.count && ring->header.minor >= 2)
		cli_table_pair(table, "recorded", "never: it was not told to (VPROF_CAPTURE, vprof start)");
	i = windows.count > ROWS ? windows.count - ROWS : 0;
	for (uint32_t first = i; i < windows.count; i++)
		row(table, &windows.list[i], windows.first + i, clock, start_ns, i == first ? "recorded" : "");
}

void info_windows_json(const struct ring *ring, const struct clock *clock, FILE *out)
{
	struct windows windows;
	uint32_t at = 0;

	windows_read(&windows, ring);
	fputs("  \"windows\": [", out);
	for (uint32_t i = 0; i < windows.count; i++) {
		const struct vprof_window *w = &windows.list[i];

		fprintf(out, "%s{\"number\": %llu, \"started\": \"%s\", \"start_ns\": %llu, ", i ? ", " : "",
			(unsigned long long)(windows.first + i), window_reason_text(w->started),
			(unsigned long long)clock_realtime(clock, &at, w->start_ticks));
		if (w->stop_ticks)
			fprintf(out, "\"stopped\": \"%s\", \"stop_ns\": %llu, ", window_reason_text(w->stopped),
				(unsigned long long)clock_realtime(clock, &at, w->stop_ticks));
		fprintf(out, "\"launches\": %llu, \"steps\": %llu}", (unsigned long long)w->launches,
			(unsigned long long)w->steps);
	}
	fputs("],\n", out);
}
