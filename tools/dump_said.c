/*
 * dump_said.c - what the program said of itself, in a record's line: ranges, marks and counters.
 */
#include <string.h>
#include "tools/cli.h"
#include "tools/dump.h"
#include "tools/ranges.h"

enum { NAME_MOST = 4096 };

const char *dump_said_call(const struct vprof_slot *slot)
{
	static const char *const names[] = {
		[VPROF_KIND_RANGE] = "(range)", [VPROF_KIND_MARK] = "(mark)", [VPROF_KIND_TEXT] = "(text)",
		[VPROF_KIND_COUNTER] = "(counter)", [VPROF_KIND_RANGE_END] = "(range-end)",
	};

	return names[slot->kind];
}

static void payload_text(const struct vprof_slot *slot, char *text, size_t size)
{
	uint64_t payload = slot->range.payload;
	uint32_t half = (uint32_t)payload;
	double number;
	float small;

	memcpy(&number, &payload, sizeof(number));
	memcpy(&small, &half, sizeof(small));
	switch (slot->range.payload_type) {
	case VPROF_PAYLOAD_I64:
		snprintf(text, size, "%lld", (long long)payload);
		break;
	case VPROF_PAYLOAD_I32:
		snprintf(text, size, "%d", (int)half);
		break;
	case VPROF_PAYLOAD_F64:
		snprintf(text, size, "%.17g", number);
		break;
	case VPROF_PAYLOAD_F32:
		snprintf(text, size, "%.9g", (double)small);
		break;
	default:
		snprintf(text, size, "%llu", (unsigned long long)payload);
	}
}

static void flags_text(const struct vprof_slot *slot, char *text, size_t size)
{
	uint16_t flags = slot->range.flags;

	snprintf(text, size, "%s%s%s", flags & VPROF_RANGE_PROCESS ? ",process" : "",
		 flags & VPROF_RANGE_AGAIN ? ",again" : "", flags & VPROF_RANGE_CUT ? ",cut" : "");
}

static const char *domain_name(const struct dump_ring *dump, const struct vprof_slot *slot)
{
	const struct vprof_def_domain *domain = ring_def(dump->ring, slot->range.domain, VPROF_DEF_DOMAIN);

	return domain ? domain->name : NULL;
}

void dump_said_text(const struct dump_ring *dump, FILE *out, const struct record *record)
{
	const struct vprof_slot *slot = record->slot;
	const char *domain = domain_name(dump, slot);
	char text[NAME_MOST];

	range_text(dump->ring, record->chunk, record->index, text, sizeof(text));
	fputs(" name=", out);
	dump_word(out, text);
	if (domain) {
		fputs(" domain=", out);
		dump_word(out, domain);
	}
	if (slot->range.category)
		fprintf(out, " category=%u", slot->range.category);
	if (slot->range.flags & VPROF_RANGE_COLOR)
		fprintf(out, " color=0x%08x", slot->range.color);
	payload_text(slot, text, sizeof(text));
	if (slot->range.payload_type)
		fprintf(out, " payload=%s", text);
	flags_text(slot, text, sizeof(text));
	if (text[0])
		fprintf(out, " flags=%s", text + 1);
	if (slot->range.id)
		fprintf(out, " id=%llu", (unsigned long long)slot->range.id);
}

/* Payloads are strings in JSON: they need not be numbers that it knows. */
void dump_said_json(const struct dump_ring *dump, FILE *out, const struct record *record)
{
	const struct vprof_slot *slot = record->slot;
	const char *domain = domain_name(dump, slot);
	char text[NAME_MOST];

	range_text(dump->ring, record->chunk, record->index, text, sizeof(text));
	fputs(",\"name\":", out);
	cli_json_string(out, text);
	if (domain) {
		fputs(",\"domain\":", out);
		cli_json_string(out, domain);
	}
	if (slot->range.category)
		fprintf(out, ",\"category\":%u", slot->range.category);
	if (slot->range.flags & VPROF_RANGE_COLOR)
		fprintf(out, ",\"color\":\"0x%08x\"", slot->range.color);
	payload_text(slot, text, sizeof(text));
	if (slot->range.payload_type)
		fprintf(out, ",\"payload\":\"%s\"", text);
	flags_text(slot, text, sizeof(text));
	if (text[0])
		fprintf(out, ",\"flags\":\"%s\"", text + 1);
	if (slot->range.id)
		fprintf(out, ",\"id\":\"%llu\"", (unsigned long long)slot->range.id);
}
