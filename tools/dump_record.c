/*
 * dump_record.c - a record's line: the part that all have; what its kind has is in dump_fields.c.
 */
#include "tools/cli.h"
#include "tools/dump.h"
#include "tools/ranges.h"

void dump_word(FILE *out, const char *text)
{
	if (!*text)
		fputc('-', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= ' ' || c == '\\' || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}

void dump_seconds(FILE *out, int64_t ns)
{
	uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	fprintf(out, "%s%llu.%09u", ns < 0 ? "-" : "", (unsigned long long)(size / 1000000000),
		(unsigned int)(size % 1000000000));
}

/* One call, with a duration and a result? */
static int is_call(const struct vprof_slot *slot)
{
	return slot->kind != VPROF_KIND_THREAD && slot->kind != VPROF_KIND_QUERIES &&
	       (!slot_is_gpu(slot) || slot->kind == VPROF_KIND_GPU_CLOCK);
}

static const char *call_name(const struct dump_ring *dump, const struct vprof_slot *slot)
{
	static const char *const gpu[] = { "(replay)", "(stamps)", "(timed)", "(gpu-clock)" };

	if (slot_is_gpu(slot))
		return gpu[slot->kind - VPROF_KIND_REPLAY];
	if (slot_is_said(slot))
		return dump_said_call(slot);
	return slot->kind == VPROF_KIND_THREAD ? "(thread)" : ring_call_name(dump->ring, slot->call);
}

static uint64_t length_ns(struct dump_ring *dump, const struct vprof_slot *slot)
{
	return clock_length(dump->clock, &dump->at, slot->t0, VPROF_DONE_TICKS(slot->done));
}

void dump_text(struct dump_ring *dump, FILE *out, const struct record *record, int64_t t_ns)
{
	const struct vprof_slot *slot = record->slot;
	uint64_t ns;

	dump_seconds(out, t_ns);
	fprintf(out, " %u %u ", dump->ring->header.pid, record->owner->tid);
	dump_word(out, record->owner->comm);
	fputc(' ', out);
	dump_word(out, call_name(dump, slot));
	if (!is_call(slot)) {
		fputs(" -", out);
	} else if (!slot->done && slot_is_said(slot)) {
		fputs(" open", out);
	} else if (!slot->done) {
		fputs(record->ended ? " abandoned" : " in-flight", out);
	} else {
		ns = length_ns(dump, slot);
		fprintf(out, " %llu.%03uus", (unsigned long long)(ns / 1000), (unsigned int)(ns % 1000));
	}
	if (slot->done && VPROF_DONE_RESULT(slot->done))
		fprintf(out, " result=%u", VPROF_DONE_RESULT(slot->done));
	dump_fields(dump, out, slot, 0);
	if (slot_is_said(slot))
		dump_said_text(dump, out, record);
	fprintf(out, " corr=%llu\n", (unsigned long long)slot->seq);
}

void dump_json(struct dump_ring *dump, FILE *out, const struct record *record, int64_t t_ns)
{
	const struct vprof_slot *slot = record->slot;
	uint64_t realtime = clock_realtime(dump->clock, &dump->at, slot->t0);

	fputs("{\"time\":", out);
	dump_seconds(out, t_ns);
	fprintf(out, ",\"realtime_ns\":\"%llu\",\"pid\":%u,\"tid\":%u,\"comm\":",
		(unsigned long long)realtime, dump->ring->header.pid, record->owner->tid);
	cli_json_string(out, record->owner->comm);
	fprintf(out, ",\"serial\":%llu,\"call\":", (unsigned long long)record->owner->thread);
	cli_json_string(out, call_name(dump, slot));
	fprintf(out, ",\"kind\":%u,\"in_flight\":%s", slot->kind,
		slot->done || record->ended ? "false" : "true");
	if (record->ended)
		fputs(",\"abandoned\":true", out);
	if (slot->done && is_call(slot))
		fprintf(out, ",\"duration_ns\":%llu,\"result\":%u",
			(unsigned long long)length_ns(dump, slot), VPROF_DONE_RESULT(slot->done));
	dump_fields(dump, out, slot, 1);
	if (slot_is_said(slot))
		dump_said_json(dump, out, record);
	fprintf(out, ",\"corr\":%llu}\n", (unsigned long long)slot->seq);
}
