/*
 * memory_print.c - held memory as tables for people and as JSON for programs.
 *
 * Times are after the first record of all rings, as --at takes them.
 */
#include <errno.h>
#include <inttypes.h>
#include "tools/info.h"
#include "tools/memory_print.h"

enum { THE_END = 1 };

static uint64_t ns_of(const struct memory_view *view, uint64_t ticks)
{
	uint32_t at = 0;

	return clock_realtime(view->process->clock, &at, ticks);
}

/* The last tick that is not after `ns`; the map is monotone, so halving finds it. */
static uint64_t ticks_of(const struct memory_view *view, uint64_t ns)
{
	uint64_t low = 0, high = INT64_MAX;

	while (low < high) {
		uint64_t mid = low + (high - low + 1) / 2;

		if (ns_of(view, mid) <= ns)
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

void memory_view_make(struct memory_view *view, const struct trace *trace, const struct trace_process *process,
		      const struct memory_options *options)
{
	const struct vprof_ring_live *live = &process->ring->live;

	*view = (struct memory_view){ options, trace, process, MEMORY_TO_THE_END - THE_END, trace->end_ns,
				      trace->base_ns };
	if (!trace->base_ns)
		view->base_ns = ns_of(view, process->ring->header.start_ticks);
	if (options->at.given) {
		view->ns = trace_moment(trace, &options->at);
		view->ticks = ticks_of(view, view->ns);
	} else if (live->state == VPROF_RING_CLOSED) {
		view->ns = ns_of(view, live->end_ticks);
	}
}

static size_t rows_of(const struct memory_view *view, size_t count)
{
	return view->options->rows && view->options->rows < count ? view->options->rows : count;
}

static const struct trace_thread *thread_of(const struct memory_view *view, uint64_t serial)
{
	uint32_t index = serial ? idmap_get(&view->process->by_serial, serial) : IDMAP_NONE;

	return index != IDMAP_NONE ? view->process->threads[index] : NULL;
}

static const char *thread_text(const struct memory_view *view, uint64_t serial, char *text, size_t size)
{
	const struct trace_thread *thread = thread_of(view, serial);

	if (thread)
		snprintf(text, size, "%s (%u)", thread_name(thread), thread->os_tid);
	else if (serial)
		snprintf(text, size, "thread %" PRIu64, serial);
	else
		snprintf(text, size, "?");
	return text;
}

static const char *range_of(const struct memory_view *view, uint64_t id)
{
	const struct vprof_def_text *text = id && id <= UINT32_MAX ?
					    ring_def(view->process->ring, (uint32_t)id, VPROF_DEF_TEXT) : NULL;

	return text ? text->name : NULL;
}

static const char *call_of(const struct memory_view *view, uint32_t call)
{
	return call ? ring_call_name(view->process->ring, call) : "?";
}

/* ---- for people ---- */

/* A moment after the first record. */
static const char *moment_text(const struct memory_view *view, uint64_t ns, char *text, size_t size)
{
	if (ns < view->base_ns)
		snprintf(text, size, "before");
	else
		cli_time_text(text, size, ns - view->base_ns);
	return text;
}

static const char *heading(const struct memory_view *view)
{
	switch (info_state(view->process->ring)) {
	case INFO_CLOSED:
		return "never given back";
	case INFO_DIED:
		return "held when it died";
	case INFO_COPY:
		return "held when the copy was taken";
	default:
		return "held at the end of the ring";
	}
}

static int text_places(const struct memory_view *view, const struct memory_use *use, FILE *out)
{
	struct cli_table *table = cli_table_new("lrlllrr");
	char text[64];

	if (!table)
		return -ENOMEM;
	cli_table_heads(table, "PLACE", "HELD", "", "", "", "AT MOST", "WHEN");
	for (uint32_t place = 0; place < VPROF_MEMORY_TOTALS; place++) {
		const struct vprof_memory_total *total = &view->process->ring->live.memory[place];
		uint64_t sum = 0;

		if (!memory_was_used(view->process->ring, place))
			continue;
		for (int s = 0; s < MEMORY_SERIES; s++)
			sum += use->bytes[place][s];
		cli_table_cell(table, "%s", memory_place_text(text, sizeof(text), place));
		cli_table_cell(table, "%s", cli_size_text(text, sizeof(text), sum));
		for (int s = 0; s < MEMORY_SERIES; s++)
			cli_table_cell(table, "%s %s", cli_size_text(text, sizeof(text), use->bytes[place][s]),
				       memory_series_name(place, (uint32_t)s));
		cli_table_cell(table, "%s", cli_size_text(text, sizeof(text), total->peak));
		cli_table_cell(table, "%s", moment_text(view, ns_of(view, total->peak_ticks), text, sizeof(text)));
	}
	return cli_table_print(table, out, 2);
}

static void group_row(const struct memory_view *view, struct cli_table *table, const struct memory_group *group)
{
	const char *range = range_of(view, group->range);
	uint64_t from = ns_of(view, group->oldest);
	char text[96];

	cli_table_cell(table, "%s", cli_size_text(text, sizeof(text), group->bytes));
	if (view->options->each)
		cli_table_cell(table, "0x%" PRIx64, group->address);
	else
		cli_table_cell(table, "%" PRIu64, group->count);
	cli_table_cell(table, "%s", group->oldest && from <= view->ns ?
		       cli_time_text(text, sizeof(text), view->ns - from) : "?");
	cli_table_cell(table, "%s", memory_place_text(text, sizeof(text), group->place));
	cli_table_cell(table, "%s", memory_kind_name(group->kind));
	cli_table_cell(table, "%s", call_of(view, group->call));
	cli_table_cell(table, "%s", thread_text(view, group->thread, text, sizeof(text)));
	cli_table_cell(table, "%s", range ? range : "-");
}

static int text_groups(const struct memory_view *view, const struct memory_groups *groups, FILE *out)
{
	struct cli_table *table = cli_table_new("rrrlllll");
	size_t rows = rows_of(view, groups->count);
	int error;

	if (!table)
		return -ENOMEM;
	cli_table_heads(table, "BYTES", view->options->each ? "ADDRESS" : "COUNT", "HELD FOR", "PLACE", "KIND",
			"CALL", "THREAD",
			"RANGE");
	for (size_t i = 0; i < rows; i++)
		group_row(view, table, &groups->list[i]);
	error = cli_table_print(table, out, 2);
	if (!error && rows < groups->count)
		fprintf(out, "  (%zu more rows: --top=0)\n", groups->count - rows);
	return error;
}

static int text_strays(const struct memory_view *view, const struct memory_past *past, FILE *out)
{
	size_t rows = rows_of(view, past->stray_count);
	struct cli_table *table;
	char text[96];

	if (!past->stray_count)
		return 0;
	fprintf(out, "\ngiven back without having been taken: %zu\n", past->stray_count);
	table = cli_table_new("rrlll");
	if (!table)
		return -ENOMEM;
	cli_table_heads(table, "WHEN", "ADDRESS", "KIND", "CALL", "THREAD");
	for (size_t i = 0; i < rows; i++) {
		const struct memory_stray *stray = &past->strays[i];

		cli_table_cell(table, "%s", moment_text(view, ns_of(view, stray->ticks), text, sizeof(text)));
		cli_table_cell(table, "0x%" PRIx64, stray->address);
		cli_table_cell(table, "%s", memory_kind_name(stray->kind));
		cli_table_cell(table, "%s", call_of(view, stray->call));
		cli_table_cell(table, "%s", thread_text(view, stray->thread, text, sizeof(text)));
	}
	return cli_table_print(table, out, 2);
}

/* What the tables above cannot know. */
static void text_gaps(const struct memory_view *view, const struct memory_past *past, FILE *out)
{
	uint64_t lost = view->process->ring->live.loss[VPROF_LOSS_HOLDINGS];

	if (lost)
		fprintf(out, "\n%" PRIu64 " %s found no room in the ring's table and %s in no sum\n", lost,
			cli_word(lost, "allocation", "allocations"), cli_word(lost, "is", "are"));
	if (past->uncertain && view->options->at.given)
		fprintf(out, "\n%" PRIu64 " %s left out: when %s given back has been overwritten\n",
			past->uncertain, cli_word(past->uncertain, "piece is", "pieces are"),
			cli_word(past->uncertain, "it was", "they were"));
}

int memory_text(const struct memory_view *view, const struct memory_findings *found, FILE *out)
{
	const struct trace_process *process = view->process;
	char when[32];
	int error;

	fprintf(out, "%s%s%s\n", cli_colour(out, CLI_BOLD), process->path, cli_colour(out, CLI_PLAIN));
	if (!process->ring->header.holdings_offset) {
		fprintf(out, "  the ring has no table of memory: it was written by an older vprof\n");
		return 0;
	}
	fprintf(out, "%u %s", process->os_pid, process->name);
	if (view->options->at.given)
		fprintf(out, ", %s after the first record\n", moment_text(view, view->ns, when, sizeof(when)));
	else
		fputs(", at the end\n", out);
	error = text_places(view, &found->held.use, out);
	if (!error && found->held.count) {
		fprintf(out, "\n%s\n", view->options->at.given ? "held" : heading(view));
		error = text_groups(view, &found->held, out);
	}
	if (!error && found->ended.count) {
		fputs("\nnever given back but by the end of its context\n", out);
		error = text_groups(view, &found->ended, out);
	}
	if (!error)
		error = text_strays(view, &found->past, out);
	text_gaps(view, &found->past, out);
	return error;
}

/* ---- for programs ---- */

static void json_thread(const struct memory_view *view, uint64_t serial, FILE *out)
{
	const struct trace_thread *thread = thread_of(view, serial);

	fprintf(out, ", \"thread\": %" PRIu64, serial);
	if (!thread)
		return;
	fprintf(out, ", \"tid\": %u, \"comm\": ", thread->os_tid);
	cli_json_string(out, thread_name(thread));
}

static void json_places(const struct memory_view *view, const struct memory_use *use, FILE *out)
{
	char text[32];
	int rows = 0;

	fputs("  \"places\": [", out);
	for (uint32_t place = 0; place < VPROF_MEMORY_TOTALS; place++) {
		const struct vprof_memory_total *total = &view->process->ring->live.memory[place];
		uint64_t sum = 0;

		if (!memory_was_used(view->process->ring, place))
			continue;
		fprintf(out, "%s\n    {\"place\": \"%s\"", rows++ ? "," : "",
			memory_place_text(text, sizeof(text), place));
		for (int s = 0; s < MEMORY_SERIES; s++) {
			fprintf(out, ", \"%s\": %" PRIu64, memory_series_name(place, (uint32_t)s),
				use->bytes[place][s]);
			sum += use->bytes[place][s];
		}
		fprintf(out, ", \"bytes\": %" PRIu64 ", \"peak\": %" PRIu64 ", \"peak_ns\": %" PRIu64 "}", sum,
			total->peak, ns_of(view, total->peak_ticks));
	}
	fputs("],\n", out);
}

static void json_group(const struct memory_view *view, const struct memory_group *group, FILE *out)
{
	const char *range = range_of(view, group->range);
	char text[32];

	fprintf(out, "{\"place\": \"%s\", \"kind\": \"%s\", \"bytes\": %" PRIu64 ", \"count\": %" PRIu64,
		memory_place_text(text, sizeof(text), group->place), memory_kind_name(group->kind), group->bytes,
		group->count);
	fprintf(out, ", \"address\": \"0x%" PRIx64 "\"", group->address);
	if (group->oldest)
		fprintf(out, ", \"oldest_ns\": %" PRIu64, ns_of(view, group->oldest));
	if (group->call) {
		fputs(", \"call\": ", out);
		cli_json_string(out, call_of(view, group->call));
		json_thread(view, group->thread, out);
	}
	if (range) {
		fputs(", \"range\": ", out);
		cli_json_string(out, range);
	}
	fputc('}', out);
}

static void json_stray(const struct memory_view *view, const struct memory_stray *stray, FILE *out)
{
	fprintf(out, "{\"ns\": %" PRIu64 ", \"address\": \"0x%" PRIx64 "\", \"kind\": \"%s\", \"call\": ",
		ns_of(view, stray->ticks), stray->address, memory_kind_name(stray->kind));
	cli_json_string(out, call_of(view, stray->call));
	json_thread(view, stray->thread, out);
	fputc('}', out);
}

static void json_groups(const struct memory_view *view, const char *key, const struct memory_groups *groups, FILE *out)
{
	size_t rows = rows_of(view, groups->count);

	fprintf(out, "  \"%s_groups\": %zu,\n  \"%s\": [", key, groups->count, key);
	for (size_t i = 0; i < rows; i++) {
		fputs(i ? ",\n    " : "\n    ", out);
		json_group(view, &groups->list[i], out);
	}
	fputs("],\n", out);
}

void memory_json(const struct memory_view *view, const struct memory_findings *found, FILE *out)
{
	const struct memory_past *past = &found->past;
	size_t strays = rows_of(view, past->stray_count);

	fputs("{\n  \"path\": ", out);
	cli_json_string(out, view->process->path);
	fprintf(out, ",\n  \"pid\": %u,\n  \"state\": \"%s\",\n  \"at_ns\": %" PRIu64 ",\n", view->process->os_pid,
		info_state_text(info_state(view->process->ring)), view->ns);
	json_places(view, &found->held.use, out);
	json_groups(view, "held", &found->held, out);
	json_groups(view, "ended_with_context", &found->ended, out);
	fprintf(out, "  \"strays\": %zu,\n  \"not_taken\": [", past->stray_count);
	for (size_t i = 0; i < strays; i++) {
		fputs(i ? ",\n    " : "\n    ", out);
		json_stray(view, &past->strays[i], out);
	}
	fprintf(out, "],\n  \"uncertain\": %" PRIu64 ",\n  \"no_room\": %" PRIu64 "\n}", past->uncertain,
		view->process->ring->live.loss[VPROF_LOSS_HOLDINGS]);
}
