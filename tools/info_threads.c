/*
 * info_threads.c - the threads of a ring in `vprof info`: how much of each is there, and its last call.
 */
#include "tools/cli.h"
#include "tools/info.h"

static const char *call_name(const struct ring *ring, const struct info_thread *row)
{
	if (!row->present)
		return "-";
	if (!row->last_kind) /* it has said things, and called nothing */
		return "-";
	return row->last_kind == VPROF_KIND_THREAD ? "(thread)" : ring_call_name(ring, row->last_call);
}

void info_threads_text(const struct ring *ring, const struct info *info, const struct clock *clock, uint64_t start_ns,
		       FILE *out)
{
	struct cli_table *table = cli_table_new("rlrrrrl");
	static const char *const became[] = {
		[INFO_RETURNED] = "", [INFO_IN_FLIGHT] = " (in flight)", [INFO_ABANDONED] = " (abandoned)",
	};
	uint32_t at = 0;

	if (!table)
		return;
	cli_table_heads(table, "TID", "NAME", "RECORDS", "OVERWRITTEN", "FIRST", "LAST", "LAST CALL");
	for (size_t i = 0; i < info->thread_count; i++) {
		const struct info_thread *row = &info->threads[i];
		int64_t first = (int64_t)(clock_realtime(clock, &at, row->first_ticks) - start_ns);
		int64_t last = (int64_t)(clock_realtime(clock, &at, row->last_ticks) - start_ns);

		if (row->serial) {
			cli_table_cell(table, "%u", row->tid);
			cli_table_cell(table, "%s", row->comm);
		} else {
			cli_table_cell(table, "-");
			cli_table_cell(table, "(earlier threads)");
		}
		cli_table_cell(table, "%llu", (unsigned long long)row->present);
		cli_table_cell(table, "%llu", (unsigned long long)row->overwritten);
		if (row->present) {
			cli_table_cell(table, "%.6f", (double)first / 1e9);
			cli_table_cell(table, "%.6f", (double)last / 1e9);
		} else {
			cli_table_cell(table, "-");
			cli_table_cell(table, "-");
		}
		cli_table_cell(table, "%s%s", call_name(ring, row), became[row->last]);
	}
	cli_table_print(table, out, 2);
}

void info_threads_json(const struct ring *ring, const struct info *info, const struct clock *clock, FILE *out)
{
	uint32_t at = 0;

	fputs("  \"thread_table\": [", out);
	for (size_t i = 0; i < info->thread_count; i++) {
		const struct info_thread *row = &info->threads[i];

		fprintf(out, "%s\n    {\"serial\": %llu, \"tid\": %u, \"comm\": ", i ? "," : "",
			(unsigned long long)row->serial, row->tid);
		cli_json_string(out, row->comm);
		fprintf(out, ", \"records\": %llu, \"overwritten\": %llu", (unsigned long long)row->present,
			(unsigned long long)row->overwritten);
		if (row->present) {
			fprintf(out, ", \"first_ns\": %llu",
				(unsigned long long)clock_realtime(clock, &at, row->first_ticks));
			fprintf(out, ", \"last_ns\": %llu, \"last_call\": ",
				(unsigned long long)clock_realtime(clock, &at, row->last_ticks));
			cli_json_string(out, call_name(ring, row));
			fprintf(out, ", \"in_flight\": %s, \"abandoned\": %s",
				row->last == INFO_IN_FLIGHT ? "true" : "false",
				row->last == INFO_ABANDONED ? "true" : "false");
		}
		fputc('}', out);
	}
	fputs("\n  ]\n", out);
}
