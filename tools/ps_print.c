/*
 * ps_print.c - what vprof ps has seen, for people and for programs.
 */
#include <string.h>
#include "tools/cli.h"
#include "tools/info.h"
#include "tools/ps.h"
#include "tools/windows.h"

static int is_on(const struct ps_row *row)
{
	return row->target->ring.control.word != 0;
}

/* How long ago these ticks were; of a process that has ended, before the last that its ring knows of. */
static uint64_t ago(const struct ps_row *row, uint64_t ticks)
{
	uint64_t ns = ps_ns(row, ticks);

	return row->now_ns > ns ? row->now_ns - ns : 0;
}

static const char *call_name(const struct ps_row *row)
{
	return ring_call_name(&row->target->ring, row->call.call);
}

/* ---- text ---- */

static void devices_text(char *text, size_t size, const struct ring *ring)
{
	const struct vprof_def_device *device;
	size_t used = 0;

	snprintf(text, size, "-");
	for (device = info_next_device(ring, NULL); device && used < size;
	     device = info_next_device(ring, &device->head))
		used += (size_t)snprintf(text + used, size - used, "%s%d", used ? "," : "", device->ordinal);
}

/* "on #3 request 2.1 s": since when and why; "off #3 steps 12 s": likewise. */
static void recording_text(char *text, size_t size, const struct ps_row *row)
{
	const struct vprof_window *window = &row->window;
	int open = !window->stop_ticks;
	char length[32];
	size_t used;

	used = (size_t)snprintf(text, size, "%s%s", process_lives(row->target->state) ? "" : "was ",
				is_on(row) ? "on" : "off");
	if (row->window_number && window->start_ticks && open == is_on(row))
		used += (size_t)snprintf(text + used, size - used, " #%llu %s %s",
					 (unsigned long long)row->window_number,
				 window_reason_text(open ? window->started : window->stopped),
				 cli_time_text(length, sizeof(length),
					       ago(row, open ? window->start_ticks : window->stop_ticks)));
	if (row->switch_ns && used < size)
		snprintf(text + used, size - used, ", switches in %s",
			 cli_time_text(length, sizeof(length), row->switch_ns));
}

static void call_text(char *text, size_t size, const struct ps_row *row)
{
	char length[32];

	if (!row->call.kind) {
		snprintf(text, size, "-");
		return;
	}
	cli_time_text(length, sizeof(length), ago(row, row->call.t0));
	if (!row->call.open)
		snprintf(text, size, "%s, %s %s", call_name(row), length,
			 process_lives(row->target->state) ? "ago" : "before its end");
	else if (process_lives(row->target->state))
		snprintf(text, size, "%s IN FLIGHT %s", call_name(row), length);
	else
		snprintf(text, size, "%s never returned", call_name(row));
}

static void rate_text(char *text, size_t size, double rate)
{
	if (rate < 0)
		snprintf(text, size, "-");
	else if (rate < 10000)
		snprintf(text, size, "%.0f/s", rate);
	else if (rate < 1e6)
		snprintf(text, size, "%.1fk/s", rate / 1e3);
	else
		snprintf(text, size, "%.2fM/s", rate / 1e6);
}

static void row_text(struct cli_table *table, const struct ps_row *row)
{
	const struct target *target = row->target;
	char text[256], length[32];

	cli_table_cell(table, "%u", target->ring.header.pid);
	cli_table_cell(table, "%s", target->role.name);
	cli_table_cell(table, "%s", *target->role.rank ? target->role.rank : "-");
	devices_text(text, sizeof(text), &target->ring);
	cli_table_cell(table, "%s", text);
	cli_table_cell(table, "%u", row->threads);
	cli_table_cell(table, "%s", process_state_text(target->state));
	recording_text(text, sizeof(text), row);
	cli_table_cell(table, "%s", text);
	rate_text(text, sizeof(text), row->rate);
	cli_table_cell(table, "%s", text);
	if (row->back_ns)
		cli_table_cell(table, "%s%s", row->whole ? "all " : "",
			       cli_time_text(length, sizeof(length), row->back_ns));
	else
		cli_table_cell(table, "-");
	cli_table_cell(table, "%llu", (unsigned long long)row->lost);
	call_text(text, sizeof(text), row);
	cli_table_cell(table, "%s", text);
}

void ps_print_text(const struct ps_row *rows, size_t count, FILE *out)
{
	struct cli_table *table = cli_table_new("rlllrllrrrl");

	if (!table)
		return;
	cli_table_heads(table, "PID", "ROLE", "RANK", "GPU", "THREADS", "STATE", "RECORDING", "RATE", "BACK",
			"LOST", "LAST CALL");
	for (size_t i = 0; i < count; i++)
		row_text(table, &rows[i]);
	cli_table_print(table, out, 0);
}

/* ---- JSON ---- */

static void json_text(FILE *out, const char *key, const char *text)
{
	fprintf(out, ", \"%s\": ", key);
	cli_json_string(out, text);
}

static void json_number(FILE *out, const char *key, uint64_t value)
{
	fprintf(out, ", \"%s\": %llu", key, (unsigned long long)value);
}

static void json_devices(FILE *out, const struct ring *ring)
{
	const struct vprof_def_device *device;
	char uuid[INFO_UUID_SIZE];
	int n = 0;

	fputs(", \"devices\": [", out);
	for (device = info_next_device(ring, NULL); device; device = info_next_device(ring, &device->head)) {
		fprintf(out, "%s{\"ordinal\": %d", n++ ? ", " : "", device->ordinal);
		json_text(out, "name", device->name);
		json_text(out, "uuid", info_uuid_text(uuid, device));
		fputc('}', out);
	}
	fputc(']', out);
}

static void json_window(FILE *out, const struct ps_row *row)
{
	const struct vprof_window *window = &row->window;

	fputs(", \"window\": ", out);
	if (!row->window_number || !window->start_ticks) {
		fputs("null", out);
		return;
	}
	fprintf(out, "{\"number\": %llu", (unsigned long long)row->window_number);
	json_text(out, "started", window_reason_text(window->started));
	json_number(out, "start_monotonic_ns", ps_ns(row, window->start_ticks));
	if (window->stop_ticks) {
		json_text(out, "stopped", window_reason_text(window->stopped));
		json_number(out, "stop_monotonic_ns", ps_ns(row, window->stop_ticks));
	}
	json_number(out, "launches", window->launches);
	json_number(out, "steps", window->steps);
	json_number(out, "serial", window->serial);
	fputc('}', out);
}

static void json_call(FILE *out, const struct ps_row *row)
{
	fputs(", \"last_call\": ", out);
	if (!row->call.kind) {
		fputs("null", out);
		return;
	}
	fputs("{\"name\": ", out);
	cli_json_string(out, call_name(row));
	json_number(out, "tid", row->call.tid);
	json_text(out, "thread", row->call.comm);
	json_number(out, "ago_ns", ago(row, row->call.t0));
	fprintf(out, ", \"in_flight\": %s}", row->call.open ? "true" : "false");
}

static void json_losses(FILE *out, const struct vprof_ring_live *live)
{
	int n = 0;

	fputs(", \"lost_by\": {", out);
	for (int i = 0; i < VPROF_LOSS_COUNT; i++)
		if (live->loss[i])
			fprintf(out, "%s\"%s\": %llu", n++ ? ", " : "", ring_loss_name(i),
				(unsigned long long)live->loss[i]);
	fputc('}', out);
}

static void row_json(const struct ps_row *row, FILE *out)
{
	const struct target *target = row->target;

	fprintf(out, "{\"pid\": %u", target->ring.header.pid);
	json_text(out, "ring", target->path);
	json_text(out, "role", target->role.name);
	if (target->role.number >= 0)
		json_number(out, "rank", (uint64_t)target->role.number);
	else
		fputs(", \"rank\": null", out);
	json_text(out, "rank_text", target->role.rank);
	json_devices(out, &target->ring);
	json_number(out, "threads", row->threads);
	json_text(out, "state", process_state_text(target->state));
	fprintf(out, ", \"recording\": %s", is_on(row) ? "true" : "false");
	json_number(out, "word", target->ring.control.word);
	json_window(out, row);
	if (row->switch_ns)
		json_number(out, "switches_in_ns", row->switch_ns);
	if (row->rate >= 0)
		fprintf(out, ", \"rate\": %.1f", row->rate);
	else
		fputs(", \"rate\": null", out);
	json_number(out, "records", row->records);
	json_number(out, "age_ns", row->age_ns);
	json_number(out, "back_ns", row->back_ns);
	fprintf(out, ", \"whole\": %s", row->whole ? "true" : "false");
	json_number(out, "lost", row->lost);
	json_losses(out, &target->ring.live);
	json_call(out, row);
	fputc('}', out);
}

void ps_print_json(const struct ps_row *rows, size_t count, FILE *out)
{
	fputc('[', out);
	for (size_t i = 0; i < count; i++) {
		fputs(i ? ",\n " : "", out);
		row_json(&rows[i], out);
	}
	fputs("]\n", out);
}
