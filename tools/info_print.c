/*
 * info_print.c - what `vprof info` has found out, for people and for programs.
 */
#include <string.h>
#include <time.h>
#include "tools/cli.h"
#include "tools/info.h"
#include "tools/memory.h"
#include "tools/role.h"

/* One ring in the units of both outputs. */
struct view {
	const struct ring *ring;
	const struct clock *clock;
	uint64_t start, first, last;  /* CLOCK_REALTIME, ns */
	uint64_t covered;             /* from the first record present to the last, ns */
	enum info_state state;
};

static void view_make(struct view *view, const struct input *input, const struct info *info)
{
	uint32_t at = 0;

	view->ring = &input->ring;
	view->clock = &input->clock;
	view->start = clock_realtime(&input->clock, &at, input->ring.header.start_ticks);
	view->first = clock_realtime(&input->clock, &at, info->first_ticks);
	view->last = clock_realtime(&input->clock, &at, info->last_ticks);
	view->covered = view->last > view->first ? view->last - view->first : 0;
	view->state = info_state(&input->ring);
}

static const char *clock_name(uint32_t clock)
{
	static const char *const names[] = { "monotonic", "tsc", "cntvct" };

	return clock < sizeof(names) / sizeof(names[0]) ? names[clock] : "unknown";
}

/* UTC, as 2026-11-22 03:06:01.123. */
static void time_text(char *text, size_t size, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char date[64] = "?";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(text, size, "%s.%03u UTC", date, (unsigned int)(ns / 1000000 % 1000));
}

static void text_losses(struct cli_table *table, const struct ring *ring, const struct info *info)
{
	const struct ring_losses *l = &info->losses;

	char abandoned[48] = "";

	if (info->abandoned)
		snprintf(abandoned, sizeof(abandoned), ", %llu abandoned", (unsigned long long)info->abandoned);
	cli_table_pair(table, "records", "%llu present, %llu %s, %llu torn, %llu in flight%s",
		       (unsigned long long)l->present, (unsigned long long)l->overwritten,
		       ring->header.cut_first ? "overwritten or not copied" : "overwritten",
		       (unsigned long long)l->torn, (unsigned long long)(l->in_flight - info->abandoned), abandoned);
	for (int i = 0; i < VPROF_LOSS_COUNT; i++)
		if (l->loss[i])
			cli_table_pair(table, "lost", "%llu %s", (unsigned long long)l->loss[i], ring_loss_name(i));
	if (ring->cut_bytes)
		cli_table_pair(table, "damaged", "the file lacks its last %llu bytes, with %llu %s",
			       (unsigned long long)ring->cut_bytes, (unsigned long long)info->cut_off,
			       cli_word(info->cut_off, "record", "records"));
	if (ring->bad_chunks)
		cli_table_pair(table, "damaged", "%llu %s left out", (unsigned long long)ring->bad_chunks,
			       cli_word(ring->bad_chunks, "chunk", "chunks"));
	if (ring->bad_holdings)
		cli_table_pair(table, "damaged", "%llu %s left out", (unsigned long long)ring->bad_holdings,
			       cli_word(ring->bad_holdings, "holding", "holdings"));
	if (ring->bad_defs)
		cli_table_pair(table, "damaged", "%llu %s left out", (unsigned long long)ring->bad_defs,
			       cli_word(ring->bad_defs, "definition", "definitions"));
}

static void text_times(struct cli_table *table, const struct view *view, const struct info *info)
{
	char when[80], span[32], back[32], error[32];

	time_text(when, sizeof(when), view->start);
	cli_table_pair(table, "started", "%s", when);
	if (!info->first_ticks) {
		cli_table_pair(table, "covers", "nothing: no record");
	} else {
		cli_time_text(span, sizeof(span), view->covered);
		cli_time_text(back, sizeof(back), view->first > view->start ? view->first - view->start : 0);
		time_text(when, sizeof(when), view->last);
		cli_table_pair(table, "covers", "%s up to %s, beginning %s after the start", span, when, back);
	}
	cli_time_text(error, sizeof(error), view->clock->error_ns);
	cli_table_pair(table, "clock", "%s, %.6f MHz, %u anchors (%u dropped), error %s",
		       clock_name(view->ring->header.clock), view->clock->hz / 1e6, view->clock->used,
		       view->clock->dropped, error);
}

/* What is held now, or was at the end, and when it was most. */
static void text_memory(struct cli_table *table, const struct view *view)
{
	char key[32], now[32], most[32], when[32];
	uint32_t at = 0;

	for (uint32_t place = 0; place < VPROF_MEMORY_TOTALS; place++) {
		const struct vprof_memory_total *total = &view->ring->live.memory[place];
		uint64_t ns = clock_realtime(view->clock, &at, total->peak_ticks);

		if (!memory_was_used(view->ring, place))
			continue;
		cli_table_pair(table, "memory", "%s: %s held, at most %s %s after the start",
			       memory_place_text(key, sizeof(key), place),
			       cli_size_text(now, sizeof(now), total->bytes),
			       cli_size_text(most, sizeof(most), total->peak),
			       cli_time_text(when, sizeof(when), ns > view->start ? ns - view->start : 0));
	}
}

/* Bytes of names and objects; the ring's own word for it, which a damaged file may hold anything in. */
static uint64_t defs_used(const struct ring *ring)
{
	uint64_t used = ring->live.defs_used;

	return used < ring->header.defs_size ? used : ring->header.defs_size;
}

/* Of a copy: the moment that it shows. */
static void text_copy(struct cli_table *table, const struct view *view)
{
	const struct vprof_ring_header *h = &view->ring->header;
	char when[80], last[32], only[64] = "";
	uint32_t at = 0;
	uint64_t cut = clock_realtime(view->clock, &at, h->cut_ticks);

	if (!h->cut_ticks)
		return;
	if (h->cut_first && h->cut_first < h->cut_ticks)
		snprintf(only, sizeof(only), ", the last %s", cli_time_text(last, sizeof(last),
			 cut - clock_realtime(view->clock, &at, h->cut_first)));
	time_text(when, sizeof(when), cut);
	cli_table_pair(table, "copy", "taken at %s%s", when, only);
}

/* Functions that the program looked up and that the library does not know. */
static unsigned count_unknown(const struct ring *ring)
{
	const struct vprof_def *def = NULL;
	unsigned n = 0;

	while ((def = ring_def_next(ring, def)))
		n += def->type == VPROF_DEF_UNKNOWN;
	return n;
}

/* Calls that only ask, and the function that was asked most. */
static void text_queries(struct cli_table *table, const struct ring *ring, const struct info *info)
{
	const struct info_query *most = NULL;
	char which[256] = "";

	if (!info->queries_all)
		return;
	for (size_t i = 0; i < info->query_count; i++)
		if (!most || info->queries[i].count > most->count)
			most = &info->queries[i];
	if (most)
		snprintf(which, sizeof(which), ", most often %s", ring_call_name(ring, most->call));
	cli_table_pair(table, "counted", "%llu %s%s", (unsigned long long)info->queries_all,
		       cli_word(info->queries_all, "call that only asks", "calls that only ask"), which);
}

void info_text(const struct input *input, const struct info *info, FILE *out)
{
	const struct vprof_ring_header *h = &input->ring.header;
	struct cli_table *table = cli_table_new("ll");
	char size[32], used[32];
	uint32_t unknown;
	struct role role;
	struct view view;

	if (!table)
		return;
	view_make(&view, input, info);
	fprintf(out, "%s%s%s\n", cli_colour(out, CLI_BOLD), input->path, cli_colour(out, CLI_PLAIN));
	if (strcmp(input->path, input->real))
		cli_table_pair(table, "lies at", "%s", input->real);
	cli_table_pair(table, "process", "%u on %s: %s", h->pid, h->host, input->ring.live.comm);
	role_make(&role, &input->ring, view.state == INFO_RUNNING);
	cli_table_pair(table, "role", "%s%s%s", role.name, *role.rank ? ", rank " : "", role.rank);
	cli_table_pair(table, "command", "%s", h->command);
	if (input->ring.live.title[0] && strcmp(input->ring.live.title, h->command))
		cli_table_pair(table, "title", "%s", input->ring.live.title);
	cli_table_pair(table, "state", "%s%s", info_state_text(view.state),
		       input->ring.control.word ? "" : ", recording is off");
	text_copy(table, &view);
	cli_table_pair(table, "size", "%s, written by vprof %s, format %u.%u",
		       cli_size_text(size, sizeof(size), input->ring.size), h->library, h->major, h->minor);
	cli_table_pair(table, "names", "%s of %s", cli_size_text(used, sizeof(used), defs_used(&input->ring)),
		       cli_size_text(size, sizeof(size), h->defs_size));
	text_times(table, &view, info);
	info_windows_text(table, &input->ring, view.clock, view.start);
	cli_table_pair(table, "threads", "%llu", (unsigned long long)input->ring.live.threads);
	info_devices_text(table, &input->ring);
	info_gpu_text(table, input);
	text_memory(table, &view);
	text_queries(table, &input->ring, info);
	unknown = count_unknown(&input->ring);
	if (unknown)
		cli_table_pair(table, "unknown", "%u %s of the driver: see vprof coverage RING", unknown,
			       cli_word(unknown, "function", "functions"));
	text_losses(table, &input->ring, info);
	info_spill_text(table, &input->ring);
	cli_table_print(table, out, 2);
	if (info->thread_count) {
		fputc('\n', out);
		info_threads_text(&input->ring, info, view.clock, view.start, out);
	}
}

/* ---- JSON ---- */

static void json_text(FILE *out, const char *key, const char *text)
{
	fprintf(out, "  \"%s\": ", key);
	cli_json_string(out, text);
	fputs(",\n", out);
}

static void json_number(FILE *out, const char *key, uint64_t value)
{
	fprintf(out, "  \"%s\": %llu,\n", key, (unsigned long long)value);
}

static void json_memory(const struct view *view, FILE *out)
{
	char name[32];
	uint32_t at = 0;
	int first = 1;

	fputs("  \"memory\": [", out);
	for (uint32_t place = 0; place < VPROF_MEMORY_TOTALS; place++) {
		const struct vprof_memory_total *total = &view->ring->live.memory[place];

		if (!memory_was_used(view->ring, place))
			continue;
		fprintf(out, "%s{\"place\": \"%s\", \"bytes\": %llu, \"peak\": %llu, \"peak_ns\": %llu}",
			first ? "" : ", ", memory_place_text(name, sizeof(name), place),
			(unsigned long long)total->bytes, (unsigned long long)total->peak,
			(unsigned long long)clock_realtime(view->clock, &at, total->peak_ticks));
		first = 0;
	}
	fputs("],\n", out);
}

static void json_queries(const struct ring *ring, const struct info *info, FILE *out)
{
	json_number(out, "queries", info->queries_all);
	fputs("  \"query_table\": [", out);
	for (size_t i = 0; i < info->query_count; i++) {
		const struct info_query *query = &info->queries[i];

		fprintf(out, "%s{\"call\": ", i ? ", " : "");
		cli_json_string(out, ring_call_name(ring, query->call));
		fprintf(out, ", \"count\": %llu, \"failed\": %llu}", (unsigned long long)query->count,
			(unsigned long long)query->failed);
	}
	fputs("],\n", out);
}

static void json_losses(const struct info *info, FILE *out)
{
	const struct ring_losses *l = &info->losses;

	json_number(out, "reserved", l->reserved);
	json_number(out, "present", l->present);
	json_number(out, "overwritten", l->overwritten);
	json_number(out, "cut_off", info->cut_off);
	json_number(out, "torn", l->torn);
	json_number(out, "in_flight", l->in_flight - info->abandoned);
	json_number(out, "abandoned", info->abandoned);
	fputs("  \"lost\": {", out);
	for (int i = 0; i <= VPROF_LOSS_STAMPS; i++)
		fprintf(out, "%s\"%s\": %llu", i ? ", " : "", ring_loss_name(i), (unsigned long long)l->loss[i]);
	fputs("},\n", out);
}

void info_json(const struct input *input, const struct info *info, FILE *out)
{
	const struct ring *ring = &input->ring;
	const struct vprof_ring_header *h = &ring->header;
	struct role role;
	struct view view;
	uint32_t at = 0;

	view_make(&view, input, info);
	role_make(&role, ring, view.state == INFO_RUNNING);
	fputs("{\n", out);
	json_text(out, "path", input->path);
	json_text(out, "real", input->real);
	json_text(out, "host", h->host);
	json_text(out, "boot_id", h->boot_id);
	json_number(out, "pid", h->pid);
	json_number(out, "ppid", h->ppid);
	json_text(out, "comm", ring->live.comm);
	json_text(out, "title", ring->live.title);
	json_text(out, "role", role.name);
	json_text(out, "rank", role.rank);
	json_text(out, "command", h->command);
	json_text(out, "exe", h->exe);
	json_text(out, "state", info_state_text(view.state));
	if (h->cut_ticks)
		json_number(out, "cut_ns", clock_realtime(view.clock, &at, h->cut_ticks));
	if (h->cut_ticks && h->cut_first)
		json_number(out, "cut_first_ns", clock_realtime(view.clock, &at, h->cut_first));
	fprintf(out, "  \"recording\": %s,\n", ring->control.word ? "true" : "false");
	json_number(out, "size", ring->size);
	json_number(out, "defs_size", h->defs_size);
	json_number(out, "defs_used", defs_used(ring));
	json_text(out, "library", h->library);
	json_number(out, "major", h->major);
	json_number(out, "minor", h->minor);
	json_number(out, "start_ns", view.start);
	if (info->first_ticks) {
		json_number(out, "first_ns", view.first);
		json_number(out, "last_ns", view.last);
	}
	json_number(out, "covered_ns", view.covered);
	json_text(out, "clock", clock_name(h->clock));
	fprintf(out, "  \"clock_hz\": %.3f,\n", view.clock->hz);
	json_number(out, "clock_error_ns", view.clock->error_ns);
	json_number(out, "anchors", view.clock->used);
	json_number(out, "anchors_dropped", view.clock->dropped);
	json_number(out, "threads", ring->live.threads);
	info_windows_json(ring, view.clock, out);
	info_devices_json(ring, out);
	info_gpu_json(input, out);
	json_memory(&view, out);
	json_queries(ring, info, out);
	json_number(out, "unknown_functions", count_unknown(ring));
	json_losses(info, out);
	json_number(out, "cut_bytes", ring->cut_bytes);
	json_number(out, "bad_chunks", ring->bad_chunks);
	info_spill_json(ring, out);
	json_number(out, "bad_defs", ring->bad_defs);
	json_number(out, "bad_holdings", ring->bad_holdings);
	info_threads_json(ring, info, view.clock, out);
	fputc('}', out);
}
